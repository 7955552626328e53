"""What the leads page shows, chosen by widgets and told by the address: filters, order, columns, page.

    address ─► read ─► the widgets' state ─► widgets ─► Chosen ─► written ─► address

The browser tells the value of every widget with all it says, also what it has not heard was changed. So a widget whose value
was changed for the person is another one from then on (`key`): what the browser still says of the former one changes nothing.

The address holds ids. What is typed into the search stays in this session. The page has three parts that are drawn by
themselves: the filters, the bar under them, the list. A change draws the list anew, and the others where they look different.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import streamlit as st

from desk import attention as kinds
from desk.desk import the_desk
from desk.listing import LONGEST_SEARCH as LONGEST
from desk.listing import Choices, Filter, Sort, from_query, to_query
from desk.listing.filters import ALL, COLUMNS, OWN, PARAMETERS, PERIODS, TEXTS
from desk.listing.saved_views import View
from store import clock
from ui.frame.parts import zone
from ui.frame.person import person
from ui.frame.words import language, say

ADDRESS = "leads.address"
"""The address this session has seen or written last: another one was opened by hand, by a link, by a view."""

LEFT = "leads.addresses_left"
"""Addresses it wrote before that one, while the browser may not have heard of it yet and go on telling them."""

CHOSEN = "leads.chosen"
"""What was shown last."""

TURNS = "leads.turns"
"""How often something but the person has changed the value of a widget, by its name."""

FILTERS, BAR, LIST = "leads-filters", "leads-bar", "leads-list"
"""The page's parts, in their order."""

DRAWN = "leads.drawn"
"""What decides how each part looks, as it was when this session drew it last."""

FAULTS = "leads.faults"
LEAD = "leads.lead"
VIEW = "leads.view"

SHOWN = ("created_at", "name", "phone", "direction", "source", "stage", "responsible", "price_rub")
"""Columns until somebody chooses others; with the link they fit 1360 pixels."""

SIZES = (25, 50, 100, 200)
DEFAULT_SIZE = 50

OWN_DAYS = 14
"""An own range begins with the last two weeks."""

OURS = PARAMETERS | {"sort", "columns", "size", "page", "lead", "view"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is shown. `page` begins with 1."""

    filter: Filter = field(default_factory=Filter)
    sort: Sort = field(default_factory=Sort)
    columns: tuple[str, ...] = SHOWN
    size: int = DEFAULT_SIZE
    page: int = 1

    def query(self) -> dict[str, list[str]]:
        """As an address, without the page: what a saved view keeps."""
        query = to_query(self.filter)
        if self.sort != Sort():
            query["sort"] = [str(self.sort)]
        if self.columns != SHOWN:
            query["columns"] = [",".join(self.columns)]
        if self.size != DEFAULT_SIZE:
            query["size"] = [str(self.size)]
        return query


def read(query: Mapping[str, Sequence[str]]) -> tuple[Chosen, list[str]]:
    """What an address says, and the parameters in it that say nothing. Pure."""
    chosen, faulty = from_query(query)
    told = {name: values[0] for name, values in query.items() if values}
    sort = Sort.read(told["sort"]) if "sort" in told else Sort()
    columns = tuple(dict.fromkeys(told["columns"].split(","))) if "columns" in told else SHOWN
    known = tuple(name for name in columns if name in COLUMNS)
    size, page = _whole(told.get("size"), DEFAULT_SIZE), _whole(told.get("page"), 1)
    faulty += ["sort"] if sort is None else []
    faulty += ["columns"] if known != columns else []
    faulty += ["size"] if size not in SIZES else []
    faulty += ["page"] if page is None else []
    size = size if size in SIZES else DEFAULT_SIZE
    return Chosen(chosen, sort or Sort(), known or SHOWN, size or DEFAULT_SIZE, page or 1), faulty


SPOKEN = "leads.spoken"
"""The language the widgets were drawn in last."""


def take_address() -> None:
    """Where the address is not the one written last, let the widgets say what it says.

    Before any of them is drawn, and only where all of them are: an address that somebody opens draws the whole page.
    """
    query = _address()
    known = st.session_state.get(ADDRESS)
    if st.session_state.get(SPOKEN) != language() and CHOSEN in st.session_state:
        put(st.session_state[CHOSEN], in_other_words=True)
    st.session_state[SPOKEN] = language()
    if query == known or query in st.session_state.get(LEFT, ()) or (not query and known is not None):
        if key("sort") not in st.session_state:  # one comes back from another page: its widgets are forgotten
            st.session_state[TURNS] = {}
            put(st.session_state[CHOSEN])
        return
    if (view_id := _first(query, "view")) and set(query) <= {"view", "lead"}:
        view = the_desk().views.get(view_id)
        st.session_state[FAULTS] = []
        if view is None:
            st.session_state[FAULTS] = ["view"]
            _put_read({})
        else:
            _put_read(view.query)
        st.session_state[VIEW] = view and view.id
    else:
        st.session_state[FAULTS] = _put_read(query)
        st.session_state[VIEW] = None
    lead = _first(query, "lead")
    st.session_state[LEAD] = int(lead) if lead.isascii() and lead.isdigit() and len(lead) < 16 else None
    if lead and st.session_state[LEAD] is None:
        st.session_state[FAULTS] = [*st.session_state.get(FAULTS, []), "lead"]
    st.session_state[ADDRESS], st.session_state[LEFT] = query, []


def hear_address() -> None:
    """Note that the browser has the address that was written last. At the beginning of a run, before one is written in it."""
    if _address() == st.session_state.get(ADDRESS):
        st.session_state[LEFT] = []


def write_address(chosen: Chosen) -> None:
    """Put into the address what is shown now."""
    query = chosen.query()
    view = _opened_view()
    if view is not None and view.query == query:
        query = {"view": [view.id]}
    else:
        st.session_state[VIEW] = None
    if chosen.page > 1:
        query["page"] = [str(chosen.page)]
    if lead := st.session_state.get(LEAD):
        query["lead"] = [str(lead)]
    if query != (before := _address()):
        st.session_state[LEFT] = [*st.session_state.get(LEFT, ()), before]
        st.query_params.from_dict({**_others(), **query})
    st.session_state[ADDRESS], st.session_state[CHOSEN] = query, chosen


def _opened_view() -> View | None:
    return the_desk().views.get(st.session_state[VIEW]) if st.session_state.get(VIEW) else None


def _put_read(query: Mapping[str, Sequence[str]]) -> list[str]:
    """Let the widgets say what a query says, in the columns this person likes where it names none."""
    chosen, faulty = read(query)
    if "columns" not in query:
        kept = tuple(name for name in COLUMNS if name in the_desk().views.columns_of(person()))
        chosen = replace(chosen, columns=kept or SHOWN)
    put(chosen)
    return faulty


def put(chosen: Chosen, *, in_other_words: bool = False) -> None:
    """Let the widgets say this. Before they are drawn, or in a callback.

    `in_other_words`: the language is another one. The browser tells what is chosen in the words it was chosen in.
    """
    values: dict[str, Any] = {name: list(getattr(chosen.filter, name)) for name in _LISTS}
    values |= {"period": chosen.filter.period, "search": chosen.filter.search}
    if chosen.filter.period == OWN:
        days = [day for day in (chosen.filter.since, chosen.filter.until) if day is not None]
        values["range"] = (days[0], days[-1])
    values |= {"sort": chosen.sort.column, "descending": chosen.sort.descending}
    values |= {"columns": list(chosen.columns), "size": chosen.size, "page": chosen.page}
    change(values, renew=in_other_words)


def key(name: str) -> str:
    """The key of a widget of this page: `leads.source`, and `leads.source.1` once something else has changed its value."""
    turn = st.session_state.get(TURNS, {}).get(name, 0)
    return f"leads.{name}.{turn}" if turn else f"leads.{name}"


def value(name: str) -> Any:
    """What the widget says; None before it was drawn or put."""
    return st.session_state.get(key(name))


def change(values: Mapping[str, Any], *, renew: bool = False) -> None:
    """Give widgets, by name, other values than the person has. `renew`: also where they are the same."""
    for name, new in values.items():
        if renew or value(name) not in (None, new):
            turns = st.session_state.get(TURNS, {})
            st.session_state[TURNS] = {**turns, name: turns.get(name, 0) + 1}
        st.session_state[key(name)] = new


def now_chosen() -> Chosen:
    """What the widgets say."""
    lists = {name: tuple(value(name) or ()) for name in _LISTS}
    period = value("period") or ALL
    since, until = own_days(value("range")) if period == OWN else (None, None)
    columns = tuple(name for name in COLUMNS if name in (value("columns") or SHOWN))
    return Chosen(
        Filter(period=period, since=since, until=until, search=(value("search") or "")[:LONGEST], **lists),
        Sort(value("sort") or "created_at", _is_descending()),
        columns,
        value("size") or DEFAULT_SIZE,
        max(1, value("page") or 1),
    )


def on_page(chosen: Chosen, page: int) -> Chosen:
    """The same, another page of it."""
    return replace(chosen, page=page)


def clear() -> None:
    """For a callback: every lead, in the order and the columns that are chosen."""
    now = now_chosen()
    put(Chosen(Filter(), now.sort, now.columns, now.size))
    st.rerun((FILTERS, BAR, LIST))


def changed() -> None:
    """For callbacks: another filter or order. The list begins at its first page."""
    first_page()
    show()


def show() -> None:
    """For callbacks: draw the list anew, and around it what looks different now."""
    if view := _opened_view():
        st.session_state[VIEW] = view.id if now_chosen().query() == view.query else None
    drawn = st.session_state.get(DRAWN, {})
    looks = _looks(the_desk().listing.choices())
    st.rerun([*(part for part, look in looks.items() if look != drawn.get(part)), LIST])


def bar_is_drawn(choices: Choices) -> None:
    """Remember what the bar looks like now."""
    _is_drawn(BAR, choices)


def first_page() -> None:
    """For callbacks: a new filter begins at its first page."""
    change({"page": 1})


def sort_by(column: str) -> None:
    """For a callback: by this column; the same one again turns the order round. The bar shows the order too."""
    again = value("sort") == column
    descending = not _is_descending() if again else column in ("created_at", "updated_at", "price_rub", "id")
    change({"sort": column, "descending": descending, "page": 1})
    st.rerun((BAR, LIST))


def draw(choices: Choices) -> None:
    """The search, the period, and everything else one can filter by."""
    _is_drawn(FILTERS, choices)
    search, period = st.columns([2, 3], vertical_alignment="bottom")
    search.text_input(
        say("leads-search"),
        type="search",
        placeholder=say("leads-search-hint"),
        key=key("search"),
        live=True,
        max_chars=LONGEST,
        help=say("leads-search-help"),
        on_change=changed,
    )
    with period:
        _period()
    reference = choices.reference
    stages = {key: stage.full_name for key, stage in reference.stages.items()}
    people = {0: say("leads-nobody"), **reference.people}
    left, second, third, right = st.container(key="leads.filters").columns(4)
    with left:
        _several("stage", stages)
    with second:
        _several("source", texts_of(choices, "source"))
    with third:
        _several("direction", texts_of(choices, "direction"))
    with right:
        _several("responsible", people)


def draw_more(choices: Choices) -> None:
    """The filters that are used less often."""
    _several(
        "attention", {kind: say(f"leads-attention-{kind}") for kind in kinds.KINDS}, help_key="leads-attention-help"
    )
    if len(pipelines := choices.reference.pipelines) > 1:
        _several("pipeline", pipelines)
    for name in ("utm_source", "utm_medium", "utm_campaign"):
        _several(name, texts_of(choices, name))


def draw_look() -> None:
    """Which columns, in which order, how many rows."""
    st.multiselect(
        say("leads-columns"),
        COLUMNS,
        format_func=lambda name: say(f"leads-column-{name}"),
        key=key("columns"),
        on_change=_keep_columns,
        placeholder=say("any-choice"),
    )
    st.selectbox(
        say("leads-sort"),
        COLUMNS,
        format_func=lambda name: say(f"leads-column-{name}"),
        key=key("sort"),
        on_change=changed,
    )
    st.toggle(
        say("leads-descending"),
        key=key("descending"),
        on_change=changed,
    )
    st.segmented_control(
        say("leads-size"), SIZES, key=key("size"), on_change=changed, required=True,
    )  # fmt: skip


def texts_of(choices: Choices, name: str) -> dict[str, str]:
    """What to call each fingerprint."""
    return {one: text or say("unknown") for one, text in choices.texts.get(name, {}).items()}


def active(chosen: Filter) -> int:
    """How many of the filters behind "more" are set."""
    return sum(
        bool(getattr(chosen, name)) for name in ("attention", "pipeline", "utm_source", "utm_medium", "utm_campaign")
    )


def faults() -> None:
    """What in the address could not be understood. The rest of it holds."""
    faulty = st.session_state.get(FAULTS)
    if faulty:
        names = ", ".join(say(f"leads-parameter-{name}") for name in dict.fromkeys(faulty))
        st.warning(say("leads-address-faulty", names=names), icon=":material/link_off:")


def _period() -> None:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.selectbox(
        say("leads-period"),
        PERIODS,
        format_func=lambda name: say(f"period-{name}"),
        key=key("period"),
        on_change=_new_filter,
    )
    if value("period") == OWN:
        today = clock.now(zone()).date()
        st.session_state.setdefault(key("range"), (today - timedelta(days=OWN_DAYS - 1), today))
        right.date_input(
            say("leads-range"),
            format="DD.MM.YYYY",
            key=key("range"),
            on_change=changed,
        )


def _new_filter() -> None:
    st.session_state[FAULTS] = []
    changed()


def _several(name: str, labels: Mapping[Any, str], *, help_key: str | None = None) -> None:
    """A filter of several values. One that was chosen and is not there any more stays, and can be taken away."""
    chosen = value(name) or []
    known = unique({**labels, **{value: say("leads-gone") for value in chosen if value not in labels}})
    st.multiselect(
        say(f"leads-column-{name}"),
        list(known),
        format_func=lambda value: known.get(value, ""),
        key=key(name),
        placeholder=say("any"),
        on_change=_new_filter,
        help=say(help_key, days=kinds.UNTOUCHED_DAYS) if help_key else None,
    )


def unique(labels: Mapping[Any, str]) -> dict[Any, str]:
    """The browser tells a choice by its label, so two that are called the same get a number."""
    seen: Counter[str] = Counter()
    found = {}
    for value, label in labels.items():
        seen[label] += 1
        found[value] = label if seen[label] == 1 else f"{label} ({seen[label]})"
    return found


def _keep_columns() -> None:
    """For the next visit of whoever sits here."""
    if person() and value("columns"):
        the_desk().views.keep_columns(person(), value("columns"))
    show()


def own_days(picked: object) -> tuple[date | None, date | None]:
    """First and last day of an own range; while only its first is chosen, that day."""
    days = [day for day in (picked if isinstance(picked, tuple | list) else [picked]) if isinstance(day, date)]
    return (days[0], days[-1]) if days else (None, None)


def _is_descending() -> bool:
    return value("descending") is not False


def _is_drawn(part: str, choices: Choices) -> None:
    drawn = st.session_state.get(DRAWN, {})
    st.session_state[DRAWN] = {**drawn, part: _looks(choices)[part]}


def _looks(choices: Choices) -> dict[str, Any]:
    """What the parts above the list are drawn from, besides the values of their widgets."""
    chosen = now_chosen().filter
    texts, reference = choices.texts, choices.reference
    known: dict[str, Any] = {
        "stage": reference.stages,
        "responsible": reference.people,
        "pipeline": reference.pipelines,
    }
    gone = [
        (name, value)
        for name in ("stage", "responsible", "pipeline", *TEXTS)
        for value in getattr(chosen, name)
        if value and value not in known.get(name, texts.get(name, {}))
    ]
    return {
        FILTERS: (choices, gone, chosen.period == OWN),
        BAR: (choices, gone, active(chosen), chosen.is_empty, st.session_state.get(VIEW)),
    }


def has_new_choices() -> bool:
    """Whether there is something to choose now that was not there when the filters were drawn."""
    drawn = st.session_state.get(DRAWN, {}).get(FILTERS)
    return drawn is not None and drawn[0] != the_desk().listing.choices()


_LISTS = ("pipeline", "stage", "responsible", *TEXTS, "attention")


def _address() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params if name in OURS}


def _others() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params if name not in OURS}


def _first(query: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(query.get(name, ())), "")


def _whole(text: str | None, otherwise: int) -> int | None:
    if text is None:
        return otherwise
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 else None

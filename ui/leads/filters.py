"""The filters of the leads page: drawing them, and redrawing after a change.

The page has three parts that are drawn by themselves: the filters, the bar under them, the list. A change draws the list
anew, and the others if they look different.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st

from desk import attention as kinds
from desk.desk import the_desk
from desk.listing import LONGEST_SEARCH, Choices, Filter
from desk.listing.filters import COLUMNS, OWN, PERIODS, TEXTS
from store import clock
from ui.frame.parts import zone
from ui.frame.person import person
from ui.frame.words import say
from ui.leads.address import FAULTS, VIEW, opened_view
from ui.leads.chosen import SIZES, Chosen
from ui.leads.widgets import change_widgets, is_descending, key, now_chosen, set_widgets, to_first_page, value

FILTERS, BAR, LIST = "leads-filters", "leads-bar", "leads-list"
"""The page's parts, in their order."""

DRAWN = "leads.drawn"
"""The state behind the look of each part, as of the last drawing."""

OWN_DAYS = 14
"""An own range begins with the last two weeks."""


def draw_filters(choices: Choices) -> None:
    """The search, the period, and the usual filters."""
    _remember_look(FILTERS, choices)
    search, period = st.columns([2, 3], vertical_alignment="bottom")
    search.text_input(
        say("leads-search"),
        type="search",
        placeholder=say("leads-search-hint"),
        key=key("search"),
        live=True,
        max_chars=LONGEST_SEARCH,
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
    """The filters people use less often."""
    _several(
        "attention", {kind: say(f"leads-attention-{kind}") for kind in kinds.KINDS}, help_key="leads-attention-help"
    )
    if len(pipelines := choices.reference.pipelines) > 1:
        _several("pipeline", pipelines)
    for name in ("utm_source", "utm_medium", "utm_campaign"):
        _several(name, texts_of(choices, name))


def draw_look() -> None:
    """The choice of columns, order and number of rows."""
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


def remember_bar_look(choices: Choices) -> None:
    """Remember the look of the bar."""
    _remember_look(BAR, choices)


def changed() -> None:
    """Show the list anew after a change of filter or order, from its first page, in a callback."""
    to_first_page()
    show()


def show() -> None:
    """Draw the list anew, and the parts with a new look, in a callback."""
    if view := opened_view():
        st.session_state[VIEW] = view.id if now_chosen().query() == view.query else None
    drawn = st.session_state.get(DRAWN, {})
    looks = _looks(the_desk().listing.choices())
    st.rerun([*(part for part, look in looks.items() if look != drawn.get(part)), LIST])


def clear() -> None:
    """Clear all filters, in a callback; order and columns stay."""
    now = now_chosen()
    set_widgets(Chosen(Filter(), now.sort, now.columns, now.size))
    st.rerun((FILTERS, BAR, LIST))


def sort_by(column: str) -> None:
    """Sort by a column, in a callback; the same column again turns the order round. The bar shows the order too."""
    again = value("sort") == column
    descending = not is_descending() if again else column in ("created_at", "updated_at", "price_rub", "id")
    change_widgets({"sort": column, "descending": descending, "page": 1})
    st.rerun((BAR, LIST))


def texts_of(choices: Choices, name: str) -> dict[str, str]:
    """The texts of a field by fingerprint; a word for the empty text."""
    return {one: text or say("unknown") for one, text in choices.texts.get(name, {}).items()}


def unique(labels: Mapping[Any, str]) -> dict[Any, str]:
    """Number equal labels: the browser tells a choice by its label alone."""
    seen: Counter[str] = Counter()
    found = {}
    for choice, label in labels.items():
        seen[label] += 1
        found[choice] = label if seen[label] == 1 else f"{label} ({seen[label]})"
    return found


def count_of_more(chosen: Filter) -> int:
    """Count the active filters behind "more"."""
    return sum(
        bool(getattr(chosen, name)) for name in ("attention", "pipeline", "utm_source", "utm_medium", "utm_campaign")
    )


def has_new_choices() -> bool:
    """Whether the choices have changed since the filters were drawn."""
    drawn = st.session_state.get(DRAWN, {}).get(FILTERS)
    return drawn is not None and drawn[0] != the_desk().listing.choices()


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
    """A filter of several values. A chosen value stays even if gone from the choices, and can be taken away."""
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


def _keep_columns() -> None:
    """Remember the columns for the person's next visit."""
    if person() and value("columns"):
        the_desk().views.keep_columns(person(), value("columns"))
    show()


def _remember_look(part: str, choices: Choices) -> None:
    drawn = st.session_state.get(DRAWN, {})
    st.session_state[DRAWN] = {**drawn, part: _looks(choices)[part]}


def _looks(choices: Choices) -> dict[str, Any]:
    """The state of the parts above the list, besides their widgets' values."""
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
        BAR: (choices, gone, count_of_more(chosen), chosen.is_empty, st.session_state.get(VIEW)),
    }

"""The parts of the leads page: the state of the numbers, the table, and the arrival of new leads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import streamlit as st

from crm.leads import lead_address
from desk import phones
from desk.desk import the_desk
from desk.listing import LeadRow, Page, Reference
from desk.listing.filters import COLUMNS
from desk.mirror import MirrorStatus
from store import clock
from ui.frame import formats
from ui.frame.frame import fragment
from ui.frame.parts import as_of, moment, zone
from ui.frame.words import error_words, language, say
from ui.leads import address, filters, widgets
from ui.leads.chosen import Chosen, on_page

LOOK_EVERY_S = 1.0
"""Time between two looks at the mirror's version. One small read."""

FIRST_LEADS_EVERY_S = 0.2
"""Time between two looks before the first leads, while the first reading runs."""

TABLE = "leads.table"
"""The table's key, with a number behind it: a table with a new number has no marked row."""

WIDTHS = {
    "created_at": 96, "name": 140, "phone": 140, "direction": 112, "source": 105, "stage": 135, "responsible": 130,
    "price_rub": 80, "updated_at": 96, "task": 96, "utm_source": 110, "utm_medium": 110, "utm_campaign": 130, "id": 90,
}  # fmt: skip
"""Pixels of a column; the first eight and the link fit beside the menu at 1360."""

LINK_PX, YEAR_PX = 40, 14

MORE_ROOM = """<style>
[data-testid="stElementToolbar"] button[aria-label^="Download"] { display: none }
@media (min-width: 768px) { [data-testid="stMainBlockContainer"] { padding-left: 2rem; padding-right: 2rem } }
@media (max-width: 640px) { .st-key-leads-filters [data-testid="stColumn"] { min-width: calc(50% - 1rem); flex: 1 1 0 } }
</style>"""
"""Takes back the margins Streamlit leaves at both sides: the table needs them; on a phone two filters stand in a row.

Files are made by `desk.exports`: Streamlit's own hold texts as they are, and nobody hears of them.
"""

MOMENTS = ("created_at", "updated_at", "task")

COLOR = re.compile(r"#[0-9a-fA-F]{6}")
GREY = "#d5d8db"


@dataclass(frozen=True, slots=True)
class Shown:
    """The choice and the page on the screen, for comparison with the present list."""

    chosen: Chosen
    page: Page


def fetch_page(chosen: Chosen) -> tuple[Page, Chosen]:
    """Fetch the chosen page; if the list has become shorter, its last page. Return the page and the choice of the page."""
    offset = (chosen.page - 1) * chosen.size
    page = the_desk().listing.page(chosen.filter, chosen.sort, offset=offset, limit=chosen.size)
    if not page.rows and page.total:
        return fetch_page(on_page(chosen, -(-page.total // chosen.size)))
    return page, chosen


def table(page: Page, chosen: Chosen, reference: Reference) -> None:
    """A page of leads. A click on a row's mark opens its card, a click on a heading sorts the whole list."""
    names = filters.unique({key: stage.full_name for key, stage in reference.stages.items()})
    here = {(row.pipeline_id, row.status_id) for row in page.rows}
    shown = {key: name for key, name in names.items() if key in here}
    columns = {name: _values(name, page.rows, names, reference) for name in chosen.columns}
    moments = [at for name in MOMENTS if name in chosen.columns for row in page.rows if (at := _at(name, row))]
    long_dates = bool(moments) and datetime.fromtimestamp(min(moments), zone()).year < clock.now(zone()).year
    account_url = the_desk().connection.status().account_url
    links = [lead_address(account_url, row.id) if account_url else None for row in page.rows]
    st.dataframe(
        pa.table({**columns, "url": pa.array(links, pa.string())}),
        hide_index=True,
        height="content",
        placeholder="—",
        alt=say("leads-title"),
        key=_table_key(),
        on_select=_picked,
        selection_mode=["single-row", "single-column"],
        column_config={
            **{name: _column(name, chosen, shown, reference, long_dates) for name in chosen.columns},
            "url": st.column_config.LinkColumn(
                "↗", display_text=":material/open_in_new:", help=say("leads-link-help"), width=LINK_PX
            ),
        },
    )
    st.session_state[IDS] = [row.id for row in page.rows]


IDS = "leads.ids"
"""Ids of the leads in the table as drawn last: a marked row is told by its place, not by its lead."""


def close_card() -> None:
    """For a callback: the card is shut, no row is marked."""
    st.session_state[address.LEAD] = None
    _unmark()


def _table_key() -> str:
    return f"{TABLE}.{st.session_state.get(TABLE, 0)}"


def _unmark() -> None:
    st.session_state[TABLE] = st.session_state.get(TABLE, 0) + 1


def _picked() -> None:
    """Open the card of a marked row, or sort by a marked heading."""
    selection = st.session_state[_table_key()]["selection"]
    ids = st.session_state.get(IDS, [])
    if selection["columns"]:
        _unmark()
        if (column := str(selection["columns"][0])) in COLUMNS:
            filters.sort_by(column)
    elif selection["rows"] and selection["rows"][0] < len(ids):
        st.session_state[address.LEAD] = ids[selection["rows"][0]]


def poll(shown: Shown) -> None:
    """The line above the table, which keeps looking."""
    begins = not shown.page.total and the_desk().mirror.status().state in ("empty", "filling")
    (_look_for_first if begins and the_desk().connection.status().connected else _look)(shown)


@fragment(is_inner=True, run_every=FIRST_LEADS_EVERY_S)
def _look_for_first(shown: Shown) -> None:
    _tell_news(shown)


@fragment(is_inner=True, run_every=LOOK_EVERY_S)
def _look(shown: Shown) -> None:
    _tell_news(shown)


def _tell_news(shown: Shown) -> None:
    """Say the age of the numbers, and show new leads: at once if the person is not disturbed, else by a button.

    Runs every second while the page is open; the page itself runs again only where what it shows has changed.
    """
    address.hear_address()
    desk = the_desk()
    say_state(desk.mirror.status())
    if filters.has_new_choices() and not _is_busy(shown.chosen):
        st.rerun()
    if desk.mirror.version() == shown.page.version:
        return
    chosen = shown.chosen
    now, _ = fetch_page(chosen)
    if (now.rows, now.total) == (shown.page.rows, shown.page.total):
        return
    if not _is_busy(chosen):
        st.rerun()
    count = desk.listing.arrived(chosen.filter, shown.page.newest_id)
    label = say("leads-arrived", count=count) if count else say("leads-changed")
    icon = ":material/fiber_new:" if count else ":material/sync:"
    if st.button(label, icon=icon, key="leads.arrived", type="primary", on_click=_show_arrived):
        st.rerun()


def say_state(status: MirrorStatus) -> None:
    """The state of the mirror, in a form of its own for each state."""
    what, remedy = error_words(status.reason) if status.reason else ("", "")
    reason = f" {what} {remedy}" if what else ""
    if status.state == "empty":
        st.info(say("mirror-empty") + reason, icon=":material/hourglass_empty:")
        if not the_desk().connection.status().connected:
            st.page_link("connection.py", label=say("go-connection"), icon=":material/link:")
    elif status.state == "failed":
        st.error(f"**{say('mirror-failed')}**{reason}", icon=":material/error:")
    elif status.state == "filling":
        st.info(say("mirror-filling", count=status.read) + reason, icon="spinner")
    elif status.state == "stale" and status.as_of is not None:
        stale = "mirror-stale-clock" if status.is_clock_unsure else "mirror-stale"
        st.warning(say(stale, time=moment(status.as_of)) + reason, icon=":material/history_toggle_off:")
    elif status.as_of is not None:
        as_of(status.as_of)


def _is_busy(chosen: Chosen) -> bool:
    """Whether moving rows would disturb: a card is open, a row is marked, a later page is being read."""
    marked = (st.session_state.get(_table_key()) or {}).get("selection", {}).get("rows")
    return bool(chosen.page > 1 or st.session_state.get(address.LEAD) or marked)


def _show_arrived() -> None:
    widgets.to_first_page()
    _unmark()


def more_label() -> str:
    """The label of the filters behind the button, with the number of active filters."""
    count = filters.count_of_more(widgets.now_chosen().filter)
    return f"{say('leads-more')} · {count}" if count else say("leads-more")


def buttons() -> None:
    """Look at AmoCRM now; every lead again."""
    st.button(say("refresh"), icon=":material/refresh:", key="leads.refresh", on_click=the_desk().mirror.refresh)
    if not widgets.now_chosen().filter.is_empty:
        st.button(say("leads-clear"), icon=":material/filter_alt_off:", key="leads.clear", on_click=filters.clear)


def pages(page: Page, chosen: Chosen) -> None:
    """The pages of the list, if there are several."""
    count = max(1, -(-page.total // chosen.size))
    st.session_state[widgets.key("page")] = min(chosen.page, count)
    if count > 1:
        st.pagination(count, key=widgets.key("page"))


def nothing_here(chosen: Chosen, status: MirrorStatus) -> None:
    """The reason for an empty list, and the remedy."""
    if not chosen.filter.is_empty:
        st.info(say("leads-none-found"), icon=":material/filter_alt_off:")
    elif status.state in ("following", "stale"):
        st.info(say("leads-none"), icon=":material/inbox:")


def warm_up() -> None:
    """Load the libraries of the table before the first person waits for them."""
    pa.table({"stage": pa.array([["x"]], pa.list_(pa.string())), "at": pa.array([0], pa.timestamp("s"))})
    the_desk().listing.choices()


def _values(
    name: str, rows: Sequence[LeadRow], stages: Mapping[tuple[int, int], str], reference: Reference
) -> pa.Array:
    """A column of the table. Straight to Arrow: a data frame in between takes three times as long."""
    if name in MOMENTS:
        return pa.array([_local_s(_at(name, row)) for row in rows], pa.timestamp("s"))
    if name == "stage":
        told = [[stages.get((row.pipeline_id, row.status_id), f"#{row.status_id}")] for row in rows]
        return pa.array(told, pa.list_(pa.string()))
    return pa.array(_texts(name, rows, reference), pa.string())


def _texts(name: str, rows: Sequence[LeadRow], reference: Reference) -> list[str | None]:
    if name == "responsible":
        return [person_name(row.responsible_user_id, reference) for row in rows]
    if name == "name":
        return [row.shown_name for row in rows]
    if name == "phone":
        return [phone_text(row.phone, len(row.phones.split(" +")) - 1 if row.phones else 0) for row in rows]
    if name == "price_rub":
        spoken = language()
        return [rubles(row.price_kop, spoken) for row in rows]
    if name in ("source", "direction"):
        unknown = say("unknown")
        return [getattr(row, name) or unknown for row in rows]
    return [str(getattr(row, name)) or None for row in rows]


def _at(name: str, row: LeadRow) -> int | None:
    """Unix seconds."""
    return row.closest_task_at if name == "task" else getattr(row, name)


def _local_s(at: int | None) -> int | None:
    """Seconds shown by the club's clock: times in a table have no zone."""
    if not at:
        return None
    offset = datetime.fromtimestamp(at, zone()).utcoffset()
    return at + int(offset.total_seconds()) if offset else at


def person_name(user_id: int, reference: Reference) -> str:
    """The name of a person; a number for a person without a name in AmoCRM."""
    return reference.people.get(user_id, f"#{user_id}") if user_id else say("leads-nobody")


def phone_text(phone: str, count: int) -> str | None:
    """The first phone, and the number of further phones: `+7 999 123-45-67 #12 · +1`."""
    if not phone:
        return None
    shown = _phone(phone)
    return f"{shown} · +{count - 1}" if count > 1 else shown


@lru_cache(maxsize=4096)
def _phone(phone: str) -> str:
    return phones.display(phone)


@lru_cache(maxsize=4096)
def rubles(kopecks: int, language: str) -> str:
    return formats.rubles(kopecks, language)


def _column(
    name: str, chosen: Chosen, stages: Mapping[tuple[int, int], str], reference: Reference, long_dates: bool
) -> Any:
    arrow = ("↓ " if chosen.sort.descending else "↑ ") if chosen.sort.column == name else ""
    label, width = arrow + say(f"leads-column-{name}"), WIDTHS[name]
    if name in MOMENTS:
        spelled = "DD.MM.YY HH:mm" if long_dates else "DD.MM HH:mm"
        return st.column_config.DatetimeColumn(label, format=spelled, width=width + YEAR_PX * long_dates)
    if name == "stage":
        return st.column_config.MultiselectColumn(
            label,
            width=width,
            options=list(stages.values()),
            color=[_color(reference.stages[key].color) for key in stages],
        )
    return st.column_config.TextColumn(label, width=width, alignment="right" if name == "price_rub" else "left")


def _color(color: str) -> str:
    return color if COLOR.fullmatch(color) else GREY

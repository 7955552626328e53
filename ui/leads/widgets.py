"""The widgets of the leads page: their keys, their values, and changes not made by the person.

The browser tells the value of every widget with all it says, also what it has not heard was changed. So a widget whose value
was changed for the person is another one from then on (`key`): what the browser still says of the former one changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import streamlit as st

from desk.listing import LONGEST_SEARCH, Filter, Sort
from desk.listing.filters import ALL, COLUMNS, OWN, TEXTS
from ui.leads.chosen import DEFAULT_SIZE, SHOWN, Chosen

TURNS = "leads.turns"
"""Number of changes of a widget's value not made by the person, by the widget's name."""

_LISTS = ("pipeline", "stage", "responsible", *TEXTS, "attention")


def key(name: str) -> str:
    """The key of a widget by name: `leads.source`, and `leads.source.1` after a change not made by the person."""
    turn = st.session_state.get(TURNS, {}).get(name, 0)
    return f"leads.{name}.{turn}" if turn else f"leads.{name}"


def value(name: str) -> Any:
    """The value of a widget; None before the widget was drawn or set."""
    return st.session_state.get(key(name))


def change_widgets(values: Mapping[str, Any], *, renew: bool = False) -> None:
    """Give widgets new values, by name. `renew`: also widgets with the value already."""
    for name, new in values.items():
        if renew or value(name) not in (None, new):
            turns = st.session_state.get(TURNS, {})
            st.session_state[TURNS] = {**turns, name: turns.get(name, 0) + 1}
        st.session_state[key(name)] = new


def set_widgets(chosen: Chosen, *, in_other_words: bool = False) -> None:
    """Write filters, order, columns and page into the widgets' state, before the widgets are drawn or in a callback.

    `in_other_words`: the language has changed. The browser tells a choice in the words it was made in.
    """
    values: dict[str, Any] = {name: list(getattr(chosen.filter, name)) for name in _LISTS}
    values |= {"period": chosen.filter.period, "search": chosen.filter.search}
    if chosen.filter.period == OWN:
        days = [day for day in (chosen.filter.since, chosen.filter.until) if day is not None]
        values["range"] = (days[0], days[-1])
    values |= {"sort": chosen.sort.column, "descending": chosen.sort.descending}
    values |= {"columns": list(chosen.columns), "size": chosen.size, "page": chosen.page}
    change_widgets(values, renew=in_other_words)


def now_chosen() -> Chosen:
    """Read filters, order, columns and page from the widgets' state."""
    lists = {name: tuple(value(name) or ()) for name in _LISTS}
    period = value("period") or ALL
    since, until = own_days(value("range")) if period == OWN else (None, None)
    columns = tuple(name for name in COLUMNS if name in (value("columns") or SHOWN))
    return Chosen(
        Filter(period=period, since=since, until=until, search=(value("search") or "")[:LONGEST_SEARCH], **lists),
        Sort(value("sort") or "created_at", is_descending()),
        columns,
        value("size") or DEFAULT_SIZE,
        max(1, value("page") or 1),
    )


def to_first_page() -> None:
    """Go to the first page, in a callback."""
    change_widgets({"page": 1})


def own_days(picked: object) -> tuple[date | None, date | None]:
    """First and last day of an own range; the first day twice while only the first is picked."""
    days = [day for day in (picked if isinstance(picked, tuple | list) else [picked]) if isinstance(day, date)]
    return (days[0], days[-1]) if days else (None, None)


def is_descending() -> bool:
    return value("descending") is not False

"""The address of the leads page: read into the widgets, written by the list.

    address ─► read_query ─► the widgets' state ─► widgets ─► Chosen ─► write_address ─► address

The address holds ids. What is typed into the search stays in this session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from desk.desk import the_desk
from desk.listing.filters import COLUMNS, PARAMETERS
from desk.listing.saved_views import View
from ui.frame.person import person
from ui.frame.words import language, say
from ui.leads.chosen import SHOWN, Chosen, read_query
from ui.leads.widgets import TURNS, key, set_widgets

ADDRESS = "leads.address"
"""The address seen or written last by the session: any other was opened by hand, by a link, by a view."""

LEFT = "leads.addresses_left"
"""Addresses written before the last, as long as the browser may not have heard of the last and go on telling the former."""

CHOSEN = "leads.chosen"
"""The last shown choice: a `Chosen`."""

SPOKEN = "leads.spoken"
"""The language the widgets were drawn in last."""

FAULTS = "leads.faults"
"""Names of senseless parameters in the address."""

LEAD = "leads.lead"
"""Id of the lead with the open card."""

VIEW = "leads.view"
"""Id of the open saved view."""

OURS = PARAMETERS | {"sort", "columns", "size", "page", "lead", "view"}


def take_address() -> None:
    """Set the widgets from the address, if the address is not the last written.

    Before any widget is drawn, and only in a run that draws all: an address that somebody opens draws the whole page.
    """
    query = _own_query()
    known = st.session_state.get(ADDRESS)
    if st.session_state.get(SPOKEN) != language() and CHOSEN in st.session_state:
        set_widgets(st.session_state[CHOSEN], in_other_words=True)
    st.session_state[SPOKEN] = language()
    if query == known or query in st.session_state.get(LEFT, ()) or (not query and known is not None):
        if key("sort") not in st.session_state:  # one comes back from another page: its widgets are forgotten
            st.session_state[TURNS] = {}
            set_widgets(st.session_state[CHOSEN])
        return
    if (view_id := _first(query, "view")) and set(query) <= {"view", "lead"}:
        view = the_desk().views.get(view_id)
        st.session_state[FAULTS] = []
        if view is None:
            st.session_state[FAULTS] = ["view"]
            _set_from_query({})
        else:
            _set_from_query(view.query)
        st.session_state[VIEW] = view and view.id
    else:
        st.session_state[FAULTS] = _set_from_query(query)
        st.session_state[VIEW] = None
    lead = _first(query, "lead")
    st.session_state[LEAD] = int(lead) if lead.isascii() and lead.isdigit() and len(lead) < 16 else None
    if lead and st.session_state[LEAD] is None:
        st.session_state[FAULTS] = [*st.session_state.get(FAULTS, []), "lead"]
    st.session_state[ADDRESS], st.session_state[LEFT] = query, []


def hear_address() -> None:
    """Note that the browser has the last written address. At the beginning of a run, before the run writes an address."""
    if _own_query() == st.session_state.get(ADDRESS):
        st.session_state[LEFT] = []


def write_address(chosen: Chosen) -> None:
    """Write filters, order, columns, page and the open lead into the address."""
    query = chosen.query()
    view = opened_view()
    if view is not None and view.query == query:
        query = {"view": [view.id]}
    else:
        st.session_state[VIEW] = None
    if chosen.page > 1:
        query["page"] = [str(chosen.page)]
    if lead := st.session_state.get(LEAD):
        query["lead"] = [str(lead)]
    if query != (before := _own_query()):
        st.session_state[LEFT] = [*st.session_state.get(LEFT, ()), before]
        st.query_params.from_dict({**_foreign_query(), **query})
    st.session_state[ADDRESS], st.session_state[CHOSEN] = query, chosen


def opened_view() -> View | None:
    """The open saved view; None without a view."""
    return the_desk().views.get(st.session_state[VIEW]) if st.session_state.get(VIEW) else None


def _set_from_query(query: Mapping[str, Sequence[str]]) -> list[str]:
    """Set the widgets from a query, in the person's usual columns if the query names none. Return faulty parameters."""
    chosen, faulty = read_query(query)
    if "columns" not in query:
        kept = tuple(name for name in COLUMNS if name in the_desk().views.columns_of(person()))
        chosen = replace(chosen, columns=kept or SHOWN)
    set_widgets(chosen)
    return faulty


def say_faults() -> None:
    """Name the senseless parameters of the address. The rest of the address holds."""
    faulty = st.session_state.get(FAULTS)
    if faulty:
        names = ", ".join(say(f"leads-parameter-{name}") for name in dict.fromkeys(faulty))
        st.warning(say("leads-address-faulty", names=names), icon=":material/link_off:")


def _own_query() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params if name in OURS}


def _foreign_query() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params if name not in OURS}


def _first(query: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(query.get(name, ())), "")

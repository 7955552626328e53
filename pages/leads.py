"""Leads: who came, from where, what became of them."""

import streamlit as st

from crm.desk import the_desk
from crm.leads import search_mask
from ui import leads_view as view
from ui.parts import as_of
from ui.words import say

PAGE_ROWS = 50


def fetch(period):
    """The period's leads; progress on screen while AmoCRM is read."""
    with view.reading() as progress:
        return the_desk().recent.table(*period, progress)


def shape(table, chosen):
    """Only the rows the filters leave."""
    rows = table.frame
    if chosen.stages:
        rows = rows[view.stage_keys(rows).isin(chosen.stages)]
    if chosen.sources:
        rows = rows[rows["source"].isin(chosen.sources)]
    return rows[search_mask(rows, chosen.search)] if chosen.search else rows


def draw(table, rows):
    """One page of the table under its count."""
    st.markdown(say("leads-count", count=len(rows)))
    if table.is_cut:
        st.warning(say("leads-cut"), icon=":material/content_cut:")
    if table.frame.empty:
        st.info(say("leads-none"), icon=":material/inbox:")
    elif rows.empty:
        st.info(say("leads-none-found"), icon=":material/filter_alt_off:")
        st.button(say("leads-clear"), key="leads.clear", on_click=view.clear_filters)
    else:
        pages = -(-len(rows) // PAGE_ROWS)
        page = min(st.session_state.get("leads.page", 1), pages)
        view.table(rows.iloc[(page - 1) * PAGE_ROWS : page * PAGE_ROWS], table.stages)
        st.pagination(pages, key="leads.page")
    as_of(table.as_of)


period = view.choose_period()
table = fetch(period)
draw(table, shape(table, view.choose_filters(table)))

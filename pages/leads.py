"""Leads: their people, origins and stages. Reads the mirror and never waits for AmoCRM."""

import streamlit as st

from desk.desk import the_desk
from desk.listing import Page
from ui.frame.frame import fragment
from ui.frame.words import say
from ui.leads import address, card, export, filters, saved_views, widgets
from ui.leads import table as view
from ui.streamlit_gaps.turns import LISTS


@fragment(key=filters.FILTERS)
def choose() -> None:
    """Filters above the table."""
    filters.draw_filters(the_desk().listing.choices())


@fragment(key=filters.BAR)
def bar() -> None:
    """Rarely needed tools, each behind a button of its own."""
    choices = the_desk().listing.choices()
    filters.remember_bar_look(choices)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(view.more_label(), icon=":material/filter_list:"):
            filters.draw_more(choices)
        with st.popover(say("leads-look"), icon=":material/view_column:"):
            filters.draw_look()
        with st.popover(say("leads-views"), icon=":material/bookmark:"):
            saved_views.draw()
        with st.popover(say("export"), icon=":material/download:"):
            export.buttons()
        view.buttons()
    export.progress()


def draw(page: Page, chosen: filters.Chosen) -> None:
    """The count, the table and its pages."""
    st.markdown(say("leads-count", count=page.total))
    if page.rows:
        view.table(page, chosen, the_desk().listing.reference())
        view.pages(page, chosen)
    else:
        view.nothing_here(chosen, the_desk().mirror.status())


@fragment(key=filters.LIST)
def leads() -> None:
    """The list: a choice above runs it, and redraws the rest only after a change of its look."""
    with LISTS.turn():
        page, chosen = view.fetch_page(widgets.now_chosen())
        with st.container():
            view.poll(view.Shown(chosen, page))
        address.say_faults()
        address.write_address(chosen)
        draw(page, chosen)
        if lead_id := st.session_state.get(address.LEAD):
            card.open_card(lead_id, view.close_card)


st.html(view.MORE_ROOM)
address.take_address()
choose()
bar()
leads()

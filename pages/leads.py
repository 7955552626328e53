"""Leads: who came, from where, what became of them. Reads the mirror and never waits for AmoCRM."""

import streamlit as st

from desk.desk import the_desk
from desk.listing import Page
from ui.frame.frame import fragment
from ui.frame.words import say
from ui.leads import card, export, filters, saved_views
from ui.leads import table as view
from ui.streamlit_gaps.turns import LISTS


def fetch(chosen: filters.Chosen) -> tuple[Page, filters.Chosen]:
    """One page of the list; the last one there is where it has become shorter."""
    page = the_desk().listing.page(
        chosen.filter, chosen.sort, offset=(chosen.page - 1) * chosen.size, limit=chosen.size
    )
    if not page.rows and page.total:
        return fetch(filters.on_page(chosen, -(-page.total // chosen.size)))
    return page, chosen


@fragment(key=filters.FILTERS)
def choose() -> None:
    """Filters above the table."""
    filters.draw(the_desk().listing.choices())


@fragment(key=filters.BAR)
def bar() -> None:
    """What one needs less often, each behind a button of its own."""
    choices = the_desk().listing.choices()
    filters.bar_is_drawn(choices)
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
    """The list: what one chooses above runs this, and the rest only where that looks different now."""
    with LISTS.turn():
        page, chosen = fetch(filters.now_chosen())
        with st.container():
            view.pulse(view.Shown(chosen, page))
        filters.faults()
        filters.write_address(chosen)
        draw(page, chosen)
        if lead_id := st.session_state.get(filters.LEAD):
            card.open_card(lead_id, view.close_card)


st.html(view.MORE_ROOM)
filters.take_address()
choose()
bar()
leads()

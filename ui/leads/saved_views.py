"""Saved views of the leads page: open, save, rename, share, delete with a way back."""

from __future__ import annotations

import streamlit as st

from desk.desk import the_desk
from desk.listing.saved_views import LONGEST_NAME, View, clean
from ui.frame import formats
from ui.frame.person import person
from ui.frame.words import say
from ui.leads import address, filters, widgets

DELETED = "leads.view_deleted"
FAULT = "leads.view_fault"


def draw() -> None:
    """The person's own and the shared views, and the actions for the open view."""
    views = the_desk().views.of(person())
    opened = next((view for view in views if view.id == st.session_state.get(address.VIEW)), None)
    for view in views:
        st.button(
            formats.plain(view.name) or view.id,
            key=f"leads.view.{view.id}",
            icon=":material/group:" if view.is_shared else ":material/person:",
            type="primary" if view is opened else "secondary",
            help=say("leads-view-shared") if view.is_shared else say("leads-view-own"),
            on_click=_open,
            args=(view,),
            width="stretch",
        )
    if not views:
        st.caption(say("leads-views-none"))
    gone: View | None = st.session_state.get(DELETED)
    if gone is not None:
        st.button(say("leads-view-undo"), icon=":material/undo:", key="leads.view_undo", on_click=_undo, type="primary")
    if opened is not None:
        _change(opened)
    _save()


def _change(view: View) -> None:
    """Rename, share or delete a view."""
    st.divider()
    st.text_input(
        say("leads-view-name"),
        value=view.name,
        max_chars=LONGEST_NAME,
        key=f"leads.view_rename.{view.id}",
        on_change=_rename,
        args=(view,),
    )
    left, right = st.columns(2)
    left.button(
        say("leads-view-unshare") if view.is_shared else say("leads-view-share"),
        icon=":material/person:" if view.is_shared else ":material/group:",
        key="leads.view_share",
        disabled=not person(),
        on_click=lambda: the_desk().views.share(view.id, person(), shared=not view.is_shared),
        width="stretch",
    )
    right.button(
        say("leads-view-delete"), icon=":material/delete:", key="leads.view_delete", on_click=_delete, args=(view,),
        width="stretch",
    )  # fmt: skip


def _save() -> None:
    """Save the shown filters under a new name."""
    st.divider()
    st.text_input(
        say("leads-view-new"), max_chars=LONGEST_NAME, key=widgets.key("view_name"), placeholder=say("leads-view-hint")
    )
    if fault := st.session_state.pop(FAULT, None):
        st.markdown(f":red[:material/error: {say(fault)}]")
    st.checkbox(say("leads-view-for-all"), key="leads.view_for_all", disabled=not person())
    if not person():
        st.caption(say("leads-view-nobodys"))
    st.button(
        say("leads-view-save"), icon=":material/bookmark_add:", key="leads.view_save", on_click=_add, width="stretch"
    )
    st.caption(say("leads-view-no-search"))


def _open(view: View) -> None:
    st.query_params.from_dict({"view": view.id})
    address.take_address()
    st.rerun((filters.FILTERS, filters.BAR, filters.LIST))


def _add() -> None:
    name = clean(str(widgets.value("view_name") or ""))
    if name is None:
        st.session_state[FAULT] = "leads-view-nameless"
        return
    shared = bool(st.session_state.get("leads.view_for_all")) or not person()
    view = the_desk().views.save(name, widgets.now_chosen().query(), person(), shared=shared)
    st.session_state[address.VIEW] = view.id
    widgets.change_widgets({"view_name": ""})
    _show()


def _rename(view: View) -> None:
    name = clean(str(st.session_state.get(f"leads.view_rename.{view.id}") or ""))
    if name is None:
        st.session_state[FAULT] = "leads-view-nameless"
    else:
        the_desk().views.rename(view.id, name)


def _delete(view: View) -> None:
    st.session_state[DELETED] = the_desk().views.delete(view.id)
    st.session_state[address.VIEW] = None
    _show()


def _undo() -> None:
    view: View = st.session_state.pop(DELETED)
    the_desk().views.restore(view)
    st.session_state[address.VIEW] = view.id
    _show()


def _show() -> None:
    """The views, and the address, which the list writes."""
    st.rerun((filters.BAR, filters.LIST))

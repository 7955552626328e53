"""The list as a file: the request, its progress, the file itself."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from desk.desk import the_desk
from desk.exports import KINDS, Export, Wanted
from ui.frame.frame import fragment
from ui.frame.parts import zone
from ui.frame.person import person
from ui.frame.words import error_words, language, say
from ui.leads.widgets import now_chosen

ASKED = "leads.export"
"""The session's last requested file."""

LOOK_EVERY_S = 1.0

MIME = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def buttons() -> None:
    """Buttons that ask for a file of all leads of the filter, in the chosen order and columns."""
    st.caption(say("export-help"))
    for kind in KINDS:
        st.button(
            say(f"export-kind-{kind}"),
            icon=":material/table_view:" if kind == "xlsx" else ":material/csv:",
            key=f"leads.export_{kind}",
            on_click=_ask,
            args=(kind,),
            width="stretch",
        )


def progress() -> None:
    """The state of the requested file; empty without a request."""
    export = _asked()
    with st.container():
        if export is not None:
            _running() if export.is_open else _ended(export)


@fragment(is_inner=True, run_every=LOOK_EVERY_S)
def _running() -> None:
    """The number of rows in the file; runs by itself until the file is done."""
    export = _asked()
    if export is None or not export.is_open:
        st.rerun()
    left, right = st.columns([5, 1], vertical_alignment="center")
    share = min(1.0, export.done / export.expected) if export.expected else 0.0
    waits = export.state == "waiting"
    left.progress(share, say("export-waiting") if waits else say("export-running", count=export.done))
    right.button(say("export-cancel"), icon=":material/close:", key="leads.export_cancel", on_click=_cancel)


def _ended(export: Export) -> None:
    path = the_desk().exports.path(export)
    if path is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                say("export-download", count=export.done),
                path.read_bytes,
                file_name=file_name(export),
                mime=MIME[export.kind],
                key="leads.export_file",
                icon=":material/download:",
                type="primary",
                on_click="ignore",
            )
            st.button(say("export-close"), icon=":material/close:", key="leads.export_close", on_click=_forget)
    elif export.state == "failed":
        what, remedy = error_words(export.reason or "export_failed")
        st.error(f"**{what}** {remedy}", icon=":material/error:")
    elif export.state == "done":
        st.info(say("export-gone"), icon=":material/delete:")


def file_name(export: Export) -> str:
    """The name of a file, with the time of the request on the club's clock: `Лиды 2026-11-24 14-05.xlsx`."""
    asked: datetime = export.asked_at.astimezone(zone())
    return f"{say('leads-title')} {asked:%Y-%m-%d %H-%M}.{export.kind}"


def _asked() -> Export | None:
    asked = st.session_state.get(ASKED)
    return the_desk().exports.get(asked) if asked else None


def _ask(kind: str) -> None:
    chosen = now_chosen()
    wanted = Wanted(chosen.filter, chosen.sort, chosen.columns, language())
    st.session_state[ASKED] = the_desk().exports.ask(kind, wanted, person())


def _cancel() -> None:
    if asked := st.session_state.pop(ASKED, None):
        the_desk().exports.cancel(asked)


def _forget() -> None:
    st.session_state.pop(ASKED, None)

"""How true the numbers of the overview are: on their way, old, failed; and as of when."""

from __future__ import annotations

import streamlit as st

from desk.desk import the_desk
from desk.mirror import MirrorStatus
from ui.frame.frame import fragment
from ui.frame.parts import as_of, moment
from ui.frame.words import error_words, say

FILLING_EVERY_S, NEWS_EVERY_S = 2.0, 5.0


def state(status: MirrorStatus) -> None:
    """The state of the mirror unless all is well: empty, filling, old, failed; each with the remedy."""
    if status.state == "filling":
        _filling()
    elif status.state == "stale":
        reason = f" {' '.join(error_words(status.reason))}" if status.reason else ""
        st.warning(f"{say('overview-stale', time=moment(status.as_of))}{reason}", icon=":material/history:")
        st.button(say("refresh"), icon=":material/refresh:", key="overview.refresh", on_click=the_desk().mirror.refresh)
    elif status.state == "failed":
        what, remedy = error_words(status.reason or "unknown")
        st.error(
            f"**{say('overview-failed')}** {what}\n\n{remedy} {say('overview-next-try', time=moment(status.next_try))}",
            icon=":material/error:",
        )
    elif status.state == "empty":
        _empty()


@fragment(run_every=FILLING_EVERY_S)
def _filling() -> None:
    """The progress of the first reading; the page is drawn anew at its end."""
    status = the_desk().mirror.status()
    if status.state != "filling":
        st.rerun()
    st.info(say("overview-filling", count=status.read, time=moment(status.began_at)), icon=":material/downloading:")


@fragment(run_every=FILLING_EVERY_S)
def _empty() -> None:
    """The reason for an empty mirror: no connection, or a reading about to begin."""
    if the_desk().mirror.status().state != "empty":
        st.rerun()
    if the_desk().connection.status().connected:
        st.info(say("overview-empty"), icon=":material/hourglass_empty:")
    else:
        st.info(say("overview-not-connected"), icon=":material/link_off:")
        st.page_link("connection.py", label=say("go-connection"), icon=":material/link:")


@fragment(run_every=NEWS_EVERY_S)
def as_of_line(drawn: int) -> None:
    """The age of the numbers; after a change, a button for drawing them anew."""
    status, version = the_desk().mirror.status(), the_desk().mirror.version()
    with st.container(horizontal=True, vertical_alignment="center"):
        if status.as_of is not None:
            as_of(status.as_of)
        if version != drawn and st.button(say("overview-newer"), icon=":material/update:", key="overview.newer"):
            st.rerun()

"""The card of the desk's own copy of AmoCRM's leads: as of when, and AmoCRM's own count beside ours."""

from __future__ import annotations

import streamlit as st

from crm.desk import the_desk
from crm.mirror import MirrorStatus
from ui import formats
from ui.frame import attempt, fragment
from ui.leads_view import say_state
from ui.parts import facts, moment
from ui.words import language, say

LIVE_EVERY_S = 5.0


def card() -> None:
    """The whole card."""
    with st.container(border=True):
        _story()


@fragment(run_every=LIVE_EVERY_S)
def _story() -> None:
    status = the_desk().mirror.status()
    st.subheader(say("mirror-title"), anchor=False, help=say("mirror-help"))
    say_state(status)
    if status.state not in ("following", "stale"):
        return
    st.write(counted(status))
    if status.counted_at is not None:
        facts(
            [
                (say("mirror-theirs"), _number(status.theirs)),
                (say("mirror-ours"), _number(status.ours)),
                (say("mirror-mended"), _number(status.mended)),
                (say("mirror-counted-at"), moment(status.counted_at)),
            ]
        )
    st.button(
        say("mirror-count"),
        icon=":material/calculate:",
        key="connection.mirror_count",
        on_click=lambda: attempt(the_desk().mirror.recount, "mirror-count-asked"),
    )


def counted(status: MirrorStatus) -> str:
    """What came of the last count, in a sentence."""
    if status.counted_at is None:
        return say("mirror-not-counted")
    if status.theirs == status.ours:
        return say("mirror-equal")
    return say("mirror-differed")


def _number(value: int | None) -> str:
    return formats.number(value, language()) if value is not None else "—"

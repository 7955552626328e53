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
    if status.stages_reason:
        st.caption(say("mirror-stages-unknown"))
    if status.stages:
        _stages(status)
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
    if status.theirs == status.ours and not status.stages:
        return say("mirror-equal")
    return say("mirror-differed")


def _stages(status: MirrorStatus) -> None:
    """The stages in which the numbers differed at the last count."""
    names = {key: stage.full_name for key, stage in the_desk().listing.reference().stages.items()}
    st.markdown(f"**{say('mirror-stages')}**")
    facts(
        (
            names.get((pipeline_id, status_id), f"#{status_id}"),
            say("mirror-stage-numbers", theirs=_number(theirs), ours=_number(ours)),
        )
        for pipeline_id, status_id, theirs, ours in status.stages
    )


def _number(value: int | None) -> str:
    return formats.number(value, language()) if value is not None else "—"

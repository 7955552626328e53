"""The card of the desk's own copy of AmoCRM's leads: as of when, and AmoCRM's own count beside ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from desk.desk import the_desk
from desk.mirror import MirrorStatus
from store import clock
from ui.frame import formats
from ui.frame.frame import attempt, fragment
from ui.frame.parts import facts, moment
from ui.frame.words import error_words, language, say
from ui.leads.table import say_state

LIVE_EVERY_S = 5.0

JUMP_SHOWN = timedelta(days=1)
"""Time for which the card tells about a moved clock."""

JUMPED = {
    "machine": "mirror-jump-machine",
    "database": "mirror-jump-database",
    "amocrm": "mirror-jump-amocrm",
}


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
    _troubles(status)
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
    if status.comparing is not None:
        st.caption(say("mirror-comparing", count=status.comparing))
    elif status.compared_at is not None:
        st.caption(say("mirror-compared", mended=status.compared_mended, time=moment(status.compared_at)))
    st.button(
        say("mirror-count"),
        icon=":material/calculate:",
        key="connection.mirror_count",
        on_click=lambda: attempt(the_desk().mirror.recount, "mirror-count-asked"),
    )


def _troubles(status: MirrorStatus) -> None:
    """Gaps, slowness, and clocks moved in the last day."""
    if status.contacts_missing:
        what, remedy = error_words(status.contacts_reason or "garbled")
        st.warning(
            f"{say('mirror-contacts-missing', count=status.contacts_missing)} {what} {remedy}",
            icon=":material/person_off:",
        )
    if status.shrunk:
        st.caption(say("mirror-smaller", count=min(status.shrunk.values())))
    jump = status.jump
    if jump is not None and abs(clock.unix() - jump.at) < JUMP_SHOWN.total_seconds():
        span = formats.lasting(timedelta(seconds=abs(jump.by_s)), language())
        told = say(JUMPED[jump.clock], time=moment(datetime.fromtimestamp(jump.at, UTC)), span=span)
        after = say("mirror-jump-good" if jump.made_good_at is not None else "mirror-jump-open")
        st.info(f"{told} {after}", icon=":material/schedule:")


def counted(status: MirrorStatus) -> str:
    """The result of the last count, in a sentence."""
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

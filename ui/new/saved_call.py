"""The saved call: its content, its state, and the undo before its leaving."""

from __future__ import annotations

import streamlit as st

from desk import lead as lead_rules
from desk import phones
from desk.delivery import DELIVERED, DROPPED, NEEDS_DECISION, REFUSED, UNKNOWN, Progress
from desk.desk import the_desk
from store import clock
from ui.frame import formats
from ui.frame.frame import NOTICE, fragment
from ui.frame.parts import facts, lead_link
from ui.frame.words import error_words, language, say
from ui.new.draft import LastCall, faults_left, last_call, undo

CARD_EVERY_S = 0.5


def saved() -> None:
    """The session's last saved call. Looks again by itself until the call has arrived."""
    above, here = st.container(), st.container()
    if faults_left():
        above.error(say("new-not-saved"), icon=":material/error:")
    last = last_call()
    if last is None:
        return
    progress = the_desk().outbox.progress(last.lead_id)
    with here:
        if progress is None or progress.is_settled:
            _card(last)
        else:
            _live_card()


@fragment(is_inner=True, run_every=CARD_EVERY_S)
def _live_card() -> None:
    last = last_call()
    if last is None or NOTICE in st.session_state:
        st.rerun()  # it was taken back, or could not be: the form around this card has to know
    _card(last)


def _card(last: LastCall) -> None:
    typed, progress = last.values, the_desk().outbox.progress(last.lead_id)
    if progress is None:
        return
    with st.container(border=True, key="new.card"):
        left_s = _undo_left_s(progress)
        _headline(progress, left_s)
        facts(
            (label, value)
            for label, value in (
                (say("new-name"), str(typed.get("name") or "")),
                (say("new-phone"), phones.display(phones.normalise(str(typed.get("phone") or "")) or "")),
                (say("new-direction"), str(typed.get("direction") or "")),
                (say("new-source"), str(typed.get("source") or "")),
            )
            if value
        )
        if left_s > 0:
            st.button(say("new-undo"), key="new.undo", icon=":material/undo:", shortcut="Alt+Z", on_click=undo)
        lead_id = progress.amo_lead_id
        if lead_id is not None and the_desk().connection.status().connected and (address := lead_link(lead_id)):
            st.link_button(say("new-open", id=str(lead_id)), address, icon=":material/open_in_new:")


def _undo_left_s(progress: Progress) -> float:
    if progress.leaves_at is None or progress.attempts:
        return 0.0
    return max(0.0, (progress.leaves_at - clock.now()).total_seconds())


def _headline(progress: Progress, undo_left_s: float) -> None:
    if undo_left_s > 0:
        st.success(say("new-saved", seconds=f"{undo_left_s:.0f}"), icon=":material/save:")
    elif progress.state == DELIVERED:
        st.success(
            say("new-delivered", seconds=formats.seconds(progress.took_s or 0.0, language())),
            icon=":material/check_circle:",
        )
    elif progress.state == REFUSED:
        st.error(say("new-refused"), icon=":material/error:")
        for path, code, key in progress.refusals:
            st.text(f"{say(f'new-{key}') if key in lead_rules.OWN_FIELDS else path}: {code}")
    elif progress.state == UNKNOWN:
        st.warning(say("new-unknown"), icon=":material/help:")
    elif progress.state == NEEDS_DECISION:
        st.warning(say("new-needs-decision"), icon=":material/gavel:")
    elif progress.state == DROPPED:
        st.info(say("new-dropped"), icon=":material/delete:")
    elif progress.reason:
        what, remedy = error_words(progress.reason)
        st.warning(f"**{say('new-waiting')}** {what} {remedy}", icon=":material/schedule:")
    else:
        st.info(say("new-accepted"), icon="spinner")
    if progress.state in (REFUSED, NEEDS_DECISION):
        st.page_link(
            "deliveries.py",
            label=say("new-to-deliveries"),
            icon=":material/outbox:",
            query_params={"lead": progress.id},
        )

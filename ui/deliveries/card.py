"""A lead of the queue: its state and the reason, its facts, every try of its delivery."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from desk import phones
from desk.delivery import DELIVERED, DROPPED, NEEDS_DECISION, QUEUED, REFUSED, SENDING, UNKNOWN, report
from desk.delivery.decisions import ANOTHER_ACCOUNT, OWN_FAULTS
from desk.desk import the_desk
from ui.deliveries.decisions import decide_about_unknown, repair, send_again
from ui.deliveries.spelled import duration, lead_url, time_left
from ui.frame import formats
from ui.frame.parts import facts, moment, zone
from ui.frame.words import error_words, say

SIGNS = {
    QUEUED: ("blue", ":material/schedule:"),
    SENDING: ("blue", ":material/sync:"),
    UNKNOWN: ("orange", ":material/help:"),
    NEEDS_DECISION: ("red", ":material/gavel:"),
    REFUSED: ("red", ":material/block:"),
    DELIVERED: ("green", ":material/check_circle:"),
    DROPPED: ("gray", ":material/delete:"),
}
"""Colour and icon of each state, beside its word."""


def story(lead_id: str) -> None:
    """The whole story of a lead, under a heading."""
    st.subheader(say("deliveries-story"), anchor=False)
    if the_desk().outbox.progress(lead_id) is None:
        st.info(say("deliveries-unknown-lead"), icon=":material/search_off:")
        return
    with st.container(border=True):
        card(lead_id, whole=True)


def card(lead_id: str, *, whole: bool = False) -> None:
    """Draw a lead: its content, its state, the possible decisions; with every try if `whole`."""
    found = the_desk().outbox.story(lead_id)
    if found is None:
        return
    progress, lead = found.progress, found.lead
    color, icon = SIGNS[progress.state]
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.badge(say(f"delivery-state-{progress.state}"), color=color, icon=icon)  # type: ignore[arg-type]
        st.markdown(f"**{formats.plain(lead.name or say('nameless'))}** · {formats.plain(phones.display(lead.phone))}")
        _explain(found)
    with right:
        _facts(found)
    key = f"{lead_id}.whole" if whole else lead_id
    if progress.state in (UNKNOWN, NEEDS_DECISION):
        decide_about_unknown(found, key)
    elif progress.state == REFUSED:
        repair(found, key)
    elif progress.state == DROPPED:
        send_again(found, key, say("deliveries-take-back"), ":material/undo:")
    if whole:
        _history(found.tried)


def _explain(found: report.Story) -> None:
    """The reason for the lead's state, and the next automatic step."""
    progress = found.progress
    is_elsewhere = progress.state == NEEDS_DECISION and progress.reason == ANOTHER_ACCOUNT
    has_remedy = progress.state in (QUEUED, REFUSED) or is_elsewhere or progress.reason in OWN_FAULTS
    if progress.reason and progress.state != DELIVERED:
        what, remedy = error_words(progress.reason)
        st.markdown(f"{what} {remedy if has_remedy else ''}")
    if progress.state == UNKNOWN:
        st.markdown(
            say("deliveries-looking", time=moment(found.sent_at), looks=found.looks, next=time_left(progress.due_at))
        )
    elif is_elsewhere:
        pass  # its remedy has said all there is
    elif progress.state == NEEDS_DECISION and found.candidates:
        st.markdown(say("deliveries-alike"))
    elif progress.state == NEEDS_DECISION and found.sent_at is not None:
        st.markdown(say("deliveries-not-found", sends=found.sends))
    elif progress.state == QUEUED and progress.due_at is not None:
        st.caption(say("deliveries-next-try", next=time_left(progress.due_at)))
    if found.lead.message and progress.state != REFUSED:  # a refused one has it in its form
        st.caption(say("new-message"))
        st.text(found.lead.message)


def _facts(found: report.Story) -> None:
    progress, consent = found.progress, found.consent
    took = progress.took_s
    pairs = (
        (say("deliveries-accepted"), moment(progress.accepted_at)),
        (say("deliveries-origin"), found.entered_by or say(f"deliveries-origin-{found.origin}")),
        (say("new-direction"), found.lead.direction),
        (say("new-source"), found.lead.source),
        (say("deliveries-took"), duration(took) if took is not None else ""),
        (say("deliveries-consent"), consent and say("deliveries-consent-given", version=consent.text_version or "—", time=moment(consent.given_at), form=consent.form, ip=consent.ip or "—")),
        (say("deliveries-decided"), found.decided_by),
    )  # fmt: skip
    facts((label, str(value)) for label, value in pairs if value)
    if address := lead_url(progress):
        st.link_button(say("new-open", id=str(progress.amo_lead_id)), address, icon=":material/open_in_new:")


def _history(tried: Sequence[report.Tried]) -> None:
    """A table of all tries of all steps, the newest first."""
    if not tried:
        st.caption(say("deliveries-not-tried"))
        return
    frame = pd.DataFrame(
        {
            "at": [one.at.astimezone(zone()).replace(tzinfo=None) for one in tried],
            "step": [say(f"delivery-step-{one.step}") for one in tried],
            "result": [_result(one) for one in tried],
            "status": pd.array([one.status for one in tried], dtype="Int64"),
            "duration_ms": pd.array([one.duration_ms for one in tried], dtype="Int64"),
            "request_id": [one.request_id or "" for one in tried],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="—",
        alt=say("deliveries-story"),
        column_config={
            "at": st.column_config.DatetimeColumn(say("activity-at"), format="DD.MM HH:mm:ss", width=120),
            "step": st.column_config.TextColumn(say("deliveries-step")),
            "result": st.column_config.TextColumn(say("activity-result"), width="large"),
            "status": st.column_config.NumberColumn("HTTP", format="%d", width="small"),
            "duration_ms": st.column_config.NumberColumn(say("activity-duration"), format="%d", width="small"),
            "request_id": st.column_config.TextColumn(say("activity-request")),
        },
    )


def _result(one: report.Tried) -> str:
    if one.by:
        return f"{say(f'delivery-did-{one.result}'.replace(' ', '-'))} · {one.by}"
    if one.result in report.FINE:
        return f"✓ {say(f'delivery-result-{one.result}'.replace(' ', '-'))}"
    return f"✗ {error_words(one.result)[0]}"

"""The queue as a whole: its state, the delivery times, and the table of its leads."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from desk import phones
from desk.delivery import DELIVERED, DROPPED, FOR_PEOPLE, QUEUED, SENDING, UNKNOWN, Progress
from desk.desk import the_desk
from ui.deliveries.spelled import duration, lead_url, time_left
from ui.frame import formats
from ui.frame.frame import fragment
from ui.frame.parts import moment, zone
from ui.frame.words import error_words, say

LIVE_EVERY_S = 3.0

PAGE_ROWS, ROW_PX = 100, 35

METRIC_PX = 164
"""Two side by side on a phone."""

GROUPS = {
    "waiting": (QUEUED, SENDING, UNKNOWN),
    "people": FOR_PEOPLE,
    "delivered": (DELIVERED,),
    "dropped": (DROPPED,),
}
"""Groups of states for filtering the table."""


@fragment(run_every=LIVE_EVERY_S)
def state_of_the_queue() -> None:
    """The state of the queue: paused or moving, leads on the way, delivery times."""
    outbox = the_desk().outbox
    pause, counts, times = outbox.pause(), outbox.counts(), outbox.times()
    if pause is not None:
        what, remedy = error_words(pause.reason)
        since = say("deliveries-paused-since", time=moment(pause.since), next=time_left(pause.until))
        st.warning(f"**{say('deliveries-paused')}** {what} {remedy}\n\n{since}", icon=":material/pause_circle:")
    if strange := outbox.strange():
        st.error(say("deliveries-strange", codes=formats.plain(", ".join(strange))), icon=":material/report:")
    if outbox.own_faults():
        st.error(say("deliveries-own-fault"), icon=":material/bug_report:")
    if outbox.has_died:
        st.error(say("deliveries-stopped"), icon=":material/error:")
    how = say("deliveries-times-help", count=times.count)
    with st.container(horizontal=True, gap="small"):
        for group in ("waiting", "people"):
            number = sum(counts.get(state, 0) for state in GROUPS[group])
            st.metric(say(f"deliveries-group-{group}"), number, width=METRIC_PX)
        st.metric(say("deliveries-p50"), duration(times.p50_s), help=how, width=METRIC_PX)
        st.metric(say("deliveries-p95"), duration(times.p95_s), help=how, width=METRIC_PX)


def choose_states() -> Sequence[str]:
    """Let a person choose a group of leads; return the group's states."""
    st.subheader(say("deliveries-all"), anchor=False)
    group = st.segmented_control(
        say("deliveries-show"),
        list(GROUPS),
        default="waiting",
        required=True,
        format_func=lambda name: say(f"deliveries-group-{name}"),
        key="deliveries.group",
        bind="query-params",
        label_visibility="collapsed",
    )
    return GROUPS[str(group)]


@fragment(run_every=LIVE_EVERY_S)
def table(states: Sequence[str]) -> None:
    """The leads in the given states, the newest first. A click on a row opens the lead's story."""
    entries = the_desk().outbox.entries(states, limit=PAGE_ROWS)
    if not entries:
        st.info(say("deliveries-none"), icon=":material/inbox:")
        return
    frame = pd.DataFrame(
        {
            "at": [entry.progress.accepted_at.astimezone(zone()).replace(tzinfo=None) for entry in entries],
            "name": [entry.name or say("nameless") for entry in entries],
            "phone": [phones.display(entry.phone) for entry in entries],
            "state": [say(f"delivery-state-{entry.progress.state}") for entry in entries],
            "why": [_why_short(entry.progress) for entry in entries],
            "next": [_next_short(entry.progress) for entry in entries],
            "attempts": [entry.progress.attempts for entry in entries],
            "amo": [lead_url(entry.progress) for entry in entries],
        }
    )
    picked = st.dataframe(
        frame,
        hide_index=True,
        height=(min(len(frame), 12) + 1) * ROW_PX + 3,
        alt=say("deliveries-all"),
        on_select="rerun",
        selection_mode="single-row",
        key=f"deliveries.table.{'-'.join(states)}",
        column_config={
            "at": st.column_config.DatetimeColumn(say("deliveries-accepted"), format="DD.MM HH:mm:ss", width=120),
            "name": st.column_config.TextColumn(say("leads-name"), width=130),
            "phone": st.column_config.TextColumn(say("leads-phone"), width=130),
            "state": st.column_config.TextColumn(say("deliveries-state"), width=120),
            "why": st.column_config.TextColumn(say("deliveries-why"), width=165),
            "next": st.column_config.TextColumn(say("deliveries-next"), width=100),
            "attempts": st.column_config.NumberColumn(say("deliveries-attempts"), width=75),
            "amo": st.column_config.LinkColumn(say("leads-link"), display_text=say("open"), width=75),
        },
    )
    rows = picked.selection.rows
    if rows and rows[0] < len(entries) and st.query_params.get("lead") != entries[rows[0]].progress.id:
        st.query_params["lead"] = entries[rows[0]].progress.id
        st.rerun()


def _why_short(progress: Progress) -> str:
    return error_words(progress.reason)[0] if progress.reason and progress.state != DELIVERED else ""


def _next_short(progress: Progress) -> str:
    return time_left(progress.due_at) if progress.state in (QUEUED, UNKNOWN) else ""

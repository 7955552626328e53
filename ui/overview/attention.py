"""Open leads in need of attention: the rules, and the table of the leads."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from crm.leads import lead_address
from desk.attention import KINDS, UNTOUCHED_DAYS
from desk.desk import the_desk
from desk.mirror import MirrorStatus
from desk.reports import Ask, Overview, WaitingLead
from ui.frame.parts import zone
from ui.frame.words import say
from ui.overview.parts import section
from ui.overview.spelled import number

MOST_ROWS, ROW_PX = 12, 35

RULE = "overview.rule"

ANY = "any"


def attention(figures: Overview, ask: Ask, status: MirrorStatus) -> None:
    """Open leads in need of attention, the longest waiting first."""
    section("overview-attention", say("overview-attention-how", days=UNTOUCHED_DAYS))
    told = figures.attention
    if not told.leads:
        st.success(say("overview-attention-none", count=told.open), icon=":material/check_circle:")
        return
    st.markdown(say("overview-attention-count", count=told.leads, open=told.open))
    counts = {ANY: told.leads} | {rule: told.rules[rule] for rule in KINDS if told.rules[rule]}
    rule = st.pills(
        say("overview-attention"),
        list(counts),
        default=ANY,
        required=True,
        format_func=lambda one: f"{rule_name(one)} · {number(counts.get(one) or 0)}",
        key=RULE,
        label_visibility="collapsed",
    )
    _waiting(the_desk().reports.waiting(ask, status, rule=None if rule == ANY else str(rule)))


def rule_name(rule: str) -> str:
    return say(f"overview-rule-{rule}")


def _waiting(found: Sequence[WaitingLead]) -> None:
    account_url = the_desk().connection.status().account_url or ""
    frame = pd.DataFrame(
        {
            "since": [one.since.astimezone(zone()).replace(tzinfo=None) for one in found],
            "name": [one.person or one.name for one in found],
            "stage": [one.stage for one in found],
            "responsible": [one.responsible or "—" for one in found],
            "why": [", ".join(rule_name(rule) for rule in one.rules) for one in found],
            "url": [lead_address(account_url, one.id) for one in found],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=(min(len(frame), MOST_ROWS) + 1) * ROW_PX + 3,
        alt=say("overview-attention"),
        key="overview.waiting",
        column_config={
            "since": st.column_config.DatetimeColumn(say("overview-since"), format="DD.MM.YYYY HH:mm", width=130),
            "name": st.column_config.TextColumn(say("leads-name"), width=170),
            "stage": st.column_config.TextColumn(say("leads-column-stage"), width=140),
            "responsible": st.column_config.TextColumn(say("leads-column-responsible"), width=140),
            "why": st.column_config.TextColumn(say("overview-why"), width=260),
            "url": st.column_config.LinkColumn(say("leads-link"), display_text=say("open"), width=80),
        },
    )
    st.caption(say("overview-waiting-shown", count=len(found)))

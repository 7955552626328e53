"""Parts shared by several sections of the overview: heading, metric, nothing to show."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from desk.reports import Overview
from ui.frame.parts import zone
from ui.frame.words import say
from ui.overview.spelled import day_name, working_time

METRIC_PX = 164
"""Five side by side on a screen, two on a phone."""


def section(key: str, how: str) -> None:
    """A heading, with the rule of counting a press away."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(say(key), anchor=False, width="content")
        with st.popover(say("overview-how"), type="tertiary", icon=":material/help:", key=f"{key}-how"):
            st.markdown(how)


def metric(label: str, value: str, beside: str | None, how: str, *, arrow: Any = "auto") -> None:
    """A number with its definition. Neither more nor less is good or bad by itself, hence no colour."""
    label = say(label) if label.startswith("overview-") else label
    st.metric(label, value, beside, delta_color="off", delta_arrow=arrow, help=how, width=METRIC_PX)


def time_metric(label: str, minutes: float | None, how: str) -> None:
    """A length of working time; a dash and "no answer" for an endless time."""
    endless = minutes is not None and math.isinf(minutes)
    metric(label, working_time(minutes), say("overview-no-answer") if endless else None, how, arrow="off")


def say_none() -> None:
    st.info(say("overview-none"), icon=":material/inbox:")


def say_unknown_history(figures: Overview, words: str) -> None:
    """The beginning of known stages, and the number of older leads in the period; empty without older leads."""
    known = figures.question.known_from
    unknown = sum(funnel.unknown for funnel in figures.funnels)
    if known is not None and unknown:
        day = day_name(pd.Timestamp(known, unit="s", tz=str(zone())).date())
        st.info(say(words, day=day, count=unknown), icon=":material/history_toggle_off:")

"""The working hours of the club: visible to all, and the form for changing them."""

from __future__ import annotations

from datetime import time
from typing import Any

import streamlit as st

from desk.desk import the_desk
from desk.reports import DAY_MIN, Span
from ui.frame.frame import attempt
from ui.frame.parts import zone
from ui.frame.words import say

HOURS = "overview.hours"


def club_hours() -> None:
    """The club's hours for answering: visible to all, changeable here."""
    told = the_desk().reports.hours()
    with st.expander(say("overview-club-hours"), icon=":material/schedule:"):
        st.caption(say("overview-club-hours-intro", zone=str(zone())))
        with st.form(HOURS, border=False):
            left, right = st.columns(2)
            for name, day, column in (("weekdays", 0, left), ("weekend", 5, right)):
                span = told.days[day]
                with column:
                    st.checkbox(say(f"overview-{name}"), value=span is not None, key=f"{HOURS}.{name}")
                    opens, closes = st.columns(2)
                    _time(opens, say("overview-opens"), f"{HOURS}.{name}.opens", span[0] if span else 8 * 60)
                    _time(closes, say("overview-closes"), f"{HOURS}.{name}.closes", span[1] if span else 22 * 60)
            st.form_submit_button(say("overview-hours-keep"), key=f"{HOURS}.keep", on_click=_keep_hours)


def _time(place: Any, label: str, key: str, minute: int) -> None:
    place.time_input(label, value=time(minute % DAY_MIN // 60, minute % 60), step=900, key=key)


def _keep_hours() -> None:
    spans = [_span(name) for name in ("weekdays", "weekend")]
    attempt(lambda: the_desk().reports.set_hours([spans[0]] * 5 + [spans[1]] * 2), "overview-hours-kept")


def _span(name: str) -> Span:
    """Midnight as a closing time is the end of the day."""
    if not st.session_state[f"{HOURS}.{name}"]:
        return None
    opens, closes = (st.session_state[f"{HOURS}.{name}.{end}"] for end in ("opens", "closes"))
    return opens.hour * 60 + opens.minute, (closes.hour * 60 + closes.minute) or DAY_MIN

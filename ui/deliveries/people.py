"""The leads waiting for a person, and sending all of them again."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import streamlit as st

from desk.delivery import FOR_PEOPLE
from desk.desk import the_desk
from store import clock
from ui.deliveries.card import card
from ui.deliveries.decisions import decision
from ui.frame.parts import zone
from ui.frame.person import person
from ui.frame.words import say

CARDS = 10
"""Waiting leads drawn at once; the rest follows as people deal with the first."""


def waiting_for_people() -> None:
    """A card with its buttons for every lead waiting for a decision."""
    entries = the_desk().outbox.entries(FOR_PEOPLE, limit=CARDS)
    if not entries:
        return
    st.subheader(say("deliveries-people"), anchor=False)
    if not person():
        st.info(say("deliveries-say-name"), icon=":material/badge:")
    _replay()
    for entry in entries:
        with st.container(border=True):
            card(entry.progress.id)


def _replay() -> None:
    """Buttons for sending again all waiting leads, or the leads accepted since a day."""
    everything, since, day = st.columns([2, 2, 3], vertical_alignment="bottom")
    with everything:
        decision("all", "replay", say("deliveries-replay-all"), ":material/replay:", lambda: _replay_since(None))
    day.date_input(
        say("deliveries-since"),
        value=clock.now(zone()).date(),
        format="DD.MM.YYYY",
        key="deliveries.since",
        label_visibility="collapsed",
    )
    with since:
        decision(
            "since",
            "replay",
            say("deliveries-replay-since"),
            ":material/event_repeat:",
            lambda: _replay_since(st.session_state["deliveries.since"]),
        )


def _replay_since(day: object) -> None:
    begins = datetime.combine(day, time.min, zone()).astimezone(UTC) if isinstance(day, date) else None
    the_desk().outbox.replay(person(), begins)

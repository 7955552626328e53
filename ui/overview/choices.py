"""The question of the overview: period, unit, pipeline; chosen by widgets and told by the address, in ids.

address ─► the widgets' state ─► widgets ─► Ask ─► address
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import streamlit as st

from desk.desk import the_desk
from desk.reports import Ask, periods
from desk.reports.periods import Period
from store import clock
from ui.frame.parts import zone
from ui.frame.words import say

PERIOD, UNIT, PIPELINE, RANGE = "overview.period", "overview.unit", "overview.pipeline", "overview.range"
SINCE, UNTIL = "overview.since", "overview.until"

AUTO, ALL = "auto", "all"

ADDRESS = "overview.address"
"""The address at the session's last look: any other was opened by hand or by a link."""

OWN_DAYS = 14
"""An own range begins with the last two weeks."""


def choose() -> Ask:
    """Draw the widgets, filled from the address; return their question."""
    today = clock.now(zone()).date()
    names = {ALL: say("overview-all-pipelines")} | {
        str(stage.pipeline_id): stage.pipeline for stage in the_desk().reports.pipelines()
    }
    allowed = {PERIOD: list(periods.PRESETS), UNIT: [AUTO, *periods.UNITS], PIPELINE: list(names)}
    own = _take_address(allowed, today)
    name = st.segmented_control(
        say("leads-period"),
        allowed[PERIOD],
        required=True,
        format_func=lambda period: say(f"period-{period}"),
        key=PERIOD,
    )
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
    pipeline = middle.selectbox(
        say("overview-pipeline"), allowed[PIPELINE], format_func=lambda one: names.get(one, one), key=PIPELINE
    )
    unit = left.segmented_control(
        say("overview-unit"),
        allowed[UNIT],
        required=True,
        format_func=lambda one: say(f"overview-unit-{one}"),
        key=UNIT,
    )
    if name == periods.OWN:
        own = _range(right, own, today)
    period = periods.between(*own) if name == periods.OWN else periods.ending_today(str(name), today)
    _write_address({PERIOD: str(name), UNIT: str(unit), PIPELINE: str(pipeline)}, own)
    return Ask(
        period=period,
        unit=periods.unit_of(period) if unit == AUTO else str(unit),
        pipeline_id=None if pipeline == ALL else int(str(pipeline)),
    )


DEFAULTS = {PERIOD: periods.DEFAULT, UNIT: AUTO, PIPELINE: ALL}


def own_days(query: Mapping[str, str], today: date) -> tuple[date, date]:
    """Read the own range of an address; the last two weeks by default. Never beyond today."""
    try:
        since, until = date.fromisoformat(query[SINCE]), date.fromisoformat(query[UNTIL])
    except (KeyError, ValueError):
        return today - timedelta(days=OWN_DAYS - 1), today
    since, until = min(since, until, today), min(max(since, until), today)
    period: Period = periods.between(since, until)
    return period.since, period.until


def _take_address(allowed: Mapping[str, Sequence[str]], today: date) -> tuple[date, date]:
    """Set the widgets from the address, unless the address is the last written. Return the own range."""
    query = {name: st.query_params[name] for name in (*DEFAULTS, SINCE, UNTIL) if name in st.query_params}
    if query != st.session_state.get(ADDRESS) or PERIOD not in st.session_state:
        if not query:  # from another page one comes back to what one looked at
            query = st.session_state.get(ADDRESS, {})
        for name, default in DEFAULTS.items():
            told = query.get(name, default)
            st.session_state[name] = told if told in allowed[name] else default
        st.session_state.pop(RANGE, None)
    return own_days(query, today)


def _write_address(chosen: Mapping[str, str], own: tuple[date, date]) -> None:
    query = {name: value for name, value in chosen.items() if value != DEFAULTS[name]}
    if chosen[PERIOD] == periods.OWN:
        query |= {SINCE: own[0].isoformat(), UNTIL: own[1].isoformat()}
    for name in (*DEFAULTS, SINCE, UNTIL):
        if name in query and st.query_params.get(name) != query[name]:
            st.query_params[name] = query[name]
        elif name not in query and name in st.query_params:
            del st.query_params[name]
    st.session_state[ADDRESS] = query


def _range(place: Any, own: tuple[date, date], today: date) -> tuple[date, date]:
    picked = place.date_input(say("leads-range"), value=own, max_value=today, format="DD.MM.YYYY", key=RANGE)
    days = list(picked) if isinstance(picked, tuple | list) else [picked]
    return (days[0], days[1]) if len(days) == 2 else own  # while only the first day is picked nothing changes

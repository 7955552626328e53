"""The verdict about the desk's business in words: a line each in the sidebar, and a card with every check and every round."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from desk.desk import the_desk
from desk.health import Round
from desk.readiness import (
    AMOCRM,
    CLOCK,
    CONNECTION,
    DATABASE,
    DELIVERY,
    DISK,
    HOOKS,
    MIRROR,
    PEOPLE,
    WAITING,
    Check,
    Verdict,
)
from ui.frame import formats
from ui.frame.parts import moment, zone
from ui.frame.words import error_words, has_error_words, language, say

SHOWN = 4
"""Lines in the sidebar; the card shows the rest."""

TOLD_ELSEWHERE = (CONNECTION, PEOPLE, DATABASE)
"""Checks with a badge or a link of their own in the sidebar."""

FILLING = ("filling", "empty")


def badge(color: str, icon: str, key: str) -> None:
    st.badge(say(key), color=color, icon=icon)  # type: ignore[arg-type]


def headline(verdict: Verdict) -> None:
    """The state of a connected desk as a badge: all is well, or the fault."""
    if verdict.is_ready:
        badge("green", ":material/check_circle:", "connection-state-connected")
        return
    if not verdict.of(AMOCRM).is_ok:
        badge("red", ":material/cloud_off:", "health-amocrm-away")
        return
    if all(check.name == MIRROR and check.code in FILLING for check in verdict.red):
        badge("blue", ":material/sync:", "health-filling")
    else:
        badge("red", ":material/error:", "health-trouble")
    badge("gray", ":material/link:", "connection-state-connected")


def lines(verdict: Verdict) -> None:
    """The faults, each with its beginning and its consequence."""
    told = [check for check in verdict.red if check.name not in TOLD_ELSEWHERE]
    for check in told[:SHOWN]:
        st.caption(sentence(check))
    if len(told) > SHOWN:
        st.caption(say("health-more", count=len(told) - SHOWN))


def wants_connection(verdict: Verdict) -> bool:
    """Whether the page with the card of all checks tells more."""
    return any(check.name not in TOLD_ELSEWHERE for check in verdict.red)


def sentence(check: Check) -> str:
    """A sentence about a red check."""
    since = moment(check.since)
    match check.name, check.code:
        case "connection", _:
            return error_words(check.code)[0] if has_error_words(check.code) else say("health-connection", since=since)
        case "amocrm", _:
            return say("health-amocrm", why=error_words(check.code)[0], since=since)
        case "waiting", _:
            return say("health-waiting", count=check.count, since=since)
        case "people", _:
            return say("deliveries-light", count=check.count)
        case "mirror", "filling" | "empty":
            return say("health-mirror-filling")
        case "mirror", "stale":
            return say("health-mirror", since=since)
        case "mirror", "age_unknown":
            return say("health-mirror-unknown")
        case "hooks", "hooks_silent" | "hooks_lost":
            return say("health-hooks", since=since)
        case "hooks", code if has_error_words(code):
            return f"{error_words(code)[0]} {say('hooks-polling')}"
        case "clock", code:
            return error_words(code if has_error_words(code) else "clock_wrong")[0]
        case "disk", _:
            return say("health-disk", free=check.count)
        case "delivery", "stopped":
            return say("deliveries-stopped")
        case "database", _:
            return say("health-database")
    return say("health-work", work=work(check.name), since=since)


def work(name: str) -> str:
    """The word for a kind of background work."""
    known = name.partition(".")[0]
    return {
        "delivery": say("health-work-delivery"), "search": say("health-work-search"), "mirror": say("health-work-mirror"),
        "heartbeat": say("health-work-heartbeat"), "keeper": say("health-work-keeper"), "fields": say("health-work-fields"),
        "hooks": say("health-work-hooks"), "pruning": say("health-work-pruning"), "exports": say("health-work-exports"),
    }.get(known, known)  # fmt: skip


def card() -> None:
    """Every check with its state, and each kind of background work with its last success and its last failure."""
    with st.expander(say("health-title"), icon=":material/monitor_heart:"):
        st.caption(say("health-help"))
        verdict = the_desk().watch.now()
        for check in verdict.checks:
            if check.is_ok:
                st.markdown(f":green[:material/check_circle:] {_name(check.name)}")
            else:
                st.markdown(f":red[:material/error:] {_name(check.name)}: {sentence(check)}")
        if not verdict.of(DATABASE).is_ok:
            return
        rounds = sorted(the_desk().rounds.all().values(), key=lambda one: one.name)
        if rounds:
            st.dataframe(_table(rounds), hide_index=True, alt=say("health-rounds"), column_config=_columns())


def _name(name: str) -> str:
    return {
        DATABASE: say("health-check-database"), CONNECTION: say("health-check-connection"), AMOCRM: say("health-check-amocrm"),
        DELIVERY: say("health-work-delivery"), WAITING: say("health-check-waiting"), PEOPLE: say("health-check-people"),
        MIRROR: say("health-work-mirror"), HOOKS: say("health-work-hooks"), CLOCK: say("health-check-clock"),
        DISK: say("health-check-disk"),
    }.get(name, work(name))  # fmt: skip


def _table(rounds: list[Round]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "work": [_part(one.name) for one in rounds],
            "well": [one.succeeded_at and one.succeeded_at.astimezone(zone()).replace(tzinfo=None) for one in rounds],
            "failed": [one.failed_at and one.failed_at.astimezone(zone()).replace(tzinfo=None) for one in rounds],
            "why": [_why(one) for one in rounds],
        }
    )


def _part(name: str) -> str:
    """The name of a check, with its part if there are several: "Mirror · leads"."""
    part = name.partition(".")[2]
    return f"{work(name)} · {part}" if part else work(name)


def _why(one: Round) -> str:
    """The last failure of a kind of work, also after its end; with the count in a row if it goes on."""
    if one.reason is None:
        return ""
    why = error_words(one.reason)[0] if has_error_words(one.reason) else one.reason
    place = f" ({one.place})" if one.place else ""
    times = f" × {formats.number(one.failures, language())}" if one.failures > 1 else ""
    return f"{why}{place}{times}"


def _columns() -> dict[str, Any]:
    return {
        "work": st.column_config.TextColumn(say("health-rounds"), width="medium"),
        "well": st.column_config.DatetimeColumn(say("health-rounds-well"), format="DD.MM HH:mm:ss", width=130),
        "failed": st.column_config.DatetimeColumn(say("health-rounds-failed"), format="DD.MM HH:mm:ss", width=130),
        "why": st.column_config.TextColumn(say("health-rounds-why"), width="large"),
    }

"""Readiness: a list of checks of the desk's business for `/readyz`, the sidebar and monitors.

    facts.facts_of(desk) ─► Facts ─► judge.judge ─► Verdict: {name: "ok" or a code}, since when ─► watch.Watch, in memory

What is judged is what really happened: what became of calls to AmoCRM, how long the oldest lead waits, pauses included, how
old the mirror is, when each kind of background work last went well.
"""

from desk.readiness.facts import AMO_IS_WELL, answering, clock_trouble, facts_of, look
from desk.readiness.judge import (
    AMOCRM,
    CLOCK,
    CONNECTION,
    DATABASE,
    DELIVERY,
    DISK,
    HOOKS,
    LEAST_FREE_BYTES,
    LIMITS,
    MIRROR,
    MIRROR_TOO_OLD,
    NOT_ANSWERING_AFTER,
    OK,
    PEOPLE,
    WAITING,
    WAITS_TOO_LONG,
    WORK,
    Access,
    Answering,
    Check,
    Copy,
    Facts,
    Verdict,
    judge,
)
from desk.readiness.watch import Watch

__all__ = [
    "AMOCRM", "AMO_IS_WELL", "CLOCK", "CONNECTION", "DATABASE", "DELIVERY", "DISK", "HOOKS", "LEAST_FREE_BYTES", "LIMITS",
    "MIRROR", "MIRROR_TOO_OLD", "NOT_ANSWERING_AFTER", "OK", "PEOPLE", "WAITING", "WAITS_TOO_LONG", "WORK", "Access",
    "Answering", "Check", "Copy", "Facts", "Verdict", "Watch", "answering", "clock_trouble", "facts_of", "judge", "look",
]  # fmt: skip

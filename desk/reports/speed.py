"""How soon leads are answered. Pure: moments in, figures out.

What the mirror knows of an answer is the first move of a lead to another stage; a lead closed without one was answered when it
was closed. Calls and chats are not in the mirror, and who moved a lead is not told: a robot's move counts like a person's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from desk.percentile import rank
from desk.reports.hours import ClubHours, worked_s

WITHIN_MIN = (5, 15, 60)
"""Answered within so many working minutes."""

FRESH_S = 60 * 60
"""Waiting time (working seconds) below which a lead is not counted yet, as the answer may still come in time."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Speed of answers. `leads`: the denominator, answered leads and leads that wait too long. `within`: counts by
    minutes.

    `median_min`, `p90_min`: None for no leads, infinite where that many have no answer. `fresh`: wait less than an hour and
    are left out. `unknown`: came before the history of stages is known, left out likewise.
    """

    leads: int
    median_min: float | None
    p90_min: float | None
    within: tuple[int, ...]
    never: int
    fresh: int
    unknown: int


def speed(
    created: np.ndarray, answered: np.ndarray, hours: ClubHours, zone: ZoneInfo, now: int, known_from: int | None
) -> Speed:
    """`created`, `answered`: unix seconds of each lead, 0 for no answer."""
    known = created >= (known_from or 0)
    created, answered = created[known], answered[known]
    has_answer = answered > 0
    until = np.maximum(np.where(has_answer, answered, now), created)
    took_s = worked_s(hours, zone, created, until)  # type: ignore[arg-type]
    fresh = ~has_answer & (took_s < FRESH_S)
    never = ~has_answer & ~fresh
    times = np.sort(took_s[has_answer])
    leads = int(times.size + never.sum())
    return Speed(
        leads=leads,
        median_min=_minutes(times, leads, 50),
        p90_min=_minutes(times, leads, 90),
        within=tuple(int(np.searchsorted(times, minutes * 60, "right")) for minutes in WITHIN_MIN),
        never=int(never.sum()),
        fresh=int(fresh.sum()),
        unknown=int((~known).sum()),
    )


def _minutes(times_s: np.ndarray, leads: int, percent: int) -> float | None:
    """A percentile of all leads; unanswered leads count as slower than any. `times_s` is sorted."""
    if not leads:
        return None
    place = rank(leads, percent)
    return float(times_s[place]) / 60 if place < times_s.size else math.inf

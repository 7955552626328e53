"""The club's working hours, and time counted only inside working hours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from desk.reports.periods import start
from store import Store

FACT = "club_hours"

DAY_MIN = 24 * 60

Span = tuple[int, int] | None
"""Opening and closing in minutes from midnight; None: closed all day. 24:00 is 1440."""


@dataclass(frozen=True, slots=True)
class ClubHours:
    """Working hours, Monday to Sunday."""

    days: tuple[Span, ...]

    def __post_init__(self) -> None:
        """Raises `ValueError` for anything but seven spans within a day, one of them at least open."""
        spans = [span for span in self.days if span is not None]
        if len(self.days) != 7 or not spans or not all(0 <= opens < closes <= DAY_MIN for opens, closes in spans):
            raise ValueError("working hours are seven spans within a day")

    def is_on_duty(self, weekday: int, hour: int) -> bool:
        """Whether any minute of an hour is a working minute. Monday is 0."""
        span = self.days[weekday]
        return span is not None and span[0] < (hour + 1) * 60 and span[1] > hour * 60


EVERY_DAY = ClubHours(((8 * 60, 22 * 60),) * 7)
"""Default of the working hours."""


def read(store: Store) -> ClubHours:
    """Return the working hours, by default every day from 8 to 22."""
    told = store.recall(FACT)
    if told is None:
        return EVERY_DAY
    try:
        return ClubHours(tuple(None if span is None else (int(span[0]), int(span[1])) for span in json.loads(told)))
    except (ValueError, TypeError, IndexError, KeyError):
        return EVERY_DAY


def keep(store: Store, hours: ClubHours) -> None:
    """Set the working hours for all users."""
    store.remember(FACT, json.dumps(hours.days))


def worked_s(hours: ClubHours, zone: ZoneInfo, since: Sequence[int], until: Sequence[int]) -> np.ndarray:
    """Seconds between each two moments (unix seconds) that lie within working hours. `until` is not before `since`."""
    begun, ended = np.asarray(since, np.int64), np.asarray(until, np.int64)
    if not begun.size:
        return np.zeros(0, np.int64)
    first = datetime.fromtimestamp(int(begun.min()), zone).date()
    last = datetime.fromtimestamp(int(ended.max()), zone).date()
    moments, elapsed = _calendar(hours, zone, first, last)
    # Between an opening and its closing the line rises by a second a second, elsewhere it lies flat.
    return (np.interp(ended, moments, elapsed) - np.interp(begun, moments, elapsed)).astype(np.int64)


@lru_cache(maxsize=64)
def _calendar(hours: ClubHours, zone: ZoneInfo, first: date, last: date) -> tuple[np.ndarray, np.ndarray]:
    """Openings and closings from a day to another, and the working seconds that have passed at each."""
    moments, elapsed, total = [start(first, zone)], [0], 0
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if (span := hours.days[day.weekday()]) is None:
            continue
        opens, closes = (_moment(day, minute, zone) for minute in span)
        moments += [opens, closes]
        elapsed += [total, total + max(0, closes - opens)]
        total = elapsed[-1]
    return np.array(moments, np.float64), np.array(elapsed, np.float64)


def _moment(day: date, minute: int, zone: ZoneInfo) -> int:
    """Time on the wall clock, regardless of a change of the clocks."""
    if minute == DAY_MIN:
        return start(day + timedelta(days=1), zone)
    return int(datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone).timestamp())

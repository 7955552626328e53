"""Periods and their parts, in days of the club's calendar; and the moments at which those days begin. Pure.

A day begins at midnight on the club's clock, so a day on which the clocks change has 23 or 25 hours and is still one day.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = {"today": 1, "7": 7, "30": 30, "90": 90, "180": 180, "365": 365}
"""Periods that end today, by their days, today included."""

MONTH, OWN = "month", "own"

PRESETS = (*DAYS, MONTH, OWN)

DEFAULT = "30"

LONGEST_DAYS = 5 * 366
"""Of a period of one's own: a slip in the year must not count from the year 202."""

UNITS = ("day", "week", "month")

BY_DAY, BY_WEEK = 31, 182
"""A period up to this many days is drawn by days, by weeks; a longer one by months."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `since` to `until`, and the days of the former period; all four included."""

    since: date
    until: date
    before_since: date
    before_until: date

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1


@dataclass(frozen=True, slots=True)
class Part:
    """A day, a calendar week or a calendar month of a period, as far as it lies inside, and the days beside it.

    `before` is None where the former period has no such days: a 31st beside a month of 30.
    """

    since: date
    until: date
    before: tuple[date, date] | None


def ending_today(name: str, today: date) -> Period:
    """A preset. The period before has as many days and ends where this one begins; of a month, the month before to the
    same day."""
    if name == MONTH:
        last = today.replace(day=1) - timedelta(days=1)
        same_day = min(today.day, calendar.monthrange(last.year, last.month)[1])
        return Period(today.replace(day=1), today, last.replace(day=1), last.replace(day=same_day))
    return between(today - timedelta(days=DAYS.get(name, DAYS[DEFAULT]) - 1), today)


def between(since: date, until: date) -> Period:
    """A period of one's own, its ends in either order, cut to the newest `LONGEST_DAYS`."""
    since, until = min(since, until), max(since, until)
    since = max(since, until - timedelta(days=LONGEST_DAYS - 1))
    days = (until - since).days + 1
    return Period(since, until, since - timedelta(days=days), since - timedelta(days=1))


def unit_of(period: Period) -> str:
    """The default unit for drawing a period."""
    return UNITS[0] if period.days <= BY_DAY else UNITS[1] if period.days <= BY_WEEK else UNITS[2]


def parts(period: Period, unit: str) -> list[Part]:
    """The period cut at calendar days, Mondays or firsts of a month; the first and the last may be shorter."""
    cut = []
    for since, until in _stretches(period, unit):
        first = period.before_since + (since - period.since)
        last = min(period.before_since + (until - period.since), period.before_until)
        cut.append(Part(since, until, (first, last) if first <= last else None))
    return cut


def _stretches(period: Period, unit: str) -> Iterator[tuple[date, date]]:
    since = period.since
    while since <= period.until:
        until = min(_last_day(since, unit), period.until)
        yield since, until
        since = until + timedelta(days=1)


def _last_day(day: date, unit: str) -> date:
    if unit == "week":
        return day + timedelta(days=6 - day.weekday())
    if unit == "month":
        return day.replace(day=calendar.monthrange(day.year, day.month)[1])
    return day


def start(day: date, zone: ZoneInfo) -> int:
    """The moment a day begins on the club's clock, unix seconds."""
    return int(datetime.combine(day, time.min, zone).timestamp())


def end(day: date, zone: ZoneInfo) -> int:
    """The moment the next day begins: the first that is not of this day."""
    return start(day + timedelta(days=1), zone)


def comparable_end(period: Period, zone: ZoneInfo, now: int) -> int:
    """Where counting of the former period stops: a today that has come to noon is compared with a yesterday until noon."""
    local = datetime.fromtimestamp(now, zone)
    beside = period.before_since + (local.date() - period.since)
    if not period.since <= local.date() <= period.until or beside > period.before_until:
        return end(period.before_until, zone)
    return int(datetime.combine(beside, local.time(), zone).timestamp())

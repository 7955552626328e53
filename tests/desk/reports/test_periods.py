"""Periods and their parts, on the club's calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from desk.reports import periods
from desk.reports.periods import Period

MOSCOW, BERLIN, BEIRUT = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Beirut")


def days(text):
    return tuple(date.fromisoformat(day) for day in text.split())


@pytest.mark.parametrize(
    ("name", "today", "expected"),
    [
        ("today", "2026-03-10", "2026-03-10 2026-03-10 2026-03-09 2026-03-09"),
        ("7", "2026-03-10", "2026-03-04 2026-03-10 2026-02-25 2026-03-03"),
        ("30", "2026-01-10", "2025-12-12 2026-01-10 2025-11-12 2025-12-11"),
        ("365", "2026-03-10", "2025-03-11 2026-03-10 2024-03-11 2025-03-10"),
        ("month", "2026-03-10", "2026-03-01 2026-03-10 2026-02-01 2026-02-10"),
        ("month", "2026-03-31", "2026-03-01 2026-03-31 2026-02-01 2026-02-28"),
        ("month", "2026-01-01", "2026-01-01 2026-01-01 2025-12-01 2025-12-01"),
        ("nonsense", "2026-03-30", "2026-03-01 2026-03-30 2026-01-30 2026-02-28"),
    ],
)
def test_presets(name, today, expected):
    """A preset ends today and is compared with as many days before; a month with the month before, to the same day."""
    assert periods.ending_today(name, date.fromisoformat(today)) == Period(*days(expected))


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-03-01", "2026-03-01", "2026-03-01 2026-03-01 2026-02-28 2026-02-28"),
        ("2026-03-10", "2026-03-01", "2026-03-01 2026-03-10 2026-02-19 2026-02-28"),
    ],
)
def test_own_periods(since, until, expected):
    """Either end may be named first."""
    assert periods.between(date.fromisoformat(since), date.fromisoformat(until)) == Period(*days(expected))


def test_an_own_period_has_an_end():
    """A slip in the year does not ask for two thousand years."""
    period = periods.between(date(202, 1, 1), date(2026, 1, 1))
    assert period.days == periods.LONGEST_DAYS
    assert period.until == date(2026, 1, 1)


@pytest.mark.parametrize(("length", "unit"), [(1, "day"), (31, "day"), (32, "week"), (182, "week"), (183, "month")])
def test_what_a_period_is_drawn_by(length, unit):
    """Days for a month, weeks for half a year, months for more."""
    until = date(2026, 3, 10)
    assert periods.unit_of(periods.between(until - timedelta(days=length - 1), until)) == unit


def test_parts_are_calendar_ones_and_lose_no_day():
    """Weeks begin on Monday, months on the first; together the parts are the period, and beside them the one before."""
    period = periods.between(date(2026, 1, 14), date(2026, 3, 10))
    for unit, firsts in (
        ("day", [date(2026, 1, 14), date(2026, 1, 15)]),
        ("week", [date(2026, 1, 14), date(2026, 1, 19)]),
        ("month", [date(2026, 1, 14), date(2026, 2, 1)]),
    ):
        parts = periods.parts(period, unit)
        assert [part.since for part in parts[:2]] == firsts
        assert (parts[0].since, parts[-1].until) == (period.since, period.until)
        assert (parts[0].before[0], parts[-1].before[1]) == (period.before_since, period.before_until)
        for one, other in pairwise(parts):
            assert other.since == one.until + timedelta(days=1)
            assert other.before[0] == one.before[1] + timedelta(days=1)


def test_a_day_the_former_month_does_not_have():
    """March 29 to 31 have nothing beside them where February has 28 days."""
    parts = periods.parts(periods.ending_today("month", date(2026, 3, 31)), "day")
    assert [part.before is None for part in parts] == [False] * 28 + [True] * 3


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-28", BERLIN, 24),
        ("2026-03-29", BERLIN, 23),
        ("2026-10-25", BERLIN, 25),
        ("2026-03-29", MOSCOW, 24),
        ("2026-03-29", BEIRUT, 23),  # midnight itself is skipped
        ("2026-10-24", BEIRUT, 25),  # the hour before midnight comes twice
    ],
)
def test_days_on_which_the_clocks_change(day, zone, hours):
    """A day lasts as long as the club's clock says, and the next begins where it ends."""
    one = date.fromisoformat(day)
    assert periods.end(one, zone) - periods.start(one, zone) == hours * 3600
    assert datetime.fromtimestamp(periods.start(one, zone), zone).date() == one
    assert datetime.fromtimestamp(periods.end(one, zone) - 1, zone).date() == one


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 3, 10, 12, 30, tzinfo=MOSCOW), datetime(2026, 3, 3, 12, 30, tzinfo=MOSCOW)),
        (datetime(2026, 3, 11, 0, 0, tzinfo=MOSCOW), datetime(2026, 3, 4, 0, 0, tzinfo=MOSCOW)),  # it is over
    ],
)
def test_a_period_under_way_is_compared_fairly(now, expected):
    """Seven days up to half past twelve beside seven days up to half past twelve."""
    period = periods.ending_today("7", date(2026, 3, 10))
    assert periods.comparable_end(period, MOSCOW, int(now.timestamp())) == int(expected.timestamp())

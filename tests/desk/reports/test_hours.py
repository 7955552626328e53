"""Working hours, and time counted only inside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from desk.reports import hours
from desk.reports.hours import EVERY_DAY, ClubHours, worked_s

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
ALL_DAY = ClubHours(((0, 1440),) * 7)
WEEKDAYS = ClubHours(((9 * 60, 18 * 60),) * 5 + (None, None))


def at(text, zone=MOSCOW):
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("club", "zone", "since", "until", "minutes"),
    [
        (EVERY_DAY, MOSCOW, "2026-03-10 12:00", "2026-03-10 12:07", 7),
        (EVERY_DAY, MOSCOW, "2026-03-10 12:00", "2026-03-10 12:00", 0),
        (EVERY_DAY, MOSCOW, "2026-03-10 23:30", "2026-03-11 07:59", 0),  # at night
        (EVERY_DAY, MOSCOW, "2026-03-10 23:30", "2026-03-11 08:05", 5),
        (EVERY_DAY, MOSCOW, "2026-03-10 21:50", "2026-03-11 08:05", 15),
        (EVERY_DAY, MOSCOW, "2026-03-10 07:00", "2026-03-10 23:00", 14 * 60),
        (EVERY_DAY, MOSCOW, "2026-03-10 12:00", "2026-03-13 12:00", 3 * 14 * 60),
        (WEEKDAYS, MOSCOW, "2026-03-13 17:30", "2026-03-16 09:10", 40),  # Friday to Monday
        (WEEKDAYS, MOSCOW, "2026-03-14 10:00", "2026-03-15 20:00", 0),
        (ALL_DAY, MOSCOW, "2026-03-10 23:50", "2026-03-11 00:10", 20),
        (ALL_DAY, BERLIN, "2026-03-28 12:00", "2026-03-29 12:00", 23 * 60),  # the clocks go on by an hour
        (ALL_DAY, BERLIN, "2026-10-24 12:00", "2026-10-25 12:00", 25 * 60),
        (EVERY_DAY, BERLIN, "2026-03-28 21:00", "2026-03-29 09:00", 120),
    ],
)
def test_minutes_between_two_moments(club, zone, since, until, minutes):
    """Only what lies within the hours counts, by the clock on the wall."""
    assert worked_s(club, zone, [at(since, zone)], [at(until, zone)]).tolist() == [minutes * 60]


@pytest.mark.parametrize("zone", [MOSCOW, BERLIN])
def test_it_equals_counting_minute_by_minute(zone):
    """Over the nights on which the clocks change, the sum is what a walk through every minute finds."""
    random = Random(3)
    begun = at("2026-03-25 00:00", zone)
    for club in (EVERY_DAY, WEEKDAYS, ALL_DAY):
        for _ in range(5):
            since = begun + random.randrange(3 * 1440) * 60
            until = since + random.randrange(4 * 1440) * 60
            walked = sum(_is_open(club, zone, minute) for minute in range(since, until, 60))
            assert worked_s(club, zone, [since], [until]).tolist() == [walked * 60]


def _is_open(club, zone, moment):
    local = datetime.fromtimestamp(moment, zone)
    span = club.days[local.weekday()]
    return span is not None and span[0] <= local.hour * 60 + local.minute < span[1]


def test_no_leads_take_no_time():
    """Nothing in, nothing out."""
    assert worked_s(EVERY_DAY, MOSCOW, [], []).tolist() == []


@pytest.mark.parametrize(
    ("weekday", "hour", "expected"), [(0, 8, False), (0, 9, True), (0, 17, True), (0, 18, False), (5, 12, False)]
)
def test_hours_on_duty(weekday, hour, expected):
    """An hour is one on duty when any minute of it is."""
    assert WEEKDAYS.is_on_duty(weekday, hour) is expected
    assert ClubHours(((8 * 60 + 30, 22 * 60),) * 7).is_on_duty(weekday, 8)


@pytest.mark.parametrize(
    "days", [(), ((480, 1320),) * 6, ((600, 600),) * 7, ((-1, 5),) * 7, ((0, 1441),) * 7, (None,) * 7]
)
def test_hours_that_cannot_be(days):
    """Closing before opening, too few days, never open."""
    with pytest.raises(ValueError, match="working hours"):
        ClubHours(days)


def test_hours_are_kept(store):
    """What was set is read again, closed days too; before that and after damage it is 8 to 22 every day."""
    assert hours.read(store) == EVERY_DAY
    hours.keep(store, WEEKDAYS)
    assert hours.read(store) == WEEKDAYS
    store.remember(hours.FACT, "[1, 2]")
    assert hours.read(store) == EVERY_DAY


def test_a_year_is_quick_and_exact():
    """A whole year has the working hours of its days."""
    since = datetime(2025, 1, 1, tzinfo=UTC)
    until = since + timedelta(days=365)
    took = worked_s(EVERY_DAY, ZoneInfo("UTC"), [int(since.timestamp())], [int(until.timestamp())])
    assert took.tolist() == [365 * 14 * 3600]

"""Speed and funnel from a handful of leads, each counted by hand."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from desk.percentile import rank
from desk.reports.funnel import Place, funnel
from desk.reports.hours import ClubHours
from desk.reports.overview import by_hour
from desk.reports.speed import speed

ALL_DAY = ClubHours(((0, 1440),) * 7)
UTC = ZoneInfo("UTC")
NOW = 1_800_000_000


def answers(*minutes, created_ago_min=10_000, known_from=None):
    """Leads that came long ago and were answered after so many minutes, None: not at all."""
    created = np.array([NOW - created_ago_min * 60] * len(minutes), np.int64)
    answered = np.array([0 if took is None else int(created[0] + took * 60) for took in minutes], np.int64)
    return speed(created, answered, ALL_DAY, UTC, NOW, known_from)


@pytest.mark.parametrize(
    ("minutes", "median", "p90", "within", "never"),
    [
        ((), None, None, (0, 0, 0), 0),
        ((7,), 7, 7, (0, 1, 1), 0),
        ((4, 30), 4, 30, (1, 1, 2), 0),
        ((5, 15, 60), 15, 60, (1, 2, 3), 0),
        ((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), 4, 8, (6, 10, 10), 0),
        ((None,), math.inf, math.inf, (0, 0, 0), 1),
        ((3, None), 3, math.inf, (1, 1, 1), 1),
        ((3, None, None), math.inf, math.inf, (1, 1, 1), 2),
    ],
)
def test_speed(minutes, median, p90, within, never):
    """Percentiles are times within which so many of all leads were answered; without an answer is slower than any."""
    told = answers(*minutes)
    assert (told.median_min, told.p90_min, told.within, told.never) == (median, p90, within, never)
    assert told.leads == len(minutes)


def test_a_fresh_lead_is_not_held_against_anybody():
    """One that waits less than an hour is counted when it was answered or the hour is over, not before."""
    assert answers(None, created_ago_min=59).fresh == 1
    assert answers(None, created_ago_min=59).leads == 0
    assert answers(None, created_ago_min=60).never == 1
    assert answers(2, created_ago_min=59).within == (1, 1, 1)


def test_what_is_before_the_history_is_not_guessed():
    """Leads that came before moves are known are left out and told."""
    told = answers(2, None, known_from=NOW)
    assert (told.leads, told.unknown) == (0, 2)


@pytest.mark.parametrize(
    ("count", "percent", "place"), [(1, 50, 0), (2, 50, 0), (3, 50, 1), (4, 50, 1), (10, 90, 8), (11, 90, 9)]
)
def test_ranks(count, percent, place):
    """The first value within which at least so many per cent lie."""
    assert rank(count, percent) == place


STAGES = [
    Place(1, status_id, 10 + at, "Main", name, "#fff")
    for at, (status_id, name) in enumerate([(5, "In"), (6, "Called"), (7, "Trial"), (142, "Won"), (143, "Lost")])
]


@pytest.mark.parametrize(
    ("status", "furthest", "expected"),
    [
        ([], [], [(0, 0, 0)] * 4),
        ([5], [-1], [(1, 1, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0)]),  # never moved
        ([142], [-1], [(1, 0, 0), (1, 0, 0), (1, 0, 0), (1, 1, 0)]),  # created as won: it passed all
        ([143], [12], [(1, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 0)]),  # lost after the trial
        ([5], [12], [(1, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0, 0)]),  # went back; it has been there
        ([143, 143, 6], [-1, 11, 11], [(3, 0, 1), (2, 1, 1), (0, 0, 0), (0, 0, 0)]),
        ([99], [-1], [(1, 1, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0)]),  # a stage that was removed since
    ],
)
def test_funnel(status, furthest, expected):
    """Reached, stayed, lost, of each stage; what reached a stage and not the next has stayed or is lost."""
    told = funnel(STAGES, np.array(status, np.int64), np.array(furthest, np.int64), 0)
    assert [(step.reached, step.here, step.lost) for step in told.steps] == expected
    assert told.leads == len(status)


def test_the_week_map_of_a_night_when_clocks_change():
    """Berlin, 25 October: two o'clock comes twice, and both leads stand at Sunday, 2."""
    berlin = ZoneInfo("Europe/Berlin")
    first, second = 1_792_886_400 + 1800, 1_792_890_000 + 1800  # 00:30 and 01:30 UTC
    cells = by_hour(np.array([first, second], np.int64), berlin)
    assert cells[6][2] == 2
    assert sum(map(sum, cells)) == 2

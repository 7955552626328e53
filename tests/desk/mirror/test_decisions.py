"""What is decided about the mirror, as tables: which answer is believed, where a round goes on, when a day is over."""

from __future__ import annotations

import pytest

from desk.mirror import decisions
from desk.mirror.decisions import BEYOND_JUMP_S, DAY_S, DOUBT, FARTHEST_BACK_S, KEEP, OVERLAP_S, SAME, Move

ROW = {"id": 1, "name": "Анна", "updated_at": 100, "is_deleted": False}


@pytest.mark.parametrize(
    ("row", "known", "asked", "wanted"),
    [
        (ROW, None, None, KEEP),
        (ROW, ROW | {"kept_in": 9}, 3, SAME),
        (ROW | {"name": "Яна"}, ROW | {"kept_in": 3}, 3, KEEP),  # not written since the question left
        (ROW | {"name": "Яна", "updated_at": 50}, ROW | {"kept_in": 3}, 3, KEEP),  # a time that was set back
        (ROW | {"name": "Яна", "updated_at": 200}, ROW | {"kept_in": 4}, 3, DOUBT),  # somebody was quicker
        (ROW | {"name": "Яна"}, ROW | {"kept_in": 0}, None, DOUBT),  # nobody knows when it was asked for
        (ROW, ROW | {"kept_in": 3, "is_deleted": True}, 3, KEEP),  # it came back
        (
            ROW,
            ROW | {"kept_in": 4, "is_deleted": True},
            3,
            DOUBT,
        ),  # thrown away since: an old answer does not bring it back
    ],
)
def test_which_answer_is_believed(row, known, asked, wanted):
    """One that was asked for after the row was last written, whatever times stand in either."""
    assert decisions.verdict(row, known, asked) == wanted


A, B, C = (1, 1), (1, 2), (1, 3)


def event(before, after, at):
    return Move(before, after, at, at)


@pytest.mark.parametrize(
    ("seen", "events", "wanted"),
    [
        (Move(A, B, 10, 20), [event(A, B, 15)], True),
        (Move(A, B, 10, 20), [event(A, B, 10 - decisions.MOVE_SLACK_S)], True),
        (Move(A, B, 10, 20), [event(A, B, 900)], False),  # another time it was moved the same way
        (Move(A, C, 10, 20), [event(A, B, 12), event(B, C, 13)], True),  # two moves between two readings
        (Move(A, C, 10, 20), [event(A, B, 12)], False),
        (Move(A, B, 10, 20), [event(B, A, 12)], False),
        (Move(A, B, 10, 20), [event(None, B, 12)], True),  # the log does not say from where
        (Move(A, B, 20, 10), [event(A, B, 15)], True),  # its time was set back meanwhile
        (Move(A, B, 10, 20), [], False),
    ],
)
def test_whether_the_log_tells_a_move(seen, events, wanted):
    """The same way at the same time, in one step or in several."""
    assert decisions.is_told(seen, events) is wanted


@pytest.mark.parametrize(
    ("times", "cap", "settled", "wanted"),
    [
        ([], 5_000, False, 1_000),  # nothing came: it stays
        ([1_500], 5_000, False, 1_500 - OVERLAP_S),
        ([1_010], 5_000, False, 1_000),  # never backwards
        ([1_500, 9_000], 5_000, False, 1_500 - OVERLAP_S),  # a time from AmoCRM's future moves nothing
        ([9_000], 5_000, False, 1_000),
        ([5_020], 5_000, False, 5_000 - OVERLAP_S),  # changed while the round went on
        ([1_500] * 600, 5_000, True, 1_501),  # hundreds at once, all of them known
    ],
)
def test_where_the_next_round_begins(times, cap, settled, wanted):
    """At the newest change that came, less the overlap; no clock of ours moves it."""
    assert decisions.next_since(1_000, times, cap, is_settled=settled) == wanted


@pytest.mark.parametrize(
    ("due", "hour", "whole_at", "wanted"),
    [
        (False, 4, 0.0, False),
        (True, 4, 1e6 - 19 * 3600, True),
        (True, 12, 1e6 - 19 * 3600, False),
        (True, 12, 1e6 - DAY_S - 1, True),  # the desk was off at night
        (True, 12, 1e6 + 3600, True),  # a clock that was wrong has written it down
        (True, 12, None, True),
    ],
)
def test_when_what_is_done_once_a_day_may_begin(due, hour, whole_at, wanted):
    """At night, or when a day is over without; a time from the future counts as none."""
    assert decisions.is_time(due, hour, whole_at, 1e6) is wanted


def test_how_far_back_after_a_jump():
    """By as much as the greatest jump and a little more, but no further than comparing everything is cheaper."""
    assert decisions.back_s([-300.0, 10.0]) == 300 + BEYOND_JUMP_S
    assert decisions.back_s([1e9]) == FARTHEST_BACK_S + BEYOND_JUMP_S

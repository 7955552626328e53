"""AmoCRM's clock as its answers tell it: a range, carried on, and nothing at all where it cannot be one clock."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from wire.their_clock import MOST_STEPS, UNSTEADY_S, TheirClock, seconds

NOON = 1_790_000_000


def date(moment):
    return formatdate(moment, usegmt=True)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (date(NOON), NOON),
        (None, None),
        ("", None),
        ("yesterday", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Mon, 21 Sep 2026 12:53:20 -0000", None),  # a time without a zone
        ("Mon, 99 Sep 2026 12:53:20 GMT", None),
    ],
)
def test_what_a_date_tells(header, wanted):
    """Unix seconds, or nothing for what could not be a time of today."""
    assert seconds(header) == wanted


def test_it_is_carried_on_and_never_ahead():
    """Between two answers the monotonic clock goes on; the time told is never later than AmoCRM's."""
    known = TheirClock()
    assert known.at(5.0, 5.0) is None
    known.hear(date(NOON), 10.0, 10.4)
    assert known.at(10.4, 10.4) == NOON
    assert known.at(70.4, 70.4) == NOON + 60
    assert known.at(10.0, 70.4) == pytest.approx(NOON - 0.4)
    assert known.ahead_s(70.4) == (NOON - 10.4, NOON + 1 - 10.0)


def test_a_clock_that_goes_back_again_and_again_is_none():
    """Two front ends an hour apart, in turn: after a few steps nothing is believed, until an hour went by without."""
    known = TheirClock()
    for turn in range(2 * MOST_STEPS + 1):
        known.hear(date(NOON + turn + 3600 * (turn % 2)), float(turn), float(turn))
    now_s = 2.0 * MOST_STEPS
    assert known.at(now_s, now_s) is None
    later_s = now_s + UNSTEADY_S
    known.hear(date(NOON + int(later_s)), later_s, later_s)
    assert known.at(later_s, later_s) == NOON + int(later_s)

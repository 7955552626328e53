"""Waits that are written down: something is not to be done before its time.

A wait is an interval: from when it was written down until it is over. Outside of the interval, on either side, it is over:
a clock that was set back since would otherwise hold a row up for as long as it was wrong. So nothing ever waits longer
from now than the rule that wrote the wait down allows, whatever the clocks do.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

SLACK_S = 2.0
"""A clock so far before the beginning of a wait was not set back: one transaction has asked for the time a moment before
another one wrote the wait down, or the clock is being trimmed."""


def is_over(from_s: float, until_s: float, now_s: float) -> bool:
    """Whether a wait that was written down at `from_s` and lasts until `until_s` is over; all unix seconds of one clock."""
    return not from_s - SLACK_S <= now_s < until_s


def over(from_s: sa.ColumnElement[Any], until_s: sa.ColumnElement[Any], now_s: float) -> sa.ColumnElement[bool]:
    """`is_over` as a condition on two columns."""
    return sa.or_(until_s <= now_s, from_s > now_s + SLACK_S)


def left_s(from_s: float, until_s: float, now_s: float) -> float:
    """Seconds that a wait still lasts, at most as many as it was written down with; 0 if it is over."""
    return 0.0 if is_over(from_s, until_s, now_s) else min(until_s - now_s, until_s - from_s)

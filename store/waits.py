"""Stored waits: something is not to be done before its time.

A wait is an interval: from when it was written down until it is over. Outside of the interval, on either side, it is over:
a clock that was set back since would otherwise hold a row up for as long as it was wrong. So nothing ever waits longer
from now than the rule that wrote the wait down allows, whatever the clocks do.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

SLACK_S = 2.0
"""Seconds by which a clock may stand before the beginning of a wait without having been set back: a transaction may
have asked for the time a moment before another transaction stored the wait, or the clock is being adjusted."""


def is_over(from_s: float, until_s: float, now_s: float) -> bool:
    """Whether a wait stored at `from_s` and lasting until `until_s` is over; all unix seconds of the same clock."""
    return not from_s - SLACK_S <= now_s < until_s


def over(from_s: sa.ColumnElement[Any], until_s: sa.ColumnElement[Any], now_s: float) -> sa.ColumnElement[bool]:
    """`is_over` as a condition on two columns."""
    return sa.or_(until_s <= now_s, from_s > now_s + SLACK_S)


def left_s(from_s: float, until_s: float, now_s: float) -> float:
    """Seconds left of a wait, at most as many as it was stored with; 0 if it is over."""
    return 0.0 if is_over(from_s, until_s, now_s) else min(until_s - now_s, until_s - from_s)

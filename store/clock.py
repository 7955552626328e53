"""The machine's clock, asked nowhere else: times that are stored, shown or compared with stored times.

A clock may jump, forwards and back. What follows from that is decided in `waits` (nothing waits longer than its own rule)
and in `jumps` (a jump is noticed and said). Tests move the clock with `moved`; a whole process is moved by libfaketime.
How long something takes is measured with `time.monotonic`, never with this.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo

_shift_s = 0.0


def unix() -> float:
    """Return unix seconds by the machine's clock."""
    return time.time() + _shift_s


def moved_by_s() -> float:
    """Seconds by which this process's clock is moved: the tests move the clock of a database along."""
    return _shift_s


def now(zone: tzinfo = UTC) -> datetime:
    """Return the aware time by the machine's clock, in UTC unless another zone is asked for."""
    return datetime.fromtimestamp(unix(), zone)


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Move this process's clock by so much until the block ends. For tests; blocks may overlap."""
    global _shift_s
    _shift_s += by.total_seconds()
    try:
        yield
    finally:
        _shift_s -= by.total_seconds()

"""The other side's clock, as the `Date` of its answers tells it, carried on by the monotonic clock.

A `Date` is a whole second somewhere between the request's leaving and the answer's coming, so what is known is a range.
A clock that goes back again and again (two front ends that differ, a cache in between) is no clock: then nothing is known.
"""

from __future__ import annotations

import threading
from collections import deque
from email.utils import parsedate_to_datetime

EARLIEST, LATEST = 1_577_836_800, 4_102_444_800
"""2020 and 2100: a `Date` outside of the range does not count."""

TOUCH_S = 5.0
"""The greatest distance of two ranges of the same clock: front ends of a service differ by a second or two."""

MOST_STEPS = 3
UNSTEADY_S = 3600.0
"""After so many steps back within an hour the `Date` is not believed until an hour has passed without."""


def seconds(date: str | None) -> int | None:
    """Return unix seconds of a `Date` header; None if the header is no plausible time."""
    try:
        told = parsedate_to_datetime(date or "")
        moment = int(told.timestamp())
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if told.tzinfo is not None and EARLIEST <= moment <= LATEST else None


class TheirClock:
    """Another side's clock as known in the process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._range: tuple[float, float] | None = None
        self._steps: deque[float] = deque(maxlen=MOST_STEPS)

    def hear(self, date: str | None, sent_s: float, came_s: float) -> None:
        """Learn from an answer's `Date`; `sent_s`, `came_s`: when the request left and its answer came, monotonic seconds."""
        told = seconds(date)
        if told is None:
            return
        with self._lock:
            found = (told - came_s, told + 1 - sent_s)
            if self._range is not None and found[1] < self._range[0] - TOUCH_S:
                self._steps.append(came_s)
            self._range = found

    def ahead_s(self, now_s: float) -> tuple[float, float] | None:
        """Return by how much their clock is ahead of the monotonic clock, at least and at most; None if not known."""
        with self._lock:
            unsteady = len(self._steps) == MOST_STEPS and now_s - self._steps[0] < UNSTEADY_S
            return None if unsteady else self._range

    def at(self, moment_s: float, now_s: float) -> float | None:
        """Return their time, unix seconds, at a monotonic moment: never later than it was. None if not known."""
        ahead = self.ahead_s(now_s)
        return None if ahead is None else moment_s + ahead[0]

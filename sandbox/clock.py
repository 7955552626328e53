"""The sandbox's clock. One reading for arrivals, tokens and hooks, so that a ledger can be compared with itself."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Wall time that never steps back by itself: read once from the wall, then carried on by the monotonic clock."""

    def __init__(self, shift_s: Callable[[], float] = lambda: 0.0) -> None:
        """`shift_s`: by how much the clock is wrong now."""
        self._shift_s = shift_s
        self._wall = time.time()
        self._monotonic = time.monotonic()

    def now(self) -> float:
        """Unix seconds, with fractions."""
        return self._wall + (time.monotonic() - self._monotonic) + self._shift_s()

    def seconds(self) -> int:
        """Unix seconds as AmoCRM stores them: whole (sheet 4.1: `updated_at` has a resolution of 1 s)."""
        return int(self.now())

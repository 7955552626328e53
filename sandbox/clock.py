"""The sandbox's two clocks: its own, for arrivals, hooks and the limit, and AmoCRM's, which a switch can move.

AmoCRM's is what its answers are stamped with: `Date`, `created_at`, `updated_at`, lives of tokens. The ledger keeps to the other,
so that it can be compared with itself whatever AmoCRM's clock does.
"""

from __future__ import annotations

import time


class Clock:
    """Wall time that never steps back: read once from the wall, then carried on by the monotonic clock."""

    def __init__(self) -> None:
        self._wall = time.time()
        self._monotonic = time.monotonic()
        self.shift_s = 0.0
        """Seconds AmoCRM's clock is ahead of ours; below zero for a clock behind."""

    def now(self) -> float:
        """Unix seconds, with fractions."""
        return self._wall + (time.monotonic() - self._monotonic)

    def amocrm(self) -> float:
        """The time on AmoCRM's clock."""
        return self.now() + self.shift_s

    def seconds(self) -> int:
        """Unix seconds in AmoCRM's form: whole (sheet 4.1: `updated_at` has a resolution of 1 s)."""
        return int(self.amocrm())

"""Measuring how long leads have really waited, even if the shared clock was set meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from desk.delivery.decisions import waited

MOST_REMEMBERED = 10_000
"""Waits remembered by a process, by the clock that cannot jump. For forgotten waits the shared clock alone counts."""


class Stopwatch:
    """Measures the waits of a process by a clock without jumps. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._begun: dict[str, tuple[float, float]] = {}  # lead → when its wait was written down, by both clocks

    def start(self, lead_id: str, now_s: float) -> None:
        """Note the beginning of a lead's wait, just written down. `now_s`: the shared clock."""
        if len(self._begun) >= MOST_REMEMBERED:
            self._begun.clear()
        self._begun[lead_id] = (now_s, self._monotonic())

    def waited_s(self, row: sa.RowMapping, now_s: float) -> float:
        """The seconds of a row's wait that have really passed."""
        begun = self._begun.get(row["lead_id"])
        by_process = None if begun is None or begun[0] != row["waits_from"] else self._monotonic() - begun[1]
        return waited(row["due_at"] - row["waits_from"], now_s - row["waits_from"], by_process)

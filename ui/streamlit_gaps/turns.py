"""Admit a few page runs at a time.

Python computes one thing at a time; twenty pages begun at once would all be ready at the end.

Those that wait for a turn come on in the order in which they asked, so the first has its page while the last still waits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 3
"""Runs at a time: a run computes, the others are with the database meanwhile."""


class Turns:
    """So many at a time, first come, first served. Thread-safe."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._lock = threading.Lock()
        self._free = at_once
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and hold the turn until the block ends. Not within a turn."""
        mine = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                mine.set()
            else:
                self._waiting.append(mine)
        mine.wait()
        try:
            yield
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting.popleft().set()
                else:
                    self._free += 1


LISTS = Turns()
"""Turns of all people's lead lists."""

"""Sizes of pages AmoCRM can bring: it answers 504 where it is asked for too much (sheet 4.1), and then for less.

What worked is remembered for a while, so that the next question begins there, and told, so that people know why reading is slow.
"""

from __future__ import annotations

import logging
import threading
import time

STEPS = (250, 50, 10, 1)
"""Entities on a page, from AmoCRM's greatest (more is silently cut, sheet 4.1) down to what is asked for one by one."""

REMEMBER_S = 600.0
"""How long a smaller size is kept to before the greatest is tried again. A page that was too much costs two requests."""

REMEMBER_ONE_S = 60.0
"""The same for a size of one, which makes reading 250 times slower: most likely AmoCRM was away and came back just then."""

log = logging.getLogger(__name__)


def fit(limit: int, most: int) -> int:
    """Return the greatest size that is no more than `most` and divides `limit`, so that pages begin at the same places."""
    if limit <= most:
        return limit
    return next(step for step in STEPS if step <= most and limit % step == 0)


def smaller(limit: int) -> int | None:
    """Return the next size below that divides `limit`; None if it is one already."""
    return next((step for step in STEPS if step < limit and limit % step == 0), None)


class Sizes:
    """What worked in this process, by operation. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, float]] = {}

    def most(self, operation: str) -> int:
        """Return the greatest size worth asking for."""
        with self._lock:
            size, until = self._known.get(operation, (STEPS[0], 0.0))
            return size if time.monotonic() < until else STEPS[0]

    def worked(self, operation: str, size: int) -> None:
        """Remember that a smaller page came where a greater one did not."""
        with self._lock:
            self._known[operation] = (size, time.monotonic() + (REMEMBER_S if size > 1 else REMEMBER_ONE_S))
        log.warning("%s: AmoCRM brings no more than %s at once; asking for so many for a while", operation, size)

    def shrunk(self) -> dict[str, int]:
        """Return the operations that are asked for less than the greatest size now, with the size."""
        with self._lock:
            now = time.monotonic()
            return {name: size for name, (size, until) in self._known.items() if now < until}

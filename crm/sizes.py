"""Sizes of pages AmoCRM can bring: after a 504 for too much (sheet 4.1) less is asked for.

What worked is remembered for a while, so that the next question begins there, and told, so that people know why reading is slow.
"""

from __future__ import annotations

import logging
import threading
import time

STEPS = (250, 50, 10, 1)
"""Entities on a page, from AmoCRM's greatest (more is silently cut, sheet 4.1) down to single entities."""

REMEMBER_S = 600.0
"""Time for which a smaller size is kept before the greatest is tried again. A page too large costs two requests."""

REMEMBER_ONE_S = 60.0
"""The same for single entities, 250 times slower to read: most likely AmoCRM was away and came back just then."""

log = logging.getLogger(__name__)


def fit(limit: int, most: int) -> int:
    """Return the greatest divisor of `limit` among the sizes up to `most`, so pages begin at the same places."""
    if limit <= most:
        return limit
    return next(step for step in STEPS if step <= most and limit % step == 0)


def smaller(limit: int) -> int | None:
    """Return the next smaller divisor of `limit`; None below a single entity."""
    return next((step for step in STEPS if step < limit and limit % step == 0), None)


class Sizes:
    """The sizes that worked in the process, by operation. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, float]] = {}

    def most(self, operation: str) -> int:
        """Return the greatest size worth asking for."""
        with self._lock:
            size, until = self._known.get(operation, (STEPS[0], 0.0))
            return size if time.monotonic() < until else STEPS[0]

    def worked(self, operation: str, size: int) -> None:
        """Remember a size that worked after a greater size did not."""
        with self._lock:
            self._known[operation] = (size, time.monotonic() + (REMEMBER_S if size > 1 else REMEMBER_ONE_S))
        log.warning("%s: AmoCRM brings no more than %s at once; asking for so many for a while", operation, size)

    def shrunk(self) -> dict[str, int]:
        """Return the operations with a reduced size now, and the size."""
        with self._lock:
            now = time.monotonic()
            return {name: size for name, (size, until) in self._known.items() if now < until}

"""The end of a request in any case: a thread that hangs up on a dripping server.

A time-out of a socket counts silence, so a byte now and then keeps a request alive for ever, in its status line, its
headers, its body or its handshake. Here the whole exchange has an end: at its deadline the line is shut down, and whoever
reads or writes on it goes on at once. What had arrived until then can still be read.
"""

from __future__ import annotations

import heapq
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

LOOK_AGAIN_S = 0.5
"""How often the watchman looks whether an exchange that takes a pause beyond its time goes on."""


class _HasNumber(Protocol):
    def fileno(self) -> int: ...


class Deadline:
    """The end of an exchange, and its line at the moment. Used by a single thread, struck by the watchman's."""

    def __init__(self, after_s: float) -> None:
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._ends = time.monotonic() + after_s
        self._is_paused = self._is_over = False
        self.has_struck = False
        _watchman.expect(self._ends, self)

    @property
    def left_s(self) -> float:
        """Seconds left, not less than 0."""
        return max(0.0, self._ends - time.monotonic())

    def watch(self, line: _HasNumber) -> None:
        """Watch a line: hang up on the line at the end; at once if the time is over.

        A copy of it is kept: the line may be closed by its owner at any moment, and its number be somebody else's.
        """
        mine = socket.socket(fileno=socket.dup(line.fileno()))
        with self._lock:
            former, self._line = self._line, mine
            if former is not None:
                former.close()
            if self.has_struck:
                _hang_up(mine)

    def let_go(self) -> bool:
        """Release the line, which may serve another exchange afterwards. Return whether the line was hung up on before."""
        with self._lock:
            self._is_over = True
            if self._line is not None:
                self._line.close()
                self._line = None
            return self.has_struck

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop counting time for a block: the time is ours and not the other side's.

        What follows it must not be late, so the watchman is not told; he looks again by himself.
        """
        began = time.monotonic()
        with self._lock:
            self._is_paused = True
        try:
            yield
        finally:
            with self._lock:
                self._is_paused = False
                self._ends += time.monotonic() - began

    def strike(self, now: float) -> float | None:
        """Hang up if the time is over; else when to look again, None for never. Called by the watchman."""
        with self._lock:
            if self._is_over or self.has_struck:
                return None
            if self._is_paused:
                return now + LOOK_AGAIN_S
            if self._ends > now:
                return self._ends
            self.has_struck = True
            if self._line is not None:
                _hang_up(self._line)
            return None


class _Watchman:
    """The thread waiting for the next deadline. Begins with the first deadline, and anew in a forked child."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        self._news = threading.Condition()
        self._expected: list[tuple[float, int, Deadline]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def expect(self, ends: float, deadline: Deadline) -> None:
        """Look after a deadline at the given time."""
        with self._news:
            heapq.heappush(self._expected, (ends, next(self._numbers), deadline))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif self._expected[0][2] is deadline:
                self._news.notify()

    def _run(self) -> None:
        while True:
            with self._news:
                while not self._expected or self._expected[0][0] > time.monotonic():
                    self._news.wait(self._expected[0][0] - time.monotonic() if self._expected else None)
                _, _, deadline = heapq.heappop(self._expected)
            again = deadline.strike(time.monotonic())
            if again is not None:
                self.expect(again, deadline)


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):  # it may have ended by itself
        line.shutdown(socket.SHUT_RDWR)


_watchman = _Watchman()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_watchman.begin_anew)

"""One piece of work for many callers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Does a piece of work once for all concurrent callers. Thread-safe; keeps nothing.

    A burst of threads that all want the same row would otherwise crowd out the thread that could change it.
    """

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work, self._lock = work, threading.Lock()
        self._flying: Future[Result] | None = None

    def __call__(self) -> Result:
        """The result of the work under way, or of work that begins now. Raises what the work raises."""
        with self._lock:
            flying, mine = self._flying, self._flying is None
            if flying is None:
                flying = self._flying = Future()
        if mine:
            try:
                flying.set_result(self._work())
            except BaseException as error:
                flying.set_exception(error)
            finally:
                with self._lock:
                    self._flying = None
        return flying.result()

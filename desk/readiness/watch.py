"""The last verdict in memory, made again and again, so that a page need not wait for the database to be told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from desk.readiness.judge import DATABASE, Check, Verdict
from store import clock

LOOK_EVERY_S = 3.0
"""Between two verdicts for the sidebar."""

VERDICT_KEPT = timedelta(seconds=30)
"""Greatest age of a verdict; an older verdict is made anew while its reader waits for the database."""

FIRST_VERDICT_S = 2.0
"""How long a page waits for the very first verdict of a desk."""

log = logging.getLogger(__name__)


class Watch:
    """The last verdict, made again and again in a thread of its own, and since when each check is red."""

    def __init__(self, look: Callable[[], Verdict]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._last: Verdict | None = None
        self._made_s = float("-inf")
        self._red_since: dict[str, tuple[str, datetime]] = {}
        self._news, self._first, self._stopping = threading.Event(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def stop(self, patience_s: float = 2.0) -> None:
        """Look no more."""
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(patience_s)

    def wake(self) -> None:
        """Make a verdict at once: people want to see a change."""
        self._news.set()

    def now(self) -> Verdict:
        """Make a verdict now, in the caller's thread: as long as the database takes."""
        return self._seen(self._look())

    def last(self) -> Verdict:
        """The last verdict, from memory; made at once if no thread makes verdicts. A database that does not answer
        is red."""
        if self._thread is None:
            return self.now()
        self._first.wait(FIRST_VERDICT_S)
        with self._lock:
            last, age_s = self._last, time.monotonic() - self._made_s
        if last is None or age_s > VERDICT_KEPT.total_seconds():
            return Verdict((Check(DATABASE, "too_slow", last.made_at if last else None),), clock.now())
        return last

    def _seen(self, verdict: Verdict) -> Verdict:
        """With the time since when each check is red, where the facts do not tell."""
        with self._lock:
            former = self._red_since
            self._red_since = {
                check.name: (check.code, check.since or self._before(former, check) or verdict.made_at)
                for check in verdict.red
            }
            filled = [
                check if check.is_ok or check.since else replace(check, since=self._red_since[check.name][1])
                for check in verdict.checks
            ]
            self._last, self._made_s = replace(verdict, checks=tuple(filled)), time.monotonic()
            return self._last

    @staticmethod
    def _before(former: Mapping[str, tuple[str, datetime]], check: Check) -> datetime | None:
        code, since = former.get(check.name, ("", None))
        return since if code == check.code else None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.now()
            except Exception as error:  # whatever one look meets, the next one is made
                log.error("the watch stumbled: %s", type(error).__name__)
            self._first.set()
            self._news.wait(LOOK_EVERY_S)
            self._news.clear()

"""The reports' door for screens: equal questions over equal rows are counted once, for all people."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from crm.errors import SetupError
from desk.mirror import Mirror, MirrorStatus
from desk.reports import attention, hours, overview, read
from desk.reports.attention import WaitingLead
from desk.reports.funnel import Place
from desk.reports.hours import ClubHours, Span
from desk.reports.overview import Overview, Question
from desk.reports.periods import Period
from store import Store, clock

REMEMBERED = 64
"""Answers kept: some twenty people with a few periods each."""

STEP_S = 300
"""Seconds for which "now" is rounded in an answer. Waiting is counted in minutes of hours and days; no other figure
depends on it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A person's choice of period, unit and pipeline."""

    period: Period
    unit: str
    pipeline_id: int | None = None


class Reports:
    """The reports over a mirror. Thread-safe. Answers are shared by all people, as all see the same rows."""

    def __init__(self, store: Store, mirror: Mirror, zone: ZoneInfo) -> None:
        self._store, self._mirror, self._zone = store, mirror, zone
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, Future[Any]] = OrderedDict()

    def overview(self, ask: Ask, status: MirrorStatus, now: float | None = None) -> Overview:
        """Every figure of the overview. `status`: the mirror's, as shown beside the figures."""
        question = self._question(ask, status, now)

        def count() -> Overview:
            with self._store.read() as db:
                return overview.overview(db, question)

        return self._once(("overview", self._mirror.version(), question), count)

    def waiting(
        self, ask: Ask, status: MirrorStatus, *, rule: str | None, limit: int = 50, now: float | None = None
    ) -> list[WaitingLead]:
        """Open leads in need of attention."""
        question = self._question(ask, status, now)

        def look() -> list[WaitingLead]:
            with self._store.read() as db:
                return attention.listing(db, question.now, ask.pipeline_id, rule=rule, limit=limit)

        key = ("waiting", self._mirror.version(), question.now, ask.pipeline_id, rule, limit)
        return self._once(key, look)

    def pipelines(self) -> list[Place]:
        """Every stage of every pipeline, in AmoCRM's order."""

        def look() -> list[Place]:
            with self._store.read() as db:
                return read.pipelines(db)

        return self._once(("pipelines", self._mirror.version()), look)

    def hours(self) -> ClubHours:
        return hours.read(self._store)

    def set_hours(self, days: Sequence[Span]) -> None:
        """The club's working hours, Monday to Sunday, for everybody. Raises `SetupError("club_hours_wrong")`."""
        try:
            wanted = ClubHours(tuple(days))
        except ValueError:
            raise SetupError("club_hours_wrong") from None
        hours.keep(self._store, wanted)

    def _question(self, ask: Ask, status: MirrorStatus, now: float | None) -> Question:
        moment = int(clock.unix() if now is None else now)
        known_from = status.history_back_to
        return Question(
            period=ask.period,
            unit=ask.unit,
            pipeline_id=ask.pipeline_id,
            zone=self._zone,
            now=moment - moment % STEP_S,
            hours=self.hours(),
            known_from=int(known_from.timestamp()) if known_from else None,
        )

    def _once(self, key: Hashable, work: Callable[[], Any]) -> Any:
        """Return the answer stored under a key; a caller waits for another that counts the same answer. An error is
        not stored."""
        with self._lock:
            known = self._answers.get(key)
            if known is None:
                mine = self._answers[key] = Future()
                while len(self._answers) > REMEMBERED:
                    self._answers.popitem(last=False)
            else:
                self._answers.move_to_end(key)
        if known is not None:
            return known.result()
        try:
            mine.set_result(work())
        except BaseException as error:
            with self._lock:
                self._answers.pop(key, None)
            mine.set_exception(error)
        return mine.result()

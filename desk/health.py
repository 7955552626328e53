"""The rounds of background work: last success, last failure, and its cause and place, for each kind of work.

    worker ─► told("mirror", None or error) ─► memory, at once ─► worker_rounds, soon ─► pages, /readyz
              with round("keeper"): …

Written down where all processes see it, in `worker_rounds`, and kept back here while the database is away. Of an exception
nobody foresaw its name and its place in our own code are kept, never its text, which may quote what it stumbled over. What
follows from the rounds is decided in `desk.readiness`.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from crm.errors import DeskError
from desk import ROOMS
from store import Store, StoreError, clock
from store.tables import worker_rounds

WRITTEN_EVERY = timedelta(seconds=10)
"""Least time between two writes of a success: a worker's round may take a millisecond. A failure is written at
once."""

SAME_FAILURE_EVERY_S = 1.0
"""Between two writes of the very same failure."""

WRITE_AGAIN_S = 2.0
"""Seconds before the next write after the database refused one: a database that is away holds up no worker."""

AHEAD = timedelta(seconds=60)
"""Distance in the future beyond which a stored time counts as unknown: another clock wrote the time, or ours before
being set back."""

LONGEST_NAME, LONGEST_REASON, LONGEST_PLACE = 32, 64, 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """How the last rounds of a kind of work went. `failures`: in a row, 0 where the last one went well."""

    name: str
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    reason: str | None = None  # of the last failure: an error code, or the name of an exception nobody foresaw
    place: str | None = None  # where in our code that exception came from; None: the failure was foreseen
    failures: int = 0

    @property
    def is_failing(self) -> bool:
        return self.failures > 0

    @property
    def is_strange(self) -> bool:
        """Whether the work fails in an unforeseen way."""
        return self.failures > 0 and self.place is not None

    @property
    def failing_since(self) -> datetime | None:
        """Beginning of the present failures, as far as is known; None if the work goes well."""
        if not self.failures:
            return None
        return self.succeeded_at or self.failed_at


def age_of(moment: datetime | None, now: datetime) -> timedelta | None:
    """Age of a moment; None if unknown, as for a moment that never was or lies ahead of us."""
    if moment is None or moment - now > AHEAD:
        return None
    return max(now - moment, timedelta())


def place_of(error: BaseException) -> str | None:
    """The place in our own code at which an exception was raised: "desk.delivery.carry:112". None if the exception
    never passed our code."""
    frames = [
        (str(frame.f_globals.get("__name__", "")), line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    ours = [(module, line) for module, line in frames if module.partition(".")[0] in ROOMS and module != __name__]
    return f"{ours[-1][0]}:{ours[-1][1]}"[:LONGEST_PLACE] if ours else None


def reason_of(error: BaseException) -> str:
    """An error's code, or the name of an exception that is none of ours."""
    return (error.code if isinstance(error, DeskError) else type(error).__name__)[:LONGEST_REASON]


@dataclass(slots=True)
class _Heard:
    """A kind of work as known to this process, and the part of it already written down."""

    last: Round
    unwritten_failures: int = 0
    is_written: bool = False  # how it goes is; when it last went so may be a few seconds behind
    is_refused: bool = False  # the database did not take it
    written_at: datetime | None = None  # by the wall clock: a jump of it is a reason to write anew
    written_s: float = float("-inf")
    tried_s: float = float("-inf")

    def is_due(self, error: BaseException | None, now: datetime, now_s: float) -> bool:
        """Whether the present state is to be written now."""
        if self.is_refused and now_s - self.tried_s < WRITE_AGAIN_S:
            return False
        if not self.is_written or self.written_at is None:
            return True
        if error is not None:
            return now_s - self.written_s >= SAME_FAILURE_EVERY_S
        return abs(now - self.written_at) >= WRITTEN_EVERY


class Rounds:
    """The rounds of one desk. Thread-safe; several processes may share the database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._heard: dict[str, _Heard] = {}

    def told(self, name: str, error: BaseException | None = None) -> None:
        """A round of `name` has ended: well, or with this error. Never raises, and never waits for a database that is away."""
        try:
            self._told(name[:LONGEST_NAME], error)
        except Exception as trouble:  # whoever tells has work to do
            log.error("a round of %s could not be noted: %s", name, type(trouble).__name__)

    @contextmanager
    def round(self, name: str) -> Iterator[None]:
        """Run a round of `name` that fails alone: an exception inside is recorded, and the caller goes on."""
        try:
            yield
        except Exception as error:
            if isinstance(error, DeskError):
                log.warning("%s: %s", name, error)
            else:
                log.error("%s stumbled: %s at %s", name, type(error).__name__, place_of(error) or "-")
            self.told(name, error)
        else:
            self.told(name)

    def all(self) -> dict[str, Round]:
        """Every kind of work by name, as last written by any process. Raises `StoreError`."""
        with self._store.read() as db:
            rows = db.execute(sa.select(worker_rounds)).mappings().all()
        known = {row["name"]: Round(**{name: row[name] for name in Round.__slots__}) for row in rows}
        with self._lock:
            fresh = {name: heard.last for name, heard in self._heard.items() if not heard.is_written}
        return known | fresh

    def _told(self, name: str, error: BaseException | None) -> None:
        now, now_s = clock.now(), time.monotonic()
        with self._lock:
            heard = self._heard.setdefault(name, _Heard(Round(name)))
            before, heard.last = heard.last, _after(heard.last, error, now)
            heard.unwritten_failures += error is not None
            heard.is_written = heard.is_written and _story(before) == _story(heard.last)
            if not heard.is_due(error, now, now_s):
                return
            heard.tried_s = now_s
            last, count = heard.last, heard.unwritten_failures
        try:
            self._write(last, count)
        except StoreError as trouble:
            log.error("a round of %s could not be written: %s", name, type(trouble).__name__)
            heard.is_refused = True
            return
        with self._lock:
            heard.is_written, heard.is_refused = _story(heard.last) == _story(last), False
            heard.unwritten_failures -= count
            heard.written_at, heard.written_s = now, now_s

    def _write(self, last: Round, failures: int) -> None:
        """Bring the row up to date. Failures are added to the count of other processes."""
        mine = worker_rounds.c.name == last.name
        with self._store.write(durable=False) as db:
            self._store.serialise(db, f"round {last.name}")
            counted = db.scalar(sa.select(worker_rounds.c.failures).where(mine))
            values: dict[str, Any] = {"succeeded_at": last.succeeded_at} if last.succeeded_at else {}
            if last.failed_at:
                values |= {"failed_at": last.failed_at, "reason": last.reason, "place": last.place}
            values["failures"] = max((counted or 0) + failures, last.failures) if last.failures else 0
            if counted is None:
                db.execute(worker_rounds.insert().values(name=last.name, **values))
            else:
                db.execute(worker_rounds.update().where(mine).values(**values))


def _after(last: Round, error: BaseException | None, now: datetime) -> Round:
    if error is None:
        return replace(last, succeeded_at=now, failures=0)
    place = None if isinstance(error, DeskError) else (place_of(error) or "-")
    return replace(last, failed_at=now, reason=reason_of(error), place=place, failures=last.failures + 1)


def _story(one: Round) -> tuple[bool, str | None, str | None]:
    """The part of a round whose change is news."""
    return (one.is_failing, one.reason if one.is_failing else None, one.place if one.is_failing else None)


def failing(rounds: Mapping[str, Round]) -> list[Round]:
    """The kinds of work whose last round failed, the longest failing first."""
    return sorted((one for one in rounds.values() if one.is_failing), key=lambda one: str(one.failing_since))

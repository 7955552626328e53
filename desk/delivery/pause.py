"""The pause of the whole queue: a row in the database, shared by all processes.

A failure that would meet every lead makes all of them wait. When the time is over, one lead tries for all: its success lifts the
pause, its failure makes the pause longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from crm.errors import DeskError
from desk.delivery.decisions import PERHAPS_ITS_OWN, queue_pause
from store import Store, clock, waits
from store.tables import delivery_pause

TRY_FOR_ALL_S = 15.0
"""Time for the lead that tries for all while the queue waits, before the next lead may try; renewed with its lease."""

_NO_PAUSE: dict[str, Any] = {
    "reason": None, "since": None, "until": 0.0, "waits_from": 0.0, "failures": 0, "grant_generation": None,
}  # fmt: skip


class Pause:
    """The pause of a database's queue. Thread-safe; several processes may share the database."""

    def __init__(self, store: Store, generation: Callable[[], int]) -> None:
        """`generation`: counts grants of the connection; a new grant ends the pause."""
        self._store, self._generation = store, generation

    def current(self, db: sa.Connection) -> sa.RowMapping:
        """The row of the pause. A pause from before the present grant is lifted first. `db`: a writing transaction."""
        wanted = sa.select(delivery_pause)
        row = db.execute(wanted).mappings().one()
        if row["reason"] is None or row["grant_generation"] == self._generation():
            return row
        db.execute(delivery_pause.update().values(_NO_PAUSE))
        return db.execute(wanted).mappings().one()

    def impose(self, error: DeskError) -> None:
        """Make the queue wait after a search has met an error."""
        with self._store.write() as db:
            self.impose_in(db, error, self._store.clock(db), counts=True)

    def impose_in(self, db: sa.Connection, error: DeskError, now_s: float, *, counts: bool) -> None:
        """Make the queue wait, within the caller's transaction.

        `counts`: the error met a try for all, and makes the pause longer. Any other error leaves a longer pause as it is.
        """
        row = db.execute(sa.select(delivery_pause)).mappings().one()
        failures = row["failures"] + 1 if counts or row["reason"] is None else row["failures"]
        pause_s = queue_pause(error, max(failures, 1))
        if not counts:
            pause_s = max(pause_s, waits.left_s(row["waits_from"], row["until"], now_s))
        db.execute(
            delivery_pause.update().values(
                reason=error.code,
                since=row["since"] or clock.now(),
                failures=failures,
                grant_generation=self._generation(),
                **_lasting(now_s, pause_s),
            )
        )

    def lift(self, *, by_reading: bool = False) -> None:
        """Let the queue go on. `by_reading`: after a read, which proves no right to write."""
        with self._store.read() as db:
            reason = db.scalar(sa.select(delivery_pause.c.reason))
        if reason is not None and not (by_reading and reason in PERHAPS_ITS_OWN):
            with self._store.write() as db:
                db.execute(delivery_pause.update().values(_NO_PAUSE))


def has_ended(pause: sa.RowMapping, now_s: float) -> bool:
    """Whether the queue is not paused, or the pause is over and a single lead may try for all."""
    return pause["reason"] is None or waits.is_over(pause["waits_from"], pause["until"], now_s)


def wait_for_try(db: sa.Connection, now_s: float) -> None:
    """Keep the queue waiting while a lead tries for all. No effect if the queue is not paused."""
    waiting = delivery_pause.update().where(delivery_pause.c.reason.is_not(None))
    db.execute(waiting.values(**_lasting(now_s, TRY_FOR_ALL_S)))


def _lasting(now_s: float, pause_s: float) -> dict[str, Any]:
    """The end of a pause, as columns."""
    return {"until": now_s + pause_s, "waits_from": now_s}

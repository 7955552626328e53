"""The journal of operations with AmoCRM: operation, time, duration, result.

Lines go to the console and into the database; a page that shows them is `desk.journal`'s business. A line holds ids and fingerprints and
never a token, a phone, a name or a body; `subject` is the only free text and callers put ids there.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from store import Store, StoreError, clock
from store.tables import activity

KEEP = timedelta(days=30)
"""Time for which lines are kept. Long enough to look into a trouble of last week."""

PRUNE_EVERY = 500
"""Lines between two clean-ups."""

OK = "ok"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """An operation. `result` is "ok" or an error code; `status` is None without an answer."""

    kind: str
    operation: str
    result: str = OK
    status: int | None = None
    duration_ms: int | None = None
    request_id: str | None = None
    subject: str | None = None
    at: datetime | None = None


class Journal:
    """Writes lines to the console and the database. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._until_prune = 1

    def write(self, line: Line) -> None:
        """Keep a line. Never raises: a broken journal must not stop the work described in the line."""
        log.log(
            logging.INFO if line.result == OK else logging.WARNING,
            "%s %s %s status=%s %sms request=%s %s",
            line.kind,
            line.operation,
            line.result,
            line.status or "-",
            "-" if line.duration_ms is None else line.duration_ms,
            line.request_id or "-",
            line.subject or "",
        )
        try:
            with self._store.write(durable=False) as db:
                db.execute(activity.insert().values(_row(line)))
                if self._time_to_prune():
                    db.execute(activity.delete().where(activity.c.at < clock.now() - KEEP))
        except StoreError as error:
            log.error("the journal could not be written: %s", type(error).__name__)

    def _time_to_prune(self) -> bool:
        with self._lock:
            self._until_prune = self._until_prune - 1 or PRUNE_EVERY
            return self._until_prune == PRUNE_EVERY


def _row(line: Line) -> dict[str, object]:
    return {
        "at": line.at or clock.now(),
        "kind": line.kind,
        "operation": line.operation[:64],
        "result": line.result[:64],
        "status": line.status,
        "duration_ms": line.duration_ms,
        "request_id": line.request_id and line.request_id[:100],
        "subject": line.subject and line.subject[:200],
    }

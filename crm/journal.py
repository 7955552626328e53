"""The journal of operations with AmoCRM: what was done, when, how long it took, what came of it.

For people: the activity page and the console show the same lines. A line holds ids and fingerprints and
never a token, a phone, a name or a body; `subject` is the only free text and callers put ids there.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from store import Store, StoreError, clock
from store.tables import activity

KINDS = ("token", "lead", "contact", "field", "hook", "read", "export")
"""What an operation is about; the activity page filters by it. "Problems" is every line that is not ok."""

OF_KIND = {"field": "fields.", "hook": "webhooks."}
"""Operations that belong to a kind although they only read."""

KEEP = timedelta(days=30)
"""How long lines stay. Long enough to look into "it fell off again last week"."""

PRUNE_EVERY = 500
"""Lines between two clean-ups."""

OK = "ok"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One operation. `result` is "ok" or an error code; `status` is None where no answer came."""

    kind: str
    operation: str
    result: str = OK
    status: int | None = None
    duration_ms: int | None = None
    request_id: str | None = None
    subject: str | None = None
    at: datetime | None = None


class Journal:
    """Writes lines to the console and the database, and reads them back. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._until_prune = 1

    def write(self, line: Line) -> None:
        """Keep a line. Never raises: a journal that cannot be written must not stop the work it describes."""
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

    def recent(self, *, kind: str | None = None, problems: bool = False, limit: int = 200) -> list[Line]:
        """The newest lines first; of one kind, or only those that did not end well."""
        wanted = sa.select(activity).order_by(activity.c.at.desc(), activity.c.id.desc()).limit(limit)
        if kind is not None:
            wanted = wanted.where(
                sa.or_(activity.c.kind == kind, activity.c.operation.startswith(OF_KIND.get(kind, "-")))
            )
        if problems:
            wanted = wanted.where(activity.c.result != OK)
        with self._store.read() as db:
            rows = db.execute(wanted).mappings().all()
        return [Line(**{key: value for key, value in row.items() if key != "id"}) for row in rows]

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

"""How far each reading is: where the next one begins, when it is due, what went wrong. One owner among all processes."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crm.errors import DeskError
from crm.store import Store, clock
from crm.store.owners import is_gone, me
from crm.store.tables import mirror_walks

FILL, LEADS, CONTACTS, BIN, EVENTS, REFERENCE, COUNT = (
    "fill",
    "leads",
    "contacts",
    "bin",
    "events",
    "reference",
    "count",
)

ALL = (FILL, LEADS, CONTACTS, BIN, EVENTS, REFERENCE, COUNT)

KEEPER = "keeper"
"""The row that says which process keeps the mirror."""

LEASE_S = 20.0
"""How long the keeping stays with a process without a sign of life. One that is certainly gone keeps nothing."""

RENEW_S = LEASE_S / 4

RETRY_S = (5.0, 15.0, 60.0, 300.0)
"""Before a reading that failed is tried again, by failures in a row."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One reading. `cursor`: where it goes on. `as_of`: when the last whole one began: what is here was true then."""

    name: str
    cursor: Any = None
    done: int = 0
    began_at: datetime | None = None
    as_of: datetime | None = None
    due_at: float = 0.0
    failures: int = 0
    reason: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it has come to an end once."""
        return self.as_of is not None


class Walks:
    """The readings of one database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept_at = float("-inf")

    def all(self) -> dict[str, Walk]:
        """Every reading that has begun."""
        with self._store.read() as db:
            rows = db.execute(sa.select(mirror_walks)).mappings().all()
        return {row["name"]: _walk(row) for row in rows}

    def of(self, name: str) -> Walk:
        return self.all().get(name, Walk(name))

    def due(self) -> set[str]:
        """The readings whose time has come; those that have never begun among them."""
        with self._store.read() as db:
            now = self._store.clock(db)
            later = sa.select(mirror_walks.c.name).where(mirror_walks.c.due_at > now)
            return set(ALL) - set(db.scalars(later))

    def begin(self, name: str, cursor: Any) -> None:
        """A reading starts."""
        self._write(name, cursor=json.dumps(cursor), done=0, began_at=clock.now())

    def step(self, db: sa.Connection, name: str, cursor: Any, done: int) -> None:
        """Something of it is kept: in the same transaction as what came."""
        db.execute(
            mirror_walks.update()
            .where(mirror_walks.c.name == name)
            .values(cursor=json.dumps(cursor), done=mirror_walks.c.done + done)
        )

    def end(self, name: str, *, as_of: datetime, cursor: Any, next_in_s: float) -> None:
        """It came to its end; `as_of`: when it began."""
        told = {"as_of": as_of, "cursor": json.dumps(cursor), "failures": 0, "reason": None}
        self._write(name, due_in_s=next_in_s, **told)

    def fail(self, name: str, error: DeskError) -> None:
        """It broke off; it goes on from its cursor a little later."""
        failures = self.of(name).failures + 1
        pause_s = max(RETRY_S[min(failures, len(RETRY_S)) - 1], error.retry_after_s or 0.0)
        self._write(name, due_in_s=pause_s, failures=failures, reason=error.code)

    def hurry(self, name: str, in_s: float = 0.0) -> None:
        """It is due sooner than it would be."""
        with self._store.write(durable=False) as db:
            wanted = self._store.clock(db) + in_s
            sooner = (mirror_walks.c.name == name, mirror_walks.c.due_at > wanted)
            db.execute(mirror_walks.update().where(*sooner).values(due_at=wanted))

    def keep(self) -> bool:
        """Be, or stay, the process that keeps the mirror. False where another one does."""
        if time.monotonic() - self._kept_at < RENEW_S:
            return True
        with self._store.write(durable=False) as db:
            self._store.serialise(db, KEEPER)
            now = self._store.clock(db)
            row = db.execute(sa.select(mirror_walks).where(mirror_walks.c.name == KEEPER)).mappings().first()
            if row is not None and row["lease_until"] > now and _is_anothers(row["lease_owner"] or ""):
                return False
            values = {"lease_owner": me(), "lease_until": now + LEASE_S}
            if row is None:
                db.execute(mirror_walks.insert().values(name=KEEPER, **values))
            else:
                db.execute(mirror_walks.update().where(mirror_walks.c.name == KEEPER).values(**values))
        self._kept_at = time.monotonic()
        return True

    def let_go(self) -> None:
        """Keep it no longer, so that another process can begin at once."""
        self._kept_at = float("-inf")
        with self._store.write(durable=False) as db:
            mine = (mirror_walks.c.name == KEEPER, mirror_walks.c.lease_owner == me())
            db.execute(mirror_walks.update().where(*mine).values(lease_until=0.0))

    def _write(self, name: str, *, due_in_s: float | None = None, **values: Any) -> None:
        with self._store.write(durable=False) as db:
            self._store.serialise(db, "mirror")
            if due_in_s is not None:
                values["due_at"] = self._store.clock(db) + due_in_s
            changed = db.execute(mirror_walks.update().where(mirror_walks.c.name == name).values(**values)).rowcount
            if not changed:
                db.execute(mirror_walks.insert().values(name=name, **values))


def _is_anothers(owner: str) -> bool:
    return owner != me() and not is_gone(owner)


def _walk(row: Mapping[str, Any] | sa.RowMapping) -> Walk:
    return Walk(
        row["name"],
        json.loads(row["cursor"]) if row["cursor"] else None,
        row["done"],
        row["began_at"],
        row["as_of"],
        row["due_at"],
        row["failures"],
        row["reason"],
    )

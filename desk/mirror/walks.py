"""Progress of each reading: its next beginning, its due time, its failure. One owner among all processes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crm.errors import DeskError
from store import Store, clock, waits
from store.owners import is_gone, me
from store.tables import mirror_walks

FILL, LEADS, CONTACTS, TASKS, BIN, CONTACTS_BIN, EVENTS, REFERENCE, COUNT, NIGHT = (
    "fill",
    "leads",
    "contacts",
    "tasks",
    "bin",
    "contacts_bin",
    "events",
    "reference",
    "count",
    "night",
)

ALL = (FILL, LEADS, CONTACTS, TASKS, BIN, CONTACTS_BIN, EVENTS, REFERENCE, COUNT, NIGHT)

BY_TIME = (LEADS, CONTACTS, TASKS, BIN, CONTACTS_BIN, EVENTS)
"""Readings that go on from a time of AmoCRM's."""

HINTS = "hints"
"""The row for fetching hints. Never due."""

KEEPER = "keeper"
"""The row for the process that keeps the mirror."""

LEASE_S = 20.0
"""Seconds a process keeps the mirror without a sign of life. A process that is certainly gone is replaced at once."""

RENEW_S = LEASE_S / 4

LEASE_SLACK_S = 5.0
"""How much further in the future than its own length a lease may end: clocks are put back by a moment all the time, and a
lease from beyond that was written by a clock that was wrong."""

SINCE = "since"
"""In a cursor: the time of AmoCRM's a reading goes on from."""

WANTED = "wanted"
"""Key in the contacts' cursor: ids of linked contacts not read yet."""

RETRY_S = (5.0, 15.0, 60.0, 300.0)
"""Seconds before a failed reading is retried, by failures in a row."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A reading and its progress. `cursor`: the place to go on from.

    `as_of`: when the last whole one began, by AmoCRM's clock if that is known: what is here was true then. `whole_at`: the
    same by the shared clock, unix seconds. `waits_from`: when its `due_at` was written down.
    """

    name: str
    cursor: Any = None
    done: int = 0
    began_at: datetime | None = None
    as_of: datetime | None = None
    due_at: float = 0.0
    failures: int = 0
    reason: str | None = None
    failing_since: datetime | None = None
    whole_at: float | None = None
    waits_from: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether the reading has finished at least once."""
        return self.as_of is not None


class Walks:
    """The readings of a database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept_at = float("-inf")

    def all(self) -> dict[str, Walk]:
        """Every reading that has begun, by name."""
        with self._store.read() as db:
            rows = db.execute(sa.select(mirror_walks)).mappings().all()
        return {row["name"]: _walk(row) for row in rows}

    def of(self, name: str) -> Walk:
        return self.all().get(name, Walk(name))

    def due(self) -> set[str]:
        """Names of due readings, including readings never begun."""
        with self._store.read() as db:
            now = self._store.clock(db)
            over = waits.over(mirror_walks.c.waits_from, mirror_walks.c.due_at, now)
            return set(ALL) - set(db.scalars(sa.select(mirror_walks.c.name).where(sa.not_(over))))

    def now_s(self) -> float:
        """The shared clock, unix seconds."""
        with self._store.read() as db:
            return self._store.clock(db)

    def begin(self, name: str, cursor: Any, *, began_at: datetime | None = None) -> None:
        """A reading starts; `began_at`: by AmoCRM's clock, None: now by ours."""
        self._write(name, cursor=json.dumps(cursor), done=0, began_at=began_at or clock.now())

    def step(self, db: sa.Connection, name: str, cursor: Any, done: int) -> None:
        """Note progress of a reading, which clears its failures, in the same transaction as its rows."""
        well = {"failures": 0, "reason": None, "failing_since": None}
        db.execute(
            mirror_walks.update()
            .where(mirror_walks.c.name == name)
            .values(cursor=json.dumps(cursor), done=mirror_walks.c.done + done, **well)
        )

    def end(self, name: str, *, as_of: datetime, cursor: Any, next_in_s: float, began_s: float | None = None) -> None:
        """Finish a reading. `as_of`: its beginning; `began_s`: its beginning by `time.monotonic`, None: just now."""
        told = {"as_of": as_of, "cursor": json.dumps(cursor), "failures": 0, "reason": None, "failing_since": None}
        ago_s = time.monotonic() - began_s if began_s is not None else 0.0
        self._write(name, due_in_s=next_in_s, whole_ago_s=ago_s, **told)

    def fail(self, name: str, error: DeskError) -> None:
        """Note a failed reading; a retry goes on from its cursor a little later."""
        known = self.of(name)
        failures = known.failures + 1
        pause_s = max(RETRY_S[min(failures, len(RETRY_S)) - 1], error.retry_after_s or 0.0)
        since = known.failing_since or clock.now()
        self._write(name, due_in_s=pause_s, failures=failures, reason=error.code, failing_since=since)

    def hurry(self, name: str, in_s: float = 0.0) -> None:
        """Bring a reading's next run forward."""
        with self._store.write(durable=False) as db:
            now = self._store.clock(db)
            sooner = (mirror_walks.c.name == name, mirror_walks.c.due_at > now + in_s)
            db.execute(mirror_walks.update().where(*sooner).values(due_at=now + in_s, waits_from=now))

    def want_contacts(self, db: sa.Connection, ids: Iterable[int]) -> None:
        """Add linked contacts for the next round, in the same transaction as their leads."""
        if wanted := set(ids):
            self._note_contacts(db, lambda known: known | wanted)

    def contacts_done(self, ids: Iterable[int]) -> None:
        """Take contacts off the list for the next round, as read or absent."""
        done = set(ids)
        with self._store.write(durable=False) as db:
            self._store.serialise(db, "mirror")
            self._note_contacts(db, lambda known: known - done)

    def wanted_contacts(self) -> list[int]:
        """Linked contacts not read yet, the newest first."""
        return sorted((self.of(CONTACTS).cursor or {}).get(WANTED, ()), reverse=True)

    def _note_contacts(self, db: sa.Connection, change: Callable[[set[int]], set[int]]) -> None:
        mine = mirror_walks.c.name == CONTACTS
        text = db.scalar(sa.select(mirror_walks.c.cursor).where(mine))
        cursor = json.loads(text or "null") or {}
        told = cursor | {WANTED: sorted(change(set(cursor.get(WANTED, ()))))}
        db.execute(mirror_walks.update().where(mine).values(cursor=json.dumps(told)))

    def rewind(self, by_s: float) -> None:
        """Move the cursors of readings that go on from a time back, after a jump of a clock, and make them due."""
        with self._store.write(durable=False) as db:
            self._store.serialise(db, "mirror")
            now = self._store.clock(db)
            mine = mirror_walks.c.name.in_((*BY_TIME, FILL))
            for row in db.execute(sa.select(mirror_walks).where(mine)).mappings().all():
                cursor = json.loads(row["cursor"]) if row["cursor"] else None
                values: dict[str, Any] = {"due_at": now, "waits_from": now}
                if isinstance(cursor, dict) and isinstance(cursor.get(SINCE), int):
                    values["cursor"] = json.dumps(cursor | {SINCE: max(0, int(cursor[SINCE] - by_s))})
                db.execute(mirror_walks.update().where(mirror_walks.c.name == row["name"]).values(**values))

    def keep(self) -> bool:
        """Become or stay the process that keeps the mirror. False if another process does."""
        if time.monotonic() - self._kept_at < RENEW_S:
            return True
        with self._store.write(durable=False) as db:
            self._store.serialise(db, KEEPER)
            now = self._store.clock(db)
            row = db.execute(sa.select(mirror_walks).where(mirror_walks.c.name == KEEPER)).mappings().first()
            if row is not None and _is_held(row["lease_until"], now) and _is_anothers(row["lease_owner"] or ""):
                return False
            values = {"lease_owner": me(), "lease_until": now + LEASE_S}
            if row is None:
                db.execute(mirror_walks.insert().values(name=KEEPER, **values))
            else:
                db.execute(mirror_walks.update().where(mirror_walks.c.name == KEEPER).values(**values))
        self._kept_at = time.monotonic()
        return True

    def let_go(self) -> None:
        """Stop keeping the mirror, so that another process can begin at once."""
        self._kept_at = float("-inf")
        with self._store.write(durable=False) as db:
            mine = (mirror_walks.c.name == KEEPER, mirror_walks.c.lease_owner == me())
            db.execute(mirror_walks.update().where(*mine).values(lease_until=0.0))

    def _write(
        self, name: str, *, due_in_s: float | None = None, whole_ago_s: float | None = None, **values: Any
    ) -> None:
        with self._store.write(durable=False) as db:
            self._store.serialise(db, "mirror")
            now = self._store.clock(db)
            if due_in_s is not None:
                values |= {"due_at": now + due_in_s, "waits_from": now}
            if whole_ago_s is not None:
                values["whole_at"] = now - whole_ago_s
            changed = db.execute(mirror_walks.update().where(mirror_walks.c.name == name).values(**values)).rowcount
            if not changed:
                db.execute(mirror_walks.insert().values(name=name, **values))


def _is_held(lease_until: float, now_s: float) -> bool:
    """Whether a lease still lasts; an impossibly long lease was written by a clock that was wrong."""
    return not waits.is_over(lease_until - LEASE_S - LEASE_SLACK_S, lease_until, now_s)


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
        row["failing_since"],
        row["whole_at"],
        row["waits_from"],
    )

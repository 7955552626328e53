"""Jumps of the clocks, stored for every process and every page.

Three clocks are looked at beside the one that never jumps (`time.monotonic`): the machine's, the database's where that is
another one, and AmoCRM's as its answers tell it. `between` decides, a pure function over two looks; `Jumps` keeps what was
found: which clock, by how much, when, and when what it may have cost was made good.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa

from store import clock
from store.engine import Store
from store.tables import facts

MACHINE, DATABASE, AMOCRM = "machine", "database", "amocrm"

JUMP_S = 5.0
"""Seconds by which a clock must outrun the passing of time to count as jumped. A clock that is adjusted gradually
moves half a second in a quarter of an hour, and AmoCRM tells whole seconds."""

SAME_S = 60.0
"""Seconds within which two processes of a machine note the same jump of its clock."""

KEPT = 10
"""Number of jumps remembered, the newest first."""

FACT = "clock jumps"


@dataclass(frozen=True, slots=True)
class Look:
    """The clocks at a moment, as seconds ahead of the monotonic clock, from least to most; None if a clock is not
    known."""

    machine: tuple[float, float]
    database: tuple[float, float] | None = None
    amocrm: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump of a clock. `by_s`: forwards if positive. `at`: unix seconds by the machine's clock after the jump.

    `taken_up_at`: readings were sent back over the time in question; `made_good_at`: they have come to their end.
    """

    clock: str
    by_s: float
    at: float
    taken_up_at: float | None = None
    made_good_at: float | None = None


def between(before: Look, after: Look, least_s: float = JUMP_S) -> list[tuple[str, float]]:
    """Clocks that have jumped between two looks, with the least number of seconds for each."""
    pairs = (
        (MACHINE, before.machine, after.machine),
        (DATABASE, before.database, after.database),
        (AMOCRM, before.amocrm, after.amocrm),
    )
    found = [(name, _apart(first, second)) for name, first, second in pairs if first and second]
    return [(name, by_s) for name, by_s in found if abs(by_s) >= least_s]


def _apart(first: tuple[float, float], second: tuple[float, float]) -> float:
    """The distance by which the second range lies beyond the first; 0 if they touch."""
    if second[0] > first[1]:
        return second[0] - first[1]
    return second[1] - first[0] if second[1] < first[0] else 0.0


class Jumps:
    """The jumps stored in a database. Thread-safe; several processes may share the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[Jump]:
        """Return the remembered jumps, the newest first. One small read."""
        with self._store.read() as db:
            return self._read(db)

    def last(self) -> Jump | None:
        """Return the newest jump, None if no clock has ever jumped."""
        return next(iter(self.all()), None)

    def note(self, found: Iterable[tuple[str, float]]) -> None:
        """Store jumps, unless another process of the machine has just stored them."""
        now = clock.unix()
        with self._store.write(durable=False) as db:
            self._store.serialise(db, FACT)
            known = self._read(db)
            for name, by_s in found:
                if not any(_is_same(jump, name, by_s, now) for jump in known):
                    known.insert(0, Jump(name, round(by_s, 1), now))
            self._write(db, known)

    def take_up(self) -> list[Jump]:
        """Return the jumps nobody has taken up yet, and mark them as taken up."""
        if all(jump.taken_up_at is not None for jump in self.all()):
            return []
        now = clock.unix()
        with self._store.write(durable=False) as db:
            self._store.serialise(db, FACT)
            known = self._read(db)
            self._write(db, [replace(jump, taken_up_at=jump.taken_up_at or now) for jump in known])
        return [jump for jump in known if jump.taken_up_at is None]

    def make_good(self) -> None:
        """Mark the jumps taken up as made good: their time has been read again."""
        if all(jump.made_good_at is not None or jump.taken_up_at is None for jump in self.all()):
            return
        now = clock.unix()
        with self._store.write(durable=False) as db:
            self._store.serialise(db, FACT)
            known = [
                replace(jump, made_good_at=now) if jump.taken_up_at is not None and jump.made_good_at is None else jump
                for jump in self._read(db)
            ]
            self._write(db, known)

    @staticmethod
    def _read(db: sa.Connection) -> list[Jump]:
        text = db.scalar(sa.select(facts.c.value).where(facts.c.key == FACT))
        return [Jump(**row) for row in json.loads(text)] if text else []

    def _write(self, db: sa.Connection, known: list[Jump]) -> None:
        rows = [asdict(jump) for jump in known[:KEPT]]
        self._store.upsert(db, facts, [{"key": FACT, "value": json.dumps(rows)}])


def _is_same(jump: Jump, name: str, by_s: float, now: float) -> bool:
    return jump.clock == name and abs(jump.by_s - by_s) < JUMP_S and abs(now - jump.at) < SAME_S

"""The three clocks under watch (AmoCRM's, the database's, the machine's), compared with the monotonic clock, which
never jumps.

Each process looks at them all the time, whoever keeps the mirror. How they stood to each other is written down once a minute,
so that a process that starts sees what has jumped while none was running.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from typing import Any

from crm.client import Client
from store import Store, clock
from store.jumps import AMOCRM, DATABASE, MACHINE, Jumps, Look, between

DATABASE_EVERY_S = 10.0
"""Between two looks at the clock of a database that has its own: one small read. Sooner if another clock has jumped."""

NOTE_EVERY_S = 60.0

APART_S = 60.0
"""Seconds by which a clock must differ from AmoCRM's more than at the desk's last run to count as jumped; two
machines on the internet may differ by less."""

FACT = "clocks"

log = logging.getLogger(__name__)


class Clocks:
    """The watch over the clocks in a process. Not thread-safe: the mirror's thread looks."""

    def __init__(self, store: Store, client: Client) -> None:
        self._store, self._client = store, client
        self.jumps = Jumps(store)
        self._before: Look | None = None
        self._database: tuple[float, float] | None = None
        self._database_at_s = self._noted_at_s = float("-inf")
        self._earlier: dict[str, Any] | None = None
        self._is_compared = False

    def look(self) -> None:
        """Look at all clocks, and store the jumps since the last look."""
        now_s = time.monotonic()
        seen = Look(self._machine(), self._database, self._client.clock.ahead_s(now_s))
        found = between(self._before, seen) if self._before is not None else []
        if not self._store.is_sqlite and (found or now_s - self._database_at_s > DATABASE_EVERY_S):
            self._ask_database(now_s)
            seen = replace(seen, database=self._database)
            found = between(self._before, seen) if self._before is not None else []
        if not self._is_compared:
            found += self._compare(seen)
        self._before = seen
        if found:
            for name, by_s in found:
                log.warning("the clock of %s has jumped by %+.0f s", name, by_s)
            self.jumps.note(found)
        if found or now_s - self._noted_at_s > NOTE_EVERY_S:
            self._noted_at_s = now_s
            self._note(seen)

    def _machine(self) -> tuple[float, float]:
        before_s = time.monotonic()
        now = clock.unix()
        return now - time.monotonic(), now - before_s

    def _ask_database(self, now_s: float) -> None:
        """Look at the database's own clock."""
        self._database_at_s = now_s
        with self._store.read() as db:
            before_s = time.monotonic()
            now = self._store.clock(db)
            self._database = now - time.monotonic(), now - before_s

    def _compare(self, seen: Look) -> list[tuple[str, float]]:
        """Jumps while no desk was running: our clock went back, or its distance to AmoCRM's changed."""
        if self._earlier is None:
            self._earlier = json.loads(self._store.recall(FACT) or "{}")
        earlier, now = self._earlier, clock.unix()
        if now < earlier.get(MACHINE, now) - APART_S:
            self._is_compared = True
            return [(MACHINE, now - earlier[MACHINE])]
        if seen.amocrm is None:
            return []
        self._is_compared = True
        apart: list[tuple[str, float]] = []
        for name in (MACHINE, DATABASE):
            now_ahead, then_ahead = self._ahead(seen, name), earlier.get(_key(name))
            if now_ahead is not None and then_ahead is not None:
                apart.append((name, now_ahead - then_ahead))
        if len(apart) == 2 and all(abs(by_s) > APART_S for _, by_s in apart):
            return [(AMOCRM, -apart[0][1])]  # one clock, or the one of a machine with both: the more is made good
        return [(name, by_s) for name, by_s in apart if abs(by_s) > APART_S]

    def _note(self, seen: Look) -> None:
        told: dict[str, float] = {MACHINE: clock.unix()}
        for name in (MACHINE, DATABASE):
            ahead = self._ahead(seen, name)
            if ahead is not None:
                told[_key(name)] = ahead
        self._store.remember(FACT, json.dumps(told))

    @staticmethod
    def _ahead(seen: Look, name: str) -> float | None:
        """Seconds by which our clock is ahead of AmoCRM's; None if either clock is not known."""
        ours = seen.machine if name == MACHINE else seen.database
        return None if ours is None or seen.amocrm is None else sum(ours) / 2 - sum(seen.amocrm) / 2


def _key(name: str) -> str:
    return f"{name} ahead"

"""The names in a form's submissions, for the page on which a form is taught. Names only, never values.

Written once a day for each name and process, so that a lead costs no write more; bounded, because anybody can make names up.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from desk.intake.meanings import Seen
from store import Store, clock
from store.tables import seen_names

MOST_NAMES = 200
"""Names of a form. The richest quiz has some forty questions."""

MOST_REMEMBERED = 20_000
"""Names of all forms a process remembers as written down."""

KEPT = timedelta(days=90)
"""How long a name is kept after its last coming."""

TELLING = re.compile(r"\d{7}|@|[\x00-\x1f\ud800-\udfff]")
"""Signs of a value in a name: a person's own words in place of a field's."""


@dataclass(frozen=True, slots=True)
class SeenName:
    """A name of a form, its field, the certainty (`desk.intake.meanings`), and the day of its last coming."""

    name: str
    meaning: str
    tier: int
    seen_at: datetime


class SeenNames:
    """The names of all forms. Thread-safe; several processes may share the database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._written: dict[tuple[str, Seen], date] = {}

    def note(self, form_id: str, seen: Iterable[Seen]) -> None:
        """Write down the names new today."""
        now = clock.now()
        with self._lock:
            if len(self._written) > MOST_REMEMBERED:
                self._written.clear()
            fresh = {
                one.name: one for one in seen if self._written.get((form_id, one)) != now.date() and _is_plain(one.name)
            }
        if not fresh:
            return
        mine = seen_names.c.form_id == form_id
        with self._store.write(durable=False) as db:
            known = set(db.scalars(sa.select(seen_names.c.name).where(mine)))
            room = MOST_NAMES - len(known)
            new = [name for name in fresh if name not in known][: max(0, room)]
            kept = [one for one in fresh.values() if one.name in known or one.name in new]
            told = [
                {"form_id": form_id, "name": one.name, "meaning": one.meaning, "tier": one.tier, "seen_at": now}
                for one in kept
            ]
            self._store.upsert(db, seen_names, told)
        with self._lock:
            self._written.update(dict.fromkeys(((form_id, one) for one in fresh.values()), now.date()))

    def of(self, form_id: str) -> list[SeenName]:
        """The names of a form: the unknown first, then by name."""
        with self._store.read() as db:
            rows = db.execute(sa.select(seen_names).where(seen_names.c.form_id == form_id)).mappings().all()
        found = [SeenName(row["name"], row["meaning"], row["tier"], row["seen_at"]) for row in rows]
        return sorted(found, key=lambda one: (bool(one.meaning), one.name.casefold()))

    def prune(self) -> None:
        """Forget names past their time."""
        with self._store.write(durable=False) as db:
            db.execute(seen_names.delete().where(seen_names.c.seen_at < clock.now() - KEPT))


def _is_plain(name: str) -> bool:
    return 0 < len(name) <= 200 and not TELLING.search(name)

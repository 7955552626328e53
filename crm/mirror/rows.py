"""The mirror's tables: keeping what came, unless something newer is there. Sends nothing.

Everything that changes what a screen may show counts the mirror's version up, in the same transaction.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from crm.mirror import decisions, moves, shape
from crm.mirror.shape import Places
from crm.store import Store, clock
from crm.store.tables import (
    contacts,
    hook_misses,
    known_phones,
    leads,
    loss_reasons,
    mirror_version,
    mirror_walks,
    people,
    stage_changes,
    stages,
)

MANY = 500
"""Ids in one statement; SQLite takes 32,766 at the most, PostgreSQL's planner likes fewer."""

NOBODY = {"name": "", "phones": "[]", "responsible_user_id": 0, "updated_at": 0, "is_deleted": True}
"""A contact that is named by a lead and that AmoCRM has not."""

NO_CONTACT: tuple[str, list[str]] = ("", [])


@dataclass(frozen=True, slots=True)
class Kept:
    """What keeping some leads or contacts has changed, as ids.

    `news`: were not here or were older here. `silent`: changed although their own time says they did not. `moved`: leads in
    another stage that AmoCRM's log has not told yet. `doubtful`: somebody has written them since this was asked for: ask again.
    """

    news: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()
    moved: tuple[int, ...] = ()
    doubtful: tuple[int, ...] = ()


class Rows:
    """The mirror's tables of one database. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._here = threading.local()

    @contextmanager
    def changing(self) -> Iterator[sa.Connection]:
        """A transaction after which screens look again if anything is different.

        What is lost in a power cut is read anew, so it is a light one.
        """
        with self._store.write(durable=False) as db:
            self._store.serialise(db, "mirror")
            self._here.changed = False
            yield db
            if self._here.changed:
                db.execute(mirror_version.update().values(number=mirror_version.c.number + 1))

    def mark(self) -> None:
        """Inside of `changing`: something is different."""
        self._here.changed = True

    def version(self) -> int:
        """Counts changes. One small read."""
        with self._store.read() as db:
            return self._version(db)

    # Leads and contacts

    def keep_leads(
        self,
        db: sa.Connection,
        found: Iterable[Mapping[str, Any]],
        places: Places,
        asked: int | None,
        read_at: float | None = None,
    ) -> Kept:
        """Leads as AmoCRM told them; a change of stage goes into the history.

        `asked`: the version when the question left (`decisions.verdict`). `read_at`: AmoCRM's time then, unix seconds.
        """
        rows = {lead["id"]: shape.lead_row(lead, places) for lead in found}
        if not rows:
            return Kept()
        known = self._known(db, leads, rows)
        persons = self._persons(db, {row["contact_id"] for row in rows.values()} - {None})
        for row in rows.values():
            row |= shape.joined(*persons.get(row["contact_id"], NO_CONTACT), row["own_phone"])
        told = {one: decisions.verdict(row, known.get(one), asked) for one, row in rows.items()}
        fresh = [row for one, row in rows.items() if told[one] == decisions.KEEP]
        self._write(db, leads, fresh)
        guesses = [
            moves.guess(row, known[row["id"]], read_at) for row in fresh if _has_moved(row, known.get(row["id"]))
        ]
        return Kept(
            **_news(fresh, known),
            moved=moves.keep_guesses(db, guesses),
            doubtful=tuple(one for one, word in told.items() if word == decisions.DOUBT),
        )

    def keep_contacts(
        self, db: sa.Connection, found: Iterable[Mapping[str, Any]], places: Places, asked: int | None
    ) -> Kept:
        """Contacts as AmoCRM told them, their phones, and what their leads show of them."""
        cards = {contact["id"]: contact for contact in found}
        rows = {one: shape.contact_row(contact, places) for one, contact in cards.items()}
        if not rows:
            return Kept()
        known = self._known(db, contacts, rows)
        told = {one: decisions.verdict(row, known.get(one), asked) for one, row in rows.items()}
        fresh = {one: row for one, row in rows.items() if told[one] == decisions.KEEP}
        self._write(db, contacts, list(fresh.values()))
        for some in _some(fresh):
            db.execute(known_phones.delete().where(known_phones.c.contact_id.in_(some)))
        if phones := shape.phone_rows([cards[one] for one in fresh], places):
            self._store.upsert(db, known_phones, phones)
        self._join_again(db, fresh)
        doubtful = tuple(one for one, word in told.items() if word == decisions.DOUBT)
        return Kept(**_news(fresh.values(), known), doubtful=doubtful)

    def bin_leads(self, db: sa.Connection, ids: Iterable[int], asked: int) -> list[int]:
        """Leads that are in AmoCRM's bin or gone: kept for the history, shown nowhere. Which of them were here.

        One that somebody has written since this was asked for stays.
        """
        gone: list[int] = []
        for some in _some(ids):
            here = (leads.c.id.in_(some), leads.c.is_deleted.is_(False), leads.c.kept_in <= asked)
            gone += db.scalars(sa.select(leads.c.id).where(*here))
        self._bin(db, leads, gone)
        return gone

    def bin_contacts(self, db: sa.Connection, ids: Iterable[int], asked: int) -> tuple[list[int], list[int]]:
        """Contacts that are gone: those that were here, and the leads that had them, which may have another one now.

        One that was never here is noted as gone, so that it is not asked for with every lead that names it.
        """
        gone: list[int] = []
        orphans: list[int] = []
        for some in _some(ids):
            here = {row.id: row for row in db.execute(sa.select(contacts).where(contacts.c.id.in_(some)))}
            nobody = [{"id": one, **NOBODY} for one in some if one not in here]
            self._write(db, contacts, nobody)
            some_gone = [one for one, row in here.items() if not row.is_deleted and row.kept_in <= asked]
            gone += some_gone
            db.execute(known_phones.delete().where(known_phones.c.contact_id.in_(some_gone)))
            orphans += db.scalars(
                sa.select(leads.c.id).where(leads.c.contact_id.in_(some_gone), leads.c.is_deleted.is_(False))
            )
        self._bin(db, contacts, gone)
        return gone, orphans

    def here(self, table: sa.Table, ids: Iterable[int]) -> set[int]:
        """Which of these leads or contacts are here and not in the bin."""
        found: set[int] = set()
        with self._store.read() as db:
            for some in _some(ids):
                found |= set(
                    db.scalars(sa.select(table.c.id).where(table.c.id.in_(some), table.c.is_deleted.is_(False)))
                )
        return found

    def unknown_contacts(self, db: sa.Connection, ids: Iterable[int]) -> set[int]:
        """Which of these contacts are not here."""
        wanted = set(ids)
        for some in _some(wanted.copy()):
            wanted -= set(db.scalars(sa.select(contacts.c.id).where(contacts.c.id.in_(some))))
        return wanted

    def remap(self, places: Places) -> None:
        """Another field was chosen for something, or phones are read better: compute those columns anew from what is stored."""
        self._read_phones_again()
        with self._store.read() as db:
            ids = list(db.scalars(sa.select(leads.c.id)))
        for some in _some(ids):
            with self.changing() as db:
                wanted = sa.select(leads.c.id, leads.c.custom, leads.c.contact_id).where(leads.c.id.in_(some))
                rows = db.execute(wanted).mappings().all()
                persons = self._persons(db, {row["contact_id"] for row in rows} - {None})
                for row in rows:
                    values = shape.mapped_values(json.loads(row["custom"]), places)
                    values |= shape.joined(*persons.get(row["contact_id"], NO_CONTACT), values["own_phone"])
                    db.execute(leads.update().where(leads.c.id == row["id"]).values(**values))
                self.mark()

    def _read_phones_again(self) -> None:
        """Contacts whose phones were kept as they stood in AmoCRM, because no number was found in them then."""
        with self._store.read() as db:
            wanted = sa.select(contacts.c.id, contacts.c.phones, contacts.c.updated_at).where(
                contacts.c.is_deleted.is_(False)
            )
            rows = [(row, json.loads(row.phones)) for row in db.execute(wanted)]
        learned = {row.id: (row, again) for row, told in rows if (again := shape.told_again(told)) != told}
        for some in _some(learned):
            with self.changing() as db:
                for contact_id in some:
                    row, again = learned[contact_id]
                    told = json.dumps(again, ensure_ascii=False)
                    is_as_read = sa.and_(contacts.c.id == contact_id, contacts.c.phones == row.phones)
                    if not db.execute(contacts.update().where(is_as_read).values(phones=told)).rowcount:
                        continue  # AmoCRM has told it anew meanwhile
                    known = [
                        {"phone": phone, "contact_id": contact_id, "updated_at": row.updated_at}
                        for phone in shape.known_of(again)
                    ]
                    if known:
                        self._store.upsert(db, known_phones, known)
                self.mark()

    # Moves, misses, another account

    def keep_events(self, db: sa.Connection, events: Iterable[Mapping[str, Any]]) -> int:
        """Stage changes as AmoCRM's own log tells them; one seen by comparing that they tell gives way. How many are new."""
        fresh = moves.keep_events(db, events)
        self._here.changed = self._here.changed or fresh > 0
        return fresh

    def settle_moves(self) -> int:
        """Look through all moves that were only seen by comparing for such as the log has told since. How many went."""
        with self.changing() as db:
            gone = moves.settle(db)
            self._here.changed = gone > 0
        return gone

    def note_misses(self, entity: str, ids: Iterable[int]) -> None:
        """Changes that no hook had told."""
        now = clock.now()
        rows = [{"at": now, "entity": entity, "entity_id": one} for one in ids]
        if rows:
            with self._store.write(durable=False) as db:
                db.execute(hook_misses.insert(), rows)

    def wipe(self) -> None:
        """Another account: nothing of the former one is true."""
        with self.changing() as db:
            self.mark()
            for table in (
                leads,
                contacts,
                known_phones,
                stage_changes,
                stages,
                people,
                loss_reasons,
                mirror_walks,
                hook_misses,
            ):
                db.execute(table.delete())

    # Inside

    @staticmethod
    def _version(db: sa.Connection) -> int:
        return int(db.scalar(sa.select(mirror_version.c.number)) or 0)

    @staticmethod
    def _known(db: sa.Connection, table: sa.Table, ids: Iterable[int]) -> dict[int, Mapping[str, Any]]:
        return {
            row["id"]: dict(row)
            for some in _some(ids)
            for row in db.execute(sa.select(table).where(table.c.id.in_(some))).mappings()
        }

    def _write(self, db: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows as of this transaction, whose version will be the next one."""
        if rows:
            stamp = self._version(db) + 1
            self._store.upsert(db, table, [{**row, "kept_in": stamp} for row in rows])
            self.mark()

    def _bin(self, db: sa.Connection, table: sa.Table, ids: Sequence[int]) -> None:
        for some in _some(ids):
            values = {"is_deleted": True, "kept_in": self._version(db) + 1}
            db.execute(table.update().where(table.c.id.in_(some)).values(**values))
            self.mark()

    def _persons(self, db: sa.Connection, ids: Iterable[int]) -> dict[int, tuple[str, list[str]]]:
        """Names and phones of contacts that are here and not in the bin."""
        found: dict[int, tuple[str, list[str]]] = {}
        for some in _some(ids):
            wanted = sa.select(contacts.c.id, contacts.c.name, contacts.c.phones).where(
                contacts.c.id.in_(some), contacts.c.is_deleted.is_(False)
            )
            found |= {row.id: (row.name, json.loads(row.phones)) for row in db.execute(wanted)}
        return found

    def _join_again(self, db: sa.Connection, ids: Iterable[int]) -> None:
        """What leads show of these contacts."""
        ids = list(ids)
        persons = self._persons(db, ids)
        updates = []
        for some in _some(ids):
            wanted = sa.select(leads.c.id, leads.c.contact_id, leads.c.own_phone).where(leads.c.contact_id.in_(some))
            for row in db.execute(wanted):
                told = shape.joined(*persons.get(row.contact_id, NO_CONTACT), row.own_phone)
                updates.append({"which": row.id, **told})
        if updates:
            fields = ("contact_name", "contact_search", "phone", "phones")
            statement = leads.update().where(leads.c.id == sa.bindparam("which"))
            db.execute(statement.values({name: sa.bindparam(name) for name in fields}), updates)


def _has_moved(row: Mapping[str, Any], known: Mapping[str, Any] | None) -> bool:
    return known is not None and (row["pipeline_id"], row["status_id"]) != (known["pipeline_id"], known["status_id"])


def _news(fresh: Iterable[Mapping[str, Any]], known: Mapping[int, Mapping[str, Any]]) -> dict[str, tuple[int, ...]]:
    """Ids of what is new by its own time, and of what has changed although that has not."""
    news: dict[str, list[int]] = {"news": [], "silent": []}
    for row in fresh:
        before = known.get(row["id"])
        is_news = before is None or before["is_deleted"] or before["updated_at"] < row["updated_at"]
        news["news" if is_news else "silent"].append(row["id"])
    return {name: tuple(ids) for name, ids in news.items()}


def _some(ids: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), MANY):
        yield ordered[start : start + MANY]

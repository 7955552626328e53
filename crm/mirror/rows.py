"""The mirror's tables: keeping what came, unless something newer is there. Sends nothing.

Everything that changes what a screen may show counts the mirror's version up, in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from crm.amo.pipelines import Stage
from crm.mirror import shape
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

NO_CONTACT: tuple[str, list[str]] = ("", [])


@dataclass(frozen=True, slots=True)
class Kept:
    """What keeping some leads has changed. `news`: ids that were not here or were older here. `moved`: stage changed."""

    news: tuple[int, ...] = ()
    moved: tuple[int, ...] = ()


class Rows:
    """The mirror's tables of one database. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def changing(self) -> Iterator[sa.Connection]:
        """A transaction after which screens look again. What is lost in a power cut is read anew, so it is a light one."""
        with self._store.write(durable=False) as db:
            self._store.serialise(db, "mirror")
            yield db
            db.execute(mirror_version.update().values(number=mirror_version.c.number + 1))

    def version(self) -> int:
        """Counts changes. One small read."""
        with self._store.read() as db:
            return int(db.scalar(sa.select(mirror_version.c.number)) or 0)

    # Leads and contacts

    def keep_leads(self, db: sa.Connection, found: Iterable[Mapping[str, Any]], places: Places) -> Kept:
        """Leads as AmoCRM told them. One that is newer here stays; a change of stage goes into the history."""
        rows = {lead["id"]: shape.lead_row(lead, places) for lead in found}
        if not rows:
            return Kept()
        known = {
            row["id"]: row
            for some in _some(rows)
            for row in db.execute(sa.select(*_KNOWN).where(leads.c.id.in_(some))).mappings()
        }
        persons = self._persons(db, {row["contact_id"] for row in rows.values()} - {None})
        for row in rows.values():
            row |= shape.joined(*persons.get(row["contact_id"], NO_CONTACT), row["own_phone"])
        fresh = [row for row in rows.values() if _is_as_new(row, known.get(row["id"]))]
        self._store.upsert(db, leads, fresh, newer="updated_at")
        changes = [_change(row, known[row["id"]]) for row in fresh if _has_moved(row, known.get(row["id"]))]
        if changes:
            db.execute(stage_changes.insert(), changes)
        news = [
            row["id"] for row in fresh if row["id"] not in known or known[row["id"]]["updated_at"] < row["updated_at"]
        ]
        return Kept(tuple(news), tuple(change["lead_id"] for change in changes))

    def keep_contacts(self, db: sa.Connection, found: Iterable[Mapping[str, Any]], places: Places) -> None:
        """Contacts as AmoCRM told them, their phones, and what their leads show of them."""
        found = list(found)
        rows = {contact["id"]: shape.contact_row(contact, places) for contact in found}
        if not rows:
            return
        self._store.upsert(db, contacts, list(rows.values()), newer="updated_at")
        for some in _some(rows):
            db.execute(known_phones.delete().where(known_phones.c.contact_id.in_(some)))
        if told := shape.phone_rows(found, places):
            self._store.upsert(db, known_phones, told)
        self._join_again(db, rows)

    def bin_leads(self, db: sa.Connection, ids: Iterable[int]) -> int:
        """Leads that are in AmoCRM's bin or gone: kept for the history, shown nowhere. How many were here."""
        gone = 0
        for some in _some(ids):
            here = (leads.c.id.in_(some), leads.c.is_deleted.is_(False))
            gone += db.execute(leads.update().where(*here).values(is_deleted=True)).rowcount
        return gone

    def bin_contacts(self, db: sa.Connection, ids: Iterable[int]) -> list[int]:
        """Contacts that are gone. The leads that had them, which may have another main contact now."""
        orphans: list[int] = []
        for some in _some(ids):
            here = (contacts.c.id.in_(some), contacts.c.is_deleted.is_(False))
            db.execute(contacts.update().where(*here).values(is_deleted=True))
            db.execute(known_phones.delete().where(known_phones.c.contact_id.in_(some)))
            orphans += db.scalars(
                sa.select(leads.c.id).where(leads.c.contact_id.in_(some), leads.c.is_deleted.is_(False))
            )
        return orphans

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

    # What leads refer to

    def keep_reference(self, found: Sequence[Stage], names: Mapping[int, str], reasons: Mapping[int, str]) -> None:
        """Stages, people, loss reasons: replaced as a whole, where anything is different."""
        rows = {
            stages: [_stage(stage, place) for place, stage in enumerate(found)],
            people: [{"id": one, "name": name} for one, name in sorted(names.items())],
            loss_reasons: [{"id": one, "name": name} for one, name in sorted(reasons.items())],
        }
        with self._store.read() as db:
            same = all(
                [dict(row) for row in db.execute(sa.select(table).order_by(*table.primary_key)).mappings()]
                == sorted(wanted, key=lambda row, t=table: [row[column.name] for column in t.primary_key])  # type: ignore[misc]
                for table, wanted in rows.items()
            )
        if same:
            return
        with self.changing() as db:
            for table, wanted in rows.items():
                db.execute(table.delete())
                if wanted:
                    db.execute(table.insert(), wanted)

    def keep_events(self, db: sa.Connection, events: Iterable[Mapping[str, Any]]) -> int:
        """Stage changes as AmoCRM's own log tells them; one that was only seen by comparing gives way. How many are new."""
        rows = {event["event_id"]: dict(event) for event in events}
        for some in _some_keys(rows):
            for known in db.scalars(sa.select(stage_changes.c.event_id).where(stage_changes.c.event_id.in_(some))):
                rows.pop(known, None)
        if not rows:
            return 0
        for some_ids in _some({row["lead_id"] for row in rows.values()}):
            seen = (stage_changes.c.lead_id.in_(some_ids), stage_changes.c.event_id.is_(None))
            db.execute(stage_changes.delete().where(*seen))
        db.execute(stage_changes.insert(), list(rows.values()))
        return len(rows)

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


_KNOWN = (leads.c.id, leads.c.updated_at, leads.c.pipeline_id, leads.c.status_id, leads.c.is_deleted)


def _is_as_new(row: Mapping[str, Any], known: Mapping[str, Any] | sa.RowMapping | None) -> bool:
    return known is None or row["updated_at"] >= known["updated_at"]


def _has_moved(row: Mapping[str, Any], known: Mapping[str, Any] | sa.RowMapping | None) -> bool:
    return known is not None and (row["pipeline_id"], row["status_id"]) != (known["pipeline_id"], known["status_id"])


def _change(row: Mapping[str, Any], known: Mapping[str, Any] | sa.RowMapping) -> dict[str, Any]:
    return {
        "lead_id": row["id"],
        "at": row["updated_at"],
        "from_pipeline_id": known["pipeline_id"],
        "from_status_id": known["status_id"],
        "to_pipeline_id": row["pipeline_id"],
        "to_status_id": row["status_id"],
        "event_id": None,
    }


def _stage(stage: Stage, place: int) -> dict[str, Any]:
    return {
        "pipeline_id": stage.pipeline_id,
        "status_id": stage.status_id,
        "position": place,
        "pipeline": stage.pipeline,
        "name": stage.name,
        "color": stage.color[:20],
        "type": stage.type,
        "is_main": stage.is_main,
        "is_archive": stage.is_archive,
    }


def _some(ids: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), MANY):
        yield ordered[start : start + MANY]


def _some_keys(keys: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(keys)
    for start in range(0, len(ordered), MANY):
        yield ordered[start : start + MANY]

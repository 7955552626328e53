"""The mirror's tables: storing AmoCRM's rows, unless newer rows are stored already. Sends nothing.

Everything that changes what a screen may show counts the mirror's version up, in the same transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from desk.mirror import decisions, links, moves, next_tasks, shape
from desk.mirror.batches import batches
from desk.mirror.links import LINKED
from desk.mirror.shape import FieldIds
from store import Store, clock
from store.tables import (
    contacts,
    hook_misses,
    known_phones,
    lead_contacts,
    leads,
    loss_reasons,
    mirror_version,
    mirror_walks,
    people,
    stage_changes,
    stages,
    tasks,
)

NOBODY = {"name": "", "phones": "[]", "responsible_user_id": 0, "updated_at": 0, "is_deleted": True}
"""The row of a contact that a lead names and AmoCRM does not have."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids of leads or contacts by the effect of storing them.

    `news`: were not here or were older here. `silent`: changed although their own time says they did not. `moved`: leads in
    another stage that AmoCRM's log has not told yet. `doubtful`: somebody has written them since this was asked for: ask again.
    `tasks_differ`: AmoCRM's word for some lead's next task is not what its tasks here say.
    """

    news: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()
    moved: tuple[int, ...] = ()
    doubtful: tuple[int, ...] = ()
    tasks_differ: bool = False


class Rows:
    """The mirror's tables in a database. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._here = threading.local()

    @contextmanager
    def changing(self) -> Iterator[sa.Connection]:
        """Open a transaction that makes screens look again. Light, as AmoCRM can be read anew after a power cut."""
        with self.keeping() as db:
            self._here.changed = True
            yield db

    @contextmanager
    def keeping(self) -> Iterator[sa.Connection]:
        """Open a transaction for rows from AmoCRM: screens look again only if a row was news."""
        with self._store.write(durable=False) as db:
            self._store.serialise(db, "mirror")
            self._here.changed = False
            yield db
            if self._here.changed:
                db.execute(mirror_version.update().values(number=mirror_version.c.number + 1))

    def version(self) -> int:
        """Return the mirror's version, which counts changes. One small read."""
        with self._store.read() as db:
            return self._version(db)

    # Leads and contacts

    def keep_leads(
        self,
        db: sa.Connection,
        found: Iterable[Mapping[str, Any]],
        field_ids: FieldIds,
        asked: int | None,
        read_at: float | None = None,
    ) -> Changes:
        """Store leads from AmoCRM; a change of stage goes into the history.

        `asked`: the version when the question left (`decisions.verdict`). `read_at`: AmoCRM's time then, unix seconds.
        """
        found = list(found)
        rows = {lead["id"]: shape.lead_row(lead, field_ids) for lead in found}
        if not rows:
            return Changes()
        known = self._known(db, leads, rows)
        linked, before = {lead["id"]: shape.linked(lead) for lead in found}, links.contacts_of(db, known)
        tasks_differ = _complete(db, rows, linked)
        told = {
            one: decisions.verdict(
                row | {LINKED: linked[one]},
                {**known[one], LINKED: before.get(one, ())} if one in known else None,
                asked,
            )
            for one, row in rows.items()
        }
        fresh = [row for one, row in rows.items() if told[one] == decisions.KEEP]
        self._write(db, leads, fresh)
        links.write(db, {row["id"]: linked[row["id"]] for row in fresh})
        guesses = [
            moves.guess(row, known[row["id"]], read_at) for row in fresh if _has_moved(row, known.get(row["id"]))
        ]
        return replace(
            _news(fresh, known),
            moved=moves.keep_guesses(db, guesses),
            doubtful=tuple(one for one, word in told.items() if word == decisions.DOUBT),
            tasks_differ=tasks_differ,
        )

    def keep_contacts(
        self, db: sa.Connection, found: Iterable[Mapping[str, Any]], field_ids: FieldIds, asked: int | None
    ) -> Changes:
        """Store contacts from AmoCRM, their phones, and the columns of their leads."""
        cards = {contact["id"]: contact for contact in found}
        rows = {one: shape.contact_row(contact, field_ids) for one, contact in cards.items()}
        if not rows:
            return Changes()
        known = self._known(db, contacts, rows)
        told = {one: decisions.verdict(row, known.get(one), asked) for one, row in rows.items()}
        fresh = {one: row for one, row in rows.items() if told[one] == decisions.KEEP}
        self._write(db, contacts, list(fresh.values()))
        for some in batches(fresh):
            db.execute(known_phones.delete().where(known_phones.c.contact_id.in_(some)))
        if phones := shape.phone_rows([cards[one] for one in fresh], field_ids):
            self._store.upsert(db, known_phones, phones)
        links.join_again(db, fresh)
        doubtful = tuple(one for one, word in told.items() if word == decisions.DOUBT)
        return replace(_news(fresh.values(), known), doubtful=doubtful)

    def keep_tasks(self, db: sa.Connection, found: Iterable[Mapping[str, Any]], asked: int | None) -> Changes:
        """Store tasks from AmoCRM, and the next task of their leads."""
        rows = {task["id"]: shape.task_row(task) for task in found}
        if not rows:
            return Changes()
        known = self._known(db, tasks, rows)
        told = {one: decisions.verdict(row, known.get(one), asked) for one, row in rows.items()}
        fresh = [row for one, row in rows.items() if told[one] == decisions.KEEP]
        self._write(db, tasks, fresh)
        touched = {row["lead_id"] for row in fresh} | {
            known[row["id"]]["lead_id"] for row in fresh if row["id"] in known
        }
        if next_tasks.are_known(db):
            self.show_tasks(db, touched - {None})
        doubtful = tuple(one for one, word in told.items() if word == decisions.DOUBT)
        return replace(_news(fresh, known), doubtful=doubtful)

    def bin_tasks(self, db: sa.Connection, ids: Iterable[int], asked: int) -> list[int]:
        """Mark gone tasks as deleted. Return the ids that were stored."""
        gone: dict[int, int | None] = {}
        for some in batches(ids):
            here = (tasks.c.id.in_(some), tasks.c.is_deleted.is_(False), tasks.c.kept_in <= asked)
            gone |= {row.id: row.lead_id for row in db.execute(sa.select(tasks.c.id, tasks.c.lead_id).where(*here))}
        self._bin(db, tasks, list(gone))
        if next_tasks.are_known(db):
            self.show_tasks(db, {lead_id for lead_id in gone.values() if lead_id is not None})
        return list(gone)

    def show_tasks(self, db: sa.Connection, lead_ids: Iterable[int] | None = None) -> int:
        """Compute the next task of some leads anew, None: of all. Return how many changed."""
        changed = next_tasks.write(db, lead_ids)
        self._here.changed = self._here.changed or changed > 0
        return changed

    def bin_leads(self, db: sa.Connection, ids: Iterable[int], asked: int) -> list[int]:
        """Mark leads in AmoCRM's bin, or gone, as deleted: kept for the history, shown nowhere. Return the ids that
        were stored.

        One that somebody has written since this was asked for stays.
        """
        gone: list[int] = []
        for some in batches(ids):
            here = (leads.c.id.in_(some), leads.c.is_deleted.is_(False), leads.c.kept_in <= asked)
            gone += db.scalars(sa.select(leads.c.id).where(*here))
        self._bin(db, leads, gone)
        return gone

    def bin_contacts(self, db: sa.Connection, ids: Iterable[int], asked: int) -> tuple[list[int], list[int]]:
        """Mark gone contacts as deleted. Return the ids that were stored, and their leads, which may have another
        contact now.

        One that was never here is noted as gone, so that it is not asked for with every lead that names it.
        """
        gone: list[int] = []
        orphans: list[int] = []
        for some in batches(ids):
            here = {row.id: row for row in db.execute(sa.select(contacts).where(contacts.c.id.in_(some)))}
            nobody = [{"id": one, **NOBODY} for one in some if one not in here]
            self._write(db, contacts, nobody)
            some_gone = [one for one, row in here.items() if not row.is_deleted and row.kept_in <= asked]
            gone += some_gone
            db.execute(known_phones.delete().where(known_phones.c.contact_id.in_(some_gone)))
            theirs = sa.select(lead_contacts.c.lead_id).where(lead_contacts.c.contact_id.in_(some_gone))
            orphans += db.scalars(sa.select(leads.c.id).where(leads.c.id.in_(theirs), leads.c.is_deleted.is_(False)))
        self._bin(db, contacts, gone)
        links.join_again(db, gone)
        return gone, sorted(set(orphans))

    def here(self, table: sa.Table, ids: Iterable[int]) -> set[int]:
        """Ids among the given leads or contacts that are stored and not in the bin."""
        found: set[int] = set()
        with self._store.read() as db:
            for some in batches(ids):
                found |= set(
                    db.scalars(sa.select(table.c.id).where(table.c.id.in_(some), table.c.is_deleted.is_(False)))
                )
        return found

    def unknown_contacts(self, db: sa.Connection, ids: Iterable[int]) -> set[int]:
        """Ids among the given contacts that are not stored."""
        wanted = set(ids)
        for some in batches(wanted.copy()):
            wanted -= set(db.scalars(sa.select(contacts.c.id).where(contacts.c.id.in_(some))))
        return wanted

    # Moves, misses, another account

    def keep_events(self, db: sa.Connection, events: Iterable[Mapping[str, Any]]) -> int:
        """Store stage changes from AmoCRM's log; a guess gives way to the log. Return how many are new."""
        fresh = moves.keep_events(db, events)
        self._here.changed = self._here.changed or fresh > 0
        return fresh

    def settle_moves(self) -> int:
        """Remove all guessed moves that the log has told since. Return how many."""
        with self.keeping() as db:
            gone = moves.settle(db)
            self._here.changed = gone > 0
        return gone

    def note_misses(self, entity: str, ids: Iterable[int]) -> None:
        """Note changes that no hook had told."""
        now = clock.now()
        rows = [{"at": now, "entity": entity, "entity_id": one} for one in ids]
        if rows:
            with self._store.write(durable=False) as db:
                db.execute(hook_misses.insert(), rows)

    def wipe(self) -> None:
        """Forget all rows of a former account."""
        with self.changing() as db:
            for table in (
                leads,
                contacts,
                lead_contacts,
                tasks,
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
            for some in batches(ids)
            for row in db.execute(sa.select(table).where(table.c.id.in_(some))).mappings()
        }

    def _write(self, db: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store rows with the version that this transaction will make."""
        if rows:
            stamp = self._version(db) + 1
            self._store.upsert(db, table, [{**row, "kept_in": stamp} for row in rows])
            self._here.changed = True

    def _bin(self, db: sa.Connection, table: sa.Table, ids: Sequence[int]) -> None:
        for some in batches(ids):
            values = {"is_deleted": True, "kept_in": self._version(db) + 1}
            db.execute(table.update().where(table.c.id.in_(some)).values(**values))
            self._here.changed = True


def _complete(db: sa.Connection, rows: Mapping[int, dict[str, Any]], linked: Mapping[int, Sequence[int]]) -> bool:
    """Add contacts' and tasks' columns to rows of leads. Return whether AmoCRM's word for a next task was another."""
    persons = links.persons(db, linked)
    nearest = next_tasks.nearest(db, rows) if next_tasks.are_known(db) else None
    differ = False
    for lead_id, row in rows.items():
        row |= links.shown(persons, linked[lead_id], row["own_phone"])
        if nearest is not None:
            differ = differ or row["closest_task_at"] != nearest.get(lead_id)
            row["closest_task_at"] = nearest.get(lead_id)
    return differ


def _has_moved(row: Mapping[str, Any], known: Mapping[str, Any] | None) -> bool:
    return known is not None and (row["pipeline_id"], row["status_id"]) != (known["pipeline_id"], known["status_id"])


def _news(fresh: Iterable[Mapping[str, Any]], known: Mapping[int, Mapping[str, Any]]) -> Changes:
    """Split stored rows: new by their own time, and changed although their time is not."""
    news: dict[str, list[int]] = {"news": [], "silent": []}
    for row in fresh:
        before = known.get(row["id"])
        is_news = before is None or before["is_deleted"] or before["updated_at"] < row["updated_at"]
        news["news" if is_news else "silent"].append(row["id"])
    return Changes(tuple(news["news"]), tuple(news["silent"]))

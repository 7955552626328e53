"""The nightly round: every lead and every contact compared with AmoCRM again, 250 a request.

It finds what no round by time can: a lead whose `updated_at` was set back, another main contact, a lead that is gone for good,
a contact that came back, a task that was deleted or went with its lead into another. One list of ids a look of the keeper, so that hints and rounds go first; where it stands is written
down after each, so that a stop costs one list.

    leads, downwards by id ─► contacts, downwards by id ─► all open tasks of AmoCRM ─► those open here, downwards by id
    ─► moves the log has told since ─► over
"""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa

from crm.client import PAGE_LIMIT
from crm.errors import DeskError
from desk.mirror import next_tasks
from desk.mirror import walks as names
from desk.mirror.decisions import NOT_BEFORE_S
from desk.mirror.reading import Reading
from desk.mirror.rows import Rows
from desk.mirror.tasks import FROM, Tasks
from desk.mirror.walks import Walk, Walks
from store import Store
from store.tables import contacts, lead_contacts, leads

MOST_FAILURES = 4
"""In a row, at some list of contacts: some six minutes (`walks.RETRY_S`)."""

START: dict[str, Any] = {"phase": "leads", "last": None, "leads": 0, "mended": 0}
"""`last`: the last id that was compared, of AmoCRM's open tasks the time of the last change; `leads`: how many were; `mended`: how many leads and contacts were wrong here."""


PHASES = ("leads", "contacts", "open_tasks", "tasks")

log = logging.getLogger(__name__)


def is_under_way(walk: Walk) -> bool:
    """Whether a nightly round has begun and is not over."""
    return isinstance(walk.cursor, dict) and walk.cursor.get("phase") in PHASES


class Night:
    """The nightly round. Not thread-safe: only for the mirror's keeper."""

    def __init__(self, store: Store, rows: Rows, walks: Walks, reading: Reading, tasks: Tasks) -> None:
        self._store, self._rows, self._walks, self._reading, self._tasks = store, rows, walks, reading, tasks

    def step(self) -> None:
        """Compare the next list. One request for 250 leads or contacts, some more for missing ids."""
        known = self._walks.of(names.NIGHT)
        if not is_under_way(known):
            self._walks.begin(names.NIGHT, START)
            known = self._walks.of(names.NIGHT)
        cursor = dict(known.cursor)
        work = {
            "leads": self._leads_here,
            "contacts": lambda cursor: self._contacts_or_not(cursor, known.failures),
            "open_tasks": self._open_tasks,
            "tasks": self._tasks_here,
        }
        if not work[cursor["phase"]](cursor):
            if cursor["phase"] == PHASES[-1]:
                self._finish(cursor, known)
                return
            cursor |= {"phase": PHASES[PHASES.index(cursor["phase"]) + 1], "last": None}
        with self._rows.keeping() as db:
            self._walks.step(db, names.NIGHT, cursor, 0)

    def _contacts_or_not(self, cursor: dict[str, Any], failures: int) -> bool:
        """Compare the next contacts; after repeated failures of AmoCRM, skip contacts until the next round."""
        try:
            return self._contacts_here(cursor)
        except DeskError as error:
            if failures < MOST_FAILURES:
                raise
            log.warning("the nightly round goes on without some contacts: %s", error)
            return False

    def _finish(self, cursor: dict[str, Any], known: Walk) -> None:
        self._rows.settle_moves()
        result = {"compared": cursor["leads"], "mended": cursor["mended"]}
        begun = self._reading.begin()
        as_of = known.began_at or self._reading.as_of(begun)
        self._walks.end(names.NIGHT, as_of=as_of, cursor=result, next_in_s=NOT_BEFORE_S)

    def _leads_here(self, cursor: dict[str, Any]) -> bool:
        """Compare our next leads with AmoCRM, downwards by id, binned ones too. False at the end."""
        ids = self._below(leads, cursor["last"], leads.c.is_deleted)
        if not ids:
            return False
        binned = {one for one, is_deleted in ids.items() if is_deleted}
        kept, gone, unknown = self._reading.leads(ids, hinted_gone=binned)
        if unknown:
            self._reading.contacts(unknown)
        if gone:
            self._walks.hurry(names.COUNT)  # as many may be missing here, and the numbers were equal
        if kept.moved:
            self._walks.hurry(names.EVENTS)
        self._note(cursor, ids, kept.silent, gone)
        cursor["leads"] += len(ids) - len(binned)
        return True

    def _contacts_here(self, cursor: dict[str, Any]) -> bool:
        """Compare our next contacts with AmoCRM, gone contacts only if a lead still names them. False at the end."""
        named = sa.exists().where(
            lead_contacts.c.contact_id == contacts.c.id,
            lead_contacts.c.lead_id == leads.c.id,
            leads.c.is_deleted.is_(False),
        )
        ids = self._below(contacts, cursor["last"], contacts.c.is_deleted, contacts.c.is_deleted.is_(False) | named)
        if not ids:
            return False
        binned = {one for one, is_deleted in ids.items() if is_deleted}
        kept, gone = self._reading.contacts(ids, hinted_gone=binned)
        self._note(cursor, ids, kept.silent, gone)
        return True

    def _open_tasks(self, cursor: dict[str, Any]) -> bool:
        """Some more of AmoCRM's open tasks, by the time of their change. False if there are no more."""
        since = self._tasks.open_from(cursor["last"] or FROM)
        cursor["last"] = since
        return since is not None

    def _tasks_here(self, cursor: dict[str, Any]) -> bool:
        """Compare our next open tasks with AmoCRM, downwards by id; with none left compute all leads' next tasks anew. False at the end."""
        ids = self._tasks.open_below(cursor["last"])
        if not ids:
            with self._rows.keeping() as db:
                if next_tasks.are_known(db):
                    self._rows.show_tasks(db)
            return False
        self._reading.tasks(ids)
        cursor["last"] = min(ids)
        return True

    @staticmethod
    def _note(cursor: dict[str, Any], ids: dict[int, bool], changed: tuple[int, ...], gone: list[int]) -> None:
        cursor["last"] = min(ids)
        cursor["mended"] += len(changed) + len(gone)

    def _below(
        self, table: sa.Table, last: int | None, is_deleted: sa.Column[Any], *only: sa.ColumnElement[bool]
    ) -> dict[int, bool]:
        """The next ids downwards from `last`, each with its place in the bin or not."""
        below = (table.c.id < last,) if last is not None else ()
        wanted = sa.select(table.c.id, is_deleted).where(*only, *below).order_by(table.c.id.desc())
        with self._store.read() as db:
            return {row[0]: row[1] for row in db.execute(wanted.limit(PAGE_LIMIT))}

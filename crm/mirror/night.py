"""The nightly round: every lead and every contact again, compared with what is here, 250 a request.

It finds what no round by time can: a lead whose `updated_at` was set back, another main contact, a lead that is gone for good,
a contact that came back. One list of ids a look of the keeper, so that hints and rounds go first; where it stands is written
down after each, so that a stop costs one list.

    leads, downwards by id ─► contacts, downwards by id ─► moves the log has told since ─► over
"""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa

from crm.amo.client import PAGE_LIMIT, Client
from crm.errors import DeskError
from crm.mirror import walks as names
from crm.mirror.decisions import NOT_BEFORE_S
from crm.mirror.reading import Reading
from crm.mirror.rows import Rows
from crm.mirror.walks import Walk, Walks
from crm.store import Store
from crm.store.tables import contacts, leads

MOST_FAILURES = 4
"""In a row, at some list of contacts: some six minutes (`walks.RETRY_S`)."""

START = {"phase": "leads", "last": None, "leads": 0, "mended": 0}
"""`last`: the last id that was compared; `leads`: how many were; `mended`: how many leads and contacts were wrong here."""


log = logging.getLogger(__name__)


def is_under_way(walk: Walk) -> bool:
    """Whether a nightly round has begun and is not over."""
    return isinstance(walk.cursor, dict) and walk.cursor.get("phase") in ("leads", "contacts")


class Night:
    """The nightly round. Not thread-safe: the mirror's keeper makes it."""

    def __init__(self, store: Store, client: Client, rows: Rows, walks: Walks, reading: Reading) -> None:
        self._store, self._client, self._rows, self._walks, self._reading = store, client, rows, walks, reading

    def step(self) -> None:
        """Compare one more list. One request for 250 leads or contacts, some more for what does not come."""
        known = self._walks.of(names.NIGHT)
        if not is_under_way(known):
            self._walks.begin(names.NIGHT, START)
            known = self._walks.of(names.NIGHT)
        cursor = dict(known.cursor)
        if cursor["phase"] == "leads":
            if not self._leads(cursor):
                cursor |= {"phase": "contacts", "last": None}
        elif not self._contacts_or_not(cursor, known.failures):
            self._finish(cursor, known)
            return
        with self._rows.changing() as db:
            self._walks.step(db, names.NIGHT, cursor, 0)

    def _contacts_or_not(self, cursor: dict[str, Any], failures: int) -> bool:
        """The next contacts, unless AmoCRM has not brought them for long: then the night ends without, and the next begins anew."""
        try:
            return self._contacts(cursor)
        except DeskError as error:
            if failures < MOST_FAILURES:
                raise
            log.warning("the nightly round ends without some contacts: %s", error)
            return False

    def _finish(self, cursor: dict[str, Any], known: Walk) -> None:
        self._rows.settle_moves()
        result = {"compared": cursor["leads"], "mended": cursor["mended"]}
        begun = self._reading.begin()
        as_of = known.began_at or self._reading.as_of(begun)
        self._walks.end(names.NIGHT, as_of=as_of, cursor=result, next_in_s=NOT_BEFORE_S)

    def _leads(self, cursor: dict[str, Any]) -> bool:
        """The next leads downwards; the bin's too, for one may have come back. False if there are no more."""
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

    def _contacts(self, cursor: dict[str, Any]) -> bool:
        """The next contacts downwards; one that is gone only if a lead still names it. False if there are no more."""
        named = sa.exists().where(leads.c.contact_id == contacts.c.id, leads.c.is_deleted.is_(False))
        ids = self._below(contacts, cursor["last"], contacts.c.is_deleted, contacts.c.is_deleted.is_(False) | named)
        if not ids:
            return False
        binned = {one for one, is_deleted in ids.items() if is_deleted}
        kept, gone = self._reading.contacts(ids, hinted_gone=binned)
        self._note(cursor, ids, kept.silent, gone)
        return True

    @staticmethod
    def _note(cursor: dict[str, Any], ids: dict[int, bool], changed: tuple[int, ...], gone: list[int]) -> None:
        cursor["last"] = min(ids)
        cursor["mended"] += len(changed) + len(gone)

    def _below(
        self, table: sa.Table, last: int | None, is_deleted: sa.Column[Any], *only: sa.ColumnElement[bool]
    ) -> dict[int, bool]:
        """The next ids downwards from `last`, each with whether it is in the bin here."""
        below = (table.c.id < last,) if last is not None else ()
        wanted = sa.select(table.c.id, is_deleted).where(*only, *below).order_by(table.c.id.desc())
        with self._store.read() as db:
            return {row[0]: row[1] for row in db.execute(wanted.limit(PAGE_LIMIT))}

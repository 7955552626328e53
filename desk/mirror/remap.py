"""Stored leads and contacts read anew, without asking AmoCRM: another choice of fields, or a better reader of phones."""

from __future__ import annotations

import json

import sqlalchemy as sa

from desk.mirror import links, shape
from desk.mirror.batches import batches
from desk.mirror.rows import Rows
from desk.mirror.shape import FieldIds
from store import Store
from store.tables import contacts, known_phones, leads


def remap(store: Store, rows: Rows, field_ids: FieldIds) -> None:
    """Compute anew all columns that depend on the choice of fields or the reader of phones."""
    _read_phones_again(store, rows)
    with store.read() as db:
        ids = list(db.scalars(sa.select(leads.c.id)))
    for some in batches(ids):
        with rows.changing() as db:
            stored = db.execute(sa.select(leads.c.id, leads.c.custom).where(leads.c.id.in_(some))).mappings().all()
            linked = links.contacts_of(db, some)
            known = links.persons(db, linked)
            for row in stored:
                values = shape.mapped_values(json.loads(row["custom"]), field_ids)
                values |= links.shown(known, linked.get(row["id"], ()), values["own_phone"])
                db.execute(leads.update().where(leads.c.id == row["id"]).values(**values))


def _read_phones_again(store: Store, rows: Rows) -> None:
    """Read the phones of contacts again that an older reader did not understand."""
    wanted = sa.select(contacts.c.id, contacts.c.phones, contacts.c.updated_at).where(contacts.c.is_deleted.is_(False))
    with store.read() as db:
        kept = [(row, json.loads(row.phones)) for row in db.execute(wanted)]
    learned = {row.id: (row, again) for row, told in kept if (again := shape.told_again(told)) != told}
    for some in batches(learned):
        with rows.changing() as db:
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
                    store.upsert(db, known_phones, known)

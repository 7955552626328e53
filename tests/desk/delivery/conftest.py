"""Leads for the deliveries, and what can be asked of the sandbox about them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from desk.delivery.columns import RELEASED, due_in
from desk.delivery.pause import Pause
from desk.delivery.queue import Queue
from desk.delivery.record import Record
from desk.delivery.stopwatch import Stopwatch
from desk.lead import NewLead
from store.tables import deliveries, delivery_pause
from tests.support.desks import desk_for

LEAD = NewLead("Вера Доставкина", "+79615550011", "Йога", "Сайт", "Хочу утром 🙂")
CREATE, NOTES, CONTACTS = "/api/v4/leads/complex", "/api/v4/leads/*/notes", "/api/v4/contacts"


@pytest.fixture
def desk(box, store_url, tmp_path):
    """A connected desk, once on SQLite and once on PostgreSQL."""
    with desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY="k" * 40, AMOCRM_MAX_RPS="7") as opened:
        yield opened


def added(box, entity="leads", since=0):
    """What was added in AmoCRM."""
    return box.ledger("change", since=since, entity=entity, change="added")


def ours(box, phone):
    """Leads in AmoCRM whose phone field says this, the bin not counted."""
    return [
        row
        for row in box.entities("leads")
        if any(value["value"] == phone for value in (row["custom_fields"] or {}).get("264911", []))
    ]


def make_due(desk, *, older_by_s=0.0):
    """Let the pauses be over; `older_by_s`: and that much waited for since requests of unknown fate."""
    older = {"unknown_at": deliveries.c.unknown_at - older_by_s, "looked_s": deliveries.c.looked_s + older_by_s}
    with desk.store.write() as db:
        db.execute(deliveries.update().values(due_at=0.0, **older))
        db.execute(delivery_pause.update().values(until=0.0))


def row_of(desk, lead_id):
    """The row as it is."""
    with desk.store.read() as db:
        return db.execute(sa.select(deliveries).where(deliveries.c.lead_id == lead_id)).mappings().one()


class Rows:
    """The rows of the deliveries, as another process on the same database has them."""

    def __init__(self, store, generation):
        self.pause, stopwatch = Pause(store, generation), Stopwatch()
        self.queue, self.record = Queue(store, self.pause, stopwatch), Record(store, self.pause, stopwatch)


def release(desk, lead_id):
    """Let a lead that is held be free and due, as it is."""
    with desk.store.write() as db:
        values = {**due_in(desk.store.clock(db), 0.0), **RELEASED}
        db.execute(deliveries.update().where(deliveries.c.lead_id == lead_id).values(**values))

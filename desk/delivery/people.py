"""Decisions of people about leads, written down. A worker holding such a lead loses the lead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crm.errors import Declined
from desk.delivery.columns import NO_FAILURES, RELEASED, due_in, write_attempt
from desk.delivery.decisions import FOR_PEOPLE, QUEUED, UNKNOWN
from desk.delivery.job import Attempt
from store import Store
from store.tables import accepted_leads, deliveries

PERSON = "person"
"""The step under which a decision stands in the history."""

UNDECIDED = (UNKNOWN, *FOR_PEOPLE)
"""States open to a person's decision."""

ANY_ACCOUNT = -1
"""Whichever account the lead was begun in."""


class People:
    """Decisions of people on a database's deliveries. Thread-safe; several processes may share the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def deciding(
        self, lead_id: str, states: tuple[str, ...], what: str, by: str, *, begun_in: int | None = ANY_ACCOUNT
    ) -> Iterator[sa.Connection]:
        """A transaction on a lead in any of the given states.

        `what`, `by`: the decision and the person, for the history. `begun_in`: the account the decision takes the lead to be in.
        Raises `Declined("decided_meanwhile")` if the lead is in another state or account by now.
        """
        with self._store.write() as db:
            wanted = sa.select(*deliveries.c["state", "lease_number", "account_id"])
            row = db.execute(wanted.where(deliveries.c.lead_id == lead_id).with_for_update()).mappings().first()
            if row is None or row["state"] not in states or begun_in not in (ANY_ACCOUNT, row["account_id"]):
                raise Declined("decided_meanwhile")
            self.set_free(db, lead_id, lease_number=row["lease_number"] + 1, decided_by=by)
            write_attempt(db, lead_id, Attempt(PERSON, what, by=by))
            yield db

    def set_free(self, db: sa.Connection, lead_id: str, **values: Any) -> None:
        """Make a lead due at once, held by no worker and without failures; `values` are written besides."""
        whole = {"settled_at": None, **due_in(self._store.clock(db), 0.0), **NO_FAILURES, **RELEASED, **values}
        db.execute(deliveries.update().where(deliveries.c.lead_id == lead_id).values(**whole))

    def let_go_on(self, db: sa.Connection, lead_id: str, **values: Any) -> None:
        """Let a lead go on, by whatever decision; `values` are written besides.

        A lead that may be in AmoCRM is searched for before anything is sent, however often it was sent already. What was waited
        for the lead counts, so that nobody waits twice; what a person has been shown as alike and did not choose is none of it.
        """
        wanted = sa.select(*deliveries.c["sent_at", "amo_lead_id"]).where(deliveries.c.lead_id == lead_id)
        row = db.execute(wanted).mappings().one()
        if row["sent_at"] is None or row["amo_lead_id"] is not None:
            self.set_free(db, lead_id, state=QUEUED, sends=0, **values)
        else:
            now = self._store.clock(db)
            self.set_free(db, lead_id, state=UNKNOWN, unknown_at=now, looks=0, sends=1, **values)

    def look_from_the_beginning(self, db: sa.Connection, lead_id: str) -> None:
        """Have AmoCRM searched for a lead as if no search had been before."""
        fresh = {"looks": 0, "looked_s": 0.0, "sends": 1, "candidates": None}
        self.set_free(db, lead_id, state=UNKNOWN, unknown_at=self._store.clock(db), **fresh)

    def replay(self, by: str, since: datetime | None) -> int:
        """Let all leads waiting for a person go on; return their number. `since`: only leads accepted from then on."""
        wanted = sa.select(deliveries).where(deliveries.c.state.in_(FOR_PEOPLE))
        if since is not None:
            fresh = sa.select(accepted_leads.c.id).where(accepted_leads.c.accepted_at >= since)
            wanted = wanted.where(deliveries.c.lead_id.in_(fresh))
        with self._store.write() as db:
            # Locked as they are read: a worker may have one of them in hand by the time it is written.
            rows = db.execute(wanted.order_by(deliveries.c.lead_id).with_for_update()).mappings().all()
            for row in rows:
                number = row["lease_number"] + 1
                self.let_go_on(db, row["lead_id"], decided_by=by, lease_number=number, candidates=None)
                write_attempt(db, row["lead_id"], Attempt(PERSON, "replay", by=by))
        return len(rows)

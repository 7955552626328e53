"""Accepted leads and their way into AmoCRM, for the other rooms: accept, look, decide, start, stop."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from crm import leads
from crm.client import Client
from crm.connection import Connection
from crm.errors import SaidNo, SetupError, places
from crm.journal import Journal
from desk.delivery import report
from desk.delivery.carry import Carrier
from desk.delivery.decisions import DELIVERED, DROPPED, FOR_PEOPLE, LEAD, NEEDS_DECISION, NOTE, QUEUED, REFUSED, UNKNOWN
from desk.delivery.report import Progress
from desk.delivery.rows import (
    AT_PEACE,
    FREE,
    LATER,
    ON_THE_LINE,
    TODO,
    Attempt,
    Rows,
    all_done,
    begin_anew,
    due_in,
    it_is_there,
    lead_values,
    write_attempt,
)
from desk.delivery.search import Search
from desk.delivery.worker import Heart, Told, Workers, ignore, tell
from desk.fields import FieldMap
from desk.lead import Consent, NewLead
from desk.phonebook import Phonebook
from desk.settings import Settings
from store import Store, clock, waits
from store.tables import accepted_leads, consents, deliveries, delivery_attempts, delivery_steps

PERSON = "person"
"""The step under which a decision stands in the history."""

STEPS: tuple[tuple[str, Any], ...] = ((LEAD, None), (NOTE, None))
"""What every lead is made of in AmoCRM, besides its contact: kinds of steps and their payloads."""


@dataclass(frozen=True, slots=True)
class Way:
    """What is to be done in AmoCRM for a lead, where that is not the usual.

    `amo_lead_id`: it is said of this lead, which is there already. `contact_id`: it is this person's. `new_contact`: it is
    another person's than the one known by the number. `account_id`: in which account these are, where that is known.
    `hold_s`: before that it does not leave, and may be taken back.
    """

    steps: Sequence[tuple[str, Any]] = STEPS
    amo_lead_id: int | None = None
    contact_id: int | None = None
    new_contact: bool = False
    account_id: int | None = None
    hold_s: float = 0.0


USUAL = Way()

ANY_ACCOUNT = -1
"""In whichever account it was begun."""

UNDECIDED = (UNKNOWN, *FOR_PEOPLE)
"""States in which a person may say what is to be done."""


log = logging.getLogger(__name__)


class Outbox:
    """The outbox of one desk. Thread-safe; several processes may share the database."""

    def __init__(
        self,
        store: Store,
        client: Client,
        connection: Connection,
        fields: FieldMap,
        phonebook: Phonebook,
        journal: Journal,
        settings: Settings,
        watch: Callable[[str], object] = lambda step: None,
        tell: Callable[[int], object] = lambda lead_id: None,
        told: Told = ignore,
    ) -> None:
        """`watch` is told each step of a delivery by its name; tests use it. `tell`: a lead was made or changed in AmoCRM.

        `told`: how each round of "delivery", "search" and "heartbeat" went.
        """
        self._told = told
        self._store, self._client, self._connection = store, client, connection
        self._rows = Rows(store, connection.generation)
        heart = self._heart = Heart(self._rows, told)
        self._carrier = Carrier(
            self._rows, heart, client, connection, fields, phonebook, journal, settings, watch, tell
        )
        self._search = Search(self._rows, heart, client, connection, fields, phonebook, settings, tell)
        self._searching = threading.Lock()
        self._workers = Workers(self._work, told)

    # Accepting

    def accept(
        self,
        lead: NewLead,
        origin: str,
        *,
        form_id: str | None = None,
        consent: Consent | None = None,
        entered_by: str | None = None,
        way: Way = USUAL,
        db: sa.Connection | None = None,
    ) -> str:
        """Put a lead on the disk and return our id of it. AmoCRM is not on this path.

        `origin`: "desk" or "api". `db`: a durable writing transaction that the caller ends; call `wake` after it.
        """
        if db is None:
            with self._store.write() as db:
                lead_id = self.accept(
                    lead, origin, form_id=form_id, consent=consent, entered_by=entered_by, way=way, db=db
                )
            self.wake()
            return lead_id
        lead_id = uuid.uuid4().hex
        named = {"id": lead_id, "origin": origin, "form_id": form_id, "entered_by": entered_by}
        db.execute(accepted_leads.insert().values(accepted_at=clock.now(), **named, **lead_values(lead)))
        if consent is not None:
            db.execute(consents.insert().values(lead_id=lead_id, **asdict(consent)))
        priority = ON_THE_LINE if origin == "desk" else LATER
        due = due_in(self._store.clock(db), way.hold_s)
        db.execute(
            deliveries.insert().values(
                lead_id=lead_id,
                state=QUEUED,
                priority=priority,
                leaves_at=datetime.fromtimestamp(due["due_at"], UTC) if way.hold_s else None,
                amo_lead_id=way.amo_lead_id,
                contact_id=way.contact_id,
                contact_was_known=None if way.contact_id is None else True,
                new_contact=way.new_contact,
                account_id=way.account_id if way.amo_lead_id or way.contact_id else None,
                **due,
            )
        )
        steps = [_step(lead_id, place, kind, payload) for place, (kind, payload) in enumerate(way.steps)]
        db.execute(delivery_steps.insert(), steps)
        return lead_id

    def take_back(self, lead_id: str, db: sa.Connection) -> None:
        """Undo an accept that has not left yet: nothing of it stays. `db`: a writing transaction the caller ends.

        Raises `SetupError("left_already")`.
        """
        wanted = sa.select(deliveries).where(deliveries.c.lead_id == lead_id).with_for_update()
        row = db.execute(wanted).mappings().first()
        is_here = row is not None and row["state"] == QUEUED and not row["attempts"] and row["lease_owner"] is None
        if (
            row is None
            or not is_here
            or row["leaves_at"] is None
            or waits.is_over(row["waits_from"], row["due_at"], self._store.clock(db))
        ):
            raise SetupError("left_already")
        for table in (delivery_attempts, delivery_steps, consents, deliveries):
            db.execute(table.delete().where(table.c.lead_id == lead_id))
        db.execute(accepted_leads.delete().where(accepted_leads.c.id == lead_id))

    def add_step(self, lead_id: str, kind: str, payload: Any, db: sa.Connection) -> None:
        """One more thing to do for a lead, after all others; a delivered one goes on its way again. Call `wake` then.

        `db`: a writing transaction the caller ends.
        """
        row = db.execute(sa.select(deliveries.c.state).where(deliveries.c.lead_id == lead_id).with_for_update()).first()
        last = sa.select(sa.func.max(delivery_steps.c.position)).where(delivery_steps.c.lead_id == lead_id)
        db.execute(delivery_steps.insert().values(_step(lead_id, int(db.scalar(last) or 0) + 1, kind, payload)))
        if row is not None and row.state == DELIVERED:
            self._set(db, lead_id, state=QUEUED)

    def wake(self) -> None:
        """There is work: somebody has accepted a lead in a transaction of their own."""
        self._workers.wake()

    def progress(self, lead_id: str) -> Progress | None:
        """Where a lead is; None for an id that is none of ours."""
        return report.progress(self._store, lead_id)

    # What people decide. `by`: who. All raise `SetupError("decided_meanwhile")` where it is too late.

    def exists(self, lead_id: str, amo_lead_id: int, by: str) -> None:
        """A person has found the lead in AmoCRM. One request: whether there is such a lead.

        None where it was begun in another account: that cannot be asked, and the person is believed. Nothing more is done then.
        """
        begun_in = self._rows.account_of(lead_id)
        is_elsewhere = self._is_elsewhere(begun_in)
        if not amo_lead_id or (not is_elsewhere and not leads.exists(self._client, amo_lead_id)):
            raise SaidNo("lead_not_there")
        with self._deciding(lead_id, UNDECIDED, "exists", by, begun_in=begun_in) as db:
            it_is_there(db, lead_id, amo_lead_id, None, now_s=self._store.clock(db))
            if is_elsewhere:
                all_done(db, lead_id)
        self.wake()

    def send_again(self, lead_id: str, by: str) -> None:
        """A person says that it is not there, or that it is worth another try.

        One that may be in AmoCRM is sent again as soon as a whole search has shown that it is not. What was begun in another
        account begins from nothing in the connected one.
        """
        begun_in = self._rows.account_of(lead_id)
        is_elsewhere = self._is_elsewhere(begun_in)
        with self._deciding(lead_id, (*UNDECIDED, DROPPED), "send again", by, begun_in=begun_in) as db:
            if is_elsewhere:
                begin_anew(db, lead_id, now_s=self._store.clock(db))
            else:
                self._once_more(db, lead_id)
        self.wake()

    def look_again(self, lead_id: str, by: str) -> None:
        """Search AmoCRM for it from the beginning."""
        with self._deciding(lead_id, (UNKNOWN, NEEDS_DECISION), "look again", by) as db:
            fresh = {"looks": 0, "looked_s": 0.0, "sends": 1, "candidates": None}
            self._set(db, lead_id, state=UNKNOWN, unknown_at=self._store.clock(db), **fresh)
        self.wake()

    def drop(self, lead_id: str, by: str) -> None:
        """A person wants no more of it. It stays stored and can be sent again."""
        with self._deciding(lead_id, UNDECIDED, "drop", by) as db:
            self._set(db, lead_id, state=DROPPED, settled_at=clock.now())

    def repair(self, lead_id: str, lead: NewLead, by: str) -> None:
        """A person has corrected what AmoCRM refused."""
        with self._deciding(lead_id, (REFUSED,), "repair", by) as db:
            db.execute(accepted_leads.update().where(accepted_leads.c.id == lead_id).values(**lead_values(lead)))
            self._once_more(db, lead_id, refusals=None, reason=None)
        self.wake()

    def replay(self, by: str, since: datetime | None = None) -> int:
        """All that waits for a person goes on: what may be in AmoCRM is searched for, the rest tried anew. How many."""
        wanted = sa.select(deliveries).where(deliveries.c.state.in_(FOR_PEOPLE))
        if since is not None:
            fresh = sa.select(accepted_leads.c.id).where(accepted_leads.c.accepted_at >= since)
            wanted = wanted.where(deliveries.c.lead_id.in_(fresh))
        with self._store.write() as db:
            # Locked as they are read: a worker may have one of them in hand by the time it is written.
            rows = db.execute(wanted.order_by(deliveries.c.lead_id).with_for_update()).mappings().all()
            for row in rows:
                number = row["lease_number"] + 1
                self._once_more(db, row["lead_id"], decided_by=by, lease_number=number, candidates=None)
                write_attempt(db, row["lead_id"], Attempt(PERSON, "replay", by=by))
        self.wake()
        return len(rows)

    # Delivering

    def start(self) -> None:
        """Begin delivering in the background."""
        self._workers.start()

    def stop(self, patience_s: float = 5.0) -> None:
        """Finish the leads at hand and stop."""
        self._workers.stop(patience_s)

    @property
    def is_running(self) -> bool:
        """Whether the background workers of this process are alive."""
        return self._workers.are_running

    @property
    def has_died(self) -> bool:
        """Whether they were started and have ended by themselves."""
        return self._workers.have_died

    def deliver_due(self) -> int:
        """Deliver everything that is due now, one after another; how many were taken up."""
        return self._work(False)

    def _set(self, db: sa.Connection, lead_id: str, **values: Any) -> None:
        """What a person has decided: a lead nobody holds, due at once."""
        whole = {"settled_at": None, **due_in(self._store.clock(db), 0.0), **AT_PEACE, **FREE, **values}
        db.execute(deliveries.update().where(deliveries.c.lead_id == lead_id).values(**whole))

    def _once_more(self, db: sa.Connection, lead_id: str, **values: Any) -> None:
        """Let a lead go on, by whatever decision.

        One that may be in AmoCRM is searched for before anything is sent, however often it was sent already. What was waited for it
        counts, so that nobody waits twice; what a person has been shown as alike and did not choose is none of it.
        """
        wanted = sa.select(*deliveries.c["sent_at", "amo_lead_id"]).where(deliveries.c.lead_id == lead_id)
        row = db.execute(wanted).mappings().one()
        if row["sent_at"] is None or row["amo_lead_id"] is not None:
            self._set(db, lead_id, state=QUEUED, sends=0, **values)
        else:
            now = self._store.clock(db)
            self._set(db, lead_id, state=UNKNOWN, unknown_at=now, looks=0, sends=1, **values)

    def _work(self, live_only: bool) -> int:
        count = 0 if live_only else self._look_for_lost()
        while not self._workers.are_stopping and (job := self._rows.take(live_only=live_only)) is not None:
            self._carrier.carry(job)
            count += 1
            if not live_only:
                count += self._look_for_lost()
        return count

    def _look_for_lost(self) -> int:
        """One search at a time in this process: it is for all lost leads at once."""
        if not self._searching.acquire(blocking=False):
            return 0
        failed: Exception | None = None
        try:
            return self._search.look() if self._rows.has_lost_due() else 0
        except Exception as error:
            # What nobody knows of must not hold up what can be sent.
            failed = error
            log.error("a search stumbled: %s", places(error))
            return 0
        finally:
            self._searching.release()
            tell(self._told, "search", failed)

    def _is_elsewhere(self, begun_in: int | None) -> bool:
        """Whether this is another account than the connected one. At most one request."""
        return begun_in is not None and begun_in != self._connection.account_id(is_needed=True)

    @contextmanager
    def _deciding(
        self, lead_id: str, states: tuple[str, ...], what: str, by: str, *, begun_in: int | None = ANY_ACCOUNT
    ) -> Iterator[sa.Connection]:
        """A transaction on a lead that is in one of these states; whatever worker holds it loses it.

        `begun_in`: the account that the decision takes it to be in.
        """
        with self._store.write() as db:
            wanted = sa.select(*deliveries.c["state", "lease_number", "account_id"])
            row = db.execute(wanted.where(deliveries.c.lead_id == lead_id).with_for_update()).mappings().first()
            if row is None or row["state"] not in states or begun_in not in (ANY_ACCOUNT, row["account_id"]):
                raise SetupError("decided_meanwhile")
            self._set(db, lead_id, lease_number=row["lease_number"] + 1, decided_by=by)
            write_attempt(db, lead_id, Attempt(PERSON, what, by=by))
            yield db

    # Told to pages

    def entries(self, states: Sequence[str], *, limit: int, offset: int = 0) -> list[report.Entry]:
        """Leads in the given states, the newest first."""
        return report.entries(self._store, states, limit=limit, offset=offset)

    def story(self, lead_id: str) -> report.Story | None:
        """Everything stored about a lead; None for an unknown id."""
        return report.story(self._store, lead_id)

    def counts(self) -> dict[str, int]:
        """The number of leads in each state."""
        return report.counts(self._store)

    def pause(self) -> report.Pause | None:
        """The reason and the end of a pause of the whole queue; None if the queue moves."""
        return report.pause(self._store)

    def times(self) -> report.Times:
        """Delivery times of the last week's leads."""
        return report.times(self._store)

    def strange(self) -> list[str]:
        """Codes of the last day's failures that no rule foresees."""
        return report.strange(self._store)

    def own_faults(self) -> list[str]:
        """Codes of the last day's failures of the desk or of its database."""
        return report.own_faults(self._store)


def _step(lead_id: str, position: int, kind: str, payload: Any) -> dict[str, Any]:
    text = None if payload is None else json.dumps(payload, ensure_ascii=False)
    return {"lead_id": lead_id, "position": position, "kind": kind, "payload": text, "state": TODO}

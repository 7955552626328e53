"""The tables of deliveries: taking a lead with a lease, writing down each step, making the whole queue wait.

Decides nothing and sends nothing. Every change of a taken lead names the number of its lease: whoever comes too late,
because its lease was taken over meanwhile, changes nothing and gets `LeaseLost`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crm.delivery.decisions import (
    ANOTHER_ACCOUNT,
    DELIVERED,
    FOR_PEOPLE,
    LEAD,
    LOOKS_S,
    NEEDS_DECISION,
    QUEUED,
    SENDING,
    STAGE,
    TASK,
    UNKNOWN,
    Next,
    queue_pause,
)
from crm.errors import DeskError
from crm.intake import Consent, NewLead
from crm.store import Store, clock
from crm.store.owners import is_gone, me
from crm.store.tables import (
    Moment,
    accepted_leads,
    consents,
    deliveries,
    delivery_attempts,
    delivery_pause,
    delivery_steps,
)

LEASE_S = 60.0
"""How long a lead stays with a worker without a sign of life. A worker that is certainly gone holds nothing."""

TRY_FOR_ALL_S = 60.0
"""While the queue waits, the lead that tries for all has this long before the next one may."""

ON_THE_LINE, LATER = 0, 1
"""Priorities: an operator has somebody on the line, or nobody waits."""

TAKING = "take a delivery"

TODO, UNSURE, DONE = "todo", "unsure", "done"
"""States of a step. A write is "unsure" from before it leaves until its answer is written down."""


class LeaseLost(Exception):
    """Somebody else has taken the lead over; whatever we know of it no longer counts."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do in AmoCRM. `payload` None: it follows from the lead."""

    id: int
    kind: str
    payload: Any
    state: str
    amo_id: int | None


@dataclass(frozen=True, slots=True)
class Job:
    """A lead that a worker holds. `tries_for_all`: the queue waits, and this one finds out whether it still has to."""

    lead_id: str
    lease: int
    lead: NewLead
    consent: Consent | None
    live: bool
    tries_for_all: bool
    reason: str | None
    failures: int
    failing_since: datetime | None
    contact_id: int | None
    contact_was_known: bool
    amo_lead_id: int | None
    steps: tuple[Step, ...]
    new_contact: bool = False  # another person on a number that is known: the contact of that number is left alone
    account_id: int | None = None  # in which it was begun; None: in none yet, or before that was kept

    @property
    def todo(self) -> set[str]:
        """Kinds of the steps that are not done."""
        return {step.kind for step in self.steps if step.state != DONE}

    @property
    def makes_a_lead(self) -> bool:
        """Whether the lead is ours to make, and not one that was there before."""
        return any(step.kind == LEAD for step in self.steps)


@dataclass(frozen=True, slots=True)
class Lost:
    """A lead of which nobody knows whether it arrived, held for a search."""

    lead_id: str
    lease: int
    name: str = field(repr=False)
    phone: str = field(repr=False)
    direction: str
    live: bool
    sent_at: datetime
    since_s: float
    looks: int
    sends: int
    reason: str | None
    marker_field: int | None
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one step, for the history. `result`: "ok", an error code, or what a person decided."""

    step: str
    result: str
    status: int | None = None
    duration_ms: int | None = None
    request_id: str | None = None
    by: str | None = None


class Rows:
    """The deliveries of one database. Thread-safe; several processes may share it."""

    def __init__(self, store: Store, generation: Callable[[], int]) -> None:
        """`generation`: counts grants of the connection; a new one ends the queue's wait."""
        self._store, self._generation = store, generation

    # Taking

    def take(self, *, live_only: bool = False) -> Job | None:
        """The next lead that is due, leased to us; None where none is, or the whole queue waits.

        Leads somebody waits for go first, then those due longest. A phone is in one pair of hands at a time: two leads
        of one person that are created at once would make two contacts.
        """
        if not self._is_worth_looking():
            return None
        with self._store.write() as db:
            self._store.serialise(db, TAKING)
            now = self._store.clock(db)
            self._rescue(db, now)
            pause = self._pause(db)
            if pause["reason"] is not None and pause["until"] > now:
                return None
            tries_for_all = pause["reason"] is not None
            row = db.execute(_due(now, live_only=live_only, tries_for_all=tries_for_all)).mappings().first()
            if row is None:
                return None
            if tries_for_all:
                db.execute(delivery_pause.update().values(until=now + TRY_FOR_ALL_S))
            lease = self._lease(db, row, now, attempts=row["attempts"] + 1)
            return self._job(db, row, lease, tries_for_all=tries_for_all)

    def take_lost(self, most: int) -> list[Lost]:
        """Leads of unknown fate that are due for a search, leased to us; none while the whole queue waits."""
        with self._store.write() as db:
            self._store.serialise(db, TAKING)
            now = self._store.clock(db)
            self._rescue(db, now)
            pause = self._pause(db)
            if pause["reason"] is not None and pause["until"] > now:
                return []
            wanted = (
                sa.select(deliveries)
                .where(deliveries.c.state == UNKNOWN, deliveries.c.due_at <= now, deliveries.c.lease_until < now)
                .order_by(deliveries.c.priority, deliveries.c.due_at)
                .limit(most)
                .with_for_update()  # a person may be deciding about one of them at this moment
            )
            return [self._lost(db, row, now) for row in db.execute(wanted).mappings().all()]

    def has_lost_due(self) -> bool:
        """Whether a search is due. One read."""
        with self._store.read() as db:
            now = self._store.clock(db)
            wanted = sa.select(deliveries.c.lead_id).where(deliveries.c.state == UNKNOWN, deliveries.c.due_at <= now)
            return db.scalar(wanted.limit(1)) is not None

    def keep(self, leases: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
        """Renew leases; those that still are ours."""
        ours = set()
        with self._store.write(durable=False) as db:
            until = self._store.clock(db) + LEASE_S
            for lead_id, lease in leases:
                if db.execute(_under(lead_id, lease).values(lease_until=until)).rowcount:
                    ours.add((lead_id, lease))
        return ours

    # Writing down what happened. All raise `LeaseLost`.

    def begun_in(self, job: Job, account_id: int) -> None:
        """From here on its ids are those of this account. Nothing is on its way yet, so it need not be on the disk before
        `sending` or `unsure` puts it there together with itself."""
        with self._changing(job.lead_id, job.lease, None, durable=False) as db:
            db.execute(_under(job.lead_id, job.lease).values(account_id=account_id))

    def begin_anew(self, job: Job) -> None:
        """Nothing of it is in the account it was begun in. Ends the lease: the next one finds it as new."""
        with self._changing(job.lead_id, job.lease, None) as db:
            begin_anew(db, job.lead_id, due_at=self._store.clock(db))

    def in_another_account(self, held: Job | Lost, lead_id: int | None, attempt: Attempt) -> None:
        """It is, or may be, in an account that is not the connected one: a person decides. `lead_id`: where it is known."""
        with self._changing(held.lead_id, held.lease, attempt) as db:
            values = {
                "state": NEEDS_DECISION,
                "reason": ANOTHER_ACCOUNT,
                "candidates": json.dumps([] if lead_id is None else [lead_id]),
                "settled_at": clock.now(),
                **FREE,
            }
            db.execute(_under(held.lead_id, held.lease).values(**values))

    def sending(self, job: Job, *, contact_id: int | None, marker_field: int | None, attempt: Attempt | None) -> None:
        """The creating request is about to leave: from here on nobody knows until its answer is written down."""
        with self._changing(job.lead_id, job.lease, attempt) as db:
            db.execute(
                _under(job.lead_id, job.lease).values(
                    state=SENDING,
                    sent_at=clock.now(),
                    sends=deliveries.c.sends + 1,
                    contact_id=contact_id,
                    contact_was_known=contact_id is not None,
                    marker_field=marker_field,
                )
            )

    def created(self, job: Job, step: Step, lead_id: int, contact_id: int | None, attempt: Attempt) -> None:
        """The lead is in AmoCRM."""
        with self._changing(job.lead_id, job.lease, attempt) as db:
            _mark(db, step, DONE, lead_id)
            known = {} if contact_id is None else {"contact_id": contact_id}
            db.execute(_under(job.lead_id, job.lease).values(state=QUEUED, **_arrived(lead_id), **known))

    def unsure(self, job: Job, step: Step) -> None:
        """A write other than the creating one is about to leave."""
        with self._changing(job.lead_id, job.lease, None) as db:
            _mark(db, step, UNSURE)

    def done(self, job: Job, step: Step, amo_id: int | None, attempt: Attempt | None) -> None:
        """A step other than the creating one is done, or there was nothing to do."""
        with self._changing(job.lead_id, job.lease, attempt) as db:
            _mark(db, step, DONE, amo_id)

    def delivered(self, job: Job) -> None:
        """Every step is done."""
        with self._changing(job.lead_id, job.lease, None) as db:
            todo = sa.select(sa.func.count()).where(
                delivery_steps.c.lead_id == job.lead_id, delivery_steps.c.state != DONE
            )
            if db.scalar(todo):  # somebody has added a step meanwhile
                db.execute(_under(job.lead_id, job.lease).values(state=QUEUED, due_at=self._store.clock(db), **FREE))
                return
            now = clock.now()
            values = {"state": DELIVERED, "settled_at": now, "reason": None, **AT_PEACE, **FREE}
            values["delivered_at"] = sa.func.coalesce(
                deliveries.c.delivered_at, sa.bindparam("at", now, type_=Moment())
            )
            db.execute(_under(job.lead_id, job.lease).values(**values))

    def failed(
        self,
        job: Job,
        step: Step | None,
        follows: Next,
        error: DeskError,
        attempt: Attempt,
        *,
        refusals: Sequence[tuple[str, str, str]] = (),
        undone: bool,
    ) -> None:
        """A step brought an error: what becomes of the lead, and of the whole queue. Ends the lease.

        `undone`: the request was certainly not carried out.
        """
        with self._changing(job.lead_id, job.lease, attempt) as db:
            now = self._store.clock(db)
            values: dict[str, Any] = {
                "state": follows.state,
                "reason": error.code,
                "due_at": now + follows.pause_s,
                "settled_at": clock.now() if follows.state in FOR_PEOPLE else None,
                "refusals": json.dumps([list(refusal) for refusal in refusals]),
                **FREE,
            }
            if follows.forget == "contact":
                values |= {"contact_id": None, "contact_was_known": False}
            if follows.state == UNKNOWN:
                values |= {"unknown_at": now, "looks": 0}
            elif undone:
                values |= {"sent_at": None, "unknown_at": None}
            if not follows.whole_queue:
                values |= {
                    "failures": job.failures + 1,
                    "failing_since": job.failing_since or clock.now(),
                }
            db.execute(_under(job.lead_id, job.lease).values(**values))
            if step is not None and undone:
                _mark(db, step, TODO)
            if follows.whole_queue:
                self._halt(db, error, now, counts=job.tries_for_all)

    def let_go(self, lead_id: str, lease: int, pause_s: float = 0.0) -> None:
        """Hold a lead no longer, as it is."""
        with self._store.write() as db:
            due_at = self._store.clock(db) + pause_s
            db.execute(_under(lead_id, lease).values(due_at=due_at, **FREE))

    def go_on(self, *, by_reading: bool = False) -> None:
        """The queue need not wait any more. `by_reading`: a read has shown that, which says nothing about rights to write."""
        with self._store.read() as db:
            waits = db.scalar(sa.select(delivery_pause.c.reason))
        if waits is not None and not (by_reading and waits == "rights_missing"):
            with self._store.write() as db:
                db.execute(delivery_pause.update().values(_NO_PAUSE))

    def others_got_through(self, job: Job, step: str) -> bool:
        """Whether this step has succeeded for another lead since it last failed for this one."""
        failed = sa.select(sa.func.max(delivery_attempts.c.id)).where(
            delivery_attempts.c.lead_id == job.lead_id, delivery_attempts.c.step == step
        )
        wanted = sa.select(delivery_attempts.c.id).where(
            delivery_attempts.c.id > failed.scalar_subquery(),
            delivery_attempts.c.lead_id != job.lead_id,
            delivery_attempts.c.step == step,
            delivery_attempts.c.result.in_(("ok", "merged")),
        )
        with self._store.read() as db:
            return db.scalar(wanted.limit(1)) is not None

    def halt(self, error: DeskError) -> None:
        """The queue has to wait, as a search has found out."""
        with self._store.write() as db:
            self._halt(db, error, self._store.clock(db), counts=True)

    # What a search has shown

    def found(self, lost: Lost, lead_id: int, contact_id: int | None, attempt: Attempt) -> None:
        """It is in AmoCRM; what follows the creating step can go on."""
        with self._changing(lost.lead_id, lost.lease, attempt) as db:
            it_is_there(db, lost.lead_id, lead_id, contact_id, due_at=self._store.clock(db))

    def not_found(self, lost: Lost, pause_s: float, attempt: Attempt) -> None:
        """Not there yet: look again."""
        with self._changing(lost.lead_id, lost.lease, attempt) as db:
            due_at = self._store.clock(db) + pause_s
            values = {"looks": deliveries.c.looks + 1, "due_at": due_at, **FREE}
            db.execute(_under(lost.lead_id, lost.lease).values(**values))

    def absent(self, lost: Lost, attempt: Attempt) -> None:
        """It never arrived: it may be sent."""
        with self._changing(lost.lead_id, lost.lease, attempt) as db:
            values = {"state": QUEUED, "due_at": self._store.clock(db), "sent_at": None, "unknown_at": None, **FREE}
            db.execute(_under(lost.lead_id, lost.lease).values(**values))

    def cannot_tell(self, lost: Lost, candidates: Sequence[int], attempt: Attempt) -> None:
        """A person has to decide."""
        with self._changing(lost.lead_id, lost.lease, attempt) as db:
            values = {
                "state": NEEDS_DECISION,
                "candidates": json.dumps(list(candidates)),
                "settled_at": clock.now(),
                **FREE,
            }
            db.execute(_under(lost.lead_id, lost.lease).values(**values))

    def account_of(self, lead_id: str) -> int | None:
        """The account a lead of ours was begun in."""
        with self._store.read() as db:
            return db.scalar(sa.select(deliveries.c.account_id).where(deliveries.c.lead_id == lead_id))

    def made_by(self, lead_id: str, kind: str) -> int | None:
        """What a step of this kind has made in AmoCRM."""
        wanted = sa.select(delivery_steps.c.amo_id).where(
            delivery_steps.c.lead_id == lead_id, delivery_steps.c.kind == kind, delivery_steps.c.amo_id.is_not(None)
        )
        with self._store.read() as db:
            return db.scalar(wanted.order_by(delivery_steps.c.id.desc()).limit(1))

    def taken_ids(self, lead_ids: Sequence[int]) -> set[int]:
        """Which of these leads of AmoCRM belong to some lead of ours."""
        with self._store.read() as db:
            wanted = sa.select(deliveries.c.amo_lead_id).where(deliveries.c.amo_lead_id.in_(lead_ids))
            return set(db.scalars(wanted))

    # Inside

    def _is_worth_looking(self) -> bool:
        """Whether anything is due or held by anybody. A read, so that an idle desk never takes the write lock."""
        with self._store.read() as db:
            now = self._store.clock(db)
            due = sa.and_(deliveries.c.state == QUEUED, deliveries.c.due_at <= now)
            wanted = sa.select(deliveries.c.lead_id).where(sa.or_(due, deliveries.c.lease_owner.is_not(None)))
            return db.scalar(wanted.limit(1)) is not None

    def _rescue(self, db: sa.Connection, now: float) -> None:
        """Leads whose worker is gone: one that was sending leaves a lead of which nobody knows."""
        wanted = sa.select(*deliveries.c["lead_id", "state", "lease_number", "lease_until", "lease_owner"])
        for lead_id, state, number, until, owner in db.execute(
            wanted.where(deliveries.c.lease_owner.is_not(None))
        ).all():
            if until >= now and not is_gone(owner):
                continue
            # A worker that was only slow may go on at this very moment: then what was read is not so any more.
            as_read = (deliveries.c.state == state, deliveries.c.lease_until == until)
            values: dict[str, Any] = {"lease_number": deliveries.c.lease_number + 1, **FREE}
            if state == SENDING:
                values |= {"state": UNKNOWN, "reason": "worker_died", "unknown_at": now, "looks": 0}
                values |= {"due_at": now + LOOKS_S[0]}
            db.execute(_under(lead_id, number).where(*as_read).values(**values))

    def _pause(self, db: sa.Connection) -> sa.RowMapping:
        """The pause as it holds now: a grant that is newer than it has ended it."""
        wanted = sa.select(delivery_pause)
        row = db.execute(wanted).mappings().one()
        if row["reason"] is None or row["grant_generation"] == self._generation():
            return row
        db.execute(delivery_pause.update().values(_NO_PAUSE))
        return db.execute(wanted).mappings().one()

    def _halt(self, db: sa.Connection, error: DeskError, now: float, *, counts: bool) -> None:
        row = db.execute(sa.select(delivery_pause)).mappings().one()
        failures = row["failures"] + 1 if counts or row["reason"] is None else row["failures"]
        until = now + queue_pause(error, max(failures, 1))
        db.execute(
            delivery_pause.update().values(
                reason=error.code,
                since=row["since"] or clock.now(),
                until=until if counts else max(until, row["until"]),
                failures=failures,
                grant_generation=self._generation(),
            )
        )

    def _lease(self, db: sa.Connection, row: sa.RowMapping, now: float, **values: Any) -> int:
        number = int(row["lease_number"]) + 1
        db.execute(
            deliveries.update()
            .where(deliveries.c.lead_id == row["lead_id"])
            .values(lease_number=number, lease_until=now + LEASE_S, lease_owner=me(), **values)
        )
        return number

    def _job(self, db: sa.Connection, row: sa.RowMapping, lease: int, *, tries_for_all: bool) -> Job:
        lead = db.execute(sa.select(accepted_leads).where(accepted_leads.c.id == row["lead_id"])).mappings().one()
        consent = db.execute(sa.select(consents).where(consents.c.lead_id == row["lead_id"])).mappings().first()
        return Job(
            lead_id=row["lead_id"],
            lease=lease,
            lead=new_lead(lead),
            consent=consent_of(consent),
            live=row["priority"] == ON_THE_LINE,
            tries_for_all=tries_for_all,
            reason=row["reason"],
            failures=row["failures"],
            failing_since=row["failing_since"],
            contact_id=row["contact_id"],
            contact_was_known=bool(row["contact_was_known"]),
            amo_lead_id=row["amo_lead_id"],
            steps=steps_of(db, row["lead_id"]),
            new_contact=row["new_contact"],
            account_id=row["account_id"],
        )

    def _lost(self, db: sa.Connection, row: sa.RowMapping, now: float) -> Lost:
        lead = db.execute(sa.select(accepted_leads).where(accepted_leads.c.id == row["lead_id"])).mappings().one()
        return Lost(
            lead_id=row["lead_id"],
            lease=self._lease(db, row, now),
            name=lead["name"],
            phone=lead["phone"],
            direction=lead["direction"],
            live=row["priority"] == ON_THE_LINE,
            sent_at=row["sent_at"] or lead["accepted_at"],
            since_s=now - (row["unknown_at"] or 0.0),
            looks=row["looks"],
            sends=row["sends"],
            reason=row["reason"],
            marker_field=row["marker_field"],
            account_id=row["account_id"],
        )

    @contextmanager
    def _changing(
        self, lead_id: str, lease: int, attempt: Attempt | None, *, durable: bool = True
    ) -> Iterator[sa.Connection]:
        """A transaction on a lead we hold, with the attempt that led to it."""
        with self._store.write(durable=durable) as db:
            held = sa.select(deliveries.c.lease_number).where(deliveries.c.lead_id == lead_id).with_for_update()
            if db.scalar(held) != lease:
                raise LeaseLost(lead_id)
            if attempt is not None:
                write_attempt(db, lead_id, attempt)
            yield db


def it_is_there(db: sa.Connection, lead_id: str, amo_lead_id: int, contact_id: int | None, *, due_at: float) -> None:
    """The lead is in AmoCRM, whoever has found out; what follows the creating step can go on."""
    known = {} if contact_id is None else {"contact_id": contact_id}
    values = {"state": QUEUED, "due_at": due_at, "settled_at": None, **_arrived(amo_lead_id), **known, **FREE}
    db.execute(deliveries.update().where(deliveries.c.lead_id == lead_id).values(**values))
    creating = (delivery_steps.c.lead_id == lead_id, delivery_steps.c.kind == LEAD)
    db.execute(delivery_steps.update().where(*creating).values(state=DONE, amo_id=amo_lead_id))


def all_done(db: sa.Connection, lead_id: str) -> None:
    """Nothing is left to do for a lead that is there."""
    db.execute(delivery_steps.update().where(delivery_steps.c.lead_id == lead_id).values(state=DONE))
    values = {"state": DELIVERED, "settled_at": clock.now(), "candidates": None}
    db.execute(deliveries.update().where(deliveries.c.lead_id == lead_id).values(**values))


def begin_anew(db: sa.Connection, lead_id: str, *, due_at: float) -> None:
    """The lead is to be made in the account that is connected now, whatever there is of it in another one.

    Ids of the other account are forgotten: its contact, its people, its stages. What was said of a lead that is there becomes
    a lead of its own here, as there is nothing to add it to.
    """
    nothing = dict.fromkeys(
        ("account_id", "contact_id", "contact_was_known", "amo_lead_id", "marker_field", "candidates", "refusals",
         "sent_at", "unknown_at", "reason", "delivered_at", "settled_at")
    )  # fmt: skip
    values = {"state": QUEUED, "due_at": due_at, "sends": 0, "looks": 0, **nothing, **AT_PEACE, **FREE}
    db.execute(deliveries.update().where(deliveries.c.lead_id == lead_id).values(**values))
    of_it = delivery_steps.c.lead_id == lead_id
    db.execute(delivery_steps.delete().where(of_it, delivery_steps.c.kind == STAGE))
    db.execute(delivery_steps.update().where(of_it).values(state=TODO, amo_id=None))
    steps = steps_of(db, lead_id)
    for step in steps:
        if step.kind == TASK:
            payload = json.dumps({**step.payload, "responsible_user_id": None}, ensure_ascii=False)
            db.execute(delivery_steps.update().where(delivery_steps.c.id == step.id).values(payload=payload))
    if not any(step.kind == LEAD for step in steps):
        first = {"position": -1, "kind": LEAD, "payload": None, "state": TODO}
        db.execute(delivery_steps.insert().values(lead_id=lead_id, **first))


SAID = "said:"
"""How names begin in `accepted_leads.extra` that are of no field: what was said of the one behind it, for the note."""


def new_lead(row: Mapping[str, Any] | sa.RowMapping) -> NewLead:
    """The lead of a row of `accepted_leads`."""
    extra: dict[str, str] = json.loads(row["extra"])
    said = {name.removeprefix(SAID): extra.pop(name) for name in list(extra) if name.startswith(SAID)}
    return NewLead(
        row["name"],
        row["phone"],
        row["direction"],
        row["source"],
        row["message"],
        extra,
        json.loads(row["tracking"]),
        said,
    )


def lead_values(lead: NewLead) -> dict[str, Any]:
    """The columns of `accepted_leads` that say what the lead is."""
    return {
        "name": lead.name,
        "phone": lead.phone,
        "direction": lead.direction,
        "source": lead.source,
        "message": lead.message,
        "extra": json.dumps(
            {**lead.extra, **{f"{SAID}{name}": text for name, text in lead.said.items()}}, ensure_ascii=False
        ),
        "tracking": json.dumps(dict(lead.tracking), ensure_ascii=False),
    }


def consent_of(row: Mapping[str, Any] | sa.RowMapping | None) -> Consent | None:
    if row is None:
        return None
    return Consent(row["text_version"], row["given_at"], row["ip"], row["form"], row["taken_by"])


def steps_of(db: sa.Connection, lead_id: str) -> tuple[Step, ...]:
    """The steps of a lead, in order."""
    wanted = sa.select(delivery_steps).where(delivery_steps.c.lead_id == lead_id)
    rows = db.execute(wanted.order_by(delivery_steps.c.position, delivery_steps.c.id)).mappings()
    return tuple(
        Step(row["id"], row["kind"], json.loads(row["payload"] or "null"), row["state"], row["amo_id"]) for row in rows
    )


FREE: dict[str, Any] = {"lease_until": 0.0, "lease_owner": None}
AT_PEACE: dict[str, Any] = {"failures": 0, "failing_since": None}
_NO_PAUSE: dict[str, Any] = {"reason": None, "since": None, "until": 0.0, "failures": 0, "grant_generation": None}


def _arrived(amo_lead_id: int) -> dict[str, Any]:
    return {
        "amo_lead_id": amo_lead_id,
        "delivered_at": clock.now(),
        "sent_at": None,
        "unknown_at": None,
        "reason": None,
        **AT_PEACE,
    }


def _under(lead_id: str, lease: int) -> sa.Update:
    """A change that only the holder of this lease can make."""
    return deliveries.update().where(deliveries.c.lead_id == lead_id, deliveries.c.lease_number == lease)


def _mark(db: sa.Connection, step: Step, state: str, amo_id: int | None = None) -> None:
    made = {} if amo_id is None else {"amo_id": amo_id}
    db.execute(delivery_steps.update().where(delivery_steps.c.id == step.id).values(state=state, **made))


def write_attempt(db: sa.Connection, lead_id: str, attempt: Attempt) -> None:
    db.execute(
        delivery_attempts.insert().values(
            lead_id=lead_id,
            at=clock.now(),
            step=attempt.step,
            result=attempt.result[:64],
            status=attempt.status,
            duration_ms=attempt.duration_ms,
            request_id=attempt.request_id and attempt.request_id[:100],
            by=attempt.by,
        )
    )


def _due(now: float, *, live_only: bool, tries_for_all: bool) -> sa.Select[Any]:
    """The queued lead that is next, and whose phone nobody works on.

    While one tries for all it is each time another one: what keeps a single lead out must not keep all of them out.
    """
    other, other_lead = deliveries.alias(), accepted_leads.alias()
    at_work = sa.or_(
        other.c.state.in_((SENDING, UNKNOWN)), sa.and_(other.c.state == QUEUED, other.c.lease_until >= now)
    )
    twin = (
        sa.select(other.c.lead_id)
        .join(other_lead, other_lead.c.id == other.c.lead_id)
        .where(other_lead.c.phone == accepted_leads.c.phone, other.c.lead_id != deliveries.c.lead_id, at_work)
    )
    wanted = (
        sa.select(deliveries)
        .join(accepted_leads, accepted_leads.c.id == deliveries.c.lead_id)
        .where(deliveries.c.state == QUEUED, deliveries.c.due_at <= now, deliveries.c.lease_until < now, ~twin.exists())
    )
    if live_only:
        wanted = wanted.where(deliveries.c.priority == ON_THE_LINE)
    order = (deliveries.c.attempts,) if tries_for_all else (deliveries.c.priority,)
    return wanted.order_by(*order, deliveries.c.due_at).limit(1)

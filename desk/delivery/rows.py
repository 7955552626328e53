"""The tables of deliveries: taking a lead with a lease, writing down each step, making the whole queue wait.

Decides nothing and sends nothing. Every change of a taken lead names the number of its lease: whoever comes too late,
because its lease was taken over meanwhile, changes nothing and gets `LeaseLost`.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from crm.errors import DeskError, places
from desk.delivery.decisions import (
    ANOTHER_ACCOUNT,
    CONTACT,
    DELIVERED,
    FOR_PEOPLE,
    HOLD_PHONE_S,
    LEAD,
    LOOKS_S,
    NEEDS_DECISION,
    NOTE,
    OWN_FAULTS,
    PERHAPS_ITS_OWN,
    QUEUED,
    SEARCH,
    SENDING,
    STAGE,
    TASK,
    UNKNOWN,
    Next,
    as_fault,
    is_hopeless,
    pause_s,
    queue_pause,
    waited,
)
from desk.lead import Consent, NewLead
from store import Store, clock, waits
from store.owners import is_gone, me
from store.tables import Moment, accepted_leads, consents, deliveries, delivery_attempts, delivery_pause, delivery_steps

LEASE_S = 30.0
"""How long a lead stays with a worker without a sign of life. A worker that is certainly gone holds nothing."""

LEASE_SLACK_S = 5.0
"""A lease that ends so much later than a new one would was taken by a clock that was set back since: it is over. The number of
a lease keeps that safe."""

TRY_FOR_ALL_S = 15.0
"""While the queue waits, the lead that tries for all has this long before the next one may; renewed with its lease."""

MOST_REMEMBERED = 10_000
"""Waits this process remembers by the clock that cannot jump. What is forgotten is told by the shared clock alone."""

WORKER_DIED = "worker_died"
"""The reason of a lead whose holder gave no sign of life any more."""

ON_THE_LINE, LATER = 0, 1
"""Priorities: an operator has somebody on the line, or nobody waits."""

TAKING = "take a delivery"

TODO, MAYBE_SENT, DONE = "todo", "unsure", "done"
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
    stumbles: int
    trying_s: float
    contact_id: int | None
    contact_was_known: bool
    amo_lead_id: int | None
    steps: tuple[Step, ...]
    new_contact: bool = False  # another person on a number that is known: the contact of that number is left alone
    account_id: int | None = None  # in which it was begun; None: in none yet, or before that was kept
    maybe_in: Mapping[int, str | None] = field(
        default_factory=dict
    )  # former accounts it may be in, and when it was sent

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
    sent_theirs: float | None
    since_s: float  # waited for it since the request ended
    looks: int
    sends: int
    reason: str | None
    marker_field: int | None
    failures: int = 0
    stumbles: int = 0
    trying_s: float = 0.0
    ruled_out: frozenset[int] = frozenset()  # a person has seen these and said that it is none of them
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


Held = TypeVar("Held", Job, Lost)

log = logging.getLogger(__name__)


class Rows:
    """The deliveries of one database. Thread-safe; several processes may share it."""

    def __init__(
        self, store: Store, generation: Callable[[], int], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`generation`: counts grants of the connection; a new one ends the queue's wait."""
        self._store, self._generation, self._monotonic = store, generation, monotonic
        self._begun: dict[str, tuple[float, float]] = {}  # by lead: when its wait was written down, by both clocks

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
            if not _has_ended(pause, now):
                return None
            tries_for_all = pause["reason"] is not None
            due = _due(now, live_only=live_only, tries_for_all=tries_for_all)
            while (row := db.execute(due).mappings().first()) is not None:
                lease = self._lease(db, row, now, attempts=row["attempts"] + 1)
                job = self._read(db, row, lease, now, CONTACT, lambda: self._job(db, row, lease, tries_for_all))  # noqa: B023 - called at once
                if job is None:
                    continue
                if tries_for_all:
                    db.execute(delivery_pause.update().values(**_pause_for(now, TRY_FOR_ALL_S)))
                return job
            return None

    def take_lost(self, most: int) -> list[Lost]:
        """Leads of unknown fate that are due for a search, leased to us; none while the whole queue waits."""
        with self._store.write() as db:
            self._store.serialise(db, TAKING)
            now = self._store.clock(db)
            self._rescue(db, now)
            if not _has_ended(self._pause(db), now):
                return []
            wanted = (
                sa.select(deliveries)
                .where(deliveries.c.state == UNKNOWN, _is_due(now), ~_is_held(deliveries, now))
                .order_by(deliveries.c.priority, deliveries.c.due_at)
                .limit(most)
                .with_for_update()  # a person may be deciding about one of them at this moment
            )
            found = []
            for row in db.execute(wanted).mappings().all():
                lease = self._lease(db, row, now)
                found.append(self._read(db, row, lease, now, SEARCH, lambda: self._lost(db, row, lease, now)))  # noqa: B023 - as above
            return [lost for lost in found if lost is not None]

    def has_lost_due(self) -> bool:
        """Whether a search is due. One read."""
        with self._store.read() as db:
            now = self._store.clock(db)
            wanted = sa.select(deliveries.c.lead_id).where(deliveries.c.state == UNKNOWN, _is_due(now))
            return db.scalar(wanted.limit(1)) is not None

    def keep(self, leases: Iterable[tuple[str, int, bool]]) -> set[tuple[str, int]]:
        """Renew leases, each with whether its lead tries for all; those that still are ours.

        While one that tries for all is held, no other one tries.
        """
        ours, is_tried = set(), False
        with self._store.write(durable=False) as db:
            now = self._store.clock(db)
            # In one order, as two hearts that lock the same rows crosswise would stop each other.
            for lead_id, lease, tries_for_all in sorted(leases):
                # One that was let go meanwhile has no holder any more, and must not get a lease without one.
                held = _under(lead_id, lease).where(deliveries.c.lease_owner.is_not(None))
                if not db.execute(held.values(lease_until=now + LEASE_S)).rowcount:
                    continue
                ours.add((lead_id, lease))
                is_tried = is_tried or tries_for_all
            if is_tried:  # last, as whoever writes a failure down locks its lead first and the pause then
                waiting = delivery_pause.update().where(delivery_pause.c.reason.is_not(None))
                db.execute(waiting.values(**_pause_for(now, TRY_FOR_ALL_S)))
        return ours

    # Writing down what happened. All raise `LeaseLost`.

    def begun_in(self, job: Job, account_id: int) -> None:
        """From here on its ids are those of this account. Nothing is on its way yet, so it need not be on the disk before
        `sending` or `unsure` puts it there together with itself."""
        with self._changing(job.lead_id, job.lease, None, durable=False) as db:
            db.execute(_under(job.lead_id, job.lease).values(account_id=account_id))

    def requeue(self, job: Job) -> None:
        """Nothing of it is in the account it was begun in. Ends the lease: the next one finds it as new."""
        with self._changing(job.lead_id, job.lease, None) as db:
            requeue(db, job.lead_id, now_s=self._store.clock(db))

    def search_first(self, job: Job, account_id: int, marker_field: int | None) -> None:
        """It may be in this account since it was sent here before another one was connected. Ends the lease."""
        sent_at = job.maybe_in.get(account_id)
        with self._changing(job.lead_id, job.lease, None) as db:
            now = self._store.clock(db)
            when = datetime.fromisoformat(sent_at) if sent_at else None
            values: dict[str, Any] = {
                "state": UNKNOWN,
                "reason": None,
                "sent_at": when or clock.now(),
                "sent_theirs": None,
            }
            values |= {"account_id": account_id, "marker_field": marker_field}
            values |= {"looks": 0, "looked_s": 0.0, "unknown_at": now, **due_in(now, 0.0), **RELEASED}
            db.execute(_under(job.lead_id, job.lease).values(**values))

    def in_another_account(self, held: Job | Lost, lead_id: int | None, attempt: Attempt) -> None:
        """It is, or may be, in an account that is not the connected one: a person decides. `lead_id`: where it is known."""
        with self._changing(held.lead_id, held.lease, attempt) as db:
            values = {
                "state": NEEDS_DECISION,
                "reason": ANOTHER_ACCOUNT,
                "candidates": json.dumps([] if lead_id is None else [lead_id]),
                "settled_at": clock.now(),
                **RELEASED,
            }
            db.execute(_under(held.lead_id, held.lease).values(**values))

    def sending(
        self,
        job: Job,
        *,
        contact_id: int | None,
        marker_field: int | None,
        attempt: Attempt | None,
        theirs: float | None = None,
    ) -> None:
        """The creating request is about to leave: from here on nobody knows until its answer is written down.

        `theirs`: AmoCRM's clock now, unix seconds, if it is known.
        """
        with self._changing(job.lead_id, job.lease, attempt) as db:
            db.execute(
                _under(job.lead_id, job.lease).values(
                    state=SENDING,
                    sent_at=clock.now(),
                    sent_theirs=theirs,
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
            _mark(db, step, MAYBE_SENT)

    def done(self, job: Job, step: Step, amo_id: int | None, attempt: Attempt | None) -> None:
        """A step other than the creating one is done, or there was nothing to do."""
        with self._changing(job.lead_id, job.lease, attempt) as db:
            _mark(db, step, DONE, amo_id)
            db.execute(_under(job.lead_id, job.lease).values(**NO_FAILURES))

    def delivered(self, job: Job) -> None:
        """Every step is done."""
        with self._changing(job.lead_id, job.lease, None) as db:
            todo = sa.select(sa.func.count()).where(
                delivery_steps.c.lead_id == job.lead_id, delivery_steps.c.state != DONE
            )
            if db.scalar(todo):  # somebody has added a step meanwhile
                again = {"state": QUEUED, **due_in(self._store.clock(db), 0.0), **RELEASED}
                db.execute(_under(job.lead_id, job.lease).values(**again))
                return
            now = clock.now()
            values = {"state": DELIVERED, "settled_at": now, "reason": None, **NO_FAILURES, **RELEASED}
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
                **due_in(now, follows.pause_s),
                "settled_at": clock.now() if follows.state in FOR_PEOPLE else None,
                "refusals": json.dumps([list(refusal) for refusal in refusals]),
                **RELEASED,
            }
            if follows.forget == "contact":
                values |= {"contact_id": None, "contact_was_known": False}
            if follows.state == UNKNOWN:
                values |= {"unknown_at": now, "looks": 0, "looked_s": 0.0}
                self._note_wait(job.lead_id, now)
            elif undone:
                values |= {"sent_at": None, "unknown_at": None}
            if not follows.whole_queue:
                values |= _failing(error.code, job, follows.pause_s)
            db.execute(_under(job.lead_id, job.lease).values(**values))
            if step is not None and undone:
                _mark(db, step, TODO)
            if follows.whole_queue:
                self._halt(db, error, now, counts=job.tries_for_all)

    def let_go(self, lead_id: str, lease: int, pause_s: float = 0.0) -> None:
        """Hold a lead no longer, as it is."""
        with self._store.write() as db:
            db.execute(_under(lead_id, lease).values(**due_in(self._store.clock(db), pause_s), **RELEASED))

    def go_on(self, *, by_reading: bool = False) -> None:
        """The queue need not wait any more. `by_reading`: a read has shown that, which says nothing about rights to write."""
        with self._store.read() as db:
            waits = db.scalar(sa.select(delivery_pause.c.reason))
        if waits is not None and not (by_reading and waits in PERHAPS_ITS_OWN):
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
            it_is_there(db, lost.lead_id, lead_id, contact_id, now_s=self._store.clock(db))

    def not_found(self, lost: Lost, pause_s: float, attempt: Attempt) -> None:
        """A whole search has not shown it yet: look again."""
        self._look_again(lost, pause_s, attempt, NO_FAILURES)

    def could_not_look(self, lost: Lost, pause_s: float, attempt: Attempt, *, is_own: bool) -> None:
        """The search itself failed, which shows nothing: look again. `is_own`: the failure is this lead's own."""
        self._look_again(lost, pause_s, attempt, _failing(attempt.result, lost, pause_s) if is_own else {})

    def _look_again(self, lost: Lost, pause_s: float, attempt: Attempt, more: Mapping[str, Any]) -> None:
        with self._changing(lost.lead_id, lost.lease, attempt) as db:
            now = self._store.clock(db)
            values = {
                "looks": deliveries.c.looks + 1,
                "looked_s": lost.since_s,
                **due_in(now, pause_s),
                **more,
                **RELEASED,
            }
            db.execute(_under(lost.lead_id, lost.lease).values(**values))
            self._note_wait(lost.lead_id, now)

    def absent(self, lost: Lost, attempt: Attempt) -> None:
        """It never arrived in the account that is connected: it may be sent."""
        with self._changing(lost.lead_id, lost.lease, attempt) as db:
            nowhere = {"sent_at": None, "sent_theirs": None, "unknown_at": None, "looked_s": 0.0, "candidates": None}
            values = {"state": QUEUED, **due_in(self._store.clock(db), 0.0), **nowhere, **NO_FAILURES, **RELEASED}
            values["maybe_in"] = _without(db, lost.lead_id, lost.account_id)
            db.execute(_under(lost.lead_id, lost.lease).values(**values))

    def cannot_tell(
        self, lost: Lost, candidates: Sequence[int], attempt: Attempt, *, reason: str | None = None
    ) -> None:
        """A person has to decide. `reason`: why the search could not."""
        with self._changing(lost.lead_id, lost.lease, attempt) as db:
            values = {
                "state": NEEDS_DECISION,
                "candidates": json.dumps(list(candidates)),
                "settled_at": clock.now(),
                "looked_s": lost.since_s,
                **({} if reason is None else {"reason": reason}),
                **RELEASED,
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
            due = sa.and_(deliveries.c.state == QUEUED, _is_due(now))
            wanted = sa.select(deliveries.c.lead_id).where(sa.or_(due, deliveries.c.lease_owner.is_not(None)))
            return db.scalar(wanted.limit(1)) is not None

    def _rescue(self, db: sa.Connection, now: float) -> None:
        """Leads whose worker is gone: one that was sending leaves a lead of which nobody knows.

        That is a failure of the lead as any other: one at which each worker dies goes to a person.
        """
        wanted = sa.select(deliveries).where(deliveries.c.lease_owner.is_not(None))
        for row in db.execute(wanted).mappings().all():
            state, until, number = row["state"], row["lease_until"], row["lease_number"]
            if now <= until <= now + LEASE_S + LEASE_SLACK_S and not is_gone(row["lease_owner"]):
                continue
            # A worker that was only slow may go on at this very moment: then what was read is not so any more.
            as_read = (deliveries.c.state == state, deliveries.c.lease_until == until)
            if state == SENDING:
                values = {"state": UNKNOWN, "reason": WORKER_DIED, "unknown_at": now, "looks": 0, "looked_s": 0.0}
                values |= due_in(now, LOOKS_S[0])
            else:
                values = _set_aside(WORKER_DIED, row, now)
            changed = _under(row["lead_id"], number).where(*as_read)
            if db.execute(changed.values(lease_number=number + 1, **values, **RELEASED)).rowcount:
                step = {SENDING: LEAD, UNKNOWN: SEARCH}.get(state, CONTACT if row["amo_lead_id"] is None else NOTE)
                write_attempt(db, row["lead_id"], Attempt(step, WORKER_DIED))
                if values["state"] == UNKNOWN:
                    self._note_wait(row["lead_id"], now)

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
        pause_s = queue_pause(error, max(failures, 1))
        if not counts:
            pause_s = max(pause_s, waits.left_s(row["waits_from"], row["until"], now))
        db.execute(
            delivery_pause.update().values(
                reason=error.code,
                since=row["since"] or clock.now(),
                failures=failures,
                grant_generation=self._generation(),
                **_pause_for(now, pause_s),
            )
        )

    def _note_wait(self, lead_id: str, now: float) -> None:
        """Remember when a wait was written down by the clock that cannot jump."""
        if len(self._begun) >= MOST_REMEMBERED:
            self._begun.clear()
        self._begun[lead_id] = (now, self._monotonic())

    def _waited_s(self, row: sa.RowMapping, now: float) -> float:
        """How much of the wait in a row was really waited for."""
        begun = self._begun.get(row["lead_id"])
        by_process = None if begun is None or begun[0] != row["waits_from"] else self._monotonic() - begun[1]
        return waited(row["due_at"] - row["waits_from"], now - row["waits_from"], by_process)

    def _read(
        self, db: sa.Connection, row: sa.RowMapping, lease: int, now: float, step: str, read: Callable[[], Held]
    ) -> Held | None:
        """What a row says; None if that cannot be read, which is then a failure of its lead, and of no other one."""
        try:
            with db.begin_nested():
                return read()
        except Exception as error:
            fault = as_fault(error)
            log.error("lead %s cannot be read: %s", row["lead_id"], places(error))
            write_attempt(db, row["lead_id"], Attempt(step, fault.code))
            db.execute(_under(row["lead_id"], lease).values(**_set_aside(fault.code, row, now), **RELEASED))
            return None

    def _lease(self, db: sa.Connection, row: sa.RowMapping, now: float, **values: Any) -> int:
        number = int(row["lease_number"]) + 1
        db.execute(
            deliveries.update()
            .where(deliveries.c.lead_id == row["lead_id"])
            .values(lease_number=number, lease_until=now + LEASE_S, lease_owner=me(), **values)
        )
        return number

    def _job(self, db: sa.Connection, row: sa.RowMapping, lease: int, tries_for_all: bool) -> Job:
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
            stumbles=row["stumbles"],
            trying_s=row["trying_s"],
            contact_id=row["contact_id"],
            contact_was_known=bool(row["contact_was_known"]),
            amo_lead_id=row["amo_lead_id"],
            steps=steps_of(db, row["lead_id"]),
            new_contact=row["new_contact"],
            account_id=row["account_id"],
            maybe_in=dict(json.loads(row["maybe_in"] or "[]")),
        )

    def _lost(self, db: sa.Connection, row: sa.RowMapping, lease: int, now: float) -> Lost:
        lead = db.execute(sa.select(accepted_leads).where(accepted_leads.c.id == row["lead_id"])).mappings().one()
        return Lost(
            lead_id=row["lead_id"],
            lease=lease,
            name=lead["name"],
            phone=lead["phone"],
            direction=lead["direction"],
            live=row["priority"] == ON_THE_LINE,
            sent_at=row["sent_at"] or lead["accepted_at"],
            sent_theirs=row["sent_theirs"],
            since_s=row["looked_s"] + self._waited_s(row, now),
            looks=row["looks"],
            sends=row["sends"],
            reason=row["reason"],
            marker_field=row["marker_field"],
            failures=row["failures"],
            stumbles=row["stumbles"],
            trying_s=row["trying_s"],
            ruled_out=frozenset(json.loads(row["candidates"] or "[]")),
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


def it_is_there(db: sa.Connection, lead_id: str, amo_lead_id: int, contact_id: int | None, *, now_s: float) -> None:
    """The lead is in AmoCRM, whoever has found out; what follows the creating step can go on."""
    known = {} if contact_id is None else {"contact_id": contact_id}
    values = {"state": QUEUED, "settled_at": None, **due_in(now_s, 0.0), **_arrived(amo_lead_id), **known, **RELEASED}
    db.execute(deliveries.update().where(deliveries.c.lead_id == lead_id).values(**values))
    creating = (delivery_steps.c.lead_id == lead_id, delivery_steps.c.kind == LEAD)
    db.execute(delivery_steps.update().where(*creating).values(state=DONE, amo_id=amo_lead_id))


def all_done(db: sa.Connection, lead_id: str) -> None:
    """Nothing is left to do for a lead that is there."""
    db.execute(delivery_steps.update().where(delivery_steps.c.lead_id == lead_id).values(state=DONE))
    values = {"state": DELIVERED, "settled_at": clock.now(), "candidates": None}
    db.execute(deliveries.update().where(deliveries.c.lead_id == lead_id).values(**values))


def requeue(db: sa.Connection, lead_id: str, *, now_s: float) -> None:
    """The lead is to be made in the account that is connected now, whatever there is of it in another one.

    Ids of the other account are forgotten: its contact, its people, its stages. What was said of a lead that is there becomes
    a lead of its own here, as there is nothing to add it to. That it is or may be in the other account is kept: if that one is
    connected again, the lead is searched for there before anything is sent.
    """
    maybe_in = _with_former(db, lead_id)
    nothing = dict.fromkeys(
        ("account_id", "contact_id", "contact_was_known", "amo_lead_id", "marker_field", "candidates", "refusals",
         "sent_at", "sent_theirs", "unknown_at", "reason", "delivered_at", "settled_at")
    )  # fmt: skip
    values = {"state": QUEUED, "sends": 0, "looks": 0, "looked_s": 0.0, "maybe_in": maybe_in, **nothing}
    values |= {**due_in(now_s, 0.0), **NO_FAILURES, **RELEASED}
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


RELEASED: dict[str, Any] = {"lease_until": 0.0, "lease_owner": None}
NO_FAILURES: dict[str, Any] = {"failures": 0, "stumbles": 0, "trying_s": 0.0}
_NO_PAUSE: dict[str, Any] = {
    "reason": None, "since": None, "until": 0.0, "waits_from": 0.0, "failures": 0, "grant_generation": None,
}  # fmt: skip


def due_in(now_s: float, pause_s: float) -> dict[str, Any]:
    """The columns of a delivery that say when it is due. The only way to write them, so that every wait is an interval."""
    return {"due_at": now_s + pause_s, "waits_from": now_s}


def _pause_for(now_s: float, pause_s: float) -> dict[str, Any]:
    """The columns of the queue's pause that say until when it lasts."""
    return {"until": now_s + pause_s, "waits_from": now_s}


def _has_ended(pause: sa.RowMapping, now_s: float) -> bool:
    """Whether nothing makes the queue wait, or one may try for all."""
    return pause["reason"] is None or waits.is_over(pause["waits_from"], pause["until"], now_s)


def _is_due(now_s: float) -> sa.ColumnElement[bool]:
    return waits.over(deliveries.c.waits_from, deliveries.c.due_at, now_s)


def _is_held(table: sa.FromClause, now_s: float) -> sa.ColumnElement[bool]:
    """Whether somebody's lease on a delivery lasts. One that ends later than any lease can was taken by a wrong clock."""
    return table.c.lease_until.between(now_s, now_s + LEASE_S + LEASE_SLACK_S)


def _failing(code: str, held: Job | Lost, pause_s: float) -> dict[str, Any]:
    """One more failure of a lead's own."""
    return {
        "failures": held.failures + 1,
        "stumbles": held.stumbles + 1 if code in OWN_FAULTS else 0,
        "trying_s": held.trying_s + pause_s,
    }


def _set_aside(code: str, row: sa.RowMapping, now_s: float) -> dict[str, Any]:
    """What becomes of a lead that nobody could even begin with, or whose worker died: a pause that grows, then a person.

    The first time it goes on at once, as a desk does that was started again.
    """
    failures, stumbles = row["failures"] + 1, row["stumbles"] + 1
    pause = pause_s(failures - 1, 0.5) if failures > 1 else 0.0
    values = {"failures": failures, "stumbles": stumbles, "trying_s": row["trying_s"] + pause, **due_in(now_s, pause)}
    if not is_hopeless(row["trying_s"], stumbles):
        return {"state": row["state"], "reason": row["reason"] if row["state"] == UNKNOWN else code, **values}
    return {"state": NEEDS_DECISION, "reason": code, "settled_at": clock.now(), **values}


def _with_former(db: sa.Connection, lead_id: str) -> str | None:
    """The accounts in which a lead is or may be, that of its ids now included."""
    wanted = sa.select(*deliveries.c["account_id", "sent_at", "delivered_at", "amo_lead_id", "maybe_in"])
    row = db.execute(wanted.where(deliveries.c.lead_id == lead_id)).mappings().one()
    known = dict(json.loads(row["maybe_in"] or "[]"))
    made_here = db.scalar(
        sa.select(delivery_steps.c.id).where(
            delivery_steps.c.lead_id == lead_id, delivery_steps.c.kind == LEAD, delivery_steps.c.state == DONE
        )
    )
    when = row["sent_at"] or (row["delivered_at"] if made_here is not None else None)
    if row["account_id"] is not None and when is not None:
        known[row["account_id"]] = min(filter(None, [known.get(row["account_id"]), when.isoformat()]))
    return json.dumps(list(known.items())) if known else None


def _without(db: sa.Connection, lead_id: str, account_id: int | None) -> str | None:
    """The accounts in which a lead may be, without one where it is surely not."""
    told = db.scalar(sa.select(deliveries.c.maybe_in).where(deliveries.c.lead_id == lead_id))
    known = [entry for entry in json.loads(told or "[]") if entry[0] != account_id]
    return json.dumps(known) if known else None


def _arrived(amo_lead_id: int) -> dict[str, Any]:
    return {
        "amo_lead_id": amo_lead_id,
        "delivered_at": clock.now(),
        "sent_at": None,
        "sent_theirs": None,
        "unknown_at": None,
        "looked_s": 0.0,
        "candidates": None,
        "maybe_in": None,
        "reason": None,
        **NO_FAILURES,
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
    unknown_for_long = waits.over(other.c.unknown_at, other.c.unknown_at + HOLD_PHONE_S, now)
    at_work = sa.or_(
        other.c.state == SENDING,
        sa.and_(other.c.state == UNKNOWN, sa.or_(_is_held(other, now), ~unknown_for_long)),
        sa.and_(other.c.state == QUEUED, _is_held(other, now)),
    )
    twin = (
        sa.select(other.c.lead_id)
        .join(other_lead, other_lead.c.id == other.c.lead_id)
        .where(other_lead.c.phone == accepted_leads.c.phone, other.c.lead_id != deliveries.c.lead_id, at_work)
    )
    wanted = (
        sa.select(deliveries)
        .join(accepted_leads, accepted_leads.c.id == deliveries.c.lead_id)
        .where(deliveries.c.state == QUEUED, _is_due(now), ~_is_held(deliveries, now), ~twin.exists())
    )
    if live_only:
        wanted = wanted.where(deliveries.c.priority == ON_THE_LINE)
    order = (deliveries.c.attempts,) if tries_for_all else (deliveries.c.priority,)
    return wanted.order_by(*order, deliveries.c.due_at).limit(1)

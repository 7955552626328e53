"""Events of a lead, written down by the worker holding the lead.

Decides nothing and sends nothing. Each method is one transaction on the disk, names the number of the worker's lease, and raises
`LeaseLost` if another worker has taken the lead over meanwhile: then nothing is changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crm.errors import DeskError
from desk.delivery import changes
from desk.delivery.columns import NO_FAILURES, RELEASED, arrived, due_in, under_lease, write_attempt
from desk.delivery.decisions import (
    ANOTHER_ACCOUNT,
    DELIVERED,
    FOR_PEOPLE,
    NEEDS_DECISION,
    OWN_FAULTS,
    QUEUED,
    SENDING,
    UNKNOWN,
    Next,
)
from desk.delivery.job import DONE, MAYBE_SENT, TODO, Attempt, Job, LeaseLost, Lost, Step
from desk.delivery.pause import Pause
from desk.delivery.stopwatch import Stopwatch
from store import Store, clock
from store.tables import Moment, deliveries, delivery_attempts, delivery_steps


class Record:
    """The record of a database's deliveries. Thread-safe; several processes may share the database."""

    def __init__(self, store: Store, pause: Pause, stopwatch: Stopwatch) -> None:
        self._store, self._pause, self._stopwatch = store, pause, stopwatch

    # On its way

    def begun_in(self, job: Job, account_id: int) -> None:
        """Bind a lead to the account of its ids.

        Nothing has left yet, so the account need not be on the disk before `sending` or `maybe_sent` puts it there with
        themselves.
        """
        with self._changing(job, None, durable=False) as db:
            db.execute(under_lease(job.lead_id, job.lease).values(account_id=account_id))

    def requeue(self, job: Job) -> None:
        """Put a lead back in the queue as new, since its former account has nothing of the lead. Ends the lease."""
        with self._changing(job, None) as db:
            changes.requeue(db, job.lead_id, now_s=self._store.clock(db))

    def search_first(self, job: Job, account_id: int, marker_field: int | None) -> None:
        """Search first for a lead sent to this account before a former change of accounts. Ends the lease."""
        sent_at = job.maybe_in.get(account_id)
        with self._changing(job, None) as db:
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
            db.execute(under_lease(job.lead_id, job.lease).values(**values))

    def in_another_account(self, held: Job | Lost, lead_id: int | None, attempt: Attempt) -> None:
        """Leave a lead to a person, as its account is not the connected account. Ends the lease.

        `lead_id`: the lead's number there, if known.
        """
        with self._changing(held, attempt) as db:
            values = {
                "state": NEEDS_DECISION,
                "reason": ANOTHER_ACCOUNT,
                "candidates": json.dumps([] if lead_id is None else [lead_id]),
                "settled_at": clock.now(),
                **RELEASED,
            }
            db.execute(under_lease(held.lead_id, held.lease).values(**values))

    def sending(
        self,
        job: Job,
        *,
        contact_id: int | None,
        marker_field: int | None,
        attempt: Attempt | None,
        theirs: float | None = None,
    ) -> None:
        """Mark the creating request as about to leave: from here on its fate is unknown until its answer is written down.

        `theirs`: AmoCRM's clock now, unix seconds, if known.
        """
        with self._changing(job, attempt) as db:
            db.execute(
                under_lease(job.lead_id, job.lease).values(
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
        """Write down the answer to the creating request: the lead is in AmoCRM."""
        with self._changing(job, attempt) as db:
            _mark(db, step, DONE, lead_id)
            known = {} if contact_id is None else {"contact_id": contact_id}
            db.execute(under_lease(job.lead_id, job.lease).values(state=QUEUED, **arrived(lead_id), **known))

    def maybe_sent(self, job: Job, step: Step) -> None:
        """Mark a write other than the creating request as about to leave."""
        with self._changing(job, None) as db:
            _mark(db, step, MAYBE_SENT)

    def done(self, job: Job, step: Step, amo_id: int | None, attempt: Attempt | None) -> None:
        """Mark a step other than the creating request as done, also if its work was not needed."""
        with self._changing(job, attempt) as db:
            _mark(db, step, DONE, amo_id)
            db.execute(under_lease(job.lead_id, job.lease).values(**NO_FAILURES))

    def delivered(self, job: Job) -> None:
        """End a lead with every step done. Ends the lease."""
        with self._changing(job, None) as db:
            todo = sa.select(sa.func.count()).where(
                delivery_steps.c.lead_id == job.lead_id, delivery_steps.c.state != DONE
            )
            if db.scalar(todo):  # somebody has added a step meanwhile
                again = {"state": QUEUED, **due_in(self._store.clock(db), 0.0), **RELEASED}
                db.execute(under_lease(job.lead_id, job.lease).values(**again))
                return
            now = clock.now()
            values = {"state": DELIVERED, "settled_at": now, "reason": None, **NO_FAILURES, **RELEASED}
            values["delivered_at"] = sa.func.coalesce(
                deliveries.c.delivered_at, sa.bindparam("at", now, type_=Moment())
            )
            db.execute(under_lease(job.lead_id, job.lease).values(**values))

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
        """Write down a failed step: the lead goes on as `follows` says, and the queue waits if the error affects the whole queue.

        `undone`: the request was certainly not carried out. Ends the lease.
        """
        with self._changing(job, attempt) as db:
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
                self._stopwatch.start(job.lead_id, now)
            elif undone:
                values |= {"sent_at": None, "unknown_at": None}
            if not follows.whole_queue:
                values |= _one_more_failure(error.code, job, follows.pause_s)
            db.execute(under_lease(job.lead_id, job.lease).values(**values))
            if step is not None and undone:
                _mark(db, step, TODO)
            if follows.whole_queue:
                self._pause.impose_in(db, error, now, counts=job.tries_for_all)

    # What a search has shown. All end the lease.

    def found(self, lost: Lost, lead_id: int, contact_id: int | None, attempt: Attempt) -> None:
        """Write down a search's success: the lead is in AmoCRM, and its further steps can go on."""
        with self._changing(lost, attempt) as db:
            changes.is_there(db, lost.lead_id, lead_id, contact_id, now_s=self._store.clock(db))

    def not_found(self, lost: Lost, pause_s: float, attempt: Attempt) -> None:
        """Have AmoCRM searched again after a whole search without the lead."""
        self._look_again(lost, pause_s, attempt, NO_FAILURES)

    def could_not_look(self, lost: Lost, pause_s: float, attempt: Attempt, *, is_own: bool) -> None:
        """Have AmoCRM searched again after a failed search, which shows nothing. `is_own`: the failure is the lead's own."""
        self._look_again(lost, pause_s, attempt, _one_more_failure(attempt.result, lost, pause_s) if is_own else {})

    def absent(self, lost: Lost, attempt: Attempt) -> None:
        """Put a lead back in the queue after a search proved its absence from the connected account."""
        with self._changing(lost, attempt) as db:
            nowhere = {"sent_at": None, "sent_theirs": None, "unknown_at": None, "looked_s": 0.0, "candidates": None}
            values = {"state": QUEUED, **due_in(self._store.clock(db), 0.0), **nowhere, **NO_FAILURES, **RELEASED}
            values["maybe_in"] = changes.accounts_without(db, lost.lead_id, lost.account_id)
            db.execute(under_lease(lost.lead_id, lost.lease).values(**values))

    def cannot_tell(
        self, lost: Lost, candidates: Sequence[int], attempt: Attempt, *, reason: str | None = None
    ) -> None:
        """Leave the lead to a person. `reason`: why no search could settle its fate."""
        with self._changing(lost, attempt) as db:
            values = {
                "state": NEEDS_DECISION,
                "candidates": json.dumps(list(candidates)),
                "settled_at": clock.now(),
                "looked_s": lost.since_s,
                **({} if reason is None else {"reason": reason}),
                **RELEASED,
            }
            db.execute(under_lease(lost.lead_id, lost.lease).values(**values))

    # Questions to the record

    def others_got_through(self, job: Job, step: str) -> bool:
        """Whether the step has succeeded for any other lead since its last failure for this lead."""
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

    def account_of(self, lead_id: str) -> int | None:
        """The account in which a lead of ours was begun; None if not begun yet."""
        with self._store.read() as db:
            return db.scalar(sa.select(deliveries.c.account_id).where(deliveries.c.lead_id == lead_id))

    def made_by(self, lead_id: str, kind: str) -> int | None:
        """AmoCRM's id of the note or task made by a step of the given kind; None if no such step has made any."""
        wanted = sa.select(delivery_steps.c.amo_id).where(
            delivery_steps.c.lead_id == lead_id, delivery_steps.c.kind == kind, delivery_steps.c.amo_id.is_not(None)
        )
        with self._store.read() as db:
            return db.scalar(wanted.order_by(delivery_steps.c.id.desc()).limit(1))

    def taken_ids(self, lead_ids: Sequence[int]) -> set[int]:
        """The AmoCRM leads, among the given, that belong to a lead of ours already."""
        with self._store.read() as db:
            wanted = sa.select(deliveries.c.amo_lead_id).where(deliveries.c.amo_lead_id.in_(lead_ids))
            return set(db.scalars(wanted))

    def _look_again(self, lost: Lost, pause_s: float, attempt: Attempt, more: Mapping[str, Any]) -> None:
        with self._changing(lost, attempt) as db:
            now = self._store.clock(db)
            values = {"looks": deliveries.c.looks + 1, "looked_s": lost.since_s, **due_in(now, pause_s)}
            db.execute(under_lease(lost.lead_id, lost.lease).values(**values, **more, **RELEASED))
            self._stopwatch.start(lost.lead_id, now)

    @contextmanager
    def _changing(self, lead: Job | Lost, attempt: Attempt | None, *, durable: bool = True) -> Iterator[sa.Connection]:
        """A transaction on a lead held by the caller, begun with the attempt behind the change."""
        with self._store.write(durable=durable) as db:
            held = sa.select(deliveries.c.lease_number).where(deliveries.c.lead_id == lead.lead_id).with_for_update()
            if db.scalar(held) != lead.lease:
                raise LeaseLost(lead.lead_id)
            if attempt is not None:
                write_attempt(db, lead.lead_id, attempt)
            yield db


def _one_more_failure(code: str, held: Job | Lost, pause_s: float) -> dict[str, Any]:
    """The columns counting a further failure of a lead's own."""
    return {
        "failures": held.failures + 1,
        "stumbles": held.stumbles + 1 if code in OWN_FAULTS else 0,
        "trying_s": held.trying_s + pause_s,
    }


def _mark(db: sa.Connection, step: Step, state: str, amo_id: int | None = None) -> None:
    made = {} if amo_id is None else {"amo_id": amo_id}
    db.execute(delivery_steps.update().where(delivery_steps.c.id == step.id).values(state=state, **made))

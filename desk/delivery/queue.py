"""The queue: taking a lead with a lease, extending leases, and rescuing leads whose worker has died.

A lease is a number, a holder and an end. Every later change of a taken lead names the number: a worker that comes too late,
because another has taken the lead over meanwhile, changes nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import sqlalchemy as sa

from desk.delivery import pause
from desk.delivery.columns import RELEASED, due_in, under_lease, write_attempt
from desk.delivery.decisions import (
    CONTACT,
    HOLD_PHONE_S,
    LEAD,
    LOOKS_S,
    NEEDS_DECISION,
    NOTE,
    QUEUED,
    SEARCH,
    SENDING,
    UNKNOWN,
    as_fault,
    is_hopeless,
    pause_s,
)
from desk.delivery.job import ON_THE_LINE, Attempt, Job, Lost, consent_of, new_lead, steps_of
from desk.delivery.pause import Pause
from desk.delivery.stopwatch import Stopwatch
from desk.places import places
from store import Store, clock, waits
from store.owners import is_gone, me
from store.tables import accepted_leads, consents, deliveries

LEASE_S = 30.0
"""Time a lead stays with a worker without a sign of life. A worker certainly gone holds no lead."""

LEASE_SLACK_S = 5.0
"""Margin for the end of a lease: a lease with a later end was taken by a clock set back since, and is over. Its number keeps
the taking-over safe."""

WORKER_DIED = "worker_died"
"""The reason of a lead whose holder gave no sign of life any more."""

TAKING = "take a delivery"
"""Name of the lock for taking leads: a single taker at a time."""

Held = TypeVar("Held", Job, Lost)

log = logging.getLogger(__name__)


class Queue:
    """The queue of a database. Thread-safe; several processes may share the database."""

    def __init__(self, store: Store, paused: Pause, stopwatch: Stopwatch) -> None:
        self._store, self._pause, self._stopwatch = store, paused, stopwatch

    def take(self, *, live_only: bool = False) -> Job | None:
        """Lease the next due lead; None if no lead is due, or the whole queue waits.

        Leads somebody waits for go first, then those due longest. A phone is in one pair of hands at a time: two leads
        of one person that are created at once would make two contacts.
        """
        if not self._is_worth_looking():
            return None
        with self._store.write() as db:
            self._store.serialise(db, TAKING)
            now = self._store.clock(db)
            self._rescue(db, now)
            paused = self._pause.current(db)
            if not pause.has_ended(paused, now):
                return None
            tries_for_all = paused["reason"] is not None
            due = _due(now, live_only=live_only, tries_for_all=tries_for_all)
            while (row := db.execute(due).mappings().first()) is not None:
                lease = _lease(db, row, now, attempts=row["attempts"] + 1)
                job = _read_or_set_aside(db, row, lease, now, CONTACT, lambda: _job(db, row, lease, tries_for_all))  # noqa: B023 - called at once
                if job is None:
                    continue
                if tries_for_all:
                    pause.wait_for_try(db, now)
                return job
            return None

    def take_lost(self, most: int) -> list[Lost]:
        """Lease leads of unknown fate due for a search; none while the whole queue waits."""
        with self._store.write() as db:
            self._store.serialise(db, TAKING)
            now = self._store.clock(db)
            self._rescue(db, now)
            if not pause.has_ended(self._pause.current(db), now):
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
                lease = _lease(db, row, now)
                found.append(_read_or_set_aside(db, row, lease, now, SEARCH, lambda: self._lost(db, row, lease, now)))  # noqa: B023 - as above
            return [lost for lost in found if lost is not None]

    def has_lost_due(self) -> bool:
        """Whether a search is due. A single read."""
        with self._store.read() as db:
            now = self._store.clock(db)
            wanted = sa.select(deliveries.c.lead_id).where(deliveries.c.state == UNKNOWN, _is_due(now))
            return db.scalar(wanted.limit(1)) is not None

    def extend(self, leases: Iterable[tuple[str, int, bool]]) -> set[tuple[str, int]]:
        """Extend the given leases, (lead, number, tries for all); return the leases this process still holds.

        While a lead that tries for all is held, no other lead tries.
        """
        ours, is_tried = set(), False
        with self._store.write(durable=False) as db:
            now = self._store.clock(db)
            # In one order, as two hearts that lock the same rows crosswise would stop each other.
            for lead_id, lease, tries_for_all in sorted(leases):
                # A lead that was released meanwhile has no holder any more, and must not get a lease without one.
                held = under_lease(lead_id, lease).where(deliveries.c.lease_owner.is_not(None))
                if not db.execute(held.values(lease_until=now + LEASE_S)).rowcount:
                    continue
                ours.add((lead_id, lease))
                is_tried = is_tried or tries_for_all
            if is_tried:  # last, as whoever writes a failure down locks its lead first and the pause then
                pause.wait_for_try(db, now)
        return ours

    def _is_worth_looking(self) -> bool:
        """Whether any lead is due or held. A read, so that an idle desk never takes the write lock."""
        with self._store.read() as db:
            now = self._store.clock(db)
            due = sa.and_(deliveries.c.state == QUEUED, _is_due(now))
            wanted = sa.select(deliveries.c.lead_id).where(sa.or_(due, deliveries.c.lease_owner.is_not(None)))
            return db.scalar(wanted.limit(1)) is not None

    def _rescue(self, db: sa.Connection, now: float) -> None:
        """Free the leads whose worker is gone; if a creating request was out, its fate is unknown then.

        A death counts as a failure of the lead like any other: a lead at which each worker dies goes to a person.
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
            changed = under_lease(row["lead_id"], number).where(*as_read)
            if db.execute(changed.values(lease_number=number + 1, **values, **RELEASED)).rowcount:
                step = {SENDING: LEAD, UNKNOWN: SEARCH}.get(state, CONTACT if row["amo_lead_id"] is None else NOTE)
                write_attempt(db, row["lead_id"], Attempt(step, WORKER_DIED))
                if values["state"] == UNKNOWN:
                    self._stopwatch.start(row["lead_id"], now)

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
            since_s=row["looked_s"] + self._stopwatch.waited_s(row, now),
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


def _job(db: sa.Connection, row: sa.RowMapping, lease: int, tries_for_all: bool) -> Job:
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


def _lease(db: sa.Connection, row: sa.RowMapping, now: float, **values: Any) -> int:
    """Give a lead to the present process under a new number; return the number."""
    number = int(row["lease_number"]) + 1
    db.execute(
        deliveries.update()
        .where(deliveries.c.lead_id == row["lead_id"])
        .values(lease_number=number, lease_until=now + LEASE_S, lease_owner=me(), **values)
    )
    return number


def _read_or_set_aside(
    db: sa.Connection, row: sa.RowMapping, lease: int, now: float, step: str, read: Callable[[], Held]
) -> Held | None:
    """Read a lead's rows; None if the rows cannot be read: then the lead alone has failed, and is given back with that."""
    try:
        with db.begin_nested():
            return read()
    except Exception as error:
        fault = as_fault(error)
        log.error("lead %s cannot be read: %s", row["lead_id"], places(error))
        write_attempt(db, row["lead_id"], Attempt(step, fault.code))
        db.execute(under_lease(row["lead_id"], lease).values(**_set_aside(fault.code, row, now), **RELEASED))
        return None


def _set_aside(code: str, row: sa.RowMapping, now_s: float) -> dict[str, Any]:
    """The columns of a lead with an unreadable row or a dead worker: a growing pause, in the end a person.

    The first time the lead goes on at once, as after a restart of the desk.
    """
    failures, stumbles = row["failures"] + 1, row["stumbles"] + 1
    wait_s = pause_s(failures - 1, 0.5) if failures > 1 else 0.0
    values = {"failures": failures, "stumbles": stumbles, "trying_s": row["trying_s"] + wait_s, **due_in(now_s, wait_s)}
    if not is_hopeless(row["trying_s"], stumbles):
        return {"state": row["state"], "reason": row["reason"] if row["state"] == UNKNOWN else code, **values}
    return {"state": NEEDS_DECISION, "reason": code, "settled_at": clock.now(), **values}


def _is_due(now_s: float) -> sa.ColumnElement[bool]:
    return waits.over(deliveries.c.waits_from, deliveries.c.due_at, now_s)


def _is_held(table: sa.FromClause, now_s: float) -> sa.ColumnElement[bool]:
    """Whether a lease on a delivery lasts. A lease with an impossible end was taken by a wrong clock."""
    return table.c.lease_until.between(now_s, now_s + LEASE_S + LEASE_SLACK_S)


def _due(now: float, *, live_only: bool, tries_for_all: bool) -> sa.Select[Any]:
    """The next queued lead whose phone no worker has in hand.

    While the queue waits, each try for all goes to another lead: what keeps a single lead out must not keep all of them out.
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

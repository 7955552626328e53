"""Facts about deliveries for pages and programs. Reads only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from desk.delivery.decisions import (
    ANOTHER_ACCOUNT,
    FOR_PEOPLE,
    NEEDS_DECISION,
    OWN_FAULTS,
    QUEUED,
    SENDING,
    SETTLED,
    UNKNOWN,
    is_strange,
)
from desk.delivery.job import consent_of, new_lead, steps_of
from desk.lead import Consent, NewLead
from desk.percentile import percentile
from store import Store, clock, waits
from store.tables import accepted_leads, consents, deliveries, delivery_attempts, delivery_pause

RECENT = timedelta(days=7)
"""The period of the delivery times."""

MOST_TIMES = 20_000
"""Deliveries counted in the delivery times; more would give the same figures."""

MOST_AGAIN = 200
"""Leads under way again, looked at singly; there are hardly ever two."""

STRANGE_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """State of an accepted lead, for the person or program that handed the lead in."""

    id: str
    state: str
    accepted_at: datetime
    delivered_at: datetime | None
    settled_at: datetime | None
    reason: str | None
    amo_lead_id: int | None
    contact_id: int | None
    attempts: int
    refusals: tuple[tuple[str, str, str], ...] = ()  # (AmoCRM's path, its code, key of our field or "")
    due_at: datetime | None = None  # next try by itself
    leaves_at: datetime | None = None  # until then it may be taken back
    account_id: int | None = None  # AmoCRM's number of the account that `amo_lead_id` is in; None: the present one

    @property
    def is_settled(self) -> bool:
        """Whether the lead makes no further move by itself."""
        return self.state in SETTLED

    @property
    def took_s(self) -> float | None:
        """Seconds from accepted to in AmoCRM, with the time for taking back: so long no colleague saw the lead there."""
        if self.delivered_at is None:
            return None
        return max(0.0, (self.delivered_at - self.accepted_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Tried:
    """A single try of a step."""

    at: datetime
    step: str
    result: str
    status: int | None
    duration_ms: int | None
    request_id: str | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A lead in the list of deliveries."""

    progress: Progress
    name: str = field(repr=False)
    phone: str = field(repr=False)
    origin: str
    form_id: str | None
    entered_by: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """The whole story of a lead: its content, its tries, the choices of a person."""

    progress: Progress
    lead: NewLead
    consent: Consent | None
    origin: str
    form_id: str | None
    entered_by: str | None
    sent_at: datetime | None
    sends: int
    looks: int
    candidates: tuple[int, ...]
    decided_by: str | None
    tried: tuple[Tried, ...]
    has_note: bool

    @property
    def may_be_there(self) -> bool:
        """Whether the fate of a creating request is unknown: sending again has AmoCRM searched first.

        What is in another account than the connected one is sent without.
        """
        is_elsewhere = self.progress.state == NEEDS_DECISION and self.progress.reason == ANOTHER_ACCOUNT
        return self.sent_at is not None and self.progress.amo_lead_id is None and not is_elsewhere


@dataclass(frozen=True, slots=True)
class Pause:
    """The pause of the whole queue: an error code, its beginning, and the time when a lead tries for all."""

    reason: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Times:
    """From accepted to in AmoCRM, in seconds, over `count` leads of the last week."""

    count: int
    p50_s: float | None
    p95_s: float | None


def progress(store: Store, lead_id: str) -> Progress | None:
    """State of a lead; None for an unknown id."""
    with store.read() as db:
        row = db.execute(_joined().where(deliveries.c.lead_id == lead_id)).mappings().first()
        return _progress(row, store.clock(db)) if row is not None else None


def story(store: Store, lead_id: str) -> Story | None:
    """The whole story of a lead; None for an unknown id."""
    with store.read() as db:
        row = db.execute(_joined().where(deliveries.c.lead_id == lead_id)).mappings().first()
        if row is None:
            return None
        consent = db.execute(sa.select(consents).where(consents.c.lead_id == lead_id)).mappings().first()
        tried = db.execute(
            sa.select(delivery_attempts)
            .where(delivery_attempts.c.lead_id == lead_id)
            .order_by(delivery_attempts.c.id.desc())
        ).mappings()
        return Story(
            progress=_progress(row, store.clock(db)),
            lead=new_lead(row),
            consent=consent_of(consent),
            origin=row["origin"],
            form_id=row["form_id"],
            entered_by=row["entered_by"],
            sent_at=row["sent_at"],
            sends=row["sends"],
            looks=row["looks"],
            candidates=tuple(json.loads(row["candidates"] or "[]")),
            decided_by=row["decided_by"],
            tried=tuple(Tried(**{name: one[name] for name in Tried.__slots__}) for one in tried),
            has_note=any(step.kind == "note" and step.amo_id for step in steps_of(db, lead_id)),
        )


def entries(store: Store, states: Sequence[str], *, limit: int) -> list[Entry]:
    """Leads in the given states, the newest first."""
    wanted = _joined().where(deliveries.c.state.in_(states)).order_by(accepted_leads.c.accepted_at.desc())
    with store.read() as db:
        rows = db.execute(wanted.limit(limit)).mappings().all()
        now_s = store.clock(db)
    return [
        Entry(_progress(row, now_s), row["name"], row["phone"], row["origin"], row["form_id"], row["entered_by"])
        for row in rows
    ]


def counts(store: Store) -> dict[str, int]:
    """How many leads are in each state."""
    with store.read() as db:
        wanted = sa.select(deliveries.c.state, sa.func.count()).group_by(deliveries.c.state)
        return {state: int(count) for state, count in db.execute(wanted).all()}


def pause(store: Store) -> Pause | None:
    """The pause of the whole queue; None if the queue moves."""
    with store.read() as db:
        row = db.execute(sa.select(delivery_pause)).mappings().first()
        now_s = store.clock(db)
    if row is None or row["reason"] is None:
        return None
    return Pause(row["reason"], row["since"], _ends_at(row["waits_from"], row["until"], now_s))


def waiting(store: Store) -> tuple[int, datetime | None]:
    """The number of leads on their way, and the time since which the oldest of them waits.

    A lead waits from when it was accepted. One that a person has sent again, or that got one thing more to do after it was
    delivered, waits from then: since that decision, or since it was first tried in vain after its last success.
    """
    under_way = deliveries.c.state.in_((QUEUED, SENDING, UNKNOWN))
    is_new = sa.and_(deliveries.c.delivered_at.is_(None), deliveries.c.decided_by.is_(None))
    since = sa.func.min(sa.case((is_new, accepted_leads.c.accepted_at)))
    with store.read() as db:
        count, oldest = db.execute(sa.select(sa.func.count(), since).join(accepted_leads).where(under_way)).one()
        again = sa.select(*deliveries.c["lead_id", "due_at"]).where(under_way, sa.not_(is_new)).limit(MOST_AGAIN)
        times = [_waits_since(db, row.lead_id, row.due_at) for row in db.execute(again)]
    return int(count), min(filter(None, (oldest, *times)), default=None)


def _waits_since(db: sa.Connection, lead_id: str, due_at: float) -> datetime:
    mine = delivery_attempts.c.lead_id == lead_id
    tried = db.execute(
        sa.select(*delivery_attempts.c["at", "result", "by"]).where(mine).order_by(delivery_attempts.c.id)
    )
    since: datetime | None = None
    for one in tried:
        if one.by is not None:
            since = one.at
        elif one.result in FINE:
            since = None
        else:
            since = since or one.at
    return since or datetime.fromtimestamp(due_at, UTC)


def needing_people(store: Store) -> tuple[int, datetime | None]:
    """The number of leads waiting for a person, and the time since which the first of them does."""
    wanted = sa.select(sa.func.count(), sa.func.min(deliveries.c.settled_at)).where(deliveries.c.state.in_(FOR_PEOPLE))
    with store.read() as db:
        count, since = db.execute(wanted).one()
    return int(count), since


def times(store: Store) -> Times:
    """How long leads of the last week took, from accepted to in AmoCRM."""
    wanted = (
        sa.select(accepted_leads.c.accepted_at, deliveries.c.delivered_at)
        .join(deliveries)
        .where(deliveries.c.delivered_at.is_not(None), accepted_leads.c.accepted_at >= clock.now() - RECENT)
        .order_by(accepted_leads.c.accepted_at.desc())
        .limit(MOST_TIMES)
    )
    with store.read() as db:
        spans = [(done - accepted).total_seconds() for accepted, done in db.execute(wanted).all()]
    took = sorted(max(0.0, span) for span in spans)  # a clock set back on the way would make one negative
    return Times(len(took), percentile(took, 50), percentile(took, 95))


def strange(store: Store) -> list[str]:
    """Codes of the last day's failures without a rule of their own."""
    return [code for code in _results(store) if code not in FINE and is_strange(code)]


def own_faults(store: Store) -> list[str]:
    """Codes of the last day's failures of the desk itself, or of its database."""
    return [code for code in _results(store) if code in OWN_FAULTS]


def _results(store: Store) -> list[str]:
    """Distinct results of the last day's tries, without those put into the far future by a wrong clock."""
    now = clock.now()
    of_late = delivery_attempts.c.at.between(now - STRANGE_FOR, now + STRANGE_FOR)
    wanted = sa.select(delivery_attempts.c.result).where(of_late, delivery_attempts.c.by.is_(None)).distinct()
    with store.read() as db:
        return sorted(db.scalars(wanted))


FINE = frozenset({"ok", "merged", "found", "look again", "send again", "person"})
"""Results other than failures."""


def _joined() -> sa.Select[Any]:
    return sa.select(deliveries, accepted_leads).join(accepted_leads, accepted_leads.c.id == deliveries.c.lead_id)


def _ends_at(from_s: float, until_s: float, now_s: float) -> datetime:
    """End of a wait, by the clock of the machine: never later than the rule behind the wait allows."""
    return clock.now() + timedelta(seconds=waits.left_s(from_s, until_s, now_s))


def _progress(row: Mapping[str, Any] | sa.RowMapping, now_s: float) -> Progress:
    """`now_s`: the shared clock."""
    waiting = row["state"] in (QUEUED, UNKNOWN)
    due_at = _ends_at(row["waits_from"], row["due_at"], now_s) if waiting else None
    leaves_at = row["leaves_at"]
    return Progress(
        id=row["lead_id"],
        state=row["state"],
        accepted_at=row["accepted_at"],
        delivered_at=row["delivered_at"],
        settled_at=row["settled_at"],
        reason=row["reason"],
        amo_lead_id=row["amo_lead_id"],
        contact_id=row["contact_id"],
        attempts=row["attempts"],
        refusals=tuple((path, code, key) for path, code, key in _padded(row["refusals"])),
        due_at=due_at,
        leaves_at=leaves_at if due_at is None or leaves_at is None else min(leaves_at, due_at),
        account_id=row["account_id"],
    )


def _padded(refusals: str | None) -> list[list[str]]:
    """Pad each refusal to three values; older rows hold only two."""
    return [[*refusal, ""][:3] for refusal in json.loads(refusals or "[]")]

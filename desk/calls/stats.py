"""Figures of entries: how many, how fast, and how often a question was left out. Reads; changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from desk.calls.entry import NOT_ASKED
from desk.percentile import percentile
from store import Store
from store.tables import accepted_leads, calls, deliveries

MOST = 200
"""Entries of a day on a list."""

LONGEST_S = 3600.0
"""Longest typing time to count: a form open for longer was forgotten, not typed."""


@dataclass(frozen=True, slots=True)
class Made:
    """An entry of today. `state`: of its delivery. `took_s`: from the first key to saved."""

    lead_id: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    kind: str
    saved_at: datetime
    took_s: float
    state: str
    reason: str | None
    amo_lead_id: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of an operator. Times in seconds from the first key to saved; None without a time to count."""

    operator: str
    count: int
    p50_s: float | None
    p95_s: float | None
    not_asked: float  # share of calls in which nobody asked how they heard of us


def made_since(store: Store, operator: str, since: datetime) -> list[Made]:
    """List an operator's entries since a moment, the newest first."""
    wanted = (
        sa.select(calls, accepted_leads.c.name, accepted_leads.c.phone, deliveries)
        .join(accepted_leads, accepted_leads.c.id == calls.c.lead_id)
        .join(deliveries, deliveries.c.lead_id == calls.c.lead_id)
        .where(calls.c.operator == operator, calls.c.saved_at >= since)
        .order_by(calls.c.saved_at.desc())
        .limit(MOST)
    )
    with store.read() as db:
        rows = db.execute(wanted).mappings().all()
    return [
        Made(
            lead_id=row["lead_id"],
            name=row["name"],
            phone=row["phone"],
            kind=row["kind"],
            saved_at=row["saved_at"],
            took_s=(row["saved_at"] - row["started_at"]).total_seconds(),
            state=row["state"],
            reason=row["reason"],
            amo_lead_id=row["amo_lead_id"],
        )
        for row in rows
    ]


def figures(store: Store, since: datetime) -> list[Figures]:
    """List the figures of all operators with entries since a moment, the busiest first."""
    wanted = sa.select(calls.c.operator, calls.c.started_at, calls.c.saved_at, calls.c.heard)
    with store.read() as db:
        rows = db.execute(wanted.where(calls.c.saved_at >= since)).all()
    theirs: dict[str, list[tuple[float, bool]]] = {}
    for operator, started, saved, heard in rows:
        theirs.setdefault(operator, []).append(((saved - started).total_seconds(), heard == NOT_ASKED))
    told = [_figures(operator, entries) for operator, entries in theirs.items()]
    return sorted(told, key=lambda one: (-one.count, one.operator))


def _figures(operator: str, entries: Sequence[tuple[float, bool]]) -> Figures:
    took = sorted(seconds for seconds, _ in entries if seconds <= LONGEST_S)
    not_asked = sum(unasked for _, unasked in entries) / len(entries)
    return Figures(operator, len(entries), percentile(took, 50), percentile(took, 95), not_asked)

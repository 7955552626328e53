"""Open call-backs: an operator's own and anyone's, overdue first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from desk.calls.entry import CALL_BACK
from desk.delivery import DROPPED
from store import Store
from store.tables import accepted_leads, calls, deliveries

MOST = 100
"""Longest list of call-backs: more than an operator calls in a day."""


@dataclass(frozen=True, slots=True)
class CallBack:
    """A promised call-back. `whose` None: anyone's. `lead_id`: our id of the entry with the promise."""

    lead_id: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    message: str = field(repr=False)
    direction: str
    due_at: datetime
    whose: str | None
    promised_by: str

    def is_late(self, now: datetime) -> bool:
        return self.due_at < now


def waiting(store: Store, operator: str) -> list[CallBack]:
    """List the open call-backs of an operator and of anyone, the longest overdue first."""
    with store.read() as db:
        rows = db.execute(_joined(operator).order_by(calls.c.step_at, calls.c.lead_id).limit(MOST)).mappings().all()
    return [_call_back(row) for row in rows]


def late(store: Store, operator: str, now: datetime) -> int:
    """Count the overdue call-backs of an operator and of anyone. A single read."""
    wanted = _joined(operator).where(calls.c.step_at < now).with_only_columns(sa.func.count())
    with store.read() as db:
        return int(db.scalar(wanted) or 0)


def _joined(operator: str) -> sa.Select[Any]:
    mine = [calls.c.step_for.is_(None), *([calls.c.step_for == operator] if operator else [])]
    return (
        sa.select(calls, accepted_leads)
        .join(accepted_leads, accepted_leads.c.id == calls.c.lead_id)
        .join(deliveries, deliveries.c.lead_id == calls.c.lead_id)
        .where(calls.c.step == CALL_BACK, calls.c.done_at.is_(None), deliveries.c.state != DROPPED, sa.or_(*mine))
    )


def _call_back(row: Mapping[str, Any] | sa.RowMapping) -> CallBack:
    return CallBack(
        lead_id=row["lead_id"],
        name=row["name"],
        phone=row["phone"],
        message=row["message"],
        direction=row["direction"],
        due_at=row["step_at"],
        whose=row["step_for"],
        promised_by=row["operator"],
    )

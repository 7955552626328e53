"""Columns of a delivery always written together, and two writes shared by all parts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from desk.delivery.job import Attempt
from store import clock
from store.tables import deliveries, delivery_attempts

RELEASED: dict[str, Any] = {"lease_until": 0.0, "lease_owner": None}
"""No worker holds the lead."""

NO_FAILURES: dict[str, Any] = {"failures": 0, "stumbles": 0, "trying_s": 0.0}
"""The lead's failures in a row are forgotten: AmoCRM has answered."""


def due_in(now_s: float, pause_s: float) -> dict[str, Any]:
    """The due time of a lead, as columns. Due times are written in no other way, so every wait is an interval."""
    return {"due_at": now_s + pause_s, "waits_from": now_s}


def arrived(amo_lead_id: int) -> dict[str, Any]:
    """The columns of a lead in AmoCRM, with every doubt about its sending forgotten."""
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


def under_lease(lead_id: str, lease: int) -> sa.Update:
    """An update of a lead by the holder of the given lease; without the lease no row is changed."""
    return deliveries.update().where(deliveries.c.lead_id == lead_id, deliveries.c.lease_number == lease)


def write_attempt(db: sa.Connection, lead_id: str, attempt: Attempt) -> None:
    """Add a line to the lead's history."""
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

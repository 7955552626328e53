"""The rows of an accepted lead: born in one transaction, added to, and removed if the lead is taken back in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from desk.delivery.columns import due_in
from desk.delivery.decisions import LEAD, NOTE, QUEUED
from desk.delivery.job import lead_values, step_values
from desk.lead import Consent, NewLead
from store import Store, clock, waits
from store.tables import accepted_leads, consents, deliveries, delivery_attempts, delivery_steps

STEPS: tuple[tuple[str, Any], ...] = ((LEAD, None), (NOTE, None))
"""The usual things to make in AmoCRM for a lead, besides its contact: kinds of steps and their payloads."""


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """The things to do in AmoCRM for a lead, if not the usual.

    `amo_lead_id`: the steps are about this lead, which is in AmoCRM already. `contact_id`: the lead is this person's. `new_contact`:
    it is another person's than the contact known by the number. `account_id`: the account of these ids, if known. `hold_s`: before
    that time the lead does not leave, and may be taken back.
    """

    steps: Sequence[tuple[str, Any]] = STEPS
    amo_lead_id: int | None = None
    contact_id: int | None = None
    new_contact: bool = False
    account_id: int | None = None
    hold_s: float = 0.0


USUAL_PLAN = DeliveryPlan()


def insert_lead(
    db: sa.Connection,
    lead_id: str,
    lead: NewLead,
    consent: Consent | None,
    *,
    origin: str,
    form_id: str | None,
    entered_by: str | None,
) -> None:
    """Write the content of a lead, and the consent given with the lead."""
    named = {"id": lead_id, "origin": origin, "form_id": form_id, "entered_by": entered_by}
    db.execute(accepted_leads.insert().values(accepted_at=clock.now(), **named, **lead_values(lead)))
    if consent is not None:
        db.execute(consents.insert().values(lead_id=lead_id, **asdict(consent)))


def insert_delivery(db: sa.Connection, lead_id: str, plan: DeliveryPlan, *, priority: int, now_s: float) -> None:
    """Put an accepted lead in the queue, with the steps of its plan."""
    due = due_in(now_s, plan.hold_s)
    db.execute(
        deliveries.insert().values(
            lead_id=lead_id,
            state=QUEUED,
            priority=priority,
            leaves_at=datetime.fromtimestamp(due["due_at"], UTC) if plan.hold_s else None,
            amo_lead_id=plan.amo_lead_id,
            contact_id=plan.contact_id,
            contact_was_known=None if plan.contact_id is None else True,
            new_contact=plan.new_contact,
            account_id=plan.account_id if plan.amo_lead_id or plan.contact_id else None,
            **due,
        )
    )
    steps = [step_values(lead_id, place, kind, payload) for place, (kind, payload) in enumerate(plan.steps)]
    db.execute(delivery_steps.insert(), steps)


def remove(store: Store, db: sa.Connection, lead_id: str) -> bool:
    """Remove every row of a lead; False, and nothing removed, if the lead is unknown, not held back, or has left."""
    wanted = sa.select(deliveries).where(deliveries.c.lead_id == lead_id).with_for_update()
    row = db.execute(wanted).mappings().first()
    is_here = row is not None and row["state"] == QUEUED and not row["attempts"] and row["lease_owner"] is None
    if (
        row is None
        or not is_here
        or row["leaves_at"] is None
        or waits.is_over(row["waits_from"], row["due_at"], store.clock(db))
    ):
        return False
    for table in (delivery_attempts, delivery_steps, consents, deliveries):
        db.execute(table.delete().where(table.c.lead_id == lead_id))
    db.execute(accepted_leads.delete().where(accepted_leads.c.id == lead_id))
    return True


def add_step(db: sa.Connection, lead_id: str, kind: str, payload: Any) -> str | None:
    """Add a step behind the last; return the state of the lead, which stays locked for the caller."""
    state = db.scalar(sa.select(deliveries.c.state).where(deliveries.c.lead_id == lead_id).with_for_update())
    last = sa.select(sa.func.max(delivery_steps.c.position)).where(delivery_steps.c.lead_id == lead_id)
    db.execute(delivery_steps.insert().values(step_values(lead_id, int(db.scalar(last) or 0) + 1, kind, payload)))
    return state


def correct(db: sa.Connection, lead_id: str, lead: NewLead) -> None:
    """Replace the content of a lead by a person's correction."""
    db.execute(accepted_leads.update().where(accepted_leads.c.id == lead_id).values(**lead_values(lead)))

"""Changes of a lead open to workers and people alike, within the caller's writing transaction."""

from __future__ import annotations

import json

import sqlalchemy as sa

from desk.delivery.columns import NO_FAILURES, RELEASED, arrived, due_in
from desk.delivery.decisions import DELIVERED, LEAD, QUEUED, STAGE, TASK
from desk.delivery.job import DONE, TODO, steps_of
from store import clock
from store.tables import deliveries, delivery_steps


def is_there(db: sa.Connection, lead_id: str, amo_lead_id: int, contact_id: int | None, *, now_s: float) -> None:
    """Write down the arrival of a lead in AmoCRM: the steps after the creating request can go on."""
    known = {} if contact_id is None else {"contact_id": contact_id}
    values = {"state": QUEUED, "settled_at": None, **due_in(now_s, 0.0), **arrived(amo_lead_id), **known, **RELEASED}
    db.execute(deliveries.update().where(deliveries.c.lead_id == lead_id).values(**values))
    creating = (delivery_steps.c.lead_id == lead_id, delivery_steps.c.kind == LEAD)
    db.execute(delivery_steps.update().where(*creating).values(state=DONE, amo_id=amo_lead_id))


def all_done(db: sa.Connection, lead_id: str) -> None:
    """End a lead in AmoCRM with every step counted as done."""
    db.execute(delivery_steps.update().where(delivery_steps.c.lead_id == lead_id).values(state=DONE))
    values = {"state": DELIVERED, "settled_at": clock.now(), "candidates": None}
    db.execute(deliveries.update().where(deliveries.c.lead_id == lead_id).values(**values))


def requeue(db: sa.Connection, lead_id: str, *, now_s: float) -> None:
    """Put a lead back in the queue as new, to be made in the connected account, whatever a former account has of the lead.

    Ids of the other account are forgotten: its contact, its people, its stages. What was said of a lead that is there becomes
    a lead of its own here, as there is nothing to add it to. That it is or may be in the other account is kept: if that one is
    connected again, the lead is searched for there before anything is sent.
    """
    maybe_in = _accounts_with_present(db, lead_id)
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


def accounts_without(db: sa.Connection, lead_id: str, account_id: int | None) -> str | None:
    """The column `maybe_in` without an account in which the lead is certainly not."""
    told = db.scalar(sa.select(deliveries.c.maybe_in).where(deliveries.c.lead_id == lead_id))
    known = [entry for entry in json.loads(told or "[]") if entry[0] != account_id]
    return json.dumps(known) if known else None


def _accounts_with_present(db: sa.Connection, lead_id: str) -> str | None:
    """The column `maybe_in` with the account of the lead's present ids added, if a request may have made the lead there."""
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

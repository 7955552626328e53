"""The card of a lead: contact, history, tasks, and its delivery if the lead came through the desk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from store import Store
from store.tables import accepted_leads, consents, contacts, deliveries, lead_contacts, leads, stage_changes


@dataclass(frozen=True, slots=True)
class StageChange:
    """A move of a lead between stages. `at`: unix seconds. `from_stage`: None if AmoCRM did not say."""

    at: int
    from_stage: tuple[int, int] | None
    to_stage: tuple[int, int]


@dataclass(frozen=True, slots=True)
class OwnDelivery:
    """The delivery of a lead accepted by the desk: origin, operator, duration, consent."""

    id: str
    state: str
    origin: str
    accepted_at: datetime
    delivered_at: datetime | None
    entered_by: str | None = field(repr=False)
    message: str = field(repr=False)
    consent_version: str | None = None
    consent_at: datetime | None = None
    consent_form: str | None = None


@dataclass(frozen=True, slots=True)
class CardPerson:
    """A contact of a lead. `phones`: E.164 if the number can be read."""

    contact_id: int
    name: str = field(repr=False)
    phones: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """A lead. Times are unix seconds of AmoCRM's clock.

    `phones`: of the contact that stands for the lead, then the lead's own, E.164 where they are. `others`: its other contacts.
    """

    id: int
    name: str = field(repr=False)
    contact_id: int | None
    contact_name: str = field(repr=False)
    phones: tuple[str, ...] = field(repr=False)
    others: tuple[CardPerson, ...] = field(repr=False)
    stage: tuple[int, int]
    responsible_user_id: int
    price_kop: int
    direction: str
    source: str
    utm: Mapping[str, str]
    created_at: int
    updated_at: int
    closed_at: int | None
    closest_task_at: int | None
    loss_reason_id: int | None
    is_deleted: bool
    history: tuple[StageChange, ...]
    delivery: OwnDelivery | None


def card(store: Store, lead_id: int) -> Card | None:
    """Read the card of a lead; None if the mirror has no such lead. Four small reads."""
    with store.read() as db:
        row = db.execute(sa.select(leads).where(leads.c.id == lead_id)).mappings().first()
        if row is None:
            return None
        first, *others = _people(db, lead_id) or [CardPerson(0, "", ())]
        return Card(
            id=row["id"],
            name=row["name"],
            contact_id=row["contact_id"],
            contact_name=row["contact_name"],
            phones=tuple(dict.fromkeys([*first.phones, *filter(None, [row["own_phone"]])])),
            others=tuple(others),
            stage=(row["pipeline_id"], row["status_id"]),
            responsible_user_id=row["responsible_user_id"],
            price_kop=row["price_kop"],
            direction=row["direction"],
            source=row["source"],
            utm={name: row[name] for name in ("utm_source", "utm_medium", "utm_campaign") if row[name]},
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            closed_at=row["closed_at"],
            closest_task_at=row["closest_task_at"],
            loss_reason_id=row["loss_reason_id"],
            is_deleted=row["is_deleted"],
            history=_history(db, lead_id),
            delivery=_delivery(db, lead_id, row["marker"]),
        )


def _people(db: sa.Connection, lead_id: int) -> list[CardPerson]:
    """Read the contacts of a lead outside the bin, the main contact first."""
    wanted = (
        sa.select(contacts.c.id, contacts.c.name, contacts.c.phones)
        .join(lead_contacts, lead_contacts.c.contact_id == contacts.c.id)
        .where(lead_contacts.c.lead_id == lead_id, contacts.c.is_deleted.is_(False))
        .order_by(lead_contacts.c.is_main.desc(), contacts.c.id)
    )
    return [CardPerson(row.id, row.name, tuple(json.loads(row.phones))) for row in db.execute(wanted)]


def _history(db: sa.Connection, lead_id: int) -> tuple[StageChange, ...]:
    """The oldest first."""
    wanted = sa.select(stage_changes).where(stage_changes.c.lead_id == lead_id)
    return tuple(
        StageChange(
            at=row.at,
            from_stage=(row.from_pipeline_id, row.from_status_id) if row.from_status_id else None,
            to_stage=(row.to_pipeline_id, row.to_status_id),
        )
        for row in db.execute(wanted.order_by(stage_changes.c.at, stage_changes.c.id))
    )


def _delivery(db: sa.Connection, lead_id: int, marker: str | None) -> OwnDelivery | None:
    """Find our entry of a lead by the marker; without a marker field, by the id AmoCRM answered with."""
    ours: list[Any] = [deliveries.c.amo_lead_id == lead_id]
    if marker:
        ours.append(deliveries.c.lead_id == marker)
    wanted = (
        sa.select(
            accepted_leads.c.id,
            deliveries.c.state,
            accepted_leads.c.origin,
            accepted_leads.c.accepted_at,
            deliveries.c.delivered_at,
            accepted_leads.c.entered_by,
            accepted_leads.c.message,
            consents.c.text_version,
            consents.c.given_at,
            consents.c.form,
        )
        .join(deliveries, deliveries.c.lead_id == accepted_leads.c.id)
        .join(consents, consents.c.lead_id == accepted_leads.c.id, isouter=True)
        .where(sa.or_(*ours))
        .order_by(accepted_leads.c.accepted_at)
        .limit(1)
    )
    row = db.execute(wanted).first()
    return OwnDelivery(*row) if row is not None else None  # type: ignore[call-arg]

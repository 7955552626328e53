"""A lead on its way into AmoCRM, as values, and their conversion from rows and to rows.

Writes nothing and decides nothing. Which columns are written together is `columns.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from desk.delivery.decisions import LEAD
from desk.lead import Consent, NewLead
from store.tables import delivery_steps

ON_THE_LINE, LATER = 0, 1
"""Priorities: an operator has a client on the line, or no client waits."""

TODO, MAYBE_SENT, DONE = "todo", "unsure", "done"
"""States of a step. A write is `MAYBE_SENT` from before its request leaves until the answer is written down."""

SAID = "said:"
"""Prefix of names in `accepted_leads.extra` for the sender's own words about a field, kept for the note. The field's key follows."""


class LeaseLost(Exception):
    """The lead was taken over by a second worker: the caller's knowledge of the lead no longer counts."""


@dataclass(frozen=True, slots=True)
class Step:
    """A thing to do in AmoCRM. `payload` None: the content of the lead is enough."""

    id: int
    kind: str
    payload: Any
    state: str
    amo_id: int | None


@dataclass(frozen=True, slots=True)
class Job:
    """A lead held by a worker. `tries_for_all`: the queue waits, and the lead finds out if the wait is over."""

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
    new_contact: bool = False  # another person on a known number: the contact of that number is left alone
    account_id: int | None = None  # the account of its ids; None: none yet, or accepted before accounts were kept
    maybe_in: Mapping[int, str | None] = field(default_factory=dict)  # former account → when the lead was sent there

    @property
    def todo(self) -> set[str]:
        """Kinds of the steps not done yet."""
        return {step.kind for step in self.steps if step.state != DONE}

    @property
    def makes_a_lead(self) -> bool:
        """Whether the lead is ours to make: False for steps on a lead already in AmoCRM."""
        return any(step.kind == LEAD for step in self.steps)


@dataclass(frozen=True, slots=True)
class Lost:
    """A lead of unknown fate, held for a search in AmoCRM."""

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
    ruled_out: frozenset[int] = frozenset()  # leads in AmoCRM that a person has seen and refused as this lead
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A single try of a step, for the history. `result`: "ok", an error code, or a person's decision."""

    step: str
    result: str
    status: int | None = None
    duration_ms: int | None = None
    request_id: str | None = None
    by: str | None = None


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
    """The content of a lead as columns of `accepted_leads`; the inverse of `new_lead`."""
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
    """The consent of a row of `consents`; None if the lead was given without consent."""
    if row is None:
        return None
    return Consent(row["text_version"], row["given_at"], row["ip"], row["form"], row["taken_by"])


def step_values(lead_id: str, position: int, kind: str, payload: Any) -> dict[str, Any]:
    """The row of a step still to do."""
    text = None if payload is None else json.dumps(payload, ensure_ascii=False)
    return {"lead_id": lead_id, "position": position, "kind": kind, "payload": text, "state": TODO}


def steps_of(db: sa.Connection, lead_id: str) -> tuple[Step, ...]:
    """The steps of a lead, in order."""
    wanted = sa.select(delivery_steps).where(delivery_steps.c.lead_id == lead_id)
    rows = db.execute(wanted.order_by(delivery_steps.c.position, delivery_steps.c.id)).mappings()
    return tuple(
        Step(row["id"], row["kind"], json.loads(row["payload"] or "null"), row["state"], row["amo_id"]) for row in rows
    )

"""The log of submissions and their outcomes, for people to look through.

Read here, written by `Intake`. A line holds what was said only where no accepted lead does; of an accepted one the
name and the phone are the lead's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from desk.delivery import new_lead
from desk.intake.bodies import expanded
from desk.intake.fates import Told
from desk.intake.known_names import ADDED
from desk.intake.names import Understood, understood
from desk.intake.signs import SIGNS, consent_of
from desk.intake.tracking import tracking_of
from desk.lead import OWN_FIELDS, Consent
from store import Store, clock
from store.tables import accepted_leads, consents, forms, submissions

ACCEPTED, DUPLICATE, REPEATED, REFUSED, FLAGGED = "accepted", "duplicate", "repeated", "refused", "flagged"
OUTCOMES = (ACCEPTED, DUPLICATE, REPEATED, REFUSED, FLAGGED)
"""A lead; the same phone again; the same Idempotency-Key again; refused; put aside as a program's work."""

OPEN = (DUPLICATE, REFUSED, FLAGGED)
"""Outcomes of which a person can still make a lead."""

SHORT = "desk:short"
"""Mark in a kept body: the room was up, and only phone and name are kept. No sender can set the mark."""

COUNTED = timedelta(days=7)
"""The span of the counts on the page."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A line of the log.

    `reason`: the error code of a refused submission, the sign of a flagged one; an accepted one with a reason was made a lead by
    hand. `body`: its content, {} if an accepted lead holds it; `asked`: the same in our words. `raw`: the text of an unreadable
    body. `others`: values of an accepted submission under unknown names. `is_short`: there was no room for more than the phone
    and the name. `lead_id`: of a duplicate, the first lead's.
    """

    id: str
    at: datetime
    form_id: str
    outcome: str
    reason: str | None
    faults: tuple[tuple[str, str], ...]
    lead_id: str | None
    body: Mapping[str, Any] = field(repr=False)
    ip: str | None = field(repr=False)
    name: str = field(repr=False)
    phone: str = field(repr=False)
    asked: Understood = field(repr=False)
    raw: str = field(default="", repr=False)
    others: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_short: bool = False

    @property
    def is_told(self) -> bool:
        """Whether the line's own id was told to its sender as a lead's."""
        return is_told(self.outcome, self.reason)

    @property
    def is_open(self) -> bool:
        """Whether a person can still make a lead of the submission."""
        return self.outcome in OPEN and bool(self.body or self.raw)


@dataclass(frozen=True, slots=True)
class Said:
    """The content of a submission: fields by name, marks by AmoCRM's code, the consent, the rest by label."""

    texts: Mapping[str, str] = field(repr=False)
    tracking: Mapping[str, str]
    consent: Consent | None
    others: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Tally:
    """A form's recent days: how many of each outcome, and when the last was accepted and refused."""

    counts: Mapping[str, int]
    accepted_at: datetime | None
    refused_at: datetime | None


class SubmissionLog:
    """The log of a desk."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(
        self, *, form_id: str | None = None, outcome: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[Submission]:
        """Lines, the newest first, of one form, of one outcome."""
        wanted = _lines(form_id, outcome).order_by(submissions.c.at.desc(), submissions.c.id).limit(limit)
        with self._store.read() as db:
            return [_submission(row) for row in db.execute(wanted.offset(offset)).mappings()]

    def count(self, *, form_id: str | None = None, outcome: str | None = None) -> int:
        with self._store.read() as db:
            return db.scalar(sa.select(sa.func.count()).select_from(_lines(form_id, outcome).subquery())) or 0

    def one(self, submission_id: str) -> Submission | None:
        with self._store.read() as db:
            row = db.execute(_lines(None, None).where(submissions.c.id == submission_id)).mappings().first()
        return _submission(row) if row is not None else None

    def told(self, told_id: str) -> Told | None:
        """The form and time of an id told as a lead's; None for an unknown id. A read in either case."""
        lead = sa.select(accepted_leads.c.form_id, accepted_leads.c.accepted_at).where(accepted_leads.c.id == told_id)
        line = sa.select(
            submissions.c.form_id, submissions.c.at, submissions.c.outcome, submissions.c.reason, submissions.c.lead_id
        ).where(submissions.c.id == told_id)
        with self._store.read() as db:
            own, aside = db.execute(lead).first(), db.execute(line).first()
        if own is not None:
            return Told(own.form_id, own.accepted_at)
        if aside is None or not is_told(aside.outcome, aside.reason):
            return None
        return Told(aside.form_id, aside.at, False, aside.lead_id if aside.outcome == DUPLICATE else None)

    def said(self, line: Submission) -> Said:
        """The content of a line: its own if kept, else the lead's."""
        if line.is_open:
            said = line.asked.fields
            asked = {name: value for name, value in said.items() if name in OWN_FIELDS or ADDED.fullmatch(name)}
            texts = {name: str(value) for name, value in asked.items() if value is not None}
            consent = consent_of(said, given_at=line.at, ip=line.ip, form="")
            return Said(texts, tracking_of(said), consent, {**line.asked.named_channels(), **line.asked.others})
        with self._store.read() as db:
            lead = db.execute(sa.select(accepted_leads).where(accepted_leads.c.id == line.lead_id)).mappings().first()
            given = db.execute(sa.select(consents).where(consents.c.lead_id == line.lead_id)).mappings().first()
        if lead is None:
            return Said({}, {}, None)
        consent = Consent(given["text_version"], given["given_at"], given["ip"], given["form"]) if given else None
        taken = new_lead(lead)
        texts = {name: lead[name] for name in OWN_FIELDS} | dict(taken.extra) | dict(taken.said)
        others = {label: text for label, text in line.others.items() if label not in taken.said}
        return Said(texts, taken.tracking, consent, others)

    def tallies(self) -> dict[str, Tally]:
        """Tallies by form, for forms with lines."""
        since = clock.now() - COUNTED
        is_recent = sa.case((submissions.c.at >= since, 1), else_=0)
        wanted = sa.select(
            submissions.c.form_id,
            submissions.c.outcome,
            sa.func.sum(is_recent).label("recently"),
            sa.func.max(submissions.c.at).label("last_at"),
        ).group_by(submissions.c.form_id, submissions.c.outcome)
        with self._store.read() as db:
            rows = db.execute(wanted).all()
        return {
            form_id: _tally([row for row in rows if row.form_id == form_id]) for form_id in {r.form_id for r in rows}
        }


def is_told(outcome: str, reason: str | None) -> bool:
    """Whether a line's own id was told to its sender as a lead's.

    So it is for submissions put aside and for duplicates, also after a person has made a lead of them.
    """
    return outcome in (FLAGGED, DUPLICATE) or (outcome == ACCEPTED and reason in (*SIGNS, DUPLICATE))


def _lines(form_id: str | None, outcome: str | None) -> sa.Select[Any]:
    wanted = (
        sa.select(submissions, accepted_leads.c.name, accepted_leads.c.phone, forms.c.taught)
        .outerjoin(accepted_leads, accepted_leads.c.id == submissions.c.lead_id)
        .outerjoin(forms, forms.c.id == submissions.c.form_id)
    )
    if form_id is not None:
        wanted = wanted.where(submissions.c.form_id == form_id)
    return wanted if outcome is None else wanted.where(submissions.c.outcome == outcome)


def _submission(row: sa.RowMapping) -> Submission:
    body = json.loads(row["body"] or "{}")
    is_short = bool(body.pop(SHORT, False))
    asked = understood(expanded(body), json.loads(row["taught"] or "{}"))
    return Submission(
        id=row["id"],
        at=row["at"],
        form_id=row["form_id"],
        outcome=row["outcome"],
        reason=row["reason"],
        faults=tuple((name, code) for name, code in json.loads(row["faults"] or "[]")),
        lead_id=row["lead_id"],
        body=body,
        ip=row["ip"],
        name=str(asked.fields.get("name") or row["name"] or ""),
        phone=str(asked.fields.get("phone") or row["phone"] or ""),
        asked=asked,
        raw=row["raw"] or "",
        others=json.loads(row["others"] or "{}"),
        is_short=is_short,
    )


def _tally(rows: list[Any]) -> Tally:
    last = {row.outcome: row.last_at for row in rows}
    return Tally({row.outcome: int(row.recently) for row in rows}, last.get(ACCEPTED), last.get(REFUSED))

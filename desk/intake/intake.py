"""Taking a submission in: its whole settlement in a durable transaction.

    admitted ─► a lead, or faults ─► one transaction: the same key before? looks like a program? the same phone just
                                     before? else lead + delivery ─► and in each case a line in the log

Whatever the outcome, the sender's answer is made of it alone; AmoCRM is not on this path. What no accepted lead holds
(a refused, flagged or duplicate submission) is kept as it came for a while, so that a person can make a lead of it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from crm.errors import Declined
from desk.delivery import Outbox, Progress
from desk.delivery import report as deliveries_report
from desk.fields import FieldMap, Mapped
from desk.intake import bodies, fates, keeping, presets
from desk.intake.forms import Form, Forms
from desk.intake.idempotency import IdempotencyKeys
from desk.intake.keeping import Room, Used
from desk.intake.log import ACCEPTED, DUPLICATE, FLAGGED, OPEN, REFUSED, REPEATED, Submission, SubmissionLog
from desk.intake.log import is_told as is_told_of
from desk.intake.names import understood
from desk.intake.received import Received
from desk.intake.seen import SeenNames
from desk.intake.signs import consent_of
from desk.lead import FieldFault, NewLead
from desk.settings import Settings
from store import Store, StoreError, clock
from store.tables import accepted_leads, submissions

KEPT = fates.TOLD_FOR
"""How long a refused, flagged or duplicate submission can be looked at, and the network address of any submission."""

NOBODYS_PHONE = "+73000000000"
"""For trying a form out. Russia's numbering plan has no area 300."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The outcome of a submission.

    `told_id`: the lead's id for its sender, unless it was refused. `code`: the error code of a refused one; `faults`: what is
    wrong with its fields. `lead_id`: the lead that holds the submission; of a duplicate the first one, whose id nobody is told.
    """

    outcome: str
    told_id: str = ""
    code: str = ""
    faults: tuple[FieldFault, ...] = ()
    lead_id: str = ""


class Intake:
    """The way in for submissions. Thread-safe; several processes may share the database."""

    def __init__(self, store: Store, outbox: Outbox, fields: FieldMap, settings: Settings) -> None:
        self.forms = Forms(store, settings)
        self.log, self.seen = SubmissionLog(store), SeenNames(store)
        self._store, self._outbox, self._fields, self._zone = store, outbox, fields, settings.zone
        self._room, self._keys = Room(), IdempotencyKeys(store)

    def take(
        self,
        form: Form,
        raw: Mapping[str, Any],
        *,
        ip: str | None = None,
        idempotency_key: str = "",
        duplicate_s: int | None = None,
        is_visitor: bool = False,
    ) -> Taken:
        """Settle a submission; on return the settlement is on the disk.

        `raw`: names and values of any type. `duplicate_s`: instead of the form's. `is_visitor`: somebody sees the answer and the form.
        """
        one = self._received(form, raw, ip, idempotency_key, strict=_strict(form, is_visitor=is_visitor))
        lead, faults = one.lead()
        window_s = form.duplicate_s if duplicate_s is None else duplicate_s
        with self._store.write() as db:
            now = clock.now()
            if lead is None:
                taken = Taken(REFUSED, code="lead_invalid", faults=tuple(faults))
            else:
                taken = self._as_before(db, one, now) or self._as_new(db, one, lead, now, window_s)
            self._note(db, one, taken, now)
        if taken.outcome == ACCEPTED:
            self._outbox.wake()
        self._see(one)
        return taken

    def refuse(
        self, form: Form, raw: Mapping[str, Any] | None, code: str, *, ip: str | None = None, text: str | None = None
    ) -> Taken:
        """Refuse a submission and keep it in the log. `raw`: the readable part; `text`: an unreadable body."""
        taken = Taken(REFUSED, code=code)
        one = self._received(form, raw or {}, ip, text=text)
        with self._store.write() as db:
            self._note(db, one, taken, clock.now())
        self._see(one)
        return taken

    def try_out(self, form_id: str, *, name: str, message: str) -> Taken:
        """Hand a test lead in through a form as its sender would, with an unassigned phone. Raises `Declined` for no form.

        `name` and `message` say that it is a test: it goes to AmoCRM like any other.
        """
        form = self.forms.of(form_id)
        raw = bodies.read(*presets.of(form.preset).sent(presets.Sample(name, NOBODYS_PHONE, message)))
        if not form.is_active:
            return self.refuse(form, raw, "form_paused")
        return self.take(form, raw, duplicate_s=0)

    def faults(self, kept: Submission) -> list[FieldFault]:
        """The faults in the fields of a kept submission, as of now."""
        form = self.forms.of(kept.form_id)
        return self._received(form, kept.body, None, strict=_strict(form, is_visitor=True)).lead()[1]

    def accept_kept(
        self, submission_id: str, changes: Mapping[str, Any] | None = None, *, by: str | None = None
    ) -> Taken:
        """Make a lead of a flagged, duplicate or refused submission; pressed twice, the same lead.

        The lead is made of what the submission says, whatever its phone; only a phone that is typed anew has to be one.
        `changes`: fields put right. `by`: whose decision it is. The consent is as old as the submission. Raises `Declined` if
        nothing of it is kept any more.
        """
        kept = self.log.one(submission_id)
        if kept is None:
            raise Declined("submission_gone")
        form = self.forms.of(kept.form_id)
        retyped = str((changes or {}).get("phone") or "").strip()
        is_another = retyped not in ("", str(kept.asked.fields.get("phone") or "").strip())
        strict = frozenset({"phone"} if is_another else ())
        one = self._received(form, kept.body, kept.ip, changes=changes, strict=strict)
        lead, faults = one.lead()
        mine = submissions.c.id == submission_id
        with self._store.write() as db:
            row = db.execute(sa.select(submissions).where(mine).with_for_update()).first()
            if row is not None and row.outcome == ACCEPTED:
                return Taken(ACCEPTED, row.lead_id, lead_id=row.lead_id)
            if row is None or row.body is None:
                raise Declined("submission_gone")
            if lead is None:
                return Taken(REFUSED, code="lead_invalid", faults=tuple(faults))
            lead_id = self._accept(db, one, lead, given_at=row.at, by=by)
            made = {"outcome": ACCEPTED, "lead_id": lead_id, "body": None, "raw": None, "others": one.others()}
            made["reason"] = row.reason or row.outcome
            db.execute(submissions.update().where(mine).values(made))
        self._outbox.wake()
        return Taken(ACCEPTED, lead_id, lead_id=lead_id)

    def fate(self, form: Form, told_id: str, *, is_program: bool) -> Progress | None:
        """The progress of a lead, as far as the holder of a form's key may know; None for another form's.

        `is_program`: the key is none that stands on a page (`desk.intake.fates`).
        """
        told = self.log.told(told_id)
        if told is None or not fates.may_know(told, form.id, clock.now(), is_program=is_program):
            return None
        if is_program:
            return self.progress(told_id)
        lead = self._outbox.progress(told_id if told.is_lead else told.doubles or "")
        pause = deliveries_report.pause(self._store)
        is_delivered = fates.seems_delivered(told, lead, pause.since if pause else None, clock.now())
        return fates.bare(told_id, told.at, is_delivered=is_delivered)

    def room_used(self, form_id: str) -> Used:
        """A form's use today of its room for submissions without a lead."""
        with self._store.read() as db:
            return self._room.used(db, form_id, clock.now())

    def progress(self, told_id: str) -> Progress | None:
        """The progress of a lead, by the id its sender was told.

        A flagged submission is queued for ever; a duplicate is where the first lead is.
        """
        progress = self._outbox.progress(told_id)
        if progress is not None:
            return progress
        kept = self.log.one(told_id)
        if kept is None or not kept.is_told:
            return None
        if kept.outcome == FLAGGED:
            return fates.bare(told_id, kept.at)
        progress = self._outbox.progress(kept.lead_id or "")
        return replace(progress, id=told_id, accepted_at=kept.at) if progress else None

    def prune(self) -> None:
        """Delete submissions, keys and seen names past their time."""
        now = clock.now()
        old = submissions.c.at < now - KEPT
        with self._store.write(durable=False) as db:
            self._keys.prune(db, now)
            db.execute(submissions.delete().where(old, submissions.c.outcome != ACCEPTED))
            theirs = sa.or_(submissions.c.ip.is_not(None), submissions.c.others.is_not(None))
            db.execute(submissions.update().where(old, theirs).values(ip=None, others=None))
        self.seen.prune()

    def _received(
        self,
        form: Form,
        raw: Mapping[str, Any],
        ip: str | None,
        idempotency_key: str = "",
        *,
        changes: Mapping[str, Any] | None = None,
        text: str | None = None,
        strict: frozenset[str] = frozenset(),
    ) -> Received:
        asked = understood(bodies.expanded(raw), form.taught)
        return Received(form, raw, asked, self._added(), ip, idempotency_key, changes or {}, text, strict, self._zone)

    def _see(self, one: Received) -> None:
        """Note the names in a submission, unless the database is away: the submission is settled in any case."""
        with suppress(StoreError):
            self.seen.note(one.form.id, one.asked.seen)

    def _added(self) -> tuple[Mapped, ...]:
        return tuple(self._fields.added())

    def _as_before(self, db: sa.Connection, one: Received, now: datetime) -> Taken | None:
        """The former answer to the same Idempotency-Key; None for a new key."""
        first = self._keys.first(db, one, now) if one.idempotency_key else None
        if first is None:
            return None
        if not one.is_as(first.body_hash):
            return Taken(REFUSED, code="key_reused")
        own = db.scalar(sa.select(submissions.c.lead_id).where(submissions.c.id == first.told_id))
        return Taken(REPEATED, first.told_id, lead_id=own or first.told_id)

    def _as_new(self, db: sa.Connection, one: Received, lead: NewLead, now: datetime, window_s: int) -> Taken:
        if one.sign():
            taken = Taken(FLAGGED, uuid.uuid4().hex)
        elif first := self._just_before(db, one.form, lead, now, window_s):
            taken = Taken(DUPLICATE, uuid.uuid4().hex, lead_id=first)
        else:
            lead_id = self._accept(db, one, lead, given_at=now)
            taken = Taken(ACCEPTED, lead_id, lead_id=lead_id)
        if one.idempotency_key:
            self._keys.keep(db, one, taken.told_id, now)
        return taken

    def _just_before(self, db: sa.Connection, form: Form, lead: NewLead, now: datetime, window_s: int) -> str | None:
        """The lead of the same phone, form and source within the window, by id."""
        if not window_s:
            return None
        self._store.serialise(db, f"phone {form.id} {lead.phone}")
        return db.scalar(
            sa.select(accepted_leads.c.id)
            .where(
                accepted_leads.c.phone == lead.phone,
                accepted_leads.c.form_id == form.id,
                accepted_leads.c.source == lead.source,
                accepted_leads.c.accepted_at > now - timedelta(seconds=window_s),
            )
            .order_by(accepted_leads.c.accepted_at)
            .limit(1)
        )

    def _accept(
        self, db: sa.Connection, one: Received, lead: NewLead, *, given_at: datetime, by: str | None = None
    ) -> str:
        consent = consent_of(one.asked.fields, given_at=given_at, ip=one.ip, form=one.form.name)
        return self._outbox.accept_in(db, lead, "api", form_id=one.form.id, consent=consent, entered_by=by)

    def _note(self, db: sa.Connection, one: Received, taken: Taken, now: datetime) -> None:
        """Write the line in the log, with the body if no accepted lead holds it and as far as there is room."""
        is_told, is_lead = is_told_of(taken.outcome, None), taken.outcome == ACCEPTED
        said = {
            "body": one.kept() if taken.outcome in OPEN and one.raw else None,
            "raw": keeping.fitting(one.text),
            "others": one.others() if is_lead else None,
        }
        size = sum(len(text.encode()) for text in said.values() if text)
        match self._room.take(db, one.form.id, now, size, is_told=is_told, is_lead=is_lead):
            case keeping.NOTHING:
                return
            case keeping.CONTACT:
                said = {"body": one.contact() if taken.outcome in OPEN else None}
            case keeping.BARE:
                said = {}
        db.execute(
            submissions.insert().values(
                id=taken.told_id if is_told else uuid.uuid4().hex,
                at=now,
                form_id=one.form.id,
                outcome=taken.outcome,
                reason=one.sign() if taken.outcome == FLAGGED else taken.code or None,
                faults=json.dumps([[fault.field, fault.code] for fault in taken.faults]) if taken.faults else None,
                lead_id=taken.lead_id or None,
                ip=one.ip,
                **said,
            )
        )


def _strict(form: Form, *, is_visitor: bool) -> frozenset[str]:
    """The fields whose faults refuse a submission: the form's required ones, and for a visitor the phone."""
    return frozenset((*form.required, *(("phone",) if is_visitor else ())))

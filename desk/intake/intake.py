"""Taking a submission in: one durable transaction in which everything about it is settled.

    admitted ─► a lead, or faults ─► one transaction: the same key before? looks like a program? the same phone just
                                     before? else lead + delivery ─► and in each case a line in the log

Whatever the outcome, the sender's answer is made of it alone; AmoCRM is not on this path. What no accepted lead holds
(a refused, flagged or duplicate submission) is kept as it came for a while, so that a person can make a lead of it.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from crm.errors import Declined
from desk import lead as lead_rules
from desk.delivery import Outbox, Progress
from desk.delivery import report as deliveries_report
from desk.fields import FieldMap, Mapped
from desk.intake import bodies, fates, keeping, presets, tracking
from desk.intake.forms import Form, Forms
from desk.intake.keeping import Room, Used
from desk.intake.known_names import SECRETS
from desk.intake.log import ACCEPTED, DUPLICATE, FLAGGED, OPEN, REFUSED, REPEATED, SHORT, Submission, SubmissionLog
from desk.intake.log import is_told as is_told_of
from desk.intake.names import Understood, understood
from desk.intake.seen import SeenNames
from desk.intake.signs import FILL_MS, consent_of, sign_of
from desk.lead import FieldFault, NewLead
from desk.reading.names import is_name
from desk.settings import Settings
from store import Store, StoreError, clock
from store.tables import accepted_leads, idempotency_keys, submissions

KEY = "key"
"""The field in which a plain HTML form or a script shows the form's key."""

KEY_KEPT = timedelta(hours=48)
"""How long an Idempotency-Key is remembered: longer than any program keeps trying, a weekend's outage included."""

KEPT = fates.TOLD_FOR
"""How long what was refused, flagged or a duplicate can be looked at, and from where a submission came."""

NOBODYS_PHONE = "+73000000000"
"""For trying a form out. Russia's numbering plan has no area 300."""

MOST_OTHERS, LONGEST_OTHER = 100, 1000
"""Values under unknown names that are kept of an accepted submission, and characters of each."""

NOT_COMPARED_BEFORE = (KEY, FILL_MS)
"""What a desk before this one left out of its comparison: keys of its last two days are still held against that."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a submission. `told_id`: what its sender is told as the lead's id, unless it was refused.

    `code`: the error code of a refused one; `faults`: what is wrong with its fields. `lead_id`: the lead that holds it; of a
    duplicate the first one, whose id nobody is told.
    """

    outcome: str
    told_id: str = ""
    code: str = ""
    faults: tuple[FieldFault, ...] = ()
    lead_id: str = ""


@dataclass(frozen=True, slots=True)
class _Submission:
    """What came, and what follows from it alone.

    `asked`: what it says in our words. `changes`: fields a person has put right. `text`: the body, where it could not be read.
    `strict`: fields in which a fault refuses it; in others it costs nothing. `zone`: the club's, by whose clock a moment is a day.
    """

    form: Form
    raw: Mapping[str, Any]
    asked: Understood
    added: tuple[Mapped, ...]
    ip: str | None
    idempotency_key: str = field(default="", repr=False)
    changes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    text: str | None = field(default=None, repr=False)
    strict: frozenset[str] = frozenset()
    zone: ZoneInfo = lead_rules.HOME_ZONE

    def lead(self) -> tuple[NewLead | None, list[FieldFault]]:
        """The lead in it, or every fault; its source is the form's where it names none."""
        said = {**self.asked.fields, **self.changes}
        lead, faults = lead_rules.read(said, self.added, strict=self.strict, zone=self.zone)
        named = {fault.field for fault in faults}
        wanted = sorted(self.strict - named - {"phone"})
        faults += [FieldFault(name, "missing") for name in wanted if not _is_said(name, said.get(name))]
        if lead is None or faults:
            return None, faults
        noted = dict(lead.said)
        for label, text in self.asked.for_note(with_others=self.form.note_unknown).items():
            noted[label] = f"{noted[label]}, {text}" if noted.get(label, text) != text else text
        marks = tracking.tracking_of(said)
        return replace(lead, source=lead.source or self.form.source, tracking=marks, said=noted), []

    def sign(self) -> str | None:
        return sign_of(self.asked.fields, self.form.least_fill_s)

    def key_hash(self) -> str:
        return _hash(self.idempotency_key)

    def body_hash(self) -> str:
        """A hash of the content: what is asked for, of whom, with which consent, as it was understood.

        So neither the encoding counts nor the order, and nothing that browsers, pages and proxies add: marks and addresses,
        how long it took, the form's key, the empty trap, names that nobody asked for.
        """
        lead, _ = lead_rules.read(self.asked.fields, self.added, zone=self.zone)
        given = consent_of(self.asked.fields, given_at=clock.now(), ip=None, form="")
        content = None
        if lead is not None:
            own = [lead.name, lead.phone, lead.direction, lead.source, lead.message]
            content = [*own, dict(lead.extra), *([dict(lead.said)] if lead.said else [])]
        return _hash(json.dumps([content, None if given is None else given.text_version], sort_keys=True))

    def is_as(self, body_hash: str) -> bool:
        """Whether this is the content behind a stored hash."""
        return body_hash in (self.body_hash(), self._former_hash())

    def _former_hash(self) -> str:
        compared = {name: value for name, value in self.raw.items() if name not in NOT_COMPARED_BEFORE}
        return _hash(json.dumps(compared, sort_keys=True))

    def kept(self) -> str:
        """All that was said but the keys, as JSON, each value as far as its field goes."""
        hidden = (*SECRETS, SHORT)
        said = {name: value for name, value in bodies.expanded(self.raw).items() if name.casefold() not in hidden}
        kept = keeping.shortened(said, self.form.taught)
        if len(kept) < len(said):  # names without end: what a lead is made of comes first all the same
            own = {name: self.asked.fields[name] for name in ("phone", "name", "message") if name in self.asked.fields}
            kept = {**keeping.shortened(own, {}), **kept}
        return keeping.dumped(kept)

    def contact(self) -> str:
        """The phone and the name alone."""
        return keeping.dumped(keeping.contact(self.asked.fields))


class Intake:
    """Takes submissions in. Thread-safe; several processes may share the database."""

    def __init__(self, store: Store, outbox: Outbox, fields: FieldMap, settings: Settings) -> None:
        self.forms = Forms(store, settings)
        self.log, self.seen = SubmissionLog(store), SeenNames(store)
        self._store, self._outbox, self._fields, self._zone = store, outbox, fields, settings.zone
        self._room = Room()

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
        """Settle a submission. When this returns, what it says is on the disk.

        `raw`: names and values of any type. `duplicate_s`: instead of the form's. `is_visitor`: somebody sees the answer and the form.
        """
        one = self._submission(form, raw, ip, idempotency_key, strict=_strict(form, is_visitor=is_visitor))
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
        """Say no, and keep in the log what was refused. `raw`: what could be read; `text`: the body, where it could not."""
        taken = Taken(REFUSED, code=code)
        one = self._submission(form, raw or {}, ip, text=text)
        with self._store.write() as db:
            self._note(db, one, taken, clock.now())
        self._see(one)
        return taken

    def try_out(self, form_id: str, *, name: str, message: str) -> Taken:
        """Hand a lead in through a form as its sender would, with a phone nobody has. Raises `Declined` for no form.

        `name` and `message` say that it is a test: it goes to AmoCRM like any other.
        """
        form = self.forms.of(form_id)
        raw = bodies.read(*presets.of(form.preset).sent(presets.Sample(name, NOBODYS_PHONE, message)))
        if not form.is_active:
            return self.refuse(form, raw, "form_paused")
        return self.take(form, raw, duplicate_s=0)

    def faults(self, kept: Submission) -> list[FieldFault]:
        """What is wrong with the fields of a submission that is kept, as of now."""
        form = self.forms.of(kept.form_id)
        return self._submission(form, kept.body, None, strict=_strict(form, is_visitor=True)).lead()[1]

    def accept_kept(
        self, submission_id: str, changes: Mapping[str, Any] | None = None, *, by: str | None = None
    ) -> Taken:
        """Make a lead of a flagged, duplicate or refused submission. Pressed twice it is one lead.

        It is taken as it is, with whatever phone it held; only a phone that is typed anew has to be one. `changes`: fields put right. `by`: whose decision it is. The consent is as old as the submission. Raises `Declined` where it is gone.
        """
        kept = self.log.one(submission_id)
        if kept is None:
            raise Declined("submission_gone")
        form = self.forms.of(kept.form_id)
        retyped = str((changes or {}).get("phone") or "").strip()
        is_another = retyped not in ("", str(kept.asked.fields.get("phone") or "").strip())
        strict = frozenset({"phone"} if is_another else ())
        one = self._submission(form, kept.body, kept.ip, changes=changes, strict=strict)
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
            made = {"outcome": ACCEPTED, "lead_id": lead_id, "body": None, "raw": None, "others": _others(one)}
            made["reason"] = row.reason or row.outcome
            db.execute(submissions.update().where(mine).values(made))
        self._outbox.wake()
        return Taken(ACCEPTED, lead_id, lead_id=lead_id)

    def fate(self, form: Form, told_id: str, *, is_program: bool) -> Progress | None:
        """Where a lead is, as far as whoever shows this form's key may know; None for what they may not.

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
        """What a form has used today of its room for what makes no lead."""
        with self._store.read() as db:
            return self._room.used(db, form_id, clock.now())

    def progress(self, told_id: str) -> Progress | None:
        """Where a lead is, by the id its sender was told. A flagged one is queued for ever; of a duplicate it is where the
        first one is."""
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
        """Forget what has been kept long enough."""
        now = clock.now()
        old = submissions.c.at < now - KEPT
        with self._store.write(durable=False) as db:
            db.execute(idempotency_keys.delete().where(idempotency_keys.c.made_at < now - KEY_KEPT))
            db.execute(submissions.delete().where(old, submissions.c.outcome != ACCEPTED))
            theirs = sa.or_(submissions.c.ip.is_not(None), submissions.c.others.is_not(None))
            db.execute(submissions.update().where(old, theirs).values(ip=None, others=None))
        self.seen.prune()

    def _submission(
        self,
        form: Form,
        raw: Mapping[str, Any],
        ip: str | None,
        idempotency_key: str = "",
        *,
        changes: Mapping[str, Any] | None = None,
        text: str | None = None,
        strict: frozenset[str] = frozenset(),
    ) -> _Submission:
        asked = understood(bodies.expanded(raw), form.taught)
        return _Submission(
            form, raw, asked, self._added(), ip, idempotency_key, changes or {}, text, strict, self._zone
        )

    def _see(self, one: _Submission) -> None:
        """Note the names that came. Whatever that meets, what became of the submission is settled."""
        with suppress(StoreError):
            self.seen.note(one.form.id, one.asked.seen)

    def _added(self) -> tuple[Mapped, ...]:
        return tuple(self._fields.added())

    def _as_before(self, db: sa.Connection, one: _Submission, now: datetime) -> Taken | None:
        """The answer that this Idempotency-Key got; None where it is new. Waits for the first, if it is still here."""
        if not one.idempotency_key:
            return None
        key_hash = one.key_hash()
        self._store.serialise(db, f"idempotency key {one.form.id} {key_hash}")
        mine = sa.and_(idempotency_keys.c.form_id == one.form.id, idempotency_keys.c.key_hash == key_hash)
        first = db.execute(sa.select(idempotency_keys).where(mine)).first()
        if first is None:
            return None
        if first.made_at < now - KEY_KEPT:
            db.execute(idempotency_keys.delete().where(mine))
            return None
        if not one.is_as(first.body_hash):
            return Taken(REFUSED, code="key_reused")
        own = db.scalar(sa.select(submissions.c.lead_id).where(submissions.c.id == first.lead_id))
        return Taken(REPEATED, first.lead_id, lead_id=own or first.lead_id)

    def _as_new(self, db: sa.Connection, one: _Submission, lead: NewLead, now: datetime, window_s: int) -> Taken:
        if one.sign():
            taken = Taken(FLAGGED, uuid.uuid4().hex)
        elif first := self._just_before(db, one.form, lead, now, window_s):
            taken = Taken(DUPLICATE, uuid.uuid4().hex, lead_id=first)
        else:
            lead_id = self._accept(db, one, lead, given_at=now)
            taken = Taken(ACCEPTED, lead_id, lead_id=lead_id)
        if one.idempotency_key:
            told = {"lead_id": taken.told_id, "body_hash": one.body_hash(), "made_at": now}
            db.execute(idempotency_keys.insert().values(form_id=one.form.id, key_hash=one.key_hash(), **told))
        return taken

    def _just_before(self, db: sa.Connection, form: Form, lead: NewLead, now: datetime, window_s: int) -> str | None:
        """The lead that the same phone left in the same form, with the same source, within the window."""
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
        self, db: sa.Connection, one: _Submission, lead: NewLead, *, given_at: datetime, by: str | None = None
    ) -> str:
        consent = consent_of(one.asked.fields, given_at=given_at, ip=one.ip, form=one.form.name)
        return self._outbox.accept(lead, "api", form_id=one.form.id, consent=consent, entered_by=by, db=db)

    def _note(self, db: sa.Connection, one: _Submission, taken: Taken, now: datetime) -> None:
        """The line in the log; with what was said, where no accepted lead holds it and as far as there is room."""
        is_told, is_lead = is_told_of(taken.outcome, None), taken.outcome == ACCEPTED
        said = {
            "body": one.kept() if taken.outcome in OPEN and one.raw else None,
            "raw": keeping.fitting(one.text),
            "others": _others(one) if is_lead else None,
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


def _others(one: _Submission) -> str | None:
    """What an accepted submission said under names nobody knows. The lead has the rest."""
    cut = {label: text[:LONGEST_OTHER] for label, text in list(one.asked.others.items())[:MOST_OTHERS]}
    return keeping.dumped(cut) if cut else None


def _strict(form: Form, *, is_visitor: bool) -> frozenset[str]:
    """The fields in which a fault refuses: those the form's owner wants, and the phone, if somebody is there to mend it."""
    return frozenset((*form.required, *(("phone",) if is_visitor else ())))


def _is_said(name: str, value: Any) -> bool:
    """Whether a field is filled in: a dash is no name."""
    text = "" if value is None or value == [] else str(value).strip()
    return is_name(text) if name == "name" and isinstance(value, str) else text != ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

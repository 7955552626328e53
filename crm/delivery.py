"""From "typed in" to "in AmoCRM": accepting a lead and carrying it over.

    accept ─► lead + delivery in one transaction, on the disk ─► the worker
      worker: look the contact up ─► create lead and contact in one call ─► note     (at most three requests)
      after each step what exists is written down, so a later try goes on from there

States: `queued → sending → delivered`; `unknown` (the creating request left and no answer came: it may be in
AmoCRM, so it is never blindly sent again); `refused` (AmoCRM says the content is wrong). Which state comes
after which error is `after`, a pure function.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from crm import fields as mapped_fields
from crm import phones
from crm.activity import Journal, Line
from crm.amo import contacts, leads, notes
from crm.amo.client import Client
from crm.errors import BrokenWord, DeskError, NoAnswer, SaidNo
from crm.fields import FieldMap
from crm.intake import NewLead
from crm.settings import Settings
from crm.store import Store
from crm.store.tables import accepted_leads, deliveries
from crm.words import words

QUEUED, SENDING, DELIVERED, UNKNOWN, REFUSED = "queued", "sending", "delivered", "unknown", "refused"

FIRST_PAUSE_S = 2.0
"""Before the second try; each further pause is twice as long."""

LONGEST_PAUSE_S = 300.0
"""Between two tries, however many there were: AmoCRM coming back is noticed within five minutes."""

LEASE_S = 120.0
"""How long a worker may hold a lead: three requests with their waiting, twice over."""

IDLE_S = 1.0
"""How often the worker looks for work nobody has told it about: what another process accepted."""

LONGEST_LEAD_NAME = 250
"""AmoCRM's names take 255 characters."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a delivery after an error: its state, and for a queued one the pause before the next try."""

    state: str
    pause_s: float = 0.0


def after(error: DeskError, *, creating: bool, attempts: int) -> Next:
    """What follows when a step failed. `creating`: the step was the one that makes the lead.

    A creating request whose outcome nobody knows stops here: sending it again could make a second lead.
    """
    if creating and isinstance(error, NoAnswer | BrokenWord):
        return Next(UNKNOWN)
    if isinstance(error, SaidNo) and not error.retryable:
        return Next(REFUSED)
    pause_s = min(FIRST_PAUSE_S * 2 ** min(attempts, 10), LONGEST_PAUSE_S)
    return Next(QUEUED, max(pause_s, error.retry_after_s or 0.0))


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an accepted lead is now, for the person or program that handed it in."""

    id: str
    state: str
    accepted_at: datetime
    settled_at: datetime | None
    reason: str | None
    amo_lead_id: int | None
    contact_id: int | None
    attempts: int
    refusals: tuple[tuple[str, str], ...] = ()

    @property
    def is_settled(self) -> bool:
        """Nothing more happens to it by itself."""
        return self.state in (DELIVERED, UNKNOWN, REFUSED)

    @property
    def took_s(self) -> float | None:
        """From accepted to in AmoCRM."""
        if self.settled_at is None or self.state != DELIVERED:
            return None
        return (self.settled_at - self.accepted_at).total_seconds()


@dataclass(frozen=True, slots=True)
class _Job:
    """A delivery a worker holds, and what of it exists already."""

    lead_id: str
    lease: int
    lead: NewLead
    attempts: int
    contact_was_known: bool
    amo_lead_id: int | None


class Outbox:
    """Accepted leads and their deliveries. Thread-safe; several processes may share the database."""

    def __init__(self, store: Store, client: Client, fields: FieldMap, journal: Journal, settings: Settings) -> None:
        self._store, self._client, self._fields = store, client, fields
        self._journal, self._settings = journal, settings
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def accept(self, lead: NewLead, origin: str) -> str:
        """Put a lead on the disk and return our id of it. AmoCRM is not on this path. `origin`: "desk" or "api"."""
        lead_id = uuid.uuid4().hex
        with self._store.write() as db:
            db.execute(
                accepted_leads.insert().values(
                    id=lead_id,
                    accepted_at=datetime.now(UTC),
                    origin=origin,
                    name=lead.name,
                    phone=lead.phone,
                    direction=lead.direction,
                    source=lead.source,
                    message=lead.message,
                    extra=json.dumps(dict(lead.extra), ensure_ascii=False),
                )
            )
            db.execute(deliveries.insert().values(lead_id=lead_id, state=QUEUED, due_at=self._store.clock(db)))
        self._work.set()
        return lead_id

    def progress(self, lead_id: str) -> Progress | None:
        """Where a lead is; None for an id that is none of ours."""
        wanted = (
            sa.select(deliveries, accepted_leads.c.accepted_at)
            .join(accepted_leads)
            .where(deliveries.c.lead_id == lead_id)
        )
        with self._store.read() as db:
            row = db.execute(wanted).mappings().first()
        if row is None:
            return None
        return Progress(
            id=row["lead_id"],
            state=row["state"],
            accepted_at=row["accepted_at"],
            settled_at=row["settled_at"],
            reason=row["reason"],
            amo_lead_id=row["amo_lead_id"],
            contact_id=row["contact_id"],
            attempts=row["attempts"],
            refusals=tuple((path, code) for path, code in json.loads(row["refusals"] or "[]")),
        )

    # The worker

    def start(self) -> None:
        """Begin delivering in the background."""
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._thread.start()

    def stop(self, patience_s: float = 5.0) -> None:
        """Finish the step at hand and stop."""
        self._stopping.set()
        self._work.set()
        if self._thread is not None:
            self._thread.join(patience_s)

    @property
    def is_running(self) -> bool:
        """Whether the background worker of this process is alive."""
        return self._thread is not None and self._thread.is_alive()

    def deliver_due(self) -> int:
        """Deliver everything that is due now, one after another; how many were taken up."""
        count = 0
        while not self._stopping.is_set() and (job := self._take()) is not None:
            self._deliver(job)
            count += 1
        return count

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._work.wait(IDLE_S)
            self._work.clear()
            try:
                self.deliver_due()
            except Exception as error:
                # The worker outlives whatever one lead or one moment of the database does to it.
                log.error("the delivery worker stumbled: %s", type(error).__name__)

    def _take(self) -> _Job | None:
        """The lead that has been due longest, leased to us; None where none is due."""
        with self._store.write() as db:
            now = self._store.clock(db)
            self._give_up_dead(db, now)
            row = db.execute(_due(now)).mappings().first()
            if row is None:
                return None
            lease, attempts = row["lease_number"] + 1, row["attempts"] + 1
            db.execute(
                deliveries.update()
                .where(deliveries.c.lead_id == row["lead_id"])
                .values(lease_number=lease, lease_until=now + LEASE_S, attempts=attempts)
            )
            lead = db.execute(sa.select(accepted_leads).where(accepted_leads.c.id == row["lead_id"])).mappings().one()
        return _Job(
            row["lead_id"], lease, _new_lead(lead), attempts, bool(row["contact_was_known"]), row["amo_lead_id"]
        )

    def _give_up_dead(self, db: sa.Connection, now: float) -> None:
        """A worker that died with the creating request on its way leaves a lead of which nobody knows."""
        db.execute(
            deliveries.update()
            .where(deliveries.c.state == SENDING, deliveries.c.lease_until < now)
            .values(state=UNKNOWN, reason="worker_died", settled_at=datetime.now(UTC))
        )

    def _deliver(self, job: _Job) -> None:
        """The steps that are still to do. Whatever happens, the row says where it stands."""
        creating = False
        try:
            lead_id, was_known = job.amo_lead_id, job.contact_was_known
            if lead_id is None:
                contact_id = self._known_contact(job.lead.phone)
                request, was_known = self._request(job.lead, contact_id), contact_id is not None
                self._write(job, state=SENDING, contact_was_known=was_known)
                creating = True
                made = leads.create_complex(self._client, request, subject=job.lead_id)
                creating, lead_id = False, made.lead_id
                self._write(job, state=QUEUED, amo_lead_id=lead_id, contact_id=made.contact_id or contact_id)
                if not was_known:
                    self._journal.write(Line("contact", "contacts.create", subject=f"contact {made.contact_id}"))
            note = self._note(job.lead, contact_was_known=was_known)
            note_id = notes.add(self._client, lead_id, note) if note else None
            self._write(job, state=DELIVERED, note_id=note_id, settled_at=datetime.now(UTC), reason=None)
        except DeskError as error:
            self._settle(job, error, creating=creating)

    def _settle(self, job: _Job, error: DeskError, *, creating: bool) -> None:
        follows = after(error, creating=creating, attempts=job.attempts)
        self._write(
            job,
            state=follows.state,
            reason=error.code,
            refusals=json.dumps([[refusal.path, refusal.code] for refusal in error.refusals]),
            settled_at=None if follows.state == QUEUED else datetime.now(UTC),
            pause_s=follows.pause_s,
        )

    def _known_contact(self, phone: str) -> int | None:
        """The contact with exactly this phone in its phone field; of several the one changed last. One request."""
        field = self._fields.contact_phone()
        hits = contacts.matching(self._client, phones.search_digits(phone))
        same = [
            hit
            for hit in hits
            if any(
                phones.same(text, phone)
                for text in mapped_fields.texts_of(hit, field.get("field_id", 0), mapped_fields.PHONE_CODE)
            )
        ]
        newest = max(same, key=lambda hit: (hit.get("updated_at") or 0, hit["id"]), default=None)
        return newest["id"] if newest else None

    def _request(self, lead: NewLead, contact_id: int | None) -> dict[str, Any]:
        """The lead as `POST /leads/complex` wants it."""
        say = words(self._settings.ui_language)
        name = say("lead-name-direction", direction=lead.direction, name=lead.name) if lead.direction else lead.name
        contact: dict[str, Any] = {"id": contact_id}
        values = self._values(lead)
        if contact_id is None:
            phone = {**self._fields.contact_phone(), "values": [{"value": lead.phone, "enum_code": "WORK"}]}
            contact = {"name": lead.name, "custom_fields_values": [phone, *values["contacts"]]}
        return {
            "name": name[:LONGEST_LEAD_NAME],
            "custom_fields_values": values["leads"] or None,
            "_embedded": {"contacts": [contact]},
        }

    def _values(self, lead: NewLead) -> dict[str, list[dict[str, Any]]]:
        """The filled fields of lead and contact, as far as the account has a field for them."""
        texts = {"phone": lead.phone, "direction": lead.direction, "source": lead.source, **lead.extra}
        filled: dict[str, list[dict[str, Any]]] = {"leads": [], "contacts": []}
        for mapped in self._fields.mapping():
            text = texts.get(mapped.key, "")
            if text and mapped.field is not None and mapped.verdict == "ok":
                value = mapped_fields.encode(mapped.field.type, text, self._settings.zone)
                filled[mapped.entity].append({"field_id": mapped.field_id, "values": [{"value": value}]})
        return filled

    def _note(self, lead: NewLead, *, contact_was_known: bool) -> str:
        """The message, and whatever found no field to go into, so that nothing said is lost.

        A contact that was there before keeps its own fields: what was said about them goes here.
        """
        say = words(self._settings.ui_language)
        known = mapped_fields.by_key(self._fields.mapping())
        homeless = [
            say("note-value", label=say(f"new-{key}"), value=text)
            for key, text in (("phone", lead.phone), ("direction", lead.direction), ("source", lead.source))
            if text and known[key].verdict != "ok"
        ]
        homeless += [
            say("note-value", label=(known[key].label if key in known else None) or key, value=text)
            for key, text in lead.extra.items()
            if key not in known or known[key].verdict != "ok" or (known[key].entity == "contacts" and contact_was_known)
        ]
        return "\n".join([*filter(None, [lead.message]), *homeless])

    def _write(self, job: _Job, *, pause_s: float | None = None, **values: Any) -> None:
        """Change a row as long as the lease is ours: a late answer of a dead worker touches nothing.

        `pause_s` or a settled state ends the lease.
        """
        with self._store.write() as db:
            if pause_s is not None or "settled_at" in values:
                values["lease_until"] = 0.0
                values["due_at"] = self._store.clock(db) + (pause_s or 0.0)
            db.execute(
                deliveries.update()
                .where(deliveries.c.lead_id == job.lead_id, deliveries.c.lease_number == job.lease)
                .values(**values)
            )


def _due(now: float) -> sa.Select[Any]:
    """The delivery that nobody holds and that has been due longest."""
    return (
        sa.select(deliveries)
        .where(deliveries.c.state == QUEUED, deliveries.c.due_at <= now, deliveries.c.lease_until < now)
        .order_by(deliveries.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _new_lead(row: Mapping[str, Any] | sa.RowMapping) -> NewLead:
    return NewLead(row["name"], row["phone"], row["direction"], row["source"], row["message"], json.loads(row["extra"]))

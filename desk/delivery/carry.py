"""One lead's way into AmoCRM, step by step: contact, lead, note, and what was agreed on the phone: stage, task.

At most one request a step and one for the contact, none for that where the phonebook knows.

Before a write leaves it is written down that it may have happened, and after it what has: whoever goes on, after an error
or a kill, begins at the first step that is not done.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from crm import answers, contacts, leads, notes, tasks
from crm.client import Client
from crm.connection import Connection
from crm.errors import BrokenWord, DeskError, OwnFault, places
from crm.journal import Journal, Line
from desk import phones
from desk.delivery import decisions, request
from desk.delivery.decisions import ANOTHER_ACCOUNT, CONTACT, LEAD, NOTE, TASK, TASK_DONE, Situation
from desk.delivery.rows import DONE, MAYBE_SENT, Attempt, Job, LeaseLost, Rows, Step
from desk.delivery.worker import Heart
from desk.fields import FieldMap
from desk.phonebook import MOST_ASKED, Phonebook, has_phone
from desk.settings import Settings
from desk.words import words

MAYBE_SENT_PAUSE_S = 15.0
"""Before looking whether a note or task of unknown fate is there: AmoCRM may carry it out a moment after the line was
cut."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Now:
    """What of a lead exists by now, and what is being done."""

    contact_id: int | None
    contact_was_known: bool
    amo_lead_id: int | None
    doing: str = CONTACT
    account_id: int | None = None  # the connected one; nothing leaves once it is another
    step: Step | None = None
    writing: bool = False  # a write is out, or its answer is not written down yet
    answered: bool = False  # AmoCRM has carried it out; whatever is raised now says nothing about it
    places: Mapping[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)


class Carrier:
    """Carries leads over. Thread-safe."""

    def __init__(
        self,
        rows: Rows,
        heart: Heart,
        client: Client,
        connection: Connection,
        fields: FieldMap,
        phonebook: Phonebook,
        journal: Journal,
        settings: Settings,
        on_step: Callable[[str], object] = lambda step: None,
        on_changed: Callable[[int], object] = lambda lead_id: None,
    ) -> None:
        """`on_step` is told each step by its name; tests use it. `on_changed`: a lead was made or changed in AmoCRM."""
        self._rows, self._heart, self._client, self._fields = rows, heart, client, fields
        self._connection = connection
        self._phonebook, self._journal, self._settings, self._on_step = phonebook, journal, settings, on_step
        self._on_changed = on_changed

    def carry(self, job: Job) -> None:
        """The steps that are still to do. Whatever happens, the rows say where it stands.

        Raises only what keeps even that from being written down: then the lease ends by its time, which counts as a failure.
        """
        now = _Now(job.contact_id, job.contact_was_known, job.amo_lead_id)
        with self._heart.holding(job.lead_id, job.lease, tries_for_all=job.tries_for_all):
            try:
                self._go(job, now)
            except LeaseLost:
                log.warning("lead %s was taken over by another worker", job.lead_id)
            except Exception as error:
                self._settle(job, error, now)

    def _go(self, job: Job, now: _Now) -> None:
        self._on_step("taken")
        if not self._is_of_this_account(job, now):
            return
        for step in job.steps:
            if step.state != DONE:
                now.step, now.doing = step, step.kind
                self._do(job, step, now)
        self._rows.delivered(job)
        self._on_step("delivered")

    def _is_of_this_account(self, job: Job, now: _Now) -> bool:
        """Whether its ids mean anything in the connected account; where they do not it is written down what follows."""
        now.account_id = self._connection.account_id(is_needed=job.account_id is not None)
        match decisions.in_account(
            job.account_id,
            now.account_id,
            is_there=job.amo_lead_id is not None,
            may_be_there=False,  # such a lead is searched for, and not carried
            todo=job.todo,
        ):
            case decisions.GO_ON:
                if now.account_id is not None and now.account_id in job.maybe_in and LEAD in job.todo:
                    log.warning("lead %s may be in this account from before another one was connected", job.lead_id)
                    self._rows.search_first(job, now.account_id, self._fields.ensure_marker(self._client))
                    return False
                if job.account_id is None and now.account_id is not None:
                    self._rows.begun_in(job, now.account_id)
                return True
            case decisions.REQUEUE:
                self._rows.requeue(job)
            case _:
                log.warning("lead %s was begun in another account", job.lead_id)
                step = next(step.kind for step in job.steps if step.state != DONE)
                self._rows.in_another_account(job, job.amo_lead_id, _took(step, ANOTHER_ACCOUNT, now))
        return False

    def _do(self, job: Job, step: Step, now: _Now) -> None:
        match step.kind:
            case "lead":
                self._create(job, step, now)
            case "note":
                self._put_note(job, step, now)
            case "task":
                self._put_task(job, step, now)
            case "stage":
                assert now.amo_lead_id is not None  # noqa: S101 - as for what is put on it
                self._change(job, step, now, partial(leads.move, self._client, now.amo_lead_id, **step.payload))
            case "task_done":
                self._complete(job, step, now)

    def _create(self, job: Job, step: Step, now: _Now) -> None:
        now.doing = CONTACT
        self._fields.ensure_marker(self._client)
        layout = self._fields.layout()
        asked = None
        # A number that cannot exist is nobody's: under no reading of it is anybody looked up.
        if now.contact_id is None and not job.new_contact and phones.normalise(job.lead.phone) is not None:
            said = dict.fromkeys([job.lead.phone, *phones.all_of(job.lead.said.get("phone", ""))])
            now.contact_id = next(filter(None, map(self._phonebook.contact_of, said)), None)
            if now.contact_id is None:
                now.started = time.monotonic()
                phone_field_id = layout.contact_phone.get("field_id", 0)
                asked_for = (self._ask_for_contact(job, phone_field_id, one) for one in list(said)[:MOST_ASKED])
                now.contact_id = next(filter(None, asked_for), None)
                asked = _took(CONTACT, "ok", now)
        now.contact_was_known = now.contact_id is not None
        made_of = request.creation(
            job.lead,
            marker=job.lead_id,
            contact_id=now.contact_id,
            layout=layout,
            zone=self._settings.zone,
            say=words(self._settings.ui_language),
        )
        now.doing, now.places = LEAD, made_of.places
        self._on_step("looked up")
        self._rows.sending(
            job,
            contact_id=now.contact_id,
            marker_field=layout.marker_id,
            attempt=asked,
            theirs=self._client.their_time(),
        )
        self._on_step("marked as sending")
        now.writing, now.started = True, time.monotonic()
        made = leads.create_complex(
            self._client, made_of.body, subject=job.lead_id, live=job.live, may_send=self._may_send(job, now)
        )
        now.answered = True
        self._on_step("answered")
        self._record_success(job)
        if not now.contact_was_known and made.contact_id is not None:
            # The next lead of this person need not ask, nor wait for AmoCRM's search.
            self._aside(job, partial(self._phonebook.learn_own, made.contact_id, job.lead.phone))
        result = "merged" if made.merged else "ok"
        self._rows.created(job, step, made.lead_id, made.contact_id, _took(LEAD, result, now, 200, made.request_id))
        now.writing, now.answered, now.amo_lead_id = False, False, made.lead_id
        self._aside(job, partial(self._on_changed, made.lead_id))
        self._on_step("lead written down")
        if not now.contact_was_known and made.contact_id is not None:
            line = Line("contact", "contacts.create", subject=f"contact {made.contact_id}")
            self._aside(job, partial(self._journal.write, line))

    def _ask_for_contact(self, job: Job, phone_field_id: int, phone: str) -> int | None:
        """The contact with exactly this phone in its phone field; of several the one changed last. One request."""
        hits = contacts.matching(self._client, phones.search_digits(phone), live=job.live)
        self._record_success(job, by_reading=True)
        with answers.being_read("contacts.search"):
            if not all(isinstance(hit["id"], int) for hit in hits):
                raise BrokenWord("garbled", operation="contacts.search")
            same = [hit for hit in hits if has_phone(hit, phone_field_id, phone)]
            newest = max(same, key=lambda hit: (answers.whole(hit.get("updated_at")) or 0, hit["id"]), default=None)
        self._aside(job, partial(self._phonebook.learn, hits, phone_field_id))
        return newest["id"] if newest else None

    def _put_note(self, job: Job, step: Step, now: _Now) -> None:
        payload = step.payload or {}
        text = "\n".join(filter(None, [payload.get("text") or self._note_of(job, now), *payload.get("lines", [])]))
        if not text or now.amo_lead_id is None:
            self._rows.done(job, step, None, None)
            return

        def add(lead_id: int) -> tuple[int, str | None]:
            added = notes.add(self._client, lead_id, text, live=job.live, may_send=self._may_send(job, now))
            return added.note_id, added.request_id

        self._put(job, step, now, lambda lead_id: notes.with_text(self._client, lead_id, text, live=job.live), add)

    def _put_task(self, job: Job, step: Step, now: _Now) -> None:
        task = tasks.Task(**step.payload)

        def add(lead_id: int) -> tuple[int, str | None]:
            added = tasks.add(self._client, lead_id, task, live=job.live, may_send=self._may_send(job, now))
            return added.task_id, added.request_id

        self._put(job, step, now, lambda lead_id: tasks.alike(self._client, lead_id, task, live=job.live), add)

    def _put(
        self,
        job: Job,
        step: Step,
        now: _Now,
        find: Callable[[int], int | None],
        add: Callable[[int], tuple[int, str | None]],
    ) -> None:
        """Put something on the lead, once: where a try of unknown fate was before this one, look whether it is there."""
        assert now.amo_lead_id is not None  # noqa: S101 - the creating step is done, or there was a lead before
        try:
            if step.state == MAYBE_SENT:
                now.started = time.monotonic()
                known = find(now.amo_lead_id)
                self._record_success(job, by_reading=True)
                if known is not None:
                    self._rows.done(job, step, known, _took(step.kind, "ok", now))
                    return
            self._rows.unsure(job, step)
            self._on_step(f"{step.kind} on its way")
            now.writing, now.started = True, time.monotonic()
            made_id, request_id = add(now.amo_lead_id)
            now.answered = True
            self._record_success(job)
            self._on_step(f"{step.kind} answered")
            self._rows.done(job, step, made_id, _took(step.kind, "ok", now, 200, request_id))
            self._aside(job, partial(self._on_changed, now.amo_lead_id))
        except DeskError as error:
            self._is_thrown_away(job, step, now, error)
        now.writing, now.answered = False, False

    def _complete(self, job: Job, step: Step, now: _Now) -> None:
        """The task an earlier delivery has put is done. Where it has put none there is nothing to complete."""
        task_id = self._rows.made_by(step.payload["of"], TASK)
        if task_id is None:
            self._rows.done(job, step, None, None)
            return
        if self._rows.account_of(step.payload["of"]) not in (None, now.account_id):
            # Its number is another task's here.
            self._rows.done(job, step, None, _took(step.kind, ANOTHER_ACCOUNT, now))
            return
        self._change(job, step, now, partial(tasks.complete, self._client, task_id, step.payload["text"]))

    def _change(self, job: Job, step: Step, now: _Now, change: Callable[..., str | None]) -> None:
        """Something that done twice is done once."""
        try:
            now.writing, now.started = True, time.monotonic()
            request_id = change(live=job.live, may_send=self._may_send(job, now))
            now.answered = True
            self._record_success(job)
            self._on_step(f"{step.kind} answered")
            self._rows.done(job, step, None, _took(step.kind, "ok", now, 200, request_id))
            if now.amo_lead_id is not None:
                self._aside(job, partial(self._on_changed, now.amo_lead_id))
        except DeskError as error:
            self._is_thrown_away(job, step, now, error)
        now.writing, now.answered = False, False

    def _is_thrown_away(self, job: Job, step: Step, now: _Now, error: DeskError) -> None:
        """Somebody has thrown the lead away in AmoCRM. One we made has arrived, and there is nothing to put things on.

        What was to be said of a lead that was there before has not arrived anywhere: that goes to a person.
        """
        if now.answered or not decisions.is_thrown_away(error):
            raise error
        if step.kind != TASK_DONE and (not job.makes_a_lead or self._is_there(job)):
            raise error
        self._rows.done(job, step, None, _failure(step.kind, error, now))

    def _is_there(self, job: Job) -> bool:
        """Whether a lead that AmoCRM just denied is there after all. One it made a moment ago it may not see itself yet."""
        return job.amo_lead_id is None or leads.exists(self._client, job.amo_lead_id, live=job.live)

    def _note_of(self, job: Job, now: _Now) -> str:
        return request.note(
            job.lead,
            job.consent,
            contact_was_known=now.contact_was_known,
            layout=self._fields.layout(),
            zone=self._settings.zone,
            say=words(self._settings.ui_language),
        )

    def _settle(self, job: Job, raised: Exception, now: _Now) -> None:
        """Write down what an error means for this lead and for all others, whatever error it is."""
        error = decisions.as_fault(raised)
        if now.answered and not isinstance(error, OwnFault):
            error = OwnFault(decisions.DESK_FAILED)  # by its kind it would say that nothing was carried out
        if isinstance(error, OwnFault):
            log.error("lead %s made the desk stumble: %s", job.lead_id, places(raised))
        elif decisions.is_strange(error.code):
            log.error("lead %s met a strange failure: %s", job.lead_id, error)
        try:
            follows = self._write_down(job, error, now)
        except LeaseLost:
            log.warning("lead %s was taken over by another worker", job.lead_id)
            return
        except Exception as another:
            log.error("lead %s, writing down what became of it: %s", job.lead_id, places(another))
            self._write_down_plainly(job, decisions.as_fault(another), now)
            return
        self._on_step("error written down")
        if follows.forget == "fields":
            # Where that fails now, the next try will tell.
            self._aside(job, partial(self._fields.refresh, self._client, live=False))

    def _write_down(self, job: Job, error: DeskError, now: _Now) -> decisions.Next:
        at = Situation(
            now.doing,
            job.failures + 1,
            job.trying_s,
            job.stumbles + 1 if isinstance(error, OwnFault) else 0,
            job.reason,
            contact_was_known=now.contact_was_known,
            others_got_through=error.code in decisions.PERHAPS_ITS_OWN
            and self._rows.others_got_through(job, now.doing),
            own_lead=job.makes_a_lead,
            has_left=now.writing,
        )
        follows = decisions.after(error, at, random.random())  # noqa: S311 - a jitter
        undone = not now.writing or decisions.fate_of(error) != decisions.NOBODY_KNOWS
        if follows.forget == "contact" and now.contact_id is not None:
            self._phonebook.forget(now.contact_id)
        if now.doing in (NOTE, TASK) and not undone:
            follows = decisions.Next(follows.state, max(follows.pause_s, MAYBE_SENT_PAUSE_S))
        self._on_step("error in hand")
        self._rows.failed(
            job,
            now.step if now.writing else None,
            follows,
            error,
            _failure(now.doing, error, now),
            refusals=request.named(error.refusals, now.places),
            undone=undone,
        )
        return follows

    def _write_down_plainly(self, job: Job, fault: DeskError, now: _Now) -> None:
        """The same when it could not be done as it should: nothing is asked or forgotten, and what may have left has left."""
        stumbles = job.stumbles + 1
        at = Situation(now.doing, job.failures + 1, job.trying_s, stumbles, has_left=now.writing)
        fault = OwnFault(fault.code if fault.code in decisions.OWN_FAULTS else decisions.DESK_FAILED)
        try:
            self._rows.failed(
                job,
                now.step if now.writing else None,
                decisions.after(fault, at, 0.5),
                fault,
                Attempt(now.doing, fault.code),
                undone=not now.writing,
            )
        except LeaseLost:
            log.warning("lead %s was taken over by another worker", job.lead_id)

    def _aside(self, job: Job, do: Callable[[], object]) -> None:
        """Do something that is of use to others and no part of this lead's way: where it fails, the lead goes on."""
        try:
            do()
        except Exception as error:
            log.error("lead %s, beside its way: %s", job.lead_id, places(error))

    def _record_success(self, job: Job, *, by_reading: bool = False) -> None:
        """AmoCRM has answered: the lead gets on, and if it was the one that tried for all, the queue goes on."""
        self._heart.gets_on(job.lead_id, job.lease)
        if job.tries_for_all:
            self._rows.go_on(by_reading=by_reading)

    def _may_send(self, job: Job, now: _Now) -> Callable[[], bool]:
        """Asked right before a write leaves: the lead is ours, and the account is the one that all its ids are of."""
        return lambda: (
            self._heart.still_holds(job.lead_id, job.lease) and self._connection.known_account_id() == now.account_id
        )


def _took(step: str, result: str, now: _Now, status: int | None = None, request_id: str | None = None) -> Attempt:
    return Attempt(step, result, status, round((time.monotonic() - now.started) * 1000), request_id)


def _failure(step: str, error: DeskError, now: _Now) -> Attempt:
    return _took(step, error.code, now, error.status, error.request_id)

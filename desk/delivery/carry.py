"""One lead's way into AmoCRM, step by step: contact, lead, note, and what was agreed on the phone: stage, task.

At most one request a step and one for the contact, none for that where the phonebook knows.

Before a write leaves it is written down that it may have happened, and after it what has: whoever goes on, after an error
or a kill, begins at the first step that is not done.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from functools import partial

from crm import answers, contacts, leads, notes, tasks
from crm.errors import BrokenWord, DeskError, OwnFault
from crm.journal import Line
from desk import phones
from desk.delivery import decisions, request
from desk.delivery.decisions import ANOTHER_ACCOUNT, CONTACT, LEAD, NOTE, TASK, TASK_DONE, Situation
from desk.delivery.job import DONE, MAYBE_SENT, Attempt, Job, LeaseLost, Step
from desk.delivery.pause import Pause
from desk.delivery.record import Record
from desk.delivery.run import Run
from desk.delivery.tools import Tools
from desk.delivery.worker import Heart
from desk.fields import Layout
from desk.phonebook import MOST_ASKED, has_phone
from desk.places import places
from desk.words import words

MAYBE_SENT_PAUSE_S = 15.0
"""Pause before looking whether a note or task of unknown fate is there: AmoCRM may carry the request out a moment after the line
was cut."""

log = logging.getLogger(__name__)


class Carrier:
    """Carries leads over. Thread-safe."""

    def __init__(self, tools: Tools, record: Record, pause: Pause, heart: Heart) -> None:
        self._record, self._pause, self._heart = record, pause, heart
        self._client, self._connection, self._fields = tools.client, tools.connection, tools.fields
        self._phonebook, self._journal, self._settings = tools.phonebook, tools.journal, tools.settings
        self._on_step, self._on_changed = tools.on_step, tools.on_changed

    def carry(self, job: Job) -> None:
        """Do the steps left to do for a lead. Whatever happens, the record says how far the lead has got.

        Raises only what keeps even that from being written down: then the lease ends by its time, which counts as a failure.
        """
        run = Run.of(job)
        with self._heart.holding(job.lead_id, job.lease, tries_for_all=job.tries_for_all):
            try:
                self._do_steps(run)
            except LeaseLost:
                log.warning("lead %s was taken over by another worker", job.lead_id)
            except Exception as error:
                self._settle(run, error)

    def _do_steps(self, run: Run) -> None:
        self._on_step("taken")
        if not self._is_of_this_account(run):
            return
        for step in run.job.steps:
            if step.state != DONE:
                run.step, run.doing = step, step.kind
                self._do(run, step)
        self._record.delivered(run.job)
        self._on_step("delivered")

    def _is_of_this_account(self, run: Run) -> bool:
        """Whether the lead's ids are of the connected account. If not, the consequence is written down."""
        job = run.job
        ask = self._connection.account_id_or_none if job.account_id is None else self._connection.ask_account_id
        run.account_id = ask()
        match decisions.in_account(
            job.account_id,
            run.account_id,
            is_there=job.amo_lead_id is not None,
            may_be_there=False,  # such a lead is searched for, and not carried
            todo=job.todo,
        ):
            case decisions.GO_ON:
                if run.account_id is not None and run.account_id in job.maybe_in and LEAD in job.todo:
                    log.warning("lead %s may be in this account from before another one was connected", job.lead_id)
                    self._record.search_first(job, run.account_id, self._fields.ensure_marker(self._client))
                    return False
                if job.account_id is None and run.account_id is not None:
                    self._record.begun_in(job, run.account_id)
                return True
            case decisions.REQUEUE:
                self._record.requeue(job)
            case _:
                log.warning("lead %s was begun in another account", job.lead_id)
                step = next(step.kind for step in job.steps if step.state != DONE)
                self._record.in_another_account(job, job.amo_lead_id, run.took(step, ANOTHER_ACCOUNT))
        return False

    def _do(self, run: Run, step: Step) -> None:
        match step.kind:
            case "lead":
                self._create(run, step)
            case "note":
                self._put_note(run, step)
            case "task":
                self._put_task(run, step)
            case "stage":
                assert run.amo_lead_id is not None  # noqa: S101 - as for what is put on it
                self._write_again(run, step, partial(leads.move, self._client, run.amo_lead_id, **step.payload))
            case "task_done":
                self._complete_task(run, step)

    # The contact and the lead

    def _create(self, run: Run, step: Step) -> None:
        run.doing = CONTACT
        self._fields.ensure_marker(self._client)
        layout = self._fields.layout()
        asked = self._find_contact(run, layout)
        run.contact_was_known = run.contact_id is not None
        made_of = request.creation(
            run.job.lead,
            marker=run.job.lead_id,
            contact_id=run.contact_id,
            layout=layout,
            zone=self._settings.zone,
            say=words(self._settings.ui_language),
        )
        run.doing, run.places = LEAD, made_of.places
        self._on_step("looked up")
        self._record.sending(
            run.job,
            contact_id=run.contact_id,
            marker_field=layout.marker_id,
            attempt=asked,
            theirs=self._client.their_time(),
        )
        self._on_step("marked as sending")
        run.begin_request(writing=True)
        made = leads.create_complex(
            self._client, made_of.body, subject=run.job.lead_id, live=run.job.live, may_send=self._may_send(run)
        )
        run.answered = True
        self._note_created(run, step, made)

    def _note_created(self, run: Run, step: Step, made: leads.Created) -> None:
        """Write down the success of the creating request, and make the new lead and contact known in the desk."""
        self._on_step("answered")
        self._record_success(run)
        new_contact_id = None if run.contact_was_known else made.contact_id
        if new_contact_id is not None:
            # The next lead of this person need not ask, nor wait for AmoCRM's search.
            self._best_effort(run, partial(self._phonebook.learn_own, new_contact_id, run.job.lead.phone))
        attempt = run.took(LEAD, "merged" if made.merged else "ok", 200, made.request_id)
        self._record.created(run.job, step, made.lead_id, made.contact_id, attempt)
        run.end_write()
        run.amo_lead_id = made.lead_id
        self._best_effort(run, partial(self._on_changed, made.lead_id))
        self._on_step("lead written down")
        if new_contact_id is not None:
            line = Line("contact", "contacts.create", subject=f"contact {new_contact_id}")
            self._best_effort(run, partial(self._journal.write, line))

    def _find_contact(self, run: Run, layout: Layout) -> Attempt | None:
        """Look up the contact of the lead's phones; the line for the history, None if AmoCRM was not asked.

        The phonebook is asked first. A number that cannot exist is nobody's: under no reading of it is anybody looked up.
        """
        job = run.job
        if run.contact_id is not None or job.new_contact or phones.normalise(job.lead.phone) is None:
            return None
        said = dict.fromkeys([job.lead.phone, *phones.all_of(job.lead.said.get("phone", ""))])
        run.contact_id = next(filter(None, map(self._phonebook.contact_of, said)), None)
        if run.contact_id is not None:
            return None
        run.begin_request()
        phone_field_id = layout.contact_phone.get("field_id", 0)
        asked_for = (self._ask_for_contact(run, phone_field_id, phone) for phone in list(said)[:MOST_ASKED])
        run.contact_id = next(filter(None, asked_for), None)
        return run.took(CONTACT, "ok")

    def _ask_for_contact(self, run: Run, phone_field_id: int, phone: str) -> int | None:
        """The contact with exactly the given phone in its phone field; of several the last changed. One request."""
        hits = contacts.matching(self._client, phones.search_digits(phone), live=run.job.live)
        self._record_success(run, by_reading=True)
        with answers.being_read("contacts.search"):
            if not all(isinstance(hit["id"], int) for hit in hits):
                raise BrokenWord("garbled", operation="contacts.search")
            same = [hit for hit in hits if has_phone(hit, phone_field_id, phone)]
            newest = max(same, key=lambda hit: (answers.whole(hit.get("updated_at")) or 0, hit["id"]), default=None)
        self._best_effort(run, partial(self._phonebook.learn, hits, phone_field_id))
        return newest["id"] if newest else None

    # What is put on the lead

    def _put_note(self, run: Run, step: Step) -> None:
        payload, live = step.payload or {}, run.job.live
        text = "\n".join(filter(None, [payload.get("text") or self._note_of(run), *payload.get("lines", [])]))
        if not text or run.amo_lead_id is None:
            self._record.done(run.job, step, None, None)
            return

        def add(lead_id: int) -> tuple[int, str | None]:
            added = notes.add(self._client, lead_id, text, live=live, may_send=self._may_send(run))
            return added.note_id, added.request_id

        self._put_once(run, step, lambda lead_id: notes.with_text(self._client, lead_id, text, live=live), add)

    def _put_task(self, run: Run, step: Step) -> None:
        task, live = tasks.Task(**step.payload), run.job.live

        def add(lead_id: int) -> tuple[int, str | None]:
            added = tasks.add(self._client, lead_id, task, live=live, may_send=self._may_send(run))
            return added.task_id, added.request_id

        self._put_once(run, step, lambda lead_id: tasks.alike(self._client, lead_id, task, live=live), add)

    def _put_once(
        self, run: Run, step: Step, find: Callable[[int], int | None], add: Callable[[int], tuple[int, str | None]]
    ) -> None:
        """Put a note or task on the lead, once: after a try of unknown fate, look first whether AmoCRM has the note or task."""
        assert run.amo_lead_id is not None  # noqa: S101 - the creating step is done, or there was a lead before
        try:
            if step.state == MAYBE_SENT:
                run.begin_request()
                known = find(run.amo_lead_id)
                self._record_success(run, by_reading=True)
                if known is not None:
                    self._record.done(run.job, step, known, run.took(step.kind, "ok"))
                    return
            self._record.maybe_sent(run.job, step)
            self._on_step(f"{step.kind} on its way")
            run.begin_request(writing=True)
            made_id, request_id = add(run.amo_lead_id)
            run.answered = True
            self._record_success(run)
            self._on_step(f"{step.kind} answered")
            self._record.done(run.job, step, made_id, run.took(step.kind, "ok", 200, request_id))
            self._best_effort(run, partial(self._on_changed, run.amo_lead_id))
        except DeskError as error:
            self._end_if_thrown_away(run, step, error)
        run.end_write()

    def _complete_task(self, run: Run, step: Step) -> None:
        """Complete the task put by an earlier delivery, if any."""
        task_id = self._record.made_by(step.payload["of"], TASK)
        if task_id is None:
            self._record.done(run.job, step, None, None)
            return
        if self._record.account_of(step.payload["of"]) not in (None, run.account_id):
            # Its number is another task's here.
            self._record.done(run.job, step, None, run.took(step.kind, ANOTHER_ACCOUNT))
            return
        self._write_again(run, step, partial(tasks.complete, self._client, task_id, step.payload["text"]))

    def _write_again(self, run: Run, step: Step, change: Callable[..., str | None]) -> None:
        """Run an idempotent write: repeating does no harm, so no look comes before."""
        try:
            run.begin_request(writing=True)
            request_id = change(live=run.job.live, may_send=self._may_send(run))
            run.answered = True
            self._record_success(run)
            self._on_step(f"{step.kind} answered")
            self._record.done(run.job, step, None, run.took(step.kind, "ok", 200, request_id))
            if run.amo_lead_id is not None:
                self._best_effort(run, partial(self._on_changed, run.amo_lead_id))
        except DeskError as error:
            self._end_if_thrown_away(run, step, error)
        run.end_write()

    def _end_if_thrown_away(self, run: Run, step: Step, error: DeskError) -> None:
        """End a step whose lead a person has thrown away in AmoCRM; raise any other error again.

        A lead that we made has arrived, and there is nothing to put things on. What was to be said of a lead that was there
        before has not arrived anywhere: that goes to a person.
        """
        if run.answered or not decisions.is_thrown_away(error):
            raise error
        if step.kind != TASK_DONE and (not run.job.makes_a_lead or self._is_there(run.job)):
            raise error
        self._record.done(run.job, step, None, run.failure(step.kind, error))

    def _is_there(self, job: Job) -> bool:
        """Whether a lead just denied by AmoCRM exists after all: AmoCRM may not see yet a lead made a moment ago."""
        return job.amo_lead_id is None or leads.exists(self._client, job.amo_lead_id, live=job.live)

    def _note_of(self, run: Run) -> str:
        return request.note(
            run.job.lead,
            run.job.consent,
            contact_was_known=run.contact_was_known,
            layout=self._fields.layout(),
            zone=self._settings.zone,
            say=words(self._settings.ui_language),
        )

    # Errors

    def _settle(self, run: Run, raised: Exception) -> None:
        """Write down the consequences of any error, for the lead and for the whole queue."""
        job, error = run.job, decisions.as_fault(raised)
        if run.answered and not isinstance(error, OwnFault):
            error = OwnFault(decisions.DESK_FAILED)  # by its kind it would say that nothing was carried out
        if isinstance(error, OwnFault):
            log.error("lead %s made the desk stumble: %s", job.lead_id, places(raised))
        elif decisions.is_strange(error.code):
            log.error("lead %s met a strange failure: %s", job.lead_id, error)
        try:
            follows = self._write_down(run, error)
        except LeaseLost:
            log.warning("lead %s was taken over by another worker", job.lead_id)
            return
        except Exception as another:
            log.error("lead %s, writing down what became of it: %s", job.lead_id, places(another))
            self._write_down_plainly(run, decisions.as_fault(another))
            return
        self._on_step("error written down")
        if follows.forget == "fields":
            # If that fails now, the next try will tell.
            self._best_effort(run, partial(self._fields.refresh, self._client, live=False))

    def _write_down(self, run: Run, error: DeskError) -> decisions.Next:
        job = run.job
        at = Situation(
            run.doing,
            job.failures + 1,
            job.trying_s,
            job.stumbles + 1 if isinstance(error, OwnFault) else 0,
            job.reason,
            contact_was_known=run.contact_was_known,
            others_got_through=error.code in decisions.PERHAPS_ITS_OWN
            and self._record.others_got_through(job, run.doing),
            own_lead=job.makes_a_lead,
            has_left=run.writing,
        )
        follows = decisions.after(error, at, random.random())  # noqa: S311 - a jitter
        undone = not run.writing or decisions.fate_of(error) != decisions.NOBODY_KNOWS
        if follows.forget == "contact" and run.contact_id is not None:
            self._phonebook.forget(run.contact_id)
        if run.doing in (NOTE, TASK) and not undone:
            follows = decisions.Next(follows.state, max(follows.pause_s, MAYBE_SENT_PAUSE_S))
        self._on_step("error in hand")
        self._record.failed(
            job,
            run.step if run.writing else None,
            follows,
            error,
            run.failure(run.doing, error),
            refusals=request.named(error.refusals, run.places),
            undone=undone,
        )
        return follows

    def _write_down_plainly(self, run: Run, fault: DeskError) -> None:
        """Write down a failure in the plainest way, after `_write_down` has failed.

        No question is asked, nothing known is forgotten, and a request that may have left is taken as having left."""
        job, stumbles = run.job, run.job.stumbles + 1
        at = Situation(run.doing, job.failures + 1, job.trying_s, stumbles, has_left=run.writing)
        fault = OwnFault(fault.code if fault.code in decisions.OWN_FAULTS else decisions.DESK_FAILED)
        try:
            self._record.failed(
                job,
                run.step if run.writing else None,
                decisions.after(fault, at, 0.5),
                fault,
                Attempt(run.doing, fault.code),
                undone=not run.writing,
            )
        except LeaseLost:
            log.warning("lead %s was taken over by another worker", job.lead_id)

    def _best_effort(self, run: Run, do: Callable[[], object]) -> None:
        """Run an extra that is no part of the lead's way: if the extra fails, the lead goes on."""
        try:
            do()
        except Exception as error:
            log.error("lead %s, beside its way: %s", run.job.lead_id, places(error))

    def _record_success(self, run: Run, *, by_reading: bool = False) -> None:
        """Note an answer of AmoCRM: the lead gets on, and a lead trying for all lifts the pause."""
        self._heart.gets_on(run.job.lead_id, run.job.lease)
        if run.job.tries_for_all:
            self._pause.lift(by_reading=by_reading)

    def _may_send(self, run: Run) -> Callable[[], bool]:
        """The question asked right before a write leaves: is the lead still ours, and is the account of its ids still connected?"""
        return lambda: (
            self._heart.still_holds(run.job.lead_id, run.job.lease)
            and self._connection.stored_account_id() == run.account_id
        )

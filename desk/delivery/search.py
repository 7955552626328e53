"""Leads of unknown fate: AmoCRM is searched for our marker, for all such leads in a single walk.

The walk reads the leads made in the time in question, because such a list shows what was just written, while AmoCRM's
full text may lag. Where the list cannot be trusted (AmoCRM ignores what it does not know), the full text is asked for each
marker instead; before a lead is called absent, both have been looked at.

An answer that is not what was asked for shows nothing. What goes wrong at one lead is that lead's failure: where a search for
several fails for a reason nobody foresaw, each is searched for alone.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from crm import answers, leads, walk
from crm.errors import BrokenWord, DeskError, NotSent, OwnFault
from desk.delivery import decisions
from desk.delivery.decisions import SEARCH
from desk.delivery.job import Attempt, LeaseLost, Lost
from desk.delivery.pause import Pause
from desk.delivery.queue import Queue
from desk.delivery.record import Record
from desk.delivery.request import lead_name
from desk.delivery.tools import Tools
from desk.delivery.worker import Heart
from desk.field_values import filled_in
from desk.lead import NewLead
from desk.phonebook import has_phone
from desk.places import places
from desk.words import words
from store import clock

BATCH = 100
"""Leads searched for in a single walk."""

MOST_PAGES = 20
"""Pages of a walk. A club makes a hundred leads a week; with thousands in an hour, markers are asked for singly."""

NO_ANSWER = frozenset({"filter_ignored", "same_page", "garbled"})
"""Codes of answers to a different question: such an answer shows nothing, and the full text can be asked instead."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Seen:
    """The finds of a search, by our lead ids. `marked`: AmoCRM lead and its contact; `alike`: same phone and name."""

    marked: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)
    alike: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)
    failed: dict[str, BrokenWord] = field(default_factory=dict)  # what could not be asked for one of them
    whole_since: float = math.inf  # all leads made since then were read, by AmoCRM's clock; unix seconds


class Search:
    """Settles the fate of lost leads. Thread-safe."""

    def __init__(self, tools: Tools, queue: Queue, record: Record, pause: Pause, heart: Heart) -> None:
        self._queue, self._record, self._pause, self._heart = queue, record, pause, heart
        self._client, self._connection, self._fields = tools.client, tools.connection, tools.fields
        self._phonebook, self._settings, self._on_changed = tools.phonebook, tools.settings, tools.on_changed

    def look(self) -> int:
        """Search for all due leads; return their number. One request for each 250 leads of the time in question."""
        lost = self._queue.take_lost(BATCH)
        if not lost:
            return 0
        with ExitStack() as held:
            for one in lost:
                held.enter_context(self._heart.holding(one.lead_id, one.lease))
            self._look_for(lost)
        return len(lost)

    def _look_for(self, lost: list[Lost]) -> None:
        """Search for several leads at once; after an unforeseen error, for each alone."""
        started = time.monotonic()
        try:
            is_needed = any(one.account_id for one in lost)
            account_id = self._connection.ask_account_id() if is_needed else self._connection.account_id_or_none()
            lost = self._of_this_account(lost, account_id, started)
            if not lost:
                return
            lost = self._without_deleted_markers(lost)
            seen = self._search(lost)
            if self._connection.stored_account_id() != account_id:
                raise NotSent("too_late_to_send")  # what was read may be of two accounts, and shows nothing
            self._pause.lift(by_reading=True)
        except Exception as error:
            fault = decisions.as_fault(error)
            if isinstance(fault, OwnFault):
                log.error("a search made the desk stumble: %s", places(error))
            if isinstance(fault, OwnFault) and len(lost) > 1:
                for one in lost:
                    self._look_for([one])
            else:
                self._write_down_failure(lost, fault, started)
            return
        for one in lost:
            try:
                if one.lead_id in seen.failed:
                    raise seen.failed[one.lead_id]
                self._conclude(one, seen, started)
            except Exception as error:
                log.error("lead %s could not be concluded: %s", one.lead_id, places(error))
                self._write_down_failure([one], decisions.as_fault(error), started)

    def _note_progress(self, lost: Iterable[Lost]) -> None:
        """Note an answer of AmoCRM: the leads of the search are not stuck."""
        for one in lost:
            self._heart.gets_on(one.lead_id, one.lease)

    def _of_this_account(self, lost: Sequence[Lost], account_id: int | None, started: float) -> list[Lost]:
        """The leads whose request went to the connected account. About the rest a person decides: a look here would show nothing."""
        here = []
        for one in lost:
            follows = decisions.in_account(
                one.account_id, account_id, is_there=False, may_be_there=True, todo=(decisions.LEAD,)
            )
            if follows == decisions.GO_ON:
                here.append(one)
                continue
            log.warning("lead %s was begun in another account", one.lead_id)
            took_ms = round((time.monotonic() - started) * 1000)
            try:
                self._record.in_another_account(one, None, Attempt(SEARCH, decisions.ANOTHER_ACCOUNT, None, took_ms))
            except LeaseLost:
                log.warning("lead %s was taken over by another worker", one.lead_id)
        return here

    def _without_deleted_markers(self, lost: list[Lost]) -> list[Lost]:
        """The leads as given, without the markers whose field has been deleted since.

        Asked before a look that may lead to sending again: every marker goes with its field. Two requests then.
        """
        if not any(one.marker_field is not None and _is_last(one) for one in lost):
            return lost
        self._fields.refresh(self._client, live=any(one.live for one in lost))
        there = {known.id for known in self._fields.known("leads")}
        return [one if one.marker_field in there else replace(one, marker_field=None) for one in lost]

    def _learn_contact(self, one: Lost, contact_id: int | None) -> None:
        """Learn the contact made with a lead: the person's next lead must not make a second contact."""
        if contact_id is not None and self._phonebook.contact_of(one.phone) is None:
            self._phonebook.learn_own(contact_id, one.phone)

    def _search(self, lost: Sequence[Lost]) -> _Seen:
        seen = _Seen()
        try:
            seen.whole_since = self._walk(lost, seen)
        except BrokenWord as error:
            if error.code not in NO_ANSWER:
                raise
        for one in lost:
            if one.marker_field is None or one.lead_id in seen.marked:
                continue
            if _is_last(one) or not self._by_list(one, seen):
                try:
                    self._ask_by_text(one, seen)
                except BrokenWord as error:
                    if error.code not in NO_ANSWER:
                        raise
                    seen.failed[one.lead_id] = error
                self._note_progress(lost)
        return seen

    def _ask_by_text(self, one: Lost, seen: _Seen) -> None:
        hits = leads.matching(self._client, one.lead_id, live=one.live)
        with answers.being_read("leads.search"):
            _note_marked(hits, {one.lead_id}, seen)
            is_asked_for = not hits or any(one.lead_id in str(hit) for hit in hits)
        if not is_asked_for:  # found by a text that stands nowhere in it
            raise BrokenWord("filter_ignored", operation="leads.search", retryable=False)

    def _by_list(self, one: Lost, seen: _Seen) -> bool:
        """Whether the list was read far enough to show the lead."""
        return self._since(one) >= seen.whole_since

    def _walk(self, lost: Sequence[Lost], seen: _Seen) -> float:
        """Read the leads made while the requests were out; return the time since which all were read, by AmoCRM's clock."""
        since, until = min(map(self._since, lost)), max(map(self._until, lost))
        last, in_order = math.inf, True
        wanted = {one.lead_id for one in lost if one.marker_field is not None}
        unmarked = [one for one in lost if one.marker_field is None]
        pages = leads.created_between(
            self._client,
            int(since),
            int(until),
            live=any(one.live for one in lost),
            ordered=False,
        )
        for number, page in enumerate(pages):
            if number >= MOST_PAGES:
                return last + 1 if in_order else math.inf
            self._note_progress(lost)
            times = [float(answers.number(lead.get("created_at"))) for lead in page]
            in_order = in_order and [last, *times] == sorted([last, *times], reverse=True)
            last = min([last, *times])
            with answers.being_read("leads.list"):
                _note_marked(page, wanted, seen)
                same_name = self._of_same_name(page, unmarked)
            self._note_alike(same_name, unmarked, seen)
            if not unmarked and wanted <= seen.marked.keys():
                break
        return -math.inf

    def _since(self, one: Lost) -> float:
        """The earliest time at which a lead's request can have been carried out, by AmoCRM's clock; unix seconds."""
        sent_s, now_s, ahead_s = self._clocks(one)
        return decisions.searched_from(sent_s, now_s, theirs_s=one.sent_theirs, ahead_s=ahead_s, is_last=_is_last(one))

    def _until(self, one: Lost) -> float:
        sent_s, now_s, ahead_s = self._clocks(one)
        return decisions.searched_to(sent_s, now_s, ahead_s=ahead_s)

    def _clocks(self, one: Lost) -> tuple[float, float, float]:
        """The time of sending, the time now, and the seconds by which our clock is ahead of AmoCRM's."""
        now_s, theirs_s = clock.unix(), self._client.their_time()
        return one.sent_at.timestamp(), now_s, self._connection.skew_s() if theirs_s is None else now_s - theirs_s

    def _name_in_amocrm(self, one: Lost) -> str:
        """The name of a lead of ours in AmoCRM."""
        return lead_name(NewLead(one.name, one.phone, one.direction), words(self._settings.ui_language))

    def _of_same_name(self, page: Sequence[Mapping[str, Any]], unmarked: Sequence[Lost]) -> list[Mapping[str, Any]]:
        names = {self._name_in_amocrm(one) for one in unmarked}
        return [lead for lead in page if isinstance(lead.get("name"), str) and lead["name"] in names]

    def _note_alike(self, same_name: Sequence[Mapping[str, Any]], unmarked: Sequence[Lost], seen: _Seen) -> None:
        """Note leads with the name and phone of a lead without a marker, unless such a lead is known as ours already."""
        if not same_name:
            return
        ours = self._record.taken_ids([lead["id"] for lead in same_name])
        linked = {one for lead in same_name for one in leads.contact_ids(lead)}
        people = {contact["id"]: contact for contact in walk.by_ids(self._client, walk.CONTACTS, linked, live=True)}
        phone_field = self._fields.layout().contact_phone.get("field_id", 0)
        with answers.being_read("contacts.list"):
            for lead in same_name:
                known = [one for one in leads.contact_ids(lead) if one in people]
                for one in unmarked:
                    theirs = (known_id for known_id in known if has_phone(people[known_id], phone_field, one.phone))
                    contact_id = next(theirs, None)
                    is_free = lead["id"] not in ours and lead["id"] not in one.ruled_out
                    if self._name_in_amocrm(one) == lead["name"] and contact_id is not None and is_free:
                        seen.alike.setdefault(one.lead_id, []).append((lead["id"], contact_id))

    def _conclude(self, one: Lost, seen: _Seen, started: float) -> None:
        marked, alike = dict(seen.marked.get(one.lead_id, [])), dict(seen.alike.get(one.lead_id, []))
        verdict = decisions.after_look(
            sorted(marked),
            sorted(alike),
            since_s=one.since_s,
            sends=one.sends,
            reason=one.reason,
            by_list=self._by_list(one, seen),
            has_marker=one.marker_field is not None,
        )
        if len(marked) > 1:
            log.error("lead %s is in AmoCRM more than once: %s", one.lead_id, sorted(marked))
        attempt = Attempt(SEARCH, verdict.what, None, round((time.monotonic() - started) * 1000))
        try:
            match verdict.what:
                case "found" if verdict.lead_id is not None:
                    contact_id = (marked | alike)[verdict.lead_id]
                    self._best_effort(partial(self._learn_contact, one, contact_id))
                    self._record.found(one, verdict.lead_id, contact_id, attempt)
                    self._best_effort(partial(self._on_changed, verdict.lead_id))
                case "look again":
                    self._record.not_found(one, decisions.next_look(one.since_s), attempt)
                case "send again":
                    self._record.absent(one, attempt)
                case _:
                    self._record.cannot_tell(one, verdict.candidates, attempt)
        except LeaseLost:
            log.warning("lead %s was taken over by another worker", one.lead_id)

    def _write_down_failure(self, lost: Iterable[Lost], error: DeskError, started: float) -> None:
        """Write down a failed search, which shows nothing: search again, ever less often; in the end a person has to look.

        Raises only what keeps even that from being written down.
        """
        affects_all = decisions.affects_whole_queue(error)
        if affects_all:
            self._pause.impose(error)
        if decisions.is_strange(error.code):
            log.error("a search met a strange failure: %s", error)
        took_ms = round((time.monotonic() - started) * 1000)
        for one in lost:
            attempt = Attempt(SEARCH, error.code, error.status, took_ms, error.request_id)
            stumbles = one.stumbles + 1 if isinstance(error, OwnFault) else 0
            pause_s = decisions.after_failed_look(error, one.failures + 1, one.trying_s, stumbles)
            try:
                if pause_s is None:
                    self._record.cannot_tell(one, (), attempt, reason=error.code)
                else:
                    self._record.could_not_look(one, pause_s, attempt, is_own=not affects_all)
            except LeaseLost:
                log.warning("lead %s was taken over by another worker", one.lead_id)

    def _best_effort(self, do: Callable[[], object]) -> None:
        """Run an extra: if the extra fails, a found lead stays found."""
        try:
            do()
        except Exception as error:
            log.error("beside a search: %s", places(error))


def _note_marked(page: Iterable[Mapping[str, Any]], wanted: set[str], seen: _Seen) -> None:
    """Note the leads of a page that carry any of the markers, in any field: no other text is like a marker."""
    for lead in page:
        for marker in {text for _, texts in filled_in(lead) for text in texts} & wanted:
            seen.marked.setdefault(marker, []).append((lead["id"], leads.main_contact(lead)))


def _is_last(one: Lost) -> bool:
    return decisions.is_last_look(one.since_s, one.reason)

"""Leads of which nobody knows whether they arrived: AmoCRM is searched for our marker, all of them in one walk.

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

from crm import answers, contacts, leads
from crm.client import Client
from crm.connection import Connection
from crm.errors import BrokenWord, DeskError, NotSent, OwnFault, places
from desk.delivery import decisions
from desk.delivery.decisions import SEARCH
from desk.delivery.request import lead_name
from desk.delivery.rows import Attempt, LeaseLost, Lost, Rows
from desk.delivery.worker import Heart
from desk.field_values import filled_in
from desk.fields import FieldMap
from desk.lead import NewLead
from desk.phonebook import Phonebook, has_phone
from desk.settings import Settings
from desk.words import words
from store import clock

BATCH = 100
"""Leads searched for in one walk."""

MOST_PAGES = 20
"""Of a walk. A club makes a hundred leads a week; where there are thousands in an hour, markers are asked for one by one."""

NO_ANSWER = frozenset({"filter_ignored", "same_page", "garbled"})
"""What comes is not what was asked for: it shows nothing, and something else can be asked."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Seen:
    """What a search has come upon, by our lead ids. `marked`: AmoCRM lead and its contact; `alike`: same phone and name."""

    marked: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)
    alike: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)
    failed: dict[str, BrokenWord] = field(default_factory=dict)  # what could not be asked for one of them
    whole_since: float = math.inf  # all leads made since then were read, by AmoCRM's clock; unix seconds


class Search:
    """Finds out what became of them. Thread-safe."""

    def __init__(
        self,
        rows: Rows,
        heart: Heart,
        client: Client,
        connection: Connection,
        fields: FieldMap,
        phonebook: Phonebook,
        settings: Settings,
        tell: Callable[[int], object] = lambda lead_id: None,
    ) -> None:
        """`tell`: a lead of ours turned out to be in AmoCRM."""
        self._rows, self._heart, self._client, self._fields = rows, heart, client, fields
        self._phonebook, self._settings = phonebook, settings
        self._connection, self._tell = connection, tell

    def look(self) -> int:
        """Search for all that are due; how many that were. One request for each 250 leads of the time in question."""
        lost = self._rows.take_lost(BATCH)
        if not lost:
            return 0
        with ExitStack() as held:
            for one in lost:
                held.enter_context(self._heart.holding(one.lead_id, one.lease))
            self._look_for(lost)
        return len(lost)

    def _look_for(self, lost: list[Lost]) -> None:
        """One search for all of these."""
        started = time.monotonic()
        try:
            account_id = self._connection.account_id(is_needed=any(one.account_id for one in lost))
            lost = self._of_this_account(lost, account_id, started)
            if not lost:
                return
            lost = self._marked_no_more(lost)
            seen = self._search(lost)
            if self._connection.known_account_id() != account_id:
                raise NotSent("too_late_to_send")  # what was read may be of two accounts, and shows nothing
            self._rows.go_on(by_reading=True)
        except Exception as error:
            fault = decisions.as_fault(error)
            if isinstance(fault, OwnFault):
                log.error("a search made the desk stumble: %s", places(error))
            if isinstance(fault, OwnFault) and len(lost) > 1:
                for one in lost:
                    self._look_for([one])
            else:
                self._could_not(lost, fault, started)
            return
        for one in lost:
            try:
                if one.lead_id in seen.failed:
                    raise seen.failed[one.lead_id]
                self._conclude(one, seen, started)
            except Exception as error:
                log.error("lead %s could not be concluded: %s", one.lead_id, places(error))
                self._could_not([one], decisions.as_fault(error), started)

    def _get_on(self, lost: Iterable[Lost]) -> None:
        """AmoCRM has answered: the leads of this search are not stuck."""
        for one in lost:
            self._heart.gets_on(one.lead_id, one.lease)

    def _of_this_account(self, lost: Sequence[Lost], account_id: int | None, started: float) -> list[Lost]:
        """Those whose request went to the connected account. To look for others here would show nothing: a person decides."""
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
                self._rows.in_another_account(one, None, Attempt(SEARCH, decisions.ANOTHER_ACCOUNT, None, took_ms))
            except LeaseLost:
                log.warning("lead %s was taken over by another worker", one.lead_id)
        return here

    def _marked_no_more(self, lost: list[Lost]) -> list[Lost]:
        """The same leads; one whose marker's field somebody has deleted since is searched for as if it had none.

        Asked before a look that may lead to sending again: every marker goes with its field. Two requests then.
        """
        if not any(one.marker_field is not None and _is_last(one) for one in lost):
            return lost
        self._fields.refresh(self._client, live=any(one.live for one in lost))
        there = {known.id for known in self._fields.known("leads")}
        return [one if one.marker_field in there else replace(one, marker_field=None) for one in lost]

    def _learn(self, one: Lost, contact_id: int | None) -> None:
        """The contact that was made with it: the next lead of this person must not make another one."""
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
                self._get_on(lost)
        return seen

    def _ask_by_text(self, one: Lost, seen: _Seen) -> None:
        hits = leads.matching(self._client, one.lead_id, live=one.live)
        with answers.being_read("leads.search"):
            _note_marked(hits, {one.lead_id}, seen)
            is_asked_for = not hits or any(one.lead_id in str(hit) for hit in hits)
        if not is_asked_for:  # found by a text that stands nowhere in it
            raise BrokenWord("filter_ignored", operation="leads.search", retryable=False)

    def _by_list(self, one: Lost, seen: _Seen) -> bool:
        """Whether all leads were read that may be this one."""
        return self._since(one) >= seen.whole_since

    def _walk(self, lost: Sequence[Lost], seen: _Seen) -> float:
        """Read the leads made while those requests were out; since when all were read, by AmoCRM's clock."""
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
            self._get_on(lost)
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
        """When its request can have been carried out at the earliest, by AmoCRM's clock; unix seconds."""
        sent_s, now_s, ahead_s = self._clocks(one)
        return decisions.searched_from(sent_s, now_s, theirs_s=one.sent_theirs, ahead_s=ahead_s, is_last=_is_last(one))

    def _until(self, one: Lost) -> float:
        sent_s, now_s, ahead_s = self._clocks(one)
        return decisions.searched_to(sent_s, now_s, ahead_s=ahead_s)

    def _clocks(self, one: Lost) -> tuple[float, float, float]:
        """When it was sent, what time it is, and how far that clock, ours, is ahead of AmoCRM's."""
        now_s, theirs_s = clock.unix(), self._client.their_time()
        return one.sent_at.timestamp(), now_s, self._connection.skew_s() if theirs_s is None else now_s - theirs_s

    def _named(self, one: Lost) -> str:
        """How a lead of ours is called in AmoCRM."""
        return lead_name(NewLead(one.name, one.phone, one.direction), words(self._settings.ui_language))

    def _of_same_name(self, page: Sequence[Mapping[str, Any]], unmarked: Sequence[Lost]) -> list[Mapping[str, Any]]:
        names = {self._named(one) for one in unmarked}
        return [lead for lead in page if isinstance(lead.get("name"), str) and lead["name"] in names]

    def _note_alike(self, same_name: Sequence[Mapping[str, Any]], unmarked: Sequence[Lost], seen: _Seen) -> None:
        """Leads with the name and the phone of one that could carry no marker, and that are not another one of ours."""
        if not same_name:
            return
        ours = self._rows.taken_ids([lead["id"] for lead in same_name])
        linked = {one for lead in same_name for one in leads.contact_ids(lead)}
        people = {contact["id"]: contact for contact in contacts.by_ids(self._client, linked)}
        phone_field = self._fields.layout().contact_phone.get("field_id", 0)
        with answers.being_read("contacts.list"):
            for lead in same_name:
                known = [one for one in leads.contact_ids(lead) if one in people]
                for one in unmarked:
                    theirs = (known_id for known_id in known if has_phone(people[known_id], phone_field, one.phone))
                    contact_id = next(theirs, None)
                    is_free = lead["id"] not in ours and lead["id"] not in one.ruled_out
                    if self._named(one) == lead["name"] and contact_id is not None and is_free:
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
                    self._aside(partial(self._learn, one, contact_id))
                    self._rows.found(one, verdict.lead_id, contact_id, attempt)
                    self._aside(partial(self._tell, verdict.lead_id))
                case "look again":
                    self._rows.not_found(one, decisions.next_look(one.since_s), attempt)
                case "send again":
                    self._rows.absent(one, attempt)
                case _:
                    self._rows.cannot_tell(one, verdict.candidates, attempt)
        except LeaseLost:
            log.warning("lead %s was taken over by another worker", one.lead_id)

    def _could_not(self, lost: Iterable[Lost], error: DeskError, started: float) -> None:
        """The search itself failed, which shows nothing: try again, ever less often; in the end a person has to look.

        Raises only what keeps even that from being written down.
        """
        everybodys = decisions.is_everybodys(error)
        if everybodys:
            self._rows.halt(error)
        if decisions.is_strange(error.code):
            log.error("a search met a strange failure: %s", error)
        took_ms = round((time.monotonic() - started) * 1000)
        for one in lost:
            attempt = Attempt(SEARCH, error.code, error.status, took_ms, error.request_id)
            stumbles = one.stumbles + 1 if isinstance(error, OwnFault) else 0
            pause_s = decisions.after_failed_look(error, one.failures + 1, one.trying_s, stumbles)
            try:
                if pause_s is None:
                    self._rows.cannot_tell(one, (), attempt, reason=error.code)
                else:
                    self._rows.could_not_look(one, pause_s, attempt, is_own=not everybodys)
            except LeaseLost:
                log.warning("lead %s was taken over by another worker", one.lead_id)

    def _aside(self, do: Callable[[], object]) -> None:
        """Do something that is of use to others: where it fails, what was found stays found."""
        try:
            do()
        except Exception as error:
            log.error("beside a search: %s", places(error))


def _note_marked(page: Iterable[Mapping[str, Any]], wanted: set[str], seen: _Seen) -> None:
    """Leads that carry one of these markers, in whatever field: no other text is like it."""
    for lead in page:
        for marker in {text for _, texts in filled_in(lead) for text in texts} & wanted:
            seen.marked.setdefault(marker, []).append((lead["id"], leads.main_contact(lead)))


def _is_last(one: Lost) -> bool:
    return decisions.is_last_look(one.since_s, one.reason)

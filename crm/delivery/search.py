"""Leads of which nobody knows whether they arrived: AmoCRM is searched for our marker, all of them in one walk.

The walk reads the leads made in the time in question, because such a list shows what was just written, while AmoCRM's
full text may lag. Where the list cannot be trusted (AmoCRM ignores what it does not know), the full text is asked for each
marker instead; before a lead is called absent, both have been looked at.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from crm.amo import contacts, leads
from crm.amo.client import Client
from crm.connection import Connection
from crm.delivery import decisions
from crm.delivery.decisions import SEARCH
from crm.delivery.request import lead_name
from crm.delivery.rows import Attempt, LeaseLost, Lost, Rows
from crm.delivery.worker import Heart
from crm.errors import BrokenWord, DeskError, NotSent
from crm.fields import FieldMap
from crm.intake import NewLead
from crm.phonebook import Phonebook, has_phone
from crm.settings import Settings
from crm.store import clock
from crm.words import words

BATCH = 100
"""Leads searched for in one walk."""

SLACK = timedelta(minutes=10)
"""Around the time a request was out: AmoCRM's clock and ours differ, and it may have worked on it a while."""

MOST_PAGES = 20
"""Of a walk. A club makes a hundred leads a week; where there are thousands in an hour, markers are asked for one by one."""

AGAIN_S = 10.0
"""After a search that could not be finished."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Seen:
    """What a search has come upon, by our lead ids. `marked`: AmoCRM lead and its contact; `alike`: same phone and name."""

    marked: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)
    alike: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)
    by_list: bool = True  # the leads of that time were read to the end


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
            started = time.monotonic()
            count = len(lost)
            try:
                account_id = self._connection.account_id(is_needed=any(one.account_id for one in lost))
                lost = self._of_this_account(lost, account_id, started)
                if not lost:
                    return count
                lost = self._marked_no_more(lost)
                seen = self._search(lost)
                if self._connection.known_account_id() != account_id:
                    raise NotSent("too_late_to_send")  # what was read may be of two accounts, and shows nothing
                self._rows.go_on(by_reading=True)
            except DeskError as error:
                self._could_not(lost, error, started)
            else:
                for one in lost:
                    self._conclude(one, seen, started)
        return count

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
        if not any(one.marker_field is not None and one.since_s >= decisions.PATIENCE_S for one in lost):
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
            seen.by_list = self._walk(lost, seen)
        except BrokenWord as error:
            if error.code not in ("filter_ignored", "same_page", "garbled"):
                raise
            seen.by_list = False
        for one in lost:
            last_look = one.since_s >= decisions.PATIENCE_S
            if one.marker_field is not None and one.lead_id not in seen.marked and (last_look or not seen.by_list):
                hits = leads.matching(self._client, one.lead_id, live=one.live)
                _note_marked(hits, {one.lead_id}, seen)
        return seen

    def _walk(self, lost: Sequence[Lost], seen: _Seen) -> bool:
        """Read the leads made while those requests were out. Whether it came to the end."""
        skew = timedelta(seconds=self._connection.skew_s())
        since = min(one.sent_at for one in lost) - skew - SLACK
        until = clock.now() - skew + SLACK
        wanted = {one.lead_id for one in lost if one.marker_field is not None}
        unmarked = [one for one in lost if one.marker_field is None]
        pages = leads.created_between(
            self._client,
            int(since.timestamp()),
            int(until.timestamp()),
            live=any(one.live for one in lost),
            ordered=False,
        )
        for number, page in enumerate(pages):
            if number >= MOST_PAGES:
                return False
            _note_marked(page, wanted, seen)
            self._note_alike(page, unmarked, seen)
            if not unmarked and wanted <= seen.marked.keys():
                return True
        return True

    def _note_alike(self, page: Sequence[Mapping[str, Any]], unmarked: Sequence[Lost], seen: _Seen) -> None:
        """Leads with the name and the phone of one that could carry no marker, and that are not another one of ours."""
        say = words(self._settings.ui_language)
        names = {lead_name(NewLead(one.name, one.phone, one.direction), say) for one in unmarked}
        same_name = [lead for lead in page if lead.get("name") in names]
        if not same_name:
            return
        ours = self._rows.taken_ids([lead["id"] for lead in same_name])
        people = {
            contact["id"]: contact
            for contact in contacts.by_ids(self._client, filter(None, map(leads.main_contact, same_name)))
        }
        phone_field = self._fields.layout().contact_phone.get("field_id", 0)
        for lead in same_name:
            contact_id = leads.main_contact(lead)
            for one in unmarked:
                of_same_name = lead_name(NewLead(one.name, one.phone, one.direction), say) == lead.get("name")
                of_same_phone = has_phone(people.get(contact_id or 0, {}), phone_field, one.phone)
                if of_same_name and of_same_phone and lead["id"] not in ours:
                    seen.alike.setdefault(one.lead_id, []).append((lead["id"], contact_id))

    def _conclude(self, one: Lost, seen: _Seen, started: float) -> None:
        marked, alike = dict(seen.marked.get(one.lead_id, [])), dict(seen.alike.get(one.lead_id, []))
        verdict = decisions.after_look(
            sorted(marked),
            sorted(alike),
            since_s=one.since_s,
            sends=one.sends,
            reason=one.reason,
            by_list=seen.by_list,
            has_marker=one.marker_field is not None,
        )
        if len(marked) > 1:
            log.error("lead %s is in AmoCRM more than once: %s", one.lead_id, sorted(marked))
        attempt = Attempt(SEARCH, verdict.what, None, round((time.monotonic() - started) * 1000))
        try:
            match verdict.what:
                case "found" if verdict.lead_id is not None:
                    contact_id = (marked | alike)[verdict.lead_id]
                    self._learn(one, contact_id)
                    self._rows.found(one, verdict.lead_id, contact_id, attempt)
                    self._tell(verdict.lead_id)
                case "look again":
                    self._rows.not_found(one, decisions.next_look(one.since_s), attempt)
                case "send again":
                    self._rows.absent(one, attempt)
                case _:
                    self._rows.cannot_tell(one, verdict.candidates, attempt)
        except LeaseLost:
            log.warning("lead %s was taken over by another worker", one.lead_id)

    def _could_not(self, lost: Iterable[Lost], error: DeskError, started: float) -> None:
        """The search itself failed: try again; after a day of that a person has to look."""
        everybodys = decisions.is_everybodys(error)
        if everybodys:
            self._rows.halt(error)
        if decisions.is_strange(error.code):
            log.error("a search met a strange failure: %s", error)
        took_ms = round((time.monotonic() - started) * 1000)
        for one in lost:
            attempt = Attempt(SEARCH, error.code, error.status, took_ms, error.request_id)
            try:
                if not everybodys and clock.now() - one.sent_at >= decisions.HORIZON:
                    self._rows.cannot_tell(one, (), attempt)
                else:
                    self._rows.not_found(one, AGAIN_S, attempt)
            except LeaseLost:
                log.warning("lead %s was taken over by another worker", one.lead_id)


def _note_marked(page: Iterable[Mapping[str, Any]], wanted: set[str], seen: _Seen) -> None:
    """Leads that carry one of these markers, in whatever field: no other text is like it."""
    for lead in page:
        for marker in _texts(lead) & wanted:
            seen.marked.setdefault(marker, []).append((lead["id"], leads.main_contact(lead)))


def _texts(lead: Mapping[str, Any]) -> set[str]:
    filled = lead.get("custom_fields_values")
    fields = [item for item in filled if isinstance(item, dict)] if isinstance(filled, list) else []
    values = [value for item in fields for value in item.get("values") or [] if isinstance(value, dict)]
    return {value["value"] for value in values if isinstance(value.get("value"), str)}

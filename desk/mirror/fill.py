"""The first reading of everything: leads, the newest first, and their contacts, at the whole pace AmoCRM allows.

    pages of leads ─► kept ─► ids of contacts nobody has read ─► contacts, 250 at once
    as many requests on their way as it takes for one to leave whenever the pace allows, and not more: those behind the
    last page are for nothing

Pages are ordered by id, the newest first: what is created meanwhile shifts them, and is read twice. What is thrown away
meanwhile shifts them the other way, and one lead can slip through; so the count is due as soon as a bin has grown since the
beginning or the pages came in another order, and finds the stretch. After a stop it goes on at the first page that is not kept.

Contacts hold nobody up: those AmoCRM does not bring are left to the rounds of contacts, which go on asking and say so.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm.client import PAGE_LIMIT, Client
from crm.errors import BrokenWord, DeskError
from crm.walk import CONTACTS, LEADS
from desk.mirror import collections, presence
from desk.mirror.collections import Slice
from desk.mirror.decisions import NOT_BEFORE_S
from desk.mirror.presence import Seen
from desk.mirror.reading import Begun, Reading, linked
from desk.mirror.rows import Rows
from desk.mirror.shape import FieldIds
from desk.mirror.walks import BIN, CONTACTS_BIN, COUNT, FILL, NIGHT, WANTED, Walks
from desk.mirror.walks import CONTACTS as CONTACTS_WALK
from desk.mirror.walks import LEADS as LEADS_WALK
from store import clock

MOST_AHEAD = 16
"""Requests on their way at once, however slow AmoCRM is."""

SPARE = 2
"""Requests on their way beyond the need of the answering time, so that no turn is missed while an answer is being
stored."""

AT_FIRST = 7
"""Requests on their way before the first answer is stored: a second's worth. A small account is asked once for a
few pages beyond its last."""

MEMORY = 0.7
"""How much the mean of AmoCRM's answering times remembers."""

MOST_FAILED = 2
"""Failed lists of contacts in a row after which only leads are read, and contacts are left to the rounds."""

OVERLAP_S = 120
"""How far before its beginning the first round looks for changes: clocks differ, and a change takes its time to show."""


@dataclass
class _State:
    """The first reading in progress: requests on their way, and what is still to ask for."""

    next_page: int
    last_page: int | None = None
    kept_to: int = 0  # all pages up to this one are kept
    kept: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)  # contacts to ask for
    answer_s: float = 0.0  # mean time of AmoCRM's answers
    in_order: bool = True  # as far as pages have come
    seen: set[int] = field(default_factory=set)  # what has come, one number a page
    pages: dict[Future[Slice], tuple[int, Begun]] = field(default_factory=dict)
    batches: dict[Future[Seen], tuple[list[int], Begun]] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)  # contacts that are left to the rounds
    failed: int = 0  # lists of contacts that did not come, in a row

    @property
    def asked(self) -> set[int]:
        """Contacts on request whose answer has not come yet."""
        return {one for ids, _ in self.batches.values() for one in ids}


class Fill:
    """The first reading of leads and contacts. Resumable; not thread-safe: the mirror's keeper runs it."""

    def __init__(
        self,
        client: Client,
        rows: Rows,
        walks: Walks,
        field_ids: Callable[[], FieldIds],
        reading: Reading,
        rps: float,
    ) -> None:
        """`rps`: requests a second the pace allows."""
        self._client, self._rows, self._walks = client, rows, walks
        self._field_ids, self._reading, self._rps = field_ids, reading, rps

    def run(self, go_on: Callable[[], bool]) -> bool:
        """Read on until the mirror is full. False if `go_on` said no; the next call resumes.

        One request for each 250 leads and one for each 250 contacts. Raises what AmoCRM does of leads; what came before is
        kept.
        """
        walk_so_far = self._walks.of(FILL)
        if walk_so_far.cursor is None:
            since, begun = self._newest(), self._reading.begin()
            self._walks.begin(FILL, {"page": 1, "since": since}, began_at=self._reading.as_of(begun))
            walk_so_far = self._walks.of(FILL)
        cursor, as_of = walk_so_far.cursor, walk_so_far.began_at or clock.now()
        state = _State(
            next_page=cursor["page"],
            kept_to=cursor["page"] - 1,
            waiting=set(cursor.get("waiting", ())),
            left=set(cursor.get("left", ())),
            answer_s=self._client.answer_s,
        )
        with ThreadPoolExecutor(MOST_AHEAD, "mirror-fill") as pool:
            try:
                if not self._read(pool, state, cursor["since"], go_on):
                    return False
            finally:
                for page in state.pages:
                    page.cancel()
                for batch in state.batches:
                    batch.cancel()
        self._finish(cursor["since"], as_of, state.left, count_in_s=COUNT_LATER_S if state.in_order else 0.0)
        return True

    def _newest(self) -> int:
        """The time at which the rounds begin later: AmoCRM's newest change by its own clock, but no change from its
        future."""
        newest = collections.newest_change(self._client, LEADS)
        theirs = self._reading.their_time(self._reading.begin())
        now = int(clock.unix() if theirs is None else theirs)
        return now - LONGEST_QUIET_S if newest is None else min(newest, now)

    def _read(self, pool: ThreadPoolExecutor, state: _State, since: int, go_on: Callable[[], bool]) -> bool:
        field_ids = self._field_ids()
        while True:
            if not go_on():
                return False
            self._ask(pool, state)
            if not state.pages and not state.batches:
                return True
            on_their_way: list[Future[Any]] = [*state.pages, *state.batches]
            wait(on_their_way, timeout=1.0, return_when=FIRST_COMPLETED)
            for page in [page for page in state.pages if page.done()]:
                self._keep_page(state, *state.pages.pop(page), page.result(), since, field_ids)
            for batch in [batch for batch in state.batches if batch.done()]:
                self._keep_batch(state, *state.batches.pop(batch), batch, since, field_ids)

    def _ask(self, pool: ThreadPoolExecutor, state: _State) -> None:
        """Whatever may be asked for now. Pages and batches in turn: pages behind the last one are for nothing, so few are
        out at once; and while pages come, batches for a whole round are held back, so that none has to be waited for when the last page
        has come and its contacts are still to be asked for.
        """
        ahead = min(MOST_AHEAD, math.ceil(state.answer_s * self._rps) + SPARE)
        if state.kept_to == 0:
            ahead = AT_FIRST
        over = state.last_page is not None and not state.pages
        reserve = 0 if state.last_page is not None else ahead * PAGE_LIMIT
        while len(state.pages) + len(state.batches) < ahead:
            has_batch = len(state.waiting) >= PAGE_LIMIT + reserve or (over and state.waiting)
            has_page = state.last_page is None or state.next_page <= state.last_page
            if has_batch and (not has_page or len(state.batches) < len(state.pages)):
                some = sorted(state.waiting, reverse=True)[:PAGE_LIMIT]
                state.waiting -= set(some)
                begun = self._reading.begin()
                state.batches[pool.submit(presence.look, self._client, CONTACTS, some)] = some, begun
            elif has_page:
                begun = self._reading.begin()
                state.pages[pool.submit(collections.slice_of, self._client, LEADS, state.next_page)] = (
                    state.next_page,
                    begun,
                )
                state.next_page += 1
            else:
                return

    def _keep_page(self, state: _State, page: int, begun: Begun, found: Slice, since: int, field_ids: FieldIds) -> None:
        content = hash(tuple(item["id"] for item in found.items))
        if found.items and content in state.seen:
            raise BrokenWord("same_page", operation=LEADS.operation, retryable=False)
        state.seen.add(content)
        state.in_order = state.in_order and found.in_order
        if not found.has_more:
            state.last_page = min(page, state.last_page or page)
        state.answer_s = found.took_s if not state.answer_s else MEMORY * state.answer_s + (1 - MEMORY) * found.took_s
        state.kept.add(page)
        while state.kept_to + 1 in state.kept:
            state.kept_to += 1
            state.kept.discard(state.kept_to)
        with self._rows.keeping() as db:
            kept = self._rows.keep_leads(db, found.items, field_ids, begun.asked)
            unknown = self._rows.unknown_contacts(db, linked(found.items)) - state.asked - state.left
            if state.failed < MOST_FAILED:
                state.waiting |= unknown
            else:
                state.left |= unknown
            self._walks.step(db, FILL, self._cursor(state, since), len(found.items))
        if kept.doubtful:
            self._reading.ask_again(leads=kept.doubtful)

    def _keep_batch(
        self, state: _State, asked: list[int], begun: Begun, batch: Future[Seen], since: int, field_ids: FieldIds
    ) -> None:
        """Store a list of contacts, or leave a failed list to the rounds; leads come all the same."""
        try:
            seen, state.failed = batch.result(), 0
        except DeskError as error:
            log.warning("the mirror's first reading goes on without some contacts: %s", error)
            seen, state.failed = Seen(), state.failed + 1
            state.left |= set(asked)
            if state.failed >= MOST_FAILED:
                state.left |= state.waiting
                state.waiting = set()
        with self._rows.keeping() as db:
            kept = self._rows.keep_contacts(db, seen.found, field_ids, begun.asked)
            self._rows.bin_contacts(db, seen.gone, begun.asked)
            self._walks.step(db, FILL, self._cursor(state, since), 0)
        if kept.doubtful:
            self._reading.ask_again(contacts=kept.doubtful)

    @staticmethod
    def _cursor(state: _State, since: int) -> dict[str, Any]:
        """The place to go on after a stop; requests on their way at the stop are repeated."""
        waiting = sorted(state.waiting | state.asked)
        return {"page": state.kept_to + 1, "since": since, "waiting": waiting, "left": sorted(state.left)}

    def _finish(self, since: int, as_of: datetime, left: set[int], count_in_s: float) -> None:
        """Finish the first reading as of its beginning; the rounds find later changes, the count finds omissions."""
        begin = {"since": since - OVERLAP_S}
        self._walks.end(LEADS_WALK, as_of=as_of, cursor=begin, next_in_s=0.0)
        self._walks.end(CONTACTS_WALK, as_of=as_of, cursor={**begin, WANTED: sorted(left)}, next_in_s=0.0)
        self._walks.end(BIN, as_of=as_of, cursor={**begin, "filled": True}, next_in_s=0.0)
        self._walks.end(CONTACTS_BIN, as_of=as_of, cursor=begin, next_in_s=0.0)
        self._walks.end(COUNT, as_of=as_of, cursor=None, next_in_s=count_in_s)
        self._walks.end(NIGHT, as_of=as_of, cursor=None, next_in_s=NOT_BEFORE_S)
        self._walks.end(FILL, as_of=as_of, cursor={"page": 1, "since": since}, next_in_s=0.0)


COUNT_LATER_S = 6 * 3600.0
"""Delay of the first count after the mirror has been filled."""

LONGEST_QUIET_S = 86_400
"""How far before AmoCRM's present the rounds begin in an account without a single lead."""

log = logging.getLogger(__name__)

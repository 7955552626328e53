"""The first reading of everything: leads, the newest first, and their contacts, at the whole pace AmoCRM allows.

    pages of leads ─► kept ─► ids of contacts nobody has read ─► contacts, 250 at once
    as many requests on their way as it takes for one to leave whenever the pace allows, and not more: those behind the
    last page are for nothing

Pages are ordered by id, the newest first: what is created meanwhile shifts them, and is read twice. What is thrown away
meanwhile shifts them the other way, and one lead can slip through; so the count is due as soon as a bin has grown since the
beginning or the pages came in another order, and finds the stretch. After a stop it goes on at the first page that is not kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm.amo import walk
from crm.amo.client import PAGE_LIMIT, Client
from crm.amo.leads import contact_ids
from crm.amo.walk import CONTACTS, LEADS, Slice
from crm.errors import BrokenWord
from crm.mirror.rows import Rows
from crm.mirror.shape import Places
from crm.mirror.walks import BIN, COUNT, FILL, Walks
from crm.mirror.walks import CONTACTS as CONTACTS_WALK
from crm.mirror.walks import LEADS as LEADS_WALK
from crm.store import clock

MOST_AHEAD = 16
"""Requests on their way at once, however slow AmoCRM is."""

SPARE = 2
"""Requests out beyond what the answering time asks for, so that a turn is not missed while an answer is being kept."""

AT_FIRST = 7
"""Requests out before the first answer is kept: a second's worth. A small account is asked for a few pages it has not, once."""

MEMORY = 0.7
"""How much the mean of AmoCRM's answering times remembers."""

OVERLAP_S = 120
"""How far before its beginning the first round looks for changes: clocks differ, and a change takes its time to show."""


@dataclass
class _State:
    """What is on its way and what is still to ask for."""

    next_page: int
    last_page: int | None = None
    kept_to: int = 0  # all pages up to this one are kept
    kept: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)  # contacts to ask for
    answer_s: float = 0.0  # mean time of AmoCRM's answers
    in_order: bool = True  # as far as pages have come
    seen: set[int] = field(default_factory=set)  # what has come, one number a page
    pages: dict[Future[Slice], int] = field(default_factory=dict)
    batches: dict[Future[list[dict[str, Any]]], list[int]] = field(default_factory=dict)


class Fill:
    """Reads everything once. Resumable; not thread-safe: the mirror's keeper runs it."""

    def __init__(
        self,
        client: Client,
        rows: Rows,
        walks: Walks,
        places: Callable[[], Places],
        amo_now: Callable[[], int],
        rps: float,
    ) -> None:
        """`amo_now`: AmoCRM's clock, unix seconds. `rps`: requests a second the pace allows."""
        self._client, self._rows, self._walks = client, rows, walks
        self._places, self._amo_now, self._rps = places, amo_now, rps

    def run(self, go_on: Callable[[], bool]) -> bool:
        """Read on until everything is here. False where `go_on` said no: it is resumed another time.

        One request for each 250 leads and one for each 250 contacts. Raises what AmoCRM does; what came before is kept.
        """
        walk_so_far = self._walks.of(FILL)
        if walk_so_far.cursor is None:
            begins = self._amo_now()
            self._walks.begin(FILL, {"page": 1, "since": begins})
            walk_so_far = self._walks.of(FILL)
        cursor, as_of = walk_so_far.cursor, walk_so_far.began_at or clock.now()
        state = _State(
            next_page=cursor["page"],
            kept_to=cursor["page"] - 1,
            waiting=set(cursor.get("waiting", ())),
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
        self._finish(cursor["since"], as_of, count_in_s=COUNT_LATER_S if state.in_order else 0.0)
        return True

    def _read(self, pool: ThreadPoolExecutor, state: _State, since: int, go_on: Callable[[], bool]) -> bool:
        places = self._places()
        while True:
            if not go_on():
                return False
            self._ask(pool, state)
            if not state.pages and not state.batches:
                return True
            on_their_way: list[Future[Any]] = [*state.pages, *state.batches]
            wait(on_their_way, timeout=1.0, return_when=FIRST_COMPLETED)
            for page in [page for page in state.pages if page.done()]:
                self._keep_page(state, state.pages.pop(page), page.result(), since, places)
            for batch in [batch for batch in state.batches if batch.done()]:
                self._keep_batch(state, state.batches.pop(batch), batch.result(), since, places)

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
                state.batches[pool.submit(walk.by_ids, self._client, CONTACTS, some)] = some
            elif has_page:
                state.pages[pool.submit(walk.slice_of, self._client, LEADS, state.next_page)] = state.next_page
                state.next_page += 1
            else:
                return

    def _keep_page(self, state: _State, page: int, found: Slice, since: int, places: Places) -> None:
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
        with self._rows.changing() as db:
            self._rows.keep_leads(db, found.items, places)
            linked = {one for lead in found.items for one in contact_ids(lead)}
            asked = {one for batch in state.batches.values() for one in batch}
            state.waiting |= self._rows.unknown_contacts(db, linked) - asked
            self._walks.step(db, FILL, self._cursor(state, since), len(found.items))

    def _keep_batch(
        self, state: _State, asked: list[int], found: list[dict[str, Any]], since: int, places: Places
    ) -> None:
        with self._rows.changing() as db:
            self._rows.keep_contacts(db, found, places)
            self._walks.step(db, FILL, self._cursor(state, since), 0)

    @staticmethod
    def _cursor(state: _State, since: int) -> dict[str, Any]:
        """Where to go on after a stop: what is on its way then is asked for again."""
        asked = {one for batch in state.batches.values() for one in batch}
        return {"page": state.kept_to + 1, "since": since, "waiting": sorted(state.waiting | asked)}

    def _finish(self, since: int, as_of: datetime, count_in_s: float) -> None:
        """Everything is here as of the beginning; the rounds find what has changed since, the count what slipped through."""
        begin = {"since": since - OVERLAP_S}
        for name in (LEADS_WALK, CONTACTS_WALK):
            self._walks.end(name, as_of=as_of, cursor=begin, next_in_s=0.0)
        self._walks.end(BIN, as_of=as_of, cursor={**begin, "filled": True}, next_in_s=0.0)
        self._walks.end(COUNT, as_of=as_of, cursor=None, next_in_s=count_in_s)
        self._walks.end(FILL, as_of=as_of, cursor={"page": 1, "since": since}, next_in_s=0.0)


COUNT_LATER_S = 6 * 3600.0
"""Until the first count of a mirror that has just been filled."""

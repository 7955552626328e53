"""How a copy reads collections that change meanwhile: what changed since a time, the bin, a slice of everything, a count.

AmoCRM pages by offset, so what changes while one reads shifts the pages (sheet 4.1). So nothing here trusts a second
page of anything that moves: `changed_since` goes on from the last time it has seen, and a slice of everything is ordered
by id, newest first, where new records shift what was read only into what is read twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from crm import answers, leads
from crm.answers import number
from crm.client import MOST_PAGES, PAGE_LIMIT, TRIES_OF_LARGE, Client, is_too_much
from crm.errors import BrokenWord, DeskError, SaidNo
from crm.leads import Stage
from crm.sizes import smaller
from crm.walk import LEADS, Kind, exactly

LOOKS = 3
"""At what slipped through between two pages, at the most; one that finds nothing is the last."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some items of a collection, whether AmoCRM has more behind them, and how long it took to answer."""

    items: list[dict[str, Any]]
    has_more: bool
    took_s: float = 0.0
    in_order: bool = True


def slice_of(client: Client, kind: Kind, page: int, *, live: bool = False) -> Slice:
    """The page-th 250 items of everything, the newest first. One request, more if AmoCRM is too slow for that.

    Where the order is not the one asked for, `in_order` says so: pages may then shift in either direction.
    """
    params: list[tuple[str, str | int]] = [*kind.extra, ("order[id]", "desc")]
    data, part, limit = client.page(kind.path, kind.operation, params, page, PAGE_LIMIT, live=live)
    took_s, items = client.answer_s, answers.items(data, kind.key)
    while answers.has_next(data) and part * limit < page * PAGE_LIMIT:
        data, part, limit = client.page(kind.path, kind.operation, params, part + 1, limit, live=live)
        items += answers.items(data, kind.key)
    ids = [item["id"] for item in items]
    return Slice(items, answers.has_next(data), took_s, in_order=ids == sorted(ids, reverse=True))


def changed_since(client: Client, kind: Kind, since: int, *, live: bool = False) -> Iterator[list[dict[str, Any]]]:
    """Pages of what changed at or after a time (unix seconds, AmoCRM's clock); some items come twice.

    One request for each 250; twice as many for a second in which more than 250 have changed. Raises
    `BrokenWord("filter_ignored")` where what comes was not asked for, and `BrokenWord("same_page")` where pages repeat.
    """
    cursor, page, limit = since, 1, PAGE_LIMIT
    before: list[int] = []
    by_offset: set[tuple[int, int]] = set()  # what pages after one another have brought, as ids and times
    while True:
        params = _changed(kind, cursor)
        data, page, limit = client.page(kind.path, kind.operation, params, page, limit, live=live)
        found = answers.items(data, kind.key)
        times = [number(item.get("updated_at")) for item in found]
        if min(times, default=cursor) < cursor:
            raise BrokenWord("filter_ignored", operation=kind.operation, retryable=False)
        if found:
            yield found
        ids = [item["id"] for item in found]
        by_offset |= set(zip(ids, times, strict=True))
        is_over = not answers.has_next(data)
        has_advanced = times == sorted(times) and times[-1:] > [cursor]
        if page > 1 and (is_over or has_advanced):
            yield from _slipped(client, kind, cursor, by_offset, limit, live=live)
        if is_over:
            return
        if ids == before:
            raise BrokenWord("same_page", operation=kind.operation, retryable=False)
        before = ids
        if has_advanced:
            # A page that lies in one second is the first one of that second.
            cursor, page = times[-1], 2 if times[0] == times[-1] else 1
            by_offset = by_offset if page == 2 else set()
        else:
            # More than a page in one second, or an order of AmoCRM's own: then the offset is all there is.
            page += 1


def _changed(kind: Kind, since: int) -> list[tuple[str, str | int]]:
    return [*kind.extra, ("filter[updated_at][from]", since), ("order[updated_at]", "asc")]


def _slipped(
    client: Client, kind: Kind, since: int, seen: set[tuple[int, int]], limit: int, *, live: bool
) -> Iterator[list[dict[str, Any]]]:
    """What slipped through between two pages by offset, because something before it has changed once more meanwhile."""
    params = [*_changed(kind, since), ("filter[updated_at][to]", max(time for _, time in seen))]
    for _ in range(LOOKS):
        missed = False
        for page in client.pages(kind.path, kind.key, kind.operation, params, limit=limit, live=live):
            fresh = [item for item in page if (item["id"], number(item.get("updated_at"))) not in seen]
            seen |= {(item["id"], number(item.get("updated_at"))) for item in fresh}
            if fresh:
                missed = True
                yield fresh
        if not missed:
            return


def newest_change(client: Client, kind: Kind, *, live: bool = False) -> int | None:
    """When AmoCRM last changed anything of a kind, by its own clock, unix seconds; None if there is nothing. One request.

    Of an AmoCRM that does not know the order it is the change of any one: earlier, so nothing is passed over.
    """
    params: list[tuple[str, str | int]] = [("order[updated_at]", "desc"), ("page", 1), ("limit", 1)]
    found = answers.items(client.get(kind.path, kind.operation, params, live=live).data, kind.key)
    return number(found[0].get("updated_at")) if found else None


def in_bin(client: Client, kind: Kind, since: int, *, live: bool = False) -> Iterator[list[tuple[int, int]]]:
    """What was thrown away at or after a time: pages of ids with their times. One request for each 250.

    A hint and no more: an AmoCRM that does not know the word answers with everything.
    """
    params: list[tuple[str, str | int]] = [("with", "only_deleted"), ("filter[updated_at][from]", since)]
    for page in client.pages(kind.path, kind.key, f"{kind.key}.bin", params, live=live):
        told = [(item["id"], number(item.get("updated_at"))) for item in page]
        yield [(one, at) for one, at in told if at >= since]


def binned(client: Client, kind: Kind, ids: Iterable[int], *, live: bool = False) -> set[int]:
    """Which of these ids are in the bin, by AmoCRM's own word. One request for each 250.

    Nearly every field of what is in the bin is null, and a lead says that it is deleted (sheet 5.2): what does not look so
    is not in it. An AmoCRM that refuses the question has told nothing.
    """
    wanted, found = sorted(set(ids)), set()
    size = min(PAGE_LIMIT, client.sizes.most(kind.operation))
    for start in range(0, len(wanted), size):
        some = wanted[start : start + size]
        try:
            items = exactly(client, kind, (("with", "only_deleted"),), some, live=live, tries=TRIES_OF_LARGE)
        except (SaidNo, BrokenWord):
            continue
        found |= {item["id"] for item in items if item.get("is_deleted") is True or item.get("created_at") is None}
    return found


def count_leads(client: Client, since: int, until: int, about: int = 0, *, stage: Stage | None = None) -> int:
    """Return how many leads were created in a time, of one stage or of all, by AmoCRM's own word: its last page's end.

    One request where `about`, a guess, is right; else up to twice log2 of the pages. AmoCRM tells no totals (sheet 4.4).
    Raises `BrokenWord("filter_ignored")` if a lead comes that was not asked for.
    """
    asked = _Counted(client, since, until, stage)
    limit, shrunk = min(PAGE_LIMIT, client.sizes.most(LEADS.operation)), False
    while True:
        try:
            found = asked.count(about, limit)
        except DeskError as error:
            less = smaller(limit)
            if less is None or not is_too_much(error, live=False):
                raise
            limit, shrunk = less, True
            continue
        if shrunk:
            client.sizes.worked(LEADS.operation, limit)
        return found


@dataclass(frozen=True, slots=True)
class _Counted:
    """The leads to count: created from `since` to `until`, in one stage or in any."""

    client: Client
    since: int
    until: int
    stage: Stage | None

    def count(self, about: int, limit: int) -> int:
        """Find the last page by halving; `limit`: leads on a page."""
        last = max(1, -(-about // limit))
        low, high = 0, 0  # page `low` has items, page `high` has none; 0: not known
        while last < MOST_PAGES:
            found = self._page(last, limit)
            if found.items and not found.has_more:
                return (last - 1) * limit + len(found.items)
            if found.items:
                low = last
            else:
                high = last
            if high and high - low == 1:
                return low * limit
            last = (low + high) // 2 if high else low * 2
        raise BrokenWord("same_page", operation=LEADS.operation, retryable=False)

    def _page(self, page: int, limit: int) -> Slice:
        params: list[tuple[str, str | int]] = [
            ("filter[created_at][from]", self.since),
            ("filter[created_at][to]", self.until),
        ]
        params += [*leads.in_stage(self.stage), ("order[id]", "desc"), ("page", page), ("limit", limit)]
        data = self.client.get(LEADS.path, LEADS.operation, params, live=False, tries=TRIES_OF_LARGE).data
        found = answers.items(data, LEADS.key)
        if not all(self._fits(lead) for lead in found):
            raise BrokenWord("filter_ignored", operation=LEADS.operation, retryable=False)
        return Slice(found, answers.has_next(data))

    def _fits(self, lead: dict[str, Any]) -> bool:
        is_in_time = self.since <= number(lead.get("created_at")) <= self.until
        return is_in_time and self.stage in (None, leads.stage_of(lead))

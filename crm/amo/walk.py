"""Reading whole collections: what changed since a time, what is in the bin, one slice of everything.

AmoCRM pages by offset, so what changes while one reads shifts the pages (sheet 4.1). So nothing here trusts a second
page of anything that moves: `changed_since` goes on from the last time it has seen, and a slice of everything is ordered
by id, newest first, where new records shift what was read only into what is read twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm.amo import answers
from crm.amo.answers import number
from crm.amo.client import MOST_PAGES, PAGE_LIMIT, SMALLER, TRIES_OF_LARGE, Client, is_too_much
from crm.amo.door import Params
from crm.errors import BrokenWord, DeskError

LOOKS = 3
"""At what slipped through between two pages, at the most; one that finds nothing is the last."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A collection: its path and key, and what belongs to each item of it."""

    path: str
    key: str
    operation: str
    extra: Params = ()


LEADS = Kind("/api/v4/leads", "leads", "leads.list", (("with", "contacts"),))
CONTACTS = Kind("/api/v4/contacts", "contacts", "contacts.list")


@dataclass(frozen=True, slots=True)
class Slice:
    """Some items of a collection, whether AmoCRM has more behind them, and how long it took to answer."""

    items: list[dict[str, Any]]
    has_more: bool
    took_s: float = 0.0
    in_order: bool = True


def slice_of(client: Client, kind: Kind, page: int, *, live: bool = False) -> Slice:
    """The page-th 250 items of everything, the newest first. One request, or up to 30 where AmoCRM is too slow for that.

    Where the order is not the one asked for, `in_order` says so: pages may then shift in either direction.
    """
    found = _slice(client, kind, page, PAGE_LIMIT, live=live)
    ids = [item["id"] for item in found.items]
    return replace(found, in_order=ids == sorted(ids, reverse=True))


def _slice(client: Client, kind: Kind, page: int, limit: int, *, live: bool) -> Slice:
    params: Params = [*kind.extra, ("order[id]", "desc"), ("page", page), ("limit", limit)]
    try:
        tries = TRIES_OF_LARGE if limit in SMALLER else None
        reply = client.get(kind.path, kind.operation, params, live=live, tries=tries)
    except DeskError as error:
        if limit not in SMALLER or not is_too_much(error):
            raise
        smaller = SMALLER[limit]
        times = limit // smaller
        items, more = [], True
        for part in range((page - 1) * times + 1, page * times + 1):
            one = _slice(client, kind, part, smaller, live=live)
            items += one.items
            more = one.has_more
            if not more:
                break
        return Slice(items, more)
    return Slice(answers.items(reply.data, kind.key), answers.has_next(reply.data), reply.duration_s)


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


def _changed(kind: Kind, since: int) -> Params:
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


def in_bin(client: Client, kind: Kind, since: int, *, live: bool = False) -> Iterator[list[int]]:
    """Ids of what was thrown away at or after a time. One request for each 250. Nearly all else of them is gone (sheet 5.2)."""
    params: Params = [("with", "only_deleted"), ("filter[updated_at][from]", since)]
    for page in client.pages(kind.path, kind.key, f"{kind.key}.bin", params, live=live):
        yield [item["id"] for item in page if number(item.get("updated_at")) >= since]


def by_ids(client: Client, kind: Kind, ids: Sequence[int], *, live: bool = False) -> list[dict[str, Any]]:
    """The items of these ids that are not in the bin. One request for each 250."""
    wanted, limit = sorted(set(ids)), PAGE_LIMIT
    found: list[dict[str, Any]] = []
    start = 0
    while start < len(wanted):
        some = wanted[start : start + limit]
        params: Params = [*kind.extra, *(("filter[id][]", one) for one in some), ("limit", PAGE_LIMIT)]
        try:
            tries = TRIES_OF_LARGE if limit in SMALLER and not live else None
            reply = client.get(kind.path, kind.operation, params, live=live, tries=tries)
        except DeskError as error:
            if tries is None or not is_too_much(error):
                raise
            limit = SMALLER[limit]
            continue
        found += answers.items(reply.data, kind.key)
        start += limit
    asked = set(wanted)
    return [item for item in found if item["id"] in asked]


def count(client: Client, kind: Kind, since: int, until: int, about: int = 0, *, live: bool = False) -> int:
    """How many items were created in a time, by AmoCRM's own word: where its last page ends.

    One request where `about`, a guess, is right; else up to twice log2 of the pages. AmoCRM tells no totals (sheet 4.4).
    """
    try:
        return _count(client, kind, since, until, about, PAGE_LIMIT, live)
    except DeskError as error:
        if not is_too_much(error):
            raise
    return _count(client, kind, since, until, about, SMALLER[PAGE_LIMIT], live)


def _count(client: Client, kind: Kind, since: int, until: int, about: int, limit: int, live: bool) -> int:
    last = max(1, -(-about // limit))
    low, high = 0, 0  # page `low` has items, page `high` has none; 0: not known

    def look(page: int) -> Slice:
        params: Params = [
            ("filter[created_at][from]", since),
            ("filter[created_at][to]", until),
            ("order[id]", "desc"),
            ("page", page),
            ("limit", limit),
        ]
        data = client.get(kind.path, kind.operation, params, live=live, tries=TRIES_OF_LARGE).data
        found = answers.items(data, kind.key)
        if not all(since <= number(item.get("created_at")) <= until for item in found):
            raise BrokenWord("filter_ignored", operation=kind.operation, retryable=False)
        return Slice(found, answers.has_next(data))

    while last < MOST_PAGES:
        found = look(last)
        if found.items and not found.has_more:
            return (last - 1) * limit + len(found.items)
        if found.items:
            low = last
        else:
            high = last
        if high and high - low == 1:
            return low * limit
        last = (low + high) // 2 if high else low * 2
    raise BrokenWord("same_page", operation=kind.operation, retryable=False)

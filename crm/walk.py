"""Reading whole collections: what changed since a time, what is in the bin, one slice of everything.

AmoCRM pages by offset, so what changes while one reads shifts the pages (sheet 4.1). So nothing here trusts a second
page of anything that moves: `changed_since` goes on from the last time it has seen, and a slice of everything is ordered
by id, newest first, where new records shift what was read only into what is read twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm import answers
from crm.answers import number
from crm.client import MOST_PAGES, PAGE_LIMIT, TRIES_OF_LARGE, Client, is_too_much
from crm.door import NO_CONTENT
from crm.errors import BrokenWord, DeskError, SaidNo
from crm.sizes import STEPS, smaller
from wire import Params

LOOKS = 3
"""At what slipped through between two pages, at the most; one that finds nothing is the last."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A collection: its path and key, and what belongs to each item of it."""

    path: str
    key: str
    operation: str
    extra: Params = ()
    has_bin: bool = True


LEADS = Kind("/api/v4/leads", "leads", "leads.list", (("with", "contacts"),))
CONTACTS = Kind("/api/v4/contacts", "contacts", "contacts.list")
TASKS = Kind("/api/v4/tasks", "tasks", "tasks.list", has_bin=False)
"""AmoCRM does not order these by their changes when asked to (sheet 4.4): their usual order is just that, and any will do."""

OPEN_TASKS = Kind("/api/v4/tasks", "tasks", "tasks.list", (("filter[is_completed]", 0),), has_bin=False)


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
    params: Params = [*kind.extra, ("order[id]", "desc")]
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


def newest_change(client: Client, kind: Kind, *, live: bool = False) -> int | None:
    """When AmoCRM last changed anything of a kind, by its own clock, unix seconds; None if there is nothing. One request.

    Of an AmoCRM that does not know the order it is the change of any one: earlier, so nothing is passed over.
    """
    params: Params = [("order[updated_at]", "desc"), ("page", 1), ("limit", 1)]
    found = answers.items(client.get(kind.path, kind.operation, params, live=live).data, kind.key)
    return number(found[0].get("updated_at")) if found else None


def in_bin(client: Client, kind: Kind, since: int, *, live: bool = False) -> Iterator[list[tuple[int, int]]]:
    """What was thrown away at or after a time: pages of ids with their times. One request for each 250.

    A hint and no more: an AmoCRM that does not know the word answers with everything.
    """
    params: Params = [("with", "only_deleted"), ("filter[updated_at][from]", since)]
    for page in client.pages(kind.path, kind.key, f"{kind.key}.bin", params, live=live):
        told = [(item["id"], number(item.get("updated_at"))) for item in page]
        yield [(one, at) for one, at in told if at >= since]


def by_ids(client: Client, kind: Kind, ids: Iterable[int], *, live: bool = False) -> list[dict[str, Any]]:
    """The items of these ids that are not in the bin. One request for each 250; smaller ones if AmoCRM cannot bring so many.

    Raises `BrokenWord("filter_ignored")` if anything else comes: then what did not come is no news either.
    """
    wanted, size = sorted(set(ids)), min(PAGE_LIMIT, client.sizes.most(kind.operation))
    found: list[dict[str, Any]] = []
    start, shrunk = 0, False
    while start < len(wanted):
        some = wanted[start : start + size]
        try:
            tries = TRIES_OF_LARGE if shrunk or len(some) > 1 else None
            found += _exactly(client, kind, kind.extra, some, live=live, tries=tries)
        except DeskError as error:
            less = next((step for step in STEPS if step < len(some)), None)
            if less is None or not is_too_much(error, live=live):
                raise
            size, shrunk = less, True
            continue
        if shrunk:
            client.sizes.worked(kind.operation, size)
            shrunk = False
        start += len(some)
    return found


def _exactly(
    client: Client, kind: Kind, extra: Params, ids: Sequence[int], *, live: bool, tries: int | None
) -> list[dict[str, Any]]:
    """The items of these few ids, of all pages AmoCRM makes of them; never any other item."""
    found: dict[int, dict[str, Any]] = {}
    page = 1
    while True:
        params: Params = [*extra, *(("filter[id][]", one) for one in ids), ("page", page), ("limit", len(ids))]
        data = client.get(kind.path, kind.operation, params, live=live, tries=tries).data
        some = {item["id"]: item for item in answers.items(data, kind.key)}
        if not some.keys() <= set(ids):
            raise BrokenWord("filter_ignored", operation=kind.operation, retryable=False)
        if some.keys() <= found.keys() or not answers.has_next(data):
            return list((found | some).values())
        found |= some
        page += 1


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
            items = _exactly(client, kind, (("with", "only_deleted"),), some, live=live, tries=TRIES_OF_LARGE)
        except (SaidNo, BrokenWord):
            continue
        found |= {item["id"] for item in items if item.get("is_deleted") is True or item.get("created_at") is None}
    return found


def one(client: Client, kind: Kind, item_id: int, *, live: bool = False) -> dict[str, Any] | None:
    """One item by its address, None if there is none or it is in the bin. One request.

    Only a 204 or a refusal in AmoCRM's own form says that there is none; any other answer than the item is an error.
    """
    operation = f"{kind.key}.get"
    try:
        reply = client.get(f"{kind.path}/{item_id}", operation, kind.extra, live=live)
    except SaidNo as error:
        if error.code != "not_found":
            raise
        return None
    if reply.data is None and reply.status == NO_CONTENT:
        return None
    if not isinstance(reply.data, dict) or answers.whole(reply.data.get("id")) != item_id:
        raise BrokenWord("garbled", operation=operation)
    return reply.data | {"id": item_id}


def count(
    client: Client,
    kind: Kind,
    since: int,
    until: int,
    about: int = 0,
    *,
    extra: Params = (),
    fits: Callable[[Mapping[str, Any]], bool] = lambda item: True,
    live: bool = False,
) -> int:
    """How many items were created in a time, by AmoCRM's own word: where its last page ends.

    `extra`: more filters, `fits`: whether an item is what they ask for; `BrokenWord("filter_ignored")` if one is not.

    One request where `about`, a guess, is right; else up to twice log2 of the pages. AmoCRM tells no totals (sheet 4.4).
    """
    limit, shrunk = min(PAGE_LIMIT, client.sizes.most(kind.operation)), False
    while True:
        try:
            found = _count(client, kind, since, until, about, limit, live, extra, fits)
        except DeskError as error:
            less = smaller(limit)
            if less is None or not is_too_much(error, live=live):
                raise
            limit, shrunk = less, True
            continue
        if shrunk:
            client.sizes.worked(kind.operation, limit)
        return found


def _count(
    client: Client,
    kind: Kind,
    since: int,
    until: int,
    about: int,
    limit: int,
    live: bool,
    extra: Params,
    fits: Callable[[Mapping[str, Any]], bool],
) -> int:
    last = max(1, -(-about // limit))
    low, high = 0, 0  # page `low` has items, page `high` has none; 0: not known

    def look(page: int) -> Slice:
        params: Params = [
            ("filter[created_at][from]", since),
            ("filter[created_at][to]", until),
            *extra,
            ("order[id]", "desc"),
            ("page", page),
            ("limit", limit),
        ]
        data = client.get(kind.path, kind.operation, params, live=live, tries=TRIES_OF_LARGE).data
        found = answers.items(data, kind.key)
        if not all(since <= number(item.get("created_at")) <= until and fits(item) for item in found):
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

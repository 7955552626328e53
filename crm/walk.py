"""Whole collections, and items by their ids. A copy's further needs are `desk.mirror.collections`' business."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from crm import answers
from crm.client import PAGE_LIMIT, TRIES_OF_LARGE, Client, is_too_much
from crm.door import NO_CONTENT
from crm.errors import BrokenWord, DeskError, SaidNo
from crm.sizes import STEPS
from wire import Params


@dataclass(frozen=True, slots=True)
class Kind:
    """A collection: its path and key, and the extras of each item."""

    path: str
    key: str
    operation: str
    extra: Params = ()
    has_bin: bool = True


LEADS = Kind("/api/v4/leads", "leads", "leads.list", (("with", "contacts"),))
CONTACTS = Kind("/api/v4/contacts", "contacts", "contacts.list")
TASKS = Kind("/api/v4/tasks", "tasks", "tasks.list", has_bin=False)
"""Tasks, which AmoCRM does not order by changes on request (sheet 4.4): the usual order is by changes, and any order will do."""

OPEN_TASKS = Kind("/api/v4/tasks", "tasks", "tasks.list", (("filter[is_completed]", 0),), has_bin=False)


def everything(client: Client, kind: Kind, *, live: bool = False) -> Iterator[list[dict[str, Any]]]:
    """Pages of all items of a collection, the newest first, at the account's pace. 1 request for each 250.

    New items shift what was read into what is read twice; an item is never passed over for them.
    """
    return client.pages(kind.path, kind.key, kind.operation, [*kind.extra, ("order[id]", "desc")], live=live)


def by_ids(client: Client, kind: Kind, ids: Iterable[int], *, live: bool = False) -> list[dict[str, Any]]:
    """Fetch items by ids, without the bin. 1 request for each 250; more if AmoCRM cannot bring so many at once.

    Raises `BrokenWord("filter_ignored")` if anything else comes: then what did not come is no news either.
    """
    wanted, size = sorted(set(ids)), min(PAGE_LIMIT, client.sizes.most(kind.operation))
    found: list[dict[str, Any]] = []
    start, shrunk = 0, False
    while start < len(wanted):
        some = wanted[start : start + size]
        try:
            tries = TRIES_OF_LARGE if shrunk or len(some) > 1 else None
            found += exactly(client, kind, kind.extra, some, live=live, tries=tries)
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


def exactly(
    client: Client, kind: Kind, extra: Params, ids: Sequence[int], *, live: bool, tries: int | None
) -> list[dict[str, Any]]:
    """Fetch a few items by ids, from all pages of the answer; never any other item."""
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


def one(client: Client, kind: Kind, item_id: int, *, live: bool = False) -> dict[str, Any] | None:
    """Fetch an item by its address; None if there is no such item, or the item is in the bin. 1 request.

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

"""PATCH of all resources: of a collection, each item naming its `id`, and of one object by its address.

What a change of a resource means stands in that resource's file, as a function from row and item to the row after.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.answers import Answer, hal
from sandbox.api.checks import Item, items, not_a_choice, pass_or_refuse, pass_or_refuse_one
from sandbox.api.listing import created
from sandbox.call import Call
from sandbox.store.database import Row

Find = Callable[[Call, int], Row | None]
Change = Callable[[Call, Row, Item], Row | None]
"""Change an object; None, and errors in the item, if a value is wrong."""

Show = Callable[[Call, Row], dict[str, Any]]


def many(call: Call, key: str, find: Find, change: Change, show: Show) -> Answer:
    """PATCH of a collection: all items or none."""
    checked = items(call)
    shown = []
    for item in checked:
        before = find(call, item.integer("id") or 0)
        if before is None:
            item.refuse("NotSupportedChoice", "id")
        elif (after := change(call, before, item)) is not None:
            shown.append(echoing(show(call, after), item))
    pass_or_refuse(checked)
    return created(call, key, shown)


def one(call: Call, before: Row | None, change: Change, show: Show) -> Answer:
    """PATCH of /{id}: the answer stands at the root. An unknown id is no valid choice."""
    if before is None:
        raise not_a_choice("id")
    item = Item(call.object())
    after = change(call, before, item)
    pass_or_refuse_one(item)
    return hal(show(call, after or before))


def echoing(data: dict[str, Any], item: Item) -> dict[str, Any]:
    """A result with its item's `request_id`, which stands before `_links` in the samples."""
    links = {"_links": data["_links"]} if "_links" in data else {}
    own = {key: value for key, value in data.items() if key != "_links"}
    return own | {"request_id": item.request_id} | links

"""POST and PATCH of leads, contacts and companies, which differ only in their columns (sheet 5.2, 5.4).

Items are written as they are read; when one of them turns out bad, the request's transaction takes all of them
back, so nothing of a refused request stays (sheet 4.3).
"""

from __future__ import annotations

from typing import Any

from sandbox.answers import Answer, Refusal, hal, problem
from sandbox.api import cards, links
from sandbox.api.card_input import READ
from sandbox.api.checks import Item, each, items, not_a_choice, pass_or_refuse, pass_or_refuse_one
from sandbox.api.listing import created
from sandbox.api.patching import echoing
from sandbox.call import Call
from sandbox.store.database import Row

LINKED_AT_BIRTH = {"leads": ("contacts", "companies"), "contacts": ("companies",), "companies": ()}
"""Kind of card → kinds to link with at the card's creation; afterwards links are the way (sheet 5.2, O)."""


def create(call: Call) -> Answer:
    """POST /{kind}: never looks for duplicates (sheet 8, item 19)."""
    kind, checked = call.path_params["kind"], items(call)
    shown = []
    for item in checked:
        row = create_one(call, kind, item)
        if row is not None:
            shown.append(echoing({"id": row["id"], "_links": call.link(f"/api/v4/{kind}/{row['id']}")}, item))
    pass_or_refuse(checked)
    return created(call, kind, shown)


def create_one(call: Call, kind: str, item: Item) -> Row | None:
    """Write a card with the links in its item; None, and errors in the item, if a value is wrong."""
    values = READ[kind](call.work, item, None)
    wanted = _wanted_links(call, kind, item)
    source_id = _source(call, kind, item)
    if item.errors:
        return None
    if source_id is not None:
        values["source_id"] = source_id
    if kind == "leads" and not values.get("name"):
        values["name"] = f"Сделка #{call.store.next_id(kind)}"  # U: a name of some kind is all that is known
    row = cards.insert(call.work, kind, values)
    for other, other_id, main in wanted:
        links.add(call.work, kind, row["id"], other, other_id, main=main)
    return row


def _wanted_links(call: Call, kind: str, item: Item) -> list[tuple[str, int, bool | None]]:
    embedded = item.inside("_embedded", item.tree("_embedded"))
    wanted = []
    for other in LINKED_AT_BIRTH[kind]:
        for path, entry in each(embedded.elements(other), other):
            part = embedded.inside(path, entry)
            other_id = part.integer("id")
            if not cards.exists(call.work, other, other_id):
                part.refuse("NotSupportedChoice", "id")
            else:
                wanted.append((other, other_id or 0, part.boolean("is_main")))
    return wanted


def _source(call: Call, kind: str, item: Item) -> int | None:
    """`_embedded.source` names one of the integration's own sources; an unknown source is refused."""
    source = item.tree("_embedded").get("source") if kind == "leads" else None
    if not isinstance(source, dict) or source.get("external_id") is None:
        return None
    found = call.store.value("SELECT id FROM sources WHERE external_id = ?", [str(source["external_id"])])
    if found is None:
        item.refuse("NotSupportedChoice", "_embedded.source.external_id")
    return found


def update(call: Call) -> Answer:
    """PATCH /{kind}: an array, each item with its `id`."""
    kind, checked = call.path_params["kind"], items(call)
    shown = []
    for item in checked:
        row = _update_one(call, kind, item, item.integer("id"))
        if row is not None:
            shown.append(echoing(_changed(call, kind, row), item))
    pass_or_refuse(checked)
    return created(call, kind, shown)


def update_single(call: Call) -> Answer:
    """PATCH /{kind}/{id}: an object, and the answer at the root (sheet 5.2)."""
    kind, item = call.path_params["kind"], Item(call.object())
    row = _update_one(call, kind, item, call.path_params["id"])
    pass_or_refuse_one(item)
    assert row is not None  # noqa: S101 - without errors there is a row
    data = _changed(call, kind, row)
    if item.data.get("request_id"):
        data = echoing(data, item)
    return created(call, kind, [data]) if call.work.config.single_patch == "embedded" else hal(data)


def _update_one(call: Call, kind: str, item: Item, card_id: int | None) -> Row | None:
    if card_id is None:
        if not item.errors:
            item.refuse("FieldMissing", "id")
        return None
    before = cards.find(call.work, kind, [card_id]).get(card_id)
    if before is None:
        _refuse_missing(call, kind, item, card_id)
        return None
    values = READ[kind](call.work, item, before)
    return None if item.errors else cards.update(call.work, kind, before, values)


def _refuse_missing(call: Call, kind: str, item: Item, card_id: int) -> None:
    """A deleted lead has an error of its own, 226 (sheet 4.3, L); any other missing card is no valid choice."""
    if kind == "leads" and cards.find(call.work, kind, [card_id], deleted=True):
        detail = "Lead is deleted"
        raise Refusal(problem(400, detail, errors=[{"code": 226, "title": "Bad Request", "detail": detail}]))
    if "id" in call.path_params:
        raise not_a_choice("id")
    item.refuse("NotSupportedChoice", "id")


def _changed(call: Call, kind: str, row: Row) -> dict[str, Any]:
    """The answer of a PATCH for a card: contacts and companies also have their name (sheet 5.4)."""
    name = {} if kind == "leads" else {"name": row["name"]}
    return {
        "id": row["id"],
        **name,
        "updated_at": row["updated_at"],
        "_links": call.link(f"/api/v4/{kind}/{row['id']}"),
    }

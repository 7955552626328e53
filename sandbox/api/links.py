"""Links between cards: which contacts and which company belong to a lead (sheet 5.5)."""

# ruff: noqa: S608 - the names put into SQL are this room's own; values travel as parameters

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sandbox.answers import Answer, Refusal, hal, nothing, problem
from sandbox.api import cards
from sandbox.api.checks import Item, items, pass_or_refuse
from sandbox.api.listing import own_link
from sandbox.brackets import scalars
from sandbox.call import Call
from sandbox.changes import Work
from sandbox.store.database import Row, marks

EMBEDDED: dict[str, dict[str, bool]] = {
    "leads": {"companies": False, "contacts": True},
    "contacts": {"companies": False, "leads": False},
    "companies": {"contacts": False, "leads": False},
}
"""Kind of card → kinds under its `_embedded` → whether `is_main` is shown there."""

RANK = {"leads": 0, "contacts": 1, "companies": 2}
"""A link is stored once, from the kind of lower rank to the kind of higher rank."""


def of_cards(work: Work, kind: str, ids: list[int]) -> dict[int, list[Row]]:
    """Card id → `{type, id, is_main}` of each linked card. One question for a whole page."""
    found: dict[int, list[Row]] = defaultdict(list)
    sql = (
        "SELECT from_id AS own, to_type AS type, to_id AS id, is_main FROM links"
        f" WHERE from_type = ? AND from_id IN ({marks(ids)})"
        " UNION ALL SELECT to_id, from_type, from_id, is_main FROM links"
        f" WHERE to_type = ? AND to_id IN ({marks(ids)})"
    )
    for row in work.store.rows(sql, [kind, *ids, kind, *ids]):
        found[row.pop("own")].append(row)
    return found


def embedded(call: Call, kind: str, link: Row, query: str, *, with_main: bool) -> dict[str, Any]:
    """A link under `_embedded`: ids only; names and phones need a request of their own (sheet 5.2)."""
    main = {"is_main": bool(link["is_main"])} if with_main else {}
    return {"id": link["id"], **main, "_links": {"self": {"href": call.url(f"/api/v4/{kind}/{link['id']}", query)}}}


def add(work: Work, kind: str, card_id: int, other: str, other_id: int, *, main: bool | None = None) -> None:
    """Link two cards. The first contact of a lead is its main contact; a card has one company at most."""
    (from_type, from_id), (to_type, to_id) = _ends(kind, card_id, other, other_id)
    store = work.store
    if to_type == "companies":
        sql = "DELETE FROM links WHERE from_type = ? AND from_id = ? AND to_type = 'companies'"
        store.db.execute(sql, [from_type, from_id])
    first = not store.value(
        "SELECT 1 FROM links WHERE from_type = ? AND from_id = ? AND to_type = ?", [from_type, from_id, to_type]
    )
    is_main = to_type == "contacts" and (first if main is None else main or first)
    if is_main:
        store.update("links", {"is_main": 0}, from_type=from_type, from_id=from_id, to_type=to_type)
    store.db.execute(
        "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?)", [from_type, from_id, to_type, to_id, is_main]
    )
    work.changed("linked", from_type, from_id, None, _row(from_type, from_id, to_type, to_id))


def remove(work: Work, kind: str, card_id: int, other: str, other_id: int) -> None:
    """Unlink two cards; not being linked is no error."""
    (from_type, from_id), (to_type, to_id) = _ends(kind, card_id, other, other_id)
    sql = "DELETE FROM links WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ?"
    if work.store.db.execute(sql, [from_type, from_id, to_type, to_id]).rowcount:
        work.changed("unlinked", from_type, from_id, _row(from_type, from_id, to_type, to_id), None)


def linked(work: Work, kind: str, card_id: int, other: str, other_id: int) -> bool:
    """Whether the two are linked already."""
    return any((row["type"], row["id"]) == (other, other_id) for row in of_cards(work, kind, [card_id])[card_id])


def _ends(kind: str, card_id: int, other: str, other_id: int) -> list[tuple[str, int]]:
    return sorted([(kind, card_id), (other, other_id)], key=lambda end: RANK[end[0]])


def _row(from_type: str, from_id: int, to_type: str, to_id: int) -> Row:
    return {"from_type": from_type, "from_id": from_id, "to_type": to_type, "to_id": to_id}


def read_of_card(call: Call) -> Answer:
    """GET /{kind}/{id}/links."""
    kind, card_id = call.path_params["kind"], call.path_params["id"]
    cards.required(call, kind)
    return _listed(call, [_shown(kind, link) for link in of_cards(call.work, kind, [card_id])[card_id]])


def read_mass(call: Call) -> Answer:
    """GET /{kind}/links?filter[entity_id][]=…: the links of several cards."""
    kind = call.path_params["kind"]
    ids = [int(word) for word in scalars(call.filter("entity_id")) if word.isdecimal()]
    found = of_cards(call.work, kind, ids)
    own = [
        {"entity_id": card_id, "entity_type": kind} | _shown(kind, link) for card_id in ids for link in found[card_id]
    ]
    return _listed(call, own)


def _listed(call: Call, shown: list[dict[str, Any]]) -> Answer:
    for name in ("to_entity_id", "to_entity_type"):
        wanted = scalars(call.filter(name))
        shown = [link for link in shown if not wanted or str(link[name]) in wanted]
    if not shown:
        return nothing()
    return hal({"_total_items": len(shown), "_links": own_link(call), "_embedded": {"links": shown}})


def _shown(kind: str, link: Row) -> dict[str, Any]:
    people = {kind, link["type"]} == {"leads", "contacts"}
    return {
        "to_entity_id": link["id"],
        "to_entity_type": link["type"],
        "metadata": {"main_contact": bool(link["is_main"])} if people else None,
    }


def link_to_card(call: Call) -> Answer:
    """POST /{kind}/{id}/link and POST /{kind}/link."""
    ends = _wanted(call)
    shown = []
    for kind, card_id, other, other_id, main in ends:
        if linked(call.work, kind, card_id, other, other_id) and call.work.config.relink == 500:
            raise Refusal(problem(500, "An unknown error occurred."))  # sheet 4.3, seen live
        add(call.work, kind, card_id, other, other_id, main=main)
    for kind, card_id, other, other_id, _ in ends:
        now = of_cards(call.work, kind, [card_id])[card_id]
        own = next(link for link in now if (link["type"], link["id"]) == (other, other_id))
        shown.append({"entity_id": card_id, "entity_type": kind} | _shown(kind, own))
    return hal({"_total_items": len(shown), "_links": own_link(call), "_embedded": {"links": shown}})


def unlink_from_card(call: Call) -> Answer:
    """POST /{kind}/{id}/unlink and POST /{kind}/unlink: 204."""
    for kind, card_id, other, other_id, _ in _wanted(call):
        remove(call.work, kind, card_id, other, other_id)
    return nothing()


def _wanted(call: Call) -> list[tuple[str, int, str, int, bool | None]]:
    """(kind, id, other kind, other id, main) of every item; the card is in the address or in each item."""
    kind = call.path_params["kind"]
    checked = items(call)
    wanted = [_end(call, kind, item) for item in checked]
    pass_or_refuse(checked)
    return wanted


def _end(call: Call, kind: str, item: Item) -> tuple[str, int, str, int, bool | None]:
    card_id = call.path_params.get("id") or item.integer("entity_id")
    other_id = item.integer("to_entity_id")
    other = item.choice("to_entity_type", EMBEDDED[kind])
    for key in ("to_entity_id", "to_entity_type"):
        if item.data.get(key) is None:
            item.refuse("FieldMissing", key)
    if card_id is None:
        item.refuse("FieldMissing", "entity_id")
    elif not cards.exists(call.work, kind, card_id):
        item.refuse("NotSupportedChoice", "entity_id")
    if other and other_id is not None and not cards.exists(call.work, other, other_id):
        item.refuse("NotSupportedChoice", "to_entity_id")
    metadata = item.inside("metadata", item.tree("metadata"))
    main = metadata.boolean("is_main")
    return kind, card_id or 0, other or "", other_id or 0, metadata.boolean("main_contact") if main is None else main

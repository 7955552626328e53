"""Notes on cards, calls included: `/{kind}/notes`, `/{kind}/{id}/notes`, `/calls` (sheet 5.3)."""

from __future__ import annotations

import json
from typing import Any

from sandbox.answers import Answer, hal, nothing, problem
from sandbox.api import cards, links, patching
from sandbox.api.checks import Item, items, pass_or_refuse
from sandbox.api.listing import Collection, Condition, between, created, item_query, named, one_of, paged, select
from sandbox.call import Call
from sandbox.changes import Work
from sandbox.club.account import ACCOUNT_ID
from sandbox.store import search
from sandbox.store.database import Row

NOTES = Collection(
    "notes",
    "notes",
    filters={
        "id": one_of("id"),
        "note_type": named("note_type"),
        "updated_at": between("updated_at"),
        "entity_id": one_of("entity_id"),
    },
    orders=("updated_at", "id"),
)
REQUIRED: dict[str, tuple[str, ...]] = {
    "common": ("text",),
    "call_in": ("uniq", "duration", "source", "link", "phone"),
    "call_out": ("uniq", "duration", "source", "link", "phone"),
    "service_message": ("service", "text"),
    "extended_service_message": ("service", "text"),
    "message_cashier": ("status", "text"),
    "geolocation": ("text", "address", "longitude", "latitude"),
    "sms_in": ("text", "phone"),
    "sms_out": ("text", "phone"),
    "attachment": ("version_uuid", "file_uuid", "file_name"),
}
"""Types a client may write → required keys of their `params`. AmoCRM itself writes more types."""


def read_list(call: Call) -> Answer:
    """GET /{kind}/notes and GET /{kind}/{id}/notes."""
    extra: list[Condition] = [("is_deleted = 0", []), ("entity_type = ?", [call.path_params["kind"]])]
    if "id" in call.path_params:
        extra.append(("entity_id = ?", [call.path_params["id"]]))
    rows, page, more = select(call, NOTES, extra)
    query = item_query(call)
    return paged(call, "notes", [show(call, row, query) for row in rows], page, more)


def read_one(call: Call) -> Answer:
    """GET /{kind}/notes/{note_id} and GET /{kind}/{id}/notes/{note_id}."""
    row = _addressed(call)
    return hal(show(call, row, call.raw_query)) if row else nothing()


def create(call: Call) -> Answer:
    """POST: the card is in the address, or each item names its `entity_id`; the address wins."""
    kind, checked = call.path_params["kind"], items(call)
    shown = []
    for item in checked:
        values = _values(call.work, item, before=None)
        card_id = call.path_params.get("id") or item.integer("entity_id")
        if card_id is None:
            item.refuse("FieldMissing", "entity_id")
        elif not cards.exists(call.work, kind, card_id):
            item.refuse("NotSupportedChoice", "entity_id")
        if item.errors:
            continue
        row = insert(call.work, kind, card_id or 0, values)
        data = {"id": row["id"], "entity_id": card_id, "_links": _link(call, row)}
        shown.append(patching.echoing(data, item))
    pass_or_refuse(checked)
    return created(call, "notes", shown)


def insert(work: Work, kind: str, card_id: int, values: Row) -> Row:
    """A new note on a card."""
    row = {
        "id": work.store.next_id("notes"),
        "entity_type": kind,
        "entity_id": card_id,
        "created_by": work.user_id,
        "updated_by": work.user_id,
        "created_at": work.now,
        "updated_at": values.get("created_at", work.now),
        "responsible_user_id": work.user_id,
        "group_id": 0,
    } | values
    work.store.insert("notes", row)
    work.changed("added", "notes", row["id"], None, row)
    return row


def update(call: Call) -> Answer:
    """PATCH on a collection."""
    return patching.many(call, "notes", _note, _updated, _changed)


def update_single(call: Call) -> Answer:
    """PATCH /{kind}/notes/{note_id} and PATCH /{kind}/{id}/notes/{note_id}."""
    return patching.one(call, _addressed(call), _updated, _changed)


def pin(call: Call) -> Answer:
    """POST /{kind}/notes/{note_id}/pin and /unpin: 204."""
    row = _addressed(call)
    if row is None:
        return problem(404, "Not Found")
    call.store.update("notes", {"is_pinned": call.path.endswith("/pin")}, id=row["id"])
    return nothing()


def add_calls(call: Call) -> Answer:
    """POST /calls: attached by phone to a card with this phone, of any kind; without such a card the call is dropped.

    A contact with exactly one open lead is called about that lead (sheet 0, V). `errors` is there when there are none (M).
    """
    checked = items(call)
    made, failed = [], []
    for item in checked:
        phone = item.text("phone", required=True) or ""
        direction = item.choice("direction", ("inbound", "outbound"))
        if item.errors:
            continue
        found = _card_with_phone(call.work, phone)
        if found is None:
            detail = "Entity not found"
            failed.append({"code": 263, "title": detail, "detail": detail, "request_id": item.request_id})
            continue
        kind, card_id = _open_lead_of(call.work, *found) or found
        params = {
            key: item.data.get(key) for key in ("uniq", "duration", "source", "link", "call_result", "call_status")
        }
        note_type = "call_out" if direction == "outbound" else "call_in"
        values = {"note_type": note_type, "params": json.dumps(params | {"phone": phone}, ensure_ascii=False)}
        row = insert(call.work, kind, card_id, values)
        entity = {"id": card_id, "_links": call.link(f"/api/v4/{kind}/{card_id}")}
        made.append(
            {
                "id": row["id"],
                "entity_id": card_id,
                "entity_type": kind[:-1] if kind != "companies" else "company",
                "account_id": ACCOUNT_ID,
                "request_id": item.request_id,
                "_embedded": {"entity": entity},
            }
        )
    pass_or_refuse(checked)
    body = {"_total_items": len(made), "errors": failed, "_embedded": {"calls": made}}
    return hal(body, 200 if made else 400)


def _card_with_phone(work: Work, phone: str) -> tuple[str, int] | None:
    """By the last ten digits; companies first, which surprised people (sheet 5.3, L)."""
    digits = "".join(letter for letter in phone if letter.isdecimal())[-10:]
    if not digits:
        return None
    for kind in ("companies", "contacts"):
        search.catch_up(work.store.db, kind, work.real_moment, cards.texts)
        sql = f"SELECT id FROM {kind}_text WHERE instr(digits, ?) > 0 ORDER BY id"  # noqa: S608 - one of the two
        for found in work.store.rows(sql, [digits]):
            if cards.exists(work, kind, found["id"]):
                return kind, found["id"]
    return None


def _open_lead_of(work: Work, kind: str, card_id: int) -> tuple[str, int] | None:
    """The lead a contact is in talks about: the only lead neither closed nor deleted."""
    if kind != "contacts":
        return None
    ids = [link["id"] for link in links.of_cards(work, kind, [card_id])[card_id] if link["type"] == "leads"]
    opened = [row["id"] for row in cards.find(work, "leads", ids).values() if row["closed_at"] is None]
    return ("leads", opened[0]) if len(opened) == 1 else None


def _values(work: Work, item: Item, before: Row | None) -> Row:
    """The columns an item sets. A note's text stands in `params`; a text beside `params` is missing (sheet 5.3)."""
    values: Row = {
        "created_at": item.integer("created_at"),
        "updated_at": item.integer("updated_at"),
        "created_by": item.person("created_by", work.user_ids),
        "updated_by": item.person("updated_by", work.user_ids),
        "responsible_user_id": item.person("responsible_user_id", work.user_ids),
    }
    note_type = item.choice("note_type", tuple(REQUIRED)) or (before["note_type"] if before else None)
    if note_type is None:
        if item.data.get("note_type") is None:
            item.refuse("FieldMissing", "note_type")
        return values
    values["note_type"] = note_type
    given = item.inside("params", item.tree("params"))
    params = (json.loads(before["params"]) if before else {}) | given.data
    for key in REQUIRED.get(note_type, ()):
        if params.get(key) is None:
            given.refuse("FieldMissing", key)
    values["params"] = json.dumps(params, ensure_ascii=False)
    return {key: value for key, value in values.items() if value is not None}


def _updated(call: Call, row: Row, item: Item) -> Row | None:
    values = {"updated_at": call.work.now, "updated_by": call.work.user_id} | _values(call.work, item, row)
    if item.errors:
        return None
    call.store.update("notes", values, id=row["id"])
    call.work.changed("updated", "notes", row["id"], row, row | values)
    return row | values


def _changed(call: Call, row: Row) -> dict[str, Any]:
    return {key: row[key] for key in ("id", "entity_id", "updated_at")} | {"_links": _link(call, row)}


def _addressed(call: Call) -> Row | None:
    return _note(call, call.path_params["note_id"])


def _note(call: Call, note_id: int) -> Row | None:
    """The note, if its card, or its kind of card, is named by the address."""
    sql = "SELECT * FROM notes WHERE id = ? AND entity_type = ? AND is_deleted = 0 AND ? IN (entity_id, -1)"
    return call.store.row(sql, [note_id, call.path_params["kind"], call.path_params.get("id", -1)])


def _link(call: Call, row: Row, query: str = "") -> dict[str, Any]:
    path = f"/api/v4/{row['entity_type']}/{row['entity_id']}/notes/{row['id']}"
    return {"self": {"href": call.url(path, query)}}


def show(call: Call, row: Row, query: str = "") -> dict[str, Any]:
    """A note in the API's form."""
    keys = (
        "id",
        "entity_id",
        "created_by",
        "updated_by",
        "created_at",
        "updated_at",
        "responsible_user_id",
        "group_id",
    )
    return {key: row[key] for key in keys} | {
        "note_type": row["note_type"],
        "params": json.loads(row["params"]),
        "account_id": ACCOUNT_ID,
        "_links": _link(call, row, query),
    }

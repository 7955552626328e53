"""Incoming leads: `/leads/unsorted` (sheet 5.11).

An entry has its lead and contact at once, with ids, the lead in the pipeline's incoming stage. `source_uid` is not a
key: the same one twice makes two entries (L, against the documentation).
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from sandbox.answers import Answer, hal, problem
from sandbox.api import card_writing, cards, links
from sandbox.api.card_input import first_stage, stages_of
from sandbox.api.checks import Item, items, not_a_choice, pass_or_refuse
from sandbox.api.listing import Collection, conditions, named, one_of, own_link, page_of, paged, where
from sandbox.call import Call
from sandbox.changes import Work
from sandbox.club.account import ACCOUNT_ID
from sandbox.store.database import Row

METADATA = {
    "forms": ("form_id", "form_name", "form_page", "form_sent_at"),
    "sip": ("uniq", "duration", "service_code", "link", "phone", "called_at", "from"),
}
"""Category → required keys of `metadata`."""

CATEGORIES = ("sip", "mail", "forms", "chats")
UNSORTED = Collection(
    "unsorted",
    "unsorted",
    filters={"uid": named("uid"), "category": named("category"), "pipeline_id": one_of("pipeline_id")},
)
UID_BYTES = 30
"""60 hexadecimal characters (sheet 5.11)."""


def create(call: Call) -> Answer:
    """POST /leads/unsorted/forms and /sip."""
    category = call.path_params["category"]
    checked = items(call)
    shown = []
    for item in checked:
        row = _create_one(call, category, item)
        if row is not None:
            embedded = _embedded(call, row)
            shown.append(
                {
                    "uid": row["uid"],
                    "account_id": ACCOUNT_ID,
                    "request_id": item.request_id,
                    "_links": call.link(f"/api/v4/leads/unsorted/{row['uid']}"),
                    "_embedded": {kind: embedded[kind] for kind in ("contacts", "leads", "companies")},
                }
            )
    pass_or_refuse(checked)
    return hal({"_total_items": len(shown), "_links": own_link(call), "_embedded": {"unsorted": shown}})


def _create_one(call: Call, category: str, item: Item) -> Row | None:
    pipeline_id = item.integer("pipeline_id")
    stages = stages_of(call.work)
    pipeline_id = next(iter(stages)) if pipeline_id is None else pipeline_id
    stage = incoming_stage(stages.get(pipeline_id, {}))
    if stage is None:
        item.refuse("NotSupportedChoice", "pipeline_id")
    for key in ("source_uid", "source_name"):
        item.text(key, required=True)
    if item.data.get("metadata") is None:
        item.refuse("FieldMissing", "metadata")
    metadata = item.inside("metadata", item.tree("metadata"))
    for key in METADATA[category]:
        if metadata.data.get(key) is None and item.data.get("metadata") is not None:
            metadata.refuse("FieldMissing", key)
    embedded = item.inside("_embedded", item.tree("_embedded"))
    wanted = embedded.elements("leads")[:1] or [{}]
    lead_data = wanted[0] if isinstance(wanted[0], dict) else {}
    place = {"pipeline_id": pipeline_id, "status_id": stage}
    lead = Item({**lead_data, **(place if stage else {})}, path="_embedded.leads.0", errors=item.errors)
    lead_row = card_writing.create_one(call, "leads", lead)
    made = {kind: _cards(call, kind, embedded) for kind in ("contacts", "companies")}
    if lead_row is None or item.errors:
        return None
    for kind, ids in made.items():
        for card_id in ids:
            links.add(call.work, "leads", lead_row["id"], kind, card_id)
    return _keep(call.work, category, item.data, metadata.data, lead_row, made)


def _cards(call: Call, kind: str, embedded: Item) -> list[int]:
    """The contacts or companies of an entry. A new contact counts as unsorted until the entry is accepted."""
    ids = []
    for position, entry in enumerate(embedded.elements(kind)):
        part = embedded.inside(f"{kind}.{position}", entry)
        card_id = part.integer("id")
        if card_id is None:
            row = card_writing.create_one(call, kind, part)
            if row is not None:
                ids.append(row["id"])
                if kind == "contacts":
                    call.store.update(kind, {"is_unsorted": 1}, id=row["id"])
        elif cards.exists(call.work, kind, card_id):
            ids.append(card_id)
        else:
            part.refuse("NotSupportedChoice", "id")
    return ids


def _keep(
    work: Work, category: str, data: dict[str, Any], metadata: dict[str, Any], lead: Row, made: dict[str, list[int]]
) -> Row:
    created_at = data.get("created_at")
    row = {
        "uid": secrets.token_hex(UID_BYTES),
        "source_uid": str(data.get("source_uid") or ""),
        "source_name": str(data.get("source_name") or ""),
        "category": category,
        "pipeline_id": lead["pipeline_id"],
        "created_at": created_at if isinstance(created_at, int) else work.now,
        "metadata": json.dumps(metadata, ensure_ascii=False),
        "lead_id": lead["id"],
        "contact_ids": json.dumps(made["contacts"]),
        "company_ids": json.dumps(made["companies"]),
        "state": "waiting",
        "decided_at": None,
    }
    work.store.insert("unsorted", row)
    work.changed("added", "unsorted", row["uid"], None, row)
    return row


def from_complex(work: Work, lead: Row, contact_id: int | None, metadata: Item) -> None:
    """With `metadata` a lead of `/leads/complex` becomes an incoming one (sheet 5.2, D)."""
    category = metadata.choice("category", tuple(METADATA)) or "forms"
    stage = incoming_stage(stages_of(work)[lead["pipeline_id"]])
    if metadata.errors or stage is None:
        return
    work.store.update("leads", {"status_id": stage}, id=lead["id"])
    lead["status_id"] = stage  # the row told to events and hooks is this very one
    if contact_id is not None:
        work.store.update("contacts", {"is_unsorted": 1}, id=contact_id)
    data = {"source_uid": "", "source_name": metadata.data.get("form_name")}
    made = {"contacts": [contact_id] if contact_id else [], "companies": []}
    _keep(work, category, data, metadata.data, lead, made)


def incoming_stage(statuses: dict[int, Row]) -> int | None:
    """The stage of type 1, if a pipeline has such a stage."""
    return next((status_id for status_id, row in statuses.items() if row["type"] == 1), None)


def read_list(call: Call) -> Answer:
    """GET /leads/unsorted: always newest first; `order` is accepted and ignored (sheet 5.11, L)."""
    sql, parameters = where([("state = 'waiting'", []), *conditions(call, UNSORTED.filters)])
    page = page_of(call)
    rows = call.store.rows(
        f"SELECT * FROM unsorted WHERE {sql} ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?",  # noqa: S608
        [*parameters, page.limit + 1, page.offset],
    )
    return paged(call, "unsorted", [_show(call, row) for row in rows[: page.limit]], page, len(rows) > page.limit)


def read_one(call: Call) -> Answer:
    """GET /leads/unsorted/{uid}."""
    row = _waiting(call)
    return hal(_show(call, row)) if row else problem(404, "Not Found")


def summary(call: Call) -> Answer:
    """GET /leads/unsorted/summary."""
    rows = call.store.rows("SELECT category, state, created_at, decided_at FROM unsorted")
    took = [row["decided_at"] - row["created_at"] for row in rows if row["decided_at"]]
    waiting = [row["category"] for row in rows if row["state"] == "waiting"]
    return hal(
        {
            "total": len(waiting),
            "accepted": sum(row["state"] == "accepted" for row in rows),
            "declined": sum(row["state"] == "declined" for row in rows),
            "average_sort_time": sum(took) // len(took) if took else 0,
            "categories": {name: {"total": waiting.count(name)} for name in CATEGORIES},
        }
    )


def accept(call: Call) -> Answer:
    """POST /leads/unsorted/{uid}/accept: the lead moves into the pipeline. A status of another pipeline is refused."""
    row = _waiting(call)
    if row is None:
        return problem(404, "Not Found")
    order = _order(call)
    statuses = stages_of(call.work)[row["pipeline_id"]]
    status_id = order.integer("status_id")
    if status_id is not None and status_id not in statuses:
        raise not_a_choice("status_id")
    user_id = order.person("user_id", call.work.user_ids)
    pass_or_refuse([order])
    lead = cards.find(call.work, "leads", [row["lead_id"]])[row["lead_id"]]
    values = {"status_id": status_id or first_stage(statuses), "responsible_user_id": user_id or call.work.user_id}
    cards.update(call.work, "leads", lead, values)
    for contact_id in json.loads(row["contact_ids"]):
        call.store.update("contacts", {"is_unsorted": 0}, id=contact_id)
    return _decided(call, row, "accepted", order)


def decline(call: Call) -> Answer:
    """DELETE /leads/unsorted/{uid}/decline: leaves a lead that is already in the bin (sheet 5.11, L)."""
    row = _waiting(call)
    if row is None:
        return problem(404, "Not Found")
    order = _order(call)
    pass_or_refuse([order])
    _bin(call.work, row, "leads", [row["lead_id"]])
    _bin(call.work, row, "contacts", json.loads(row["contact_ids"]))
    return _decided(call, row, "declined", order)


def link(call: Call) -> Answer:
    """POST /leads/unsorted/{uid}/link: the people go to an existing lead, the entry's own lead to the bin."""
    row = _waiting(call)
    if row is None:
        return problem(404, "Not Found")
    order = _order(call)
    target = order.inside("link", order.tree("link"))
    lead_id, kind = target.integer("entity_id"), target.data.get("entity_type", "leads")
    if kind != "leads" or not cards.exists(call.work, "leads", lead_id):
        raise not_a_choice("link.entity_id")
    for contact_id in json.loads(row["contact_ids"]):
        links.add(call.work, "leads", lead_id or 0, "contacts", contact_id)
        call.store.update("contacts", {"is_unsorted": 0}, id=contact_id)
    _bin(call.work, row, "leads", [row["lead_id"]])
    return _decided(call, row, "linked", order)


def _order(call: Call) -> Item:
    """The body of a decision, which may be missing."""
    return Item(call.object() if call.body.strip() not in (b"", b"[]", b"{}") else {})


def _bin(work: Work, row: Row, kind: str, ids: list[int]) -> None:
    """Put the entry's leads and new contacts into the bin; a contact from before stays."""
    for card_id, card in cards.find(work, kind, ids).items():
        if kind == "leads" or card["is_unsorted"]:
            cards.move_to_bin(work, kind, cards.find(work, kind, [card_id])[card_id])


def _decided(call: Call, row: Row, state: str, order: Item) -> Answer:
    by = order.person("user_id", call.work.user_ids)
    pass_or_refuse([order])
    after = row | {"state": state, "decided_at": call.work.now, "decided_by": by or call.work.user_id}
    call.store.update("unsorted", {"state": state, "decided_at": call.work.now}, uid=row["uid"])
    call.work.changed("deleted" if state != "linked" else "updated", "unsorted", row["uid"], row, after)
    shown = {key: row[key] for key in ("uid", "pipeline_id", "category", "created_at")}
    return hal(shown | {"_embedded": _embedded(call, row)})


def _waiting(call: Call) -> Row | None:
    sql = "SELECT * FROM unsorted WHERE uid = ? AND state = 'waiting'"
    return call.store.row(sql, [call.path_params["uid"]])


def _show(call: Call, row: Row) -> dict[str, Any]:
    shown = {key: row[key] for key in ("uid", "source_uid", "source_name", "category", "pipeline_id", "created_at")}
    embedded = _embedded(call, row)
    return shown | {
        "metadata": json.loads(row["metadata"]),
        "account_id": ACCOUNT_ID,
        "_links": call.link(f"/api/v4/leads/unsorted/{row['uid']}"),
        "_embedded": {kind: embedded[kind] for kind in ("contacts", "leads", "companies")},
    }


def _embedded(call: Call, row: Row) -> dict[str, list[dict[str, Any]]]:
    ids = {
        "leads": [row["lead_id"]] if row["lead_id"] else [],
        "contacts": json.loads(row["contact_ids"]),
        "companies": json.loads(row["company_ids"]),
    }
    return {
        kind: [{"id": card_id, "_links": call.link(f"/api/v4/{kind}/{card_id}")} for card_id in numbers]
        for kind, numbers in ids.items()
    }

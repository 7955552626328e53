"""The integration's own lead sources: `/sources` (sheet 5.15)."""

from __future__ import annotations

import json
from typing import Any

from sandbox.answers import Answer, Refusal, hal, nothing, problem
from sandbox.api import patching
from sandbox.api.card_input import stages_of
from sandbox.api.checks import Item, items, pass_or_refuse
from sandbox.api.listing import created, whole
from sandbox.call import Call
from sandbox.store.database import Row

MOST_SOURCES = 100
"""Of an integration (sheet 4.1, D)."""


def read_list(call: Call) -> Answer:
    """GET /sources: 204 while there are none."""
    return whole(call, "sources", [_show(call, row) for row in call.store.rows("SELECT * FROM sources ORDER BY id")])


def read_one(call: Call) -> Answer:
    """GET /sources/{id}."""
    row = _addressed(call)
    return hal(_show(call, row)) if row else problem(404, "Not Found")


def create(call: Call) -> Answer:
    """POST /sources: of AmoCRM's "external ids" the only kind that must be unique (sheet 4.3, L)."""
    checked = items(call)
    shown = []
    for item in checked:
        row: Row = {"id": call.store.next_id("sources")} | _values(call, item, own_id=0)
        for key in ("name", "external_id"):
            item.text(key, required=True)
        if call.store.value("SELECT count(*) FROM sources") >= MOST_SOURCES:
            raise Refusal(problem(422, f"Limit {MOST_SOURCES} sources"))  # U: only the limit itself is known
        if not item.errors:
            row.setdefault("pipeline_id", next(iter(stages_of(call.work))))
            call.store.insert("sources", row)
            call.work.changed("added", "sources", row["id"], None, row)
            shown.append(patching.echoing(_show(call, _source(call, row["id"]) or row), item))
    pass_or_refuse(checked)
    return created(call, "sources", shown)


def update(call: Call) -> Answer:
    """PATCH /sources."""
    return patching.many(call, "sources", _source, _changed, _show)


def update_one(call: Call) -> Answer:
    """PATCH /sources/{id}."""
    return patching.one(call, _addressed(call), _changed, _show)


def _changed(call: Call, row: Row, item: Item) -> Row | None:
    values = _values(call, item, own_id=row["id"])
    if item.errors:
        return None
    call.store.update("sources", values, id=row["id"])
    call.work.changed("updated", "sources", row["id"], row, row | values)
    return row | values


def delete(call: Call) -> Answer:
    """DELETE /sources with `[{"id": …}]` in the body."""
    checked = items(call)
    rows = []
    for item in checked:
        row = _source(call, item.integer("id") or 0)
        if row is None:
            item.refuse("NotSupportedChoice", "id")
        else:
            rows.append(row)
    pass_or_refuse(checked)
    for row in rows:
        _remove(call, row)
    return nothing()


def delete_one(call: Call) -> Answer:
    """DELETE /sources/{id}: 204, again 404."""
    row = _addressed(call)
    if row is None:
        return problem(404, "Not Found")
    _remove(call, row)
    return nothing()


def _remove(call: Call, row: Row) -> None:
    call.store.db.execute("DELETE FROM sources WHERE id = ?", [row["id"]])
    call.work.changed("deleted", "sources", row["id"], row, None)


def _values(call: Call, item: Item, own_id: int) -> Row:
    values: Row = {"name": item.text("name"), "external_id": item.text("external_id")}
    values["pipeline_id"] = item.choice("pipeline_id", stages_of(call.work))
    values["is_default"] = item.boolean("default")
    values["origin_code"] = item.text("origin_code")
    if item.data.get("services") is not None:
        values["services"] = json.dumps(item.elements("services"), ensure_ascii=False)
    same = call.store.value("SELECT id FROM sources WHERE external_id = ?", [values["external_id"]])
    if same not in (None, own_id):
        item.refuse("SourceAlreadyExists", "external_id", "Source already exists")
    return {key: value for key, value in values.items() if value is not None}


def _addressed(call: Call) -> Row | None:
    return _source(call, call.path_params["id"])


def _source(call: Call, source_id: int) -> Row | None:
    return call.store.row("SELECT * FROM sources WHERE id = ?", [source_id])


def _show(call: Call, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "pipeline_id": row["pipeline_id"],
        "external_id": row["external_id"],
        "default": bool(row["is_default"]),
        "origin_code": row["origin_code"],
        "services": json.loads(row["services"]),
        "_links": call.link(f"/api/v4/sources/{row['id']}"),
    }

"""Why leads are lost: `/leads/loss_reasons` (sheet 5.14)."""

from __future__ import annotations

from typing import Any

from sandbox.answers import Answer, hal, nothing, problem
from sandbox.api import patching
from sandbox.api.checks import Item, items, pass_or_refuse
from sandbox.api.listing import created, page_of, paged
from sandbox.call import Call
from sandbox.oauth.access import admins_only
from sandbox.store.database import Row


def show(call: Call, row: Row) -> dict[str, Any]:
    """A reason in the API's form, here and under a lead's `_embedded`."""
    return {**row, "_links": call.link(f"/api/v4/leads/loss_reasons/{row['id']}")}


def read_list(call: Call) -> Answer:
    """GET /leads/loss_reasons."""
    page = page_of(call)
    sql = "SELECT * FROM loss_reasons ORDER BY sort, id LIMIT ? OFFSET ?"
    rows = call.store.rows(sql, [page.limit + 1, page.offset])
    return paged(call, "loss_reasons", [show(call, row) for row in rows[: page.limit]], page, len(rows) > page.limit)


def read_one(call: Call) -> Answer:
    """GET /leads/loss_reasons/{id}."""
    row = _addressed(call)
    return hal(show(call, row)) if row else problem(404, "Not Found")


def create(call: Call) -> Answer:
    """POST /leads/loss_reasons."""
    admins_only(call)
    checked = items(call)
    wanted = [(item.text("name", required=True), item.integer("sort")) for item in checked]
    pass_or_refuse(checked)
    shown = []
    for item, (name, sort) in zip(checked, wanted, strict=True):
        row: Row = {
            "id": call.store.next_id("loss_reasons"),
            "name": name,
            "sort": 100000 if sort is None else sort,
            "created_at": call.work.now,
            "updated_at": call.work.now,
        }
        call.store.insert("loss_reasons", row)
        call.work.changed("added", "loss_reasons", row["id"], None, row)
        shown.append(patching.echoing(show(call, row), item))
    return created(call, "loss_reasons", shown)


def update(call: Call) -> Answer:
    """PATCH /leads/loss_reasons."""
    admins_only(call)
    return patching.many(call, "loss_reasons", _reason, _changed, show)


def update_one(call: Call) -> Answer:
    """PATCH /leads/loss_reasons/{id}."""
    admins_only(call)
    return patching.one(call, _addressed(call), _changed, show)


def _changed(call: Call, row: Row, item: Item) -> Row | None:
    values = {"name": item.text("name"), "sort": item.integer("sort"), "updated_at": call.work.now}
    values = {key: value for key, value in values.items() if value is not None}
    if item.errors:
        return None
    call.store.update("loss_reasons", values, id=row["id"])
    call.work.changed("updated", "loss_reasons", row["id"], row, row | values)
    return row | values


def delete(call: Call) -> Answer:
    """DELETE /leads/loss_reasons/{id}: leads with this reason keep the number."""
    admins_only(call)
    row = _addressed(call)
    if row is None:
        return problem(404, "Not Found")
    call.store.db.execute("DELETE FROM loss_reasons WHERE id = ?", [row["id"]])
    call.work.changed("deleted", "loss_reasons", row["id"], row, None)
    return nothing()


def _addressed(call: Call) -> Row | None:
    return _reason(call, call.path_params["id"])


def _reason(call: Call, reason_id: int) -> Row | None:
    return call.store.row("SELECT * FROM loss_reasons WHERE id = ?", [reason_id])

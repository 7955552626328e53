"""Groups of custom fields, the tabs of a card: `/{leads|contacts|companies}/custom_fields/groups` (sheet 5.8)."""

from __future__ import annotations

from typing import Any

from sandbox.answers import Answer, hal, nothing, problem
from sandbox.api.checks import Item, items, pass_or_refuse, pass_or_refuse_one
from sandbox.api.listing import MOST_LIMIT, Page, own_link, paged
from sandbox.call import Call
from sandbox.oauth.access import admins_only
from sandbox.store.database import Row


def read_list(call: Call) -> Answer:
    """GET …/groups."""
    kind = call.path_params["kind"]
    rows = call.store.rows("SELECT * FROM field_groups WHERE entity_type = ? ORDER BY sort, id", [kind])
    shown = [_show(call, row) for row in rows]
    return paged(call, "custom_field_groups", shown, Page(1, MOST_LIMIT), False, total=len(rows))


def read_one(call: Call) -> Answer:
    """GET …/groups/{group}."""
    row = _addressed(call)
    return hal(_show(call, row)) if row else problem(404, "Not Found")


def create(call: Call) -> Answer:
    """POST …/groups: ids are words, `leads_` and a number."""
    admins_only(call)
    kind, checked = call.path_params["kind"], items(call)
    made = []
    for item in checked:
        row = {
            "entity_type": kind,
            "id": f"{kind}_{_next_number(call)}",
            "name": item.text("name", required=True),
            "sort": item.integer("sort") or 0,
            "is_predefined": 0,
        }
        wanted = _wanted_fields(call, item)
        if not item.errors:
            call.store.insert("field_groups", row)
            _take_fields(call, row["id"], wanted)
            call.work.changed("added", "field_groups", row["id"], None, row)
            made.append((row, item.request_id))
    pass_or_refuse(checked)
    shown = [_show(call, row) | {"request_id": request_id} for row, request_id in made]
    return hal({"_total_items": len(shown), "_links": own_link(call), "_embedded": {"custom_field_groups": shown}}, 201)


def update(call: Call) -> Answer:
    """PATCH …/groups/{group}: its name, its place, its fields."""
    admins_only(call)
    row = _addressed(call)
    if row is None:
        return problem(404, "Not Found")
    item = Item(call.object())
    values = {"name": item.text("name"), "sort": item.integer("sort")}
    wanted = _wanted_fields(call, item)
    pass_or_refuse_one(item)
    values = {key: value for key, value in values.items() if value is not None}
    call.store.update("field_groups", values, entity_type=row["entity_type"], id=row["id"])
    _take_fields(call, row["id"], wanted)
    call.work.changed("updated", "field_groups", row["id"], row, row | values)
    return hal(_show(call, row | values))


def delete(call: Call) -> Answer:
    """DELETE …/groups/{group}: its fields stay, outside any group; built-in groups cannot go."""
    admins_only(call)
    row = _addressed(call)
    if row is None:
        return problem(404, "Not Found")
    if row["is_predefined"]:
        return problem(403, "Forbidden")
    kind = row["entity_type"]
    call.store.update("custom_fields", {"group_id": None}, entity_type=kind, group_id=row["id"])
    call.store.db.execute("DELETE FROM field_groups WHERE entity_type = ? AND id = ?", [kind, row["id"]])
    call.work.changed("deleted", "field_groups", row["id"], row, None)
    return nothing()


def _addressed(call: Call) -> Row | None:
    kind, group = call.path_params["kind"], call.path_params["group"]
    return call.store.row("SELECT * FROM field_groups WHERE entity_type = ? AND id = ?", [kind, group])


def _next_number(call: Call) -> int:
    number = int(call.store.meta("last group") or 0) + 1
    call.store.remember("last group", str(number))
    return number


def _wanted_fields(call: Call, item: Item) -> list[int]:
    """Ids of the fields that shall stand in the group."""
    wanted = item.elements("fields")
    for position, field_id in enumerate(wanted):
        if field_id not in call.work.fields[call.path_params["kind"]]:
            item.refuse("NotSupportedChoice", f"fields.{position}")
    return wanted


def _take_fields(call: Call, group: str, field_ids: list[int]) -> None:
    for field_id in field_ids:
        kind = call.path_params["kind"]
        call.store.update("custom_fields", {"group_id": group}, entity_type=kind, id=field_id)
    call.work.forget_fields()


def _show(call: Call, row: Row) -> dict[str, Any]:
    kind = row["entity_type"]
    fields = [field.id for field in call.work.fields[kind].values() if field.row["group_id"] == row["id"]]
    return {
        "id": row["id"],
        "name": row["name"],
        "is_predefined": bool(row["is_predefined"]),
        "type": kind,
        "entity_type": kind,
        "sort": row["sort"],
        "fields": fields,
        "_links": call.link(f"/api/v4/{kind}/custom_fields/groups/{row['id']}"),
    }

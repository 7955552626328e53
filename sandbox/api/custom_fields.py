"""Definitions of custom fields: `/{leads|contacts|companies}/custom_fields` (sheet 5.8).

What may be written into a field is `field_values.py`; the groups they stand in are `field_groups.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.answers import Answer, hal, nothing, problem
from sandbox.api.checks import Item, each, items, pass_or_refuse, pass_or_refuse_one
from sandbox.api.listing import own_link, page_of, paged, scalars
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_ID
from sandbox.oauth.access import admins_only
from sandbox.store.database import Row
from sandbox.store.fields import CHOICE_TYPES, TYPES, Field

KEYS = (
    "name", "type", "code", "sort", "group_id", "is_api_only", "required_statuses", "enums", "remind", "currency",
    "chained_lists", "nested", "tracking_callback", "hidden_statuses", "request_id", "id", "entity_type",
    "is_predefined", "is_deletable",
)  # fmt: skip
FIRST_ENUM_ID = 566_600


def show(call: Call, kind: str, field: Field) -> dict[str, Any]:
    """A definition in the API's form."""
    row = field.row
    return {
        "id": field.id,
        "name": field.name,
        "type": field.type,
        "account_id": ACCOUNT_ID,
        "code": field.code,
        "sort": row["sort"],
        "is_api_only": bool(row["is_api_only"]),
        "enums": list(field.enums) or None,
        "group_id": row["group_id"],
        "required_statuses": json.loads(row["required_statuses"]),
        "is_deletable": not row["is_predefined"],
        "is_predefined": bool(row["is_predefined"]),
        "entity_type": kind,
        "tracking_callback": None,
        "remind": row["remind"],
        "triggers": [],
        "currency": row["currency"],
        "hidden_statuses": [],
        "chained_lists": json.loads(row["chained_lists"]) if row["chained_lists"] else None,
        "_links": call.link(f"/api/v4/{kind}/custom_fields/{field.id}"),
    }


def read_list(call: Call) -> Answer:
    """GET /{kind}/custom_fields: paged, 50 by default, so an account may need several pages."""
    kind = call.path_params["kind"]
    types = scalars(call.filter("type"))
    fields = [field for field in call.work.fields[kind].values() if not types or field.type in types]
    wanted = call.query.get("order")
    if isinstance(wanted, dict) and "id" in wanted:
        fields.sort(key=lambda field: field.id, reverse=str(wanted["id"]).lower() == "desc")
    page = page_of(call)
    shown = [show(call, kind, field) for field in fields[page.offset : page.offset + page.limit]]
    return paged(call, "custom_fields", shown, page, page.offset + page.limit < len(fields), total=len(fields))


def read_one(call: Call) -> Answer:
    """GET /{kind}/custom_fields/{id}."""
    kind, field = _addressed(call)
    return hal(show(call, kind, field)) if field else problem(404, "Not Found")


def create(call: Call) -> Answer:
    """POST /{kind}/custom_fields: an array; 201 with whole definitions."""
    admins_only(call)
    kind = call.path_params["kind"]
    checked = items(call)
    rows = [_new_row(call, kind, item) for item in checked]
    pass_or_refuse(checked)
    for row in rows:
        call.store.insert("custom_fields", row)
        call.work.changed("added", "custom_fields", row["id"], None, row)
    return _results(call, kind, checked, [row["id"] for row in rows], status=201)


def update_list(call: Call) -> Answer:
    """PATCH /{kind}/custom_fields: each item names its `id`."""
    admins_only(call)
    kind = call.path_params["kind"]
    checked = items(call)
    fields = call.work.fields[kind]
    plans = [_plan(call, kind, fields.get(item.integer("id") or 0), item) for item in checked]
    pass_or_refuse(checked)
    for plan in plans:
        plan()
    return _results(call, kind, checked, [item.data["id"] for item in checked])


def update_one(call: Call) -> Answer:
    """PATCH /{kind}/custom_fields/{id}: an object; the whole definition comes back."""
    admins_only(call)
    kind, field = _addressed(call)
    if field is None:
        return problem(404, "Not Found")
    item = Item(call.object())
    plan = _plan(call, kind, field, item)
    pass_or_refuse_one(item)
    plan()
    call.work.forget_fields()
    return hal(show(call, kind, call.work.fields[kind][field.id]) | {"request_id": item.request_id})


def delete(call: Call) -> Answer:
    """DELETE /{kind}/custom_fields/{id}: the values disappear with their field. Built-in fields stay."""
    admins_only(call)
    kind, field = _addressed(call)
    if field is None:
        return problem(404, "Not Found")
    if field.row["is_predefined"]:
        return problem(403, "Forbidden")
    call.store.db.execute("DELETE FROM custom_fields WHERE entity_type = ? AND id = ?", [kind, field.id])
    call.work.changed("deleted", "custom_fields", field.id, field.row, None)
    return nothing()


def _addressed(call: Call) -> tuple[str, Field | None]:
    kind = call.path_params["kind"]
    return kind, call.work.fields[kind].get(call.path_params["id"])


def _results(call: Call, kind: str, checked: list[Item], ids: list[int], status: int = 200) -> Answer:
    call.work.forget_fields()
    fields = call.work.fields[kind]
    shown = [
        show(call, kind, fields[field_id]) | {"request_id": item.request_id}
        for field_id, item in zip(ids, checked, strict=True)
    ]
    body = {"_total_items": len(shown), "_links": own_link(call), "_embedded": {"custom_fields": shown}}
    return hal(body, status)


def _new_row(call: Call, kind: str, item: Item) -> Row:
    name = item.text("name", required=True)
    field_type = item.choice("type", TYPES[kind])
    if item.data.get("type") is None:
        item.refuse("FieldMissing", "type")
    if field_type in ("monetary", "price") and not item.data.get("currency"):
        item.refuse("FieldMissing", "currency")
    sort = item.integer("sort")
    taken = [field.row["sort"] for field in call.work.fields[kind].values()]
    return {
        "entity_type": kind,
        "id": call.store.next_id("custom_fields"),
        "name": name,
        "type": field_type,
        "code": _code(call, kind, item, own=None),
        "sort": max(taken, default=500) + 1 if sort is None else sort,
        "group_id": item.text("group_id"),
        "is_api_only": bool(item.boolean("is_api_only")),
        "is_predefined": False,
        "enums": _enums(call, item, field_type, ()),
        "required_statuses": json.dumps(item.elements("required_statuses")),
        "remind": item.text("remind"),
        "currency": item.text("currency"),
        "chained_lists": _chain(item, field_type),
    }


def _chain(item: Item, field_type: str | None) -> str | None:
    """The lists a `chained_list` leads through, as JSON; other types have none (sheet 5.8, D)."""
    given = item.elements("chained_lists")
    if field_type != "chained_list" or not given:
        return None
    for path, entry in each(given, "chained_lists"):
        level = item.inside(path, entry)
        if level.integer("catalog_id") is None and not level.errors:
            level.refuse("FieldMissing", "catalog_id")
        level.integer("parent_catalog_id")
        level.text("title")
    return json.dumps(given, ensure_ascii=False)


def _plan(call: Call, kind: str, field: Field | None, item: Item) -> Callable[[], None]:
    """Check a change and return the function that carries the change out."""
    if field is None:
        item.refuse("NotSupportedChoice", "id")
        return lambda: None
    if field.type in ("monetary", "price") and not item.data.get("currency"):
        item.refuse("FieldMissing", "currency")  # even when it does not change (sheet 5.8, L)
    changes: Row = {
        "name": item.text("name"),
        "sort": item.integer("sort"),
        "group_id": item.text("group_id"),
        "remind": item.text("remind"),
        "currency": item.text("currency"),
        "code": _code(call, kind, item, own=field.id),
        "is_api_only": item.boolean("is_api_only"),
    }
    changes = {key: value for key, value in changes.items() if value is not None}
    if item.data.get("enums") is not None:
        changes["enums"] = _enums(call, item, field.type, field.enums)
    if item.data.get("chained_lists") is not None:
        changes["chained_lists"] = _chain(item, field.type)
    if item.data.get("required_statuses") is not None:
        changes["required_statuses"] = json.dumps(item.elements("required_statuses"))

    def carry_out() -> None:
        call.store.update("custom_fields", changes, entity_type=kind, id=field.id)
        call.work.changed("updated", "custom_fields", field.id, field.row, {**field.row, **changes})

    return carry_out


def _code(call: Call, kind: str, item: Item, own: int | None) -> str | None:
    """The code, unless another field has the same: then `NotSupportedChoice` at `code` (sheet 5.8, D)."""
    code = item.text("code") or None
    if code and any(field.code == code and field.id != own for field in call.work.fields[kind].values()):
        item.refuse("NotSupportedChoice", "code")
    return code


def _enums(call: Call, item: Item, field_type: str | None, old: tuple[dict[str, Any], ...]) -> str | None:
    """The options, as JSON. Options whose ids are not sent again are gone (sheet 5.8, T)."""
    if field_type not in CHOICE_TYPES and field_type != "multitext":
        return None
    old_ids = {enum["id"] for enum in old}
    kept: list[dict[str, Any]] = []
    for path, entry in each(item.elements("enums"), "enums"):
        option = item.inside(path, entry)
        value = option.text("value", required=True)
        enum_id = option.integer("id")
        if enum_id is not None and enum_id not in old_ids:
            option.refuse("NotSupportedChoice", "id")
        sort = option.integer("sort")
        enum: dict[str, Any] = {
            "id": enum_id or _next_enum_id(call),
            "value": value,
            "sort": len(kept) if sort is None else sort,
        }
        if field_type != "multitext":
            enum["code"] = option.text("code")
        kept.append(enum)
    return json.dumps(kept, ensure_ascii=False)


def _next_enum_id(call: Call) -> int:
    """Enum ids are counted across all fields."""
    number = int(call.store.meta("last_enum_id") or FIRST_ENUM_ID) + 2
    call.store.remember("last_enum_id", str(number))
    return number

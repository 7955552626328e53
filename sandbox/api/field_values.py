"""`custom_fields_values`: the values a field of each type takes, stores and shows (sheet 6).

A card keeps `{field id: [value, …]}` and nothing the definition knows: names, codes and enum texts are put in when
it is read, so a renamed field reads by its new name everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.api.checks import Item, each
from sandbox.club.account import UTC_OFFSET_S, midnight
from sandbox.store.fields import Field

Stored = list[dict[str, Any]]
Values = dict[int, Stored | None]
"""Field id → value to store; None clears the field."""

MOST_CHAIN_LEVELS = 5
"""Of a chained_list (sheet 6)."""

ADDRESS_PARTS = {1: "address_line_1", 2: "address_line_2", 3: "city", 4: "state", 5: "zip", 6: "country"}


def accept(item: Item, fields: dict[int, Field], *, strict_text: bool) -> Values:
    """Read an item's field values. Notes an error for every value that does not fit."""
    by_code = {field.code: field for field in fields.values() if field.code}
    wanted: Values = {}
    for path, entry in each(item.elements("custom_fields_values"), "custom_fields_values"):
        part = item.inside(path, entry)
        field = _field(part, fields, by_code)
        if field is None:
            continue
        if not part.has("values"):
            part.refuse("FieldMissing", "values")
            continue
        wanted[field.id] = _stored(part, field, strict_text=strict_text) or None
    return wanted


def _field(part: Item, fields: dict[int, Field], by_code: dict[str, Field]) -> Field | None:
    """Find the field by id or by code; the official library sends id and code, either of them null (sheet 6)."""
    field_id, code = part.integer("field_id"), part.text("field_code")
    if field_id is None and code is None:
        if not part.errors:
            part.refuse("FieldMissing", "field_id")
        return None
    field = fields.get(field_id) if field_id is not None else by_code.get(code or "")
    if field is None:
        part.refuse("NotSupportedChoice", "field_id" if field_id is not None else "field_code")
    return field


def _stored(part: Item, field: Field, *, strict_text: bool) -> Stored:
    accept_one = ACCEPT.get(field.type, _text)
    stored: Stored = []
    for path, value in each(part.elements("values"), "values"):
        one = part.inside(path, value)
        errors_before = len(one.errors)
        if accept_one is _text and not strict_text and isinstance(one.data.get("value"), (int, float)):
            one.data = {**one.data, "value": str(one.data["value"])}
        kept = accept_one(one, field)
        if kept is not None and len(one.errors) == errors_before:
            stored.append(kept)
    if field.type == "chained_list" and len(stored) > MOST_CHAIN_LEVELS:
        part.refuse("NotSupportedChoice", "values")
    return stored if field.type in SEVERAL else stored[:1]


def _text(one: Item, field: Field) -> dict[str, Any] | None:
    value = one.text("value", required=True)
    return {"value": value} if value else None


def _number(one: Item, field: Field) -> dict[str, Any] | None:
    """Kept as text, which is how numeric and monetary fields read back."""
    value = one.data.get("value")
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        one.wrong_type("value", "numeric")
        return None
    try:
        number = float(value)
    except ValueError:
        one.wrong_type("value", "numeric")
        return None
    return {"value": str(int(number)) if number.is_integer() else str(value).strip()}


def _checkbox(one: Item, field: Field) -> dict[str, Any] | None:
    value = one.data.get("value")
    if value in ("1", "0"):
        return {"value": value == "1"}
    flag = one.boolean("value")
    return {"value": flag} if flag is not None else None


def _choice(one: Item, field: Field) -> dict[str, Any] | None:
    """An option by id, by code or by text; null keys are as good as absent."""
    for key, attribute in (("enum_id", "id"), ("enum_code", "code"), ("value", "value")):
        wanted = one.data.get(key)
        if wanted is None:
            continue
        for enum in field.enums:
            if enum.get(attribute) == wanted and not isinstance(wanted, bool):
                return {"enum_id": enum["id"]}
        one.refuse("NotSupportedChoice", key)
        return None
    one.refuse("FieldMissing", "value")
    return None


def _multitext(one: Item, field: Field) -> dict[str, Any] | None:
    """A phone or an address, verbatim; its kind defaults to the first, WORK."""
    value = one.text("value", required=True)
    kind: int | None = field.enums[0]["id"] if field.enums else None
    for key, attribute in (("enum_id", "id"), ("enum_code", "value")):
        wanted = one.data.get(key)
        if wanted is None:
            continue
        found = [enum["id"] for enum in field.enums if enum[attribute] == wanted]
        if not found:
            one.refuse("NotSupportedChoice", key)
            return None
        kind = found[0]
        break
    return {"value": value, "enum_id": kind} if value else None


def _seconds(one: Item) -> int | None:
    """Unix seconds, or RFC 3339 as the official library sends."""
    value = one.data.get("value")
    if value is None:
        return None
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            one.wrong_type("value", "int")
            return None
        if moment.tzinfo is None:
            return int((moment - datetime(1970, 1, 1)).total_seconds()) - UTC_OFFSET_S  # noqa: DTZ001 - club time
        return int(moment.timestamp())
    return one.integer("value")


def _date(one: Item, field: Field) -> dict[str, Any] | None:
    seconds = _seconds(one)
    return {"value": midnight(seconds)} if seconds is not None else None


def _date_time(one: Item, field: Field) -> dict[str, Any] | None:
    seconds = _seconds(one)
    return {"value": seconds} if seconds is not None else None


def _address(one: Item, field: Field) -> dict[str, Any] | None:
    value = one.text("value")
    numbers = {code: number for number, code in ADDRESS_PARTS.items()}
    number = one.integer("enum_id") or numbers.get(one.text("enum_code") or "")
    if number not in ADDRESS_PARTS:
        one.refuse("NotSupportedChoice", "enum_id")
        return None
    return {"value": value or "", "enum_id": number, "enum_code": ADDRESS_PARTS[number]}


def _record(one: Item, field: Field) -> dict[str, Any] | None:
    """legal_entity, linked_entity, file: an object is stored unchanged."""
    value = one.data.get("value")
    if not isinstance(value, dict):
        one.wrong_type("value", "array")
        return None
    if field.type == "legal_entity" and not value.get("name"):
        one.refuse("FieldMissing", "value.name")
    return {"value": value}


def _chain(one: Item, field: Field) -> dict[str, Any] | None:
    catalog, element = one.integer("catalog_id"), one.integer("catalog_element_id")
    return {"catalog_id": catalog, "catalog_element_id": element}


ACCEPT: dict[str, Callable[[Item, Field], dict[str, Any] | None]] = {
    "numeric": _number,
    "monetary": _number,
    "price": _number,
    "checkbox": _checkbox,
    "select": _choice,
    "radiobutton": _choice,
    "multiselect": _choice,
    "multitext": _multitext,
    "date": _date,
    "birthday": _date,
    "date_time": _date_time,
    "smart_address": _address,
    "legal_entity": _record,
    "linked_entity": _record,
    "file": _record,
    "chained_list": _chain,
}
"""Type → the check of one value. Every other type is text."""

SEVERAL = {"multiselect", "multitext", "smart_address", "legal_entity", "linked_entity", "chained_list", "file"}
"""Types of which a field holds more than one value."""


def read(stored: dict[str, Stored] | None, fields: dict[int, Field]) -> list[dict[str, Any]] | None:
    """The property in GET: null for a card without filled-in fields (sheet 6)."""
    shown = []
    for field_id, values in (stored or {}).items():
        field = fields.get(int(field_id))
        if field is not None and values:
            shown.append(
                {
                    "field_id": field.id,
                    "field_name": field.name,
                    "field_code": field.code,
                    "field_type": field.type,
                    "is_computed": False,
                    "values": [_shown(value, field) for value in values],
                }
            )
    return shown or None


def _shown(value: dict[str, Any], field: Field) -> dict[str, Any]:
    if field.type in ("select", "radiobutton", "multiselect"):
        enum = field.enum(value["enum_id"])
        return {"value": enum["value"], "enum_id": enum["id"], "enum_code": enum.get("code")}
    if field.type == "multitext":
        return {**value, "enum_code": field.enum(value["enum_id"])["value"]}
    return value


def texts(stored: dict[str, Stored] | None, fields: dict[int, Field]) -> list[str]:
    """Every filled-in value in a person's form: the text that `query=` searches."""
    found = []
    for field_id, values in (stored or {}).items():
        field = fields.get(int(field_id))
        if field is None or field.type in ("date", "date_time", "birthday", "checkbox"):
            continue
        for value in values:
            shown = field.enum(value["enum_id"])["value"] if field.is_choice else value.get("value")
            found.append(str(shown))
    return found

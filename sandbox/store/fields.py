"""Definitions of custom fields in the store. Their form in the API is `api/custom_fields.py`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sandbox.store.database import Row, Store

CHOICE_TYPES = ("select", "multiselect", "radiobutton")
EVERYWHERE = (
    "text", "numeric", "checkbox", *CHOICE_TYPES, "date", "url", "textarea", "streetaddress", "smart_address",
    "legal_entity", "date_time", "monetary", "file",
)  # fmt: skip
TYPES = {
    "leads": (*EVERYWHERE, "tracking_data", "chained_list", "birthday"),
    "contacts": (*EVERYWHERE, "multitext", "birthday"),
    "companies": (*EVERYWHERE, "multitext", "birthday"),
}
"""Which types a field of each kind of card can have. A phone on a lead must be text (sheet 5.8, D); a birthday need not be a
person's (sheet 0, V)."""


@dataclass(frozen=True)
class Field:
    """One definition. `enums`: `{id, value, sort, code?}`."""

    id: int
    name: str
    type: str
    code: str | None
    enums: tuple[dict[str, Any], ...]
    row: Row

    @property
    def is_choice(self) -> bool:
        """Whether the field is of a type with options."""
        return self.type in CHOICE_TYPES

    def enum(self, enum_id: int) -> dict[str, Any]:
        """The option with this id; an option since removed reads as an empty option."""
        return next((enum for enum in self.enums if enum["id"] == enum_id), {"id": enum_id, "value": ""})


def definitions(store: Store) -> dict[str, dict[int, Field]]:
    """Kind of card → id → definition, in the card's order."""
    found: dict[str, dict[int, Field]] = {kind: {} for kind in TYPES}
    for row in store.rows("SELECT * FROM custom_fields ORDER BY entity_type, sort, id"):
        found.setdefault(row["entity_type"], {})[row["id"]] = field_of(row)
    return found


def field_of(row: Row) -> Field:
    """The definition kept in a row."""
    enums = tuple(json.loads(row["enums"] or "[]"))
    return Field(row["id"], row["name"], row["type"], row["code"], enums, row)

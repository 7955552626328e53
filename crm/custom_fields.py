"""Definitions of the account's own fields. Sheet 5.8. Their use is `desk.fields`' business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm import answers
from crm.client import Client


@dataclass(frozen=True, slots=True)
class Field:
    """A field of leads or contacts. `choices`: the texts a select or multiselect allows, in AmoCRM's order; `marks`: the id
    and the code ("" for none) of each."""

    id: int
    entity: str
    name: str
    type: str
    code: str | None
    choices: tuple[str, ...]
    is_api_only: bool
    marks: tuple[tuple[int, str], ...] = ()


def of(client: Client, entity: str, *, live: bool = True) -> list[Field]:
    """All fields of "leads" or "contacts". 1 request for each 250."""
    pages = client.pages(f"/api/v4/{entity}/custom_fields", "custom_fields", f"fields.{entity}", live=live)
    return [_field(entity, item) for page in pages for item in page]


def create(
    client: Client, entity: str, name: str, field_type: str, *, code: str | None = None, is_api_only: bool = False
) -> Field:
    """Make a field and return its definition. 1 request. Needs an admin's token.

    A `code` that is taken is refused: `SaidNo("validation")`. An API-only field is not shown on AmoCRM's cards.
    """
    wanted: dict[str, Any] = {"name": name, "type": field_type}
    wanted |= ({"code": code} if code else {}) | ({"is_api_only": True} if is_api_only else {})
    path = f"/api/v4/{entity}/custom_fields"
    made, _ = client.make(path, "fields.create", "custom_fields", wanted, kind="field", subject=entity)
    return _field(entity, made)


def _field(entity: str, item: dict[str, Any]) -> Field:
    listed = item["enums"] if isinstance(item.get("enums"), list) else []
    choices = [choice for choice in listed if isinstance(choice, dict)]
    return Field(
        id=answers.number(item["id"]),
        entity=entity,
        name=str(item.get("name") or ""),
        type=str(item.get("type") or ""),
        code=str(item.get("code") or "") or None,
        choices=tuple(str(choice.get("value", "")) for choice in choices),
        is_api_only=bool(item.get("is_api_only")),
        marks=tuple((answers.whole(choice.get("id")) or 0, str(choice.get("code") or "")) for choice in choices),
    )

"""Tags: `/{leads|contacts|companies}/tags`, and the tags on a card (sheet 5.9, 5.2)."""

from __future__ import annotations

import json
from typing import Any

from sandbox.answers import Answer, hal
from sandbox.api.checks import Item, each, items, pass_or_refuse
from sandbox.api.listing import Collection, named, one_of, own_link, page_of, paged, where
from sandbox.brackets import scalars
from sandbox.call import Call
from sandbox.changes import Work
from sandbox.store.database import Row, marks

COLORS = {
    "EBEBEB", "D0D0D0", "F2DDF7", "D1A4DC", "FF8F92", "FFC8C8", "C7DB8C", "DDEBB5", "8699DA", "AABDFF", "FFCE5A",
    "FFE193", "90CDB0", "C6F4DE", "A9A5D7", "D8D5FF", "86C0FC", "832161", "6A0F49", "0C7C59", "10599D", "9D2B32", "247BA0",
}  # fmt: skip
"""Colours that the official library knows. The library breaks on any other, so a tag never has another colour (O)."""

TAGS = Collection("tags", "tags", filters={"id": one_of("id"), "name": named("name")})


def read_list(call: Call) -> Answer:
    """GET /{kind}/tags: `query` looks inside names. Ids count per kind of card."""
    conditions = [("entity_type = ?", [call.path_params["kind"]])]
    conditions += [build(call.filter(name)) or ("1", []) for name, build in TAGS.filters.items() if call.filter(name)]
    if query := " ".join(scalars(call.query.get("query"))):
        conditions.append(("instr(name, ?) > 0", [query]))
    sql, parameters = where(conditions)
    page = page_of(call)
    rows = call.store.rows(
        f"SELECT id, name, color FROM tags WHERE {sql} ORDER BY id LIMIT ? OFFSET ?",  # noqa: S608 - our own names
        [*parameters, page.limit + 1, page.offset],
    )
    return paged(call, "tags", rows[: page.limit], page, len(rows) > page.limit)


def create(call: Call) -> Answer:
    """POST /{kind}/tags: idempotent by name. Leads' tags have colours, other cards' tags do not."""
    kind = call.path_params["kind"]
    checked = items(call)
    wanted = [(item.text("name", required=True), item.choice("color", COLORS)) for item in checked]
    for item, (name, _) in zip(checked, wanted, strict=True):
        _not_blank(item, name)
    pass_or_refuse(checked)
    shown = []
    for item, (name, color) in zip(checked, wanted, strict=True):
        row = named_tag(call.work, kind, name or "", color if kind == "leads" else None)
        shown.append({"id": row["id"], "name": row["name"], "request_id": item.request_id})
    return hal({"_total_items": len(shown), "_links": own_link(call), "_embedded": {"tags": shown}})


def _not_blank(item: Item, name: str | None) -> None:
    """A tag without a name is none (sheet 4.3: 400; the code is Symfony's, U)."""
    if name is not None and not name.strip():
        item.refuse("NotBlank", "name")


def named_tag(work: Work, kind: str, name: str, color: str | None = None) -> Row:
    """The tag of this name, made if there is none."""
    row = work.store.row("SELECT * FROM tags WHERE entity_type = ? AND name = ?", [kind, name])
    if row is None:
        tag_id = work.store.next_id("tags", entity_type=kind)
        row = {"entity_type": kind, "id": tag_id, "name": name, "color": color}
        work.store.insert("tags", row)
        work.changed("added", "tags", tag_id, None, row)
    return row


def wanted_on_card(work: Work, kind: str, item: Item, current: list[int]) -> list[int]:
    """The tags a card shall have after this item: `_embedded.tags` replaces, `tags_to_*` add and take away.

    `null` under `_embedded.tags` is ignored by default, although the documentation says it clears (sheet 5.2).
    """
    embedded = item.tree("_embedded")
    wanted = list(current)
    if "tags" in embedded and (embedded["tags"] is not None or work.config.tags_null == "clears"):
        wanted = _tags(work, kind, item.inside("_embedded", embedded), "tags", make=True)
    wanted += _tags(work, kind, item, "tags_to_add", make=True)
    taken_away = _tags(work, kind, item, "tags_to_delete", make=False)
    return list(dict.fromkeys(tag_id for tag_id in wanted if tag_id not in taken_away))


def _tags(work: Work, kind: str, item: Item, key: str, *, make: bool) -> list[int]:
    """The ids under `key`, each given as an id or as a name; a name not yet known becomes a tag if `make`."""
    found = []
    for path, entry in each(item.elements(key), key):
        part = item.inside(path, entry)
        tag_id, name = part.integer("id"), part.text("name")
        if tag_id is None:
            _not_blank(part, name)
        if tag_id is not None:
            sql = "SELECT id FROM tags WHERE entity_type = ? AND id = ?"
            if work.store.value(sql, [kind, tag_id]) is None:
                part.refuse("NotSupportedChoice", "id")
            found.append(tag_id)
        elif name and name.strip() and make:
            found.append(named_tag(work, kind, name)["id"])
        elif name:
            sql = "SELECT id FROM tags WHERE entity_type = ? AND name = ?"
            found.append(work.store.value(sql, [kind, name]))
        elif name is None and not part.errors:
            part.refuse("FieldMissing", "name")
    return found


def shown(work: Work, kind: str, rows: list[Row]) -> dict[int, list[dict[str, Any]]]:
    """Card id → its tags in the form of `_embedded.tags`. One question for a whole page."""
    ids = {row["id"]: json.loads(row["tags"]) for row in rows}
    wanted = sorted({tag_id for tag_ids in ids.values() for tag_id in tag_ids})
    sql = f"SELECT id, name, color FROM tags WHERE entity_type = ? AND id IN ({marks(wanted)})"  # noqa: S608 - marks
    known = {row["id"]: row for row in work.store.rows(sql, [kind, *wanted])}
    return {card_id: [known[tag] for tag in tag_ids if tag in known] for card_id, tag_ids in ids.items()}

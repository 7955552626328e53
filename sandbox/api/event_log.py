"""Events made of changes, for `GET /events` (sheet 5.12). Reading is `events.py`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sandbox.changes import Change, Work
from sandbox.store.database import Row
from sandbox.store.event_ids import event_id
from sandbox.store.fields import Field

SINGULAR = {"leads": "lead", "contacts": "contact", "companies": "company", "tasks": "task"}
STAGE = ("pipeline_id", "status_id")
FIELD_TYPE_NUMBERS = {
    "text": 1, "numeric": 2, "checkbox": 3, "select": 4, "multiselect": 5, "date": 6, "url": 7, "multitext": 8,
    "textarea": 9, "radiobutton": 10, "streetaddress": 11, "smart_address": 13, "birthday": 14, "legal_entity": 15,
    "date_time": 19, "tracking_data": 23, "monetary": 24, "chained_list": 25, "file": 26, "linked_entity": 27,
}  # fmt: skip
"""`field_type` of a changed value is a number here; beyond 15 the numbers are ours (U)."""

NOTE_EVENTS = {
    "common": "common_note_added", "call_in": "incoming_call", "call_out": "outgoing_call", "sms_in": "incoming_sms",
    "sms_out": "outgoing_sms", "attachment": "attachment_note_added", "geolocation": "geo_note_added",
    "service_message": "service_note_added", "extended_service_message": "service_note_added",
}  # fmt: skip

Event = tuple[str, str, int, list[Any], list[Any]]
"""type, singular entity type, entity id, value_after, value_before."""

TagName = Callable[[int], str]


def write(work: Work) -> None:
    """Turn the work's changes into events, in their order."""
    rows: list[Row] = []
    for change in work.changes:
        fields, tag_name = work.fields.get(change.entity, {}), partial(_tag_name, work, change.entity)
        for type_, entity_type, entity_id, after, before in of_change(change, fields, tag_name):
            rows.append(
                {
                    "id": event_id(int(work.moment * 1000) + len(rows), secrets.randbits(80)),
                    "type": type_,
                    "entity_id": entity_id,
                    "entity_type": entity_type,
                    "created_by": work.user_id,
                    "created_at": work.now,
                    "value_after": json.dumps(after, ensure_ascii=False),
                    "value_before": json.dumps(before, ensure_ascii=False),
                }
            )
    work.store.insert_many("events", rows)


def _tag_name(work: Work, kind: str, tag_id: int) -> str:
    return work.store.value("SELECT name FROM tags WHERE entity_type = ? AND id = ?", [kind, tag_id]) or ""


def of_change(change: Change, fields: dict[int, Field], tag_name: TagName) -> Iterator[Event]:
    """The events of a change. AmoCRM's events of pipelines, fields and hooks are not known, so none are made."""
    entity = SINGULAR.get(change.entity)
    row = change.after or change.before or {}
    if change.entity == "notes":
        if change.kind == "added" and (type_ := NOTE_EVENTS.get(row["note_type"])):
            yield type_, SINGULAR[row["entity_type"]], row["entity_id"], [{"note": {"id": change.id}}], []
    elif change.kind in ("linked", "unlinked"):
        linked = [{"link": {"entity": {"type": SINGULAR[row["to_type"]], "id": row["to_id"]}}}]
        after, before = (linked, []) if change.kind == "linked" else ([], linked)
        yield f"entity_{change.kind}", SINGULAR[row["from_type"]], row["from_id"], after, before
    elif change.kind == "merged":
        swallowed = [{"link": {"entity": {"type": entity, "id": (change.before or {})["id"]}}}]  # the shape is ours (U)
        yield "entity_merged", entity or change.entity, int(change.id), swallowed, []
    elif entity == "task":
        yield from _task(change)
    elif entity and change.kind == "updated":
        yield from _card(change, entity, fields, tag_name)
    elif entity:
        noted = [{"note": {"id": change.id}}] if change.kind == "added" else []
        yield f"{entity}_{change.kind}", entity, int(change.id), noted, []


TASK_VALUES: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "text": ("text", lambda text: {"task": {"text": text}}),
    "complete_till": ("deadline", lambda moment: {"task_deadline": {"timestamp": moment}}),
    "task_type_id": ("type", lambda type_id: {"task_type": {"id": type_id}}),
}
"""Column of a task → event and the shape of its values."""


def _task(change: Change) -> Iterator[Event]:
    """`task_deadline`, `task_type` and `note` in the form a client library reads (sheet 0, M); the text's shape is ours (U)."""
    note = [{"note": {"id": int(change.id)}}]
    if change.kind != "updated":
        yield f"task_{change.kind}", "task", int(change.id), note, []
        return
    before, after = change.before or {}, change.after or {}
    for column, (type_, shape) in TASK_VALUES.items():
        if before[column] != after[column]:
            yield f"task_{type_}_changed", "task", int(change.id), [shape(after[column])], [shape(before[column])]
    if after["is_completed"] and not before["is_completed"]:
        yield "task_completed", "task", int(change.id), note, []
    if after["result"] and after["result"] != before["result"]:
        yield "task_result_added", "task", int(change.id), note, []


SIMPLE: dict[str, tuple[str, Callable[[Row], dict[str, Any]]]] = {
    "responsible_user_id": (
        "entity_responsible_changed",
        lambda row: {"responsible_user": {"id": row["responsible_user_id"]}},
    ),
    "name": ("name_field_changed", lambda row: {"name_field_value": {"name": row["name"]}}),
    "price": ("sale_field_changed", lambda row: {"sale_field_value": {"sale": row["price"]}}),
}
"""Column → event and the shape of its values; the shapes of the last two are ours (U)."""


def _card(change: Change, entity: str, fields: dict[int, Field], tag_name: TagName) -> Iterator[Event]:
    before, after, id_ = change.before or {}, change.after or {}, int(change.id)
    if entity == "lead" and [before[key] for key in STAGE] != [after[key] for key in STAGE]:
        yield "lead_status_changed", entity, id_, [_stage(after)], [_stage(before)]
    for column, (type_, shape) in SIMPLE.items():
        if column in after and before[column] != after[column]:
            yield type_, entity, id_, [shape(after)], [shape(before)]
    yield from _field_values(change, entity, fields)
    old_tags, new_tags = set(json.loads(before["tags"])), set(json.loads(after["tags"]))
    for tag_id in sorted(new_tags - old_tags):
        yield "entity_tag_added", entity, id_, [{"tag": {"name": tag_name(tag_id)}}], []
    for tag_id in sorted(old_tags - new_tags):
        yield "entity_tag_deleted", entity, id_, [], [{"tag": {"name": tag_name(tag_id)}}]


def _stage(row: Row) -> dict[str, Any]:
    return {"lead_status": {"id": row["status_id"], "pipeline_id": row["pipeline_id"]}}


def _field_values(change: Change, entity: str, fields: dict[int, Field]) -> Iterator[Event]:
    before = json.loads((change.before or {})["custom_fields"] or "{}")
    after = json.loads((change.after or {})["custom_fields"] or "{}")
    for field_id in sorted(before.keys() | after.keys()):
        if before.get(field_id) != after.get(field_id) and (field := fields.get(int(field_id))):
            shown, old = ([_value(field, value) for value in values.get(field_id) or []] for values in (after, before))
            yield f"custom_field_{field_id}_value_changed", entity, int(change.id), shown, old


def _value(field: Field, value: dict[str, Any]) -> dict[str, Any]:
    text = field.enum(value["enum_id"])["value"] if field.is_choice else value.get("value")
    number = FIELD_TYPE_NUMBERS.get(field.type, 1)
    shown = {"field_id": field.id, "field_type": number, "enum_id": value.get("enum_id"), "text": str(text)}
    return {"custom_field_value": shown}

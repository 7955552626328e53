"""Tasks: `/tasks` (sheet 5.10)."""

from __future__ import annotations

import json
from typing import Any

from sandbox.answers import Answer, Refusal, hal, nothing, problem
from sandbox.api import cards, patching
from sandbox.api.checks import Item, items, pass_or_refuse
from sandbox.api.listing import Collection, between, created, item_query, named, one_of, paged, select
from sandbox.call import Call
from sandbox.changes import Work
from sandbox.club.account import ACCOUNT_ID
from sandbox.store.database import Row
from sandbox.store.schema import CARDS

TASKS = Collection(
    "tasks",
    "tasks",
    filters={
        "id": one_of("id"),
        "responsible_user_id": one_of("responsible_user_id"),
        "is_completed": one_of("is_completed"),
        "task_type": one_of("task_type_id"),
        "task_type_id": one_of("task_type_id"),
        "entity_type": named("entity_type"),
        "entity_id": one_of("entity_id"),
        "updated_at": between("updated_at"),
    },
    orders=("id", "created_at", "complete_till"),
)
"""Not by `updated_at`: that is ignored (sheet 4.4, L)."""


def read_list(call: Call) -> Answer:
    """GET /tasks."""
    rows, page, more = select(call, TASKS, [("is_deleted = 0", [])])
    query = item_query(call)
    return paged(call, "tasks", [show(call, row, query) for row in rows], page, more)


def read_one(call: Call) -> Answer:
    """GET /tasks/{id}."""
    row = _find(call, call.path_params["id"])
    return hal(show(call, row, call.raw_query)) if row else nothing()


def find(work: Work, task_id: int) -> Row | None:
    """The task, unless deleted."""
    return work.store.row("SELECT * FROM tasks WHERE id = ? AND is_deleted = 0", [task_id])


def create(call: Call) -> Answer:
    """POST /tasks."""
    checked = items(call)
    shown = []
    for item in checked:
        values = _values(call.work, item)
        item.text("text", required=True)
        if item.data.get("complete_till") is None:
            item.refuse("FieldMissing", "complete_till")
        if not item.errors:
            row = insert(call.work, values)
            shown.append(patching.echoing(_changed(call, row), item))
    pass_or_refuse(checked)
    return created(call, "tasks", shown)


def insert(work: Work, values: Row) -> Row:
    """A new task."""
    row = {
        "id": work.store.next_id("tasks"),
        "created_by": work.user_id,
        "updated_by": work.user_id,
        "created_at": work.now,
        "updated_at": values.get("created_at", work.now),
        "responsible_user_id": work.user_id,
        "group_id": 0,
        "entity_id": None,
        "entity_type": None,
        "duration": 0,
        "is_completed": 0,
        "task_type_id": 1,
        "text": "",
        "result": None,
        "complete_till": work.now,
        "is_deleted": 0,
    } | values
    work.store.insert("tasks", row)
    _note_closest(work, row)
    work.changed("added", "tasks", row["id"], None, row)
    return row


def update(call: Call) -> Answer:
    """PATCH /tasks."""
    return patching.many(call, "tasks", _find, _updated, _changed)


def update_single(call: Call) -> Answer:
    """PATCH /tasks/{id}."""
    return patching.one(call, _find(call, call.path_params["id"]), _updated, _changed)


def delete(call: Call) -> Answer:
    """DELETE /tasks/{id}: no token has that scope (sheet 4.3, L)."""
    raise Refusal(problem(403, "Invalid scope"))


def _find(call: Call, task_id: int) -> Row | None:
    return find(call.work, task_id)


def _updated(call: Call, before: Row, item: Item) -> Row | None:
    values = {"updated_at": call.work.now, "updated_by": call.work.user_id} | _values(call.work, item)
    return None if item.errors else write(call.work, before, values)


def write(work: Work, before: Row, values: Row) -> Row:
    """Change a task's columns."""
    after = before | values
    work.store.update("tasks", values, id=before["id"])
    _note_closest(work, after)
    work.changed("updated" if not after["is_deleted"] else "deleted", "tasks", before["id"], before, after)
    return after


def _values(work: Work, item: Item) -> Row:
    """The columns an item sets."""
    types = {row["id"] for row in work.store.rows("SELECT id FROM task_types")}
    values: Row = {key: item.integer(key) for key in ("complete_till", "duration", "created_at", "updated_at")}
    for key in ("responsible_user_id", "created_by", "updated_by"):
        values[key] = item.person(key, work.user_ids)
    values["text"] = item.text("text")
    values["is_completed"] = item.boolean("is_completed")
    values["task_type_id"] = item.choice("task_type_id", types)
    values["entity_type"] = item.choice("entity_type", (*CARDS, "customers"))
    values["entity_id"] = item.integer("entity_id")
    if values["entity_id"] and values["entity_type"] in CARDS:
        if not cards.exists(work, values["entity_type"], values["entity_id"]):
            item.refuse("NotSupportedChoice", "entity_id")
    elif values["entity_id"] and not item.errors:
        # Of customers, which this account has switched off, there is none with any number.
        has_type = values["entity_type"] is not None
        item.refuse("NotSupportedChoice", "entity_id") if has_type else item.refuse("FieldMissing", "entity_type")
    result = item.inside("result", item.tree("result")).text("text")
    if result is not None:
        values["result"] = json.dumps({"text": result}, ensure_ascii=False)
    return {key: value for key, value in values.items() if value is not None}


def _note_closest(work: Work, task: Row) -> None:
    if task["entity_type"] in CARDS and task["entity_id"]:
        note_closest(work, task["entity_type"], task["entity_id"])


def note_closest(work: Work, kind: str, card_id: int) -> None:
    """Keep `closest_task_at` of a card, without stamping the card."""
    where = "entity_type = ? AND entity_id = ? AND is_completed = 0 AND is_deleted = 0"
    closest = work.store.value(f"SELECT min(complete_till) FROM tasks WHERE {where}", [kind, card_id])  # noqa: S608 - the line above
    work.store.update(kind, {"closest_task_at": closest}, id=card_id)


def _changed(call: Call, row: Row) -> dict[str, Any]:
    return {"id": row["id"], "updated_at": row["updated_at"], "_links": call.link(f"/api/v4/tasks/{row['id']}")}


def show(call: Call, row: Row, query: str = "") -> dict[str, Any]:
    """A task in the API's form. `result` changes its type: `[]` while empty (sheet 5.10)."""
    keys = ("id", "created_by", "updated_by", "created_at", "updated_at", "responsible_user_id", "group_id", "entity_id",
            "entity_type", "duration")  # fmt: skip
    return {key: row[key] for key in keys} | {
        "is_completed": bool(row["is_completed"]),
        "task_type_id": row["task_type_id"],
        "text": row["text"],
        "result": json.loads(row["result"]) if row["result"] else [],
        "complete_till": row["complete_till"],
        "account_id": ACCOUNT_ID,
        "_links": {"self": {"href": call.url(f"/api/v4/tasks/{row['id']}", query)}},
    }

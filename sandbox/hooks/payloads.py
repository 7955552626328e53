"""Webhook bodies made of changes, oddities included (sheet 7.2-7.4).

Everything here is pure. Delivery, retries and switching off are `courier.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.api.event_log import SINGULAR, STAGE
from sandbox.changes import Change
from sandbox.club.account import ACCOUNT_ID, UTC_OFFSET_S
from sandbox.store.database import Row
from sandbox.store.fields import Field

Fields = dict[str, dict[int, Field]]

ACTIONS = {"added": "add", "updated": "update", "deleted": "delete", "restored": "restore"}
NOTE_TYPE_NUMBERS = {"common": "4", "attachment": "5", "call_in": "10", "call_out": "11"}
"""Sheet 7.3: 4 and 5 documented, the calls unverified."""

ELEMENT_TYPES = {"contacts": 1, "leads": 2, "companies": 3}


@dataclass(frozen=True)
class Notice:
    """One entry of a body. Sent to each subscriber of any of `settings`."""

    settings: tuple[str, ...]
    root: str
    action: str
    data: dict[str, Any]


def notices(change: Change, fields: Fields) -> Iterator[Notice]:
    """The part of a change that subscribers learn."""
    action, row = ACTIONS.get(change.kind), change.after or change.before
    if action is None or row is None:
        return
    if change.entity == "leads":
        yield from _lead(change, action, row, fields)
    elif change.entity in ("contacts", "companies"):
        yield _person(change, action, row, fields)
    elif change.entity == "notes" and change.kind == "added":
        kind = row["entity_type"]
        root = "leads" if kind == "leads" else "contacts"
        yield Notice((f"note_{SINGULAR[kind]}",), root, "note", {"note": _note(row)})
    elif change.entity == "tasks":
        moved = change.before and change.after and change.before["responsible_user_id"] != row["responsible_user_id"]
        settings = (f"{action}_task", "responsible_task") if moved else (f"{action}_task",)
        yield Notice(settings, "task", action, _task(change, row))
    elif change.entity == "unsorted":
        yield Notice((f"{action}_unsorted",), "unsorted", action, _unsorted(row, action))


def _lead(change: Change, action: str, row: Row, fields: Fields) -> Iterator[Notice]:
    if action == "delete":
        yield Notice(("delete_lead",), "leads", "delete", {key: row[key] for key in ("id", "status_id", "pipeline_id")})
        return
    before = change.before
    if action != "update" or before is None:
        yield Notice((f"{action}_lead",), "leads", action, _lead_data(row, fields))
        return
    has_moved = [before[key] for key in STAGE] != [row[key] for key in STAGE]
    left = {"old_status_id": before["status_id"]} if has_moved else {}  # sheet 0, R: never the pipeline it left
    yield Notice(("update_lead",), "leads", "update", _lead_data(row, fields, left))
    if has_moved:
        old = {f"old_{key}": before[key] for key in STAGE if key == "status_id" or before[key] != row[key]}
        yield Notice(("status_lead",), "leads", "status", _lead_data(row, fields, old))
    if before["responsible_user_id"] != row["responsible_user_id"]:
        old = {"old_responsible_user_id": before["responsible_user_id"]}
        yield Notice(("responsible_lead",), "leads", "responsible", _lead_data(row, fields, old))


def _lead_data(row: Row, fields: Fields, old: dict[str, int] | None = None) -> dict[str, Any]:
    """Keys in the order of the captured bodies; what only some events carry where the documentation has it."""
    old = old or {}
    data: dict[str, Any] = {"id": row["id"], "name": row["name"], "status_id": row["status_id"]}
    data |= {key: old[key] for key in ("old_status_id",) if key in old}
    data |= {
        "price": row["price"],
        "responsible_user_id": row["responsible_user_id"],
        "last_modified": row["updated_at"],
        "modified_user_id": row["updated_by"],
        "created_user_id": row["created_by"],
        "date_create": row["created_at"],
        "pipeline_id": row["pipeline_id"],
    }
    data |= {key: old[key] for key in ("old_pipeline_id",) if key in old}
    data |= {"tags": row["named_tags"]} if row.get("named_tags") else {}
    data["account_id"] = ACCOUNT_ID
    values = custom_fields(row["custom_fields"], fields["leads"])
    data |= {"custom_fields": values} if values else {}
    data |= {key: old[key] for key in ("old_responsible_user_id",) if key in old}
    return data | {"created_at": row["created_at"], "updated_at": row["updated_at"]}


def _person(change: Change, action: str, row: Row, fields: Fields) -> Notice:
    """Contacts and companies share the key `contacts`; a new responsible user is an update (sheet 7.3)."""
    singular = SINGULAR[change.entity]
    setting = f"{action}_{singular}"
    if action == "delete":
        return Notice((setting,), "contacts", action, {"id": row["id"], "type": singular})
    data: dict[str, Any] = {
        "id": row["id"],
        "name": row["name"],
        "responsible_user_id": row["responsible_user_id"],
        "date_create": row["created_at"],
        "last_modified": row["updated_at"],
        "created_user_id": row["created_by"],
        "modified_user_id": row["updated_by"],
        "account_id": ACCOUNT_ID,
    }
    values = custom_fields(row["custom_fields"], fields[change.entity])
    data |= {"custom_fields": values} if values else {}
    linked = row.get("linked_leads") or []
    data |= {"linked_leads_id": {str(lead): {"ID": lead} for lead in linked}} if linked else {}
    settings: tuple[str, ...] = (setting,)
    before = change.before
    if action == "update" and before and before["responsible_user_id"] != row["responsible_user_id"]:
        data["old_responsible_user_id"] = before["responsible_user_id"]
        settings = (setting, f"responsible_{singular}")
    data |= {"created_at": row["created_at"], "updated_at": row["updated_at"], "type": singular}
    return Notice(settings, "contacts", action, data)


def custom_fields(stored: str | None, fields: dict[int, Field]) -> list[dict[str, Any]]:
    """Values in the spelling of hooks, which is not the API's (sheet 7.4)."""
    shown = []
    for field_id, values in json.loads(stored or "{}").items():
        field = fields.get(int(field_id))
        if field is not None:
            code = {"code": field.code} if field.code else {}
            shown.append({"id": field.id, "name": field.name, "values": _values(field, values), **code})
    return shown


def _values(field: Field, values: list[dict[str, Any]]) -> Any:
    if field.type in ("date", "date_time"):
        return [value["value"] for value in values]
    if field.is_choice:
        chosen = [{"value": field.enum(value["enum_id"])["value"], "enum": value["enum_id"]} for value in values]
        return chosen[0] if field.type == "radiobutton" else chosen
    if field.type == "multitext":
        return [{"value": value["value"], "enum": value["enum_id"]} for value in values]
    if field.type == "birthday":
        return [{"value": _club_time(value["value"], "%d.%m.%Y")} for value in values]
    return [{"value": value.get("value", "")} for value in values]


def _note(row: Row) -> dict[str, Any]:
    """`attachement` is AmoCRM's spelling."""
    params = json.loads(row["params"])
    return {
        "text": params.get("text", ""),
        "attachement": params.get("file_name", ""),
        "note_type": NOTE_TYPE_NUMBERS.get(row["note_type"], "4"),
        "element_type": str(ELEMENT_TYPES[row["entity_type"]]),
        "element_id": row["entity_id"],
        "main_user_id": row["responsible_user_id"],
        "account_id": ACCOUNT_ID,
        "metadata": json.dumps({"event_source": {"type": 5, "author_name": ""}}, separators=(",", ":")),
        "id": row["id"],
        "created_at": _club_time(row["created_at"]),
        "updated_at": _club_time(row["updated_at"]),
    }


def _task(change: Change, row: Row) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": row["id"],
        "element_id": row["entity_id"] or 0,
        "element_type": ELEMENT_TYPES.get(row["entity_type"] or "", 0),
        "task_type": row["task_type_id"],
        "date_create": _club_time(row["created_at"]),
        "text": row["text"],
        "status": int(bool(row["is_completed"])),
        "account_id": ACCOUNT_ID,
        "created_user_id": row["created_by"],
        "last_modified": row["updated_at"],
        "responsible_user_id": row["responsible_user_id"],
        "complete_till": _club_time(row["complete_till"]),
        "action_close": int(bool(row["is_completed"])),
    }
    if change.before and change.before["text"] != row["text"]:
        data["old_text"] = change.before["text"]
    stamps = {"created_at": row["created_at"], "updated_at": row["updated_at"], "complete_before": row["complete_till"]}
    return data | stamps


def _unsorted(row: Row, action: str) -> dict[str, Any]:
    if action == "delete":
        accepted = row["state"] == "accepted"
        return {
            "action": "accept" if accepted else "decline",
            "accept_result" if accepted else "decline_result": {"leads": [row["lead_id"]]},
            "uid": row["uid"],
            "category": row["category"],
            "created_at": row["created_at"],
            "modified_user_id": row.get("decided_by", 0),
        }
    return {
        "uid": row["uid"],
        "category": row["category"],
        "source_data": json.loads(row["metadata"]),
        "date_create": row["created_at"],
        "data": {"leads": [{"id": row["lead_id"]}]},
        "pipeline_id": row["pipeline_id"],
        "account_id": ACCOUNT_ID,
        "lead_id": row["lead_id"],
        "created_at": row["created_at"],
    }


def _club_time(seconds: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return datetime.fromtimestamp(seconds + UTC_OFFSET_S, UTC).strftime(form)


def bodies(told: list[Notice], settings: set[str], account: dict[str, Any], *, one_body: bool) -> list[dict[str, Any]]:
    """The bodies one subscriber gets: one for each action, or one for all (sheet 7.1: one can hold several).

    The account's block comes first, as it has since 2023 (sheet 0, R).
    """
    wanted = [notice for notice in told if settings.intersection(notice.settings)]
    trees: list[dict[str, Any]] = []
    for notice in wanted:
        if one_body:
            tree = trees[0] if trees else None
        else:
            tree = next((each for each in trees if notice.action in each.get(notice.root, {})), None)
        if tree is None:
            tree = {}
            trees.append(tree)
        tree.setdefault(notice.root, {}).setdefault(notice.action, []).append(notice.data)
    return [{"account": account} | tree for tree in trees]

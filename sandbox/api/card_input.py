"""The input of leads, contacts and companies, and the columns made of a client's values (sheet 5.2, 5.4).

Here is only reading and refusing; writing is `cards.py`.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.api import field_values, tags
from sandbox.api.cards import merge_fields
from sandbox.api.checks import MOST_INTEGER, Item
from sandbox.changes import Work
from sandbox.store.database import Row

PEOPLE = ("responsible_user_id", "created_by", "updated_by")
SHARED_KEYS = (
    "id", "name", *PEOPLE, "created_at", "updated_at", "custom_fields_values", "tags_to_add", "tags_to_delete",
    "_embedded", "_links", "request_id", "account_id", "group_id", "is_deleted", "closest_task_at",
    "is_need_to_trigger_digital_pipeline",
)  # fmt: skip
LEAD_KEYS = (
    "price", "status_id", "pipeline_id", "loss_reason_id", "closed_at", "visitor_uid", "score", "labor_cost",
    "source_id", "is_price_computed", "is_price_modified_by_robot", "price_with_minor_units",
)  # fmt: skip
CONTACT_KEYS = ("first_name", "last_name", "is_main", "is_unsorted")

KOPECK_DIGITS = 2
"""Places behind the comma of a budget that has kopecks."""

WON, LOST = 142, 143
"""The two closed statuses, equal in every pipeline (sheet 5.6)."""


def shared(work: Work, kind: str, item: Item, before: Row | None) -> Row:
    """The columns all three kinds have, as far as an item sets any."""
    values: Row = {}
    for key in PEOPLE:
        values[key] = item.person(key, work.user_ids)
    for key in ("created_at", "updated_at"):
        values[key] = item.integer(key)
    values["name"] = item.text("name")
    values = {key: value for key, value in values.items() if value is not None}
    if item.data.get("custom_fields_values"):
        wanted = field_values.accept(item, work.fields[kind], strict_text=work.config.strict_text_values)
        values["custom_fields"] = merge_fields(before["custom_fields"] if before else None, wanted)
    current = json.loads(before["tags"]) if before else []
    wanted_tags = tags.wanted_on_card(work, kind, item, current)
    if wanted_tags != current:
        values["tags"] = json.dumps(wanted_tags)
    return values


def lead(work: Work, item: Item, before: Row | None) -> Row:
    """A lead's columns: the shared columns, the budget and the stage."""
    if work.config.reject_unknown_keys:
        item.only(*SHARED_KEYS, *LEAD_KEYS)
    values = shared(work, "leads", item, before)
    price = _price(work, item)
    if price is not None:
        values["price"] = price
    if (visitor := item.text("visitor_uid")) is not None:
        values["visitor_uid"] = visitor
    return values | _stage(work, item, before)


def _price(work: Work, item: Item) -> int | float | None:
    """The budget. Kopecks are cut unless a switch keeps kopecks; the official library sends floats either way (sheet 5.2)."""
    keeps = work.config.minor_units != "none"
    key = "price_with_minor_units" if keeps and item.data.get("price_with_minor_units") is not None else "price"
    price = item.data.get(key)
    if isinstance(price, float) and abs(price) < MOST_INTEGER:
        exact = round(price, KOPECK_DIGITS) if keeps else int(price)
        return int(exact) if float(exact).is_integer() else exact
    return item.integer(key)


def _stage(work: Work, item: Item, before: Row | None) -> Row:
    """pipeline_id, status_id and the columns that follow. A status counts only together with its pipeline."""
    pipeline_id, status_id = item.integer("pipeline_id"), item.integer("status_id")
    stages = stages_of(work)
    if pipeline_id is not None and pipeline_id not in stages:
        item.refuse("NotSupportedChoice", "pipeline_id")
        return {}
    if pipeline_id is None:
        pipeline_id = before["pipeline_id"] if before else _pipeline_of(work, stages, status_id)
    if status_id is None:
        moved = before is None or pipeline_id != before["pipeline_id"]
        status_id = first_stage(stages[pipeline_id]) if moved else before["status_id"]  # type: ignore[index]
    elif status_id not in stages[pipeline_id]:
        item.refuse("NotSupportedChoice", "status_id")
        return {}
    values: Row = {"pipeline_id": pipeline_id, "status_id": status_id}
    values |= _closing(item, before, status_id, work.now)
    reason = item.integer("loss_reason_id")
    if reason is not None and work.store.value("SELECT 1 FROM loss_reasons WHERE id = ?", [reason]) is None:
        item.refuse("NotSupportedChoice", "loss_reason_id")
    elif status_id != LOST:
        values["loss_reason_id"] = None
    elif reason is not None:
        values["loss_reason_id"] = reason
    return values


def _closing(item: Item, before: Row | None, status_id: int, now: int) -> Row:
    """`closed_at`: set when a lead is won or lost, emptied when the lead is reopened."""
    given = item.integer("closed_at")
    if status_id not in (WON, LOST):
        return {"closed_at": None}
    if given is not None:
        return {"closed_at": given}
    stays = before is not None and before["closed_at"] is not None and before["status_id"] == status_id
    return {} if stays else {"closed_at": now}


def stages_of(work: Work) -> dict[int, dict[int, Row]]:
    """Pipeline id → status id → status, in the pipelines' order and the stages' order."""
    stages: dict[int, dict[int, Row]] = {}
    for row in work.store.rows("SELECT id FROM pipelines WHERE is_archive = 0 ORDER BY is_main DESC, sort, id"):
        stages[row["id"]] = {}
    for row in work.store.rows("SELECT * FROM statuses ORDER BY pipeline_id, sort, id"):
        if row["pipeline_id"] in stages:
            stages[row["pipeline_id"]][row["id"]] = row
    return stages


def first_stage(statuses: dict[int, Row]) -> int:
    """Where a lead without a status begins: the first stage that is not the incoming one (sheet 5.2, T/U)."""
    return next(status_id for status_id, row in statuses.items() if row["type"] != 1)


def _pipeline_of(work: Work, stages: dict[int, dict[int, Row]], status_id: int | None) -> int:
    """The pipeline of a new lead that names none: its status's, else the main pipeline."""
    main = next(iter(stages))
    if status_id is None or status_id in stages[main]:
        return main
    return next((pipeline_id for pipeline_id, statuses in stages.items() if status_id in statuses), main)


def contact(work: Work, item: Item, before: Row | None) -> Row:
    """A contact's columns. `name` is made of first and last name if only these parts are given, and the other way."""
    if work.config.reject_unknown_keys:
        item.only(*SHARED_KEYS, *CONTACT_KEYS)
    values = shared(work, "contacts", item, before)
    first, last = item.text("first_name"), item.text("last_name")
    if first is not None or last is not None:
        known = before or {"first_name": "", "last_name": ""}
        values["first_name"] = known["first_name"] if first is None else first
        values["last_name"] = known["last_name"] if last is None else last
        if "name" not in values:
            values["name"] = f"{values['first_name']} {values['last_name']}".strip()
    elif "name" in values:
        values["first_name"], _, values["last_name"] = values["name"].partition(" ")
    return values


def company(work: Work, item: Item, before: Row | None) -> Row:
    """A company's columns."""
    if work.config.reject_unknown_keys:
        item.only(*SHARED_KEYS)
    return shared(work, "companies", item, before)


READ: dict[str, Any] = {"leads": lead, "contacts": contact, "companies": company}
"""Kind of card → its reader: (work, item, row before or None) → columns."""

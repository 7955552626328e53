"""Leads: the filters and the form of `/leads` (sheet 5.2).

Reading and writing, which all cards share, are `card_reading.py` and `card_writing.py`; a lead with its contact in one
go is `complex.py`.
"""

from __future__ import annotations

from typing import Any

from sandbox.api.listing import Collection, Condition, between, named, one_of
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_ID
from sandbox.store.database import Row, marks


def statuses(value: Any) -> Condition | None:
    """`filter[statuses][n][pipeline_id]` with `[status_id]`: half a pair does not count."""
    pairs = []
    for pair in value.values() if isinstance(value, dict) else ():
        if isinstance(pair, dict) and {"pipeline_id", "status_id"} <= pair.keys():
            numbers = [str(pair[key]) for key in ("pipeline_id", "status_id")]
            if all(number.isdecimal() for number in numbers):
                pairs.append([int(number) for number in numbers])
    if not pairs:
        return None
    either = " OR ".join("(pipeline_id = ? AND status_id = ?)" for _ in pairs)
    return either, [number for pair in pairs for number in pair]


LEADS = Collection(
    "leads",
    "leads",
    filters={
        "id": one_of("id"),
        "name": named("name"),
        "created_by": one_of("created_by"),
        "updated_by": one_of("updated_by"),
        "responsible_user_id": one_of("responsible_user_id"),
        "price": between("price"),
        "created_at": between("created_at"),
        "updated_at": between("updated_at"),
        "closed_at": between("closed_at"),
        "closest_task_at": between("closest_task_at"),
        "pipeline_id": one_of("pipeline_id"),
        "statuses": statuses,
    },
    orders=("id", "created_at", "updated_at"),
)


def shape(call: Call, row: Row, values: list[dict[str, Any]] | None) -> dict[str, Any]:
    """A lead's own keys, in recorded order (sheet 5.2, L); `_links` and `_embedded` follow."""
    shown = {
        "id": row["id"],
        "name": row["name"],
        "price": row["price"] if call.work.config.minor_units == "price" else int(row["price"]),
        "responsible_user_id": row["responsible_user_id"],
        "group_id": row["group_id"],
        "status_id": row["status_id"],
        "pipeline_id": row["pipeline_id"],
        "loss_reason_id": row["loss_reason_id"],
        "created_by": row["created_by"],
        "updated_by": row["updated_by"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "closed_at": row["closed_at"],
        "closest_task_at": row["closest_task_at"],
        "is_deleted": bool(row["is_deleted"]),
        "custom_fields_values": values,
        "score": None,
        "account_id": ACCOUNT_ID,
        "labor_cost": None,
        "is_price_computed": False,
    }
    if call.work.config.minor_units == "own_key":
        shown["price_with_minor_units"] = float(row["price"])
    if "is_price_modified_by_robot" in call.extras:
        shown["is_price_modified_by_robot"] = False
    if "source_id" in call.extras:
        shown["source_id"] = row["source_id"]
    return shown


def with_loss_reasons(call: Call, rows: list[Row], shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`with=loss_reason`: an array with one entry, however odd; empty if the lead has no reason (sheet 5.2)."""
    from sandbox.api.loss_reasons import show  # here: it is a resource of its own, built upon the shared list

    if "loss_reason" not in call.extras and "source" not in call.extras:
        return shown
    wanted = sorted({row["loss_reason_id"] for row in rows if row["loss_reason_id"]})
    sql = f"SELECT * FROM loss_reasons WHERE id IN ({marks(wanted)})"  # noqa: S608 - marks
    reasons = {row["id"]: show(call, row) for row in call.store.rows(sql, wanted)}
    for row, data in zip(rows, shown, strict=True):
        if "loss_reason" in call.extras:
            reason = reasons.get(row["loss_reason_id"])
            data["_embedded"]["loss_reason"] = [reason] if reason else []
        if "source" in call.extras:
            source = call.store.row("SELECT * FROM sources WHERE id = ?", [row["source_id"]])
            data["_embedded"]["source"] = {"id": source["id"], "name": source["name"]} if source else None
    return shown

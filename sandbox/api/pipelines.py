"""Pipelines and their stages: `/leads/pipelines` (sheet 5.6). `page` and `limit` have no effect here (L)."""

# ruff: noqa: SIM905 - words in a row read better than words in a column

from __future__ import annotations

from typing import Any

from sandbox.answers import Answer, Refusal, hal, nothing, problem
from sandbox.api.card_input import LOST, WON, first_stage, stages_of
from sandbox.api.checks import Item, items, not_a_choice, pass_or_refuse, pass_or_refuse_one
from sandbox.api.listing import own_link, whole
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_ID
from sandbox.oauth.access import admins_only
from sandbox.store.database import Row

MOST_PIPELINES = 50
MOST_STAGES = 100
"""Limits of the account (sheet 4.1, D)."""

COLORS = {
    f"#{color}"
    for color in (
        "fffeb2 fffd7f fff000 ffeab2 ffdc7f ffce5a ffdbdb ffc8c8 ff8f92 d6eaff c1e0ff "
        "98cbff ebffb1 deff81 87f2c0 f9deff f3beff ccc8f9 eb93ff f2f3f4 e6e8ea"
    ).split()
}
"""Colours a POST may name (sheet 5.6, D); reading shows more."""

CLOSED = (
    {"id": WON, "name": "Успешно реализовано", "sort": 10000, "color": "#CCFF66"},
    {"id": LOST, "name": "Закрыто и не реализовано", "sort": 11000, "color": "#D5D8DB"},
)
INCOMING_NAME = "Неразобранное"
INCOMING_COLOR = "#c1c1c1"


def read_list(call: Call) -> Answer:
    """GET /leads/pipelines: always every pipeline."""
    stages = stages_of(call.work)
    rows = {row["id"]: row for row in call.store.rows("SELECT * FROM pipelines")}
    return whole(call, "pipelines", [_show(call, rows[pipeline], stages[pipeline]) for pipeline in stages])


def read_one(call: Call) -> Answer:
    """GET /leads/pipelines/{id}."""
    row, stages = _addressed(call)
    return hal(_show(call, row, stages)) if row else problem(404, "Not Found")


def read_statuses(call: Call) -> Answer:
    """GET /leads/pipelines/{id}/statuses."""
    row, stages = _addressed(call)
    if row is None:
        return problem(404, "Not Found")
    return whole(call, "statuses", [_status(call, status) for status in stages.values()])


def read_status(call: Call) -> Answer:
    """GET /leads/pipelines/{id}/statuses/{status_id}."""
    _, stages = _addressed(call)
    status = stages.get(call.path_params["status_id"])
    return hal(_status(call, status)) if status else problem(404, "Not Found")


def create(call: Call) -> Answer:
    """POST /leads/pipelines: an array, whole pipelines come back."""
    admins_only(call)
    checked = items(call)
    made = [_create_one(call, item) for item in checked]
    pass_or_refuse(checked)
    if call.store.value("SELECT count(*) FROM pipelines WHERE is_archive = 0") > MOST_PIPELINES:
        raise Refusal(problem(422, f"Limit {MOST_PIPELINES} pipelines"))  # U: only the limit itself is known
    shown = []
    stages = stages_of(call.work)
    for item, row in zip(checked, made, strict=True):
        call.work.changed("added", "pipelines", row["id"], None, row)
        shown.append(_show(call, row, stages[row["id"]]) | {"request_id": item.request_id})
    return hal({"_total_items": len(shown), "_links": own_link(call), "_embedded": {"pipelines": shown}})


def _create_one(call: Call, item: Item) -> Row:
    row: Row = {"id": call.store.next_id("pipelines"), "name": item.text("name", required=True)}
    row["sort"] = item.integer("sort")
    for key in ("is_main", "is_unsorted_on"):
        row[key] = item.boolean(key)
    for key in ("sort", "is_main", "is_unsorted_on"):
        if item.data.get(key) is None:
            item.refuse("FieldMissing", key)
    embedded = item.inside("_embedded", item.tree("_embedded"))
    given = [embedded.inside(f"statuses.{at}", entry) for at, entry in enumerate(embedded.elements("statuses"))]
    if not given:
        item.refuse("FieldMissing", "_embedded.statuses")
    row["is_archive"] = 0
    renamed = {part.data["id"]: part.text("name") for part in given if part.data.get("id") in (WON, LOST)}
    stages = [_new_status(part) for part in given if part.data.get("id") not in (WON, LOST)]
    if item.errors:
        return row
    if row["is_main"]:
        call.store.db.execute("UPDATE pipelines SET is_main = 0")
    call.store.insert("pipelines", row)
    incoming = {"name": INCOMING_NAME, "sort": 10, "color": INCOMING_COLOR, "type": 1, "is_editable": 0}
    for stage in [incoming, *stages] if row["is_unsorted_on"] else stages:
        insert_status(call, row["id"], stage)
    for stage in CLOSED:
        name = renamed.get(stage["id"]) or stage["name"]
        insert_status(call, row["id"], stage | {"name": name, "type": 0, "is_editable": 0})
    return row


def _new_status(item: Item) -> Row:
    return {
        "name": item.text("name", required=True),
        "sort": item.integer("sort") or 20,
        "color": item.choice("color", COLORS) or "#fffeb2",
        "type": 0,
        "is_editable": 1,
    }


def insert_status(call: Call, pipeline_id: int, stage: Row) -> Row:
    """A stage of a pipeline; 142 and 143 come with their ids, every other stage gets a new id."""
    row = {"pipeline_id": pipeline_id, "id": call.store.next_id("statuses")} | stage
    call.store.insert("statuses", row)
    return row


def update(call: Call) -> Answer:
    """PATCH /leads/pipelines/{id}: an object."""
    admins_only(call)
    row, _ = _addressed(call)
    if row is None:
        raise not_a_choice("id")
    item = Item(call.object())
    values = {"name": item.text("name"), "sort": item.integer("sort")}
    values |= {key: item.boolean(key) for key in ("is_main", "is_unsorted_on")}
    pass_or_refuse_one(item)
    values = {key: value for key, value in values.items() if value is not None}
    if values.get("is_main"):
        call.store.db.execute("UPDATE pipelines SET is_main = 0")
    call.store.update("pipelines", values, id=row["id"])
    call.work.changed("updated", "pipelines", row["id"], row, row | values)
    return hal(_show(call, row | values, stages_of(call.work)[row["id"]]))


def delete(call: Call) -> Answer:
    """DELETE /leads/pipelines/{id}: 204; again: 400; with leads inside: 422 (sheet 5.6, L)."""
    admins_only(call)
    row, _ = _addressed(call)
    if row is None:
        raise not_a_choice("id")
    if call.store.value("SELECT 1 FROM leads WHERE pipeline_id = ? AND is_deleted = 0", [row["id"]]):
        raise Refusal(problem(422, "Only pipelines without leads can be deleted"))  # L up to "c…", the rest U
    call.store.update("pipelines", {"is_archive": 1}, id=row["id"])
    call.work.changed("deleted", "pipelines", row["id"], row, None)
    return nothing()


def create_statuses(call: Call) -> Answer:
    """POST /leads/pipelines/{id}/statuses: an array."""
    admins_only(call)
    row, stages = _addressed(call)
    if row is None:
        return problem(404, "Not Found")
    checked = items(call)
    new = [_new_status(item) for item in checked]
    pass_or_refuse(checked)
    if len(stages) + len(new) > MOST_STAGES:
        raise Refusal(problem(422, f"Limit {MOST_STAGES} statuses"))  # U: only the limit itself is known
    shown = []
    for item, stage in zip(checked, new, strict=True):
        status = insert_status(call, row["id"], stage)
        call.work.changed("added", "statuses", status["id"], None, status)
        shown.append(_status(call, status) | {"request_id": item.request_id})
    return hal({"_total_items": len(shown), "_embedded": {"statuses": shown}})


def update_status(call: Call) -> Answer:
    """PATCH /leads/pipelines/{id}/statuses/{status_id}: the whole stage comes back."""
    admins_only(call)
    status = _addressed(call)[1].get(call.path_params["status_id"])
    if status is None:
        raise not_a_choice("id")
    item = Item(call.object())
    values = {"name": item.text("name"), "sort": item.integer("sort"), "color": item.choice("color", COLORS)}
    pass_or_refuse_one(item)
    values = {key: value for key, value in values.items() if value is not None}
    call.store.update("statuses", values, pipeline_id=status["pipeline_id"], id=status["id"])
    call.work.changed("updated", "statuses", status["id"], status, status | values)
    return hal(_status(call, status | values) | {"request_id": item.request_id})


def delete_status(call: Call) -> Answer:
    """DELETE of a stage: 204, its leads move to the first one (sheet 5.6, T). The closed and the incoming one stay."""
    admins_only(call)
    pipeline, stages = _addressed(call)
    status = stages.get(call.path_params["status_id"])
    if pipeline is None or status is None or not status["is_editable"]:
        raise not_a_choice("id")
    del stages[status["id"]]
    moved = {"status_id": first_stage(stages)}
    call.store.update("leads", moved, pipeline_id=pipeline["id"], status_id=status["id"])
    call.store.db.execute(
        "DELETE FROM statuses WHERE pipeline_id = ? AND id = ?", [status["pipeline_id"], status["id"]]
    )
    call.work.changed("deleted", "statuses", status["id"], status, None)
    return nothing()


def _addressed(call: Call) -> tuple[Row | None, dict[int, Row]]:
    pipeline_id = call.path_params["id"]
    row = call.store.row("SELECT * FROM pipelines WHERE id = ? AND is_archive = 0", [pipeline_id])
    return row, stages_of(call.work).get(pipeline_id, {})


def _show(call: Call, row: Row, stages: dict[int, Row]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "sort": row["sort"],
        "is_main": bool(row["is_main"]),
        "is_unsorted_on": bool(row["is_unsorted_on"]),
        "is_archive": False,
        "account_id": ACCOUNT_ID,
        "_links": call.link(f"/api/v4/leads/pipelines/{row['id']}"),
        "_embedded": {"statuses": [_status(call, status) for status in stages.values()]},
    }


def _status(call: Call, row: Row) -> dict[str, Any]:
    shown = {
        "id": row["id"],
        "name": row["name"],
        "sort": row["sort"],
        "is_editable": bool(row["is_editable"]),
        "pipeline_id": row["pipeline_id"],
        "color": row["color"],
        "type": row["type"],
        "account_id": ACCOUNT_ID,
    }
    if "descriptions" in call.extras:
        shown["descriptions"] = []
    return shown | {"_links": call.link(f"/api/v4/leads/pipelines/{row['pipeline_id']}/statuses/{row['id']}")}

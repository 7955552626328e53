"""Reference data of leads: stages, people, loss reasons. Replaced as a whole, if anything is different."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from crm.pipelines import Stage
from desk.mirror.rows import Rows
from store import Store
from store.tables import loss_reasons, people, stages


def keep(
    store: Store, rows: Rows, found: Sequence[Stage], names: Mapping[int, str], reasons: Mapping[int, str]
) -> None:
    """Replace stages, people's names and loss reasons by AmoCRM's present ones."""
    wanted: dict[sa.Table, list[dict[str, Any]]] = {
        stages: [_stage(stage, place) for place, stage in enumerate(found)],
        people: [{"id": one, "name": name} for one, name in sorted(names.items())],
        loss_reasons: [{"id": one, "name": name} for one, name in sorted(reasons.items())],
    }
    with store.read() as db:
        same = all(
            [dict(row) for row in db.execute(sa.select(table).order_by(*table.primary_key)).mappings()]
            == sorted(told, key=lambda row, t=table: [row[column.name] for column in t.primary_key])  # type: ignore[misc]
            for table, told in wanted.items()
        )
    if same:
        return
    with rows.changing() as db:
        for table, told in wanted.items():
            db.execute(table.delete())
            if told:
                db.execute(table.insert(), told)


def _stage(stage: Stage, place: int) -> dict[str, Any]:
    return {
        "pipeline_id": stage.pipeline_id,
        "status_id": stage.status_id,
        "position": place,
        "pipeline": stage.pipeline,
        "name": stage.name,
        "color": stage.color[:20],
        "type": stage.type,
        "is_main": stage.is_main,
        "is_archive": stage.is_archive,
    }

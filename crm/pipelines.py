"""Pipelines and their stages. Sheet 5.6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm import answers
from crm.client import Client

WON, LOST = 142, 143
"""The closed stages; the same ids in every pipeline, so a stage is always named together with its pipeline."""

UNSORTED = 1
"""The `type` of a stage for untaken incoming leads."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline. `color` is `#rrggbb` as on AmoCRM's screen."""

    pipeline_id: int
    status_id: int
    name: str
    color: str
    pipeline: str
    is_main: bool
    sort: int
    type: int = 0
    is_archive: bool = False


def stages(client: Client, *, live: bool = True) -> list[Stage]:
    """Return every stage of every pipeline, in AmoCRM's order, archived pipelines last. 1 request: the list has no pages."""
    found = answers.items(client.get("/api/v4/leads/pipelines", "pipelines.list", live=live).data, "pipelines")
    found.sort(key=lambda pipeline: (bool(pipeline.get("is_archive")), not pipeline.get("is_main"), _sort(pipeline)))
    return [_stage(pipeline, status) for pipeline in found for status in _statuses(pipeline)]


def _statuses(pipeline: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(answers.items(pipeline, "statuses"), key=_sort)


def _sort(item: dict[str, Any]) -> int:
    value = item.get("sort")
    return value if isinstance(value, int) else 0


def _stage(pipeline: dict[str, Any], status: dict[str, Any]) -> Stage:
    return Stage(
        pipeline_id=answers.number(pipeline["id"]),
        status_id=answers.number(status["id"]),
        name=str(status.get("name") or ""),
        color=str(status.get("color") or ""),
        pipeline=str(pipeline.get("name") or ""),
        is_main=bool(pipeline.get("is_main")),
        sort=_sort(status),
        type=status["type"] if isinstance(status.get("type"), int) else 0,
        is_archive=bool(pipeline.get("is_archive")),
    )

"""AmoCRM's log of what happened. Sheet 5.12. Only stage changes are read here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crm import answers
from crm.answers import number, whole
from crm.client import Client
from crm.errors import BrokenWord
from wire import Params

MOVED = "lead_status_changed"

PAGE_EVENTS = 100
"""Events on a page: AmoCRM's greatest for the log (sheet 0, 5.12). A size cut by AmoCRM would put smaller pages in wrong places."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A lead's step between two stages. `at`: unix seconds. Stages are (pipeline, status); None if not told."""

    event_id: str
    lead_id: int
    at: int
    before: tuple[int, int] | None
    after: tuple[int, int]


def stage_changes(client: Client, since: int, until: int, *, live: bool = False) -> Iterator[list[Moved]]:
    """Pages of stage changes from `since` to `until` (both included), the newest page first and each in the order of
    time. 1 request for each 100.

    AmoCRM's log has no order one may ask for (sheet 5.12, U), so whole pages are read to the end of the time in question.
    """
    page, limit = 1, PAGE_EVENTS
    while True:
        params: Params = [
            ("filter[type]", MOVED),
            ("filter[created_at][from]", since),
            ("filter[created_at][to]", until),
        ]
        data, page, limit = client.page("/api/v4/events", "events.list", params, page, limit, live=live)
        found = answers.items(data, "events")
        for event in found:
            if event.get("type") != MOVED or not since <= number(event.get("created_at")) <= until:
                raise BrokenWord("filter_ignored", operation="events.list", retryable=False)
        moved = [_moved(event) for event in found]
        yield sorted((one for one in reversed(moved) if one is not None), key=lambda one: one.at)
        if not answers.has_next(data):
            return
        page += 1


def _moved(event: dict[str, Any]) -> Moved | None:
    after = _stage(event.get("value_after"))
    if after is None:
        return None
    lead_id, at = number(event.get("entity_id")), number(event.get("created_at"))
    return Moved(str(event["id"])[:64], lead_id, at, _stage(event.get("value_before")), after)


def _stage(value: Any) -> tuple[int, int] | None:
    told = value[0].get("lead_status") if isinstance(value, list) and value and isinstance(value[0], dict) else None
    if not isinstance(told, dict):
        return None
    pipeline_id, status_id = whole(told.get("pipeline_id")), whole(told.get("id"))
    return (pipeline_id, status_id) if pipeline_id and status_id else None

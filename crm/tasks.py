"""Tasks on leads. Sheet 5.10."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crm import answers
from crm.client import Client
from wire import Params

CALL, MEETING = 1, 2
"""Task types every account has."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task for somebody. `complete_till`: unix seconds. `responsible_user_id` None: the token's person."""

    text: str
    complete_till: int
    task_type_id: int = CALL
    responsible_user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A new task on a lead."""

    task_id: int
    request_id: str | None


def add(
    client: Client, lead_id: int, task: Task, *, live: bool = True, may_send: Callable[[], bool] | None = None
) -> Added:
    """Put a task on a lead. 1 request."""
    body = {
        "text": task.text,
        "complete_till": task.complete_till,
        "task_type_id": task.task_type_id,
        "entity_id": lead_id,
        "entity_type": "leads",
    }
    if task.responsible_user_id is not None:
        body["responsible_user_id"] = task.responsible_user_id
    path, subject = "/api/v4/tasks", f"lead {lead_id}"
    made = client.make(path, "tasks.create", "tasks", body, kind="lead", subject=subject, live=live, may_send=may_send)
    return Added(answers.number(made[0]["id"]), made[1])


def alike(client: Client, lead_id: int, task: Task, *, live: bool = True) -> int | None:
    """Find a lead's task with the same text and time, done or not; None if there is no such task. 1 request for each 250."""
    wanted: Params = [("filter[entity_type]", "leads"), ("filter[entity_id][]", lead_id)]
    for page in client.pages("/api/v4/tasks", "tasks", "tasks.list", wanted, live=live):
        for one in page:
            told = (one.get("entity_id"), one.get("text"), one.get("complete_till"))
            if told == (lead_id, task.text, task.complete_till):
                return answers.number(one["id"])
    return None


def complete(
    client: Client, task_id: int, result: str, *, live: bool = True, may_send: Callable[[], bool] | None = None
) -> str | None:
    """Complete a task; a repetition does no harm. Return AmoCRM's id of the request. 1 request."""
    body = {"is_completed": True, "result": {"text": result}}
    path, subject = f"/api/v4/tasks/{task_id}", f"task {task_id}"
    return client.patch(
        path, "tasks.complete", body, kind="lead", subject=subject, live=live, may_send=may_send
    ).request_id

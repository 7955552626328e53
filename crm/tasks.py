"""Tasks on leads. Sheet 5.10."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crm import answers
from crm.client import Client
from crm.door import Params
from crm.errors import BrokenWord

CALL, MEETING = 1, 2
"""Task types every account has."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done. `complete_till`: unix seconds. `responsible_user_id` None: whose token it is."""

    text: str
    complete_till: int
    task_type_id: int = CALL
    responsible_user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A task that was put on a lead."""

    task_id: int
    request_id: str | None


def add(
    client: Client, lead_id: int, task: Task, *, live: bool = True, may_send: Callable[[], bool] | None = None
) -> Added:
    """Put a task on a lead. One request."""
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
    reply = client.post(path, "tasks.create", [body], kind="lead", subject=subject, live=live, may_send=may_send)
    made = answers.items(reply.data, "tasks")
    if not made:
        raise BrokenWord("garbled", operation="tasks.create", request_id=reply.request_id)
    return Added(answers.number(made[0]["id"]), reply.request_id)


def alike(client: Client, lead_id: int, task: Task, *, live: bool = True) -> int | None:
    """The task of a lead with this text and this time, done or not; None where there is none. One request for each 250."""
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
    """A task is done; twice is once. One request. AmoCRM's id of it."""
    body = {"is_completed": True, "result": {"text": result}}
    path, subject = f"/api/v4/tasks/{task_id}", f"task {task_id}"
    return client.patch(
        path, "tasks.complete", body, kind="lead", subject=subject, live=live, may_send=may_send
    ).request_id

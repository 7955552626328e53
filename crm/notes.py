"""Notes on leads. Sheet 5.3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crm import answers
from crm.client import Client
from crm.door import Params
from crm.errors import BrokenWord


@dataclass(frozen=True, slots=True)
class Added:
    """A note that was put on a lead."""

    note_id: int
    request_id: str | None


def add(
    client: Client, lead_id: int, text: str, *, live: bool = True, may_send: Callable[[], bool] | None = None
) -> Added:
    """Put a text note on a lead. One request."""
    body = [{"note_type": "common", "params": {"text": text}}]
    path, subject = f"/api/v4/leads/{lead_id}/notes", f"lead {lead_id}"
    reply = client.post(path, "notes.create", body, kind="lead", subject=subject, live=live, may_send=may_send)
    made = answers.items(reply.data, "notes")
    if not made:
        raise BrokenWord("garbled", operation="notes.create", request_id=reply.request_id)
    return Added(answers.number(made[0]["id"]), reply.request_id)


def newest(client: Client, lead_id: int, *, live: bool = True, tries: int | None = None) -> tuple[str, int] | None:
    """What the newest note somebody wrote on a lead says, and when (unix seconds). One request; None where there is none."""
    wanted: Params = [("filter[note_type][]", "common"), ("order[updated_at]", "desc")]
    path = f"/api/v4/leads/{lead_id}/notes"
    told = [
        (str(note["params"]["text"]), answers.number(note.get("created_at")))
        for note in client.first(path, "notes", "notes.list", wanted, live=live, tries=tries)
        if note.get("note_type") == "common" and isinstance(note.get("params"), dict) and note["params"].get("text")
    ]
    return max(told, key=lambda one: one[1], default=None)


def with_text(client: Client, lead_id: int, text: str, *, live: bool = True) -> int | None:
    """The note of a lead that says exactly this, None where there is none. One request for each 250 notes.

    Raises `BrokenWord("filter_ignored")` for a list of other leads' notes, which shows nothing.
    """
    for page in client.pages(f"/api/v4/leads/{lead_id}/notes", "notes", "notes.list", live=live):
        for note in page:
            if note.get("entity_id") not in (None, lead_id, str(lead_id)):
                raise BrokenWord("filter_ignored", operation="notes.list", retryable=False)
            params = note.get("params")
            if isinstance(params, dict) and params.get("text") == text:
                return answers.number(note["id"])
    return None

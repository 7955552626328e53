"""Leads. Sheet 5.2."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crm import answers, walk
from crm.answers import number
from crm.client import PAGE_LIMIT, Client
from crm.errors import BrokenWord
from wire import Params

Stage = tuple[int, int]
"""Ids of a pipeline and a status; 142 and 143 are in every pipeline."""


def in_stage(stage: Stage | None) -> Params:
    """Return the filter for the leads of a stage; empty for None."""
    if stage is None:
        return []
    return [("filter[statuses][0][pipeline_id]", stage[0]), ("filter[statuses][0][status_id]", stage[1])]


def stage_of(lead: Mapping[str, Any]) -> Stage:
    """Where a lead stands."""
    return number(lead.get("pipeline_id")), number(lead.get("status_id"))


def created_between(
    client: Client,
    since: int,
    until: int,
    *,
    live: bool = True,
    limit: int = PAGE_LIMIT,
    ordered: bool = True,
    stage: Stage | None = None,
) -> Iterator[list[dict[str, Any]]]:
    """Pages of leads created from `since` to `until` (unix seconds, both included), newest first, contacts' ids embedded.

    `stage`: only those that stand there. 1 request for each 250. AmoCRM answers 200 with everything where it does not understand a filter or an
    order, so both are checked against what came: `BrokenWord("filter_ignored")`. `ordered=False`: the order may be any.
    """
    params: Params = [
        ("with", "contacts"),
        ("order[created_at]", "desc"),
        ("filter[created_at][from]", since),
        ("filter[created_at][to]", until),
        *in_stage(stage),
    ]
    last = until
    for page in client.pages("/api/v4/leads", "leads", "leads.list", params, live=live, limit=limit):
        for lead in page:
            created = number(lead.get("created_at"))
            in_stage_asked = stage is None or stage_of(lead) == stage
            if not since <= created <= last or not in_stage_asked:
                raise BrokenWord("filter_ignored", operation="leads.list", retryable=False)
            last = created if ordered else until
        yield page


def main_contact(lead: Mapping[str, Any]) -> int | None:
    """Return the main contact of a lead, else its first; None if the lead has no contact."""
    return next(iter(contact_ids(lead)), None)


def contact_ids(lead: Mapping[str, Any]) -> list[int]:
    """Return the contacts of a lead, the main contact first."""
    embedded = lead.get("_embedded")
    linked = embedded.get("contacts") if isinstance(embedded, dict) else None
    told = [one for one in linked if isinstance(one, dict)] if isinstance(linked, list) else []
    ids = [answers.whole(one.get("id")) for one in sorted(told, key=lambda one: not one.get("is_main"))]
    return [one for one in ids if one]


def matching(client: Client, text: str, *, live: bool = True) -> list[dict[str, Any]]:
    """Search leads by AmoCRM's full text. 1 request, 250 leads at the most; new leads may lag behind."""
    wanted: Params = [("query", text), ("with", "contacts")]
    return client.first("/api/v4/leads", "leads", "leads.search", wanted, live=live)


def exists(client: Client, lead_id: int, *, live: bool = True) -> bool:
    """Whether there is such a lead, the bin not counted. 1 request."""
    return walk.one(client, walk.LEADS, lead_id, live=live) is not None


def move(
    client: Client,
    lead_id: int,
    pipeline_id: int,
    status_id: int,
    *,
    live: bool = True,
    may_send: Callable[[], bool] | None = None,
) -> str | None:
    """Put a lead into a stage; a repetition does no harm. Return AmoCRM's id of the request. 1 request."""
    body = {"pipeline_id": pipeline_id, "status_id": status_id}
    path, subject = f"/api/v4/leads/{lead_id}", f"lead {lead_id}"
    return client.patch(path, "leads.move", body, kind="lead", subject=subject, live=live, may_send=may_send).request_id


@dataclass(frozen=True, slots=True)
class Created:
    """A lead made by `create_complex`, and its contact. `merged`: AmoCRM's duplicate control has put both into an older lead."""

    lead_id: int
    contact_id: int | None
    merged: bool
    request_id: str | None


def create_complex(
    client: Client,
    lead: dict[str, Any],
    *,
    subject: str,
    live: bool = True,
    may_send: Callable[[], bool] | None = None,
) -> Created:
    """Create a lead with a new contact, or on an existing one. 1 request. `live`: somebody waits. `subject`: our id, for the journal.

    AmoCRM looks for no duplicate, unless an admin has switched that on for the integration (sheet 5.2).
    """
    path, operation = "/api/v4/leads/complex", "leads.create"
    reply = client.post(path, operation, [lead], kind="lead", subject=subject, live=live, may_send=may_send)
    made = _ours(reply.data, lead.get("request_id"))
    if made is None:
        raise BrokenWord("garbled", operation=operation, request_id=reply.request_id)
    contact_id = made.get("contact_id")
    return Created(
        answers.number(made.get("id")),
        contact_id if isinstance(contact_id, int) and not isinstance(contact_id, bool) else None,
        made.get("merged") is True,
        reply.request_id,
    )


def lead_address(account_url: str, lead_id: int) -> str:
    """A lead's page in AmoCRM, for people."""
    return f"{account_url}/leads/detail/{lead_id}"


def _ours(data: Any, request_id: Any) -> dict[str, Any] | None:
    """Return the answer's item about the lead we sent; None if several could be meant. `request_id` comes as a list."""
    found = data if isinstance(data, list) and all(isinstance(item, dict) for item in data) else []
    ours = (
        found if len(found) == 1 else [item for item in found if item.get("request_id") in ([request_id], request_id)]
    )
    return ours[0] if len(ours) == 1 and ours[0] else None

"""Leads. Sheet 5.2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crm.amo.answers import number
from crm.amo.client import PAGE_LIMIT, Client
from crm.amo.door import Params
from crm.errors import BrokenWord


def created_between(
    client: Client, since: int, until: int, *, live: bool = True, limit: int = PAGE_LIMIT
) -> Iterator[list[dict[str, Any]]]:
    """Pages of leads created from `since` to `until` (unix seconds, both included), newest first, contacts' ids embedded.

    One request for each 250. AmoCRM answers 200 with everything where it does not understand a filter or an
    order, so both are checked against what came: `BrokenWord("filter_ignored")`.
    """
    params: Params = [
        ("with", "contacts"),
        ("order[created_at]", "desc"),
        ("filter[created_at][from]", since),
        ("filter[created_at][to]", until),
    ]
    last = until
    for page in client.pages("/api/v4/leads", "leads", "leads.list", params, live=live, limit=limit):
        for lead in page:
            created = number(lead.get("created_at"))
            if not since <= created <= last:
                raise BrokenWord("filter_ignored", operation="leads.list", retryable=False)
            last = created
        yield page


@dataclass(frozen=True, slots=True)
class Created:
    """What `create_complex` made."""

    lead_id: int
    contact_id: int | None


def create_complex(client: Client, lead: dict[str, Any], *, subject: str, live: bool = True) -> Created:
    """Create a lead with its contact. One request; AmoCRM never looks for a duplicate. `subject`: our id, for the journal."""
    data = client.post("/api/v4/leads/complex", "leads.create", [lead], kind="lead", subject=subject, live=live).data
    made = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
    if not made:
        raise BrokenWord("garbled", operation="leads.create")
    contact_id = made.get("contact_id")
    return Created(number(made.get("id")), contact_id if isinstance(contact_id, int) else None)

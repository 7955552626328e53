"""Contacts. Sheet 5.4."""

from __future__ import annotations

from typing import Any

from crm.client import Client
from wire import Params


def matching(
    client: Client, text: str, *, live: bool = True, with_leads: bool = False, tries: int | None = None
) -> list[dict[str, Any]]:
    """Contacts in which AmoCRM's full text finds `text`, anywhere: near hits too. 1 request, 250 at the most.

    Never take a hit for the person: compare the phone field (sheet 8, items 8, 31, 32). `with_leads`: and the ids of
    their leads.
    """
    wanted: Params = [("query", text), *([("with", "leads")] if with_leads else [])]
    return client.first("/api/v4/contacts", "contacts", "contacts.search", wanted, live=live, tries=tries)

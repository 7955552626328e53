"""Contacts. Sheet 5.4."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crm import walk
from crm.client import Client
from wire import Params


def by_ids(client: Client, ids: Iterable[int], *, live: bool = True) -> list[dict[str, Any]]:
    """The contacts of these ids; those that are gone are absent. One request for each 250 ids."""
    return walk.by_ids(client, walk.CONTACTS, ids, live=live)


def matching(
    client: Client, text: str, *, live: bool = True, with_leads: bool = False, tries: int | None = None
) -> list[dict[str, Any]]:
    """Contacts in which AmoCRM's full text finds `text`, anywhere: near hits too. One request, 250 at the most.

    Never take a hit for the person: compare the phone field (sheet 8, items 8, 31, 32). `with_leads`: and the ids of
    their leads.
    """
    wanted: Params = [("query", text), *([("with", "leads")] if with_leads else [])]
    return client.first("/api/v4/contacts", "contacts", "contacts.search", wanted, live=live, tries=tries)

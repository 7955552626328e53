"""Webhook subscriptions: `/webhooks` (sheet 5.13). The bodies of hooks are `hooks/`."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

from sandbox.answers import Answer, Refusal, hal, nothing, problem
from sandbox.api.checks import Item, pass_or_refuse_one
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_ID
from sandbox.oauth.access import admins_only
from sandbox.store.database import Row

SETTINGS = {
    f"{action}_{entity}"
    for entity, actions in {
        "lead": "add update delete restore status responsible note",
        "contact": "add update delete restore responsible note",
        "company": "add update delete restore responsible note",
        "task": "add update delete responsible",
        "customer": "add update delete responsible note",
        "talk": "add update",
        "message": "add",
        "outgoing_message": "add",
        "unsorted": "add update delete",
        "chat_template_review": "add",
    }.items()
    for action in actions.split()
}
"""Union of the Russian and the Kommo list."""

MOST_HOOKS = 100
"""Of an account (sheet 4.1, D)."""

INVALID_URL_CODE = "57c2f299-1154-4870-89bb-ef3b1f5ad229"
"""The Symfony constraint that a destination without an address breaks (sheet 4.3, L)."""


def look_up_destination(call: Call) -> None:
    """Ask the resolver before the database is held: an unknown host can take seconds to be given up."""
    try:
        destination = json.loads(call.body).get("destination")
        parts = urlsplit(destination)
        call.destination_resolves = bool(parts.scheme in ("http", "https") and parts.hostname)
        if call.destination_resolves and call.world.config.destination_dns_check:
            socket.getaddrinfo(parts.hostname, parts.port or 80)
    except (AttributeError, OSError, TypeError, ValueError, UnicodeError):
        call.destination_resolves = False


def read_list(call: Call) -> Answer:
    """GET /webhooks, `filter[destination]`: neither links nor pages; `settings` is a list here."""
    admins_only(call)
    wanted = call.filter("destination")
    sql = "SELECT * FROM webhooks WHERE ? IN (destination, '') ORDER BY sort, id"
    rows = call.store.rows(sql, [wanted if isinstance(wanted, str) else ""])
    if not rows:
        return nothing()
    return hal({"_total_items": len(rows), "_embedded": {"webhooks": [show(row) for row in rows]}})


def show(row: Row) -> dict[str, Any]:
    """A subscription in a list's form."""
    return {
        "id": row["id"],
        "destination": row["destination"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "account_id": ACCOUNT_ID,
        "created_by": row["created_by"],
        "sort": row["sort"],
        "disabled": bool(row["disabled"]),
        "settings": json.loads(row["settings"]),
    }


def subscribe(call: Call) -> Answer:
    """POST /webhooks: one destination, one subscription; the answer's `settings` is an object (sheet 5.13, L)."""
    admins_only(call)
    item = Item(call.object())
    destination, settings = item.text("destination", required=True), item.elements("settings")
    for position, name in enumerate(settings):
        if not isinstance(name, str) or name not in SETTINGS:
            item.refuse("NotSupportedChoice", f"settings.{position}")
    if not settings:
        item.refuse("FieldMissing", "settings")
    if destination is not None and not call.destination_resolves:
        item.refuse(INVALID_URL_CODE, "destination.destination", "Invalid URL")
    sort = item.integer("sort")
    pass_or_refuse_one(item)
    row = _kept(call, destination or "", settings, sort)
    return hal(show(row) | {"settings": dict.fromkeys(json.loads(row["settings"]), 1)})


def _kept(call: Call, destination: str, settings: list[str], sort: int | None) -> Row:
    old = call.store.row("SELECT * FROM webhooks WHERE destination = ?", [destination])
    if old:
        merged = json.loads(old["settings"]) if call.work.config.webhook_settings == "merge" else []
        values = {"settings": json.dumps(sorted({*merged, *settings})), "updated_at": call.work.now}
        values |= {"sort": sort} if sort is not None else {}
        call.store.update("webhooks", values, id=old["id"])
        return old | values
    if call.store.value("SELECT count(*) FROM webhooks") >= MOST_HOOKS:
        raise Refusal(problem(422, f"Limit {MOST_HOOKS} webhooks"))  # U: only the limit itself is known
    row = {
        "id": call.store.next_id("webhooks"),
        "destination": destination,
        "created_at": call.work.now,
        "updated_at": call.work.now,
        "created_by": call.work.user_id,
        "sort": 1 if sort is None else sort,
        "disabled": 0,
        "settings": json.dumps(sorted(set(settings))),
    }
    call.store.insert("webhooks", row)
    return row


def unsubscribe(call: Call) -> Answer:
    """DELETE /webhooks with the destination in the body: 204, or 404 without such a subscription."""
    admins_only(call)
    destination = call.object().get("destination")
    row = call.store.row("SELECT * FROM webhooks WHERE destination = ?", [str(destination)])
    if row is None:
        return problem(404, "Not Found")
    call.store.db.execute("DELETE FROM webhooks WHERE id = ?", [row["id"]])
    call.store.db.execute("DELETE FROM deliveries WHERE webhook_id = ?", [row["id"]])
    return nothing()

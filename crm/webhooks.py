"""Webhook subscriptions of the account. Sheet 5.13. Admins only; reading hooks is `desk.webhooks`' business.

A destination holds a secret: it never goes into an operation's subject or an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from crm import answers
from crm.client import Client
from crm.errors import SaidNo

PATH = "/api/v4/webhooks"
LAST = 10
"""Our place among an account's hooks (`sort`): AmoCRM's own default."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A destination and its events. `disabled`: switched off by AmoCRM, after too many bad answers or by hand."""

    destination: str = field(repr=False)
    events: tuple[str, ...]
    disabled: bool


def listed(client: Client, *, live: bool = False) -> list[Subscription]:
    """All of the account, everybody's. 1 request: an account has 100 at the most, and there are no pages.

    Not repeated where it fails: whoever looks after subscriptions comes again by himself.
    """
    found = answers.items(client.get(PATH, "webhooks.list", live=live, tries=1).data, "webhooks")
    return [
        Subscription(str(item.get("destination") or ""), _events(item.get("settings")), bool(item.get("disabled")))
        for item in found
    ]


def subscribe(client: Client, destination: str, events: Iterable[str], *, live: bool = False) -> None:
    """Subscribe a destination to events. 1 request; a repetition is the same subscription.

    Raises `SaidNo("validation")` where AmoCRM does not find the host: a new name takes it about a minute (sheet 5.13).
    """
    wanted = {"destination": destination, "settings": list(events), "sort": LAST}
    client.post(PATH, "webhooks.subscribe", wanted, kind="hook", live=live)


def unsubscribe(client: Client, destination: str, *, live: bool = False) -> None:
    """Remove a subscription; a missing subscription is no error. 1 request."""
    try:
        client.delete(PATH, "webhooks.unsubscribe", {"destination": destination}, kind="hook", live=live)
    except SaidNo as error:
        if error.code != "not_found":
            raise


def _events(settings: object) -> tuple[str, ...]:
    """A list in a list, an object in the answer to a POST (sheet 5.13, L)."""
    return tuple(str(name) for name in settings) if isinstance(settings, list | dict) else ()

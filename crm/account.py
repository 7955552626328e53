"""The account itself. Sheet 5.1."""

from __future__ import annotations

from dataclasses import dataclass

from crm.answers import number
from crm.client import Client
from crm.errors import BrokenWord


@dataclass(frozen=True, slots=True)
class Account:
    """The connected account. `user_id`: the person of the token."""

    id: int
    name: str
    subdomain: str
    user_id: int | None


def current(client: Client) -> Account:
    """The account of the token. 1 request."""
    data = client.get("/api/v4/account", "account.get").data
    if not isinstance(data, dict):
        raise BrokenWord("garbled", operation="account.get")
    user_id = data.get("current_user_id")
    return Account(
        id=number(data.get("id")),
        name=str(data.get("name") or ""),
        subdomain=str(data.get("subdomain") or ""),
        user_id=user_id if isinstance(user_id, int) else None,
    )

"""The facts about an AmoCRM account and its integration that a connection needs."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

DOMAINS = ("amocrm.ru", "amocrm.com", "kommo.com")
"""The zones an AmoCRM account can live in (sheet 3.1). The client secret goes nowhere else."""


class Secret:
    """A hidden text: `repr` and `str` are stars; `.reveal()` returns the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Config:
    """An account and its integration: with a long-lived token, or with the OAuth pair of id and secret."""

    api_url: str
    """`https://{subdomain}.{domain}`, without a path."""
    oauth_url: str = "https://www.amocrm.ru/oauth"
    """AmoCRM's consent page."""
    client_id: str | None = None
    client_secret: Secret | None = None
    redirect_uri: str = ""
    access_token: Secret | None = None
    """A long-lived token; such a connection is never refreshed."""
    subdomain: str | None = None


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean the local machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

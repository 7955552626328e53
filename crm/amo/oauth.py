"""The token endpoint and the consent page's address. Sheet 3.

One call, sent once: a refresh token works once, so nothing here is ever tried again on its own. What its
errors mean is `token_error_of`, a pure function: the endpoint names the cause only in a `hint` (sheet 3.5).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from crm.amo import answers
from crm.amo.door import NOBODY, Call, Door
from crm.errors import BrokenWord, DeskError, NotLetIn, SetupError

TOKEN_DEADLINE_S = 15.0
"""For a token call; AmoCRM's own client waits as long (sheet 3.3)."""


@dataclass(frozen=True, slots=True)
class Integration:
    """The external integration an admin has made in AmoCRM."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Both tokens of one answer. `expires_in_s` counts from the answer."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_in_s: int


def consent_address(oauth_url: str, client_id: str, state: str) -> str:
    """Where the admin's browser goes to allow or deny."""
    return f"{oauth_url}?{urlencode({'client_id': client_id, 'state': state})}"


def exchange_code(door: Door, account_url: str, integration: Integration, code: str) -> Pair:
    """An authorization code (20 minutes, once) for a pair. One request."""
    return _token_call(
        door, account_url, integration, "token.exchange", {"grant_type": "authorization_code", "code": code}
    )


def refresh(door: Door, account_url: str, integration: Integration, refresh_token: str) -> Pair:
    """A refresh token (three months, once) for the next pair. One request."""
    return _token_call(
        door, account_url, integration, "token.refresh", {"grant_type": "refresh_token", "refresh_token": refresh_token}
    )


HINTS: tuple[tuple[str, type[DeskError], str], ...] = (
    ("authorization code has expired", NotLetIn, "code_expired"),
    ("authorization code has been revoked", NotLetIn, "code_used"),
    ("authorization code", NotLetIn, "code_invalid"),
    ("client_id", SetupError, "client_id_wrong"),
    ("client_secret", SetupError, "client_secret_wrong"),
    ("redirect uri", SetupError, "redirect_uri_wrong"),
    ("invalid account", SetupError, "account_wrong"),
    ("token has been revoked", NotLetIn, "grant_revoked"),
    ("token has expired", NotLetIn, "grant_expired"),
    ("refresh", NotLetIn, "grant_invalid"),
)
"""What a hint contains, in lower case, and what it means; the first that fits counts (sheet 3.5)."""


def token_error_of(status: int, content_type: str, body: bytes) -> DeskError | None:
    """The error an answer of the token endpoint stands for, or None for a success.

    The status is looked at last: the same cause comes as 400 or 401, depending on who was asked.
    """
    if status in answers.SUCCESS:
        return None
    problem = answers.parse(body)
    if status in (400, 401) and isinstance(problem, dict):
        hint = str(problem.get("hint", "")).lower()
        for text, error, code in HINTS:
            if text in hint:
                return error(code, status=status)
        # No hint: "Авторизация клиента не прошла", for a client the account does not accept.
        return NotLetIn("client_not_allowed" if status == 401 else "grant_invalid", status=status)
    if status == 404:
        return SetupError("account_gone", status=status)
    return answers.error_of(status, content_type, body)


def expiry_of(access_token: str) -> datetime | None:
    """When a JWT says it expires; None where it says nothing readable. The signature is AmoCRM's to check."""
    expires = claims_of(access_token).get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        return None
    try:
        return datetime.fromtimestamp(expires, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def claims_of(access_token: str) -> dict[str, Any]:
    """What a JWT says about itself; empty for anything that is none."""
    parts = access_token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _token_call(door: Door, account_url: str, integration: Integration, operation: str, grant: dict[str, str]) -> Pair:
    body = {
        "client_id": integration.client_id,
        "client_secret": integration.client_secret,
        "redirect_uri": integration.redirect_uri,
        **grant,
    }
    url = f"{account_url}/oauth2/access_token"
    call = Call("POST", url, operation, "token", json=body, deadline_s=TOKEN_DEADLINE_S, error_of=token_error_of)
    data = door.request(call, NOBODY).data
    if not isinstance(data, dict):
        raise BrokenWord("garbled", operation=operation)
    access, renewed, expires_in = data.get("access_token"), data.get("refresh_token"), data.get("expires_in")
    if not (isinstance(access, str) and isinstance(renewed, str) and isinstance(expires_in, int)):
        raise BrokenWord("token_answer_incomplete", operation=operation)
    if not (access and renewed and expires_in > 0):
        raise BrokenWord("token_answer_incomplete", operation=operation)
    return Pair(access, renewed, expires_in)

"""The token endpoint and the consent page's address. Sheet 3.

One call, sent once: a refresh token works once, so nothing here is ever tried again on its own. What its
errors mean is `token_error_of`, a pure function: the endpoint names the cause only in a `hint` (sheet 3.5).
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from crm import answers
from crm.door import NOBODY, Call, Door
from crm.errors import BrokenWord, DeskError, NotLetIn, SetupError
from store import clock

TOKEN_DEADLINE_S = 15.0
"""For a token call; AmoCRM's own client waits as long (sheet 3.3)."""


USUAL_LIFE_S = 86_400
LONGEST_LIFE_S = 10 * 365 * 86_400
"""Of an access token (sheet 3.4): a day; the other is where a number stops being one."""


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
    server_date: str | None = None


def consent_address(oauth_url: str, client_id: str, state: str) -> str:
    """Where the admin's browser goes to allow or deny."""
    return f"{oauth_url}?{urlencode({'client_id': client_id, 'state': state})}"


def exchange_code(door: Door, account_url: str, integration: Integration, code: str) -> Pair:
    """An authorization code (20 minutes, once) for a pair. One request."""
    return _token_call(
        door, account_url, integration, "token.exchange", {"grant_type": "authorization_code", "code": code}
    )


def refresh(
    door: Door,
    account_url: str,
    integration: Integration,
    refresh_token: str,
    may_send: Callable[[], bool] | None = None,
) -> Pair:
    """A refresh token (three months, once) for the next pair. One request. `may_send`: see `crm.door.Call`."""
    grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _token_call(door, account_url, integration, "token.refresh", grant, may_send)


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

NOBODYS_GRANT = frozenset({"server_hiccup", "account_refuses", "person_switched_off", "blocked", "unpaid"})
"""What a 400 or 401 without a hint can say that is nothing about the refresh token or the code (sheet 4.3)."""


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
        told = answers.error_of(status, content_type, body)
        if told is not None and told.code in NOBODYS_GRANT:
            return told  # a passing fault, or the account's own trouble: the grant is as good as before
        # No hint: "Авторизация клиента не прошла", for a client the account does not accept.
        return NotLetIn("client_not_allowed" if status == 401 else "grant_invalid", status=status)
    if status == 404:
        return SetupError("account_gone", status=status)
    return _of_no_person(answers.error_of(status, content_type, body))


def _of_no_person(error: DeskError | None) -> DeskError | None:
    """The same where nobody's access token was sent: a page or a redirect tells nothing about the person who connected."""
    if error is not None and error.code in ("person_switched_off", "redirected", "token_rejected"):
        return NotLetIn("unexpected_answer", status=error.status)
    return error


def question_error_of(status: int, content_type: str, body: bytes) -> DeskError | None:
    """The error an answer about a refresh token stands for. What is no clear refusal of the token is no word about it."""
    error = answers.error_of(status, content_type, body)
    if error is not None and error.code in (
        "person_switched_off",
        "redirected",
        "account_refuses",
        "unexpected_answer",
    ):
        return BrokenWord("unexpected_answer", status=status)
    return error


def present_domain(door: Door, api_url: str, refresh_token: str) -> str:
    """The host at which the account of a refresh token lives now. One request, which does not spend the token.

    A refusal means that the token is worth nothing any more (sheet 3.7).
    """
    url = f"{api_url}/oauth2/account/current/subdomain"
    call = Call(
        "GET",
        url,
        "token.ask",
        "token",
        headers={"X-Refresh-Token": refresh_token},
        deadline_s=TOKEN_DEADLINE_S,
        error_of=question_error_of,
    )
    data = door.request(call, NOBODY).data
    domain = data.get("domain") if isinstance(data, dict) else None
    if not isinstance(domain, str) or not domain:
        raise BrokenWord("garbled", operation="token.ask")
    return domain


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


def lifetime_s(expires_in: Any, access_token: str, now: datetime) -> int:
    """Seconds an access token lives: what the answer says in any spelling of a number, else the token, else a day."""
    try:
        said = float(expires_in) if isinstance(expires_in, str | int | float) else 0.0
    except ValueError:
        said = 0.0
    if isinstance(expires_in, bool) or not 0 < said < math.inf:
        ends = expiry_of(access_token)
        said = (ends - now).total_seconds() if ends is not None and ends > now else USUAL_LIFE_S
    return max(1, int(min(said, LONGEST_LIFE_S)))


def _token_call(
    door: Door,
    account_url: str,
    integration: Integration,
    operation: str,
    grant: dict[str, str],
    may_send: Callable[[], bool] | None = None,
) -> Pair:
    body = {
        "client_id": integration.client_id,
        "client_secret": integration.client_secret,
        "redirect_uri": integration.redirect_uri,
        **grant,
    }
    call = Call(
        "POST",
        f"{account_url}/oauth2/access_token",
        operation,
        "token",
        json=body,
        deadline_s=TOKEN_DEADLINE_S,
        error_of=token_error_of,
        may_send=may_send,
    )
    reply = door.request(call, NOBODY)
    data = reply.data
    if not isinstance(data, dict):
        raise BrokenWord("garbled", operation=operation)
    access, renewed = data.get("access_token"), data.get("refresh_token")
    if not (isinstance(access, str) and isinstance(renewed, str) and access and renewed):
        raise BrokenWord("token_answer_incomplete", operation=operation)
    lives_s = lifetime_s(data.get("expires_in"), access, clock.now())
    return Pair(access, renewed, lives_s, reply.server_date)

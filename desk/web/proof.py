"""The proof of being on this machine, carried by a request as a cookie, or as the local key in its bearer (`desk.doorway`)."""

from __future__ import annotations

from collections.abc import Iterator

from desk.doorway import LIFE_S, Doorway
from desk.web.caller import PUBLIC, App, Caller, Receive, Scope, Send, bearer_of, caller_of
from store import clock

RENEWED_AFTER_S = 24 * 3600
"""The age at which a cookie is replaced when its browser comes: a daily operator is never asked again."""

LONGEST_COOKIE = 256
"""Of our own: a time, a name, a signature."""

LOCAL, SHOWN = "desk/is_local", "desk/shown"
"""In a request's scope: the verdict of `is_local`, and when the cookie shown was made."""


def is_local(doorway: Doorway, scope: Scope, caller: Caller | None = None) -> bool:
    """Whether a request's sender seems to be on this machine and, if proof is asked for, proves so."""
    if LOCAL not in scope:
        scope[SHOWN], scope[LOCAL] = None, False
        if (caller or caller_of(scope)).seems_local:
            scope[SHOWN] = None if doorway.is_open else _shown(doorway, scope)
            scope[LOCAL] = doorway.is_open or scope[SHOWN] is not None or doorway.is_key(bearer_of(scope))
    return bool(scope[LOCAL])


def renewing(doorway: Doorway, scope: Scope, send: Send) -> Send:
    """Return `send`, or a wrapper that gives the browser a fresh cookie in place of an ageing cookie."""
    at = scope.get(SHOWN)
    if at is None or clock.unix() - at < RENEWED_AFTER_S:
        return send
    header = (b"set-cookie", set_cookie(doorway, secure=scope.get("scheme") == "https").encode())

    async def renew(message: Scope) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), header]
        await send(message)

    return renew


def set_cookie(doorway: Doorway, *, secure: bool) -> str:
    """The header that gives a browser its cookie."""
    more = "; Secure" if secure else ""
    return f"{doorway.cookie_name}={doorway.cookie()}; Path=/; Max-Age={LIFE_S}; HttpOnly; SameSite=Lax{more}"


class Public:
    """ASGI: the same application for requests through the public listener; `desk.web.gate` then knows."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, PUBLIC: True}, receive, send)


def _shown(doorway: Doorway, scope: Scope) -> int | None:
    """When the cookie of a request was made; None unless the cookie is the desk's own and still good."""
    made = (doorway.made_at(value) for value in _cookies(scope, doorway.cookie_name))
    return next((at for at in made if at is not None), None)


def _cookies(scope: Scope, name: str) -> Iterator[str]:
    """Every value a request has under this cookie's name."""
    for header, value in scope.get("headers", []):
        if header == b"cookie" and name.encode() in value:
            for part in value.decode("latin-1").split(";"):
                found, _, text = part.strip().partition("=")
                if found == name and len(text) <= LONGEST_COOKIE:
                    yield text

"""The guard of the buttons: no page of another origin, and no caller under another name.

What is for people and for tests (the consent page, `/_sandbox/…`) asks for no token. A page elsewhere could post to it through
the browser of whoever runs the sandbox, or have its own name point here. The account's addresses ask for a token and are left
as AmoCRM's are.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.answers import problem
from sandbox.wire import send_whole

TOKEN_ASKED = ("/api/", "/ajax/", "/private/", "/oauth2/")
"""Addresses of the account, for programs."""


class Strangers:
    """ASGI: refuses strangers, and hands every other request on."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        """`host`: where the sandbox listens. Bound to every address, the sandbox may be called by any name."""
        self._app, self._any_name = app, not _is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(TOKEN_ASKED) and not self._is_welcome(scope):
            refused = problem(403, "Not for pages of other origins, nor under other names than this machine's.")
            await send_whole(send, refused, None)
            return
        await self._app(scope, receive, send)

    def _is_welcome(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._any_name and not _is_loopback(_name_of(f"//{host}")):
            return False
        origin = headers.get(b"origin")
        return origin is None or urlsplit(origin.decode("latin-1")).netloc == host


def _name_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False

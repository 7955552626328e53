"""Who may in: closed by default.

Without a sign-in the desk serves only a browser on the same machine. "The same machine" is three facts at
once: the connection comes from loopback, the address typed names loopback (or a page elsewhere could have
its name point here), and no proxy has forwarded it (or everybody behind that proxy would look local).
`verdict` decides, pure; `Gate` puts it before everything the server serves. Paths with a check of their own
(an API key, an OAuth state) pass the gate and are checked there.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from crm.settings import Secret, is_loopback

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OWN_CHECK = re.compile(r"/api/amocrm/.*|/api/crm(/.*)?|/healthz|/readyz")
"""Paths that check their callers themselves, or tell nothing worth hiding."""

FORWARDING = re.compile(
    r"forwarded|via|x-real-ip|(x|true|cf|fastly|fly)-(\w+-)*(client|connecting)-ip|x-(original-)?forwarded-.*|x-original-.*"
)
"""Headers a proxy adds. One of them means: the browser is not on this machine."""

PROXY_VERSION = "1.0"
"""No browser speaks HTTP/1.0; a proxy that is set up no further does, and sends no header that tells."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of whoever asks. `host`: as typed in the browser's address line, without the port."""

    peer: str
    host: str
    forwarded: bool
    origin: str | None = None

    @property
    def is_local(self) -> bool:
        """On this machine, by all signs, and not sent by a page from elsewhere."""
        at_home = is_loopback(self.peer) and is_loopback(self.host) and not self.forwarded
        return at_home and (self.origin is None or is_loopback(_host_of(self.origin)))


def caller_of(scope: Scope) -> Caller:
    """The caller of an ASGI request."""
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope.get("headers", [])]
    hosts = [value for name, value in headers if name == "host"]
    host = _host_of(f"//{hosts[0]}") if len(hosts) == 1 and _is_plain(hosts[0]) else ""
    origins = [value for name, value in headers if name == "origin"]
    return Caller(
        peer=(scope.get("client") or ("",))[0],
        host=host,
        forwarded=any(FORWARDING.fullmatch(name) for name, _ in headers) or scope.get("http_version") == PROXY_VERSION,
        origin=origins[0] if origins else None,
    )


def verdict(path: str, caller: Caller) -> str:
    """ "serve", "own_check" or "refuse" for a request to `path`."""
    if caller.is_local:
        return "serve"
    return "own_check" if OWN_CHECK.fullmatch(path) else "refuse"


def key_verdict(expected: Secret | None, authorization: str | None) -> str:
    """ "ok", "no_key_set", or "wrong": what an `Authorization` header is worth against the configured key."""
    if expected is None:
        return "no_key_set"
    scheme, _, given = (authorization or "").partition(" ")
    right = hmac.compare_digest(given.strip().encode(), expected.reveal().encode())
    return "ok" if right and scheme.lower() == "bearer" else "wrong"


class Gate:
    """ASGI middleware: serves whom `verdict` lets in and tells the others how to open the desk properly."""

    def __init__(self, app: App, refusal: Callable[[Iterable[str]], str]) -> None:
        """`refusal`: the page for those who are kept out, by the languages their browser prefers."""
        self._app, self._refusal = app, refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket" and not caller_of(scope).is_local:
            await send({"type": "websocket.close", "code": 1008})
        elif verdict(scope["path"], caller_of(scope)) != "refuse":
            await self._app(scope, receive, send)
        else:
            await _send_page(send, self._refusal(_languages(scope)))


def _languages(scope: Scope) -> list[str]:
    accepted = next((value for name, value in scope.get("headers", []) if name == b"accept-language"), b"")
    return [part.split(";")[0].strip()[:2].lower() for part in accepted.decode("latin-1").split(",")]


async def _send_page(send: Send, page: str) -> None:
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": page.encode()})


def _host_of(address: str) -> str:
    """The host of an address; "" where it has none, or is nothing that could be one."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_plain(host: str) -> bool:
    return not any(char in host for char in "/@?#\\ ")

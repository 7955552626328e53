"""Who may in: closed by default.

Without a sign-in the desk shows its pages only to a browser on the same machine. Four facts have to hold at once: the
connection comes from loopback, the address typed names loopback (or a page elsewhere could have its name point here), no
proxy says that it has forwarded the request, and no page of another origin asks. None of them proves anything: a proxy that
adds no header, or any forwarder of ports, looks exactly like that. So a fifth thing is asked for, which nobody elsewhere has:
`desk.web.doorway`, a secret that was handed over on the machine itself.

`verdict` decides, pure; `Gate` puts it before everything the server serves. Paths with a check of their own (an API key, an
OAuth state) pass the gate and are checked there.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from desk.settings import TOP_PORT, Secret, is_loopback

if TYPE_CHECKING:
    from desk.web.doorway import Doorway

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OWN_CHECK = re.compile(r"/api/amocrm/.*|/api/crm(/.*)?|/healthz|/readyz")
"""Paths that check their callers themselves, or tell nothing worth hiding. All a public listener serves."""

ENTRANCE = re.compile(r"/enter(/[^/]*)?")
"""Where the proof of being on this machine is shown; see `desk.web.doorway`."""

ALIVE = "/_stcore/health"
"""Streamlit's own word that it runs, which whoever starts it on this machine waits for."""

UNUSED = re.compile(
    r"/_stcore/(upload_file|metrics|script-health-check|agent|bidi-components)(/.*)?"
    r"|/component(/.*)?|/auth/.*|/oauth2callback"
)
"""What Streamlit would serve and no page of ours needs: uploads, figures, the agent API, components, a sign-in."""

FORWARDING = re.compile(
    r"forwarded|via|x-real-ip|client-ip|(x|true|cf|fastly|fly|wl-proxy)-(\w+-)*(client|connecting)-ip(v6)?"
    r"|x-(original-)?forwarded-.*|x-original-.*|x-proxyuser-ip|x-cluster-.*|x-host|x-varnish|x-arr-.*|x-scheme"
    r"|(cf|cloudfront|cdn|fastly|fly|tailscale|x-envoy|x-azure|x-appengine|x-amzn|x-vercel|x-nf|x-goog|ngrok)-.*"
)
"""Headers a proxy adds. One of them means: the browser is not on this machine. Their absence means nothing."""

PROXY_VERSION = "1.0"
"""No browser speaks HTTP/1.0; nginx did to its upstreams until 1.29.7."""

OWN_HOST = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?", re.IGNORECASE)
"""How a browser spells an address of this machine, and nothing else: no user, no second port, no zone, no dot behind."""

LONGEST_OWN = 128
"""Characters of a peer and a host together that can both be this machine's. Longer ones are not even looked at."""

FOREIGN_SITES = ("cross-site", "same-site")
"""`Sec-Fetch-Site` of what another origin's page asks for; another port of this machine is "same-site"."""

BARE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""For pages of a few lines: they load nothing and run nothing."""

Page = Callable[[Iterable[str]], str]

PUBLIC = "desk/public"
"""Set in the scope of what came in through the public listener: never local, whatever it looks like."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of whoever asks. `host`: as typed in the browser's address line, with its port; "" unless it can be one.

    `origin`: the page that asks, None where no browser says so. `is_foreign`: a browser says that another origin's page asks
    for this, and not by a link.
    """

    peer: str
    host: str
    forwarded: bool
    origin: str | None = None
    scheme: str = "http"
    is_foreign: bool = False
    is_public: bool = False

    @property
    def seems_local(self) -> bool:
        """Nothing speaks against this machine. No proof: whoever forwards a port without a word looks the same."""
        if self.is_public or self.forwarded or self.is_foreign or len(self.peer + self.host) > LONGEST_OWN:
            return False
        if not _is_own_peer(self.peer) or not _is_own_host(self.host):
            return False
        return self.origin is None or self.origin.lower() == f"{self.scheme}://{self.host.lower()}"


@lru_cache(256)
def _is_own_peer(peer: str) -> bool:
    return is_loopback(peer)


@lru_cache(256)
def _is_own_host(host: str) -> bool:
    """Whether the address typed can only mean this machine."""
    found = OWN_HOST.fullmatch(host)
    if found is None or int(found.group(1) or 1) not in range(1, TOP_PORT + 1):
        return False
    return is_loopback(host.rpartition(":")[0] if found.group(1) else host)


def caller_of(scope: Scope) -> Caller:
    """The caller of an ASGI request."""
    found: dict[str, list[str]] = {}
    for name, value in scope.get("headers", []):
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    hosts, origins = found.get("host", []), found.get("origin", [])
    return Caller(
        peer=(scope.get("client") or ("",))[0],
        host=hosts[0] if len(hosts) == 1 else "",
        forwarded=scope.get("http_version") == PROXY_VERSION or any(map(FORWARDING.fullmatch, found)),
        origin=None if not origins else origins[0] if len(origins) == 1 else "null",
        scheme="https" if scope.get("scheme") in ("https", "wss") else "http",
        is_foreign=_first(found, "sec-fetch-site") in FOREIGN_SITES and not _is_link(scope, found),
        is_public=bool(scope.get(PUBLIC)),
    )


def _is_link(scope: Scope, headers: dict[str, list[str]]) -> bool:
    """Whether a person follows a link, as far as their browser says."""
    is_page = (_first(headers, "sec-fetch-mode"), _first(headers, "sec-fetch-dest")) == ("navigate", "document")
    return is_page and scope.get("method", "GET") in ("GET", "HEAD")


def _first(headers: dict[str, list[str]], name: str) -> str:
    return headers.get(name, [""])[0]


def verdict(path: str, caller: Caller, *, is_proved: bool) -> str:
    """ "serve", "own_check", "locked", "refuse" or "nothing" for a request to `path`.

    "locked": everything looks like this machine and nothing proves it. "nothing": nobody gets anything there.
    """
    if OWN_CHECK.fullmatch(path):
        return "own_check"
    if caller.is_public:
        return "nothing"
    if not caller.seems_local:
        return "refuse"
    if path == ALIVE or ENTRANCE.fullmatch(path):
        return "own_check"
    if not is_proved:
        return "locked"
    return "nothing" if UNUSED.fullmatch(path) else "serve"


def key_verdict(expected: Secret | None, authorization: str | None) -> str:
    """ "ok", "no_key_set", or "wrong": what an `Authorization` header is worth against the configured key."""
    if expected is None:
        return "no_key_set"
    scheme, _, given = (authorization or "").partition(" ")
    right = hmac.compare_digest(given.strip().encode(), expected.reveal().encode())
    return "ok" if right and scheme.lower() == "bearer" else "wrong"


class Gate:
    """ASGI middleware: serves whom `verdict` lets in and tells the others how to open the desk properly."""

    def __init__(self, app: App, doorway: Doorway, closed: Page, locked: Page) -> None:
        """`closed`, `locked`: the pages for those who come from elsewhere, and for those who prove nothing yet, by the
        languages their browser prefers."""
        self._app, self._doorway, self._closed, self._locked = app, doorway, closed, locked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope)
        answer = verdict(scope["path"], caller, is_proved=self._doorway.is_local(scope, caller))
        if scope["type"] == "websocket":
            if answer == "serve":
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
        elif answer in ("serve", "own_check"):
            await self._app(scope, receive, self._doorway.renewing(scope, send) if answer == "serve" else send)
        elif answer == "nothing":
            await send_text(send, 404, "text/plain; charset=utf-8", "404")
        else:
            page = self._locked if answer == "locked" else self._closed
            await send_text(send, 403, "text/html; charset=utf-8", page(languages_of(scope)))


def languages_of(scope: Scope) -> list[str]:
    """The languages a browser prefers, best first."""
    accepted = next((value for name, value in scope.get("headers", []) if name == b"accept-language"), b"")
    return [part.split(";")[0].strip()[:2].lower() for part in accepted.decode("latin-1").split(",")]


async def send_text(send: Send, status: int, kind: str, text: str) -> None:
    """A whole answer that is kept nowhere and may run nothing."""
    body = text.encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", BARE_POLICY.encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

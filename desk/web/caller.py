"""The caller, as far as a request tells: peer, address typed, signs of a proxy, the page that asks. Pure."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from crm.config import is_loopback
from desk.setting_values import TOP_PORT

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

FORWARDING = re.compile(
    r"forwarded|via|x-real-ip|client-ip|(x|true|cf|fastly|fly|wl-proxy)-(\w+-)*(client|connecting)-ip(v6)?"
    r"|x-(original-)?forwarded-.*|x-original-.*|x-proxyuser-ip|x-cluster-.*|x-host|x-varnish|x-arr-.*|x-scheme"
    r"|(cf|cloudfront|cdn|fastly|fly|tailscale|x-envoy|x-azure|x-appengine|x-amzn|x-vercel|x-nf|x-goog|ngrok)-.*"
)
"""Headers a proxy adds. Any of these means: the browser is not on this machine. Their absence proves no more than silence."""

PROXY_VERSION = "1.0"
"""No browser speaks HTTP/1.0; nginx did to its upstreams until 1.29.7."""

OWN_HOST = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?", re.IGNORECASE)
"""The spellings of this machine's address in a browser: no user, no second port, no zone, no dot behind."""

LONGEST_OWN = 128
"""Characters of a peer and a host together that can both be this machine's. Longer pairs are not even looked at."""

FOREIGN_SITES = ("cross-site", "same-site")
"""`Sec-Fetch-Site` of requests that another origin's page makes; another port of this machine is "same-site"."""

PUBLIC = "desk/public"
"""Set in the scope of a request through the public listener: never local, however local its looks."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The facts about a caller. `host`: as typed in the browser's address line, with its port; "" unless well formed.

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
        """Whether every sign points to this machine. No proof: a silent forwarder of ports looks the same way."""
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


def languages_of(scope: Scope) -> list[str]:
    """The languages a browser prefers, best first."""
    accepted = next((value for name, value in scope.get("headers", []) if name == b"accept-language"), b"")
    return [part.split(";")[0].strip()[:2].lower() for part in accepted.decode("latin-1").split(",")]


def bearer_of(scope: Scope) -> str:
    """The key of the Authorization header; "" for no header and for several."""
    given = [value for name, value in scope.get("headers", []) if name.lower() == b"authorization"]
    scheme, _, key = (given[0] if len(given) == 1 else b"").decode("latin-1").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""

"""The headers of every answer, Streamlit's own included: the content a browser may load, run, frame and keep.

Outermost of all, so that nothing is answered without them; what an answer says of itself stands.

The pages' policy names no foreign origin. Scripts: the server's own files, and those inline ones that are known by their
hash: one of Streamlit's `index.html` and ours (`ui.streamlit_gaps.scripts`). Styles: inline ones too, for Streamlit writes its styles into
the page as it draws. Pictures: `data:` and `blob:` besides the server's own, for charts and icons.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Iterable

from desk.web.caller import OWN_HOST, App, Receive, Scope, Send

Pair = tuple[bytes, bytes]

NONE = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""The policy of answers that are no page: no content in such an answer can be loaded, run, framed or sent."""

ALWAYS: tuple[Pair, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)

NOT_SHARED: tuple[Pair, ...] = (
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""For all but `/api`, which sites' pages call."""

NO_STORE = b"no-store"

PERSONAL = ("/media/", "/enter", "/api/", "/connection/", "/_stcore/")
"""Answers kept nowhere, despite their own headers: exports with people's phones, answers about leads, ways in."""

INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)

MOST_HOSTS = 64
"""Spellings of this machine whose policy is remembered; there are about three in use."""

log = logging.getLogger(__name__)


def hashed(script: str | bytes) -> str:
    """Return the hash by which a policy names an inline script."""
    whole = script.encode() if isinstance(script, str) else script
    return f"'sha256-{base64.b64encode(hashlib.sha256(whole).digest()).decode()}'"


def policy(host: str, scripts: Iterable[str]) -> str:
    """Return the policy of a page. `host`: as typed, for the live connection, which older browsers do not take for 'self'."""
    live = f" ws://{host} wss://{host}" if OWN_HOST.fullmatch(host) else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {' '.join(scripts)}".strip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self'",
            f"connect-src 'self'{live}",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "frame-src 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Headers:
    """ASGI middleware, in front of every other layer."""

    def __init__(self, app: App, page: bytes, scripts: Iterable[str]) -> None:
        """`page`: Streamlit's `index.html`; `scripts`: the inline scripts of our pages."""
        self._app = app
        self._scripts = [*map(hashed, INLINE.findall(page)), *map(hashed, scripts)]
        self._policies: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._answer(scope, receive, send)
            case "websocket":
                await self._app(scope, receive, _shaking_hands(scope, send))
            case _:
                await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, begun = scope["path"], False

        async def with_headers(message: Scope) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = self._added(scope, path, message["status"], message.get("headers", ()))
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception:
            if not begun:  # the server's own answer would go out past us
                await with_headers(
                    {"type": "http.response.start", "status": 500, "headers": [(b"content-type", b"text/plain")]}
                )
                await send({"type": "http.response.body", "body": b"500"})
            raise

    def _added(self, scope: Scope, path: str, status: int, given: Iterable[Pair]) -> list[Pair]:
        headers = [(name.lower(), value) for name, value in given]
        said = dict(headers)
        # "Not modified" says nothing of its kind, and a browser puts its headers in the place of those it has kept.
        is_page = (
            status == 304 or said.get(b"content-type", b"").startswith(b"text/html") or path.startswith("/static/")
        )
        more = [*ALWAYS, (b"content-security-policy", self._policy(scope) if is_page else NONE)]
        if not path.startswith("/api/"):
            more += NOT_SHARED
        if path.startswith(PERSONAL):
            headers = [(name, value) for name, value in headers if name != b"cache-control"]
            said.pop(b"cache-control", None)
        more.append((b"cache-control", NO_STORE))
        return headers + [(name, value) for name, value in more if name not in said]

    def _policy(self, scope: Scope) -> bytes:
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
        host = host if OWN_HOST.fullmatch(host) else ""
        if host not in self._policies:
            if len(self._policies) >= MOST_HOSTS:
                self._policies.clear()
            self._policies[host] = policy(host, self._scripts).encode()
        return self._policies[host]


def _shaking_hands(scope: Scope, send: Send) -> Send:
    """Put the headers on a live connection's handshake, too; a refused handshake gets an answer with every header."""

    async def with_headers(message: Scope) -> None:
        if message["type"] == "websocket.accept":
            message["headers"] = [*message.get("headers", ()), *ALWAYS, (b"cache-control", NO_STORE)]
            scope[ACCEPTED] = True
        elif (
            message["type"] == "websocket.close"
            and ACCEPTED not in scope
            and "websocket.http.response" in scope.get("extensions", {})
        ):
            headers = [
                *ALWAYS,
                (b"content-security-policy", NONE),
                (b"cache-control", NO_STORE),
                (b"content-length", b"0"),
            ]
            await send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
            message = {"type": "websocket.http.response.body", "body": b""}
        await send(message)

    return with_headers


ACCEPTED = "desk/accepted"
"""In a scope: the live connection is open."""

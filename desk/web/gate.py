"""The gate of the desk: closed by default.

Without a sign-in the desk shows its pages only to a browser on the same machine. Four facts have to hold at once: the
connection comes from loopback, the address typed names loopback (or a page elsewhere could have its name point here), no
proxy says that it has forwarded the request, and no page of another origin asks. None of them proves anything: a proxy that
adds no header, or any forwarder of ports, looks exactly like that. So a fifth thing is asked for, which nobody elsewhere has:
`desk.doorway`, a secret that was handed over on the machine itself.

`verdict` decides, pure; `Gate` puts it before everything the server serves. Paths with a check of their own (an API key, an
OAuth state) pass the gate and are checked there.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable

from desk.doorway import Doorway
from desk.settings import Secret
from desk.web.caller import App, Caller, Receive, Scope, Send, caller_of, languages_of
from desk.web.proof import is_local, renewing

OWN_CHECK = re.compile(r"/api/amocrm/.*|/api/crm(/.*)?|/healthz|/readyz")
"""Paths that check their callers themselves, or hold no secret. The public listener serves these alone."""

ENTRANCE = re.compile(r"/enter(/[^/]*)?")
"""Where the proof of being on this machine is shown; see `desk.doorway`."""

ALIVE = "/_stcore/health"
"""Streamlit's own word that the server runs. Starters on this machine wait for the word."""

UNUSED = re.compile(
    r"/_stcore/(upload_file|metrics|script-health-check|agent|bidi-components)(/.*)?"
    r"|/component(/.*)?|/auth/.*|/oauth2callback"
)
"""Services of Streamlit's that no page of ours needs: uploads, figures, the agent API, components, a sign-in."""

BARE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The policy of pages of a few lines, which load no file and run no script."""

Page = Callable[[Iterable[str]], str]


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
    """ "ok", "no_key_set", or "wrong": the worth of an `Authorization` header against the configured key."""
    if expected is None:
        return "no_key_set"
    scheme, _, given = (authorization or "").partition(" ")
    right = hmac.compare_digest(given.strip().encode(), expected.reveal().encode())
    return "ok" if right and scheme.lower() == "bearer" else "wrong"


class Gate:
    """ASGI middleware: serves the callers `verdict` lets in and tells all other callers how to open the desk properly."""

    def __init__(self, app: App, doorway: Doorway, closed: Page, locked: Page) -> None:
        """`closed`, `locked`: the pages for callers from elsewhere, and for callers without a proof so far, by the
        languages their browser prefers."""
        self._app, self._doorway, self._closed, self._locked = app, doorway, closed, locked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope)
        answer = verdict(scope["path"], caller, is_proved=is_local(self._doorway, scope, caller))
        if scope["type"] == "websocket":
            if answer == "serve":
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
        elif answer in ("serve", "own_check"):
            await self._app(scope, receive, renewing(self._doorway, scope, send) if answer == "serve" else send)
        elif answer == "nothing":
            await send_text(send, 404, "text/plain; charset=utf-8", "404")
        else:
            page = self._locked if answer == "locked" else self._closed
            await send_text(send, 403, "text/html; charset=utf-8", page(languages_of(scope)))


async def send_text(send: Send, status: int, kind: str, text: str) -> None:
    """Send a whole answer that no browser keeps and that may run no script."""
    body = text.encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", BARE_POLICY.encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

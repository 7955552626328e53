"""What the server serves besides the pages, in one list.

GET /connection/start     a browser begins to connect: a state for it alone, then AmoCRM's consent page
GET /healthz, /readyz     alive; ready, and what is red
/api/...                  `crm.api`
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cached_property

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from crm.access import App, Receive, Scope, Send
from crm.desk import Desk
from crm.errors import DeskError

STATE_COOKIE = "desk_connect"
"""Holds what binds a consent to the browser that began it, for as long as the state lives."""

STATE_COOKIE_PATH = "/api/amocrm/callback"
STATE_COOKIE_S = 20 * 60


def routes(desk: Callable[[], Desk]) -> list[BaseRoute]:
    """Everything above, for a server. `desk` is asked at each request: it is opened after the routes are made."""

    def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def readyz(_: Request) -> Response:
        checks = readiness(desk())
        ready = all(check == "ok" for check in checks.values())
        return JSONResponse({"ready": ready, "checks": checks}, status_code=200 if ready else 503)

    def start(request: Request) -> Response:
        """Send the browser to AmoCRM's consent page."""
        bound = secrets.token_urlsafe(32)
        try:
            target = desk().connection.begin(bound)
        except DeskError as error:
            return RedirectResponse(page_after_consent(error.code), status_code=303)
        answer = RedirectResponse(target, status_code=303)
        answer.set_cookie(
            STATE_COOKIE,
            bound,
            max_age=STATE_COOKIE_S,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
            path=STATE_COOKIE_PATH,
        )
        return answer

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/connection/start", start),
        Mount("/api", app=_Later(desk)),
    ]


def readiness(desk: Desk) -> dict[str, str]:
    """ "ok" or what is red, for each part that must work."""
    if not desk.store.healthy():
        return {"database": "unreachable"}
    status = desk.connection.status()
    return {
        "database": "ok",
        "connection": "ok" if status.connected else status.trouble or status.state,
        "delivery": "ok" if desk.outbox.is_running else "stopped",
    }


def page_after_consent(result: str) -> str:
    """The page that tells what came of a consent: "ok" or an error code."""
    return f"/connection?result={result}"


class _Later:
    """`crm.api`, imported when it is first called: FastAPI would hold up every start by a sixth of a second."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @cached_property
    def _app(self) -> App:
        from crm.api import build

        return build(self._desk)

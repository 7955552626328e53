"""The desk over HTTP: the landing page's and AmoCRM's way in.

    GET  /api/amocrm/auth           where to send an admin's browser: {"auth_url"}
    GET  /api/amocrm/callback       AmoCRM's answer in the admin's browser; without a query: the connection's status
    POST /api/amocrm/callback       refresh now
    GET  /api/amocrm/disabled       AmoCRM's signed call that its admin has switched the integration off
    POST /api/amocrm/webhook/secret what AmoCRM tells by itself
    POST /api/crm, GET /api/crm/id  a lead from the landing page, and where it is
    POST, GET /api/crm/in/key       the same for a sender that can be told an address and nothing else
    GET  /api/crm/thanks            where a plain HTML form ends that has no page of its own for it
    GET  /api/openapi.json          all of this, described

Thin: who may call is `desk.web.gate` and `desk.intake`, what a lead may be is `desk.lead`, everything else is the desk.
The routes are in `amocrm`, `hooks` and `leads`, the shapes of the answers in `answers`, the description in `openapi`; here
errors become answers.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from crm.errors import DeskError
from desk.desk import Desk
from desk.fields import FieldMap
from desk.intake.pace import Pace
from desk.lead import OWN_FIELDS, FieldFault
from desk.web import amocrm, hooks, leads, pages
from desk.web.answers import error_of, fault_text, json_answer
from desk.web.caller import App, Receive, Scope, Send
from desk.web.refused import STATUS, Refused, http_status_of
from desk.web.sender import is_plain_form
from desk.words import Words, words
from store import StoreError

TRY_AGAIN_S = 5
"""Seconds in `Retry-After` while the database is away: a restart takes seconds, any other trouble a person."""

NOT_SERVED = {STATUS[code]: code for code in ("no_such_address", "wrong_method")}
"""The error code of each status that the router itself answers with."""

log = logging.getLogger(__name__)


def build(desk: Callable[[], Desk], pace: Pace | None = None) -> Starlette:
    """Make the application. `desk` is asked at each request. `pace`: how fast leads may be handed in."""
    told: dict[Any, Any] = {Refused: refused, DeskError: failed, StoreError: database_away, HTTPException: not_served}
    api = Starlette(
        routes=[
            Route("/openapi.json", description),
            *amocrm.routes(desk),
            *hooks.routes(desk),
            *leads.routes(desk, pace or Pace()),
        ],
        middleware=[Middleware(OneEnd)],
        exception_handlers={kind: partial(tell, desk) for kind, tell in told.items()},
    )
    api.router.redirect_slashes = False  # another address is another address: nobody is sent elsewhere with a secret
    return api


class OneEnd:
    """ASGI middleware that drops the slash which people and builders put at the end of an address under /crm."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "")
        if scope["type"] == "http" and scope["path"].endswith("/") and scope["path"].startswith(f"{root}/crm/"):
            scope = {**scope, "path": scope["path"].rstrip("/")}
        await self._app(scope, receive, send)


def description(_: Request) -> Response:
    """The description of the API. Imported on demand: pydantic would hold up every start by a tenth of a second."""
    from desk.web.openapi import document

    return JSONResponse(document())


def refused(desk: Callable[[], Desk], request: Request, error: Refused) -> Response:
    """Answer a refusal of the web room's own."""
    return _answer(request, desk(), error.status, error.code, error.faults, error.headers)


def failed(desk: Callable[[], Desk], request: Request, error: DeskError) -> Response:
    """Answer an error of the desk or of AmoCRM."""
    later = {} if error.retry_after_s is None else {"Retry-After": str(math.ceil(error.retry_after_s))}
    return _answer(request, desk(), http_status_of(error), error.code, headers=later)


def database_away(desk: Callable[[], Desk], request: Request, error: StoreError) -> Response:
    """Answer while the database is away. Its error may quote a phone, so the log has the kind of the error alone."""
    log.error("the database failed a request: %s", type(error).__name__)
    code = "database_unreachable"
    return _answer(request, desk(), STATUS[code], code, headers={"Retry-After": str(TRY_AGAIN_S)})


def not_served(desk: Callable[[], Desk], request: Request, error: HTTPException) -> Response:
    """Answer for an address or a method that does not exist."""
    code = NOT_SERVED.get(error.status_code, "request_invalid")
    allow = {"Allow": ", ".join(sorted(_methods(request)))} if code == "wrong_method" else {}
    return _answer(request, desk(), error.status_code, code, headers={**(error.headers or {}), **allow})


def _answer(
    request: Request,
    desk: Desk,
    status: int,
    code: str,
    faults: Sequence[FieldFault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Tell an error in a form its sender can read: a page for a plain HTML form, else JSON."""
    say = words(desk.settings.ui_language)
    more = dict(headers or {})
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    if not path.startswith("/crm"):
        return json_answer(error_of(say, code, faults), status, more)
    more |= leads.headers(request, desk)
    if not is_plain_form(request):
        return json_answer(error_of(say, code, faults), status, more)
    what, remedy = say.error(code)
    named = [(_name_of(say, desk.fields, fault.field), fault_text(say, fault)) for fault in faults]
    page = pages.problem(say, status, say("problem-title") if faults else what, remedy, named)
    page.headers.update(more)
    return page


def _name_of(say: Words, fields: FieldMap, field: str) -> str:
    """Return the label of a field in a form."""
    if field in OWN_FIELDS:
        return say(f"new-{field}")
    return next((mapped.label or field for mapped in fields.added() if mapped.key == field), field)


def _methods(request: Request) -> set[str]:
    """List all methods of the address asked for; Starlette names only its first route's."""
    found = [route for route in request.app.routes if isinstance(route, Route)]
    return {
        method for route in found if route.matches(request.scope)[0] != Match.NONE for method in (route.methods or ())
    }

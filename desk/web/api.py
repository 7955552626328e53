"""The desk over HTTP: the landing page's and AmoCRM's way in.

    GET  /api/amocrm/auth           where to send an admin's browser: {"auth_url"}
    GET  /api/amocrm/callback       AmoCRM's answer in the admin's browser; without a query: the connection's status
    POST /api/amocrm/callback       refresh now
    GET  /api/amocrm/disabled       AmoCRM's signed call that its admin has switched the integration off
    POST /api/amocrm/webhook/secret what AmoCRM tells by itself
    POST /api/crm, GET /api/crm/id  a lead from the landing page, and where it is
    POST, GET /api/crm/in/key       the same for a sender that can be told an address and nothing else
    GET  /api/crm/thanks            where a plain HTML form ends that has no page of its own for it

Thin: who may call is `desk.web.gate` and `desk.intake`, what a lead may be is `desk.lead`, everything else is the desk.
The routes are in `amocrm`, `hooks` and `leads`, their description is `openapi`; here errors become answers.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from crm.errors import DeskError
from desk.desk import Desk
from desk.fields import FieldMap
from desk.intake.pace import Pace
from desk.lead import OWN_FIELDS, FieldFault
from desk.web import amocrm, hooks, leads, pages
from desk.web.answers import Refused, error_json, fault_text, http_status_of
from desk.web.gate import App, Receive, Scope, Send
from desk.web.openapi import document
from desk.words import Words, words
from store import StoreError

TRY_AGAIN_S = 5
"""What `Retry-After` says when the database is away: it comes back in seconds or needs a person."""

log = logging.getLogger(__name__)


def build(desk: Callable[[], Desk], pace: Pace | None = None) -> FastAPI:
    """The application. `desk` is asked at each request. `pace`: how fast anybody may hand leads in."""
    api = FastAPI(
        title="Lead Desk",
        version="1.0",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,  # another address is another address: nobody is sent elsewhere with a secret
    )
    api.openapi = document  # type: ignore[method-assign]
    api.add_middleware(OneEnd)
    amocrm.add(api, desk)
    hooks.add(api, desk)
    leads.add(api, desk, pace or Pace())

    @api.exception_handler(Refused)
    def refused(request: Request, error: Refused) -> Response:
        return _answer(request, desk(), error.status, error.code, error.faults, error.headers)

    @api.exception_handler(DeskError)
    def failed(request: Request, error: DeskError) -> Response:
        later = {} if error.retry_after_s is None else {"Retry-After": str(math.ceil(error.retry_after_s))}
        return _answer(request, desk(), http_status_of(error), error.code, headers=later)

    @api.exception_handler(StoreError)
    def database_away(request: Request, error: StoreError) -> Response:
        log.error("the database failed a request: %s", type(error).__name__)
        return _answer(request, desk(), 503, "database_unreachable", headers={"Retry-After": str(TRY_AGAIN_S)})

    @api.exception_handler(HTTPException)
    def not_served(request: Request, error: HTTPException) -> Response:
        code = {404: "no_such_address", 405: "wrong_method"}.get(error.status_code, "request_invalid")
        allow = {"Allow": ", ".join(sorted(_methods(api, request)))} if error.status_code == 405 else {}
        return _answer(request, desk(), error.status_code, code, headers={**(error.headers or {}), **allow})

    return api


class OneEnd:
    """ASGI middleware: an address under /crm is the same with a slash at its end, which people and builders put there."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "")
        if scope["type"] == "http" and scope["path"].endswith("/") and scope["path"].startswith(f"{root}/crm/"):
            scope = {**scope, "path": scope["path"].rstrip("/")}
        await self._app(scope, receive, send)


def _answer(
    request: Request,
    desk: Desk,
    status: int,
    code: str,
    faults: Sequence[FieldFault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error, as whoever sent the request can read it: a page for a plain HTML form, else JSON."""
    say = words(desk.settings.ui_language)
    more = dict(headers or {})
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    if not path.startswith("/crm"):
        return JSONResponse(error_json(say, code, faults), status_code=status, headers=more)
    more |= leads.headers(request, desk)
    if not leads.is_form(request):
        return JSONResponse(error_json(say, code, faults), status_code=status, headers=more)
    what, remedy = say.error(code)
    named = [(_name_of(say, desk.fields, fault.field), fault_text(say, fault)) for fault in faults]
    page = pages.problem(say, status, say("problem-title") if faults else what, remedy, named)
    page.headers.update(more)
    return page


def _name_of(say: Words, fields: FieldMap, field: str) -> str:
    """What a form calls a field."""
    if field in OWN_FIELDS:
        return say(f"new-{field}")
    return next((mapped.label or field for mapped in fields.added() if mapped.key == field), field)


def _methods(api: FastAPI, request: Request) -> set[str]:
    """What the address asked for can be called with; Starlette names only its first route's."""
    found = [route for route in api.routes if isinstance(route, Route)]
    return {
        method for route in found if route.matches(request.scope)[0] != Match.NONE for method in (route.methods or ())
    }

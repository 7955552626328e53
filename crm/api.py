"""The desk over HTTP: the landing page's and AmoCRM's way in.

    GET  /api/amocrm/auth           where to send an admin's browser: {"auth_url"}
    GET  /api/amocrm/callback       AmoCRM's answer in the admin's browser; without a query: the connection's status
    POST /api/amocrm/callback       refresh now
    POST /api/crm, GET /api/crm/id  a lead from the landing page, and where it is

Thin: who may call is `access`, what a lead may be is `intake`, everything else is the desk. No answer holds a
token, and no error text quotes what came in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from crm import intake
from crm.access import caller_of, key_verdict
from crm.connection import Status
from crm.delivery import Progress
from crm.desk import Desk
from crm.errors import BrokenWord, DeskError, NetworkError, NotLetIn, SaidNo, SetupError
from crm.routes import STATE_COOKIE, STATE_COOKIE_PATH, page_after_consent
from crm.settings import Secret
from crm.words import Words, words

LARGEST_BODY_BYTES = 64 * 1024
"""A lead takes a few hundred bytes; its longest allowed message about 16 KB."""

LONGEST_QUERY = 4096
"""A code is a long hex text of about 1,000 characters; nothing in a callback needs more than this."""


class LeadBody(BaseModel):
    """What `POST /api/crm` takes. Fields added on the fields page come along under their keys."""

    name: str = Field(max_length=intake.LONGEST_NAME, examples=["Иван Иванов"])
    phone: str = Field(max_length=64, examples=["+7 (999) 123-45-67"])
    direction: str = Field(default="", max_length=intake.LONGEST_LABEL, examples=["Йога"])
    source: str = Field(default="", max_length=intake.LONGEST_LABEL, examples=["Сайт"])
    message: str = Field(default="", max_length=intake.LONGEST_MESSAGE, examples=["Хочу записаться на тренировку"])


class Refused(Exception):
    """A request that gets an error answer: HTTP status, code, and the faults of single fields."""

    def __init__(self, status: int, code: str, faults: list[intake.FieldFault] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.faults = status, code, faults or []


def build(desk: Callable[[], Desk]) -> FastAPI:
    """The application. `desk` is asked at each request."""
    api = FastAPI(title="Lead Desk", version="1.0", docs_url=None, redoc_url=None, openapi_url="/openapi.json")

    @api.get("/amocrm/auth")
    def auth(request: Request) -> dict[str, str]:
        """Where to send an admin's browser to connect AmoCRM."""
        _require_key(request, desk().settings.admin_api_key)
        return {"auth_url": desk().connection.begin()}

    @api.get("/amocrm/callback", response_model=None)
    def callback(request: Request) -> Response | dict[str, Any]:
        """AmoCRM's answer (code, state, referer, or error), or without a query the connection's status."""
        query = request.query_params
        if "code" in query or "error" in query:
            return _finish(desk(), query, request.cookies.get(STATE_COOKIE, ""))
        _require_key(request, desk().settings.admin_api_key)
        return status_json(desk().connection.status())

    @api.post("/amocrm/callback")
    async def refresh(request: Request) -> dict[str, Any]:
        """Refresh now: the stored grant, or the `refresh_token` given, which is spent."""
        _require_key(request, desk().settings.admin_api_key)
        body = await _json_body(request) if await _has_body(request) else {}
        given = body.get("refresh_token")
        if given is not None and not (isinstance(given, str) and 0 < len(given) <= LONGEST_QUERY):
            raise Refused(422, "request_invalid", [intake.FieldFault("refresh_token", "not_text")])
        connection = desk().connection
        await run_in_threadpool(connection.adopt, given) if given else await run_in_threadpool(connection.refresh_now)
        return status_json(connection.status())

    @api.post("/crm", status_code=202, openapi_extra={"requestBody": _lead_schema()})
    async def accept(request: Request) -> dict[str, Any]:
        """Accept a lead: it is on the disk when this answers, and goes to AmoCRM from there."""
        _require_intake(request, desk())
        body = await _json_body(request)
        return await run_in_threadpool(_accept, desk(), body)

    @api.get("/crm/{lead_id}")
    def where(lead_id: str, request: Request) -> dict[str, Any]:
        """Where an accepted lead is now."""
        _require_intake(request, desk())
        progress = desk().outbox.progress(lead_id) if len(lead_id) <= 64 else None
        if progress is None:
            raise Refused(404, "lead_unknown")
        return progress_json(progress)

    @api.exception_handler(Refused)
    def refused(request: Request, error: Refused) -> JSONResponse:
        return _error(desk(), error.status, error.code, error.faults)

    @api.exception_handler(DeskError)
    def failed(request: Request, error: DeskError) -> JSONResponse:
        return _error(desk(), http_status_of(error), error.code)

    @api.exception_handler(HTTPException)
    def not_served(request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "no_such_address", 405: "wrong_method"}.get(error.status_code, "request_invalid")
        return _error(desk(), error.status_code, code, headers=error.headers)

    return api


def http_status_of(error: DeskError) -> int:
    """The HTTP status our own callers get for an error: theirs to repair, AmoCRM's to repair, or come again."""
    match error:
        case SetupError() | NotLetIn() if error.code != "rate_limited":
            return 409
        case SaidNo():
            return 422
        case NetworkError() | BrokenWord():
            return 502
    return 503


def status_json(status: Status) -> dict[str, Any]:
    """The connection's status for programs. No secret in it."""
    return {
        "connected": status.connected,
        "state": status.state,
        "mode": status.mode,
        "trouble": status.trouble,
        "account": status.account_url
        and {"name": status.account_name, "subdomain": status.subdomain, "url": status.account_url},
        "connected_by": status.connected_by,
        "connected_at": _iso(status.connected_at),
        "expires_at": _iso(status.expires_at),
        "refreshed_at": _iso(status.refreshed_at),
    }


def progress_json(progress: Progress) -> dict[str, Any]:
    """Where a lead is, for programs."""
    return {
        "id": progress.id,
        "status": progress.state,
        "accepted_at": _iso(progress.accepted_at),
        "settled_at": _iso(progress.settled_at),
        "reason": progress.reason,
        "amocrm_lead_id": progress.amo_lead_id,
        "attempts": progress.attempts,
    }


def _finish(desk: Desk, query: Mapping[str, str], bound_to: str) -> Response:
    """Complete the consent and lead the browser back to the page, which says what came of it."""
    if any(len(value) > LONGEST_QUERY for value in query.values()):
        return _back_to_page("state_unknown")
    try:
        if "error" in query:
            desk.connection.denied(query.get("state", ""), bound_to)
            return _back_to_page("consent_denied")
        desk.connection.finish(
            code=query["code"], state=query.get("state", ""), referer=query.get("referer", ""), bound_to=bound_to
        )
    except DeskError as error:
        return _back_to_page(error.code)
    return _back_to_page("ok")


def _back_to_page(result: str) -> Response:
    answer = RedirectResponse(page_after_consent(result), status_code=303)
    answer.delete_cookie(STATE_COOKIE, path=STATE_COOKIE_PATH)
    return answer


def _accept(desk: Desk, body: dict[str, Any]) -> dict[str, Any]:
    lead, faults = intake.read(body, desk.fields.added())
    if lead is None:
        raise Refused(422, "lead_invalid", faults)
    lead_id = desk.outbox.accept(lead, "api")
    return {"id": lead_id, "status": "accepted", "status_url": f"{desk.settings.base_url}/api/crm/{lead_id}"}


def _require_intake(request: Request, desk: Desk) -> None:
    """A local caller needs no key, unless a page from elsewhere made the browser send the request."""
    if not caller_of(request.scope).is_local:
        _require_key(request, desk.settings.intake_api_key)


def _require_key(request: Request, expected: Secret | None) -> None:
    match key_verdict(expected, request.headers.get("authorization")):
        case "no_key_set":
            raise Refused(403, "api_shut")
        case "wrong":
            raise Refused(401, "api_key_wrong")


async def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


async def _json_body(request: Request) -> dict[str, Any]:
    """The body as an object, read no further than it may be long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "json_wanted")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY_BYTES:
            raise Refused(413, "too_large_body")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "json_broken") from None
    if not isinstance(data, dict):
        raise Refused(422, "object_wanted")
    return data


def _error(
    desk: Desk,
    status: int,
    code: str,
    faults: list[intake.FieldFault] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    say = words(desk.settings.ui_language)
    what, remedy = say.error(code)
    content: dict[str, Any] = {"code": code, "message": what, "remedy": remedy}
    if faults:
        content["errors"] = [
            {"field": fault.field, "code": fault.code, "message": fault_text(say, fault)} for fault in faults
        ]
    return JSONResponse(content, status_code=status, headers=dict(headers) if headers else None)


def fault_text(say: Words, fault: intake.FieldFault) -> str:
    """The sentence for one field's fault."""
    return say(f"field-{fault.code}", limit=fault.limit or 0)


def _lead_schema() -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": LeadBody.model_json_schema()}}}


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None

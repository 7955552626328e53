"""The connection to AmoCRM over HTTP: where to send an admin's browser, AmoCRM's answer, status, refresh.

Guarded by `ADMIN_API_KEY`, except what AmoCRM itself and the admin's browser call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from crm.errors import DeskError, SetupError
from desk.desk import Desk
from desk.lead import FieldFault
from desk.web.answers import Refused, status_json
from desk.web.body import body_of
from desk.web.consent_cookie import STATE_COOKIE, back_to_page
from desk.web.gate import key_verdict

LONGEST_SIGNED = 128
"""A signature takes 64 characters, a client id 36, an account id about 8."""

LONGEST_QUERY = 4096
"""A code is a long hex text of about 1,000 characters; nothing in a callback needs more than this."""


def add(api: FastAPI, desk: Callable[[], Desk]) -> None:
    """The routes under /amocrm."""

    @api.get("/amocrm/auth")
    def auth(request: Request) -> Response:
        _require_key(request, desk())
        return JSONResponse({"auth_url": desk().connection.begin()})

    @api.get("/amocrm/callback")
    def callback(request: Request) -> Response:
        """AmoCRM's answer (code, state, referer, or error), or without a query the connection's status."""
        query = request.query_params
        if "code" in query or "error" in query:
            return _finish(desk(), query, request.cookies.get(STATE_COOKIE, ""))
        _require_key(request, desk())
        return JSONResponse(status_json(desk().connection.status()))

    @api.post("/amocrm/callback")
    async def refresh(request: Request) -> Response:
        """Refresh now: the stored grant, or the `refresh_token` given, which is spent.

        One that was renewed a short while ago is left alone, unless the body says `{"confirm": true}`.
        """
        _require_key(request, desk())
        body = await _json_body(request)
        given, insists = body.get("refresh_token"), body.get("confirm", False)
        if not isinstance(insists, bool):
            raise Refused(422, "request_invalid", [FieldFault("confirm", "not_yes_or_no")])
        if given is not None and not (isinstance(given, str) and 0 < len(given) <= LONGEST_QUERY and given.isascii()):
            raise Refused(422, "request_invalid", [FieldFault("refresh_token", "not_text")])
        connection = desk().connection
        if given:
            await run_in_threadpool(connection.adopt, given)
        else:
            await run_in_threadpool(connection.refresh_now, insists=insists)
        return JSONResponse(status_json(await run_in_threadpool(connection.status)))

    @api.get("/amocrm/disabled")
    def disabled(request: Request) -> Response:
        """AmoCRM's call that its admin has switched the integration off. Signed; answered alike whatever it is."""
        given = [request.query_params.get(name, "") for name in ("client_uuid", "account_id", "signature")]
        if all(0 < len(text) <= LONGEST_SIGNED for text in given):
            desk().connection.switched_off(*given)
        return JSONResponse({"status": "ok"})


def _finish(desk: Desk, query: Mapping[str, str], bound_to: str) -> Response:
    """Complete the consent and lead the browser back to the page, which says what came of it."""
    if any(len(value) > LONGEST_QUERY for value in query.values()):
        return _back_to_page("state_unknown")
    try:
        if "error" in query:
            desk.connection.denied(query.get("state", ""), bound_to)
            return _back_to_page("consent_denied" if query["error"] == "access_denied" else "consent_failed")
        answer = {"code": query["code"], "state": query.get("state", ""), "bound_to": bound_to}
        try:
            desk.connection.finish(referer=query.get("referer", ""), **answer)
        except SetupError as error:
            if error.code != "state_unknown" or not desk.connection.has_finished(**answer):
                raise
    except DeskError as error:
        return _back_to_page(error.code)
    return _back_to_page("ok")


def _back_to_page(result: str) -> Response:
    """The cookie stays in the browser until it is too old: an address somebody made up ends no consent that is under way."""
    return back_to_page(result)


def _require_key(request: Request, desk: Desk) -> None:
    match key_verdict(desk.settings.admin_api_key, request.headers.get("authorization")):
        case "no_key_set":
            raise Refused(403, "api_shut")
        case "wrong":
            raise Refused(401, "api_key_wrong", headers={"WWW-Authenticate": "Bearer"})


async def _json_body(request: Request) -> dict[str, Any]:
    """The body as an object; {} where there is none."""
    body = await body_of(request)
    if not body:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "json_wanted")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "json_broken") from None
    if not isinstance(data, dict):
        raise Refused(422, "object_wanted")
    return data

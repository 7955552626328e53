"""The connection to AmoCRM over HTTP: where to send an admin's browser, AmoCRM's answer, status, refresh.

Guarded by `ADMIN_API_KEY`, except for the addresses that AmoCRM itself and the admin's browser call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crm.errors import DeskError, SetupError
from desk.desk import Desk
from desk.intake.bodies import JSON
from desk.lead import FieldFault
from desk.web.answers import Consent, Done, connection_of, json_answer
from desk.web.body import body_of
from desk.web.consent_cookie import STATE_COOKIE, back_to_page
from desk.web.endpoint import endpoint
from desk.web.gate import key_verdict
from desk.web.refused import Refused
from desk.web.shapes import Says

SIGNED = ("client_uuid", "account_id", "signature")
"""The query of AmoCRM's call that the integration was switched off."""

LONGEST_SIGNED = 128
"""A signature takes 64 characters, a client id 36, an account id about 8."""

LONGEST_QUERY = 4096
"""A code is a long hex text of about 1,000 characters; no other value of a callback is longer."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """The choices of a refresh."""

    refresh_token: Annotated[
        str | None,
        Says(
            minLength=1,
            maxLength=LONGEST_QUERY,
            pattern=r"^[\x00-\x7f]*$",
            description="A refresh token to spend instead of the stored one.",
        ),
    ] = None
    confirm: Annotated[
        bool,
        Says(description="Refresh although the stored token was renewed, or tried in vain, a short while ago."),
    ] = False

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Refresh:
        """Read the body of a request. Raises `Refused`."""
        token, confirm = body.get("refresh_token"), body.get("confirm", False)
        if not isinstance(confirm, bool):
            raise Refused("request_invalid", [FieldFault("confirm", "not_yes_or_no")])
        if token is not None and not (isinstance(token, str) and 0 < len(token) <= LONGEST_QUERY and token.isascii()):
            raise Refused("request_invalid", [FieldFault("refresh_token", "not_text")])
        return cls(token, confirm)


def routes(desk: Callable[[], Desk]) -> list[Route]:
    """The routes under /amocrm."""
    return [
        endpoint("GET", "/amocrm/auth", partial(auth, desk)),
        endpoint("GET", "/amocrm/callback", partial(callback, desk)),
        endpoint("POST", "/amocrm/callback", partial(refresh, desk)),
        endpoint("GET", "/amocrm/disabled", partial(disabled, desk)),
    ]


def auth(desk: Callable[[], Desk], request: Request) -> Response:
    """Tell an admin's program where to send the browser."""
    _require_key(request, desk())
    return json_answer(Consent(desk().connection.begin()))


def callback(desk: Callable[[], Desk], request: Request) -> Response:
    """Take AmoCRM's answer (code, state, referer, or error); without a query, tell the connection's status."""
    query = request.query_params
    if "code" in query or "error" in query:
        return _finish(desk(), query, request.cookies.get(STATE_COOKIE, ""))
    _require_key(request, desk())
    return json_answer(connection_of(desk().connection.status()))


async def refresh(desk: Callable[[], Desk], request: Request) -> Response:
    """Refresh the connection now, with the stored grant or with the `refresh_token` given, which is spent.

    A grant that was renewed a short while ago is left alone, unless the body says `{"confirm": true}`.
    """
    _require_key(request, desk())
    asked = Refresh.of(await _json_body(request))
    connection = desk().connection
    if asked.refresh_token:
        await run_in_threadpool(connection.adopt, asked.refresh_token)
    else:
        await run_in_threadpool(connection.refresh_now, insists=asked.confirm)
    return json_answer(connection_of(await run_in_threadpool(connection.status)))


def disabled(desk: Callable[[], Desk], request: Request) -> Response:
    """Hear from AmoCRM that its admin has switched the integration off. Signed; answered alike in every case."""
    given = [request.query_params.get(name, "") for name in SIGNED]
    if all(0 < len(text) <= LONGEST_SIGNED for text in given):
        desk().connection.switched_off(*given)
    return json_answer(Done("ok"))


def _finish(desk: Desk, query: Mapping[str, str], bound_to: str) -> Response:
    """Complete the consent and lead the browser back to the page, which tells the result.

    The cookie stays in the browser until it is too old: an address somebody made up ends no consent that is under way.
    """
    if any(len(value) > LONGEST_QUERY for value in query.values()):
        return back_to_page("state_unknown")
    try:
        if "error" in query:
            desk.connection.denied(query.get("state", ""), bound_to)
            return back_to_page("consent_denied" if query["error"] == "access_denied" else "consent_failed")
        answer = {"code": query["code"], "state": query.get("state", ""), "bound_to": bound_to}
        try:
            desk.connection.finish(referer=query.get("referer", ""), **answer)
        except SetupError as error:
            if error.code != "state_unknown" or not desk.connection.has_finished(**answer):
                raise
    except DeskError as error:
        return back_to_page(error.code)
    return back_to_page("ok")


def _require_key(request: Request, desk: Desk) -> None:
    match key_verdict(desk.settings.admin_api_key, request.headers.get("authorization")):
        case "no_key_set":
            raise Refused("api_shut")
        case "wrong":
            raise Refused("api_key_wrong")


async def _json_body(request: Request) -> dict[str, Any]:
    """Read the body as an object; {} if there is none."""
    body = await body_of(request)
    if not body:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise Refused("json_wanted")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("json_broken") from None
    if not isinstance(data, dict):
        raise Refused("object_wanted")
    return data

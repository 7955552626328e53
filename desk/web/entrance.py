"""The way in for a browser on this machine, proved by the console's link or a code typed (`desk.doorway`)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from desk.desk import Desk
from desk.web.caller import languages_of
from desk.web.closed import locked
from desk.web.gate import BARE_POLICY
from desk.web.proof import is_local, set_cookie

LONGEST_FORM_BYTES = 1024
"""A key in a form takes about fifty."""


def enter_by_link(desk: Callable[[], Desk], request: Request) -> Response:
    """Open the console's link: its code is good once, so an address that is kept somewhere gives no access."""
    doorway = desk().doorway
    is_asked = request.method == "GET"  # a HEAD looks, and spends nothing
    if is_local(doorway, request.scope) or (is_asked and doorway.spend(request.path_params["code"])):
        return _let_in(request, desk())
    return _not_let_in(request, desk())


async def enter_by_form(desk: Callable[[], Desk], request: Request) -> Response:
    """Take the same code typed, or the local key, which never stands in an address."""
    doorway, code = desk().doorway, await _code_of(request)
    if doorway.is_key(code) or doorway.spend(code):
        return _let_in(request, desk())
    return _not_let_in(request, desk())


def _let_in(request: Request, desk: Desk) -> Response:
    answer = RedirectResponse("/", status_code=303)
    if not desk.doorway.is_open:
        answer.headers.append("set-cookie", set_cookie(desk.doorway, secure=request.url.scheme == "https"))
    return answer


def _not_let_in(request: Request, desk: Desk) -> Response:
    port = (request.scope.get("server") or ("", 0))[1]
    page = locked(languages_of(request.scope), desk.settings.ui_language, port, is_wrong=True)
    return HTMLResponse(page, status_code=403, headers={"Content-Security-Policy": BARE_POLICY})


async def _code_of(request: Request) -> str:
    """Read the field `code` of a form, no further than a form may be long."""
    body = bytearray()
    with suppress(ClientDisconnect):  # gone, or too slow for the server
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_FORM_BYTES:
                return ""
    return parse_qs(body.decode("latin-1")).get("code", [""])[0].strip()

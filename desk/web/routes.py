"""What the server serves besides the pages, in one list.

GET /enter/{code}         a browser shows the console's link, and is known from then on; POST /enter takes a code typed
GET /connection/start     a browser begins to connect: a state for it alone, then AmoCRM's consent page
GET /healthz, /readyz     alive; ready, and which checks fail since when (`desk.readiness`)
GET /new?phone=           a telephony opens the form with a number: it goes into a draft, and out of the address
/api/...                  `desk.web.api`
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from urllib.parse import parse_qs, unquote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from crm.errors import DeskError
from desk.calls.drafts import operator_name
from desk.desk import Desk
from desk.phones import LONGEST_INPUT
from desk.readiness import DATABASE
from desk.settings import is_loopback
from desk.web.caller import FOREIGN_SITES, App, Receive, Scope, Send, languages_of
from desk.web.closed import locked
from desk.web.consent_cookie import STATE_COOKIE, STATE_COOKIE_PATH, STATE_COOKIE_S, back_to_page
from desk.web.gate import BARE_POLICY
from desk.web.proof import is_local, set_cookie
from store import StoreError

OPERATOR_COOKIE = "desk_person"
"""Who sits at this browser, as `ui.frame.person` remembers it."""

FORM_PATH = "/new"

LONGEST_COOKIE = 1024
"""A name of sixty letters takes about 360 characters in a cookie."""

LONGEST_FORM_BYTES = 1024
"""A key in a form takes about fifty."""


log = logging.getLogger(__name__)


def routes(desk: Callable[[], Desk]) -> list[BaseRoute]:
    """Everything above, for a server. `desk` is asked at each request: it is opened after the routes are made."""

    def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def readyz(_: Request) -> Response:
        verdict = desk().watch.now()
        told: dict[str, object] = {"ready": verdict.is_ready, "checks": verdict.codes(), "since": verdict.since()}
        told["clock_jump"] = last_jump(desk()) if verdict.of(DATABASE).is_ok else None
        return JSONResponse(told, status_code=200 if verdict.is_ready else 503, headers={"Cache-Control": "no-store"})

    def start(request: Request) -> Response:
        """Send the browser to AmoCRM's consent page.

        The cookie comes back only to the host that set it, so a browser that opened the desk under another name of this
        machine begins anew at the one AmoCRM will lead it back to.
        """
        if request.headers.get("sec-fetch-site") in FOREIGN_SITES:
            return back_to_page("consent_from_elsewhere")
        back = urlsplit(desk().settings.amocrm_redirect_uri)
        host = request.headers.get("host", "")
        if host != back.netloc and is_loopback(back.hostname or "") and is_loopback(request.url.hostname or ""):
            return RedirectResponse(f"{back.scheme}://{back.netloc}{request.url.path}", status_code=303)
        bound = secrets.token_urlsafe(32)
        try:
            target = desk().connection.begin(bound)
        except DeskError as error:
            return back_to_page(error.code)
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

    def enter_by_link(request: Request) -> Response:
        """The console's link: the code in it is good once, so nothing is lost by its standing in an address."""
        doorway = desk().doorway
        is_asked = request.method == "GET"  # a HEAD looks, and spends nothing
        if is_local(doorway, request.scope) or (is_asked and doorway.spend(request.path_params["code"])):
            return _let_in(request, desk())
        return _not_let_in(request, desk())

    async def enter_by_form(request: Request) -> Response:
        """The same code typed, or the local key, which never stands in an address."""
        doorway, code = desk().doorway, await _code_of(request)
        if doorway.is_key(code) or doorway.spend(code):
            return _let_in(request, desk())
        return _not_let_in(request, desk())

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/enter/{code}", enter_by_link, methods=["GET"]),
        Route("/enter", enter_by_form, methods=["POST"]),
        Route("/connection/start", start),
        Mount("/api", app=_Later(desk)),
    ]


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
    """The field `code` of a form, read no further than one may be long."""
    body = bytearray()
    with suppress(ClientDisconnect):  # gone, or too slow for the server
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_FORM_BYTES:
                return ""
    return parse_qs(body.decode("latin-1")).get("code", [""])[0].strip()


class ScreenPop:
    """Takes a caller's number out of the address before any page is served: the browser keeps no address with it.

    Only where a person or a telephony opens the address by itself, or a page of the desk's: what another page asks for, as a
    picture, a frame or by a link, begins nothing. Whatever happens, the number is out of the address.
    """

    def __init__(self, app: App, desk: Callable[[], Desk]) -> None:
        self._app, self._desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].rstrip("/") == FORM_PATH and b"phone=" in scope["query_string"]:
            request = Request(scope)
            draft_id = await run_in_threadpool(self._keep, request) if is_opened_by_itself(request) else None
            target = f"{FORM_PATH}?draft={draft_id}" if draft_id else FORM_PATH
            await RedirectResponse(target, status_code=303)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _keep(self, request: Request) -> str | None:
        told = {name: _printable(request.query_params.get(name, "")[:LONGEST_INPUT]) for name in ("phone", "source")}
        operator = operator_name(unquote(request.cookies.get(OPERATOR_COOKIE, "")[:LONGEST_COOKIE]))
        try:
            return self._desk().calls.drafts.begin_called(operator, {name: text for name, text in told.items() if text})
        except (StoreError, DeskError) as error:
            log.error("a telephony's call could not be kept: %s", type(error).__name__)
            return None


def is_opened_by_itself(request: Request) -> bool:
    """Whether an address was typed, opened by a program, or asked for by a page of the same origin, as far as is told.

    Every browser of today says so on this machine's addresses. What says nothing at all is a program or an old browser, whose
    `Referer` at least must not be another's.
    """
    if request.method != "GET":
        return False
    site = request.headers.get("sec-fetch-site")
    if site is None:
        referer = request.headers.get("referer")
        return referer is None or urlsplit(referer).netloc == request.headers.get("host")
    kind = (request.headers.get("sec-fetch-mode"), request.headers.get("sec-fetch-dest"))
    return site in ("none", "same-origin") and kind == ("navigate", "document")


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())


def last_jump(desk: Desk) -> dict[str, object] | None:
    """The last time a clock has jumped: which, by how many seconds, when, and when what it may have cost was made good."""
    jump = desk.mirror.clocks.jumps.last()
    return asdict(jump) if jump is not None else None


class _Later:
    """`desk.web.api`, imported when it is first called: FastAPI would hold up every start by a sixth of a second."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @cached_property
    def _app(self) -> App:
        from desk.web.api import build

        return build(self._desk)

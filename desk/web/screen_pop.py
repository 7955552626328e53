"""A telephony opens the form with a caller's number in the address; the number goes into a draft, and out of the address."""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse

from crm.errors import DeskError
from desk.calls.drafts import operator_name
from desk.desk import Desk
from desk.phones import LONGEST_INPUT
from desk.web.caller import App, Receive, Scope, Send
from store import StoreError

OPERATOR_COOKIE = "desk_person"
"""The name of the person at this browser, the cookie of `ui.frame.person`."""

FORM_PATH = "/new"

LONGEST_COOKIE = 1024
"""A name of sixty letters takes about 360 characters in a cookie."""

log = logging.getLogger(__name__)


class ScreenPop:
    """ASGI middleware that takes a caller's number out of the address before a page is served: no browser keeps the number.

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

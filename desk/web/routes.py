"""All the server serves besides the pages, in one list.

GET /enter/{code}         a browser shows the console's link, and is known from then on; POST /enter takes a code typed
GET /connection/start     a browser begins to connect: a state for it alone, then AmoCRM's consent page
GET /healthz, /readyz     alive; ready, and which checks fail since when (`desk.readiness`)
GET /new?phone=           a telephony opens the form with a number: it goes into a draft, and out of the address (`screen_pop`)
/api/...                  `desk.web.api`
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from crm.errors import DeskError
from desk.desk import Desk
from desk.settings import is_loopback
from desk.web.api import build
from desk.web.caller import FOREIGN_SITES
from desk.web.consent_cookie import STATE_COOKIE, STATE_COOKIE_PATH, STATE_COOKIE_S, back_to_page
from desk.web.entrance import enter_by_form, enter_by_link
from desk.web.health import healthz, readyz


def routes(desk: Callable[[], Desk]) -> list[BaseRoute]:
    """List the routes for a server. `desk` is asked at each request, because the desk is opened after the routes are made."""
    return [
        Route("/healthz", healthz),
        Route("/readyz", partial(readyz, desk)),
        Route("/enter/{code}", partial(enter_by_link, desk), methods=["GET"]),
        Route("/enter", partial(enter_by_form, desk), methods=["POST"]),
        Route("/connection/start", partial(start_consent, desk)),
        Mount("/api", app=build(desk)),
    ]


def start_consent(desk: Callable[[], Desk], request: Request) -> Response:
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

"""The cookies of a consent: what binds it to the browser that began it, and what came of it."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

STATE_COOKIE = "desk_connect"
"""Holds what binds a consent to the browser that began it, for as long as the state lives."""

STATE_COOKIE_PATH = "/api/amocrm/callback"
STATE_COOKIE_S = 20 * 60

RESULT_COOKIE = "desk_result"
"""What came of this browser's last consent, while the page has not told it yet."""

RESULT_COOKIE_S = 120


def back_to_page(result: str) -> Response:
    """To the page that tells what came of a consent: "ok" or an error code.

    The word in the address could be anybody's; the page believes it because of the cookie, which only an answer of ours sets.
    """
    answer = RedirectResponse(f"/connection?result={result}", status_code=303)
    answer.set_cookie(RESULT_COOKIE, result, max_age=RESULT_COOKIE_S, httponly=True, samesite="lax")
    return answer

"""The cookies of a consent: the secret of the browser that began the consent, and the result."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

STATE_COOKIE = "desk_connect"
"""Holds the secret that binds a consent to its browser, for as long as the state lives."""

STATE_COOKIE_PATH = "/api/amocrm/callback"
STATE_COOKIE_S = 20 * 60

RESULT_COOKIE = "desk_result"
"""Holds the result of this browser's last consent until the page has shown the result."""

RESULT_COOKIE_S = 120


def back_to_page(result: str) -> Response:
    """Lead the browser to the page that tells the result of a consent: "ok" or an error code.

    The word in the address could be anybody's; the page believes it because of the cookie, which only an answer of ours sets.
    """
    answer = RedirectResponse(f"/connection?result={result}", status_code=303)
    answer.set_cookie(RESULT_COOKIE, result, max_age=RESULT_COOKIE_S, httponly=True, samesite="lax")
    return answer

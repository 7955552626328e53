"""Answers: exact status lines, content types and bodies, errors above all (sheet 4.2, 4.3, 3.5).

What a resource answers with stands in its own file; this one knows the forms they share.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

HAL = "application/hal+json"
PROBLEM = "application/problem+json"
JSON = "application/json"
HTML = "text/html; charset=UTF-8"
"""Only pages carry a charset: one client knows an error by the exact text `application/problem+json` (sheet 4.2, T)."""

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}

SYSTEM_ERROR = "Возникла системная ошибка. Пожалуйста, повторите попытку."
"""Detail of the passing 400 (sheet 4.3, L)."""

CODE_244 = "Код ошибки 244. Обратитесь в техническую поддержку."
"""Detail of the 400 for an account that may not write (sheet 0, I)."""

TOO_MANY = "Limit 250 per page"
"""Detail of the 422 that the documentation names (sheet 4.3, D)."""

BAD_TOKEN = "Неверный логин или пароль"  # noqa: S105 - a sentence, not a secret
"""Detail of 401, in a Russian account's words (sheet 4.3, L)."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. `content_type` None: no such header, as with 204."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Raised anywhere during a request: the answer is this exception's, and no change of the request stays."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def dump(data: Any) -> bytes:
    """JSON in AmoCRM's spelling: no blanks, letters unescaped."""
    # A lone surrogate that somebody sent is spelled as JSON spells it, or nothing that holds it could be read again.
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def hal(data: Any, status: int = 200) -> Answer:
    """A success with a body."""
    return Answer(status, dump(data), HAL)


def nothing() -> Answer:
    """204: an empty list, a missing entity, a thing done. Not one byte of body (sheet 4.2)."""
    return Answer(204)


def problem(status: int, detail: str, **more: Any) -> Answer:
    """An error in the common form: `title`, `type`, `status`, `detail`."""
    body = {"title": TITLES[status], "type": f"https://httpstatus.es/{status}", "status": status, "detail": detail}
    return Answer(status, dump(body | more), PROBLEM)


def validation_errors(errors: list[dict[str, Any]]) -> Answer:
    """400 with `validation-errors`: one entry per refused item (sheet 4.3, D and L)."""
    # First, as recorded bodies have it (and as `hint` comes first in token errors): the library adds its own keys last.
    shared = {"title": TITLES[400], "type": "https://httpstatus.es/400", "status": 400}
    return Answer(400, dump({"validation-errors": errors} | shared | {"detail": "Request validation failed"}), PROBLEM)


def no_route(method: str, url: str) -> Answer:
    """The answer of unknown addresses below /api (sheet 4.3, L)."""
    return problem(404, f"Cannot {method} {url}!")


def wrong_method(allowed: set[str]) -> Answer:
    """405 with an empty body (sheet 4.3, L)."""
    return Answer(405, headers={"Allow": ", ".join(sorted(allowed - {"HEAD"}))})


def too_many_requests(retry_after_s: int, *, html: bool) -> Answer:
    """429 (sheet 4.1): JSON, or the page nginx sends when the request did not get as far as PHP."""
    headers = {"Retry-After": str(retry_after_s)}
    if html:
        return Answer(429, _nginx("429 Too Many Requests"), HTML, headers)
    answer = problem(
        429,
        "You have sent too many requests in a given amount of time. Please try again later.",
        retry_after=retry_after_s,
    )
    return Answer(429, answer.body, PROBLEM, headers)


def internal_error(trace_id: str) -> Answer:
    """500 in the documented form, which differs from every other error (sheet 4.3, D)."""
    body = {"title": "ErrInternalServer", "status": 500, "detail": "An unknown error occurred.", "trace_id": trace_id}
    return Answer(500, dump(body), PROBLEM)


def nginx_page(status: int) -> Answer:
    """The front end's answer to a request that is not let through (sheet 4.3)."""
    return Answer(status, _nginx(f"{status} {TITLES[status]}"), HTML)


def lost_in_space() -> Answer:
    """AmoCRM's own page for an address outside the API that leads nowhere (sheet 4.3, L)."""
    page = (
        '<!DOCTYPE html>\n<html lang="ru"><head><meta charset="utf-8"><title>404</title></head>\n'
        "<body><h1>404</h1><p>Здесь ничего нет, только бескрайний космос</p></body></html>\n"
    )
    return Answer(404, page.encode(), HTML)


def sign_in_page() -> Answer:
    """401 as a page: the front end wants a sign-in, because the token's person has been switched off."""
    page = (
        '<!DOCTYPE html>\n<html lang="ru"><head><meta charset="utf-8"><title>amoCRM: авторизация</title></head>\n'
        "<body><h1>Вход</h1></body></html>\n"
    )
    return Answer(401, page.encode(), HTML)


def standard_error(status: int, *, html: bool | None = None, trace_id: str = "0") -> Answer:
    """The documented body of any error status; pages by default only where the front end answers."""
    if html is None:
        html = status in (502, 503, 504)
    if status == 429:
        return too_many_requests(1, html=html)
    if html:
        return nginx_page(status) if status in TITLES else Answer(status, _nginx(str(status)), HTML)
    details = {400: SYSTEM_ERROR, 401: BAD_TOKEN, 402: "Payment Required", 403: "Invalid scope", 404: "Not Found"}
    details[422] = TOO_MANY
    if status == 500:
        return internal_error(trace_id)
    if status == 405:
        return Answer(405)
    if status in TITLES:
        return problem(status, details.get(status, TITLES[status]))
    return Answer(status)


def _nginx(title: str) -> bytes:
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    ).encode()

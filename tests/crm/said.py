"""Answers of AmoCRM as they were seen or documented, and what each has to mean.

One for every row of `crm.answers.TABLE` and more; tests read them as they are, and have the sandbox say them over a socket.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from crm.errors import BrokenWord, DeskError, NotLetIn, SaidNo, SetupError

PROBLEM = "application/problem+json"
HTML = "text/html; charset=utf-8"
NGINX = b"<html><head><title>403 Forbidden</title></head><body>nginx</body></html>"
SIGN_IN = (
    '<!DOCTYPE html>\n<html lang="ru"><head><title>amoCRM: авторизация</title></head><body>Вход</body></html>'.encode()
)


def problem(**values):
    """The body of a refusal."""
    return json.dumps(
        {"title": "x", "type": "https://httpstatus.es/400", "status": 400} | values, ensure_ascii=False
    ).encode()


def numbered(number):
    """A refusal that names AmoCRM's internal number."""
    return problem(errors=[{"code": number, "title": "x", "detail": "x"}])


def invalid(*entries):
    """A refusal of validation: (code, path) of each entry."""
    told = [{"code": code, "path": path, "detail": "x"} for code, path in entries]
    return problem(detail="Request validation failed", **{"validation-errors": [{"request_id": "0", "errors": told}]})


@dataclass(frozen=True)
class Said:
    """An answer and its meaning. `waits`: whether the whole queue waits."""

    status: int
    content_type: str
    body: bytes
    error: type[DeskError]
    code: str
    waits: bool

    def __str__(self) -> str:
        return f"{self.status}-{self.content_type or 'untyped'}-{self.code}"


LEAD, ALL = False, True

SAID = [
    # The person who connected, the account, the address
    Said(401, HTML, SIGN_IN, NotLetIn, "person_switched_off", ALL), Said(401, PROBLEM, SIGN_IN, NotLetIn, "person_switched_off", ALL),
    Said(401, HTML, NGINX, NotLetIn, "person_switched_off", ALL), Said(401, "", SIGN_IN, NotLetIn, "person_switched_off", ALL),
    Said(302, HTML, b"", NotLetIn, "person_switched_off", ALL), Said(303, "", b"", NotLetIn, "person_switched_off", ALL),
    Said(307, HTML, SIGN_IN, NotLetIn, "person_switched_off", ALL), Said(403, PROBLEM, numbered(112), NotLetIn, "person_switched_off", ALL),
    Said(301, HTML, NGINX, SetupError, "redirected", ALL), Said(308, "", b"", SetupError, "redirected", ALL),
    Said(400, PROBLEM, problem(title="Bad Request", detail="Код ошибки 244. Обратитесь в техническую поддержку."),
         NotLetIn, "account_refuses", ALL),
    Said(400, PROBLEM, numbered(202), NotLetIn, "account_refuses", ALL), Said(403, PROBLEM, numbered(288), NotLetIn, "account_refuses", ALL),
    Said(400, PROBLEM, numbered(425), NotLetIn, "account_refuses", ALL), Said(400, PROBLEM, numbered(426), NotLetIn, "account_refuses", ALL),
    Said(400, PROBLEM, problem(detail="Код ошибки 222."), NotLetIn, "account_refuses", ALL),
    Said(200, "application/json", json.dumps({"response": {"error": "Код ошибки 222.", "error_code": "222"}}).encode(),
         NotLetIn, "account_refuses", ALL),
    Said(403, PROBLEM, numbered(113), NotLetIn, "blocked", ALL), Said(403, PROBLEM, numbered(111), NotLetIn, "blocked", ALL),
    # Whether we are let in
    Said(401, PROBLEM, problem(detail="Неверный логин или пароль"), NotLetIn, "token_rejected", ALL),
    Said(401, HTML, problem(detail="Invalid user name or password"), NotLetIn, "token_rejected", ALL),
    Said(401, PROBLEM, b"", NotLetIn, "token_rejected", ALL), Said(401, "text/plain", b"Unauthorized", NotLetIn, "token_rejected", ALL),
    Said(401, PROBLEM, problem(detail="Account not found", errors=[{"code": 101}]), NotLetIn, "token_rejected", ALL),
    Said(400, PROBLEM, numbered(110), NotLetIn, "token_rejected", ALL),
    Said(402, PROBLEM, problem(status=402), NotLetIn, "unpaid", ALL), Said(402, HTML, NGINX, NotLetIn, "unpaid", ALL),
    Said(402, "", b"", NotLetIn, "unpaid", ALL),
    Said(403, PROBLEM, problem(detail="Invalid scope"), NotLetIn, "rights_missing", ALL),
    Said(403, PROBLEM, problem(detail="Client doesn't have the required scope"), NotLetIn, "rights_missing", ALL),
    Said(403, HTML, NGINX, NotLetIn, "blocked", ALL), Said(403, PROBLEM, b"not json", NotLetIn, "blocked", ALL),
    Said(403, "", b"", NotLetIn, "blocked", ALL),
    Said(429, PROBLEM, problem(retry_after=300), NotLetIn, "rate_limited", ALL), Said(429, HTML, NGINX, NotLetIn, "rate_limited", ALL),
    Said(429, "", b"", NotLetIn, "rate_limited", ALL),
    # What one request is refused for
    Said(400, PROBLEM, invalid(("NotSupportedChoice", "custom_fields_values.0.field_id")), SaidNo, "validation", LEAD),
    Said(400, "application/json", invalid(("57c2f299-1154-4870-89bb-ef3b1f5ad229", "destination.destination")), SaidNo, "validation", LEAD),
    Said(422, PROBLEM, invalid(("InvalidType", "price")), SaidNo, "validation", LEAD),
    Said(400, PROBLEM, numbered(226), SaidNo, "lead_deleted", LEAD), Said(400, PROBLEM, numbered(282), SaidNo, "not_found", LEAD),
    Said(400, PROBLEM, numbered(2002), SaidNo, "not_found", LEAD), Said(400, PROBLEM, numbered(330), SaidNo, "too_many_links", LEAD),
    Said(400, PROBLEM, problem(detail="Request data can not be empty"), SaidNo, "bad_request", LEAD),
    Said(400, PROBLEM, problem(detail="Request validation failed"), SaidNo, "bad_request", LEAD),
    Said(422, PROBLEM, problem(detail="Limit 250 per page"), SaidNo, "too_many_items", LEAD),
    Said(413, HTML, NGINX, SaidNo, "request_too_large", LEAD), Said(414, HTML, NGINX, SaidNo, "request_too_large", LEAD),
    Said(404, PROBLEM, problem(detail="Cannot GET https://x!"), SaidNo, "not_found", LEAD),
    # What passes by itself
    Said(400, PROBLEM, problem(detail="Возникла системная ошибка. Пожалуйста, повторите попытку."), BrokenWord, "server_hiccup", LEAD),
    Said(404, HTML, NGINX, BrokenWord, "not_routed", LEAD), Said(404, "", b"", BrokenWord, "not_routed", LEAD),
    Said(500, PROBLEM, problem(title="ErrInternalServer", trace_id="x"), BrokenWord, "server_error", LEAD),
    Said(500, PROBLEM, problem(title="Internal Server Error", detail="An unknown error occurred."), BrokenWord, "server_error", LEAD),
    Said(500, HTML, NGINX, BrokenWord, "server_error", LEAD), Said(502, HTML, NGINX, BrokenWord, "server_error", LEAD),
    Said(503, "", b"", BrokenWord, "server_error", LEAD), Said(504, HTML, NGINX, BrokenWord, "server_error", LEAD),
    Said(520, HTML, b"", BrokenWord, "server_error", LEAD), Said(200, HTML, SIGN_IN, BrokenWord, "garbled", LEAD),
    Said(200, "application/hal+json", NGINX, BrokenWord, "garbled", LEAD), Said(201, HTML, NGINX, BrokenWord, "garbled", LEAD),
    Said(200, PROBLEM, problem(status=500), BrokenWord, "server_error", LEAD),
    Said(200, PROBLEM, problem(status=402), NotLetIn, "unpaid", ALL),
    # What no row knows
    Said(405, "", b"", NotLetIn, "unexpected_answer", ALL), Said(418, "", b"", NotLetIn, "unexpected_answer", ALL),
    Said(400, HTML, NGINX, NotLetIn, "unexpected_answer", ALL), Said(400, PROBLEM, problem(detail="?"), NotLetIn, "unexpected_answer", ALL),
    Said(400, "", b"", NotLetIn, "unexpected_answer", ALL), Said(400, PROBLEM, b"[]", NotLetIn, "unexpected_answer", ALL),
    Said(409, PROBLEM, problem(detail="Conflict"), NotLetIn, "unexpected_answer", ALL),
    Said(422, PROBLEM, problem(detail="Only pipelines without leads c"), NotLetIn, "unexpected_answer", ALL),
    Said(451, HTML, NGINX, NotLetIn, "unexpected_answer", ALL), Said(300, "", b"", NotLetIn, "unexpected_answer", ALL),
    Said(203, PROBLEM, b"{}", BrokenWord, "unexpected_answer", LEAD), Said(299, "", b"", BrokenWord, "unexpected_answer", LEAD),
]  # fmt: skip

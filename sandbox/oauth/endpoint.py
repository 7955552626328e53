"""The token endpoint and the account's address book (sheet 3.3, 3.5, 3.7).

Errors here carry no `error` field, as RFC 6749 has it, only a `hint`; one of them not even that.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.answers import JSON, PROBLEM, Answer, Refusal, dump, problem
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_ID
from sandbox.oauth import grants, integration
from sandbox.store.database import Row

TYPE = "https://developers.amocrm.ru/v3/errors/OAuthProblemJson"
BAD_REQUEST = {
    "title": "Некорректный запрос",
    "type": TYPE,
    "status": 400,
    "detail": "В запросе отсутствует ряд параметров или параметры невалидны",
}
BAD_CLIENT = {
    "title": "Некорректный клиент",
    "type": TYPE,
    "status": 401,
    "detail": "Авторизация клиента не прошла",
}


def access_token(call: Call) -> Answer:
    """POST /oauth2/access_token: as JSON or as a form, with a trailing slash or without."""
    request = parameters(call)
    _check_client(call, request)
    grant_type = request.get("grant_type")
    try:
        if grant_type == "authorization_code":
            pair = grants.spend_code(call.work, _required(request, "code"), request["client_id"], call.api_domain)
        elif grant_type == "refresh_token":
            token = _required(request, "refresh_token")
            pair = grants.refresh(call.work, token, request["client_id"], call.api_domain)
        else:
            raise grants.Invalid("Check the `grant_type` parameter", 400)  # U: by the pattern of the other hints
    except grants.Invalid as error:
        raise Refusal(hinted(error.hint, error.status)) from error
    return Answer(200, dump(pair.answer()), JSON)


def parameters(call: Call) -> dict[str, Any]:
    """The body's parameters, as JSON or as a form. Clients send either; AmoCRM reads either (sheet 3.3, O and T)."""
    if call.body.lstrip().startswith(b"{"):
        try:
            data = json.loads(call.body)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}
    return call.form()


def hinted(hint: str, status: int = 400) -> Answer:
    """A token error. The status in the body is the answer's, but for a code that is too old: 401 inside a 400 (sheet 0, R)."""
    said = 401 if hint == grants.CODE_EXPIRED else status
    return Answer(status, dump({"hint": hint} | BAD_REQUEST | {"status": said}), PROBLEM)


def _check_client(call: Call, request: dict[str, Any]) -> None:
    known = integration.load(call.store)
    for name, right in (("client_id", known.client_id), ("client_secret", known.client_secret)):
        if request.get(name) != right:
            raise Refusal(hinted(f"Check the `{name}` parameter"))
    if call.work.config.paid == "no":
        raise Refusal(Answer(401, dump(BAD_CLIENT), PROBLEM))
    if "redirect_uri" not in request:
        raise Refusal(hinted("Check the `redirect_uri` parameter"))
    if request["redirect_uri"] != known.redirect_uri:
        raise Refusal(hinted("Redirect URI is not associated with client"))


def _required(request: dict[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise grants.Invalid(f"Check the `{name}` parameter", 400)
    return value


def domain_by_access_token(call: Call) -> Answer:
    """GET /oauth2/account/subdomain with a Bearer token."""
    token = call.headers.get("authorization", "").partition(" ")[2]
    if grants.present(call.work, token.strip()) is None:
        return problem(401, "Unauthorized")
    return Answer(200, dump(domain(call)), JSON)


def domain_by_refresh_token(call: Call) -> Answer:
    """GET /oauth2/account/current/subdomain with X-Refresh-Token, which is not spent here (sheet 3.7, O)."""
    try:
        grants.find_refresh(call.work, call.headers.get("x-refresh-token", ""))
    except grants.Invalid as error:
        return hinted(error.hint, error.status)
    return Answer(200, dump(domain(call)), JSON)


def domain(call: Call) -> Row:
    """The account's present address. Here a domain has a port, because moving means moving to another port."""
    top_level = "ru"
    return {
        "id": ACCOUNT_ID,
        "subdomain": call.store.meta("subdomain"),
        "domain": call.account_domain,
        "top_level_domain": top_level,
    }


def exchange_api_key(call: Call) -> Answer:
    """POST /oauth2/exchange_api_key: 202 now, a code at the redirect URI a moment later (sheet 3.7, O)."""
    request = parameters(call)
    known = integration.load(call.store)
    if request.get("client_uuid") != known.client_id or request.get("client_secret") != known.client_secret:
        return Answer(401, dump(BAD_CLIENT), PROBLEM)
    admin = call.store.value("SELECT id FROM users WHERE is_admin = 1 ORDER BY id")
    call.visits.append(redirect_to(call, known, grants.issue_code(call.work, admin), from_exchange="1"))
    return Answer(202)


def redirect_to(call: Call, known: integration.Integration, code: str, **more: str) -> str:
    """The redirect URI with a code: `code`, `state`, `referer`, `client_id` (sheet 3.2, D)."""
    return known.with_query(code=code, **more, referer=call.account_domain, client_id=known.client_id)

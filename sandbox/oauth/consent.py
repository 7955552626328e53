"""The consent page, which a person sees between "connect" and the redirect back (sheet 3.1, 3.2)."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from urllib.parse import quote

from sandbox.answers import HTML, Answer
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_NAME, INTEGRATION_NAME
from sandbox.oauth import grants, integration
from sandbox.oauth.access import is_admin
from sandbox.oauth.endpoint import redirect_to
from sandbox.store.database import Row

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;background:#f5f6f8;color:#313942;margin:0;display:grid;"
    "place-items:center;min-height:100vh}"
    "main{background:#fff;border:1px solid #dcdfe3;border-radius:8px;padding:2rem;max-width:26rem}"
    "h1{font-size:1.25rem;margin:0 0 1rem}ul{padding-left:1.2rem}"
    "button{font:inherit;padding:.6rem 1.4rem;border-radius:4px;border:1px solid #339dc7;cursor:pointer}"
    "button[value=allow]{background:#339dc7;color:#fff}button[value=deny]{background:#fff;color:#339dc7}"
    "footer{margin-top:1.5rem;color:#6b7682;font-size:.85rem}"
)


def page(call: Call) -> Answer:
    """GET /oauth: asks. `mode`, `redirect_uri`, `scope` and `response_type` are tolerated without effect."""
    known = integration.load(call.store)
    if call.query.get("client_id") != known.client_id:
        return _html("Интеграция не найдена", "<p>Проверьте параметр <code>client_id</code>.</p>", 404)
    if not call.work.config.installable:
        return _html("Интеграция недоступна", "<p>Эту интеграцию нельзя установить в аккаунте.</p>", 403)
    user = _sitting(call)
    role = "администратор" if is_admin(call, user["id"]) else "пользователь"
    name, account = escape(INTEGRATION_NAME), f"{escape(ACCOUNT_NAME)} ({escape(call.account_domain)})"
    if not known.installed and not is_admin(call, user["id"]):
        asked = "<p>Установить интеграцию может только администратор аккаунта.</p>"
        buttons = '<button name="decision" value="deny">Назад</button>'
    else:
        asked = (
            f"<p>Интеграция <b>{name}</b> запрашивает доступ к аккаунту <b>{account}</b>:</p>"
            "<ul><li>к данным аккаунта</li><li>к уведомлениям</li><li>к файлам</li></ul>"
        )
        buttons = (
            '<button name="decision" value="allow">Разрешить</button> '
            '<button name="decision" value="deny">Отказать</button>'
        )
    state = call.query.get("state")
    hidden = f'<input type="hidden" name="state" value="{escape(state)}">' if isinstance(state, str) else ""
    form = (
        f'<form method="post" action="/oauth"><input type="hidden" name="client_id" value="{escape(known.client_id)}">'
        f"{hidden}{buttons}</form>"
    )
    signed_in = f"<footer>Вы вошли как {escape(user['name'])}, {role}. Это песочница, не настоящий amoCRM.</footer>"
    return _html("Предоставить доступ?", asked + form + signed_in)


def decide(call: Call) -> Answer:
    """POST /oauth: the form's answer, and the browser goes back to the integration."""
    form, known = call.form(), integration.load(call.store)
    if form.get("client_id") != known.client_id:
        return _html("Интеграция не найдена", "<p>Проверьте параметр <code>client_id</code>.</p>", 404)
    state = form.get("state")
    told = {"state": state} if isinstance(state, str) else {}
    user = _sitting(call)
    may = known.installed or is_admin(call, user["id"])
    if form.get("decision") != "allow" or not may or not call.work.config.installable:
        return _redirect(known.with_query(error="access_denied", client_id=known.client_id, **told))
    if not known.installed:
        integration.save(call.store, replace(known, installed=True))
    return _redirect(redirect_to(call, known, grants.issue_code(call.work, user["id"]), **told))


def _sitting(call: Call) -> Row:
    """The user at the page: named by the switch, else the admin."""
    wanted = call.work.config.user_id
    row = call.store.row("SELECT * FROM users WHERE id = ? AND is_active = 1", [wanted]) if wanted else None
    return row or call.store.rows("SELECT * FROM users WHERE is_admin = 1 AND is_active = 1 ORDER BY id")[0]


def _redirect(url: str) -> Answer:
    return Answer(302, headers={"Location": quote(url, safe=":/?#[]@!$&'()*+,;=%")})


def _html(title: str, inside: str, status: int = 200) -> Answer:
    document = (
        f'<!DOCTYPE html>\n<html lang="ru"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n'
        f"<body><main><h1>{title}</h1>{inside}</main></body></html>\n"
    )
    return Answer(status, document.encode(), HTML)

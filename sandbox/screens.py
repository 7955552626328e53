"""The screens behind AmoCRM's links: enough of a lead's and a contact's card to see that a link leads there.

For people who try the desk: no token is asked for, nothing is counted, and nothing can be changed here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import escape

from sandbox.answers import HTML, Answer, lost_in_space
from sandbox.api import cards, field_values, links
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_NAME, UTC_OFFSET_S
from sandbox.oauth.consent import STYLE

NAMES = {"leads": "Сделка", "contacts": "Контакт", "companies": "Компания"}


def start(call: Call) -> Answer:
    """GET /: a page that explains the sandbox."""
    count = call.store.value("SELECT count(*) FROM leads WHERE is_deleted = 0")
    return _page(
        f"{ACCOUNT_NAME}: песочница amoCRM",
        f"<p>Сделок: {count}. API: <code>{escape(call.url('/api/v4'))}</code></p>"
        '<p>Состояние: <a href="/_sandbox/state">/_sandbox/state</a></p>',
    )


def card(call: Call) -> Answer:
    """GET /leads/detail/{id} and its like."""
    kind, card_id = call.path_params["kind"], call.path_params["id"]
    row = cards.find(call.work, kind, [card_id]).get(card_id)
    if row is None:
        return lost_in_space()
    fields = call.work.fields[kind]
    lines = [("Создано", _time(row["created_at"])), ("Изменено", _time(row["updated_at"]))]
    lines.append(("Ответственный", _value(call, "users", row["responsible_user_id"])))
    if kind == "leads":
        sql = "SELECT name FROM statuses WHERE pipeline_id = ? AND id = ?"
        lines.append(("Воронка", _value(call, "pipelines", row["pipeline_id"])))
        lines.append(("Этап", call.store.value(sql, [row["pipeline_id"], row["status_id"]]) or ""))
        lines.append(("Бюджет", f"{row['price']} ₽"))
    for field in field_values.read(json.loads(row["custom_fields"] or "{}"), fields) or []:
        values = ", ".join(str(value.get("value", "")) for value in field["values"])
        lines.append((field["field_name"], values))
    table = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(text))}</td></tr>" for name, text in lines)
    return _page(f"{NAMES[kind]}: {row['name']}", f"<table>{table}</table>{_linked(call, kind, card_id)}{_notes(call)}")


def _linked(call: Call, kind: str, card_id: int) -> str:
    found = [
        f'<li><a href="/{link["type"]}/detail/{link["id"]}">{escape(_value(call, link["type"], link["id"]))}</a></li>'
        for link in links.of_cards(call.work, kind, [card_id])[card_id]
    ]
    return f"<h2>Связано</h2><ul>{''.join(found)}</ul>" if found else ""


def _notes(call: Call) -> str:
    sql = "SELECT * FROM notes WHERE entity_type = ? AND entity_id = ? AND is_deleted = 0 ORDER BY id"
    rows = call.store.rows(sql, [call.path_params["kind"], call.path_params["id"]])
    texts = [
        f"<li>{_time(row['created_at'])}: {escape(str(json.loads(row['params']).get('text') or row['note_type']))}</li>"
        for row in rows
    ]
    return f"<h2>Примечания</h2><ul>{''.join(texts)}</ul>" if texts else ""


def _value(call: Call, table: str, row_id: int) -> str:
    return call.store.value(f"SELECT name FROM {table} WHERE id = ?", [row_id]) or str(row_id)  # noqa: S608 - our names


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds + UTC_OFFSET_S, UTC).strftime("%d.%m.%Y %H:%M")


def _page(title: str, inside: str) -> Answer:
    document = (
        f'<!DOCTYPE html>\n<html lang="ru"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE} th{{text-align:left;padding-right:1rem;font-weight:500}}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>{inside}<footer>Песочница, не настоящий amoCRM.</footer></main></body></html>\n"
    )
    return Answer(200, document.encode(), HTML)

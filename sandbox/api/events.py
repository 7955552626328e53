"""The account's events: `/events` (sheet 5.12). Their making is `event_log.py`."""

# ruff: noqa: S608 - the names put into SQL are this room's own; values travel as parameters

from __future__ import annotations

import json
from typing import Any

from sandbox.answers import Answer, hal, problem
from sandbox.api.event_log import SINGULAR
from sandbox.api.listing import Condition, between, conditions, item_query, one_of, page_of, paged, where
from sandbox.brackets import scalars
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_ID
from sandbox.store.database import Row, marks

PLURAL = {singular: plural for plural, singular in SINGULAR.items()}
TYPES = {
    "lead_added": "Новая сделка", "lead_deleted": "Сделка удалена", "lead_restored": "Сделка восстановлена",
    "lead_linked": "Прикрепление сделки", "lead_unlinked": "Открепление сделки",
    "contact_added": "Новый контакт", "contact_deleted": "Контакт удален", "contact_restored": "Контакт восстановлен",
    "contact_linked": "Прикрепление контакта", "contact_unlinked": "Открепление контакта",
    "company_added": "Новая компания", "company_deleted": "Компания удалена", "company_restored": "Компания восстановлена",
    "company_linked": "Прикрепление компании", "company_unlinked": "Открепление компании",
    "lead_status_changed": "Изменение этапа продажи",
    "task_added": "Новая задача", "task_deleted": "Задача удалена", "task_completed": "Завершение задачи",
    "task_type_changed": "Изменение типа задачи", "task_text_changed": "Изменение текста задачи",
    "task_deadline_changed": "Изменение даты исполнения задачи", "task_result_added": "Результат по задаче",
    "incoming_call": "Входящий звонок", "incoming_chat_message": "Входящее сообщение", "incoming_sms": "Входящее SMS",
    "incoming_mail": "Входящее письмо", "outgoing_call": "Исходящий звонок", "outgoing_chat_message": "Исходящее сообщение",
    "outgoing_sms": "Исходящее SMS", "outgoing_mail": "Исходящее письмо", "entity_direct_message": "Сообщение внутреннего чата",
    "entity_tag_added": "Теги добавлены", "entity_tag_deleted": "Теги убраны", "entity_linked": "Прикрепление",
    "entity_unlinked": "Открепление", "sale_field_changed": "Изменение поля «Бюджет»", "name_field_changed": "Изменение поля «Название»",
    "ltv_field_changed": "Сумма покупок", "custom_field_value_changed": "Изменение поля",
    "entity_responsible_changed": "Ответственный изменен", "robot_replied": "Ответ робота", "intent_identified": "Тема вопроса определена",
    "nps_rate_added": "Новая оценка NPS", "link_followed": "Переход по ссылке", "key_action_completed": "Ключевое действие",
    "common_note_added": "Новое примечание", "common_note_deleted": "Примечание удалено", "attachment_note_added": "Добавлен новый файл",
    "targeting_in_note_added": "Добавление в ретаргетинг", "targeting_out_note_added": "Удаление из ретаргетинга",
    "geo_note_added": "Новое примечание с гео-меткой", "service_note_added": "Новое системное примечание",
    "site_visit_note_added": "Заход на сайт", "talk_created": "Создание беседы", "talk_closed": "Закрытие беседы",
    "conversation_answered": "Беседа отмечена отвеченной", "entity_merged": "Выполнено объединение", "ai_result": "Результат ИИ",
}  # fmt: skip
"""Key → a Russian account's name for the event. The keys are AmoCRM's; most of the words are too (U if no page was stored)."""


def _created_at(value: Any) -> Condition | None:
    """Also `from,to` in one string, as the official library writes it (sheet 5.12, O). One number alone is "after that moment",
    unlike everywhere else (sheet 0, V)."""
    if isinstance(value, str) and "," in value:
        since, until = [*scalars(value), ""][:2]
        return between("created_at")({"from": since, "to": until})
    if isinstance(value, str):
        return between("created_at")({"from": value})
    return between("created_at")(value)


def _stages(column: str, value: Any) -> Condition | None:
    """`filter[value_after][leads_statuses][0][pipeline_id|status_id]`."""
    wanted = []
    for pair in value.values() if isinstance(value, dict) else ():
        if isinstance(pair, dict) and str(pair.get("status_id", "")).isdecimal():
            wanted.append(
                (
                    int(pair["status_id"]),
                    int(pair["pipeline_id"]) if str(pair.get("pipeline_id", "")).isdecimal() else None,
                )
            )
    if not wanted:
        return None
    status, pipeline = (f"json_extract({column}, '$[0].lead_status.{key}')" for key in ("id", "pipeline_id"))
    either = " OR ".join(
        f"({status} = ?" + (f" AND {pipeline} = ?)" if pair[1] is not None else ")") for pair in wanted
    )
    return either, [number for pair in wanted for number in pair if number is not None]


def _values(column: str, value: Any) -> list[Condition]:
    if not isinstance(value, dict):
        return []
    found = [_stages(column, value.get("leads_statuses"))]
    for key, path in (
        ("responsible_user_id", "responsible_user.id"),
        ("custom_field_values", "custom_field_value.text"),
        ("value", "custom_field_value.text"),
    ):
        if wanted := scalars(value.get(key)):
            found.append((f"CAST(json_extract({column}, '$[0].{path}') AS TEXT) IN ({marks(wanted)})", [*wanted]))
    return [condition for condition in found if condition]


MOST_EVENTS = 100
"""On a page; a greater `limit` is cut (sheet 0, V)."""

FILTERS = {"created_at": _created_at, "created_by": one_of("created_by"), "entity_id": one_of("entity_id")}


def read_list(call: Call) -> Answer:
    """GET /events: newest first (U)."""
    extra = []
    for name, column in (("id", "id"), ("type", "type"), ("entity", "entity_type")):
        if wanted := scalars(call.filter(name)):
            extra.append((f"{column} IN ({marks(wanted)})", [*wanted]))
    for column in ("value_after", "value_before"):
        extra += _values(column, call.filter(column))
    sql, parameters = where(conditions(call, FILTERS) + extra)
    page = page_of(call, MOST_EVENTS)
    rows = call.store.rows(
        f"SELECT * FROM events WHERE {sql} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",
        [*parameters, page.limit + 1, page.offset],
    )
    query = item_query(call)
    names = _names(call, rows[: page.limit])
    shown = [_show(call, row, query, names) for row in rows[: page.limit]]
    return paged(call, "events", shown, page, len(rows) > page.limit)


def read_one(call: Call) -> Answer:
    """GET /events/{id}."""
    row = call.store.row("SELECT * FROM events WHERE id = ?", [call.path_params["event_id"]])
    return hal(_show(call, row, call.raw_query, _names(call, [row]))) if row else problem(404, "Not Found")


def _names(call: Call, rows: list[Row]) -> dict[tuple[str, int], str]:
    """`with=lead_name` and its like: (singular, id) → name."""
    names: dict[tuple[str, int], str] = {}
    for singular, plural in PLURAL.items():
        if f"{singular}_name" in call.extras:
            ids = sorted({row["entity_id"] for row in rows if row["entity_type"] == singular})
            sql = f"SELECT id, name FROM {plural} WHERE id IN ({marks(ids)})"
            names |= {(singular, row["id"]): row["name"] for row in call.store.rows(sql, ids)}
    return names


def _show(call: Call, row: Row, query: str, names: dict[tuple[str, int], str]) -> dict[str, Any]:
    entity_path = f"/api/v4/{PLURAL.get(row['entity_type'], row['entity_type'])}/{row['entity_id']}"
    name = names.get((row["entity_type"], row["entity_id"]))
    entity = (
        {"id": row["entity_id"]} | ({"name": name} if name is not None else {}) | {"_links": call.link(entity_path)}
    )
    return {
        "id": row["id"],
        "type": row["type"],
        "entity_id": row["entity_id"],
        "entity_type": row["entity_type"],
        "created_by": row["created_by"],
        "created_at": row["created_at"],
        "value_after": json.loads(row["value_after"]),
        "value_before": json.loads(row["value_before"]),
        "account_id": ACCOUNT_ID,
        "_links": {"self": {"href": call.url(f"/api/v4/events/{row['id']}", query)}},
        "_embedded": {"entity": entity},
    }


def read_types(call: Call) -> Answer:
    """GET /events/types: in the account's language, or in the one `language_code` names."""
    english = call.query.get("language_code") not in (None, "", "ru")
    shown = [
        {"key": key, "type": number, "lang": key.replace("_", " ") if english else TYPES[key]}
        for number, key in enumerate(TYPES, start=1)
    ]
    links = {"self": {"href": call.url(call.path, call.raw_query)}}
    return hal({"_total_items": len(shown), "_links": links, "_embedded": {"events_types": shown}})

"""How the club set its AmoCRM up: people, pipelines, fields, tags, reasons. Ids here are a contract with tests and demo."""

# ruff: noqa: SIM905 - words in a row read better than words in a column

from __future__ import annotations

import json
from typing import Any

from sandbox.store.database import Row, Store

ADMIN_ID = 10_091_426
USERS: tuple[tuple[int, str, str, bool, bool], ...] = (
    (ADMIN_ID, "Анна Ковалёва", "kovaleva@fitzone.example", True, True),
    (10_091_430, "Дмитрий Соколов", "sokolov@fitzone.example", False, True),
    (10_091_434, "Мария Лебедева", "lebedeva@fitzone.example", False, True),
    (10_091_438, "Игорь Тарасов", "tarasov@fitzone.example", False, True),
    (10_091_442, "Екатерина Орлова", "orlova@fitzone.example", False, True),
    (10_091_446, "Павел Зайцев", "zaitsev@fitzone.example", False, False),
)
"""id, name, email, is_admin, is_active. The last user has left: naming him in a request is an error (sheet 4.3)."""

MANAGERS = tuple(user_id for user_id, _, _, admin, active in USERS if active and not admin)

SALES = 7_249_526
CORPORATE = 7_249_530
INCOMING = {SALES: 60_456_930, CORPORATE: 60_456_960}
WORKING = {
    SALES: (60_456_934, 60_456_938, 60_456_942, 60_456_946, 60_456_950),
    CORPORATE: (60_456_964, 60_456_968, 60_456_972),
}
WON, LOST = 142, 143

PIPELINES: dict[int, tuple[str, int, tuple[tuple[int, str, str], ...]]] = {
    SALES: (
        "Продажа абонементов",
        1,
        (
            (60_456_934, "Новая заявка", "#99ccff"),
            (60_456_938, "Связались", "#ffff99"),
            (60_456_942, "Приглашён на пробное", "#ffcc66"),
            (60_456_946, "Был на пробном", "#ffcccc"),
            (60_456_950, "Договор и оплата", "#c1e0ff"),
        ),
    ),
    CORPORATE: (
        "Корпоративные клиенты",
        2,
        (
            (60_456_964, "Запрос", "#98cbff"),
            (60_456_968, "Переговоры", "#ffeab2"),
            (60_456_972, "Счёт выставлен", "#deff81"),
        ),
    ),
}
"""id → name, sort, its working stages as (id, name, color)."""

PHONE_FIELD, DIRECTION_FIELD, SOURCE_FIELD = 264_911, 264_913, 264_915
MEMBERSHIP_FIELD, DAYTIME_FIELD, TRIAL_FIELD, CALL_BACK_FIELD = 264_923, 264_925, 264_927, 264_929
AGE_FIELD, HEALTH_FIELD, FORMAT_FIELD, PAGE_FIELD = 264_931, 264_933, 264_935, 264_937
COMMENT_FIELD, DISCOUNT_FIELD = 264_939, 264_941
CONTACT_PHONE_FIELD, CONTACT_EMAIL_FIELD, BIRTHDAY_FIELD = 264_911, 264_917, 264_919
"""A field's id counts per kind of card: 264911 is text on a lead and the phone on a contact."""

TRACKING_CODES = (
    "UTM_SOURCE UTM_MEDIUM UTM_CAMPAIGN UTM_CONTENT UTM_TERM UTM_REFERRER REFERRER FROM ROISTAT GCLIENTID "
    "GCLID YCLID FBCLID _YM_UID _YM_COUNTER OPENSTAT_SOURCE OPENSTAT_SERVICE OPENSTAT_CAMPAIGN OPENSTAT_AD"
).split()
FIRST_TRACKING_FIELD = 264_951
TRACKING_FIELDS = {code: FIRST_TRACKING_FIELD + 2 * at for at, code in enumerate(TRACKING_CODES)}

PHONE_KINDS = ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER")
EMAIL_KINDS = ("WORK", "PRIV", "OTHER")
CONTACT_PHONE_KINDS = {"WORK": 566_501, "MOB": 566_505}

MEMBERSHIPS = ("Разовое", "Месяц", "Три месяца", "Полгода", "Год")
DAYTIMES = ("Утро", "День", "Вечер", "Выходные")
FORMATS = ("Группа", "Персонально")
LOSS_REASONS = (
    "Дорого", "Далеко добираться", "Не дозвонились", "Выбрали другой клуб", "Не подошло расписание", "Передумали",
    "Спам или дубль",
)  # fmt: skip
FIRST_LOSS_REASON = 17_203_001
TAGS = {
    "leads": (("горячий", "FF8F92"), ("повторный", None), ("акция", "DDEBB5"), ("перезвонить", "FFE193"), ("корпоратив", None)),
    "contacts": (("VIP", None), ("бывший клиент", None)),
    "companies": (("партнёр", None),),
}  # fmt: skip
FIRST_TAG = 263_801
TASK_TYPES = ((1, "Связаться", "FOLLOW_UP"), (2, "Встреча", "MEETING"), (1_849_301, "Пробная тренировка", None))


def enums(first_id: int, values: tuple[str, ...], *, coded: bool = True) -> list[dict[str, Any]]:
    """Options numbered in AmoCRM's way, two apart. Kinds of phones have no `code`."""
    code: dict[str, Any] = {"code": None} if coded else {}
    return [{"id": first_id + 2 * at, "value": value, "sort": at, **code} for at, value in enumerate(values)]


def _field(kind: str, field_id: int, name: str, type_: str, code: str | None = None, **more: Any) -> Row:
    return {
        "entity_type": kind,
        "id": field_id,
        "name": name,
        "type": type_,
        "code": code,
        "sort": more.get("sort", field_id % 1000),
        "group_id": more.get("group_id"),
        "is_api_only": 0,
        "is_predefined": more.get("predefined", code is not None),
        "enums": json.dumps(more["enums"], ensure_ascii=False) if "enums" in more else None,
        "required_statuses": "[]",
        "remind": "never" if type_ == "birthday" else None,
        "currency": more.get("currency"),
    }


def _lead_fields() -> list[Row]:
    return [
        _field("leads", PHONE_FIELD, "Телефон", "text"),
        _field("leads", DIRECTION_FIELD, "Направление", "text"),
        _field("leads", SOURCE_FIELD, "Источник", "text"),
        _field("leads", MEMBERSHIP_FIELD, "Тип абонемента", "select", enums=enums(566_541, MEMBERSHIPS)),
        _field("leads", DAYTIME_FIELD, "Удобное время", "multiselect", enums=enums(566_551, DAYTIMES)),
        _field("leads", TRIAL_FIELD, "Дата пробного занятия", "date"),
        _field("leads", CALL_BACK_FIELD, "Перезвонить", "date_time"),
        _field("leads", AGE_FIELD, "Возраст", "numeric"),
        _field("leads", HEALTH_FIELD, "Есть противопоказания", "checkbox"),
        _field("leads", FORMAT_FIELD, "Формат", "radiobutton", enums=enums(566_561, FORMATS)),
        _field("leads", PAGE_FIELD, "Страница заявки", "url"),
        _field("leads", COMMENT_FIELD, "Комментарий", "textarea"),
        _field("leads", DISCOUNT_FIELD, "Скидка", "monetary", currency="RUB"),
        *(
            _field("leads", field_id, code.lower(), "tracking_data", code, group_id="statistic")
            for code, field_id in TRACKING_FIELDS.items()
        ),
    ]


def _contact_fields() -> list[Row]:
    return [
        _field("contacts", 264_909, "Должность", "text", "POSITION", sort=2),
        _field(
            "contacts", CONTACT_PHONE_FIELD, "Телефон", "multitext", "PHONE",
            enums=enums(566_501, PHONE_KINDS, coded=False), sort=4,
        ),
        _field(
            "contacts", CONTACT_EMAIL_FIELD, "Email", "multitext", "EMAIL",
            enums=enums(566_513, EMAIL_KINDS, coded=False), sort=6,
        ),
        _field("contacts", BIRTHDAY_FIELD, "День рождения", "birthday"),
        _field("contacts", 264_921, "Как связаться", "select", enums=enums(566_571, ("Звонок", "Мессенджер", "Почта"))),
    ]  # fmt: skip


def _company_fields() -> list[Row]:
    return [
        _field(
            "companies", 264_891, "Телефон", "multitext", "PHONE",
            enums=enums(566_521, PHONE_KINDS, coded=False), sort=4,
        ),
        _field(
            "companies", 264_893, "Email", "multitext", "EMAIL",
            enums=enums(566_533, EMAIL_KINDS, coded=False), sort=6,
        ),
        _field("companies", 264_895, "Web", "url", "WEB", sort=8),
        _field("companies", 264_897, "Адрес", "textarea", "ADDRESS", sort=10),
    ]  # fmt: skip


def build(store: Store, now: int) -> None:
    """Make the account's setup: users, pipelines, fields, tags, loss reasons, task types; no cards."""
    store.insert_many(
        "users",
        [
            {"id": id_, "name": name, "email": email, "is_admin": admin, "is_active": active, "phone_number": None}
            for id_, name, email, admin, active in USERS
        ],
    )
    for pipeline_id, (name, sort, stages) in PIPELINES.items():
        store.insert(
            "pipelines",
            {"id": pipeline_id, "name": name, "sort": sort, "is_main": pipeline_id == SALES, "is_unsorted_on": 1},
        )
        store.insert_many("statuses", _statuses(pipeline_id, stages))
    store.insert_many("custom_fields", _lead_fields() + _contact_fields() + _company_fields())
    store.insert_many("field_groups", _groups())
    store.insert_many(
        "loss_reasons",
        [
            {"id": FIRST_LOSS_REASON + 2 * at, "name": name, "sort": at + 1, "created_at": now, "updated_at": now}
            for at, name in enumerate(LOSS_REASONS)
        ],
    )
    for kind, tags in TAGS.items():
        store.insert_many(
            "tags",
            [
                {"entity_type": kind, "id": FIRST_TAG + 2 * at, "name": name, "color": color}
                for at, (name, color) in enumerate(tags)
            ],
        )
    store.insert_many("task_types", [{"id": id_, "name": name, "code": code} for id_, name, code in TASK_TYPES])


def _statuses(pipeline_id: int, stages: tuple[tuple[int, str, str], ...]) -> list[Row]:
    incoming = (INCOMING[pipeline_id], "Неразобранное", 10, 0, "#c1c1c1", 1)
    working = [(id_, name, 20 + 10 * at, 1, color, 0) for at, (id_, name, color) in enumerate(stages)]
    closed = [
        (WON, "Успешно реализовано", 10_000, 0, "#CCFF66", 0),
        (LOST, "Закрыто и не реализовано", 11_000, 0, "#D5D8DB", 0),
    ]
    keys = ("id", "name", "sort", "is_editable", "color", "type")
    return [
        {"pipeline_id": pipeline_id} | dict(zip(keys, status, strict=True)) for status in (incoming, *working, *closed)
    ]


def _groups() -> list[Row]:
    return [
        {"entity_type": kind, "id": id_, "name": name, "sort": sort, "is_predefined": 1}
        for kind in ("leads", "contacts", "companies")
        for id_, name, sort in (("default", "Основное", 0), ("statistic", "Статистика", 1))
        if kind == "leads" or id_ == "default"
    ]

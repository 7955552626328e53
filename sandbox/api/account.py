"""The account and its people: `/account`, `/users` (sheet 5.1, 5.7)."""

from __future__ import annotations

import json
from typing import Any

from sandbox.answers import Answer, hal, nothing, problem
from sandbox.api.checks import Item, items, pass_or_refuse
from sandbox.api.listing import item_query, own_link, page_of, paged
from sandbox.call import Call
from sandbox.club import account as club
from sandbox.oauth.access import admins_only
from sandbox.store.database import Row

ENTITY_NAMES = {
    "leads": {
        "ru": {
            "gender": "f",
            "plural_form": {"dative": "сделкам", "default": "сделки", "genitive": "сделок"},
            "singular_form": {"dative": "сделке", "default": "сделка", "genitive": "сделки"},
        }
    }
}
MOST_NEW_USERS = 10
FULL_RIGHTS = {"view": "A", "edit": "A", "add": "A", "delete": "A", "export": "A"}
MANAGER_RIGHTS = {"view": "A", "edit": "M", "add": "A", "delete": "D", "export": "D"}
RIGHTS_OF = {kind: tuple(FULL_RIGHTS) for kind in ("leads", "contacts", "companies")} | {"tasks": ("edit", "delete")}
"""The rights to each kind of card."""

LETTERS = ("A", "G", "M", "D")
"""All cards, the group's, one's own, none (sheet 5.7, D)."""


def read(call: Call) -> Answer:
    """GET /account: the parts named in `with` stand partly at the root, partly embedded (sheet 5.1, O)."""
    admin = call.store.value("SELECT min(id) FROM users WHERE is_admin = 1")
    shown: dict[str, Any] = {
        "id": club.ACCOUNT_ID,
        "name": club.ACCOUNT_NAME,
        "subdomain": call.store.meta("subdomain"),
        "created_at": club.CREATED_AT,
        "created_by": admin,
        "updated_at": club.CREATED_AT,
        "updated_by": admin,
        "current_user_id": call.work.user_id,
        "country": "RU",
        "currency": "RUB",
        "currency_symbol": "₽",
        "customers_mode": "disabled",
        "is_unsorted_on": True,
        "mobile_feature_version": 0,
        "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False,
        "is_technical_account": False,
        "contact_name_display_order": 1,
    }
    at_root = {
        "amojo_id": club.AMOJO_ID,
        "uuid": club.ACCOUNT_UUID,
        "version": 11,
        "drive_url": "https://drive-b.amocrm.ru",
        "is_api_filter_enabled": call.work.config.is_api_filter_enabled,
        "invoices_settings": None,
    }
    shown |= {key: value for key, value in at_root.items() if key in call.extras}
    shown["_links"] = own_link(call)
    embedded = {key: value for key, value in _embedded(call).items() if key in call.extras}
    if embedded:
        shown["_embedded"] = embedded
    return hal(shown)


def _embedded(call: Call) -> dict[str, Any]:
    return {
        "amojo_rights": {"can_direct": True, "can_create_groups": True},
        "users_groups": [{"id": 0, "name": "Отдел продаж", "uuid": None}],
        "task_types": call.store.rows("SELECT id, name, color, icon_id, code FROM task_types ORDER BY id"),
        "entity_names": ENTITY_NAMES,
        "datetime_settings": {
            "date_pattern": "d.m.Y H:i",
            "short_date_pattern": "d.m.Y",
            "short_time_pattern": "H:i",
            "date_format": "d.m.Y",
            "time_format": "H:i:s",
            "timezone": club.TIMEZONE,
            "timezone_offset": f"+{club.UTC_OFFSET_S // 3600:02}:00",
        },
    }


def feature_off(call: Call) -> Answer:
    """/customers: the club does without customers (`customers_mode` is `disabled`), and a disabled part is 402 (sheet 4.3, D)."""
    return problem(402, "Payment Required")


def read_users(call: Call) -> Answer:
    """GET /users: an admin's token only."""
    admins_only(call)
    page = page_of(call)
    rows = call.store.rows("SELECT * FROM users ORDER BY id LIMIT ? OFFSET ?", [page.limit, page.offset])
    total = call.store.value("SELECT count(*) FROM users")
    query = item_query(call)
    shown = [_user(call, row, query) for row in rows]
    return paged(call, "users", shown, page, page.offset + page.limit < total, total=total)


def read_user(call: Call) -> Answer:
    """GET /users/{id}."""
    admins_only(call)
    row = call.store.row("SELECT * FROM users WHERE id = ?", [call.path_params["id"]])
    return hal(_user(call, row, call.raw_query)) if row else problem(404, "Not Found")


def add_users(call: Call) -> Answer:
    """POST /users: ten at most, 201 (sheet 5.7)."""
    admins_only(call)
    checked = items(call, most=MOST_NEW_USERS)
    shown = []
    for item in checked:
        name, email = item.text("name", required=True), item.text("email", required=True)
        rights = item.inside("rights", item.tree("rights"))
        row: Row = {
            "id": call.store.next_id("users"),
            "name": name,
            "email": email,
            "lang": item.text("lang") or "ru",
            "is_admin": bool(rights.boolean("is_admin")),
            "is_active": 1,
            "phone_number": None,
            "rights": _wanted_rights(rights),
        }
        if not item.errors:
            call.store.insert("users", row)
            call.work.changed("added", "users", row["id"], None, row)
            shown.append(_user(call, row, "") | {"request_id": item.request_id})
    pass_or_refuse(checked)
    return hal({"_total_items": len(shown), "_links": own_link(call), "_embedded": {"users": shown}}, 201)


def _wanted_rights(given: Item) -> str | None:
    """The rights of a new person, as JSON: letters for each kind of card, and the flags besides (sheet 5.7, D)."""
    wanted: Row = {}
    for kind, usual in RIGHTS_OF.items():
        part = given.inside(kind, given.tree(kind))
        letters = {deed: part.choice(deed, LETTERS) for deed in usual}
        wanted |= {kind: set_} if (set_ := {deed: letter for deed, letter in letters.items() if letter}) else {}
    flags = {key: given.boolean(key) for key in ("mail_access", "catalog_access", "is_free")}
    numbers = {key: given.integer(key) for key in ("group_id", "role_id")}
    wanted |= {key: value for key, value in (flags | numbers).items() if value is not None}
    if stages := given.elements("status_rights"):
        wanted["status_rights"] = stages
    return json.dumps(wanted, ensure_ascii=False) if wanted else None


def activate(call: Call) -> Answer:
    """POST /users/activate with `[{"id": …}]`: 202 (sheet 5.7; the body's form is ours, U)."""
    _set_active(call, True)
    return Answer(202)


def deactivate(call: Call) -> Answer:
    """POST /users/deactivate: 204; from then on the person is no choice any more, and the tokens are dead."""
    _set_active(call, False)
    return nothing()


def _set_active(call: Call, active: bool) -> None:
    admins_only(call)
    checked = items(call, most=MOST_NEW_USERS)
    known = {row["id"] for row in call.store.rows("SELECT id FROM users")}
    ids = [item.choice("id", known) for item in checked]
    pass_or_refuse(checked)
    for user_id in ids:
        call.store.update("users", {"is_active": active}, id=user_id)


def _user(call: Call, row: Row, query: str) -> dict[str, Any]:
    usual = FULL_RIGHTS if row["is_admin"] else MANAGER_RIGHTS
    own = json.loads(row["rights"]) if row["rights"] else {}
    rights = {kind: {deed: usual[deed] for deed in deeds} | own.get(kind, {}) for kind, deeds in RIGHTS_OF.items()}
    beside = {
        key: own[key]
        for key in ("mail_access", "catalog_access", "is_free", "group_id", "role_id", "status_rights")
        if key in own
    }
    shown: dict[str, Any] = {"id": row["id"], "name": row["name"], "email": row["email"], "lang": row["lang"]}
    asked = {"uuid": None, "amojo_id": None, "user_rank": None, "phone_number": row["phone_number"]}
    shown |= {key: value for key, value in asked.items() if key in call.extras}
    return shown | {
        "rights": {
            **rights,
            "mail_access": False,
            "catalog_access": bool(row["is_admin"]),
            "status_rights": None,
            "is_admin": bool(row["is_admin"]),
            "is_free": False,
            "is_active": bool(row["is_active"]),
            "group_id": None,
            "role_id": None,
            **beside,
        },
        "_links": {"self": {"href": call.url(f"/api/v4/users/{row['id']}", query)}},
        "_embedded": {"roles": [], "groups": []},
    }

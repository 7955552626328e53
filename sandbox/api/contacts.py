"""Contacts: the filters and the form of `/contacts`, and the chats linked to a contact (sheet 5.4)."""

from __future__ import annotations

from typing import Any

from sandbox.answers import Answer, hal, nothing
from sandbox.api import cards
from sandbox.api.checks import items, pass_or_refuse
from sandbox.api.listing import Collection, between, named, one_of, own_link
from sandbox.brackets import scalars
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_ID
from sandbox.store.database import Row, marks

PERSON_FILTERS = {
    "id": one_of("id"),
    "name": named("name"),
    "created_by": one_of("created_by"),
    "updated_by": one_of("updated_by"),
    "responsible_user_id": one_of("responsible_user_id"),
    "created_at": between("created_at"),
    "updated_at": between("updated_at"),
    "closest_task_at": between("closest_task_at"),
}
"""The filters of lists of contacts and of companies."""

CONTACTS = Collection("contacts", "contacts", filters=PERSON_FILTERS, orders=("id", "updated_at", "name"))
"""Not by `created_at`: that is ignored (sheet 4.4, L)."""


def shape(call: Call, row: Row, values: list[dict[str, Any]] | None) -> dict[str, Any]:
    """A contact's own keys; `_links` and `_embedded` follow."""
    return {
        "id": row["id"],
        "name": row["name"],
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        **person_shape(row),
        "is_deleted": False,
        "is_unsorted": bool(row["is_unsorted"]),
        "custom_fields_values": values,
        "account_id": ACCOUNT_ID,
    }


def person_shape(row: Row) -> dict[str, Any]:
    """The keys contacts and companies share."""
    return {
        "responsible_user_id": row["responsible_user_id"],
        "group_id": row["group_id"],
        "created_by": row["created_by"],
        "updated_by": row["updated_by"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "closest_task_at": row["closest_task_at"],
    }


def read_chats(call: Call) -> Answer:
    """GET /contacts/chats?contact_id=…"""
    wanted = [int(word) for word in scalars(call.query.get("contact_id")) if word.isdecimal()]
    sql = f"SELECT * FROM chats WHERE contact_id IN ({marks(wanted)}) ORDER BY id"  # noqa: S608 - marks
    return _chats(call, call.store.rows(sql, wanted)) if wanted else nothing()


def link_chats(call: Call) -> Answer:
    """POST /contacts/chats: `[{contact_id, chat_id}]`."""
    checked = items(call)
    rows = []
    for item in checked:
        contact_id, chat_id = item.integer("contact_id"), item.text("chat_id", required=True)
        if not cards.exists(call.work, "contacts", contact_id):
            item.refuse("NotSupportedChoice", "contact_id")
        rows.append({"chat_id": chat_id, "contact_id": contact_id})
    pass_or_refuse(checked)
    for row in rows:
        call.store.db.execute(
            "INSERT INTO chats (chat_id, contact_id) VALUES (:chat_id, :contact_id)"
            " ON CONFLICT (chat_id) DO UPDATE SET contact_id = excluded.contact_id",
            row,
        )
    wanted = [row["chat_id"] for row in rows]
    sql = f"SELECT * FROM chats WHERE chat_id IN ({marks(wanted)}) ORDER BY id"  # noqa: S608 - marks
    return _chats(call, call.store.rows(sql, wanted))


def _chats(call: Call, rows: list[Row]) -> Answer:
    if not rows:
        return nothing()
    return hal({"_total_items": len(rows), "_links": own_link(call), "_embedded": {"chats": rows}})

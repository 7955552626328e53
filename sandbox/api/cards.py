"""Leads, contacts and companies alike: how a card is kept, changed, moved to the bin and back.

Everything that writes a card comes through here — API, incoming leads, the control's "person at the screen" — so
every change reaches events, hooks, ledger and search the same way. What a client may send is `card_input.py`, what
it is shown `card_reading.py`.
"""

# ruff: noqa: S608 - the names put into SQL are this room's own; values travel as parameters

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from sandbox.answers import Refusal, problem
from sandbox.api import field_values
from sandbox.call import Call
from sandbox.changes import Work
from sandbox.store import search
from sandbox.store.database import Row, marks
from sandbox.store.fields import field_of


def find(work: Work, kind: str, ids: Iterable[int], *, deleted: bool = False) -> dict[int, Row]:
    """Id → row of those cards that exist, in or out of the bin."""
    wanted = list(ids)
    sql = f"SELECT * FROM {kind} WHERE is_deleted = ? AND id IN ({marks(wanted)})"
    return {row["id"]: row for row in work.store.rows(sql, [deleted, *wanted])}


def exists(work: Work, kind: str, card_id: Any) -> bool:
    """Whether there is such a card outside the bin."""
    sql = f"SELECT 1 FROM {kind} WHERE id = ? AND is_deleted = 0"
    return isinstance(card_id, int) and work.store.value(sql, [card_id]) is not None


def insert(work: Work, kind: str, values: Row) -> Row:
    """A new card. `values` are columns; a column without a value gets the usual beginning."""
    acting = work.user_id
    row = {
        "id": work.store.next_id(kind),
        "name": "",
        "responsible_user_id": acting,
        "group_id": 0,
        "created_by": acting,
        "updated_by": acting,
        "created_at": work.now,
        "updated_at": values.get("created_at", work.now),
        "closest_task_at": None,
        "is_deleted": 0,
        "custom_fields": None,
        "tags": "[]",
    } | values
    work.store.insert(kind, row)
    whole = find(work, kind, [row["id"]])[row["id"]]  # with the columns the database itself fills in
    _seen_later(work, kind, row["id"])
    work.changed("added", kind, row["id"], None, whole)
    return whole


def update(work: Work, kind: str, before: Row, values: Row) -> Row:
    """Change a card. The card is stamped even when no value differs."""
    values = {"updated_at": work.now, "updated_by": work.user_id} | values
    work.store.update(kind, values, id=before["id"])
    _seen_later(work, kind, before["id"])
    after = before | values
    work.changed("updated", kind, before["id"], before, after)
    return after


def move_to_bin(work: Work, kind: str, before: Row) -> None:
    """Soft deletion, the only kind there is (sheet 5.2, L)."""
    values = {"is_deleted": 1, "updated_at": work.now, "updated_by": work.user_id}
    work.store.update(kind, values, id=before["id"])
    work.changed("deleted", kind, before["id"], before, before | values)


def restore(work: Work, kind: str, before: Row) -> None:
    """Take a card back out of the bin: a person's doing, without an API."""
    values = {"is_deleted": 0, "updated_at": work.now, "updated_by": work.user_id}
    work.store.update(kind, values, id=before["id"])
    work.changed("restored", kind, before["id"], before, before | values)


def _seen_later(work: Work, kind: str, card_id: int) -> None:
    search.changed(work.store.db, kind, card_id, work.real_moment + work.config.search_lag_s)


def merge_fields(before: str | None, wanted: field_values.Values) -> str | None:
    """The column after a write: absent fields stay, emptied fields go (sheet 6)."""
    values: dict[str, Any] = json.loads(before or "{}")
    for field_id, stored in wanted.items():
        if stored is None:
            values.pop(str(field_id), None)
        else:
            values[str(field_id)] = stored
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")) if values else None


def texts(db: sqlite3.Connection, kind: str, ids: list[int] | None) -> Iterable[tuple[int, str, str]]:
    """The text of a card for `query=`: name, fields, tags and budget; and its phones' digits."""
    fields = {
        row["id"]: field_of(dict(row))
        for row in db.execute("SELECT * FROM custom_fields WHERE entity_type = ?", [kind])
    }
    names = dict(db.execute("SELECT id, name FROM tags WHERE entity_type = ?", [kind]).fetchall())
    price = "price" if kind == "leads" else "0"
    sql = f"SELECT id, name, custom_fields, tags, {price} FROM {kind}"
    rows = db.execute(sql if ids is None else f"{sql} WHERE id IN ({marks(ids)})", ids or [])
    phones = {str(field.id) for field in fields.values() if field.type == "multitext"}
    for card_id, name, values, tag_ids, budget in rows:
        stored = json.loads(values) if values else {}
        words = [name, *field_values.texts(stored, fields), *(names.get(tag, "") for tag in json.loads(tag_ids))]
        if budget:
            words.append(str(budget))
        digits = [_digits(value["value"]) for key in phones & stored.keys() for value in stored[key]]
        yield card_id, "\n".join(words).casefold(), "\n".join(digits)


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())


def required(call: Call, kind: str) -> None:
    """Refuses with 404 when the card in the address does not exist."""
    if not exists(call.work, kind, call.path_params["id"]):
        raise Refusal(problem(404, "Not Found"))

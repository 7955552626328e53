"""`query=`: full text over all filled-in values, found a while after a change (sheet 4.4, 8.8, 8.11).

A word finds every card that contains it anywhere, so the last ten digits find a phone however it begins. What a
card consists of is told by the caller (`api/cards.py`); this file keeps the texts and finds in them. SQLite's
trigram index does the finding; words of one or two letters are too short for it and are looked for in every text.
"""

# ruff: noqa: S608 - the names put into SQL are this room's own; values travel as parameters
from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.store.schema import CARDS

TRIGRAM = 3
"""Letters a word needs for the index."""

Texts = Callable[[sqlite3.Connection, str, list[int] | None], Iterable[tuple[int, str, str]]]
"""(connection, kind of card, ids or None for every card) → (id, filled-in text, digits of its phones)."""

TABLES = "".join(
    f"""
CREATE TABLE {kind}_text (id INTEGER PRIMARY KEY, text TEXT NOT NULL, digits TEXT NOT NULL);
CREATE VIRTUAL TABLE {kind}_search USING fts5
    (text, digits, content='{kind}_text', content_rowid='id', tokenize='trigram');
"""
    for kind in CARDS
) + (
    "CREATE TABLE search_queue (kind TEXT NOT NULL, id INTEGER NOT NULL, due_at REAL NOT NULL,"
    " PRIMARY KEY (kind, id)) WITHOUT ROWID;"
)


def build(db: sqlite3.Connection, texts: Texts) -> None:
    """Index every card there is, at once."""
    for kind in CARDS:
        db.execute(f"DELETE FROM {kind}_text")
        db.executemany(f"INSERT INTO {kind}_text VALUES (?, ?, ?)", texts(db, kind, None))
        db.execute(f"INSERT INTO {kind}_search ({kind}_search) VALUES ('rebuild')")
    db.execute("DELETE FROM search_queue")


def changed(db: sqlite3.Connection, kind: str, card_id: int, due_at: float) -> None:
    """Let `query=` see this card as of then, but not before `due_at` (unix seconds)."""
    db.execute("INSERT OR REPLACE INTO search_queue VALUES (?, ?, ?)", [kind, card_id, due_at])


def catch_up(db: sqlite3.Connection, kind: str, now: float, texts: Texts) -> None:
    """Let in cards that have waited long enough."""
    due = "SELECT id FROM search_queue WHERE kind = ? AND due_at <= ?"
    ids = [row[0] for row in db.execute(due, [kind, now])]
    if not ids:
        return
    words = f"INSERT INTO {kind}_search ({kind}_search, rowid, text, digits) VALUES ('delete', ?, ?, ?)"
    for card_id, text, digits in list(texts(db, kind, ids)):
        old = db.execute(f"SELECT id, text, digits FROM {kind}_text WHERE id = ?", [card_id]).fetchone()
        if old:
            db.execute(words, tuple(old))
        db.execute(f"INSERT OR REPLACE INTO {kind}_text VALUES (?, ?, ?)", [card_id, text, digits])
        db.execute(
            f"INSERT INTO {kind}_search (rowid, text, digits) VALUES (?, ?, ?)",
            [card_id, text, digits],
        )
    db.execute("DELETE FROM search_queue WHERE kind = ? AND due_at <= ?", [kind, now])


def condition(kind: str, query: str, *, digits: bool) -> tuple[str, list[Any]]:
    """SQL that is true for the ids of cards that contain every word of `query`, and its parameters."""
    words = query.casefold().split()
    long_words = [word for word in words if len(word) >= TRIGRAM]
    conditions: list[str] = []
    parameters: list[Any] = []
    if long_words:
        phrases = " AND ".join('"' + word.replace('"', '""') + '"' for word in long_words)
        conditions.append(f"id IN (SELECT rowid FROM {kind}_search WHERE {kind}_search MATCH ?)")
        parameters.append(phrases if digits else f"{{text}} : ({phrases})")
    for word in words:
        if len(word) < TRIGRAM:
            in_phones = digits and word.isdecimal()
            found = "instr(text, ?) > 0" + (" OR instr(digits, ?) > 0" if in_phones else "")
            conditions.append(f"id IN (SELECT id FROM {kind}_text WHERE {found})")
            parameters += [word] * (2 if in_phones else 1)
    return " AND ".join(conditions) or "1", parameters

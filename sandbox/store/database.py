"""The database: opening, transactions, and the few statements every writer needs.

One thread owns the connection while the sandbox serves (`journey.py`), so a request's reads and writes are never
mixed with another's. SQL that belongs to one resource stands in that resource's file.
"""

# ruff: noqa: S608 - the names put into SQL are this room's own; values travel as parameters
from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.store import search
from sandbox.store.schema import APPLICATION_ID, INDEXES, JSON_COLUMNS, SCHEMA_VERSION, TABLES

Row = dict[str, Any]

FIRST_IDS = {
    "leads": 38_473_000,
    "contacts": 62_117_000,
    "companies": 67_578_000,
    "notes": 316_925_000,
    "tasks": 46_711_000,
    "pipelines": 7_249_600,
    "tags": 263_800,
    "users": 10_091_500,
    "loss_reasons": 17_203_000,
    "sources": 19_806_000,
    "webhooks": 48_162_000,
}
"""Where numbering starts. Of a real account's order, so that too narrow a column shows."""

SHRINKING = ("custom_fields", "statuses", "webhooks", "loss_reasons", "sources")
"""Tables that lose rows: their last number is remembered, so that no id comes twice."""


class BadFile(Exception):
    """The file given as `--db` cannot be this sandbox's memory; the text says why."""


class Store:
    """The open database. `fresh` is true for an empty database, which has to be filled."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.db = self._connect()
        try:
            self.fresh = self._prepare()
        except sqlite3.DatabaseError as error:
            raise BadFile(f"{path}: {error}") from error

    def _connect(self) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(
                self.path or ":memory:", isolation_level=None, check_same_thread=False, cached_statements=512, timeout=1
            )
        except sqlite3.OperationalError as error:
            raise BadFile(f"{self.path}: {error}") from error
        db.row_factory = sqlite3.Row
        return db

    def _prepare(self) -> bool:
        application, version, tables = (
            self.db.execute(question).fetchone()[0]
            for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
        )
        if tables and application != APPLICATION_ID:
            raise BadFile(f"{self.path}: is a database of something else")
        if tables and version != SCHEMA_VERSION:
            raise BadFile(f"{self.path}: was written by another version of the sandbox; delete it to start anew")
        if self.path:
            # Alone on the file: a second sandbox on it would hand out the same ids.
            self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = NORMAL")
        if tables:
            self.db.execute("BEGIN IMMEDIATE")
            self.db.execute("COMMIT")
            return False
        self.db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self.db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self.db.executescript(TABLES + search.TABLES)
        return True

    def build_indexes(self) -> None:
        """After the first fill: indexing once costs a third of indexing row by row."""
        self.db.executescript(INDEXES)
        self.db.execute("ANALYZE")

    def empty(self) -> None:
        """Drop all tables and begin as a new file does."""
        names = self.rows("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
        virtual = [row["name"] for row in names if row["name"].endswith("_search")]
        for name in virtual:
            self.db.execute(f"DROP TABLE {name}")
        for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
            self.db.execute(f"DROP TABLE {row['name']}")
        self.db.executescript(TABLES + search.TABLES)

    def close(self) -> None:
        """Close the file; the memory of an in-memory sandbox ends here."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction: an exception inside leaves no trace in the database."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """All rows of a question."""
        return [dict(row) for row in self.db.execute(sql, parameters)]

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """The first row of a question, or None."""
        found = self.db.execute(sql, parameters).fetchone()
        return dict(found) if found is not None else None

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        found = self.db.execute(sql, parameters).fetchone()
        return found[0] if found is not None else None

    def insert(self, table: str, row: Row) -> None:
        """One row; its keys are the columns."""
        self.insert_many(table, [row])

    def insert_many(self, table: str, rows: Iterable[Row]) -> None:
        """Rows that all have the same keys."""
        rows = list(rows)
        if rows:
            names = ", ".join(rows[0])
            marks = ", ".join(f":{name}" for name in rows[0])
            self.db.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)

    def update(self, table: str, changes: Row, **key: Any) -> None:
        """Set `changes` in the rows whose columns equal `key`."""
        if changes:
            settings = ", ".join(f"{name} = ?" for name in changes)
            places = " AND ".join(f"{name} = ?" for name in key)
            sql = f"UPDATE {table} SET {settings} WHERE {places}"
            self.db.execute(sql, [*changes.values(), *key.values()])

    def next_id(self, table: str, **where: Any) -> int:
        """The id of a new row; never an id that was given out before."""
        places = " AND ".join(f"{name} = ?" for name in where)
        sql = f"SELECT max(id) FROM {table}" + (f" WHERE {places}" if places else "")
        highest = max(self.value(sql, list(where.values())) or 0, FIRST_IDS.get(table, 0))
        if table in SHRINKING:
            highest = max(highest, int(self.meta(f"last id of {table}") or 0))
            self.remember(f"last id of {table}", str(highest + 1))
        return highest + 1

    def meta(self, key: str) -> str | None:
        """A remembered word about the whole sandbox."""
        return self.value("SELECT value FROM meta WHERE key = ?", [key])

    def remember(self, key: str, value: str) -> None:
        """Keep a word about the whole sandbox."""
        self.db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", [key, value])


def marks(values: Sequence[Any]) -> str:
    """`?, ?, ?`: one place for each value of an IN list."""
    return ", ".join("?" * len(values))


def readable(row: Row) -> Row:
    """A row with its JSON columns read."""
    return {
        key: json.loads(value) if key in JSON_COLUMNS and isinstance(value, str) else value
        for key, value in row.items()
    }

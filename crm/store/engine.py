"""Opening the database and its transactions. What is in it stands in `tables`.

Two kinds of transaction, named by what they promise:

    with store.read() as db:    one consistent picture; takes no write lock
    with store.write() as db:   all or nothing, and on the disk when the block has ended

A transaction is never held open during a network call; nothing here can check that, the tests do.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from crm.errors import SetupError
from crm.store import clock
from crm.store.tables import HEAD, facts

SQLITE_BUSY_S = 15.0
"""How long a SQLite writer waits for another one. Writes here take milliseconds; 15 s means something is stuck."""

WAL_RETRY_S = 0.01

SQLITE_CACHE_KIB = 8 * 1024
"""Page cache of one SQLite connection. Enough to keep the indexes of 100,000 leads warm."""

POOL_SIZE = 12
"""Kept connections. Transactions here take a millisecond or two, so a burst of threads is served faster by waiting for
one of these than by opening more: PostgreSQL starts a process for each."""

POOL_OVERFLOW = 4
"""Extra connections while some of those are held by a long write."""


class Store:
    """One database and its transactions. Thread-safe; made once per process."""

    def __init__(self, url: str) -> None:
        """`url` is a SQLAlchemy URL. A SQLite file and its folder are created. Raises `SetupError("database_unreachable")`."""
        self.url = sa.engine.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database:
            _make_private(Path(self.url.database))
        self._engine = _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url)
        self._reading = self._engine
        self._writing = self._engine.execution_options(desk_write="durable")
        self._hinting = self._engine.execution_options(desk_write="light")
        # SQLite lets writers wait by looking again after ever longer sleeps, up to a tenth of a second, and whoever comes
        # by in between goes first. Those of one process wait for each other here instead, and go on at once.
        self._turn = threading.RLock() if self.is_sqlite else nullcontext()

    def __repr__(self) -> str:
        return f"Store({self.url.get_backend_name()})"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads."""
        with self._reading.begin() as db:
            yield db

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sa.Connection]:
        """A transaction that writes.

        Durable: the commit is on the disk before the block ends (SQLite `synchronous=FULL`, PostgreSQL's
        default). `durable=False` is for what may be forgotten in a power cut, such as the pace of requests.
        """
        with self._turn, (self._writing if durable else self._hinting).begin() as db:
            yield db

    def clock(self, db: sa.Connection) -> float:
        """Unix seconds by the clock all processes on this database share."""
        if self.is_sqlite:
            return clock.unix()
        return float(db.scalar(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))) or 0) + clock.moved_by_s()

    def serialise(self, db: sa.Connection, what: str) -> None:
        """Let only one writing transaction at a time do `what`, until it ends. SQLite's write lock does that already."""
        if not self.is_sqlite:
            db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(what, 0))))

    def upsert(
        self,
        db: sa.Connection,
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        newer: str | None = None,
    ) -> None:
        """Insert rows, or replace those with the same primary key. All rows have the same columns.

        `newer`: a column; a stored row in which it is greater stays as it is.
        """
        if not rows:
            return
        insert = (sqlite.insert if self.is_sqlite else postgresql.insert)(table)
        keys = [column.name for column in table.primary_key]
        changed = {name: insert.excluded[name] for name in rows[0] if name not in keys}
        where = insert.excluded[newer] >= table.c[newer] if newer else None
        db.execute(insert.on_conflict_do_update(index_elements=keys, set_=changed, where=where), list(rows))

    def recall(self, key: str) -> str | None:
        """What the desk has noted about itself under this key."""
        with self.read() as db:
            return db.scalar(sa.select(facts.c.value).where(facts.c.key == key))

    def remember(self, key: str, value: str | None) -> None:
        """Note something under a key, or forget it."""
        with self.write() as db:
            self.serialise(db, f"fact {key}")
            db.execute(facts.delete().where(facts.c.key == key))
            if value is not None:
                db.execute(facts.insert().values(key=key, value=value))

    def upgrade(self) -> None:
        """Bring the tables to the shape this version needs. Cheap when they have it: one read.

        Raises `SetupError("database_unreachable")`, or `SetupError("database_newer")` where a newer desk
        has been here before: going on would damage what it wrote.
        """
        try:
            if self.revision() != HEAD:
                from crm.store import migrations  # Alembic takes 0.3 s to import and is needed once a version

                migrations.upgrade(self._writing)
        except DBAPIError as error:
            raise SetupError("database_unreachable") from error

    def revision(self) -> str | None:
        """The migration the database is at, None for an empty one."""
        with self.read() as db:
            if not sa.inspect(db).has_table("alembic_version"):
                return None
            return db.scalar(sa.text("SELECT version_num FROM alembic_version"))

    def healthy(self) -> bool:
        """Whether the database answers."""
        try:
            with self.read() as db:
                return db.scalar(sa.select(1)) == 1
        except SQLAlchemyError:
            return False

    def close(self) -> None:
        self._engine.dispose()


def _make_private(path: Path) -> None:
    """The file and its folder, readable by their owner alone: there are people's names and phones in it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:
        raise SetupError("database_unreachable") from None


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        hide_parameters=True,  # an error's text must not hold somebody's phone
        connect_args={"timeout": SQLITE_BUSY_S},
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # we begin transactions ourselves, see below
        _use_wal(dbapi)
        dbapi.execute("PRAGMA foreign_keys=ON")
        dbapi.execute(f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}")

    @sa.event.listens_for(engine, "begin")
    def _begin(db: sa.Connection) -> None:
        match db.get_execution_options().get("desk_write"):
            case None:
                db.exec_driver_sql("BEGIN")
            case kind:
                # The pragma only works outside a transaction, so it is set before each: a pooled
                # connection may have served the other kind last. IMMEDIATE takes the write lock at once;
                # a reader that turns writer half-way would fail instead of waiting.
                db.exec_driver_sql(f"PRAGMA synchronous={'FULL' if kind == 'durable' else 'NORMAL'}")
                db.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _use_wal(dbapi: Any) -> None:
    """Switch a new file to WAL. SQLite does not wait for others in this one thing, so we do."""
    give_up = time.monotonic() + SQLITE_BUSY_S
    while True:
        try:
            dbapi.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
        time.sleep(WAL_RETRY_S)


def _postgres_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        hide_parameters=True,
        pool_pre_ping=True,  # a restarted PostgreSQL costs one ping, not one failed lead
        connect_args={"connect_timeout": 5, "application_name": "lead-desk"},
    )

    @sa.event.listens_for(engine, "begin")
    def _begin(db: sa.Connection) -> None:
        if db.get_execution_options().get("desk_write") == "light":
            db.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")

    return engine

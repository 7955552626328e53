"""Opening the database and its transactions. What is in it stands in `tables`.

Two kinds of transaction, named by what they promise:

    with store.read() as db:    one consistent picture; takes no write lock
    with store.write() as db:   all or nothing, and on the disk when the block has ended

A transaction is never held open during a network call; nothing here can check that, the tests do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from crm.errors import SetupError
from crm.store.tables import HEAD

SQLITE_BUSY_S = 15.0
"""How long a SQLite writer waits for another one. Writes here take milliseconds; 15 s means something is stuck."""

SQLITE_CACHE_KIB = 8 * 1024
"""Page cache of one SQLite connection. Enough to keep the indexes of 100,000 leads warm."""

POOL_SIZE = 16
"""Kept connections. Twenty people plus the workers rarely hold more than a few at once."""

POOL_OVERFLOW = 48
"""Extra connections for a burst (64 threads that all need a token)."""


class Store:
    """One database and its transactions. Thread-safe; made once per process."""

    def __init__(self, url: str) -> None:
        """`url` is a SQLAlchemy URL. The folder of a SQLite file is created. Nothing is opened yet."""
        self.url = sa.engine.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self._engine = _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url)
        self._reading = self._engine
        self._writing = self._engine.execution_options(desk_write="durable")
        self._hinting = self._engine.execution_options(desk_write="light")

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
        with (self._writing if durable else self._hinting).begin() as db:
            yield db

    def clock(self, db: sa.Connection) -> float:
        """Unix seconds by the clock all processes on this database share."""
        if self.is_sqlite:
            return time.time()
        return float(db.scalar(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))) or 0)

    def upgrade(self) -> None:
        """Bring the tables to the shape this version needs. Cheap when they have it: one read.

        Raises `SetupError("database_unreachable")`, or `SetupError("database_newer")` where a newer desk
        has been here before: going on would damage what it wrote.
        """
        try:
            if self.revision() != HEAD:
                from crm.store import migrations  # Alembic takes 0.3 s to import and is needed once a version

                migrations.upgrade(self._writing)
        except OperationalError as error:
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


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url, pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW, connect_args={"timeout": SQLITE_BUSY_S}
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # we begin transactions ourselves, see below
        dbapi.execute("PRAGMA journal_mode=WAL")
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


def _postgres_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_pre_ping=True,  # a restarted PostgreSQL costs one ping, not one failed lead
        connect_args={"connect_timeout": 5, "application_name": "lead-desk"},
    )

    @sa.event.listens_for(engine, "begin")
    def _begin(db: sa.Connection) -> None:
        if db.get_execution_options().get("desk_write") == "light":
            db.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")

    return engine

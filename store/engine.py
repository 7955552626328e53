"""The engine: opening the database, and its transactions. The tables are in `tables`.

Two kinds of transaction, named by what they promise:

    with store.read() as db:    one consistent picture; takes no write lock
    with store.write() as db:   all or nothing, and on the disk when the block has ended

A transaction is never held open during a network call; nothing here can check that, the tests do.

Every wait here has an end, and whoever stands still in a transaction (stopped, swapped out, on a machine that was lost) holds
the others up for a few seconds and no longer: PostgreSQL ends the transaction after `IDLE_S`, on SQLite the holder is continued
after `FROZEN_S` (`frozen`).
What ran out of time is a `StoreError`, as for a database that is away for a moment, and nothing of it is written.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from store import clock, frozen
from store.errors import UNREACHABLE, StoreError, code_of
from store.tables import HEAD, facts

FROZEN_S = 3.0
"""Seconds without a statement after which a writing transaction counts as frozen, its process as stopped. Between
two statements of ours pass milliseconds, on a machine at ten times its load some hundred."""

IDLE_S = 7.0
"""Seconds without a statement after which PostgreSQL ends a writing transaction, as it cannot ask whether the
process is stopped. Longer than `FROZEN_S`, because a merely slow process pays for it: with eighteen programs on two
cores three seconds have passed between two statements. Shorter than the ten seconds after which the others have to
be delivering again."""

LOCK_WAIT_S = 15.0
"""Seconds a writer waits for another writer. Longer than `FROZEN_S`, so that a writer behind a frozen process is
served and not refused. Writes take milliseconds; 15 s means that something is stuck."""

TURN_WAIT_S = 30.0
"""Seconds a thread waits for the writing threads of its own process: for a thread that waits `LOCK_WAIT_S` itself,
and as long again for the longest write there is, forgetting 100,000 leads when another account is connected (a few
seconds)."""

WRITE_STATEMENT_S = 60.0
"""Seconds for a statement of a writing transaction on PostgreSQL: four times the longest there is."""

READ_STATEMENT_S = 300.0
"""Seconds for a reading statement: a report over ten years takes a second, an export its first rows later than
that."""

READ_IDLE_S = 120.0
"""Seconds a reading transaction may stand still. Readers hold no writer up, only old rows and a change of the
tables; an export writes its file between two reads."""

UPGRADE_WAIT_S = 600.0
"""Seconds a starting desk waits for another desk to migrate the tables."""

CONNECT_S = 5
"""For a connection to PostgreSQL to stand."""

POOL_WAIT_S = 15.0
"""Seconds a thread waits for a connection of its process's pool."""

KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
"""TCP settings by which a server that vanished without a word is noticed after 25 s. Seconds, a count, and
milliseconds."""

DEAF_CLIENT_S = 30.0
"""Seconds after which PostgreSQL gives up a client that takes nothing of its answer: until then it would hold its
locks."""

WAL_RETRY_S = 0.01

BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)
"""SQLite's error codes for a busy database; the second, if its shared memory was busy for long."""

SQLITE_CACHE_KIB = 8 * 1024
"""Page cache of a SQLite connection, KiB. Enough to keep the indexes of 100,000 leads warm."""

POOL_SIZE = 12
"""Kept connections. Transactions here take a millisecond or two, so a burst of threads is served faster by waiting
for a kept connection than by opening more: PostgreSQL starts a process for each."""

POOL_OVERFLOW = 4
"""Extra connections while kept connections are held by a long write."""


class Store:
    """The database and its transactions. Thread-safe; made once per process."""

    def __init__(self, url: str) -> None:
        """`url` is a SQLAlchemy URL. A SQLite file and its folder are created. Raises `StoreError`."""
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
        self._turn = threading.RLock() if self.is_sqlite else None

    def __repr__(self) -> str:
        return f"Store({self.url.get_backend_name()})"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a transaction for reading only. Raises `StoreError`."""
        with _told_as_ours(), self._reading.begin() as db:
            yield db

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sa.Connection]:
        """Open a transaction for writing.

        Durable: the commit is on the disk before the block ends (SQLite `synchronous=FULL`, PostgreSQL's
        default). `durable=False` is for what may be forgotten in a power cut, such as the pace of requests.
        Raises `StoreError`.
        """
        with _told_as_ours(), self._in_turn(), (self._writing if durable else self._hinting).begin() as db:
            yield db

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Wait for this thread's turn among the writers of its process. Raises `StoreError` after `TURN_WAIT_S`."""
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=TURN_WAIT_S):
            raise StoreError(UNREACHABLE)
        try:
            yield
        finally:
            self._turn.release()

    def clock(self, db: sa.Connection) -> float:
        """Unix seconds by the clock shared by all processes on the database."""
        if self.is_sqlite:
            return clock.unix()
        return float(db.scalar(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))) or 0) + clock.moved_by_s()

    def serialise(self, db: sa.Connection, what: str) -> None:
        """Let only one writing transaction at a time do `what`, until its end. SQLite's write lock does that
        already."""
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

    def insert_if_absent(self, db: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
        """Insert a row; leave a stored row with the same primary key as it is."""
        db.execute((sqlite.insert if self.is_sqlite else postgresql.insert)(table).on_conflict_do_nothing(), row)

    def recall(self, key: str) -> str | None:
        """Return the note the desk has stored under a key; None if there is none."""
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
        """Bring the tables to the shape of this version. Costs one read if they have it already.

        Raises `StoreError`; with `NEWER` if a newer desk has been here before: going on would damage what it wrote.
        """
        if self.revision() != HEAD:
            from store import migrations  # Alembic takes 0.3 s to import and is needed once a version

            try:
                migrations.upgrade(self._engine.execution_options(desk_write="upgrade"))
            except SQLAlchemyError as error:  # whatever it is, no desk can start on this database
                raise StoreError(UNREACHABLE) from error

    def revision(self) -> str | None:
        """The migration the database is at; None for an empty database."""
        with self.read() as db:
            if not sa.inspect(db).has_table("alembic_version"):
                return None
            return db.scalar(sa.text("SELECT version_num FROM alembic_version"))

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def _told_as_ours() -> Iterator[None]:
    """Translate SQLAlchemy's errors raised in the block into `StoreError`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(code_of(error)) from error


def _make_private(path: Path) -> None:
    """Create the file and its folder, readable by their owner alone: people's names and phones are stored there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:
        raise StoreError(UNREACHABLE) from None


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_WAIT_S,
        hide_parameters=True,  # an error's text must not hold somebody's phone
        connect_args={"timeout": FROZEN_S},
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(dbapi: sqlite3.Connection, _record: Any) -> None:
        dbapi.isolation_level = None  # we begin transactions ourselves, see below
        _patiently(dbapi, "PRAGMA journal_mode=WAL", url.database)  # SQLite does not wait for others in this one thing
        dbapi.execute("PRAGMA foreign_keys=ON")
        dbapi.execute(f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}")

    @sa.event.listens_for(engine, "begin")
    def _begin(db: sa.Connection) -> None:
        kind, dbapi = db.get_execution_options().get("desk_write"), db.connection.dbapi_connection
        assert isinstance(dbapi, sqlite3.Connection)  # noqa: S101 - this engine has no others
        if kind is None:
            # Readers wait for nobody but one who opens or closes the database at this moment.
            db.exec_driver_sql(f"PRAGMA busy_timeout={LOCK_WAIT_S * 1000:.0f}")
            db.exec_driver_sql("BEGIN")
            return
        # The pragma only works outside a transaction, so it is set before each: a pooled
        # connection may have served the other kind last. IMMEDIATE takes the write lock at once;
        # a reader that turns writer half-way would fail instead of waiting.
        db.exec_driver_sql(f"PRAGMA synchronous={'NORMAL' if kind == 'light' else 'FULL'}")
        db.exec_driver_sql(f"PRAGMA busy_timeout={FROZEN_S * 1000:.0f}")
        try:
            _patiently(dbapi, "BEGIN IMMEDIATE", url.database, UPGRADE_WAIT_S if kind == "upgrade" else LOCK_WAIT_S)
        except sqlite3.Error as error:  # SQLAlchemy translates its own statements only
            raise sa.exc.DBAPIError.instance("BEGIN IMMEDIATE", None, error, sqlite3.Error) from None

    return engine


def _patiently(dbapi: sqlite3.Connection, statement: str, database: str | None, wait_s: float = LOCK_WAIT_S) -> None:
    """Run a statement that needs the database exclusively; wait for its holder, and continue a holder that was
    stopped.

    Raises sqlite3's own error once `wait_s` are over.
    """
    started, woke_at = time.monotonic(), time.monotonic()
    while True:
        try:
            dbapi.execute(statement)
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF in BUSY
            if not is_busy or time.monotonic() - started > wait_s:
                raise
        if database and time.monotonic() - woke_at >= FROZEN_S:
            woke_at = time.monotonic()
            frozen.wake_holders(Path(database))
        time.sleep(WAL_RETRY_S)


def _postgres_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_WAIT_S,
        hide_parameters=True,
        pool_pre_ping=True,  # a restarted PostgreSQL costs one ping, not one failed lead
        connect_args={"connect_timeout": CONNECT_S, "application_name": "lead-desk", **KEEPALIVE},
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: Any) -> None:
        # As statements and not as start-up options, which a pooler such as PgBouncer refuses.
        with dbapi.cursor() as cursor:
            cursor.execute(READING)
        dbapi.commit()

    @sa.event.listens_for(engine, "begin")
    def _begin(db: sa.Connection) -> None:
        kind = db.get_execution_options().get("desk_write")
        if kind is not None:
            # For this transaction, so that it holds whichever of a pooler's connections it runs on.
            db.exec_driver_sql(WRITING[kind])

    return engine


def _settings(scope: str, **settings_s: float) -> str:
    """SQL that sets PostgreSQL's time-outs, given in seconds, in one round trip."""
    return "; ".join(f"SET {scope} {name} = '{value * 1000:.0f}ms'" for name, value in settings_s.items())


READING = _settings(
    "SESSION",
    lock_timeout=LOCK_WAIT_S,
    statement_timeout=READ_STATEMENT_S,
    idle_in_transaction_session_timeout=READ_IDLE_S,
    tcp_user_timeout=DEAF_CLIENT_S,
)
"""SQL for a new connection to PostgreSQL. A pooler may give a reading transaction another connection; readers hold
nobody up."""

_IN_A_WRITE = _settings(
    "LOCAL",
    lock_timeout=LOCK_WAIT_S,
    statement_timeout=WRITE_STATEMENT_S,
    idle_in_transaction_session_timeout=IDLE_S,
)

WRITING = {
    "durable": _IN_A_WRITE,
    "light": f"{_IN_A_WRITE}; SET LOCAL synchronous_commit TO OFF",
    "upgrade": _settings(
        "LOCAL",
        lock_timeout=UPGRADE_WAIT_S,
        statement_timeout=0.0,  # a large table takes what it takes
        idle_in_transaction_session_timeout=READ_IDLE_S,
    ),
}
"""SQL at the beginning of each kind of writing transaction on PostgreSQL."""

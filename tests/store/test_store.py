"""The store: both databases, the same promises."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from crm.errors import SetupError
from crm.store import Store
from crm.store.migrations import config
from crm.store.tables import HEAD, activity, grants, metadata

NAIVE = datetime(2026, 3, 8)  # noqa: DTZ001 - what must not get in


def test_the_newest_migration_is_the_one_the_tables_name():
    """HEAD, which saves importing Alembic at start, is what Alembic itself says."""
    assert ScriptDirectory.from_config(config()).get_current_head() == HEAD


def test_migrations_make_exactly_the_tables(store):
    """A database built by the migrations differs in nothing from the tables in code."""
    with store.read() as db:
        context = MigrationContext.configure(db, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(store):
    """An upgraded database is recognised and left alone."""
    store.upgrade()
    assert store.revision() == HEAD


def test_processes_that_start_together_upgrade_once(store_url):
    """Eight openings at the same moment end in one whole set of tables and no error."""
    errors = []
    start = threading.Barrier(8)

    def open_it():
        start.wait()
        try:
            opened = Store(store_url)
            opened.upgrade()
            opened.close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    opened = Store(store_url)
    assert opened.revision() == HEAD
    opened.close()


def test_a_database_from_the_future_is_refused(store):
    """A database that a newer desk has changed is not touched."""
    with store.write() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupError) as raised:
        store.upgrade()
    assert raised.value.code == "database_newer"


def test_an_unreachable_database_is_said_so():
    """A server that is not there is a setup error with its own code, not a traceback."""
    with pytest.raises(SetupError) as raised:
        Store("postgresql+psycopg://desk@127.0.0.1:1/desk").upgrade()
    assert raised.value.code == "database_unreachable"


def test_times_come_back_as_they_went_in(store):
    """An aware time in any zone comes back as the same moment in UTC; a naive one does not get in."""
    moscow = datetime(2026, 3, 8, 12, 30, 15, 250000, tzinfo=timezone(timedelta(hours=3)))
    with store.write() as db:
        db.execute(activity.insert().values(at=moscow, kind="read", operation="x", result="ok"))
    with store.read() as db:
        assert db.scalar(sa.select(activity.c.at)) == moscow
        assert db.scalar(sa.select(activity.c.at)).tzinfo == UTC
    with pytest.raises(sa.exc.StatementError), store.write() as db:
        db.execute(activity.insert().values(at=NAIVE, kind="read", operation="x", result="ok"))


def test_a_failed_block_leaves_nothing(store):
    """What an interrupted writing block did is gone."""
    with pytest.raises(RuntimeError), store.write() as db:
        db.execute(grants.insert().values(id=1, account_url="https://a", configured_url="https://a"))
        raise RuntimeError
    with store.read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(grants)) == 0


def test_writers_wait_for_each_other(store):
    """Sixteen threads that each add one to the same number lose none."""
    with store.write() as db:
        db.execute(grants.insert().values(id=1, account_url="https://a", configured_url="https://a"))

    def add():
        for _ in range(5):
            with store.write() as db:
                seen = db.scalar(sa.select(grants.c.generation).where(grants.c.id == 1).with_for_update())
                db.execute(grants.update().values(generation=seen + 1))

    threads = [threading.Thread(target=add) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as db:
        assert db.scalar(sa.select(grants.c.generation)) == 80


def test_an_accepting_commit_is_synchronous(tmp_path):
    """SQLite's durable writes use WAL with synchronous=FULL, also right after a light one on the same connection."""
    store = Store(f"sqlite:///{tmp_path}/desk.db")
    with store.write(durable=False) as db:
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    with store.write() as db:
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    store.close()


def test_the_store_does_not_show_its_password():
    """The address of a database holds a password; a repr of the store does not."""
    assert "hunter2" not in repr(Store("postgresql+psycopg://desk:hunter2@db/desk"))

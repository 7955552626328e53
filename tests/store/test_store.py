"""The store: both databases, the same promises."""

import json
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from desk.mirror import night
from store import Store, StoreError
from store.migrations import config
from store.tables import HEAD, activity, grants, lead_contacts, leads, metadata, mirror_walks

NAIVE = datetime(2026, 3, 8)  # noqa: DTZ001 - what must not get in


def test_the_newest_migration_is_the_one_the_tables_name():
    """HEAD, which saves importing Alembic at start, is what Alembic itself says."""
    assert ScriptDirectory.from_config(config()).get_current_head() == HEAD


def test_migrations_make_exactly_the_tables(store):
    """A database built by the migrations differs in nothing from the tables in code."""
    with store.read() as db:
        here = db.dialect.name

        def is_for_this_kind(item, name, kind, reflected, counterpart):
            """An index may be for one kind of database only; Alembic does not look at that."""
            only = getattr(item, "_ddl_if", None) if kind == "index" and not reflected else None
            return only is None or only.dialect == here

        opts = {"compare_type": False, "include_object": is_for_this_kind}
        context = MigrationContext.configure(db, opts=opts)
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(store):
    """An upgraded database is recognised and left alone."""
    store.upgrade()
    assert store.revision() == HEAD


def test_a_mirror_of_before_contacts_and_kopecks(empty_url):
    """Main contacts are links at once, whole roubles are kopecks, and a nightly round that reads the rest is due."""
    opened = Store(empty_url)
    with opened._engine.begin() as db:
        settings = config()
        settings.attributes["connection"] = db
        command.upgrade(settings, "0008")
        old = sa.Table("leads", sa.MetaData(), autoload_with=db)
        texts = {column.name: "" for column in old.c if not column.nullable and isinstance(column.type, sa.Text)}
        numbers = ("pipeline_id", "status_id", "responsible_user_id", "created_at", "updated_at")
        for lead_id, contact_id in ((1, 7), (2, None)):
            whose = {"id": lead_id, "contact_id": contact_id, "price_rub": 5500, "is_deleted": False}
            db.execute(old.insert().values(**texts, **dict.fromkeys(numbers, 1), **whose))
        old = sa.Table("mirror_walks", sa.MetaData(), autoload_with=db)
        for name in ("night", "leads"):
            walk = {
                "name": name,
                "cursor": '{"compared": 2}',
                "done": 0,
                "due_at": 5e12,
                "failures": 0,
                "lease_until": 0.0,
            }
            db.execute(old.insert().values(**walk))
    opened.upgrade()
    with opened.read() as db:
        assert db.execute(sa.select(leads.c.id, leads.c.price_kop).order_by(leads.c.id)).all() == [
            (1, 550_000),
            (2, 550_000),
        ]
        assert db.execute(sa.select(lead_contacts)).all() == [(1, 7, True)]
        rows = dict(db.execute(sa.select(mirror_walks.c.name, mirror_walks.c.due_at)).all())
        assert rows == {"night": 0.0, "leads": 5e12}
        cursor = json.loads(db.scalar(sa.select(mirror_walks.c.cursor).where(mirror_walks.c.name == "night")))
        assert cursor == night.START
    opened.close()


def test_processes_that_start_together_upgrade_once(empty_url):
    """Eight openings at the same moment end in one whole set of tables and no error."""
    errors = []
    start = threading.Barrier(8)

    def open_it():
        start.wait()
        try:
            opened = Store(empty_url)
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
    opened = Store(empty_url)
    assert opened.revision() == HEAD
    opened.close()


def test_a_database_from_the_future_is_refused(store):
    """A database that a newer desk has changed is not touched."""
    with store.write() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError) as raised:
        store.upgrade()
    assert raised.value.code == "database_newer"


def test_an_unreachable_database_is_said_so():
    """A server that is not there is a setup error with its own code, not a traceback."""
    with pytest.raises(StoreError) as raised:
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
    with pytest.raises(StoreError), store.write() as db:
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


def test_whoever_names_the_same_waits(store):
    """A second transaction that takes the same turn goes on when the first has ended, and then sees what it wrote."""
    taken, seen = threading.Event(), []

    def second():
        taken.wait()
        with store.write() as db:
            store.serialise(db, "the same")
            seen.append(db.scalar(sa.select(sa.func.count()).select_from(grants)))

    waiting = threading.Thread(target=second)
    waiting.start()
    with store.write() as db:
        store.serialise(db, "the same")
        taken.set()
        waiting.join(0.3)
        assert seen == []
        db.execute(grants.insert().values(id=1, account_url="https://a", configured_url="https://a"))
    waiting.join()
    assert seen == [1]


def test_other_names_do_not_wait(postgres_server):
    """On PostgreSQL two transactions with different names go on side by side."""
    store = Store(postgres_server.new_database())
    with store.write() as first, store.write() as second:
        store.serialise(first, "one")
        store.serialise(second, "another")
    store.close()


def test_an_error_quotes_no_value(store):
    """What was to be written is not in the text of a database error, which may end up in a log."""
    with pytest.raises(StoreError) as raised, store.write() as db:
        for _ in range(2):
            db.execute(grants.insert().values(id=1, account_url="+79991234567", configured_url="https://a"))
    assert "+79991234567" not in str(raised.value) + str(raised.value.__cause__)


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


@pytest.mark.parametrize("path", ["/dev/null/x/desk.db", "/proc/desk.db"])
def test_a_folder_that_cannot_be_is_said_so(path):
    """No traceback for a place where no file can be made."""
    with pytest.raises(StoreError) as raised:
        Store(f"sqlite:///{path}")
    assert raised.value.code == "database_unreachable"


def test_a_file_that_is_no_database_is_said_so(tmp_path):
    """Somebody's letter is not taken for a database, and not changed."""
    (tmp_path / "desk.db").write_text("Dear sir or madam, " * 300)
    with pytest.raises(StoreError) as raised:
        Store(f"sqlite:///{tmp_path}/desk.db").upgrade()
    assert raised.value.code == "database_unreachable"
    assert (tmp_path / "desk.db").read_text().startswith("Dear sir")


def test_a_new_file_is_its_owners_alone(tmp_path):
    """There are names and phones in it."""
    store = Store(f"sqlite:///{tmp_path}/desk.db")
    store.upgrade()
    assert (tmp_path / "desk.db").stat().st_mode & 0o077 == 0
    store.close()


def test_an_error_of_the_database_shows_nobodys_phone(store):
    """What was to be written does not stand in the error's text."""
    with pytest.raises(StoreError) as raised, store.write() as db:
        db.execute(sa.text("INSERT INTO no_such_table VALUES (:phone)"), {"phone": "+79991234567"})
    assert "+79991234567" not in str(raised.value) + str(raised.value.__cause__)

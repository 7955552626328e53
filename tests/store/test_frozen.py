"""A process that stands still in a transaction holds nobody up for long."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa

from desk.settings import PROJECT
from store import Store, StoreError, engine, frozen
from store.frozen import LEAVE, NOT_STOPPED, WAKE, Process, judged, state_of, writers
from store.tables import facts
from tests.support.programs import until

LOCKS = """\
1: POSIX  ADVISORY  WRITE 4711 08:01:131 120 120
1: -> POSIX  ADVISORY  WRITE 4712 08:01:131 120 120
2: POSIX  ADVISORY  READ 4713 08:01:131 124 124
3: FLOCK  ADVISORY  WRITE 4714 08:01:131 0 EOF
4: POSIX  ADVISORY  WRITE 4715 fe:00:2146963 0 EOF
5: OFDLCK ADVISORY  WRITE -1 08:01:131 0 EOF
6: POSIX  ADVISORY  WRITE 0 08:01:131 121 121
7: POSIX  ADVISORY  WRITE 4711 08:01:131 128 128
8: LEASE  ACTIVE    READ 4716 08:01:131 0 EOF
half a line
"""

GENEROUS_S = 40.0
NAMED_S = {True: engine.FROZEN_S + 2.0, False: engine.IDLE_S + 2.0}
"""What others wait for at the most: the named time, and going on."""

HOLDER = """
import sys
from store import Store
from store.tables import facts
store = Store(sys.argv[1])
try:
    with store.write() as db:
        db.execute(facts.insert().values(key="holder", value="half"))
        print("holding", flush=True)
        sys.stdin.readline()
    print("written", flush=True)
except Exception as error:
    print(type(error).__name__, flush=True)
sys.stdin.readline()
with store.write() as db:
    db.execute(facts.insert().values(key="holder again", value="whole"))
print("well", flush=True)
"""


@pytest.mark.parametrize(
    ("inodes", "numbers"), [([131], [4711]), ([2146963], [4715]), ([131, 2146963], [4711, 4715]), ([1], []), ([], [])]
)
def test_who_writes(inodes, numbers):
    """Holders of an exclusive lock on these files, each once; not who waits, reads, or locks in another way."""
    assert writers(LOCKS, inodes) == numbers


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        ("4711 (python3) T 1 4711", "T"),
        ("4711 (a (b) T) S) R 1", "R"),
        ("4711 (x) t 1", "t"),
        ("", ""),
        ("4711 (x)", ""),
    ],
)
def test_a_state_is_read_behind_the_name(stat, state):
    """A process may be called whatever it likes."""
    assert state_of(stat) == state


@pytest.mark.parametrize(
    ("holder", "verdict"),
    [
        (Process(7, "T", 1000), WAKE), (Process(7, "S", 1000), NOT_STOPPED), (Process(7, "t", 1000), NOT_STOPPED),
        (Process(7, "T", 0), LEAVE), (Process(1, "T", 1000), NOT_STOPPED), (Process(7, "", 1000), NOT_STOPPED),
    ],
)  # fmt: skip
def test_who_is_woken(holder, verdict):
    """A stopped process of our own user; nobody else's, none in a debugger's hands, never ourselves."""
    assert judged(holder, me=1, my_user=1000) == verdict


def test_another_file_of_the_same_number_wakes_nobody(tmp_path, monkeypatch):
    """A stopped process that has none of our files open is left alone, whatever number its lock names."""
    database = tmp_path / "desk.db"
    database.touch()
    stopped = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        stopped.send_signal(signal.SIGSTOP)
        until(lambda: is_stopped(stopped), "the stop")
        line = f"1: POSIX  ADVISORY  WRITE {stopped.pid} 08:01:{database.stat().st_ino} 120 120\n"
        monkeypatch.setattr(frozen, "writers", lambda locks, inodes: writers(line, inodes))
        assert frozen.wake_holders(database) == []
        assert is_stopped(stopped)
    finally:
        stopped.kill()
        stopped.communicate()


def test_without_the_kernels_word_nobody_is_woken(tmp_path, monkeypatch):
    """No `/proc`: only the waiting ends."""
    monkeypatch.setattr(frozen, "PROC", tmp_path / "nothing")
    assert frozen.wake_holders(tmp_path / "desk.db") == []


def is_stopped(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        return state_of(stat.read()) == "T"


@pytest.fixture
def holder(store, store_url):
    """Another process that is stopped in the middle of a writing transaction."""
    held = subprocess.Popen(
        [sys.executable, "-c", HOLDER, store_url],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert held.stdout.readline() == "holding\n"
        held.send_signal(signal.SIGSTOP)
        until(lambda: is_stopped(held), "the stop")
        held.stdin.write("end it\n")  # read as soon as it goes on
        held.stdin.flush()
        yield held
    finally:
        held.kill()
        held.communicate()


def keys(store):
    with store.read() as db:
        return set(db.scalars(sa.select(facts.c.key)))


def test_a_stopped_writer_is_overcome(store, store_url, holder):
    """Somebody else's write of the same row goes through, and the stopped one ends as a whole or not at all."""
    began = time.monotonic()
    with store.write() as db:
        db.execute(facts.delete().where(facts.c.key == "holder"))
        db.execute(facts.insert().values(key="holder", value="other"))
    waited_s = time.monotonic() - began
    assert waited_s < GENEROUS_S
    holder.send_signal(signal.SIGCONT)
    holder.stdin.write("again\n")
    holder.stdin.flush()
    ended = holder.stdout.readline().strip()
    assert holder.stdout.readline() == "well\n"
    # SQLite's holder was continued and had the lock until it was done; PostgreSQL has ended its transaction.
    assert (ended == "written") is store.is_sqlite
    assert store.recall("holder") == "other"
    assert "holder again" in keys(store)


@pytest.mark.alone
def test_a_stopped_writer_is_overcome_in_the_named_time(store, holder):
    """Nobody waits longer than `FROZEN_S`, on PostgreSQL `IDLE_S`, and what going on takes."""
    began = time.monotonic()
    with store.write() as db:
        if not store.is_sqlite:
            db.execute(facts.insert().values(key="holder", value="other"))
    assert time.monotonic() - began < NAMED_S[store.is_sqlite]


def test_readers_do_not_wait_for_a_stopped_writer(store, holder):
    """What was there before is read at once."""
    assert "holder" not in keys(store)


def test_a_lock_that_is_never_given_back_ends_the_wait(store, monkeypatch):
    """A holder that is alive and never done: whoever waits hears of it as of a database that is away, and can go on later."""
    monkeypatch.setattr(engine, "LOCK_WAIT_S", 0.3)
    monkeypatch.setattr(engine, "FROZEN_S", 0.1)
    monkeypatch.setitem(engine.WRITING, "durable", "SET LOCAL lock_timeout = '300ms'")
    holding, done = threading.Event(), threading.Event()
    other = Store(store.url.render_as_string(hide_password=False))

    def hold():
        with other.write() as db:
            db.execute(facts.insert().values(key="held", value="x"))
            holding.set()
            done.wait(GENEROUS_S)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(GENEROUS_S)
    try:
        with pytest.raises(StoreError), store.write() as db:
            db.execute(facts.insert().values(key="held", value="y"))
    finally:
        done.set()
        thread.join()
    other.close()
    store.remember("held", "z")
    assert store.recall("held") == "z"


def test_a_thread_that_never_ends_its_write_ends_the_others_wait(sqlite_store, monkeypatch):
    """In one process the writers of SQLite queue up, and not for ever."""
    monkeypatch.setattr(engine, "TURN_WAIT_S", 0.2)
    holding, done = threading.Event(), threading.Event()

    def hold():
        with sqlite_store.write():
            holding.set()
            done.wait(GENEROUS_S)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(GENEROUS_S)
    try:
        with pytest.raises(StoreError), sqlite_store.write():
            pass
    finally:
        done.set()
        thread.join()
    sqlite_store.remember("after", "well")


def test_postgresql_is_told_every_time_out(postgres_server):
    """Inside a write those of a write, in a read those of a read, and none of them is a start-up option."""
    store = Store(postgres_server.new_database())
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")

    def told(db):
        return [db.scalar(sa.text(f"SELECT setting FROM pg_settings WHERE name = '{name}'")) for name in names]

    with store.write() as db:
        assert told(db) == ["15000", "60000", "7000"]
    with store.write(durable=False) as db:
        assert told(db) == ["15000", "60000", "7000"]
        assert db.scalar(sa.text("SHOW synchronous_commit")) == "off"
    with store.read() as db:
        assert told(db) == ["15000", "300000", "120000"]
    store.close()


def until_ended(store, backend):
    """Until the server has ended a connection; asked over another one, each time anew, for the server's answer stays in a
    transaction."""

    def is_ended():
        with store.read() as db:
            alive = sa.text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
            return not db.scalar(alive, {"pid": backend})

    until(is_ended, "the server to end it")


def test_a_transaction_ended_by_the_server_fails_once(postgres_server, monkeypatch):
    """Who thaws hears an error, nothing of it is written, and the next transaction has a new connection."""
    monkeypatch.setitem(engine.WRITING, "durable", "SET LOCAL idle_in_transaction_session_timeout = '100ms'")
    store = Store(postgres_server.new_database())
    store.upgrade()
    with pytest.raises(StoreError), store.write() as db:
        mine = db.scalar(sa.text("SELECT pg_backend_pid()"))
        db.execute(facts.insert().values(key="half", value="x"))
        until_ended(store, mine)
        db.execute(facts.insert().values(key="whole", value="x"))
    assert keys(store) == set()
    store.remember("after", "well")
    store.close()


def test_the_commit_of_an_ended_transaction_fails(postgres_server, monkeypatch):
    """A process that stood still before its commit, and nowhere else, is not told that it was written."""
    monkeypatch.setitem(engine.WRITING, "durable", "SET LOCAL idle_in_transaction_session_timeout = '100ms'")
    store = Store(postgres_server.new_database())
    store.upgrade()
    with pytest.raises(StoreError), store.write() as db:
        mine = db.scalar(sa.text("SELECT pg_backend_pid()"))
        db.execute(facts.insert().values(key="half", value="x"))
        until_ended(store, mine)
    assert keys(store) == set()
    store.close()

"""The rounds of background work: what is kept of a success and of a failure, and what a database that is away does to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm.errors import SaidNo
from desk.health import SAME_FAILURE_EVERY_S, WRITTEN_EVERY, Rounds, age_of, place_of
from store import Store, StoreError, clock
from store.tables import worker_rounds

NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
SECRET = "+79991234567"


def row(store, name="mirror"):
    with store.read() as db:
        return db.execute(sa.select(worker_rounds).where(worker_rounds.c.name == name)).mappings().first()


def broken() -> None:
    raise ValueError(SECRET)


def from_our_code() -> Exception:
    try:
        Store("no database at all")
    except Exception as error:
        return error
    raise AssertionError


def test_a_success_and_a_failure_are_kept_side_by_side(store):
    """Each kind of work has its last success and its last failure; a success ends the counting and keeps the reason."""
    rounds = Rounds(store)
    rounds.told("mirror")
    rounds.told("mirror", SaidNo("validation"))
    failed = Rounds(store).all()["mirror"]
    assert (failed.failures, failed.reason, failed.place, failed.is_failing) == (1, "validation", None, True)
    assert failed.failing_since == failed.succeeded_at
    rounds.told("mirror")
    well = Rounds(store).all()["mirror"]
    assert (well.failures, well.reason, well.is_failing) == (0, "validation", False)
    assert well.succeeded_at >= well.failed_at


def test_of_an_unforeseen_failure_only_name_and_place_are_kept(store):
    """What an exception says may quote somebody's phone: neither text nor value of it is in the database."""
    error = from_our_code()
    Rounds(store).told("keeper", error)
    kept = row(store, "keeper")
    assert kept["reason"] == type(error).__name__
    assert kept["place"].startswith("store.engine:")
    Rounds(store).told("search", ValueError(SECRET))
    assert row(store, "search")["place"] == "-"
    assert SECRET not in str([dict(row(store, name)) for name in ("keeper", "search")])


def test_a_place_is_our_own_code():
    """Frames of libraries and tests are left out; an exception that never passed our code has no place."""
    assert place_of(from_our_code()).startswith("store.engine:")
    assert place_of(ValueError("x")) is None


def test_a_worker_that_spins_writes_seldom(store):
    """A success is written each ten seconds; what changes is written at once."""
    rounds = Rounds(store)
    rounds.told("delivery")
    first = row(store, "delivery")["succeeded_at"]
    for _ in range(50):
        rounds.told("delivery")
    assert row(store, "delivery")["succeeded_at"] == first
    with clock.moved(WRITTEN_EVERY):
        rounds.told("delivery")
        assert row(store, "delivery")["succeeded_at"] > first
    rounds.told("delivery", ValueError())
    assert row(store, "delivery")["failures"] == 1
    rounds.told("delivery", KeyError())
    assert row(store, "delivery")["reason"] == "KeyError"


def test_a_clock_set_back_is_written_at_once(store):
    """A success in the future is put right by the next one, not when that future has come."""
    rounds = Rounds(store)
    with clock.moved(timedelta(hours=3)):
        rounds.told("delivery")
    rounds.told("delivery")
    assert row(store, "delivery")["succeeded_at"] <= clock.now()


def test_the_same_failure_again_is_counted_and_written_later(store, monkeypatch):
    """A loop of failures does not become a loop of writes, and none is lost in the count."""
    passed = [0.0]
    monkeypatch.setattr("desk.health.time.monotonic", lambda: passed[0])
    rounds = Rounds(store)
    for _ in range(5):
        rounds.told("hooks", SaidNo("validation"))
    assert row(store, "hooks")["failures"] == 1
    passed[0] += SAME_FAILURE_EVERY_S
    rounds.told("hooks", SaidNo("validation"))
    assert row(store, "hooks")["failures"] == 6


def test_a_database_that_is_away_stops_nobody_and_learns_it_later(store, monkeypatch):
    """Telling never raises; what could not be written is shown from memory and written when the database is back."""
    passed = [0.0]
    monkeypatch.setattr("desk.health.time.monotonic", lambda: passed[0])
    rounds, tries = Rounds(store), []
    with monkeypatch.context() as away:

        def refuse(*_: object, **__: object) -> None:
            tries.append(1)
            raise StoreError("database_unreachable")

        away.setattr(store, "write", refuse)
        for _ in range(20):
            rounds.told("mirror", SaidNo("validation"))
    assert len(tries) == 1
    assert row(store) is None
    assert rounds.all()["mirror"].failures == 20
    passed[0] += 3
    rounds.told("mirror")
    assert (row(store)["failures"], row(store)["reason"]) == (0, "validation")


def test_a_round_fails_alone(sqlite_store, caplog):
    """What goes wrong in a round is told and logged without its text, and whoever made the round goes on."""
    rounds = Rounds(sqlite_store)
    with rounds.round("keeper"):
        broken()
    with rounds.round("hooks"):
        pass
    assert rounds.all()["keeper"].is_strange
    assert not rounds.all()["hooks"].is_failing
    assert SECRET not in caplog.text


def test_whatever_is_told_nobody_is_stopped(sqlite_store):
    """An endless name, an error whose class is odd: told all the same."""
    rounds = Rounds(sqlite_store)
    rounds.told("x" * 500, type("E" * 500, (Exception,), {})())
    kept = rounds.all()["x" * 32]
    assert (len(kept.name), len(kept.reason)) == (32, 64)


@pytest.mark.parametrize(
    ("moment", "age"),
    [
        (None, None), (NOW, timedelta()), (NOW - timedelta(hours=1), timedelta(hours=1)),
        (NOW + timedelta(seconds=30), timedelta()), (NOW + timedelta(hours=3), None),
    ],
)  # fmt: skip
def test_how_long_ago_something_was(moment, age):
    """What lies ahead of our clock is not fresh: nobody knows how old it is."""
    assert age_of(moment, NOW) == age

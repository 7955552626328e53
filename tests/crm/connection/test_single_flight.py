"""One refresh at a time, across threads and processes, on both databases."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest

from crm import account
from crm.errors import DeskError
from sandbox.process import running_sandbox
from store.tables import grants
from tests.crm.connection.conftest import token_calls
from tests.support.desks import KEY, desk_for
from tests.support.programs import until
from tests.support.workers import REFRESHER, workers

ROUNDS = 200 if os.environ.get("DESK_SOAK") else 12
THREADS = 32


def let_expire(desk):
    """The stored token's time is over, for every process on the database."""
    with desk.store.write() as db:
        db.execute(grants.update().values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))


def test_64_threads_in_2_processes_refresh_once(store_url, tmp_path):
    """Round after round all of them find the token expired: one token call a round, nobody fails, the pair works."""
    with (
        running_sandbox(leads=1, rps=1000, refresh_mode="strict") as box,
        desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as desk,
        workers(2, REFRESHER, box, store_url, tmp_path, "threads", str(THREADS)) as pair,
    ):
        for number in range(ROUNDS):
            since = box.last_seq()
            let_expire(desk)
            for worker in pair:
                worker.say("go")
            answers = [worker.answer() for worker in pair]
            assert [answer["failures"] for answer in answers] == [[], []], f"round {number}"
            assert [answer["works"] for answer in answers] == ["ok", "ok"], f"round {number}"
            assert [call["status"] for call in token_calls(box, since)] == [200], f"round {number}"
        assert desk.connection.status().connected


def test_rejected_everywhere_at_once(box, desk):
    """Thirty-two threads whose calls are refused with 401 at the same moment: one token call, every call goes through."""
    box.config(refresh_mode="strict")
    box.expire_tokens()
    since, failures, start = box.last_seq(), [], threading.Barrier(THREADS)

    def call():
        start.wait()
        try:
            account.current(desk.client)
        except DeskError as error:
            failures.append(error)

    threads = [threading.Thread(target=call) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [entry["status"] for entry in token_calls(box, since)] == [200]


def test_no_transaction_is_open_during_the_token_call(box, desk, at):
    """While the token call hangs, another writer of the same database is not held up."""
    box.fault("slow", path="/oauth2/access_token", delay_ms=1500, times=1)
    since = box.last_seq()
    refreshing = threading.Thread(target=desk.connection.refresh_now)
    refreshing.start()
    _until_seen(box, since)
    with desk.store.write() as db:
        db.execute(grants.update().values(connected_by="written meanwhile"))
    assert refreshing.is_alive()
    refreshing.join()
    assert desk.connection.status().connected_by == "written meanwhile"


def test_nobody_waits_for_an_early_refresh(box, desk, at):
    """While the background renews a key that still works, callers get that key at once."""
    box.fault("slow", path="/oauth2/access_token", delay_ms=1500, times=1)
    token, since = desk.connection.current(), box.last_seq()
    keeper = at(desk, datetime.now(UTC) + timedelta(hours=22, minutes=5))
    refreshing = threading.Thread(target=keeper.keep_alive)
    refreshing.start()
    _until_seen(box, since)
    assert desk.connection.current() == token
    assert refreshing.is_alive()
    refreshing.join()
    assert desk.connection.current() != token


def test_a_late_answer_of_a_lost_lease_changes_nothing(box, desk, at):
    """A holder whose lease was taken over stores nothing: the pair of the one who took it stays."""

    def lose_the_lease(step):
        if step == "answered":
            with desk.store.write() as db:
                db.execute(grants.update().values(lease_number=grants.c.lease_number + 1, lease_until=0.0))
            box.config(refresh_mode="grace")

    before = desk.connection.current()
    box.config(refresh_mode="grace")
    late = at(desk, watch=lose_the_lease)
    with pytest.raises(DeskError) as raised:
        late.refresh_now()
    assert raised.value.code == "refresh_stuck"
    assert desk.connection.current() == before
    assert desk.connection.timeline()[0].result == "too_late"


def test_a_refused_successor_is_not_renewed_for_ever(box, desk):
    """When even a fresh key is refused, the desk does not spend one refresh token after another."""
    box.fault("status", path="/api/v4/account", status=401)
    since = box.last_seq()
    for _ in range(5):
        with pytest.raises(DeskError):
            account.current(desk.client)
    assert len(token_calls(box, since)) == 1


def _until_seen(box, since):
    """Until the sandbox has received the token call that it will answer late."""
    until(
        lambda: [entry for entry in box.ledger("request", since=since) if "access_token" in entry["path"]],
        "the token call",
    )


def test_callers_do_not_wait_for_a_drip_for_ever(box, desk, monkeypatch):
    """A token call that does not end holds those who need its key for a named time, and then they hear that it is stuck."""
    monkeypatch.setattr("crm.connection.refresh.WAIT_S", 0.5)
    box.fault("slow", path="/oauth2/access_token", delay_ms=4000, times=1)
    since = box.last_seq()
    let_expire(desk)
    first = threading.Thread(target=desk.connection.refresh_now)
    first.start()
    _until_seen(box, since)
    codes = []

    def call():
        try:
            account.current(desk.client)
        except DeskError as error:
            codes.append(error.code)

    others = [threading.Thread(target=call) for _ in range(8)]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join()
    assert first.is_alive()
    assert codes == ["refresh_stuck"] * 8
    first.join()
    assert account.current(desk.client).name == "FitZone"


def test_a_lease_is_not_kept_by_a_call_that_should_be_over(desk, monkeypatch):
    """A heart beats on for a step that may still be going on, and no longer: then the lease ends by its time."""
    monkeypatch.setattr("crm.connection.grant.BEAT_S", 0.02)
    grant = desk.connection._grant
    lease = grant.lease(grant.held(), "by_hand", even_cooling=True)

    def until_s():
        return grant.row()["lease_until"]

    with grant.beating(lease) as pulse:
        began = until_s()
        until(lambda: until_s() > began, "a beat")
        pulse.expect(0.0)
        last = [until_s()]

        def has_stopped():
            last.append(until_s())
            return len(last) > 10 and len(set(last[-10:])) == 1

        until(has_stopped, "the last beat")
        assert pulse.still_ours()
        until(lambda: until_s() > last[-1], "the next beat, for a call that leaves now")

"""Killed at every step of a refresh, then started again: connected, or one click away, never a token spent twice."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta

import pytest

from crm import account
from crm.connection.grant import LEASE_S
from crm.errors import NotLetIn
from sandbox.process import running_sandbox
from tests.crm.connection.conftest import token_calls
from tests.support.desks import KEY, desk_for
from tests.support.programs import until
from tests.support.workers import REFRESHER, Worker

STEPS = ("before the journal", "after the journal", "request on its way", "request carried out", "answered", "stored")
LOST_IN_STRICT = ("request carried out", "answered")
"""Where AmoCRM has given out a new pair that nobody stored."""


@pytest.mark.parametrize("mode", ["strict", "grace"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at(store_url, tmp_path, step, mode):
    """After the restart the desk is connected by itself; only where strict AmoCRM spent the token does it ask for a click."""
    with (
        running_sandbox(leads=1, rps=1000, refresh_mode=mode) as box,
        desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as desk,
    ):
        began = datetime.now(UTC)
        old_print = desk.connection.timeline()[0].new_print
        _kill(box, store_url, tmp_path, step)
        box.clear_faults()
        box.expire_tokens()  # what the access token was good for is over: only a refresh helps now
        since = box.last_seq()

        if mode == "strict" and step in LOST_IN_STRICT:
            with pytest.raises(NotLetIn) as raised:
                account.current(desk.client)
            assert raised.value.code == "refresh_lost"
            status = desk.connection.status()
            assert (status.state, status.trouble) == ("broken", "refresh_lost")
            assert began - timedelta(seconds=1) <= status.unsure_since <= datetime.now(UTC)
            lost = next(line for line in desk.connection.timeline() if line.started_at == status.unsure_since)
            assert (lost.result, lost.old_print) == ("cut_off_by_stop", old_print)
            with pytest.raises(NotLetIn):
                account.current(desk.client)
            _click(box, desk)
        assert account.current(desk.client).name == "FitZone"
        assert desk.connection.status().state == "connected"
        calls = token_calls(box, since)
        assert [call["status"] for call in calls] == [200] * len(calls)  # none was refused: no spent token was sent
        assert len(calls) <= 1


def test_the_lease_of_a_killed_process_holds_nobody_up(store_url, tmp_path):
    """The next process knows that the holder is gone and goes on at once instead of waiting for its lease to end."""
    with (
        running_sandbox(leads=1, rps=1000) as box,
        desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as desk,
    ):
        _kill(box, store_url, tmp_path, "after the journal")
        began = datetime.now(UTC)
        desk.connection.refresh_now()
        assert datetime.now(UTC) - began < timedelta(seconds=LEASE_S)


def _kill(box, store_url, folder, step):
    """Start a process that refreshes, and kill it at that step."""
    if step in ("request on its way", "request carried out"):
        box.fault("slow", path="/oauth2/access_token", **{_SLOW[step]: 20_000}, times=1)
        since = box.last_seq()
        worker = Worker(REFRESHER, box, store_url, folder, "refresh")
        sign = "request" if step == "request on its way" else "token"
        until(lambda: [entry for entry in box.ledger(sign, since=since) if _fits(entry)], "the token call")
        if step == "request on its way":
            box.clear_faults()
        worker.process.send_signal(signal.SIGKILL)
    else:
        worker = Worker(REFRESHER, box, store_url, folder, "die", step)
    assert worker.process.wait(120) == -signal.SIGKILL
    worker.end()


_SLOW = {"request on its way": "delay_ms", "request carried out": "delay_after_ms"}


def _fits(entry):
    return entry.get("path") == "/oauth2/access_token" or entry.get("event") == "refreshed"


def _click(box, desk):
    """One consent."""
    from urllib.parse import parse_qs, urlsplit

    answer = parse_qs(urlsplit(box.approve(desk.connection.begin())).query)
    desk.connection.finish(code=answer["code"][0], state=answer["state"][0], referer=answer["referer"][0])

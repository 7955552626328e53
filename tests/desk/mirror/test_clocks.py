"""The clocks jump, the machine's, the database's and AmoCRM's: nothing is lost, nothing waits longer than its rule, all is said."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import timedelta

import pytest

from crm.errors import NotLetIn
from desk.mirror import walks
from desk.mirror.clocks import FACT, Clocks
from desk.mirror.walks import Walks
from store import clock, waits
from store.jumps import AMOCRM, DATABASE, MACHINE, Jumps
from store.tables import mirror_walks
from tests.desk.mirror.conftest import differences, fill, hinted, round_of, settle, unpace
from tests.support.desks import KEY, desk_for

JUMPS = [timedelta(minutes=5), timedelta(hours=3), timedelta(days=2)]
BOTH_WAYS = [sign * jump for jump in JUMPS for sign in (1, -1)]


def change(box, seed=1):
    """Ten leads changed and three made, one thrown away and a contact renamed, and nobody hints at any."""
    rows = [row for row in box.entities("leads") if not row["is_deleted"]]
    for number, row in enumerate(rows[seed : seed + 10]):
        box.edit("update", "leads", id=row["id"], fields={"price": 1000 * seed + number})
    for number in range(3):
        box.edit("create", "leads", fields={"name": f"Новый {seed} {number}"})
    box.edit("delete", "leads", id=rows[seed + 11]["id"])
    box.edit("update", "contacts", id=box.entities("contacts")[seed]["id"], fields={"name": f"Другое имя {seed}"})


def look_until_due(desk):
    """The keeper's next look, and the round that comes within half a minute of the clock as it stands now."""
    desk.mirror.look_after()
    now_s = desk.mirror.walks.now_s()
    for name in (walks.LEADS, walks.CONTACTS, walks.BIN, walks.CONTACTS_BIN):
        known = desk.mirror.walks.of(name)
        assert waits.left_s(known.waits_from, known.due_at, now_s) <= 31
    round_of(desk)


@pytest.mark.parametrize("by", BOTH_WAYS, ids=str)
def test_the_clock_was_wrong_at_the_start(few, store_url, tmp_path, monkeypatch, by):
    """Connected and filled by a wrong clock, which is then set right: whatever changes after that is found by the next round."""
    with desk_for(few, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as desk:
        unpace(desk, monkeypatch)
        with clock.moved(by):
            fill(desk)
            round_of(desk)
        change(few, 1)
        look_until_due(desk)
        assert differences(desk, few) == {}


@pytest.mark.parametrize("by", BOTH_WAYS, ids=str)
def test_the_clock_jumps_while_the_desk_runs(few, small, by):
    """There and back again: after either jump the round comes within its half minute and brings everything; both are said."""
    small.mirror.look_after()
    with clock.moved(by):
        change(few, 1)
        look_until_due(small)
        assert differences(small, few) == {}
        status = small.mirror.status()
        assert status.jump is not None
        assert abs(status.jump.by_s - by.total_seconds()) < 2
        assert status.jump.made_good_at is not None
        assert (status.state, status.failing) == ("following", {})
    change(few, 12)
    look_until_due(small)
    assert differences(small, few) == {}
    told = {(jump.clock, round(jump.by_s / 60)) for jump in small.mirror.clocks.jumps.all()}
    minutes = round(by.total_seconds() / 60)
    assert {(MACHINE, minutes), (MACHINE, -minutes)} <= told
    if not small.store.is_sqlite:
        assert DATABASE in {name for name, _ in told}


@pytest.mark.parametrize("by", BOTH_WAYS, ids=str)
def test_the_clock_jumps_while_a_round_is_out(few, small, monkeypatch, by):
    """Between the question and its answer: what changed before and after it is here one round later."""
    plain, stack = small.client.get, ExitStack()

    def get(path, operation, params=(), **rest):
        reply = plain(path, operation, params, **rest)
        if path == "/api/v4/leads" and not stack._exit_callbacks:
            stack.enter_context(clock.moved(by))
            change(few, 12)
        return reply

    change(few, 1)
    with stack:
        monkeypatch.setattr(small.client, "get", get)
        round_of(small, walks.LEADS)
        look_until_due(small)
        assert differences(small, few) == {}
        assert small.mirror.clocks.jumps.last() is not None


@pytest.mark.parametrize("by", BOTH_WAYS, ids=str)
def test_amocrms_clock_jumps(few, small, by):
    """Its answers tell another time, and so does whatever changes then: all of it is found, after the jump back too."""
    small.mirror.look_after()
    few.config(clock_shift_s=by.total_seconds())
    change(few, 1)
    look_until_due(small)  # its answers tell of the jump
    small.mirror.look_after()  # and the next look, half a second later, reads the time in question
    assert differences(small, few) == {}
    few.config(clock_shift_s=0)
    change(few, 12)
    look_until_due(small)
    small.mirror.look_after()
    assert differences(small, few) == {}
    told = [jump for jump in small.mirror.clocks.jumps.all() if jump.clock == AMOCRM]
    assert [abs(abs(jump.by_s) - abs(by.total_seconds())) < 3 for jump in told] == [True, True]
    settle(small)
    assert small.mirror.status().compared_at is not None


def test_an_amocrm_that_tells_no_time(few, store_url, tmp_path, monkeypatch):
    """No `Date` in its answers, and our clock wrong: the rounds go on from the newest change that came."""
    few.config(tells_time=False)
    with desk_for(few, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as desk:
        unpace(desk, monkeypatch)
        with clock.moved(timedelta(hours=3)):
            fill(desk)
            round_of(desk)
        change(few, 1)
        round_of(desk)
        assert differences(desk, few) == {}
        with clock.moved(-timedelta(hours=3)):
            change(few, 12)
            round_of(desk)
            assert differences(desk, few) == {}


def test_an_amocrm_whose_front_tells_another_time(few, small):
    """Its `Date` is an hour ahead of the times in its leads, or an hour behind: changes are found all the same."""
    for seed, ahead in ((1, 3600), (12, -3600)):
        headers = {"date": date(few, ahead)}
        whole = few.session().get(
            f"{few.url}/api/v4/leads", params={"order[updated_at]": "desc", "limit": 1}, timeout=60
        )
        few.fault("status", path="/api/v4/leads/pipelines", status=200, headers=headers, body=pipelines(few))
        assert whole.ok
        round_of(small, walks.REFERENCE)
        round_of(small)
        change(few, seed)
        round_of(small)
        assert differences(small, few) == {}
        few.clear_faults()


def date(box, ahead_s):
    from email.utils import formatdate, parsedate_to_datetime

    now = box.session().get(f"{box.url}/api/v4/account", timeout=60).headers["Date"]
    return formatdate(parsedate_to_datetime(now).timestamp() + ahead_s, usegmt=True)


def pipelines(box):
    return box.session().get(f"{box.url}/api/v4/leads/pipelines", timeout=60).text


def test_a_lead_from_the_future(few, small):
    """Somebody writes a time of next year into a lead: it is read, and the rounds go on finding what changes today."""
    lead_id = few.entities("leads", limit=1)[0]["id"]
    later = few.entities("leads", lead_id)[0]["updated_at"] + 365 * 86_400
    few.session().request(
        "PATCH", f"{few.url}/api/v4/leads/{lead_id}", json={"price": 5, "updated_at": later}, timeout=60
    )
    round_of(small)
    change(few, 1)
    round_of(small)
    assert differences(small, few) == {}


@pytest.mark.parametrize("by", BOTH_WAYS, ids=str)
def test_no_failure_waits_longer_than_its_rule(few, small, by):
    """A round that failed by a wrong clock is tried again within five minutes of the right one, and says so."""
    with clock.moved(by):
        small.mirror.walks.fail(walks.LEADS, NotLetIn("unpaid"))
    assert small.mirror.status().next_try <= clock.now() + timedelta(minutes=5, seconds=1)
    with clock.moved(timedelta(minutes=5, seconds=6)):
        assert walks.LEADS in small.mirror.walks.due()


@pytest.mark.parametrize("by", BOTH_WAYS, ids=str)
def test_the_keeping_is_not_held_longer_than_its_lease(few, small, by):
    """Another process took the keeping by a wrong clock and died unseen: somebody else has it within half a minute."""
    with clock.moved(by), small.store.write() as db:
        until = small.store.clock(db) + walks.LEASE_S
        mine = mirror_walks.c.name == walks.KEEPER
        db.execute(mirror_walks.update().where(mine).values(lease_owner="elsewhere|1|1", lease_until=until))
    with clock.moved(timedelta(seconds=walks.LEASE_S + walks.LEASE_SLACK_S)):
        assert Walks(small.store).keep()


@pytest.mark.parametrize("by", BOTH_WAYS, ids=str)
def test_as_of_is_never_newer_than_what_was_read(few, small, monkeypatch, by):
    """AmoCRM is away while the clock jumps: the numbers are stale at once, and "as of" is no time that is still to come."""
    truly = clock.now()
    with clock.moved(by):
        round_of(small)
        few.fault("status", path="/api/v4/*", status=503)
        monkeypatch.setattr(small.door, "_wait", lambda pause_s: None)
        assert small.mirror.status().as_of <= max(truly + timedelta(minutes=2), clock.now())
    small.mirror.look_after()
    status = small.mirror.status()
    assert status.state == "stale"
    assert status.as_of <= clock.now()
    few.clear_faults()
    round_of(small)
    assert small.mirror.status().state == "following"


def test_a_jump_that_hides_the_age(few, small, monkeypatch):
    """Nothing was read for ten minutes, then the clock is put back by nine: that seems a minute old, and is stale all the same."""
    small.mirror.look_after()
    few.fault("status", path="/api/v4/*", status=503)
    monkeypatch.setattr(small.door, "_wait", lambda pause_s: None)
    with small.store.write() as db:
        ten_minutes_ago = small.store.clock(db) - 600
        db.execute(mirror_walks.update().where(mirror_walks.c.name == walks.LEADS).values(whole_at=ten_minutes_ago))
    with clock.moved(-timedelta(minutes=9)):
        small.mirror.look_after()
        status = small.mirror.status()
        assert status.age_s < 120
        assert status.state == "stale"


@pytest.mark.parametrize("by", BOTH_WAYS, ids=str)
def test_a_jump_while_no_desk_was_running(few, small, by):
    """What was written down before the desk stopped tells the next one that its clock stands differently to AmoCRM's."""
    small.mirror.clocks._noted_at_s = float("-inf")
    small.mirror.clocks.look()
    assert MACHINE in json.loads(small.store.recall(FACT))
    with clock.moved(by):
        Clocks(small.store, small.client).look()
        told = Jumps(small.store).last()
        assert told.clock == MACHINE or (told.clock == AMOCRM and not small.store.is_sqlite)
        assert abs(abs(told.by_s) - abs(by.total_seconds())) < 3


def test_a_clock_that_is_right_jumps_never(few, small):
    """Looks after looks: nothing is said, and nothing is read twice."""
    for _ in range(5):
        small.mirror.look_after()
    assert small.mirror.clocks.jumps.all() == []
    since = few.last_seq()
    hinted(small)
    assert few.ledger("request", since=since) == []

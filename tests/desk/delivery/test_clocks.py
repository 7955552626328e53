"""Clocks that jump, on both databases: nothing waits longer than its own rule, nothing is sent early, no lead is missed."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from crm.errors import Declined
from desk.delivery import DELIVERED, NEEDS_DECISION, QUEUED, UNKNOWN, DeliveryPlan, Outbox, Tools, report
from desk.delivery.decisions import PATIENCE_S
from desk.delivery.queue import LEASE_S
from desk.lead import NewLead
from desk.settings import PROJECT
from store import Store, clock, migrations
from store.tables import deliveries
from tests.desk.delivery.conftest import CREATE, LEAD, Rows, added, row_of

JUMPS = {
    "5 minutes": timedelta(minutes=5),
    "3 hours": timedelta(hours=3),
    "2 days": timedelta(days=2),
}
AHEAD = pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
EITHER_WAY = pytest.mark.parametrize(
    "jump", [*JUMPS.values(), *(-jump for jump in JUMPS.values())], ids=[*JUMPS, *(f"-{name}" for name in JUMPS)]
)

UNPAID = {"action": "status", "path": CREATE, "status": 402}
BROKEN_NOTE = {"action": "status", "method": "POST", "path": "/api/v4/leads/*/notes", "status": 500}


@pytest.fixture
def time_of(desk):
    """Time that really passes for this desk: its clock, the database's, and the one that cannot jump."""
    passed = [0.0]
    real = desk.outbox._stopwatch._monotonic
    desk.outbox._stopwatch._monotonic = desk.outbox._heart._monotonic = lambda: real() + passed[0]
    with ExitStack() as moved:

        def let_pass(seconds):
            passed[0] += seconds
            moved.enter_context(clock.moved(timedelta(seconds=seconds)))

        yield let_pass


def seconds_until(when):
    return (when - clock.now()).total_seconds()


@AHEAD
def test_a_pause_of_all_is_not_stretched_by_a_clock_set_back(box, desk, time_of, jump):
    """402 while the clock was ahead; set right, the queue tries again after the half minute of its rule, and says so until then."""
    box.fault(times=1, **UNPAID)
    lead_id = desk.outbox.accept(LEAD, "api")
    with clock.moved(jump):
        desk.outbox.deliver_due()
        assert 28 < seconds_until(report.pause(desk.store).until) <= 30
    assert seconds_until(report.pause(desk.store).until) <= 30
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED


@EITHER_WAY
def test_a_pause_of_all_lasts_as_long_as_its_rule_where_nothing_jumps(box, desk, time_of, jump):
    """Whatever the clock says, right or wrong: no try before the half minute is over, and one then."""
    with clock.moved(jump):
        box.fault(**UNPAID)
        desk.outbox.accept(LEAD, "api")
        since = box.last_seq()
        desk.outbox.deliver_due()
        time_of(28.0)
        desk.outbox.deliver_due()
        assert [entry["path"] for entry in box.ledger("request", since=since)].count(CREATE) == 1
        time_of(3.0)
        desk.outbox.deliver_due()
        assert [entry["path"] for entry in box.ledger("request", since=since)].count(CREATE) == 2


@AHEAD
def test_a_leads_own_pause_is_not_stretched(box, desk, time_of, jump):
    """A failure of its own while the clock was ahead; set right, it is due, and never said to wait for hours."""
    box.fault(times=1, **BROKEN_NOTE)
    lead_id = desk.outbox.accept(LEAD, "api")
    with clock.moved(jump):
        desk.outbox.deliver_due()
        assert seconds_until(desk.outbox.progress(lead_id).due_at) <= 16
    assert seconds_until(desk.outbox.progress(lead_id).due_at) <= 16
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED


@AHEAD
def test_what_was_accepted_by_a_wrong_clock_leaves_at_once(box, desk, time_of, jump):
    """Accepted, repaired, replayed, held to be taken back, while the clock was ahead: nothing waits once it is right."""
    box.fault("status", path=CREATE, status=422, body_contains="79615550032", times=1)
    refused = desk.outbox.accept(NewLead("Отказная", "+79615550032"), "api")
    desk.outbox.deliver_due()
    with clock.moved(jump):
        plain = desk.outbox.accept(LEAD, "api")
        held = desk.outbox.accept(NewLead("Придержанная", "+79615550031"), "desk", plan=DeliveryPlan(hold_s=10.0))
        desk.outbox.replay("Анна")
        assert 0 < seconds_until(desk.outbox.progress(held).leaves_at) <= 10
    assert seconds_until(desk.outbox.progress(held).leaves_at) <= 10
    with pytest.raises(Declined), desk.store.write() as db:
        desk.outbox.take_back(held, db)
    desk.outbox.deliver_due()
    assert {desk.outbox.progress(one).state for one in (plain, held, refused)} == {DELIVERED}


@AHEAD
def test_a_lease_of_a_wrong_clock_ends(box, desk, jump):
    """A worker took a lead while the clock was ahead and gives no sign of life: once it is right, another one takes it."""
    lead_id = desk.outbox.accept(LEAD, "api")
    queue = Rows(desk.store, desk.connection.generation).queue
    with clock.moved(jump):
        held = queue.take()
    again = queue.take()
    assert (again.lead_id, again.lease > held.lease) == (lead_id, True)
    assert row_of(desk, lead_id)["lease_until"] <= clock.unix() + LEASE_S + 5


@AHEAD
def test_one_that_tried_for_all_by_a_wrong_clock_holds_nobody_up(box, desk, jump):
    """The queue waits, one was taken to try for all while the clock was ahead, and vanished: another one tries."""
    box.fault(times=1, **UNPAID)
    for number in range(2):
        desk.outbox.accept(NewLead("Очередной", f"+7961557000{number}"), "api")
    desk.outbox.deliver_due()
    queue = Rows(desk.store, desk.connection.generation).queue
    with clock.moved(jump):
        assert queue.take().tries_for_all
        assert queue.take() is None
    assert queue.take().tries_for_all


@EITHER_WAY
def test_a_lead_that_is_there_is_found_whenever_the_clock_jumps(box, desk, time_of, jump):
    """Made with an answer that never came while the clock was wrong: found by a right one, by a wrong one, and by one that jumps."""
    since = box.last_seq()
    box.fault("cut_after", path=CREATE, times=2)
    first = desk.outbox.accept(LEAD, "api")
    second = desk.outbox.accept(NewLead("Пётр Второй", "+79615550033"), "api")
    with clock.moved(jump):
        desk.outbox.deliver_due()
        assert {desk.outbox.progress(one).state for one in (first, second)} == {UNKNOWN}
    for passed, moved in ((3.0, timedelta()), (5.0, -jump), (PATIENCE_S, jump), (PATIENCE_S, timedelta())):
        time_of(passed)
        with clock.moved(moved):
            desk.outbox.deliver_due()
    assert {desk.outbox.progress(one).state for one in (first, second)} == {DELIVERED}
    assert len(added(box, since=since)) == 2


@pytest.mark.parametrize("marker", [True, False])
@EITHER_WAY
def test_a_lead_is_found_though_nobody_knew_what_time_it_was(box, desk, time_of, jump, marker):
    """AmoCRM's clock was not known when it was sent, and ours was wrong: before absence is believed, days are read."""
    box.config(search_lag_s=3600)  # the full text shows nothing
    box.fault("cut_after", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    since = box.last_seq()
    with clock.moved(jump):
        desk.outbox.deliver_due()
    lost = {"sent_theirs": None} if marker else {"sent_theirs": None, "marker_field": None}
    with desk.store.write() as db:
        db.execute(deliveries.update().values(looked_s=PATIENCE_S, **lost))
    time_of(3.0)
    desk.client._told_time = None
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1


@EITHER_WAY
def test_a_jump_sends_nothing_early(box, desk, time_of, jump):
    """Of unknown fate, and not there: however the clock jumps between the looks, it is not sent before two minutes were waited for."""
    box.fault("cut_before", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    since = box.last_seq()
    desk.outbox.deliver_due()
    waited_s = 0.0
    with ExitStack() as jumps:
        while desk.outbox.progress(lead_id).state == UNKNOWN:
            jumps.enter_context(clock.moved(jump))
            desk.outbox.deliver_due()
            jumps.enter_context(clock.moved(-jump))
            desk.outbox.deliver_due()
            if desk.outbox.progress(lead_id).state == UNKNOWN:
                time_of(4.0)
                waited_s += 4.0
            assert waited_s < 600
    assert waited_s >= PATIENCE_S - 8
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1


def test_a_lead_carried_out_late_is_not_sent_again_by_a_jump(box, desk, time_of):
    """AmoCRM carries it out a minute after the line was cut, while our clock jumps three hours ahead: there is one lead."""
    box.fault("cut_before", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    since = box.last_seq()
    desk.outbox.deliver_due()
    for _ in range(4):
        time_of(15.0)
        with clock.moved(timedelta(hours=3)):
            desk.outbox.deliver_due()
    assert (desk.outbox.progress(lead_id).state, added(box, since=since)) == (UNKNOWN, [])
    marker = [{"field_id": row_of(desk, lead_id)["marker_field"], "values": [{"value": lead_id}]}]
    late = [{"name": "Поздняя", "custom_fields_values": marker}]
    assert box.session().post(f"{box.url}/api/v4/leads", json=late, timeout=60).ok
    for _ in range(4):
        time_of(30.0)
        desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1


def test_a_day_off_is_no_failure(box, desk, time_of):
    """Unknown, and failing by itself, then switched off for thirty hours: both go on where they stood, nobody is asked."""
    box.fault("cut_after", path=CREATE, times=1)
    unknown = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    box.fault(times=1, **BROKEN_NOTE)
    failing = desk.outbox.accept(NewLead("Пётр Второй", "+79615550033", message="Текст"), "api")
    desk.outbox.deliver_due()
    listing = box.fault("status", method="GET", path="/api/v4/leads", status=500)
    again = box.fault(times=1, **BROKEN_NOTE)
    with clock.moved(timedelta(hours=30)):
        tools = Tools(
            desk.store, desk.client, desk.connection, desk.fields, desk.phonebook, desk.journal, desk.settings
        )
        other = Outbox(tools)
        other.deliver_due()
        assert {other.progress(one).state for one in (unknown, failing)} == {UNKNOWN, QUEUED}
        listing.remove()
        again.remove()
        with clock.moved(timedelta(minutes=1)):
            other.deliver_due()
        assert {other.progress(one).state for one in (unknown, failing)} == {DELIVERED}


def test_pauses_of_everybody_and_time_off_count_for_no_lead(box, desk, time_of):
    """One own failure, thirty hours of 402, one more failure: the lead has used up seconds of its day, and goes on."""
    box.fault(times=1, **BROKEN_NOTE)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    everybody = box.fault("status", path="/api/v4/*", status=402)
    for _ in range(30):
        time_of(3600.0)
        desk.outbox.deliver_due()
    everybody.remove()
    time_of(3600.0)
    box.fault(times=1, **BROKEN_NOTE)
    desk.outbox.deliver_due()
    row = row_of(desk, lead_id)
    assert (row["state"], row["failures"], row["trying_s"] < 60) == (QUEUED, 2, True)
    time_of(60.0)
    desk.outbox.deliver_due()
    row = row_of(desk, lead_id)
    assert (row["state"], row["failures"], row["trying_s"]) == (DELIVERED, 0, 0.0)


def test_a_day_of_its_own_pauses_ends_with_a_person(box, desk, time_of):
    """A note that fails each time, by a clock that jumps to and fro: after a day of pauses, some hundred tries, a person is asked."""
    box.fault(**BROKEN_NOTE)
    lead_id = desk.outbox.accept(LEAD, "api")
    with desk.store.write() as db:
        db.execute(deliveries.update().values(failures=8, trying_s=22 * 3600.0))
    for number in range(40):
        with clock.moved(timedelta(days=(-1) ** number)):
            desk.outbox.deliver_due()
        if desk.outbox.progress(lead_id).state == NEEDS_DECISION:
            break
        time_of(1200.0)
    assert desk.outbox.progress(lead_id).state == NEEDS_DECISION
    assert 4 <= number <= 14


def test_every_wait_is_written_down_as_an_interval():
    """`due_at` and `until` are written by two functions alone, each with the other end of its wait."""
    found = [
        line.strip()
        for path in sorted(Path(PROJECT, "desk", "delivery").glob("*.py"))
        for line in path.read_text().splitlines()
        if re.search(r"""(?<!\w)["']?(due_at|until)["']?\s*[:=](?!=)\s*(now|self|clock|\d)""", line)
    ]
    assert sorted(found) == [
        '"reason": None, "since": None, "until": 0.0, "waits_from": 0.0, "failures": 0, "grant_generation": None,',
        'return {"due_at": now_s + pause_s, "waits_from": now_s}',
        'return {"until": now_s + pause_s, "waits_from": now_s}',
    ]


def test_what_an_older_desk_has_written_is_bounded_too(empty_url):
    """Waits from before intervals were kept, by a clock that was three hours ahead: after the upgrade nothing waits for it."""
    store = Store(empty_url)
    before = migrations.config()
    with store.write() as db:
        before.attributes["connection"] = db
        command.upgrade(before, "0007")
    now = clock.unix()
    with store.write() as db:
        db.execute(sa.text("INSERT INTO accepted_leads (id, accepted_at, origin, name, phone, direction, source, message, extra, tracking) VALUES ('a', '2026-01-01', 'api', 'n', '+79615550011', '', '', '', '{}', '{}')"))  # fmt: skip
        for number, due_at in enumerate((now + 3 * 3600, now + 60)):
            if number:
                db.execute(sa.text("INSERT INTO accepted_leads (id, accepted_at, origin, name, phone, direction, source, message, extra, tracking) VALUES ('b', '2026-01-01', 'api', 'n', '+79615550012', '', '', '', '{}', '{}')"))  # fmt: skip
            values = {"id": "ab"[number], "due_at": due_at}
            db.execute(sa.text("INSERT INTO deliveries (lead_id, state, due_at, lease_number, lease_until, attempts) VALUES (:id, 'queued', :due_at, 0, 0, 0)"), values)  # fmt: skip
    store.upgrade()
    queue = Rows(store, lambda: 0).queue
    assert queue.take().lead_id == "a"
    assert queue.take() is None
    store.close()


def test_durations_are_never_negative(desk):
    """A clock set back between accepting and arriving: the page says zero, and not that it arrived before."""
    lead_id = desk.outbox.accept(LEAD, "api")
    with clock.moved(-timedelta(hours=3)):
        desk.outbox.deliver_due()
    times = report.times(desk.store)
    assert (times.count, times.p50_s, desk.outbox.progress(lead_id).took_s) == (1, 0.0, 0.0)


def test_a_strange_failure_of_a_wrong_clock_is_not_told_for_ever(box, desk):
    """Written down by a clock that was far ahead: it is no failure of the last day."""
    box.fault("status", path=CREATE, status=418, times=1)
    desk.outbox.accept(LEAD, "api")
    with clock.moved(timedelta(days=40)):
        desk.outbox.deliver_due()
        assert report.strange(desk.store) == ["unexpected_answer"]
    assert report.strange(desk.store) == []

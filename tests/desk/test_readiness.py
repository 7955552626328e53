"""Whether the desk does its business: what is judged of what is known, and that it follows what really happens."""

from __future__ import annotations

import shutil
import signal
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crm import account, door
from crm.errors import DeskError
from desk.exports.sheet import Wanted
from desk.health import Round
from desk.lead import NewLead
from desk.listing import Filter, Sort
from desk.readiness import (
    LEAST_FREE_BYTES,
    LIMITS,
    MIRROR_TOO_OLD,
    NOT_ANSWERING_AFTER,
    OK,
    WAITS_TOO_LONG,
    Access,
    Answering,
    Check,
    Copy,
    Facts,
    Verdict,
    Watch,
    answering,
    judge,
    look,
)
from desk.webhooks.report import Standing
from store import StoreError, clock
from store.tables import deliveries, hook_misses, worker_rounds
from tests.support.desks import desk_for
from tests.support.programs import until

NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ALL_WELL = Facts(
    now=NOW,
    access=Access(connected=True, state="connected"),
    started_at=NOW - 5 * HOUR,
    rounds={name: Round(name, succeeded_at=NOW - 5 * SECOND) for name in LIMITS},
    free_bytes=10 * LEAST_FREE_BYTES,
)


def red(facts):
    return {check.name: check.code for check in judge(facts) if not check.is_ok}


def with_round(name, **values):
    return {"rounds": {**ALL_WELL.rounds, name: Round(name, **values)}}


STRANGE = {"failed_at": NOW, "reason": "ValueError", "place": "desk.calls.drafts:88", "failures": 1}
FORESEEN = {"failed_at": NOW, "reason": "unreachable", "failures": 1}


def test_all_is_well():
    """A desk whose parts all work has no red check."""
    assert red(ALL_WELL) == {}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"access": Access(connected=False, state="not_connected")}, {"connection": "not_connected"}),
        ({"access": Access(connected=False, state="broken", trouble="grant_revoked")}, {"connection": "grant_revoked"}),
        ({"access": Access(connected=True, state="failing")}, {"connection": "refresh_failing"}),
        ({"access": Access(connected=True, state="exhausted")}, {"connection": "refresh_exhausted"}),
        ({"access": Access(connected=True, state="connected", clock_skew_s=-301.0)}, {"clock": "clock_wrong"}),
        ({"access": Access(connected=True, state="connected", clock_skew_s=299.0)}, {}),
        ({"answering": Answering(NOW - NOT_ANSWERING_AFTER, "cut_off")}, {"amocrm": "cut_off"}),
        ({"answering": Answering(NOW - 29 * SECOND, "cut_off")}, {}),
        ({"answering": Answering(NOW, "unpaid")}, {"amocrm": "unpaid"}),
        ({"answering": Answering(NOW + HOUR, "cut_off")}, {"amocrm": "cut_off"}),
        ({"delivery_runs": False}, {"delivery": "stopped"}),
        ({"waiting": 3, "waiting_since": NOW - WAITS_TOO_LONG}, {"waiting": "lead_waits"}),
        ({"waiting": 3, "waiting_since": NOW - WAITS_TOO_LONG + SECOND}, {}),
        ({"waiting": 3, "waiting_since": NOW + HOUR}, {"waiting": "lead_waits"}),
        ({"people": 1}, {"people": "leads_need_a_person"}),
        ({"copy": Copy("stale")}, {"mirror": "stale"}),
        ({"copy": Copy("following", age=MIRROR_TOO_OLD)}, {"mirror": "stale"}),
        ({"copy": Copy("following", age=None)}, {"mirror": "age_unknown"}),
        ({"copy": Copy("filling")}, {"mirror": "filling"}),
        ({"copy": Copy("failed", reason="unpaid")}, {"mirror": "unpaid"}),
        ({"copy": Copy("following", runs=False)}, {"mirror": "stopped"}),
        ({"hooks": Standing("unwanted", "hooks_no_address")}, {}),
        ({"hooks": Standing("refused", "rights_missing")}, {"hooks": "rights_missing"}),
        ({"hooks": Standing("off", "another")}, {"hooks": "another"}),
        ({"hooks": Standing("silent")}, {"hooks": "hooks_silent"}),
        ({"hooks": Standing("on", lost=3)}, {"hooks": "hooks_lost"}),
        ({"hooks": Standing("on", lost=2)}, {}),
        ({"clock_trouble": ("clock_jumped", NOW)}, {"clock": "clock_jumped"}),
        ({"free_bytes": LEAST_FREE_BYTES - 1}, {"disk": "disk_low"}),
        ({"free_bytes": None}, {}),
        *((with_round(name, succeeded_at=NOW - limit), {name: "no_success"}) for name, limit in LIMITS.items()),
        *((with_round(name, succeeded_at=NOW - limit + SECOND), {}) for name, limit in LIMITS.items()),
        *((with_round(name, succeeded_at=NOW, **STRANGE), {name: "ValueError"}) for name in LIMITS),
        *((with_round(name, succeeded_at=NOW + HOUR), {name: "age_unknown"}) for name in LIMITS),
        (with_round("pruning"), {"pruning": "no_success"}),
        (with_round("keeper", succeeded_at=NOW - MINUTE, **FORESEEN), {}),
        (with_round("keeper", succeeded_at=NOW - HOUR, **FORESEEN), {"keeper": "unreachable"}),
        (with_round("search", **STRANGE), {"search": "ValueError"}),
        (with_round("search", **FORESEEN), {}),
        (with_round("search", **STRANGE | {"failed_at": NOW - HOUR}), {}),
        (with_round("search", succeeded_at=NOW - 100 * HOUR), {}),
        (with_round("heartbeat", **STRANGE), {"heartbeat": "ValueError"}),
        (with_round("exports", **FORESEEN | {"reason": "export_no_space"}), {"exports": "export_no_space"}),
        (with_round("exports", **FORESEEN | {"failed_at": NOW - HOUR}), {}),
        (with_round("mirror", **STRANGE), {"mirror": "ValueError"}),
        (with_round("mirror.events", **STRANGE), {"mirror": "ValueError"}),
        (with_round("mirror.events", **FORESEEN), {}),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_red(change, wrong):
    """Each fact by itself makes the checks red that it is about, and no other."""
    assert red(replace(ALL_WELL, **change)) == wrong


def test_a_desk_that_was_off_is_not_red_for_it():
    """The time in which no process ran is no time without a success; a process that does no work is not asked for rounds."""
    old = {name: Round(name, succeeded_at=NOW - 48 * HOUR) for name in LIMITS}
    assert red(replace(ALL_WELL, rounds=old, started_at=NOW - SECOND)) == {}
    assert red(replace(ALL_WELL, rounds=old, started_at=None)) == {}
    assert red(replace(ALL_WELL, rounds={}, started_at=NOW - SECOND)) == {}


# With real parts


@pytest.fixture
def live(box, tmp_path):
    """A desk that works in the background: connected, filled, with hooks."""
    with desk_for(box, tmp_path) as desk:
        desk.start()
        yield desk


def codes(desk):
    return look(desk).codes()


def wrong(desk):
    return {name: code for name, code in codes(desk).items() if code != OK}


def calls(desk):
    """Ask AmoCRM something, whatever comes of it."""
    with suppress(DeskError):
        account.current(desk.client)


@pytest.mark.slow
def test_a_desk_that_works_is_green(live):
    """Connected and filled, every check is ok, those of the background work among them."""
    for name in ("delivery", "mirror"):
        live.rounds.told(name)
    until(lambda: not wrong(live), f"all to be well: {wrong(live)}", 60.0)
    assert set(codes(live)) >= {"database", "connection", "amocrm", "delivery", "waiting", "mirror", "hooks", "keeper"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"action": "status", "status": 402}, "unpaid"),
        ({"action": "status", "status": 500}, "server_error"),
        ({"action": "cut_before"}, "cut_off"),
        ({"action": "garbage"}, "garbled"),
    ],
    ids=lambda value: str(value),
)
def test_amocrm_is_judged_by_what_becomes_of_calls(connected, box, fault, code):
    """Calls that fail for half a minute are red, and the first that goes well is green again, whoever made it."""
    assert codes(connected)["amocrm"] == OK
    box.fault(**fault, path="/api/v4/*")
    before = clock.now()
    calls(connected)
    with clock.moved(NOT_ANSWERING_AFTER + 5 * SECOND):
        calls(connected)
        assert codes(connected)["amocrm"] == code
        assert before <= look(connected).of("amocrm").since <= before + MINUTE
        box.clear_faults()
        calls(connected)
        assert codes(connected)["amocrm"] == OK


def test_an_amocrm_that_stands_still_is_red(connected, shared_box, monkeypatch):
    """Its machine takes connections and says nothing (SIGSTOP): red after half a minute of it, green when it goes on."""
    monkeypatch.setattr(door, "READ_TIMEOUT_S", 0.3)
    calls(connected)
    shared_box.process.send_signal(signal.SIGSTOP)
    try:
        calls(connected)
        assert codes(connected)["amocrm"] == OK  # one such call is a hiccup
        with clock.moved(NOT_ANSWERING_AFTER + 5 * SECOND):
            calls(connected)
            assert codes(connected)["amocrm"] == "too_slow"
            shared_box.process.send_signal(signal.SIGCONT)
            monkeypatch.undo()
            calls(connected)
            assert codes(connected)["amocrm"] == OK
    finally:
        shared_box.process.send_signal(signal.SIGCONT)


def test_a_copy_that_falls_behind_is_red(connected, box):
    """What cannot be read for three minutes makes the copy's real age red, and the first round that can makes it green."""
    until(lambda: connected.mirror.look_after() or connected.mirror.status().state == "following", "the first reading")
    assert codes(connected)["mirror"] == OK
    box.fault("status", path="/api/v4/*", status=500)
    with clock.moved(MIRROR_TOO_OLD + SECOND):
        connected.mirror.look_after()
        check = look(connected).of("mirror")
        assert check.code == "stale"
        assert check.since <= clock.now() - MIRROR_TOO_OLD
        box.clear_faults()
        with clock.moved(10 * MINUTE):
            connected.mirror.look_after()
            assert codes(connected)["mirror"] == OK


def test_a_clock_that_jumped_is_red_until_it_is_made_good(connected):
    """Said as soon as it is noticed, and until the copy has read again what the jump may have hidden."""
    until(lambda: connected.mirror.look_after() or connected.mirror.status().state == "following", "the first reading")
    with clock.moved(3 * HOUR):
        connected.mirror.clocks.look()
        assert look(connected).of("clock").code == "clock_jumped"
        until(lambda: connected.mirror.look_after() or codes(connected)["clock"] == OK, "the jump to be made good")


def test_a_clock_that_is_wrong_is_red_until_it_is_right(connected, box):
    """By AmoCRM's latest answers: within a round of the keeper, and not only when the pair is next renewed."""
    connected.look_after()
    assert codes(connected)["clock"] == OK
    for shift_s, code in ((600, "clock_wrong"), (0, OK), (-600, "clock_wrong"), (0, OK)):
        box.config(clock_shift_s=shift_s)
        calls(connected)
        connected.look_after()
        assert codes(connected)["clock"] == code
        assert abs((connected.connection.status().clock_skew_s or 0) + shift_s) < 10


def test_a_disk_that_fills_up_is_red(connected, monkeypatch):
    """The free room of the very disk the database is on, counted in megabytes."""
    usage = shutil.disk_usage(connected.settings.data_folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=50 * 1024**2))
    check = look(connected).of("disk")
    assert (check.code, check.count) == ("disk_low", 50)
    monkeypatch.undo()
    assert codes(connected)["disk"] == OK


def test_a_file_that_could_not_be_made_is_red(connected, monkeypatch):
    """A file whose making failed is told until the next one is made."""
    connected.started_at = clock.now()
    wanted = Wanted(Filter(), Sort("name", False), ("name", "phone"), "ru")
    with monkeypatch.context() as broken:
        broken.setattr(connected.exports, "_run", lambda _: 1 / 0)
        first = connected.exports.ask("csv", wanted, "Анна")
        until(lambda: codes(connected)["exports"] != OK, "the failure to be told")
    assert connected.exports.get(first).state == "failed"
    second = connected.exports.ask("csv", wanted, "Анна")
    until(lambda: connected.exports.get(second).state == "done", "the next file")
    until(lambda: codes(connected)["exports"] == OK, "the success to be told")


def test_what_amocrm_refuses_is_no_outage(connected, box):
    """A request that is wrong, a missing right and "slow down" come from an AmoCRM that works."""
    for status in (403, 429):
        box.fault("status", path="/api/v4/*", status=status, times=10)
        calls(connected)
        assert answering(connected.store) == Answering()
        box.clear_faults()


def test_a_clock_set_back_leaves_an_outage_red(connected, box):
    """Which call was the last is told by their order and not by the clock."""
    box.fault("status", path="/api/v4/*", status=500)
    with clock.moved(3 * HOUR):
        calls(connected)
    assert codes(connected)["amocrm"] == "server_error"
    box.clear_faults()
    calls(connected)
    assert codes(connected)["amocrm"] == OK


def test_an_old_lead_is_red_whatever_it_waits_for(connected, box):
    """A lead that waits because the account is not paid for is a reason to be red, pause or not; delivered it is none."""
    box.fault("status", path="/api/v4/*", status=402)
    connected.outbox.accept(NewLead("Ольга", "+79617773311", "Йога", "Сайт", ""), "api")
    connected.outbox.deliver_due()
    assert codes(connected)["waiting"] == OK
    with clock.moved(WAITS_TOO_LONG + MINUTE):
        check = look(connected).of("waiting")
        assert (check.code, check.count) == ("lead_waits", 1)
        box.clear_faults()
        connected.outbox.deliver_due()
        assert codes(connected)["waiting"] == OK


def test_a_lead_that_was_sent_again_waits_from_then(connected, box):
    """One more thing to do for a lead of last month is no lead that has waited for a month; tried in vain it waits from there."""
    lead_id = connected.outbox.accept(NewLead("Ольга", "+79617773311", "Йога", "Сайт", ""), "api")
    connected.outbox.deliver_due()
    with clock.moved(700 * HOUR):
        with connected.store.write() as db:
            connected.outbox.add_step(lead_id, "note", "Перезвонила", db)
        assert codes(connected)["waiting"] == OK
    with clock.moved(700 * HOUR + WAITS_TOO_LONG):
        assert codes(connected)["waiting"] == "lead_waits"


def test_a_lead_for_a_person_is_red_until_somebody_decides(connected):
    """What only a person can decide is told at once."""
    lead_id = connected.outbox.accept(NewLead("Ольга", "+79617773311", "Йога", "Сайт", ""), "api")
    with connected.store.write() as db:
        db.execute(deliveries.update().values(state="needs_decision", settled_at=clock.now()))
    assert codes(connected)["people"] == "leads_need_a_person"
    connected.outbox.drop(lead_id, "Анна")
    assert codes(connected)["people"] == OK


def test_a_refresh_that_fails_is_red(connected, box):
    """Also while the access token still works; the next good one is green. Since when it fails is told."""
    box.fault("status", path="/oauth2/access_token", status=500)
    before = clock.now()
    for _ in range(2):
        with pytest.raises(DeskError):
            connected.connection.refresh_now(insists=True)
    check = look(connected).of("connection")
    assert check.code == "refresh_failing"
    assert check.since - before < timedelta(seconds=30)
    box.clear_faults()
    connected.connection.refresh_now(insists=True)
    assert codes(connected)["connection"] == OK


def test_hooks_that_are_refused_or_lost_are_red(connected, box):
    """A subscription AmoCRM refuses, and changes no hook told; in order again they are green."""
    box.fault("status", path="/api/v4/webhooks", status=403)
    connected.webhooks.keep()
    assert codes(connected)["hooks"] == "rights_missing"
    assert look(connected).of("hooks").since is not None
    box.clear_faults()
    connected.webhooks.subscribe_again()
    assert codes(connected)["hooks"] == OK
    with clock.moved(MINUTE), connected.store.write() as db:
        db.execute(hook_misses.insert(), [{"at": clock.now(), "entity": "leads", "entity_id": one} for one in range(3)])
    with clock.moved(2 * MINUTE):
        assert codes(connected)["hooks"] in ("hooks_lost", "hooks_silent")
    with clock.moved(3 * HOUR):
        assert codes(connected)["hooks"] == OK


def test_no_part_of_the_keeper_holds_up_another(connected, monkeypatch):
    """Whichever part stumbles, the others have their round, the failure is seen, and the next round is not far."""
    connected.started_at = clock.now()
    done = []
    for room, name in (
        (connected.connection, "keep_alive"),
        (connected.fields, "ensure_marker"),
        (connected.webhooks, "keep"),
    ):
        with monkeypatch.context() as broken:
            broken.setattr(room, name, lambda *_, **__: 1 / 0)
            assert timedelta(seconds=1) <= connected.look_after() <= MINUTE
        rounds = connected.rounds.all()
        failed = {key for key in ("keeper", "fields", "hooks") if rounds[key].is_strange}
        done.append(failed)
        assert {key: wrong(connected).get(key) for key in failed} == dict.fromkeys(failed, "ZeroDivisionError")
        assert connected.look_after()
        assert not [one for one in connected.rounds.all().values() if one.is_failing]
    assert done == [{"keeper"}, {"fields"}, {"hooks"}]


@pytest.mark.parametrize(
    "told", [timedelta(days=400), timedelta(seconds=-5), timedelta(), None, 5, float("nan"), timedelta.max], ids=str
)
def test_the_keepers_pause_is_bounded(connected, monkeypatch, told):
    """Whatever the connection says, the keeper comes round within a minute and does not spin."""
    monkeypatch.setattr(connected.connection, "keep_alive", lambda: told)
    assert timedelta(seconds=1) <= connected.look_after() <= MINUTE


@pytest.mark.parametrize("which", ["intake", "webhooks", "exports", "calls"])
def test_each_part_of_tidying_up_stands_alone(connected, monkeypatch, which):
    """One that fails keeps none of the others from running; its failure is seen and it is tried again soon."""
    ran = []
    for name in ("intake", "webhooks", "exports", "calls"):
        monkeypatch.setattr(
            getattr(connected, name), "prune", lambda name=name: ran.append(name) or (name == which and 1 / 0)
        )
    connected.started_at = clock.now()
    connected.look_after()
    assert ran == ["intake", "webhooks", "exports", "calls"]
    assert codes(connected)["pruning"] == "ZeroDivisionError"
    monkeypatch.setattr(getattr(connected, which), "prune", lambda: None)
    connected._tidy_at_s = 0.0
    connected.look_after()
    assert codes(connected)["pruning"] == OK


def test_a_worker_without_success_is_red_and_green_again(connected):
    """A round that went well long ago is none; one in the future says nothing; the next real one heals."""
    connected.look_after()
    connected.started_at = clock.now() - 5 * HOUR
    for moved, code in ((-LIMITS["hooks"] - MINUTE, "no_success"), (3 * HOUR, "age_unknown")):
        with connected.store.write() as db:
            told = {"succeeded_at": clock.now() + moved}
            db.execute(worker_rounds.update().where(worker_rounds.c.name == "hooks").values(**told))
        assert codes(connected)["hooks"] == code
    with clock.moved(MINUTE):
        connected.look_after()
        assert codes(connected)["hooks"] == OK


def test_a_database_that_is_away_is_the_one_check(connected, monkeypatch):
    """Without it nothing else can be told; back again, all is."""

    def refuse() -> None:
        raise StoreError("database_unreachable")

    with monkeypatch.context() as away:
        away.setattr(connected.store, "read", refuse)
        assert codes(connected) == {"database": "unreachable"}
    assert codes(connected)["database"] == OK


def test_the_watch_answers_from_memory():
    """Whoever asks for the last verdict waits for nobody; a look that does not come back is told as a slow database."""
    made = []

    def look_once() -> Verdict:
        made.append(1)
        return Verdict((Check("disk", "disk_low"),), clock.now())

    watch = Watch(look_once)
    watch.start()
    first = watch.last()
    assert first.of("disk").code == "disk_low"
    assert first.of("disk").since is not None
    watch.wake()
    until(lambda: len(made) > 1, "a second look")
    assert watch.last().of("disk").since == first.of("disk").since
    watch.stop()
    watch._made_s -= 60
    assert watch.last().codes() == {"database": "too_slow"}

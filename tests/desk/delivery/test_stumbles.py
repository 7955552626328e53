"""Whatever is raised wherever while a lead is carried or searched for: it becomes a state of that lead, and of no other one."""

from __future__ import annotations

import itertools
import logging
import os
from contextlib import suppress

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from crm.errors import BrokenWord, NoAnswer, NotLetIn, NotSent, OwnFault, SaidNo, SetupError
from desk.delivery import DELIVERED, FOR_PEOPLE, NEEDS_DECISION, UNKNOWN, decisions, report
from desk.delivery import carry as carrying
from desk.delivery import search as searching
from desk.delivery.worker import Workers
from desk.lead import NewLead
from desk.places import places
from store import StoreError, clock
from store.tables import accepted_leads, deliveries, delivery_pause, delivery_steps, known_phones
from tests.desk.delivery.fakes import FakeAmo, FakeConnection, Process, set_clock
from tests.support.programs import until

BAD, GOOD = NewLead("Вера Споткнувшаяся", "+79615551001", message="Текст"), NewLead("Пётр Соседский", "+79615551002")

SECRET = "+79990000000 do not tell"
"""Stands in the text of each exception; a log must not have it."""

EXCEPTIONS = {
    "NotSent": lambda: NotSent("unreachable"), "NoAnswer": lambda: NoAnswer("cut_off"),
    "NotLetIn": lambda: NotLetIn("unpaid"), "BrokenWord": lambda: BrokenWord("garbled"),
    "SaidNo": lambda: SaidNo("bad_request"), "SetupError": lambda: SetupError("not_connected"),
    "OwnFault": lambda: OwnFault("desk_failed"), "ValueError": lambda: ValueError(SECRET),
    "KeyError": lambda: KeyError(SECRET), "TypeError": lambda: TypeError(SECRET),
    "AttributeError": lambda: AttributeError(SECRET), "RecursionError": lambda: RecursionError(SECRET),
    "MemoryError": lambda: MemoryError(), "AssertionError": lambda: AssertionError(SECRET),
    "UnicodeError": lambda: UnicodeEncodeError("utf-8", "\ud800", 0, 1, SECRET),
    "OverflowError": lambda: OverflowError(SECRET), "OSError": lambda: OSError(SECRET),
    "OperationalError": lambda: OperationalError(SECRET, {}, Exception(SECRET)),
    "StoreError": lambda: StoreError("database_unreachable"),
    "IntegrityError": lambda: IntegrityError(SECRET, {}, Exception(SECRET)),
}  # fmt: skip

REFUSALS = ("NotSent", "NotLetIn", "SaidNo", "SetupError")
"""Those that say: it was not carried out."""

PLACES = ("rows", "client", "connection", "fields", "phonebook", "journal", "words", "heart", "on_changed", "on_step")
"""What a carrier or a search works with."""


class Faults:
    """Raises at the n-th call of anything it stands before, or at every call from there on."""

    def __init__(self, make, nth, *, once=True, after=False) -> None:
        self.make, self.nth, self.once, self.after, self.calls = make, nth, once, after, 0

    def before(self, place):
        """The same collaborator with the fault before it."""
        return _Faulty(place, self)

    def call(self, function):
        def called(*args, **named):
            self.calls += 1
            is_hit = self.calls == self.nth if self.once else self.calls >= self.nth
            if is_hit and not self.after:
                raise self.make()
            result = function(*args, **named)
            if is_hit:
                raise self.make()
            return result

        return called


class _Faulty:
    def __init__(self, place, faults) -> None:
        self._place, self._faults = place, faults

    def __call__(self, *args, **named):
        return self._faults.call(self._place)(*args, **named)

    def __getattr__(self, name):
        found = getattr(self._place, name)
        is_kept = name in ("holding", "still_holds")  # a block, and a question asked by the door
        return self._faults.call(found) if callable(found) and not is_kept else found


@pytest.fixture(autouse=True)
def right_clock():
    yield
    set_clock(0.0)


class Scene:
    """A process with an AmoCRM, and time that passes for both."""

    def __init__(self, store, folder) -> None:
        self.store, self.amo, self.connection = store, FakeAmo(), FakeConnection()
        self.process = Process(store, self.amo, self.connection, folder)
        self.outbox, self.passed_s = self.process.outbox, 0.0

    def let_pass(self, seconds):
        self.passed_s += seconds
        self.amo.passed_s = self.process.passed_s = self.passed_s
        set_clock(self.passed_s)

    def put(self, place, faults, monkeypatch):
        """Put faults before a collaborator of the carrier and of the search; "rows": all that reads and writes them."""
        parts = ("queue", "record", "pause") if place == "rows" else (place,)
        for part, module in ((self.outbox._carrier, carrying), (self.outbox._search, searching)):
            if place == "words":
                monkeypatch.setattr(module, "words", faults.before(module.words))
            for name in parts:
                if hasattr(part, f"_{name}"):
                    monkeypatch.setattr(part, f"_{name}", faults.before(getattr(part, f"_{name}")))

    def rounds(self, lead_ids, most=30):
        """Rounds of the background, as its workers do them, until all have ended; how many it took."""
        for number in range(most):
            if all(self.state(one) in (DELIVERED, *FOR_PEOPLE) for one in lead_ids):
                return number
            with suppress(Exception):  # a worker outlives it
                self.outbox.deliver_due()
            self.let_pass(1000.0)
        raise AssertionError([self.story(one) for one in lead_ids])

    def end(self):
        """Leave nothing behind for the next scene on this database."""
        set_clock(0.0)
        with self.store.write() as db:
            db.execute(deliveries.update().values(state="dropped"))
            db.execute(delivery_pause.update().values(reason=None, until=0.0))
            db.execute(known_phones.delete())

    def state(self, lead_id):
        return report.progress(self.store, lead_id).state

    def story(self, lead_id):
        found = report.story(self.store, lead_id)
        return found.progress.state, found.progress.reason, [(one.step, one.result) for one in reversed(found.tried)]


def check(scene, lead_ids, was_hit):
    """Each lead arrived once or waits for a person, its history says why; what was raised has met no more than one of them."""
    met = [lead_id for lead_id in lead_ids if scene.state(lead_id) != DELIVERED]
    assert len(met) <= was_hit
    for lead_id in lead_ids:
        state, reason, tried = scene.story(lead_id)
        assert (
            scene.amo.markers().count(lead_id) == 1 if state == DELIVERED else scene.amo.markers().count(lead_id) <= 1
        )
        if lead_id in met:
            assert reason is not None
            assert any(result not in report.FINE for _, result in tried)


AT_ONE_CALL = len(EXCEPTIONS) if os.environ.get("DESK_SOAK") else 2
"""Exceptions tried at each call; the next call goes on with those that follow in the table."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", ["carried", "searched for"])
def test_whatever_is_raised_wherever(sqlite_store, tmp_path, monkeypatch, caplog, place, way):
    """Every kind of exception, before or after every call of every collaborator: the lead arrives once or waits for a person."""
    caplog.set_level(logging.DEBUG)
    names = itertools.cycle(EXCEPTIONS)
    for nth in itertools.count(1):
        for number, name in enumerate(itertools.islice(names, AT_ONE_CALL)):
            # Behind a client's call only what may really follow work that is done: AmoCRM does not say no to it.
            after = bool((number + nth) % 2) and (place != "client" or name not in REFUSALS)
            faults = Faults(EXCEPTIONS[name], nth, after=after)
            _raised_once(Scene(sqlite_store, tmp_path), place, way, faults, monkeypatch)
        if faults.calls < nth:
            break
    assert nth > (way == "carried")
    assert SECRET not in caplog.text


def _raised_once(scene, place, way, faults, monkeypatch):
    bad = scene.outbox.accept(BAD, "api")
    if way == "searched for":
        scene.amo.plan = [None, "cut after" if faults.nth % 2 else "cut before"]
        scene.outbox.deliver_due()
        assert scene.state(bad) == UNKNOWN
        scene.let_pass(200.0)
    good = scene.outbox.accept(GOOD, "api")
    with monkeypatch.context() as patched:
        scene.put(place, faults, patched)
        scene.rounds([bad, good])
    check(scene, [bad, good], faults.calls >= faults.nth)
    scene.end()


STEADY = ("ValueError", "MemoryError", "StoreError", "BrokenWord", "AssertionError")


@pytest.mark.parametrize("name", STEADY)
@pytest.mark.parametrize("place", ["rows", "fields", "phonebook", "words", "on_step", "connection"])
def test_what_is_raised_each_time(sqlite_store, tmp_path, monkeypatch, place, name):
    """A lead at which the desk stumbles each time ends with a person within twenty rounds, and holds no other one up."""
    for nth in (1, 2, 3):
        scene = Scene(sqlite_store, tmp_path)
        bad, good = scene.outbox.accept(BAD, "api"), scene.outbox.accept(GOOD, "api")
        later = scene.outbox.accept(BAD, "api")  # of the same phone
        carry, faults = scene.outbox._carrier.carry, Faults(EXCEPTIONS[name], nth, once=False)

        def only_the_bad(job, carry=carry, bad=bad, scene=scene, faults=faults):
            with monkeypatch.context() as patched:
                if job.lead_id == bad:
                    faults.calls = 0
                    scene.put(place, faults, patched)
                carry(job)

        monkeypatch.setattr(scene.outbox._carrier, "carry", only_the_bad)
        scene.rounds([bad, good, later], most=300)
        check(scene, [bad], True)
        assert {scene.state(good), scene.state(later)} == {DELIVERED}
        scene.end()


def test_our_own_bug_is_told_as_ours_and_ends_with_a_person(sqlite_store, tmp_path, monkeypatch, caplog):
    """Ten times in a quarter of an hour, each one in the history; the log has the place in the code and nothing of the values."""
    scene = Scene(sqlite_store, tmp_path)
    monkeypatch.setattr(scene.process.fields, "layout", Faults(EXCEPTIONS["ValueError"], 1, once=False).call(None))
    lead_id = scene.outbox.accept(BAD, "api")
    spent_s = 0.0
    while scene.state(lead_id) != NEEDS_DECISION:
        scene.outbox.deliver_due()
        due_at = report.progress(sqlite_store, lead_id).due_at
        if due_at is not None:
            pause_s = (due_at - clock.now()).total_seconds() + 0.1
            spent_s += pause_s
            scene.let_pass(pause_s)
    state, reason, tried = scene.story(lead_id)
    assert (state, reason, tried) == (
        NEEDS_DECISION,
        "desk_failed",
        [("contact", "desk_failed")] * decisions.MOST_STUMBLES,
    )
    assert 600 < spent_s < 1500
    assert report.own_faults(sqlite_store) == ["desk_failed"]
    assert report.strange(sqlite_store) == []
    assert "ValueError in " in caplog.text
    assert "desk/delivery/carry.py:" in caplog.text
    assert not [secret for secret in (SECRET, BAD.phone, BAD.name) if secret in caplog.text]
    monkeypatch.undo()
    scene.outbox.replay("Анна")
    scene.outbox.deliver_due()
    assert scene.state(lead_id) == DELIVERED


def test_a_row_that_cannot_be_read_stops_no_queue(sqlite_store, tmp_path):
    """What is stored of one lead is broken: it goes to a person with a reason, and the leads behind it arrive."""
    scene = Scene(sqlite_store, tmp_path)
    broken, lost = scene.outbox.accept(BAD, "desk"), scene.outbox.accept(NewLead("Третий", "+79615551003"), "api")
    scene.amo.plan = [None, "cut after"]
    with sqlite_store.write() as db:
        db.execute(accepted_leads.update().where(accepted_leads.c.id == broken).values(extra="{"))
    scene.outbox.deliver_due()
    assert scene.state(lost) == UNKNOWN
    with sqlite_store.write() as db:
        db.execute(deliveries.update().where(deliveries.c.lead_id == lost).values(candidates="{"))
    good = scene.outbox.accept(GOOD, "api")
    scene.outbox.deliver_due()
    assert scene.state(good) == DELIVERED
    scene.rounds([broken, lost])
    with sqlite_store.write() as db:
        db.execute(accepted_leads.update().values(extra="{}"))
        db.execute(deliveries.update().values(candidates=None))
    for lead_id, step in ((broken, "contact"), (lost, "search")):
        state, reason, tried = scene.story(lead_id)
        assert (state, reason) == (NEEDS_DECISION, "desk_failed")
        assert tried.count((step, "desk_failed")) == decisions.MOST_STUMBLES


def test_a_lead_at_which_each_worker_dies_goes_to_a_person(sqlite_store, tmp_path):
    """Its process ends without a word whenever it is taken: that is counted too, and others go on."""
    scene = Scene(sqlite_store, tmp_path)
    bad = scene.outbox.accept(BAD, "desk")
    queue = scene.outbox._queue
    taken = 0
    while scene.state(bad) != NEEDS_DECISION:
        taken += queue.take() is not None
        scene.let_pass(1000.0)
    assert taken == decisions.MOST_STUMBLES
    good = scene.outbox.accept(GOOD, "api")
    scene.outbox.deliver_due()
    assert (scene.state(bad), scene.state(good)) == (NEEDS_DECISION, DELIVERED)
    assert scene.story(bad)[1:] == ("worker_died", [("contact", "worker_died")] * decisions.MOST_STUMBLES)


def test_a_step_nobody_knows_goes_to_a_person(sqlite_store, tmp_path):
    """A task whose stored description is another version's: the lead arrives, and the task is told to a person."""
    scene = Scene(sqlite_store, tmp_path)
    lead_id = scene.outbox.accept(BAD, "api")
    with sqlite_store.write() as db:
        step = {"lead_id": lead_id, "position": 5, "kind": "task", "payload": '{"colour": 5}', "state": "todo"}
        db.execute(delivery_steps.insert().values(**step))
    scene.rounds([lead_id])
    assert scene.story(lead_id)[:2] == (NEEDS_DECISION, "desk_failed")
    assert scene.amo.markers() == [lead_id]


def test_a_search_that_stumbles_lets_the_queue_go_on(sqlite_store, tmp_path, monkeypatch):
    """The search itself cannot even begin: it is told to whoever watches the rounds, and leads are delivered."""
    scene = Scene(sqlite_store, tmp_path)
    rounds = []
    monkeypatch.setattr(scene.outbox, "_on_round", lambda name, error: rounds.append((name, type(error).__name__)))
    scene.amo.plan = [None, "cut after"]
    scene.outbox.accept(BAD, "api")
    scene.outbox.deliver_due()
    scene.let_pass(10.0)
    monkeypatch.setattr(scene.outbox._queue, "take_lost", Faults(EXCEPTIONS["TypeError"], 1, once=False).call(None))
    good = scene.outbox.accept(GOOD, "api")
    scene.outbox.deliver_due()
    assert scene.state(good) == DELIVERED
    assert ("search", "TypeError") in rounds


def test_one_lost_lead_spoils_no_search_for_others(sqlite_store, tmp_path, monkeypatch):
    """Two leads of unknown fate are searched for in one walk; one makes the desk stumble, the other is found."""
    scene = Scene(sqlite_store, tmp_path)
    bad, good = scene.outbox.accept(BAD, "api"), scene.outbox.accept(GOOD, "api")
    scene.amo.plan = [None, "cut after", None, "cut after"]
    scene.outbox.deliver_due()
    assert {scene.state(bad), scene.state(good)} == {UNKNOWN}
    real = scene.outbox._search._walk

    def walk(lost, seen):
        if bad in [one.lead_id for one in lost]:
            raise TypeError(SECRET)
        return real(lost, seen)

    monkeypatch.setattr(scene.outbox._search, "_walk", walk)
    scene.let_pass(10.0)
    scene.outbox.deliver_due()
    assert (scene.state(bad), scene.state(good)) == (UNKNOWN, DELIVERED)
    scene.rounds([bad])
    assert scene.story(bad)[:2] == (NEEDS_DECISION, "desk_failed")


def test_rounds_of_the_workers_are_told():
    """Each round is told with what it failed of; a teller that fails stops no worker."""
    rounds = []

    def told(name, error):
        rounds.append((name, error))
        raise RuntimeError

    results = iter([None, ValueError()])

    def work(live_only):
        error = next(results, None)
        if error is not None:
            raise error
        return 0

    workers = Workers(work, told)
    workers.start()
    until(lambda: len(rounds) >= 6, "rounds of the workers")
    assert workers.are_running
    workers.stop(5.0)
    assert {name for name, _ in rounds} == {"delivery"}
    assert [type(error) for _, error in rounds if error is not None] == [ValueError]


def test_places_name_the_code_and_no_value():
    """The innermost place of ours comes first; the exception's own text is left out."""
    with pytest.raises(ValueError, match="invalid literal") as raised:
        int(SECRET)
    told = places(raised.value)
    assert told.startswith("ValueError in tests/desk/delivery/test_stumbles.py:")
    assert SECRET not in told

"""The outbox against an AmoCRM that does anything: whatever comes in whatever order, no lead is doubled or lost."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crm.errors import Declined, DeskError, NotSent
from desk.delivery import DELIVERED, DROPPED, NEEDS_DECISION, QUEUED, REFUSED, SENDING, UNKNOWN, report
from desk.delivery.queue import LEASE_S
from desk.lead import NewLead
from store import Store, clock
from tests.desk.delivery.fakes import FAILURES, NO_ANSWERS, FakeAmo, FakeConnection, Process, marker_of, set_clock

STEPS = (
    "taken", "looked up", "marked as sending", "answered", "lead written down", "note on its way", "note answered", "error in hand",
)  # fmt: skip

JUMPS_S = (-2 * 86_400.0, -3 * 3600.0, -300.0, 300.0, 3 * 3600.0, 2 * 86_400.0)


class Killed(BaseException):
    """The worker ends here."""


class OutboxMachine(RuleBasedStateMachine):
    """Accept, fail, deliver, wait, kill, freeze, decide, and clocks that jump: in any order."""

    @initialize(tells_time=st.booleans())
    def begin(self, tells_time):
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(f"sqlite:///{self.folder.name}/desk.db")
        self.store.upgrade()
        self.amo, self.connection = FakeAmo(), FakeConnection()
        self.amo.tells_time = tells_time
        self.accepted: list[str] = []
        self.passed_s, self.wrong_by_s = 0.0, 0.0
        self.process = self._process()

    def _process(self, on_step=lambda step: None):
        return Process(self.store, self.amo, self.connection, self.folder.name, on_step)

    def _pass(self, seconds, *processes):
        """Time passes for everybody; `processes`: those that run meanwhile."""
        self.passed_s += seconds
        self.amo.passed_s = self.passed_s
        for process in processes:
            process.passed_s += seconds
        set_clock(self.passed_s + self.wrong_by_s)

    @rule(person=st.integers(0, 3), live=st.booleans())
    def accept(self, person, live):
        lead = NewLead(f"Лид {len(self.accepted)}", f"+7961555000{person}", message="Текст")
        self.accepted.append(self.process.outbox.accept(lead, "desk" if live else "api"))

    @rule(names=st.lists(st.sampled_from(sorted(FAILURES) + list(NO_ANSWERS)), min_size=1, max_size=4))
    def things_go_wrong(self, names):
        self.amo.plan = names

    @rule()
    def deliver(self):
        self.process.outbox.deliver_due()

    @rule(step=st.sampled_from(STEPS))
    def die(self, step):
        """The process ends in the middle, without a word; another one is started."""

        def watch(now):
            if now == step:
                raise Killed

        with suppress(Killed):
            self._process(watch).outbox.deliver_due()
        self.process = self._process()
        self._pass(LEASE_S + 1.0)

    @rule(step=st.sampled_from(STEPS), frozen_s=st.sampled_from([5.0, LEASE_S + 1.0, 400.0]))
    def freeze(self, step, frozen_s):
        """A process is stopped in the middle; another one goes on, and then the first one wakes."""
        slept = []

        def watch(now):
            if now == step and not slept:
                slept.append(now)
                self._pass(frozen_s, frozen, self.process)
                self.process.outbox.deliver_due()

        frozen = self._process(watch)
        frozen.outbox.deliver_due()

    @rule(seconds=st.sampled_from([1.0, 5.0, 30.0, 200.0, 1000.0]))
    def time_passes(self, seconds):
        self._pass(seconds, self.process)

    @rule(seconds=st.sampled_from(JUMPS_S))
    def the_clock_jumps(self, seconds):
        self.wrong_by_s += seconds
        set_clock(self.passed_s + self.wrong_by_s)

    @rule()
    def the_clock_is_set_right(self):
        self.wrong_by_s = 0.0
        set_clock(self.passed_s)

    @rule()
    def a_day_off(self):
        """Nothing runs for thirty hours."""
        self.process = self._process()
        self._pass(30 * 3600.0)

    @rule()
    def connected_again(self):
        self.connection.number += 1

    @rule(since=st.booleans())
    def replay(self, since):
        self.process.outbox.replay("Анна", clock.now() - timedelta(hours=1) if since else None)

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), what=st.sampled_from(["look_again", "drop", "send_again", "repair", "drop and take back"]))
    def decide(self, data, what):
        lead_id, outbox = data.draw(st.sampled_from(self.accepted)), self.process.outbox
        with suppress(Declined):  # "decided_meanwhile": it is too late for that
            if what == "repair":
                outbox.repair(lead_id, NewLead("Исправлен", "+79615550009"), "Анна")
            elif what == "drop and take back":
                outbox.drop(lead_id, "Анна")
                outbox.send_again(lead_id, "Анна")
            else:
                getattr(outbox, what)(lead_id, "Анна")

    @invariant()
    def nothing_is_doubled(self):
        """Each accepted lead is in AmoCRM at most once, and each lead there is one of ours."""
        if not hasattr(self, "amo"):
            return
        markers = self.amo.markers()
        assert len(markers) == len(set(markers))
        assert set(markers) <= set(self.accepted)

    @invariant()
    def delivered_means_there(self):
        """Who is told "in AmoCRM" is in AmoCRM; and no lead vanishes from our own table."""
        if not hasattr(self, "store"):
            return
        there = {marker_of(lead): lead["id"] for lead in self.amo.leads}
        for lead_id in self.accepted:
            progress = report.progress(self.store, lead_id)
            assert progress.state in (QUEUED, SENDING, UNKNOWN, NEEDS_DECISION, REFUSED, DELIVERED, DROPPED)
            if progress.state == DELIVERED:
                assert there[lead_id] == progress.amo_lead_id

    @invariant()
    def nothing_waits_longer_than_a_quarter_of_an_hour(self):
        """Whatever the clocks did, no lead and no queue is told to wait for longer than the longest rule says."""
        if not hasattr(self, "store"):
            return
        waits = [report.progress(self.store, lead_id).due_at for lead_id in self.accepted]
        pause = report.pause(self.store)
        for until in [*waits, pause and pause.until]:
            assert until is None or until - clock.now() < timedelta(seconds=900 * 1.25 + 5)

    def teardown(self):
        """Left alone with an AmoCRM that works, everything arrives that no person has stopped; and that too once one lets it go on."""
        if not hasattr(self, "process"):
            return
        try:
            self.amo.plan = []
            self._settle()
            for lead_id in self.accepted:
                assert self._state(lead_id) in (DELIVERED, DROPPED, REFUSED, NEEDS_DECISION)
            self.process.outbox.replay("Анна")
            for lead_id in self.accepted:
                if self._state(lead_id) == DROPPED:
                    self.process.outbox.send_again(lead_id, "Анна")
            self._settle()
            assert {self._state(lead_id) for lead_id in self.accepted} <= {DELIVERED}
            assert sorted(self.amo.markers()) == sorted(self.accepted)
        finally:
            set_clock(0.0)
            self.store.close()
            self.folder.cleanup()

    def _settle(self):
        for _ in range(14):
            self.connected_again()
            self._pass(1000.0, self.process)
            self.process.outbox.deliver_due()
            self.nothing_is_doubled()
            self.delivered_means_there()

    def _state(self, lead_id):
        return report.progress(self.store, lead_id).state


EXAMPLES = 700 if os.environ.get("DESK_SOAK") else 25
OutboxMachine.TestCase.settings = settings(deadline=None, max_examples=EXAMPLES, stateful_step_count=30)
TestOutbox = OutboxMachine.TestCase
TestOutbox.__doc__ = "No order of failures, kills, freezes, jumps of the clock and decisions doubles or loses a lead."


def test_the_fake_refuses_as_the_real_one_does(tmp_path, sqlite_store):
    """The failures of the machine are errors of the desk, but for the one that is meant to be a bug."""
    assert [name for name, (make, _) in FAILURES.items() if not isinstance(make(), DeskError)] == ["our own bug"]
    amo = FakeAmo()
    amo.plan = ["not sent"]
    with pytest.raises(NotSent):
        Process(sqlite_store, amo, FakeConnection(), tmp_path).client.get("/api/v4/contacts", "x", [("query", "1")])

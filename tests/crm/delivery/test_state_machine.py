"""The outbox against an AmoCRM that does anything: whatever comes in whatever order, no lead is doubled or lost."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crm.activity import Journal
from crm.delivery import DELIVERED, DROPPED, NEEDS_DECISION, QUEUED, REFUSED, SENDING, UNKNOWN, Outbox, report
from crm.errors import BrokenWord, DeskError, NoAnswer, NotLetIn, NotSent, Refusal, SaidNo, SetupError
from crm.fields import Layout, Mapped
from crm.intake import NewLead
from crm.settings import load
from crm.store import Store
from crm.store.tables import deliveries, delivery_pause

FAILURES = {
    "not sent": (lambda: NotSent("unreachable"), False),
    "cut before": (lambda: NoAnswer("cut_off"), False),
    "cut after": (lambda: NoAnswer("too_slow"), True),
    "429": (lambda: NotLetIn("rate_limited", retry_after_s=1.0), False),
    "402": (lambda: NotLetIn("unpaid"), False),
    "dead token": (lambda: NotLetIn("grant_revoked"), False),
    "500 before": (lambda: BrokenWord("server_error", status=500), False),
    "504 after": (lambda: BrokenWord("server_error", status=504), True),
    "html 404": (lambda: BrokenWord("not_routed", status=404), False),
    "hiccup": (lambda: BrokenWord("server_hiccup", status=400), False),
    "garbled after": (lambda: BrokenWord("garbled", status=200), True),
    "strange": (lambda: BrokenWord("unexpected_answer", status=418), False),
    "refused": (lambda: SaidNo("validation", refusals=(Refusal("name", "InvalidType"),)), False),
}  # fmt: skip


class FakeAmo:
    """As much of AmoCRM as a delivery sees, in memory: it does what the next failure says, before or after the work."""

    account_url = "http://amo.test"

    def __init__(self) -> None:
        self.leads: list[dict] = []
        self.notes: list[dict] = []
        self.contacts: list[dict] = []
        self.plan: list[str] = []

    def _maybe(self, work):
        name = self.plan.pop(0) if self.plan else None
        if name is None:
            return work()
        error, after = FAILURES[name]
        if after:
            work()
        raise error()

    def get(self, path, operation, params=(), *, live=True, tries=None):
        wanted = dict(params)
        if path == "/api/v4/contacts":
            return self._maybe(lambda: _reply("contacts", [c for c in self.contacts if wanted["query"] in c["digits"]]))
        return self._maybe(lambda: _reply("leads", [lead for lead in self.leads if wanted["query"] in str(lead)]))

    def post(self, path, operation, body, *, kind, subject=None, live=True, still=None):
        def create():
            contact = body[0]["_embedded"]["contacts"][0]
            if "id" not in contact:
                phone = contact["custom_fields_values"][0]["values"][0]["value"]
                self.contacts.append(
                    {"id": len(self.contacts) + 1, "digits": phone, "updated_at": 1,
                     "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": phone}]}]}
                )  # fmt: skip
                contact = {"id": len(self.contacts)}
            lead = {"id": 100 + len(self.leads), "created_at": int(time.time()), **body[0]}
            lead["_embedded"] = {"contacts": [{"id": contact["id"], "is_main": True}]}
            self.leads.append(lead)
            return SimpleNamespace(
                data=[{"id": lead["id"], "contact_id": contact["id"], "merged": False}], request_id="r", status=200
            )

        def note():
            self.notes.append({"id": 1000 + len(self.notes), "lead": int(path.split("/")[4]), **body[0]})
            return _reply("notes", [{"id": self.notes[-1]["id"]}])

        return self._maybe(create if path.endswith("/complex") else note)

    def pages(self, path, key, operation, params=(), *, limit=250, live=True):
        found = self.leads if key == "leads" else [n for n in self.notes if n["lead"] == int(path.split("/")[4])]
        page = self._maybe(lambda: list(found))
        if page:
            yield page


def _reply(key, items):
    return SimpleNamespace(data={"_embedded": {key: items}} if items else None, request_id="r", status=200)


class FakeFields:
    """A mapping with a marker and nothing else that matters."""

    def ensure_marker(self, client):
        return 7

    def refresh(self, client, *, live=True):
        return None

    def known(self, entity):
        return [SimpleNamespace(id=7)]

    def layout(self):
        own = [Mapped(key, "leads", 0, ("text",)) for key in ("phone", "direction", "source")]
        return Layout(
            [*own, Mapped("contact_phone", "contacts", 0, ("multitext",))], {"field_code": "PHONE"}, frozenset(), 7
        )


class OutboxMachine(RuleBasedStateMachine):
    """Accept, fail, deliver, wait, kill, decide: in any order."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(f"sqlite:///{self.folder.name}/desk.db")
        self.store.upgrade()
        self.amo = FakeAmo()
        self.accepted: list[str] = []
        self.forced: set[str] = set()
        self.generation = 1
        self.outbox = self._outbox()

    def _outbox(self, watch=lambda step: None):
        connection = SimpleNamespace(
            generation=lambda: self.generation, skew_s=lambda: 0.0, account_id=lambda **_: 1, known_account_id=lambda: 1
        )
        settings_ = load({"AMOCRM_API_URL": "http://127.0.0.1:1", "AMOCRM_CLIENT_ID": "i", "AMOCRM_CLIENT_SECRET": "s3cret"}, Path(self.folder.name))  # fmt: skip
        from crm.phonebook import Phonebook

        return Outbox(
            self.store, self.amo, connection, FakeFields(), Phonebook(self.store), Journal(self.store), settings_, watch
        )

    @rule(person=st.integers(0, 3))
    def accept(self, person):
        lead = NewLead(f"Лид {len(self.accepted)}", f"+7961555000{person}", message="Текст")
        self.accepted.append(self.outbox.accept(lead, "api"))

    @rule(names=st.lists(st.sampled_from(sorted(FAILURES)), min_size=1, max_size=4))
    def things_go_wrong(self, names):
        self.amo.plan = names

    @rule()
    def deliver(self):
        self.outbox.deliver_due()

    @rule(step=st.sampled_from(["taken", "looked up", "marked as sending", "answered", "lead written down", "note on its way", "note answered", "error in hand"]))  # fmt: skip
    def die(self, step):
        """A worker that ends in the middle, without a word; its lease is over."""

        def watch(now):
            if now == step:
                raise Killed

        with suppress(Killed):
            self._outbox(watch).deliver_due()
        with self.store.write() as db:
            db.execute(deliveries.update().where(deliveries.c.lease_owner.is_not(None)).values(lease_until=1.0))

    @rule(seconds=st.sampled_from([1.0, 5.0, 30.0, 200.0, 1000.0]))
    def time_passes(self, seconds):
        with self.store.write() as db:
            db.execute(
                deliveries.update().values(
                    due_at=deliveries.c.due_at - seconds, unknown_at=deliveries.c.unknown_at - seconds
                )
            )
            db.execute(delivery_pause.update().values(until=delivery_pause.c.until - seconds))

    @rule()
    def connected_again(self):
        self.generation += 1

    @rule()
    def replay(self):
        self.outbox.replay("Анна")

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), what=st.sampled_from(["look_again", "drop", "repair"]))
    def decide(self, data, what):
        lead_id = data.draw(st.sampled_from(self.accepted))
        with suppress(SetupError):  # "decided_meanwhile": it is too late for that
            if what == "repair":
                self.outbox.repair(lead_id, NewLead("Исправлен", "+79615550009"), "Анна")
            else:
                getattr(self.outbox, what)(lead_id, "Анна")

    @invariant()
    def nothing_is_doubled(self):
        """Each accepted lead is in AmoCRM at most once, and each lead there is one of ours."""
        if not hasattr(self, "amo"):
            return
        markers = [_marker(lead) for lead in self.amo.leads]
        assert len(markers) == len(set(markers))
        assert set(markers) <= set(self.accepted)

    @invariant()
    def delivered_means_there(self):
        """Who is told "in AmoCRM" is in AmoCRM; and no lead vanishes from our own table."""
        if not hasattr(self, "store"):
            return
        there = {_marker(lead): lead["id"] for lead in self.amo.leads}
        for lead_id in self.accepted:
            progress = report.progress(self.store, lead_id)
            assert progress.state in (QUEUED, SENDING, UNKNOWN, NEEDS_DECISION, REFUSED, DELIVERED, DROPPED)
            if progress.state == DELIVERED:
                assert there[lead_id] == progress.amo_lead_id

    def teardown(self):
        """Left alone with an AmoCRM that works, everything arrives that no person has stopped."""
        if not hasattr(self, "amo"):
            return
        self.amo.plan = []
        for _ in range(12):
            self.connected_again()
            self.time_passes(1000.0)
            with self.store.write() as db:
                db.execute(deliveries.update().values(lease_until=0.0))
            self.outbox.deliver_due()
        self.nothing_is_doubled()
        self.delivered_means_there()
        there = {_marker(lead) for lead in self.amo.leads}
        for lead_id in self.accepted:
            state = report.progress(self.store, lead_id).state
            assert state in (DELIVERED, DROPPED, REFUSED, NEEDS_DECISION)
            assert (lead_id in there) or state != DELIVERED
        self.store.close()
        self.folder.cleanup()


class Killed(BaseException):
    """The worker ends here."""


def _marker(lead):
    return next(value["values"][0]["value"] for value in lead["custom_fields_values"] if value.get("field_id") == 7)


EXAMPLES = 700 if os.environ.get("DESK_SOAK") else 30
OutboxMachine.TestCase.settings = settings(deadline=None, max_examples=EXAMPLES, stateful_step_count=30)
TestOutbox = OutboxMachine.TestCase
TestOutbox.__doc__ = "No order of failures, kills, waits and decisions doubles or loses a lead."


def test_the_fake_refuses_as_the_real_one_does():
    """The failures of the machine are errors of the desk."""
    assert all(isinstance(make(), DeskError) for make, _ in FAILURES.values())
    with pytest.raises(NotSent):
        fake = FakeAmo()
        fake.plan = ["not sent"]
        fake.get("/api/v4/contacts", "x", [("query", "1")])

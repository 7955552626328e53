"""Another account is connected while leads are half way: each is there once, or a person is asked."""

from __future__ import annotations

import json

import pytest

from crm.errors import DeskError, SaidNo
from desk.delivery import DELIVERED, NEEDS_DECISION, QUEUED, REFUSED, UNKNOWN, DeliveryPlan
from desk.delivery.decisions import ANOTHER_ACCOUNT, LEAD, NOTE, STAGE, TASK
from desk.lead import NewLead
from sandbox.process import running_sandbox
from store.tables import grants
from tests.desk.delivery.conftest import CREATE, NOTES, make_due, ours, row_of
from tests.desk.delivery.conftest import LEAD as PERSON
from tests.support.desks import desk_for

HERE, THERE = 31_296_422, 77
"""AmoCRM's numbers of the two accounts: the sandbox's own, and what the second one says."""

OF_NOBODY = 999_999_999
"""A contact that only the first account has."""

REFUSAL = {"action": "status", "status": 400, "body": json.dumps({"detail": "Request validation failed"})}

# how it came to stand half way in the first account, its state there, then: its state in the second, leads in each
STATES = {
    "not begun": (None, QUEUED, DELIVERED, 0, 1),
    "looked up": ({"path": CREATE, "action": "status", "status": 429}, QUEUED, DELIVERED, 0, 1),
    "refused": ({"path": CREATE, **REFUSAL}, REFUSED, REFUSED, 0, 0),
    "unknown, made": ({"path": CREATE, "action": "cut_after"}, UNKNOWN, NEEDS_DECISION, 1, 0),
    "unknown, not made": ({"path": CREATE, "action": "cut_before"}, UNKNOWN, NEEDS_DECISION, 0, 0),
    "without its note": ({"path": NOTES, "action": "status", "status": 500}, QUEUED, NEEDS_DECISION, 1, 0),
    "delivered": ({}, DELIVERED, DELIVERED, 1, 0),
}


@pytest.fixture(scope="module")
def second_box():
    with running_sandbox(leads=5, rps=1000) as running:
        yield running


@pytest.fixture
def other(second_box):
    """A second AmoCRM whose account has another number."""
    second_box.clear_faults()
    second_box.reset(leads=5)
    told = {"id": THERE, "name": "Second", "subdomain": "second", "current_user_id": None}
    second_box.fault("status", path="/api/v4/account", status=200, body=json.dumps(told))
    return second_box


@pytest.fixture
def connect(store_url, tmp_path):
    """A desk on one database with this AmoCRM connected."""

    def opened(box):
        return desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY="k" * 40)

    return opened


def bring_to(desk, box, name):
    """A lead that stands half way as `name` says."""
    fault = STATES[name][0]
    if name == "looked up":
        desk.phonebook.learn_own(OF_NOBODY, PERSON.phone)
    lead_id = desk.outbox.accept(PERSON, "api")
    if fault:
        box.fault(times=1, **fault)
    if fault is not None:
        desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == STATES[name][1]
    return lead_id


def let_it_go_on(desk):
    for _ in range(3):
        make_due(desk, older_by_s=300)
        desk.outbox.deliver_due()


@pytest.mark.parametrize("name", STATES)
def test_none_is_doubled_and_none_lost(box, other, connect, name):
    """What is surely not in the first account goes to the second; what is or may be there waits for a person, who may send it."""
    with connect(box) as desk:
        lead_id = bring_to(desk, box, name)
    with connect(other) as desk:
        let_it_go_on(desk)
        _, _, state, in_first, in_second = STATES[name]
        progress = desk.outbox.progress(lead_id)
        assert (progress.state, len(ours(box, PERSON.phone)), len(ours(other, PERSON.phone))) == (
            state,
            in_first,
            in_second,
        )
        if state == DELIVERED:
            assert progress.account_id == (THERE if in_second else HERE)
            return
        if state == REFUSED:
            desk.outbox.repair(lead_id, PERSON, "Анна")
        else:
            assert progress.reason == ANOTHER_ACCOUNT
            desk.outbox.replay("Анна")
            let_it_go_on(desk)
            assert (desk.outbox.progress(lead_id).state, len(ours(other, PERSON.phone))) == (NEEDS_DECISION, 0)
            desk.outbox.send_again(lead_id, "Анна")
        let_it_go_on(desk)
        progress = desk.outbox.progress(lead_id)
        assert (progress.state, progress.account_id) == (DELIVERED, THERE)
        assert [lead["id"] for lead in ours(other, PERSON.phone)] == [progress.amo_lead_id]
        texts = [
            note["params"]["text"] for note in other.entities("notes") if note["entity_id"] == progress.amo_lead_id
        ]
        assert texts == [PERSON.message]


def test_a_lead_that_is_in_the_other_account_is_done_with(box, other, connect):
    """A person has found it there: its number is written down and nothing is sent to the account connected now."""
    with connect(box) as desk:
        lead_id = bring_to(desk, box, "without its note")
        amo_lead_id = row_of(desk, lead_id)["amo_lead_id"]
    with connect(other) as desk:
        let_it_go_on(desk)
        assert json.loads(row_of(desk, lead_id)["candidates"]) == [amo_lead_id]
        with pytest.raises(SaidNo):
            desk.outbox.exists(lead_id, 0, "Анна")
        since = other.last_seq()
        desk.outbox.exists(lead_id, amo_lead_id, "Анна")
        let_it_go_on(desk)
        progress = desk.outbox.progress(lead_id)
        assert (progress.state, progress.amo_lead_id, progress.account_id) == (DELIVERED, amo_lead_id, HERE)
        assert not other.ledger("change", since=since)


def test_back_in_its_own_account_it_goes_on(box, other, connect):
    """The first account is connected again: what waited for a person goes on where it stood, and is made once."""
    with connect(box) as desk:
        lead_id = bring_to(desk, box, "unknown, made")
    with connect(other) as desk:
        let_it_go_on(desk)
    with connect(box) as desk:
        desk.outbox.replay("Анна")
        let_it_go_on(desk)
        assert desk.outbox.progress(lead_id).state == DELIVERED
        assert (len(ours(box, PERSON.phone)), len(ours(other, PERSON.phone))) == (1, 0)


def test_what_was_said_of_a_lead_there_becomes_a_lead_here(box, other, connect):
    """A call about a lead of the first account: not put on the lead that has its number here; sent again, a lead of its own."""
    with connect(box) as desk:
        number = box.entities("leads", limit=1)[0]["id"]
        task = {"text": "Позвонить", "complete_till": 2_000_000_000, "task_type_id": 1, "responsible_user_id": 5}
        steps = [(NOTE, {"text": "Сказал"}), (STAGE, {"pipeline_id": 1, "status_id": 2}), (TASK, task)]
        plan = DeliveryPlan(steps=steps, amo_lead_id=number, account_id=desk.connection.stored_account_id())
        lead_id = desk.outbox.accept(PERSON, "desk", plan=plan)
    with connect(other) as desk:
        since = other.last_seq()
        let_it_go_on(desk)
        assert desk.outbox.progress(lead_id).state == NEEDS_DECISION
        assert not other.ledger("change", since=since)
        desk.outbox.send_again(lead_id, "Анна")
        let_it_go_on(desk)
        assert desk.outbox.progress(lead_id).state == DELIVERED
        assert len(ours(other, PERSON.phone)) == 1


def test_nothing_leaves_before_it_is_known_whose_account_it_is(box, connect):
    """Connected, but AmoCRM does not say which account: leads wait, and go on once it does."""
    with connect(box) as desk:
        first = bring_to(desk, box, "without its note")
        with desk.store.write() as db:
            db.execute(grants.update().values(account_id=None))
        box.fault("status", path="/api/v4/account", status=503)
        since = box.last_seq()
        second = desk.outbox.accept(NewLead("Пётр Ждущий", "+79615550012"), "api")
        let_it_go_on(desk)
        assert {desk.outbox.progress(one).state for one in (first, second)} == {QUEUED}
        assert not box.ledger("change", since=since)
        box.clear_faults()
        let_it_go_on(desk)
        assert {desk.outbox.progress(one).state for one in (first, second)} == {DELIVERED}
        assert len(ours(box, PERSON.phone)) == 1


@pytest.mark.parametrize(
    "answer", [{"status": 404, "body": "{}"}, {"status": 404}, {"status": 200, "body": '{"id": null}'}]
)
def test_an_amocrm_that_never_tells_its_account_gets_its_leads(box, connect, answer):
    """Only what was begun in a certain account has to know."""
    box.fault("status", path="/api/v4/account", **answer)
    with connect(box) as desk:
        with desk.store.write() as db:
            db.execute(grants.update().values(account_id=None))
        lead_id = desk.outbox.accept(NewLead("Пётр Тихий", "+79615550013"), "api")
        let_it_go_on(desk)
        assert desk.outbox.progress(lead_id).state == DELIVERED


def test_an_account_that_changes_under_a_lead_stops_its_request(box, connect):
    """Another account is connected between the looking up and the sending: the request does not leave."""
    with connect(box) as desk:
        since = box.last_seq()
        desk.phonebook.learn_own(OF_NOBODY, PERSON.phone)
        lead_id = desk.outbox.accept(PERSON, "api")

        def switch(step):
            if step == "marked as sending":
                with desk.store.write() as db:
                    db.execute(grants.update().values(account_id=THERE))

        desk.outbox._carrier._on_step = switch
        desk.outbox.deliver_due()
        assert (desk.outbox.progress(lead_id).state, row_of(desk, lead_id)["account_id"]) == (QUEUED, HERE)
        assert not box.ledger("change", since=since)


def test_what_is_known_of_an_account_is_forgotten_with_it(box, other, connect):
    """Phones and fields of the first account are unknown in the second, and kept where the same one is connected again."""
    with connect(box) as desk:
        desk.phonebook.learn_own(OF_NOBODY, PERSON.phone)
        desk.connection.adopt(box.grant()["refresh_token"])
        assert desk.phonebook.contact_of(PERSON.phone) == OF_NOBODY
        assert desk.fields.seen_at() is not None
        desk.store.remember("marker of leads", "refused 2026-01-01T00:00:00+00:00")
        box.fault("status", path="/api/v4/account", status=200, body=json.dumps({"id": THERE}), times=1)
        desk.connection.adopt(box.grant()["refresh_token"])
        assert desk.connection.stored_account_id() == THERE
        assert desk.phonebook.contact_of(PERSON.phone) is None
        assert (desk.fields.seen_at(), desk.store.recall("marker of leads")) == (None, None)


def test_a_new_grant_is_nobodys_until_amocrm_has_told(box, connect):
    """The account of the pair before is not taken for that of the new one, be it at the same address."""
    with connect(box) as desk:
        box.fault("status", path="/api/v4/account", status=503)
        desk.connection.adopt(box.grant()["refresh_token"])
        assert desk.connection.stored_account_id() is None
        with pytest.raises(DeskError):
            desk.connection.ask_account_id()
        box.clear_faults()
        assert desk.connection.ask_account_id() == HERE == desk.connection.stored_account_id()


def test_the_creating_step_comes_first(box, other, connect):
    """Begun anew, a lead has its creating step before all others."""
    with connect(box) as desk:
        plan = DeliveryPlan(steps=[(NOTE, {"text": "Сказал"})], amo_lead_id=5, account_id=THERE)
        lead_id = desk.outbox.accept(PERSON, "desk", plan=plan)
        let_it_go_on(desk)
        desk.outbox.send_again(lead_id, "Анна")
        assert [step.kind for step in desk.outbox._queue.take().steps] == [LEAD, NOTE]


@pytest.mark.parametrize("sent_there", [False, True])
@pytest.mark.parametrize("name", ["unknown, made", "unknown, not made", "without its note"])
def test_sent_again_there_and_back_in_the_first_account(box, other, connect, name, sent_there):
    """A person sends it to the second account; before it left, or while nobody knows, the first one is back: it is searched for there."""
    with connect(box) as desk:
        lead_id = bring_to(desk, box, name)
    with connect(other) as desk:
        let_it_go_on(desk)
        desk.outbox.send_again(lead_id, "Анна")
        if sent_there:
            other.fault("cut_before", path=CREATE, times=1)
            desk.outbox.deliver_due()
            assert desk.outbox.progress(lead_id).state == UNKNOWN
    with connect(box) as desk:
        let_it_go_on(desk)
        if sent_there:  # it may be in the second account now, and that is for a person
            assert desk.outbox.progress(lead_id).reason == ANOTHER_ACCOUNT
            desk.outbox.send_again(lead_id, "Анна")
            let_it_go_on(desk)
        progress = desk.outbox.progress(lead_id)
        assert (progress.state, progress.account_id) == (DELIVERED, HERE)
        assert (len(ours(box, PERSON.phone)), len(ours(other, PERSON.phone))) == (1, 0)

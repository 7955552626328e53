"""Leads of which nobody knows whether they arrived: found, or sent again when it is certain that they did not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from crm.errors import Declined, SaidNo
from desk.delivery import DELIVERED, NEEDS_DECISION, QUEUED, UNKNOWN, report
from desk.fields import MARKER_CODE
from desk.lead import NewLead
from store import clock
from store.tables import deliveries
from tests.desk.delivery.conftest import CREATE, LEAD, added, make_due, ours, row_of
from tests.support.desks import desk_for

UNANSWERED = {
    "cut before": {"action": "cut_before"},
    "cut after": {"action": "cut_after"},
    "truncated": {"action": "truncate"},
    "html": {"action": "garbage"},
    "wrong shape": {"action": "garbage", "kind": "wrong_shape"},
    "empty": {"action": "empty_200"},
    "500": {"action": "status", "status": 500},
    "504 after": {"action": "status_after", "status": 504, "html": True},
    "502": {"action": "status", "status": 502, "html": True},
    "hiccup": {"action": "status", "status": 400, "body": json.dumps({"status": 400, "detail": "Возникла системная ошибка. Пожалуйста, повторите попытку."})},
}  # fmt: skip
CARRIED_OUT = {"cut after", "truncated", "html", "wrong shape", "empty", "504 after"}


def creating(box, since):
    return [entry for entry in box.ledger("request", since=since) if entry["path"] == CREATE]


@pytest.mark.parametrize("name", UNANSWERED)
def test_exactly_one_lead_whatever_the_answer(box, desk, name):
    """Carried out: it is found and nothing is sent again. Not carried out: it is sent again after patient looking."""
    since = box.last_seq()
    box.fault(path=CREATE, times=1, **UNANSWERED[name])
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == UNKNOWN
    desk.outbox.deliver_due()
    assert len(creating(box, since)) == 1  # not due yet: nothing is sent blindly
    make_due(desk)
    desk.outbox.deliver_due()
    if name in CARRIED_OUT:
        assert desk.outbox.progress(lead_id).state == DELIVERED
    else:
        assert desk.outbox.progress(lead_id).state == UNKNOWN
        assert len(creating(box, since)) == 1
        make_due(desk, older_by_s=200)
        desk.outbox.deliver_due()
        assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1
    assert len(added(box, "contacts", since)) == 1
    assert [note["params"]["text"] for note in box.entities("notes") if note["entity_id"] == ours(box, LEAD.phone)[0]["id"]] == [LEAD.message]  # fmt: skip


def test_the_marker_is_an_api_only_field_made_once(box, desk):
    """The account gets one text field that people do not see; every lead carries our id in it."""
    for number in range(3):
        desk.outbox.accept(NewLead(f"Меченый {number}", f"+7961555010{number}"), "api")
    desk.outbox.deliver_due()
    fields = [field for field in box.entities("custom_fields") if field["code"] == MARKER_CODE]
    assert [(field["entity_type"], field["type"], bool(field["is_api_only"])) for field in fields] == [("leads", "text", True)]  # fmt: skip
    marker = str(fields[0]["id"])
    for lead in box.entities("leads", limit=3):
        assert desk.outbox.progress(lead["custom_fields"][marker][0]["value"]).amo_lead_id == lead["id"]


def test_search_that_lags_doubles_nothing(box, desk):
    """AmoCRM's full text does not see the lead for a minute; the list of new leads does."""
    box.config(search_lag_s=60)
    since = box.last_seq()
    box.fault("cut_after", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    make_due(desk, older_by_s=200)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1


def test_the_contact_of_a_lead_that_was_found_is_remembered(box, desk):
    """Made with an answer that never came, not yet in AmoCRM's full text: the next lead of this person makes no second one."""
    box.config(search_lag_s=60)
    since = box.last_seq()
    box.fault("cut_after", path=CREATE, times=1)
    desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    make_due(desk)
    desk.outbox.deliver_due()
    again = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(again).state == DELIVERED
    assert (len(added(box, since=since)), len(added(box, "contacts", since))) == (2, 1)


def test_a_list_that_ignores_its_filter_is_not_believed(box, desk):
    """Where the list of new leads cannot be trusted, the full text is asked for the marker."""
    since = box.last_seq()
    whole = box.session().get(f"{box.url}/api/v4/leads", params={"limit": 250}, timeout=60).text
    box.fault("cut_after", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    box.fault("status", path="/api/v4/leads", query_contains="created_at", status=200, body=whole, times=1)
    make_due(desk)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1


def test_one_odd_row_in_the_list_does_not_end_the_search(box, desk):
    """A list with a lead that has no time cannot be trusted, but the full text can still be asked for the marker."""
    since = box.last_seq()
    odd = json.dumps({"_embedded": {"leads": [{"id": 5, "created_at": None, "custom_fields_values": None}]}})
    box.fault("cut_after", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    box.fault("status", path="/api/v4/leads", query_contains="created_at", status=200, body=odd)
    make_due(desk)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1


def test_the_answers_item_is_known_by_our_request_id(box, desk):
    """AmoCRM answers for two leads: the one with our request id is ours, and our note goes to no other lead."""
    stranger = box.entities("leads", limit=1)[0]["id"]
    lead_id = desk.outbox.accept(LEAD, "api")
    items = [{"id": stranger, "contact_id": None, "request_id": ["0"]}, {"id": stranger + 1, "contact_id": None, "request_id": [lead_id]}]  # fmt: skip
    box.fault("status", path=CREATE, status=200, body=json.dumps(items), times=1)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).amo_lead_id == stranger + 1


@pytest.fixture
def desk_without(box, store_url, tmp_path):
    """A connected desk whose account has no field for our id yet."""
    with desk_for(box, tmp_path, marker=False, DATABASE_URL=store_url, SECRET_KEY="k" * 40) as opened:
        yield opened


@pytest.mark.parametrize("carried_out", [True, False])
def test_an_account_that_forbids_the_marker(box, desk_without, carried_out):
    """No field may be made: phone, name and time tell the lead; found or sent again, there is one."""
    desk = desk_without
    box.fault("status", method="POST", path="/api/v4/leads/custom_fields", status=403)
    since = box.last_seq()
    box.fault("cut_after" if carried_out else "cut_before", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert desk.fields.marker_state() == "refused"
    make_due(desk, older_by_s=200)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_marker_whose_field_was_deleted(box, desk, carried_out):
    """An admin deletes the field of our ids while a lead is of unknown fate: every marker is gone, and there still is one lead."""
    since = box.last_seq()
    box.fault("cut_after" if carried_out else "cut_before", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    box.session().delete(f"{box.url}/api/v4/leads/custom_fields/{row_of(desk, lead_id)['marker_field']}", timeout=60)
    for _ in range(2):
        make_due(desk, older_by_s=200)
        desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1


def test_without_a_marker_two_alike_are_for_a_person(box, desk_without):
    """Two leads in AmoCRM could be it: nobody guesses; the page names both."""
    desk = desk_without
    box.fault("status", method="POST", path="/api/v4/leads/custom_fields", status=403)
    box.fault("cut_after", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    mine = ours(box, LEAD.phone)[0]
    contact = box.entities("contacts", limit=1)[0]["id"]
    twin = [{"name": mine["name"], "_embedded": {"contacts": [{"id": contact}]}}]
    other = box.session().post(f"{box.url}/api/v4/leads", json=twin, timeout=60).json()["_embedded"]["leads"][0]["id"]
    make_due(desk)
    desk.outbox.deliver_due()
    story = report.story(desk.store, lead_id)
    assert story.progress.state == NEEDS_DECISION
    assert story.candidates == (mine["id"], other)
    desk.outbox.exists(lead_id, mine["id"], "Анна")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert desk.outbox.progress(lead_id).amo_lead_id == mine["id"]
    assert report.story(desk.store, lead_id).decided_by == "Анна"


def test_many_unknown_leads_cost_one_walk(box, desk, monkeypatch):
    """Twenty leads of unknown fate are found with one request."""
    monkeypatch.setattr("desk.delivery.decisions.LOOKS_S", (3600.0,))
    box.fault("cut_after", path=CREATE, times=20)
    ids = [desk.outbox.accept(NewLead(f"Потерянный {number}", f"+7961556{number:04}"), "api") for number in range(20)]
    desk.outbox.deliver_due()
    assert {desk.outbox.progress(lead_id).state for lead_id in ids} == {UNKNOWN}
    make_due(desk)
    since = box.last_seq()
    desk.outbox.deliver_due()
    assert {desk.outbox.progress(lead_id).state for lead_id in ids} == {DELIVERED}
    assert [entry["path"] for entry in box.ledger("request", since=since)] == ["/api/v4/leads"]


def test_after_five_sends_a_person_is_asked(box, desk):
    """A lead at which AmoCRM breaks down each time does not go round for ever."""
    box.fault("status", path=CREATE, status=500)
    since = box.last_seq()
    lead_id = desk.outbox.accept(LEAD, "api")
    for _ in range(20):
        desk.outbox.deliver_due()
        make_due(desk, older_by_s=200)
    assert desk.outbox.progress(lead_id).state == NEEDS_DECISION
    assert len(creating(box, since)) == 5
    box.clear_faults()
    desk.outbox.look_again(lead_id, "Анна")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == UNKNOWN
    desk.outbox.send_again(lead_id, "Анна")
    desk.outbox.deliver_due()
    assert (desk.outbox.progress(lead_id).state, len(creating(box, since))) == (UNKNOWN, 5)
    make_due(desk, older_by_s=200)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1


def test_nobody_waits_twice_for_the_same_absence(box, desk):
    """Patience has ended before a person was asked: "send again" costs one whole search, list and full text, and it is sent."""
    box.fault("status", path=CREATE, status=500)
    lead_id = desk.outbox.accept(LEAD, "api")
    for _ in range(20):
        desk.outbox.deliver_due()
        make_due(desk, older_by_s=200)
    assert desk.outbox.progress(lead_id).state == NEEDS_DECISION
    box.clear_faults()
    since = box.last_seq()
    desk.outbox.send_again(lead_id, "Анна")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    asked = [(entry["method"], entry["path"]) for entry in box.ledger("request", since=since)]
    assert asked.index(("POST", CREATE)) > 2 == asked.count(("GET", "/api/v4/leads"))


WAYS_AGAIN = {
    "send again": lambda outbox, lead_id: outbox.send_again(lead_id, "Анна"),
    "drop, take back": lambda outbox, lead_id: (outbox.drop(lead_id, "Анна"), outbox.send_again(lead_id, "Анна")),
    "replay all": lambda outbox, lead_id: outbox.replay("Анна"),
    "replay since": lambda outbox, lead_id: outbox.replay("Анна", clock.now() - timedelta(days=1)),
    "look again": lambda outbox, lead_id: outbox.look_again(lead_id, "Анна"),
}


@pytest.mark.parametrize("state", [UNKNOWN, NEEDS_DECISION])
@pytest.mark.parametrize("way", WAYS_AGAIN)
def test_no_way_of_sending_again_doubles_a_lead_that_is_there(box, desk, way, state):
    """Made with an answer that never came, and the list failed: by whatever way it is sent again, AmoCRM is searched first."""
    since = box.last_seq()
    box.fault("cut_after", path=CREATE, times=1)
    failing = box.fault("status", method="GET", path="/api/v4/leads", status=500)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    with desk.store.write() as db:
        db.execute(deliveries.update().values(state=state))
    WAYS_AGAIN[way](desk.outbox, lead_id)
    assert desk.outbox.progress(lead_id).state == UNKNOWN
    make_due(desk, older_by_s=200)
    desk.outbox.deliver_due()
    assert (desk.outbox.progress(lead_id).state, len(creating(box, since))) == (UNKNOWN, 1)
    failing.remove()
    make_due(desk)
    desk.outbox.deliver_due()
    assert (desk.outbox.progress(lead_id).state, len(creating(box, since))) == (DELIVERED, 1)
    assert len(added(box, since=since)) == 1


ODD_ANSWERS = {
    "strangers of that time": lambda now: json.dumps({"_embedded": {"leads": [{"id": 5, "created_at": now}]}}),
    "strangers of another time": lambda now: json.dumps({"_embedded": {"leads": [{"id": 5, "created_at": 5}]}}),
    "nothing and more of it": lambda now: json.dumps({"_embedded": {"leads": []}, "_links": {"next": {"href": "x"}}}),
    "values that are none": lambda now: json.dumps({"_embedded": {"leads": [{"id": 5, "created_at": now, "name": {}, "custom_fields_values": [{"field_id": 1, "values": 5}]}]}}),
    "no body": lambda now: "",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_an_answer_to_something_else_shows_no_absence(box, desk, name):
    """The last search is answered with 200 and something that was not asked for: nothing is sent, and the lead is found later."""
    since = box.last_seq()
    box.fault("cut_after", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    body = ODD_ANSWERS[name](int(clock.unix()))
    odd = box.fault("status", method="GET", path="/api/v4/leads", status=200, body=body)
    for _ in range(3):
        make_due(desk, older_by_s=2000)
        desk.outbox.deliver_due()
    assert (desk.outbox.progress(lead_id).state, len(creating(box, since))) == (UNKNOWN, 1)
    odd.remove()
    make_due(desk)
    desk.outbox.deliver_due()
    assert (desk.outbox.progress(lead_id).state, len(creating(box, since))) == (DELIVERED, 1)


def test_a_search_that_failed_once_after_a_day_off_is_no_decision(box, desk):
    """Killed while sending and switched off for thirty hours, then the list fails: it is searched for again, and found."""
    box.fault("cut_after", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    failing = box.fault("status", method="GET", path="/api/v4/leads", status=500)
    with desk.store.write() as db:
        db.execute(deliveries.update().values(sent_at=clock.now() - timedelta(hours=30), sent_theirs=None))
    make_due(desk)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == UNKNOWN
    failing.remove()
    make_due(desk)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED


def test_a_person_cannot_name_a_lead_that_is_not_there(box, desk):
    """An id that AmoCRM does not know is refused, and nothing changes."""
    box.fault("cut_before", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    with pytest.raises(SaidNo) as raised:
        desk.outbox.exists(lead_id, 1, "Анна")
    assert raised.value.code == "lead_not_there"
    assert desk.outbox.progress(lead_id).state == UNKNOWN


def test_a_decision_that_comes_too_late(box, desk):
    """What is delivered is delivered: dropping it now is refused."""
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    for decide in (desk.outbox.drop, desk.outbox.send_again, desk.outbox.look_again):
        with pytest.raises(Declined) as raised:
            decide(lead_id, "Анна")
        assert raised.value.code == "decided_meanwhile"


def test_a_dropped_lead_can_be_taken_back(box, desk):
    """Dropping is a person's choice with a name; so is sending it after all."""
    box.fault("status", path=CREATE, status=422, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    desk.outbox.drop(lead_id, "Пётр")
    assert desk.outbox.progress(lead_id).state == "dropped"
    desk.outbox.send_again(lead_id, "Анна")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert [tried.by for tried in report.story(desk.store, lead_id).tried if tried.by] == ["Анна", "Пётр"]


def test_replay_searches_first_for_what_may_be_there(box, desk):
    """Replaying all: refused leads are sent anew, undecided ones are searched for, nothing is doubled."""
    box.fault("status", path=CREATE, status=422, body_contains="79615550021")
    refused = desk.outbox.accept(NewLead("Отказная", "+79615550021"), "api")
    box.fault("cut_after", path=CREATE, times=1)
    cut = desk.outbox.accept(LEAD, "api")
    since = box.last_seq()
    desk.outbox.deliver_due()
    with desk.store.write() as db:
        db.execute(deliveries.update().where(deliveries.c.lead_id == cut).values(state=NEEDS_DECISION))
    box.clear_faults()
    assert desk.outbox.replay("Анна") == 2
    assert desk.outbox.progress(refused).state == QUEUED
    assert desk.outbox.progress(cut).state == UNKNOWN
    desk.outbox.deliver_due()
    assert {desk.outbox.progress(one).state for one in (refused, cut)} == {DELIVERED}
    assert len(added(box, since=since)) == 2
    assert row_of(desk, cut)["decided_by"] == "Анна"

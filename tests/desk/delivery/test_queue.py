"""The queue as a whole: what makes it wait, what lets it go on, who goes first, who holds what."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from desk.delivery import DELIVERED, QUEUED, REFUSED, SENDING, UNKNOWN, report
from desk.delivery.job import LeaseLost
from desk.delivery.pause import TRY_FOR_ALL_S
from desk.delivery.worker import LONGEST_HOLD_S, Heart
from desk.lead import NewLead
from store import clock
from store.tables import deliveries, known_fields, mapped_fields
from tests.desk.delivery.conftest import CREATE, LEAD, Rows, added, make_due, release, row_of
from tests.support.desks import desk_for

EVERYBODYS = {
    "402": ({"action": "status", "status": 402}, "unpaid"),
    "403 html": ({"action": "status", "status": 403, "html": True}, "blocked"),
    "403 json": ({"action": "status", "status": 403}, "rights_missing"),
    "429": ({"action": "status", "status": 429}, "rate_limited"),
    "code 244": (
        {"action": "status", "status": 400, "content_type": "application/problem+json",
         "body": '{"title": "Bad Request", "status": 400, "detail": "Код ошибки 244. Обратитесь в техническую поддержку."}'},
        "account_refuses",
    ),
    "401 html": ({"action": "status", "status": 401, "html": True}, "person_switched_off"),
    "302": ({"action": "status", "status": 302, "headers": {"Location": "/login"}}, "person_switched_off"),
    "a riddle": ({"action": "status", "status": 400, "body": '{"detail": "?"}'}, "unexpected_answer"),
    "no body": ({"action": "status", "status": 418}, "unexpected_answer"),
}  # fmt: skip


def several(desk, count):
    return [
        desk.outbox.accept(NewLead(f"Очередной {number}", f"+7961557{number:04}"), "api") for number in range(count)
    ]


@pytest.mark.parametrize("name", EVERYBODYS)
def test_what_keeps_one_out_keeps_all_waiting(box, desk, name):
    """One lead finds out, the others are not even tried; when it is over the queue goes on by itself, and nothing is lost."""
    fault, reason = EVERYBODYS[name]
    box.fault(path=CREATE, **fault)
    since = box.last_seq()
    ids = several(desk, 5)
    desk.outbox.deliver_due()
    assert [entry["path"] for entry in box.ledger("request", since=since)].count(CREATE) == 1
    assert {desk.outbox.progress(lead_id).state for lead_id in ids} == {QUEUED}
    assert report.pause(desk.store).reason == reason
    box.clear_faults()
    desk.outbox.deliver_due()
    assert report.pause(desk.store) is not None  # its time has not come
    if reason == "person_switched_off":
        desk.connection.refresh_now()  # which the keeper does by itself after a minute: is the person let in again?
    make_due(desk)
    desk.outbox.deliver_due()
    assert report.pause(desk.store) is None
    assert {desk.outbox.progress(lead_id).state for lead_id in ids} == {DELIVERED}
    assert len(added(box, since=since)) == 5


def test_a_dead_connection_pauses_and_a_new_one_resumes_at_once(box, desk):
    """Revoked: the queue waits with the reason; connected again, it goes on without waiting for its time."""
    box.revoke_tokens()
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    pause = report.pause(desk.store)
    assert pause.reason == "grant_revoked"
    assert desk.outbox.progress(lead_id).reason == "grant_revoked"
    desk.connection.adopt(box.grant()["refresh_token"])
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert report.pause(desk.store) is None


def test_an_amocrm_that_is_down_is_noticed_by_one(box, desk, monkeypatch):
    """Unreachable: one try for all at growing intervals; own failures are counted for none of them."""
    from crm.errors import NotSent

    real = desk.door.request

    def down(call, auth):
        raise NotSent("unreachable", operation=call.operation)

    monkeypatch.setattr(desk.door, "request", down)
    ids = several(desk, 4)
    for _ in range(6):
        desk.outbox.deliver_due()
        make_due(desk)
    assert [row_of(desk, lead_id)["failures"] for lead_id in ids] == [0, 0, 0, 0]
    assert sum(row_of(desk, lead_id)["attempts"] for lead_id in ids) == 6
    assert max(row_of(desk, lead_id)["attempts"] for lead_id in ids) == 2  # each time another one tries
    monkeypatch.setattr(desk.door, "request", real)
    desk.outbox.deliver_due()
    assert {desk.outbox.progress(lead_id).state for lead_id in ids} == {DELIVERED}


def test_one_lead_without_rights_does_not_stop_the_others(box, desk):
    """A 403 for one lead alone stops the queue once, until another lead gets through; then it is that lead's own."""
    box.fault("status", path=CREATE, status=403, body_contains="79615570000")
    ids = several(desk, 3)
    for _ in range(4):
        desk.outbox.deliver_due()
        make_due(desk)
    states = [desk.outbox.progress(lead_id).state for lead_id in ids]
    assert states == [REFUSED, DELIVERED, DELIVERED]
    assert report.pause(desk.store) is None


@pytest.mark.parametrize("count", [1, 3])
def test_rights_that_all_lack_refuse_no_lead(box, desk, count):
    """A 403 for whoever writes, however often it is tried: all wait, reading contacts wakes nobody, and when it is over all arrive."""
    box.fault("status", method="POST", path=CREATE, status=403)
    ids = several(desk, count)
    since = box.last_seq()
    for _ in range(5):
        desk.outbox.deliver_due()
        make_due(desk)
    assert {desk.outbox.progress(lead_id).state for lead_id in ids} == {QUEUED}
    assert [entry["path"] for entry in box.ledger("request", since=since)].count(CREATE) == 5
    box.clear_faults()
    desk.outbox.deliver_due()
    assert {desk.outbox.progress(lead_id).state for lead_id in ids} == {DELIVERED}


def test_the_operators_lead_goes_before_the_backlog(box, desk):
    """A lead somebody waits for is taken first, however long the others have been due."""
    several(desk, 5)
    live = desk.outbox.accept(LEAD, "desk")
    rows = Rows(desk.store, desk.connection.generation)
    assert rows.queue.take().lead_id == live


def test_one_phone_is_in_one_pair_of_hands(box, desk):
    """Two leads of one new person at once make one contact: the second waits for the first."""
    desk.outbox.accept(LEAD, "api")
    desk.outbox.accept(LEAD, "api")
    since = box.last_seq()
    rows = Rows(desk.store, desk.connection.generation)
    first = rows.queue.take()
    assert rows.queue.take() is None
    release(desk, first.lead_id)
    desk.outbox.deliver_due()
    assert len(added(box, "contacts", since)) == 1
    assert len(added(box, since=since)) == 2


def test_a_phone_is_not_held_up_for_long(box, desk):
    """A lead of unknown fate holds up later ones of its phone for ten minutes, not for as long as the search fails; one contact."""
    since = box.last_seq()
    box.fault("cut_after", path=CREATE, times=1)
    box.fault("status", method="GET", path="/api/v4/leads", status=500)
    first, second = (desk.outbox.accept(LEAD, "api") for _ in range(2))
    for older_by_s in (0, 300, 250):
        desk.outbox.deliver_due()
        make_due(desk, older_by_s=older_by_s)
        assert [desk.outbox.progress(one).state for one in (first, second)] == [UNKNOWN, QUEUED]
    make_due(desk, older_by_s=60)
    desk.outbox.deliver_due()
    assert [desk.outbox.progress(one).state for one in (first, second)] == [UNKNOWN, DELIVERED]
    assert len(added(box, "contacts", since)) == 1


def test_a_lead_that_backs_off_holds_up_no_later_one_of_its_phone(box, desk):
    """The note of one fails again and again; the next lead of the same person arrives at once."""
    box.fault("status", method="POST", path="/api/v4/leads/*/notes", status=500, times=1)
    first = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    second = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert [desk.outbox.progress(one).state for one in (first, second)] == [QUEUED, DELIVERED]


def test_one_that_tries_for_all_keeps_its_turn_by_its_heartbeat(box, desk):
    """The queue waits: while the one that tries shows signs of life no other one tries; one that is frozen holds the queue for seconds."""
    box.fault("status", path=CREATE, status=402, times=1)
    several(desk, 3)
    desk.outbox.deliver_due()
    make_due(desk)
    rows = Rows(desk.store, desk.connection.generation)
    with ExitStack() as later:
        held = rows.queue.take()
        for _ in range(5):
            later.enter_context(clock.moved(timedelta(seconds=10)))
            assert rows.queue.extend([(held.lead_id, held.lease, True)]) == {(held.lead_id, held.lease)}
            assert rows.queue.take() is None
        later.enter_context(clock.moved(timedelta(seconds=TRY_FOR_ALL_S + 0.1)))
        assert rows.queue.take() is not None
    assert TRY_FOR_ALL_S <= 15


def test_a_lead_that_was_let_go_gets_no_lease_from_a_late_heartbeat(box, desk):
    """Its failure is written down and the heartbeat that began before comes after: it is free, and due when it said."""
    lead_id = desk.outbox.accept(LEAD, "api")
    rows = Rows(desk.store, desk.connection.generation)
    held = rows.queue.take()
    release(desk, held.lead_id)
    assert rows.queue.extend([(held.lead_id, held.lease, False)]) == set()
    assert row_of(desk, lead_id)["lease_until"] == 0.0


def test_a_hold_that_does_not_get_on_is_renewed_no_more(box, desk):
    """A call that hangs: its lease is renewed while the lead gets on, and not longer; nothing is written for it then."""
    desk.outbox.accept(LEAD, "api")
    rows = Rows(desk.store, desk.connection.generation)
    passed = [0.0]
    heart = Heart(rows.queue, monotonic=lambda: passed[0])
    held = rows.queue.take()
    with heart.holding(held.lead_id, held.lease):
        for _ in range(3):
            passed[0] += LONGEST_HOLD_S - 1
            assert heart._beat_once()
            assert heart.still_holds(held.lead_id, held.lease)
            heart.gets_on(held.lead_id, held.lease)
        passed[0] += LONGEST_HOLD_S + 1
        assert heart._beat_once()
        assert not heart.still_holds(held.lead_id, held.lease)
    assert not heart._beat_once()


def test_a_dead_token_of_the_settings_is_not_asked_for_all_the_time(box, store_url, tmp_path):
    """A long-lived token that AmoCRM refuses: tried after 1, 5 and 15 minutes; another token ends the wait at once."""
    alive = box.grant()["access_token"]
    more = {"DATABASE_URL": store_url, "SECRET_KEY": "k" * 40}
    with desk_for(box, tmp_path, connected=False, AMOCRM_ACCESS_TOKEN=f"{alive}x", **more) as desk:
        lead_id = desk.outbox.accept(LEAD, "api")
        since = box.last_seq()
        with ExitStack() as later:
            for pause_s in (60, 300, 900, 900):
                desk.outbox.deliver_due()
                asked = len(box.ledger("request", since=since))
                later.enter_context(clock.moved(timedelta(seconds=pause_s - 2)))
                desk.outbox.deliver_due()
                assert (report.pause(desk.store).reason, len(box.ledger("request", since=since))) == (
                    "token_rejected",
                    asked,
                )
                later.enter_context(clock.moved(timedelta(seconds=4)))
        desk.outbox.deliver_due()
    with desk_for(box, tmp_path, connected=False, AMOCRM_ACCESS_TOKEN=alive, **more) as desk:
        desk.outbox.deliver_due()
        assert desk.outbox.progress(lead_id).state == DELIVERED


def test_a_field_that_became_another_one_loses_no_lead(box, desk):
    """An added text field is numeric by now: whether the desk knows that yet or not, the lead arrives and the words are in the note."""
    admin, url = box.session(), f"{box.url}/api/v4/leads/custom_fields"

    def made(kind):
        answer = admin.post(url, json=[{"name": "Цель", "type": kind}], timeout=60)
        return answer.json()["_embedded"]["custom_fields"][0]["id"]

    text_id, number_id = made("text"), made("numeric")
    desk.fields.refresh(desk.client)
    key = desk.fields.add("leads", text_id, "Цель")
    with desk.store.write() as db:  # the same field, and AmoCRM has changed its type
        db.execute(mapped_fields.update().where(mapped_fields.c.key == key).values(field_id=number_id))
    desk.fields.refresh(desk.client)
    known = desk.outbox.accept(replace(LEAD, extra={key: "похудеть"}), "api")
    with desk.store.write() as db:
        db.execute(known_fields.update().where(known_fields.c.field_id == number_id).values(type="text"))
    unknown = desk.outbox.accept(replace(LEAD, extra={key: "похудеть"}), "api")
    fitting = desk.outbox.accept(replace(LEAD, extra={key: "5"}), "api")
    for _ in range(3):
        desk.outbox.deliver_due()
        make_due(desk)
    for lead_id, told in ((known, True), (unknown, True), (fitting, False)):
        progress = desk.outbox.progress(lead_id)
        assert progress.state == DELIVERED
        texts = [one["params"]["text"] for one in box.entities("notes") if one["entity_id"] == progress.amo_lead_id]
        assert ("Цель: похудеть" in "".join(texts)) is told


@pytest.mark.parametrize("values", [5, None, "x", {}, [5], [{"value": 5}], [{}]])
def test_an_odd_contact_among_the_hits_keeps_no_lead_out(box, desk, values):
    """AmoCRM's search brings a contact whose field has no list of values: it is nobody's, and the lead arrives."""
    odd = {
        "id": 5,
        "updated_at": "yesterday",
        "custom_fields_values": [{"field_code": "PHONE", "field_id": 1, "values": values}, 7],
    }
    body = json.dumps({"_embedded": {"contacts": [odd, {"id": 6, "custom_fields_values": 5}]}})
    box.fault("status", method="GET", path="/api/v4/contacts", status=200, body=body)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED


def test_a_phone_seen_before_needs_two_requests(box, desk):
    """The phonebook knows the contact: create and note. A stranger costs three."""
    desk.outbox.accept(LEAD, "api")
    desk.fields.ensure_marker(desk.client)
    since = box.last_seq()
    desk.outbox.deliver_due()
    assert len(box.ledger("request", since=since)) == 3
    since = box.last_seq()
    desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert len(box.ledger("request", since=since)) == 2


def test_a_contact_that_is_gone_is_looked_up_anew(box, desk):
    """The phonebook names a contact that AmoCRM no longer has: forgotten, looked up, delivered; one lead."""
    first = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    box.edit("delete", "contacts", id=desk.outbox.progress(first).contact_id)
    since = box.last_seq()
    second = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(second).state == DELIVERED
    assert len(added(box, since=since)) == 1


def test_a_field_that_is_gone_is_noticed_by_itself(box, desk):
    """Somebody has deleted the source field in AmoCRM: the desk reads the fields again and loses nothing."""
    box.session().delete(f"{box.url}/api/v4/leads/custom_fields/264915", timeout=60)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    note = next(
        note for note in box.entities("notes") if note["entity_id"] == desk.outbox.progress(lead_id).amo_lead_id
    )
    assert note["params"]["text"] == f"{LEAD.message}\nИсточник: Сайт"


def test_a_choice_that_is_gone_refuses_no_lead(box, desk):
    """Somebody has renamed a choice in AmoCRM: the desk reads the fields again, and what was said stands in the note."""
    admin, url = box.session(), f"{box.url}/api/v4/leads/custom_fields"
    choices = [{"value": "Йога", "sort": 1}, {"value": "Бокс", "sort": 2}]
    answer = admin.post(url, json=[{"name": "Занятие", "type": "select", "enums": choices}], timeout=60)
    made = answer.json()["_embedded"]["custom_fields"][0]
    desk.fields.refresh(desk.client)
    desk.fields.choose("direction", made["id"])
    renamed = [{**made["enums"][0], "value": "Йога и пилатес"}, made["enums"][1]]
    assert admin.patch(f"{url}/{made['id']}", json={"enums": renamed}, timeout=60).ok
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    progress = desk.outbox.progress(lead_id)
    assert progress.state == DELIVERED
    note = next(note for note in box.entities("notes") if note["entity_id"] == progress.amo_lead_id)
    assert "Йога" in note["params"]["text"]


def test_a_refused_lead_names_its_field_and_can_be_repaired(box, desk):
    """AmoCRM's path is turned into the name of our field; corrected, the lead arrives once."""
    path = "custom_fields_values.1.values.0.value"
    body = {"status": 400, "detail": "Request validation failed", "validation-errors": [
        {"request_id": "0", "errors": [{"code": "NotSupportedChoice", "path": path, "detail": "x"}]}]}  # fmt: skip
    box.fault("status", path=CREATE, status=400, body=json.dumps(body), times=2)
    lead_id = desk.outbox.accept(LEAD, "api")
    since = box.last_seq()
    desk.outbox.deliver_due()
    progress = desk.outbox.progress(lead_id)
    assert (progress.state, progress.refusals) == (REFUSED, ((path, "NotSupportedChoice", "direction"),))
    desk.outbox.repair(lead_id, NewLead(LEAD.name, LEAD.phone, "Бокс", LEAD.source, LEAD.message), "Анна")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, since=since)) == 1


def test_a_note_of_unknown_fate_is_not_put_twice(box, desk):
    """The line was cut after the note was made: it is looked for and found."""
    box.fault("cut_after", path="/api/v4/leads/*/notes", times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    since = box.last_seq()
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == QUEUED
    make_due(desk)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, "notes", since)) == 1


def test_a_note_that_could_not_be_looked_for_stays_unsure(box, desk):
    """The line was cut after the note was made, and then the list of notes fails: it is looked for again before it is put."""
    box.fault("cut_after", method="POST", path="/api/v4/leads/*/notes", times=1)
    lead_id = desk.outbox.accept(LEAD, "desk")
    since = box.last_seq()
    desk.outbox.deliver_due()
    failing = box.fault("status", method="GET", path="/api/v4/leads/*/notes", status=500)
    make_due(desk)
    desk.outbox.deliver_due()
    failing.remove()
    make_due(desk)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, "notes", since)) == 1


DENIED = {
    "not found": {"status": 404},
    "no such entity": {"status": 400, "body": json.dumps({"status": 400, "detail": "Request validation failed", "validation-errors": [
        {"request_id": "0", "errors": [{"code": "NotSupportedChoice", "path": "entity_id", "detail": "x"}]}]})},
}  # fmt: skip


@pytest.mark.parametrize("tries", [1, 2])
@pytest.mark.parametrize("name", DENIED)
def test_a_note_is_not_given_up_while_its_lead_is_there(box, desk, name, tries):
    """AmoCRM denies a lead it has just made: the message is not dropped, it is put when AmoCRM sees the lead."""
    box.fault("status", method="POST", path="/api/v4/leads/*/notes", times=tries, **DENIED[name])
    lead_id = desk.outbox.accept(LEAD, "api")
    since = box.last_seq()
    for _ in range(3):
        desk.outbox.deliver_due()
        make_due(desk)
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box, "notes", since)) == 1


def test_a_lead_thrown_away_in_amocrm_ends_its_delivery(box, desk):
    """Somebody puts the lead into the bin before its note arrives: it has arrived, and there is nothing more to do."""
    box.fault("status", path="/api/v4/leads/*/notes", status=500, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    box.edit("delete", "leads", id=desk.outbox.progress(lead_id).amo_lead_id)
    make_due(desk)
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED


def test_a_late_worker_touches_nothing(box, desk):
    """A worker whose lead was taken over cannot change it any more."""
    lead_id = desk.outbox.accept(LEAD, "api")
    rows = Rows(desk.store, desk.connection.generation)
    late = rows.queue.take()
    with desk.store.write() as db:
        db.execute(deliveries.update().values(lease_until=0.0))
    newer = rows.queue.take()
    assert newer.lease > late.lease
    with pytest.raises(LeaseLost):
        rows.record.sending(late, contact_id=None, marker_field=None, attempt=None)
    with pytest.raises(LeaseLost):
        rows.record.delivered(late)
    assert row_of(desk, lead_id)["state"] == QUEUED


def test_a_worker_that_died_while_sending_leaves_an_unknown_lead(box, desk):
    """Its lease is over: nobody knows whether the request left, so it is searched for."""
    lead_id = desk.outbox.accept(LEAD, "api")
    rows = Rows(desk.store, desk.connection.generation)
    rows.record.sending(rows.queue.take(), contact_id=None, marker_field=None, attempt=None)
    assert row_of(desk, lead_id)["state"] == SENDING
    with desk.store.write() as db:
        db.execute(deliveries.update().values(lease_until=0.0))
    assert rows.queue.take() is None
    assert (row_of(desk, lead_id)["state"], row_of(desk, lead_id)["reason"]) == (UNKNOWN, "worker_died")


def test_a_turn_that_comes_too_late_sends_nothing(box, desk, monkeypatch):
    """A worker that was frozen longer than its lease may hold does not send what another one may have taken over."""
    monkeypatch.setattr("desk.delivery.worker.SEND_WITHIN_S", -1.0)
    since = box.last_seq()
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    progress = desk.outbox.progress(lead_id)
    assert (progress.state, progress.reason) == (QUEUED, "too_late_to_send")
    assert added(box, since=since) == []


def test_many_workers_deliver_each_lead_once(box, desk):
    """Eight threads over forty leads: forty leads in AmoCRM, none twice, none left."""
    ids = several(desk, 40)
    desk.fields.ensure_marker(desk.client)
    since = box.last_seq()
    threads = [threading.Thread(target=desk.outbox.deliver_due) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {desk.outbox.progress(lead_id).state for lead_id in ids} == {DELIVERED}
    assert len(added(box, since=since)) == 40
    # That all of them together keep the pace is measured alone (tests/crm/test_client.py): on a busy machine what leaves evenly
    # arrives in bunches.


def test_history_and_times_are_told(box, desk):
    """Every try of every step stands in the history; p50 and p95 are counted from accepted to in AmoCRM."""
    box.fault("status", path=CREATE, status=429, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    make_due(desk)
    desk.outbox.deliver_due()
    tried = [(one.step, one.result, one.status) for one in reversed(report.story(desk.store, lead_id).tried)]
    assert tried == [
        ("contact", "ok", None), ("lead", "rate_limited", 429),
        ("contact", "ok", None), ("lead", "ok", 200), ("note", "ok", 200),
    ]  # fmt: skip
    times = report.times(desk.store)
    assert times.count == 1
    assert 0 < times.p50_s <= times.p95_s
    assert report.strange(desk.store) == []


def test_a_strange_failure_is_told(box, desk):
    """An answer nobody has thought of ends as unknown and is reported by its code."""
    box.fault("status", path=CREATE, status=299, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == UNKNOWN
    assert report.strange(desk.store) == ["unexpected_answer"]


def test_a_strange_refusal_is_told_while_all_wait(box, desk):
    """A refusal nobody has thought of keeps the queue waiting, and its code is reported."""
    box.fault("status", path=CREATE, status=418, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert (desk.outbox.progress(lead_id).state, report.pause(desk.store).reason) == (QUEUED, "unexpected_answer")
    assert report.strange(desk.store) == ["unexpected_answer"]


@pytest.mark.parametrize(
    "body", ['{"detail": "Код ошибки 244."}', '{"detail": "?"}', None], ids=["244", "riddle", "rights"]
)
def test_one_lead_that_is_refused_for_itself_does_not_keep_the_others(box, desk, body):
    """What seemed to be the account's trouble and lets all others through is one lead's own: it goes to a person."""
    more = {"status": 400, "body": body} if body else {"status": 403}
    box.fault("status", path=CREATE, body_contains="79615570000", **more)
    ids = several(desk, 3)
    for _ in range(8):
        desk.outbox.deliver_due()
        make_due(desk)
    states = [desk.outbox.progress(lead_id).state for lead_id in ids]
    assert states == [REFUSED, DELIVERED, DELIVERED]


def test_reading_well_does_not_end_a_refusal_of_writing(box, desk):
    """The account may still read while it may not write: no read lets the queue go on."""
    box.fault("status", path=CREATE, status=400, body='{"detail": "Код ошибки 244."}')
    desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    Rows(desk.store, desk.connection.generation).pause.lift(by_reading=True)
    assert report.pause(desk.store).reason == "account_refuses"

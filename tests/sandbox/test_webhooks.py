"""Webhooks: subscriptions, bodies as AmoCRM spells them, retries, losses, switching off."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from sandbox.club.account import ACCOUNT_ID
from sandbox.club.structure import ADMIN_ID, CORPORATE, MANAGERS, SALES, WORKING
from sandbox.hooks import retrying
from sandbox.process import Sandbox, wait_until
from tests.sandbox.conftest import Api, errors
from tests.sandbox.receiver import Receiver

FIRST = WORKING[SALES][0]
LEAD_SETTINGS = [
    "add_lead",
    "update_lead",
    "delete_lead",
    "restore_lead",
    "status_lead",
    "responsible_lead",
    "note_lead",
]


def subscribe(api: Api, receiver: Receiver, *settings: str) -> dict[str, Any]:
    """The subscription of a receiver."""
    answer = api.post("webhooks", {"destination": receiver.url, "settings": list(settings)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def hooks(box: Sandbox, count: int, **wanted: Any) -> list[dict[str, Any]]:
    """The ledger's delivery attempts, once there are so many."""
    wait_until(lambda: len(box.ledger("hook", **wanted)) >= count, deadline_s=20, what=f"{count} attempts")
    return box.ledger("hook", **wanted)


# ── Subscriptions ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_settings_are_an_object_when_posted_and_a_list_when_read(api: Api, receiver: Receiver) -> None:
    """Seen live, and a list has neither links nor pages."""
    made = subscribe(api, receiver, "add_lead", "update_lead")
    assert made["settings"] == {"add_lead": 1, "update_lead": 1}
    assert list(made) == [
        "id",
        "destination",
        "created_at",
        "updated_at",
        "account_id",
        "created_by",
        "sort",
        "disabled",
        "settings",
    ]
    listed = api.get("webhooks").json()
    assert set(listed) == {"_total_items", "_embedded"}
    assert listed["_embedded"]["webhooks"][0]["settings"] == ["add_lead", "update_lead"]


def test_subscribing_again_is_the_same_subscription(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """One destination, one id; settings replaced, or merged by switch."""
    first = subscribe(api, receiver, "add_lead")
    again = subscribe(api, receiver, "update_lead")
    assert (again["id"], again["created_at"]) == (first["id"], first["created_at"])
    assert again["settings"] == {"update_lead": 1}
    box.config(webhook_settings="merge")
    assert subscribe(api, receiver, "add_lead")["settings"] == {"add_lead": 1, "update_lead": 1}
    assert box.count("webhooks") == 1


def test_unsubscribing_needs_the_very_destination(api: Api, receiver: Receiver) -> None:
    """204, then 404; the list is filtered by destination."""
    subscribe(api, receiver, "add_lead")
    assert api.get(f"webhooks?filter[destination]={receiver.url}").json()["_total_items"] == 1
    assert api.get("webhooks?filter[destination]=http://other").status_code == 204
    body = {"destination": receiver.url}
    assert [api.delete("webhooks", body).status_code for _ in range(2)] == [204, 404]


@pytest.mark.parametrize(
    "destination", ["http://no-such-host.invalid/x", "not a url", "ftp://127.0.0.1/x", "http:///x", ""]
)
def test_destination_must_have_an_address(api: Api, destination: str) -> None:
    """The Symfony constraint's own UUID as the code, and a doubled path."""
    answer = api.post("webhooks", {"destination": destination, "settings": ["add_lead"]})
    assert errors(answer) == [("", "57c2f299-1154-4870-89bb-ef3b1f5ad229", "destination.destination")]
    assert answer.json()["validation-errors"][0]["errors"][0]["detail"] == "Invalid URL"


def test_dns_is_not_asked_by_switch(box: Sandbox, api: Api) -> None:
    """An unknown host passes then."""
    box.config(destination_dns_check=False)
    assert (
        api.post("webhooks", {"destination": "http://no-such-host.invalid/x", "settings": ["add_lead"]}).status_code
        == 200
    )


def test_unknown_settings_are_refused(api: Api, receiver: Receiver) -> None:
    """By position; none at all is missing."""
    body = {"destination": receiver.url, "settings": ["add_lead", "add_everything"]}
    assert errors(api.post("webhooks", body)) == [("", "NotSupportedChoice", "settings.1")]
    assert errors(api.post("webhooks", body | {"settings": []})) == [("", "FieldMissing", "settings")]


# ── Bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_added_lead_looks_like_the_captured_body(api: Api, receiver: Receiver) -> None:
    """PHP brackets, percent-encoded, every value a string, keys in the captured order, the account first."""
    subscribe(api, receiver, "add_lead")
    lead = api.lead(name="Привет мир", price=34343)
    (told,) = receiver.wait_for(1)
    assert (told.method, told.headers["Content-Type"]) == ("POST", "application/x-www-form-urlencoded")
    assert told.body.startswith("account%5Bsubdomain%5D=fitzone&account%5Bid%5D=")
    assert f"&leads%5Badd%5D%5B0%5D%5Bid%5D={lead}&leads%5Badd%5D%5B0%5D%5Bname%5D=%D0%9F" in told.body
    item = told.tree["leads"]["add"]["0"]
    assert list(item) == [
        "id", "name", "status_id", "price", "responsible_user_id", "last_modified", "modified_user_id",
        "created_user_id", "date_create", "pipeline_id", "account_id", "created_at", "updated_at",
    ]  # fmt: skip
    assert (item["name"], item["price"], item["responsible_user_id"]) == ("Привет мир", "34343", str(ADMIN_ID))
    assert list(told.tree) == ["account", "leads"]
    assert told.tree["account"]["id"] == str(ACCOUNT_ID)
    assert told.tree["account"]["subdomain"] == "fitzone"


def test_a_move_is_an_update_and_a_status(api: Api, receiver: Receiver) -> None:
    """Two bodies, the second with what was before; the old pipeline only if it changed."""
    subscribe(api, receiver, *LEAD_SETTINGS)
    lead = api.lead(name="x")
    api.patch(f"leads/{lead}", {"status_id": WORKING[SALES][1]})
    api.patch(f"leads/{lead}", {"pipeline_id": CORPORATE, "status_id": 142, "responsible_user_id": MANAGERS[0]})
    trees = [told.tree["leads"] for told in receiver.wait_for(6)]
    assert [next(iter(tree)) for tree in trees] == ["add", "update", "status", "update", "status", "responsible"]
    assert trees[2]["status"]["0"]["old_status_id"] == str(FIRST)
    assert "old_pipeline_id" not in trees[2]["status"]["0"]
    assert trees[4]["status"]["0"]["old_pipeline_id"] == str(SALES)
    assert trees[5]["responsible"]["0"]["old_responsible_user_id"] == str(ADMIN_ID)


def test_one_body_can_hold_several_leads_and_several_actions(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """A batch is one body of one action; by switch everything a request changed is one body."""
    subscribe(api, receiver, *LEAD_SETTINGS)
    ids = api.made("leads", {"name": "a"}, {"name": "b"})
    added = receiver.wait_for(1)[0].tree["leads"]["add"]
    assert [item["id"] for item in added.values()] == [str(id_) for id_ in ids]
    box.config(hook_one_body=True)
    api.patch("leads", [{"id": id_, "status_id": 142} for id_ in ids])
    tree = receiver.wait_for(2)[1].tree["leads"]
    assert {action: len(items) for action, items in tree.items()} == {"update": 2, "status": 2}


def test_field_values_have_their_oddities(api: Api, receiver: Receiver) -> None:
    """Dates are bare scalars, a radiobutton is an object, a checkbox is 1, the rest are lists of objects."""
    subscribe(api, receiver, "add_lead")
    api.lead(
        custom_fields_values=[
            {"field_id": 264927, "values": [{"value": 1634601600}]},
            {"field_id": 264935, "values": [{"enum_id": 566561}]},
            {"field_id": 264933, "values": [{"value": True}]},
            {"field_id": 264923, "values": [{"value": "Год"}]},
            {"field_id": 264911, "values": [{"value": "+7"}]},
        ]
    )
    item = receiver.wait_for(1)[0].tree["leads"]["add"]["0"]
    fields = {field["id"]: field["values"] for field in item["custom_fields"].values()}
    assert fields == {
        "264927": {"0": "1634590800"},
        "264935": {"value": "Группа", "enum": "566561"},
        "264933": {"0": {"value": "1"}},
        "264923": {"0": {"value": "Год", "enum": "566549"}},
        "264911": {"0": {"value": "+7"}},
    }
    keys = list(item)
    assert keys.index("custom_fields") < keys.index("created_at")


def test_people_share_a_key(api: Api, receiver: Receiver) -> None:
    """Contacts and companies are both `contacts`, told apart by `type`; a phone's kind is its number."""
    subscribe(api, receiver, "add_contact", "update_contact", "delete_contact", "add_company")
    lead = api.lead(name="x")
    phone = {"field_code": "PHONE", "values": [{"value": "+7", "enum_code": "MOB"}]}
    birthday = {"field_id": 264919, "values": [{"value": 316_000_000}]}
    (person,) = api.made("contacts", {"name": "А", "custom_fields_values": [phone, birthday]})
    api.post(f"leads/{lead}/link", [{"to_entity_id": person, "to_entity_type": "contacts"}])
    api.patch(f"contacts/{person}", {"responsible_user_id": MANAGERS[0]})
    api.made("companies", {"name": "Б"})
    added, updated, company = (told.tree["contacts"] for told in receiver.wait_for(3))
    item = added["add"]["0"]
    assert item["type"] == "contact"
    assert item["custom_fields"]["0"] == {
        "id": "264911", "name": "Телефон", "values": {"0": {"value": "+7", "enum": "566505"}}, "code": "PHONE",
    }  # fmt: skip
    assert item["custom_fields"]["1"]["values"] == {"0": {"value": "06.01.1980"}}
    assert updated["update"]["0"]["old_responsible_user_id"] == str(ADMIN_ID)
    assert updated["update"]["0"]["linked_leads_id"] == {str(lead): {"ID": str(lead)}}
    assert company["add"]["0"]["type"] == "company"


def test_deletion_tells_little(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """Of a lead id, status and pipeline; of a person id and type; restoring tells all again."""
    subscribe(api, receiver, "delete_lead", "restore_lead", "delete_contact")
    lead, person = api.lead(name="x"), api.made("contacts", {"name": "y"})[0]
    box.edit("delete", id=lead)
    box.edit("delete", "contacts", id=person)
    box.edit("restore", id=lead)
    gone, person_gone, back = (told.tree for told in receiver.wait_for(3))
    assert gone["leads"]["delete"]["0"] == {"id": str(lead), "status_id": str(FIRST), "pipeline_id": str(SALES)}
    assert person_gone["contacts"]["delete"]["0"] == {"id": str(person), "type": "contact"}
    assert back["leads"]["restore"]["0"]["name"] == "x"


def test_notes_and_tasks_are_told(api: Api, receiver: Receiver) -> None:
    """With AmoCRM's own spelling of "attachement", numbers for types, the club's time for dates."""
    subscribe(api, receiver, "note_lead", "add_task", "update_task")
    lead = api.lead(name="x")
    api.made(f"leads/{lead}/notes", {"note_type": "common", "params": {"text": "привет"}})
    (task,) = api.made("tasks", {"text": "a", "complete_till": 1634601600, "entity_type": "leads", "entity_id": lead})
    api.patch(f"tasks/{task}", {"text": "b"})
    note, added, updated = (told.tree for told in receiver.wait_for(3))
    item = note["leads"]["note"]["0"]["note"]
    assert (item["text"], item["note_type"], item["element_type"], item["element_id"]) == (
        "привет",
        "4",
        "2",
        str(lead),
    )
    assert "attachement" in item
    assert json.loads(item["metadata"])
    shown = added["task"]["add"]["0"]
    assert (shown["complete_till"], shown["complete_before"]) == ("2021-10-19 03:00:00", "1634601600")
    assert (shown["element_type"], shown["status"]) == ("2", "0")
    assert updated["task"]["update"]["0"]["old_text"] == "a"


def test_incoming_leads_are_told(api: Api, receiver: Receiver) -> None:
    """Added with its source's data, deleted with what was decided."""
    subscribe(api, receiver, "add_unsorted", "delete_unsorted")
    form = {"form_id": "f", "form_name": "n", "form_page": "p", "form_sent_at": 1}
    body = [{"source_uid": "u", "source_name": "s", "metadata": form, "_embedded": {"leads": [{"name": "x"}]}}]
    (made,) = api.post("leads/unsorted/forms", body).json()["_embedded"]["unsorted"]
    api.delete(f"leads/unsorted/{made['uid']}/decline")
    added, gone = (told.tree["unsorted"] for told in receiver.wait_for(2))
    assert added["add"]["0"]["source_data"]["form_id"] == "f"
    assert gone["delete"]["0"]["action"] == "decline"
    assert gone["delete"]["0"]["decline_result"]["leads"]["0"] == str(made["_embedded"]["leads"][0]["id"])


def test_only_what_was_subscribed_and_only_what_was_carried_out(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """Own writes fire hooks; a refused request fires none; another setting hears nothing."""
    subscribe(api, receiver, "add_lead")
    api.made("contacts", {"name": "x"})
    api.post("leads", [{"name": "good"}, {"price": "bad"}])
    lead = api.lead(name="x")
    (told,) = receiver.wait_for(1)
    assert told.tree["leads"]["add"]["0"]["id"] == str(lead)
    (entry,) = hooks(box, 1)
    assert entry["outcome"] == "delivered"
    (request,) = [each for each in box.ledger("request") if each["seq"] == entry["request_seq"]]
    assert (request["method"], request["path"], request["status"]) == ("POST", "/api/v4/leads", 200)


# ── Retries and switching off ───────────────────────────────────────────────────────────────────────────────────────

MINUTES = {2: 5, 3: 15, 4: 15, 5: 60}


@pytest.mark.parametrize(
    ("status", "attempts"),
    [
        (200, 1),
        (100, 1),
        (299, 1),
        (300, 3),
        (302, 3),
        (404, 3),
        (0, 3),
        (99, 3),
        (499, 5),
        (500, 5),
        (599, 5),
        (600, 3),
    ],
)
def test_retry_table(status: int, attempts: int) -> None:
    """Three attempts for any bad answer, five for the receiver's own failures, at 5, 15, 15 and 60 minutes."""
    made, delays = 1, []
    while (delay := retrying.delay_before_next(made, status)) is not None:
        delays.append(delay)
        made += 1
    assert made == attempts
    assert delays == [60.0 * MINUTES[attempt] for attempt in range(2, attempts + 1)]


def test_failed_hooks_come_again_until_they_are_given_up(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """A receiver that fails gets the same body five times, in the documented rhythm, and then no more."""
    box.config(hook_time_scale=0.0002)
    receiver.status = 500
    subscribe(api, receiver, "add_lead")
    api.lead(name="x")
    assert len({told.body for told in receiver.wait_for(5)}) == 1
    attempts = hooks(box, 5)
    assert [entry["attempt"] for entry in attempts] == [1, 2, 3, 4, 5]
    assert [entry["outcome"] for entry in attempts] == ["failed"] * 4 + ["given up"]
    gaps = [later["at"] - earlier["at"] for earlier, later in pairwise(attempts)]
    for gap, minutes in zip(gaps, (5, 15, 15, 60), strict=True):
        assert gap >= minutes * 60 * 0.0002
    assert box.count("deliveries") == 0


def test_a_receiver_that_recovers_is_not_asked_again(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """The first good answer ends it."""
    box.config(hook_time_scale=0.0002)
    receiver.status = 404
    subscribe(api, receiver, "add_lead")
    api.lead(name="x")
    receiver.wait_for(1)
    receiver.status = 200
    assert [entry["outcome"] for entry in hooks(box, 2)] == ["failed", "delivered"]
    assert box.count("deliveries") == 0


def test_silence_counts_as_a_failure(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """No answer within the time the receiver has is status 0."""
    box.config(hook_timeout_s=0.2)
    receiver.status = None
    subscribe(api, receiver, "add_lead")
    api.lead(name="x")
    (entry,) = hooks(box, 1)
    assert (entry["status"], entry["outcome"]) == (0, "failed")


def test_unreachable_receiver_is_a_failure(box: Sandbox, api: Api) -> None:
    """Nobody listens: status 0, and a retry waits its five minutes."""
    api.post("webhooks", {"destination": "http://127.0.0.1:9/x", "settings": ["add_lead"]})
    api.lead(name="x")
    (entry,) = hooks(box, 1)
    assert (entry["status"], entry["outcome"]) == (0, "failed")
    (waiting,) = box.entities("deliveries")
    assert 290 < waiting["due_at"] - entry["at"] <= 301


def test_more_than_a_hundred_bad_answers_switch_a_hook_off(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """`disabled` is set, nothing more is sent, subscribing again does not help, an admin by hand does."""
    receiver.status = 500
    made = subscribe(api, receiver, "add_lead")
    for _ in range(101):
        api.lead(name="x")
    wait_until(lambda: api.items("webhooks")[0]["disabled"], deadline_s=30, what="switching off")
    attempts = len(box.ledger("hook"))
    assert attempts == 101
    assert subscribe(api, receiver, "add_lead")["disabled"] is True
    api.lead(name="unheard")
    assert box.count("deliveries") == 0
    receiver.status = 200
    box.edit("enable_hook", id=made["id"])
    api.lead(name="heard")
    assert hooks(box, attempts + 1)[-1]["outcome"] == "delivered"


def test_a_hundred_is_not_yet_too_many() -> None:
    """The rule says more than a hundred within two hours, older ones forgotten."""
    now = 10_000.0
    assert not retrying.should_switch_off([now] * 100, now, 1)
    assert retrying.should_switch_off([now] * 101, now, 1)
    assert not retrying.should_switch_off([now - 7201] * 50 + [now] * 60, now, 1)
    assert not retrying.should_switch_off([now - 10] * 101, now, 0.001)


# ── What a test lets go wrong ───────────────────────────────────────────────────────────────────────────────────────


def test_lost_hooks_are_in_the_ledger_only(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """Lost means never sent; the ledger knows of each."""
    box.config(hook_lose=1)
    subscribe(api, receiver, "add_lead")
    api.lead(name="x")
    (entry,) = hooks(box, 1)
    assert entry["outcome"] == "lost"
    assert receiver.received == []


def test_share_of_losses_is_seeded(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """The same seed loses the same hooks."""

    def outcomes() -> list[str]:
        box.config(hook_lose=0.5, hook_seed=7, hook_hold=True)
        subscribe(api, receiver, "add_lead")
        since = box.last_seq()
        for _ in range(20):
            api.lead(name="x")
        return [entry["request_seq"] - since for entry in box.ledger("hook", since=since)]

    first = outcomes()
    assert 0 < len(first) < 20
    assert outcomes() == first


def test_doubled_hooks(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """The same body twice."""
    box.config(hook_duplicate=1)
    subscribe(api, receiver, "add_lead")
    api.lead(name="x")
    one, two = receiver.wait_for(2)
    assert one.body == two.body


def test_reordered_hooks(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """Of two changes the later one is told first."""
    box.config(hook_reorder=True)
    subscribe(api, receiver, "add_lead")
    first, second = api.lead(name="1"), api.lead(name="2")
    told = [entry.tree["leads"]["add"]["0"]["id"] for entry in receiver.wait_for(2)]
    assert told == [str(second), str(first)]


def test_held_hooks_come_late_and_in_order(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """While held nothing leaves; let go, everything leaves as it happened."""
    box.config(hook_hold=True)
    subscribe(api, receiver, "add_lead")
    ids = [api.lead(name="x") for _ in range(3)]
    assert box.count("deliveries") == 3
    assert receiver.received == []
    box.config(hook_hold=False)
    assert [told.tree["leads"]["add"]["0"]["id"] for told in receiver.wait_for(3)] == [str(id_) for id_ in ids]


def test_delayed_hooks(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """Each leaves no earlier than told."""
    box.config(hook_delay_s=0.3)
    subscribe(api, receiver, "add_lead")
    api.lead(name="x")
    receiver.wait_for(1)
    (request,) = box.ledger("request", path="/api/v4/leads")
    assert hooks(box, 1)[0]["at"] - request["at"] >= 0.3


def test_shuffled_hooks(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """Each waits for a time of its own, so their order is nobody's; without the switch they leave at once, in order."""
    subscribe(api, receiver, "add_lead")
    box.config(hook_shuffle_s=3600, hook_seed=5)
    for _ in range(12):
        api.lead(name="x")
    waiting = sorted(box.entities("deliveries"), key=lambda row: row["id"])
    dues = [row["due_at"] for row in waiting]
    assert len(dues) == 12
    assert dues != sorted(dues)
    assert max(dues) - min(dues) > 600
    box.config(hook_shuffle_s=0)
    told = api.lead(name="at once")
    assert receiver.wait_for(1)[0].tree["leads"]["add"]["0"]["id"] == str(told)

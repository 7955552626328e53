"""What hangs on cards: notes, calls, tasks, links."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.process import Sandbox
from tests.sandbox.conftest import Api, errors

COMMON = {"note_type": "common", "params": {"text": "Здравствуйте"}}


# ── Notes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_note_is_written_and_read_by_both_addresses(api: Api) -> None:
    """On the card's own address and on the collection's, with the answer of the sheet."""
    lead = api.lead(name="x")
    answer = api.post(f"leads/{lead}/notes", [COMMON | {"entity_id": 1}])
    (made,) = answer.json()["_embedded"]["notes"]
    assert list(made) == ["id", "entity_id", "request_id", "_links"]
    assert (made["entity_id"], made["request_id"]) == (lead, "0")
    assert made["_links"]["self"]["href"].endswith(f"/leads/{lead}/notes/{made['id']}")
    (second,) = api.made("leads/notes", COMMON | {"entity_id": lead})
    assert api.ids(f"leads/{lead}/notes") == [made["id"], second]
    shown = api.get(f"leads/notes/{second}").json()
    assert shown == api.get(f"leads/{lead}/notes/{second}").json()
    assert (shown["note_type"], shown["params"]) == ("common", {"text": "Здравствуйте"})


@pytest.mark.parametrize(
    ("note", "code", "path"),
    [
        ({"note_type": "common", "text": "beside"}, "FieldMissing", "params.text"),
        ({"params": {"text": "x"}}, "FieldMissing", "note_type"),
        ({"note_type": "invoice_paid", "params": {}}, "NotSupportedChoice", "note_type"),
        ({"note_type": "call_in", "params": {"uniq": "1", "duration": 1, "source": "s", "link": ""}}, "FieldMissing", "params.phone"),
    ],
)  # fmt: skip
def test_bad_notes_are_refused(api: Api, note: dict[str, Any], code: str, path: str) -> None:
    """A text outside `params` is missing; types AmoCRM keeps to itself are no choice."""
    assert errors(api.post(f"leads/{api.lead(name='x')}/notes", [note])) == [("0", code, path)]


def test_note_needs_a_card(api: Api) -> None:
    """Without one: missing; with an unknown one: no choice."""
    assert errors(api.post("leads/notes", [COMMON, COMMON | {"entity_id": 1}])) == [
        ("0", "FieldMissing", "entity_id"),
        ("1", "NotSupportedChoice", "entity_id"),
    ]


def test_notes_change_and_are_filtered(api: Api) -> None:
    """PATCH of one and of many; filters by id, type, card."""
    lead = api.lead(name="x")
    one, two = api.made(f"leads/{lead}/notes", COMMON, {"note_type": "sms_in", "params": {"text": "a", "phone": "1"}})
    answer = api.patch(f"leads/{lead}/notes/{one}", {"note_type": "common", "params": {"text": "Иначе"}}).json()
    assert list(answer) == ["id", "entity_id", "updated_at", "_links"]
    api.patch("leads/notes", [{"id": two, "note_type": "sms_in", "params": {"text": "b", "phone": "1"}}])
    assert [item["params"]["text"] for item in api.items(f"leads/{lead}/notes")] == ["Иначе", "b"]
    assert api.ids(f"leads/{lead}/notes?filter[note_type][]=sms_in") == [two]
    assert sorted(api.ids(f"leads/notes?filter[entity_id]={lead}&limit=250")) == [one, two]
    assert api.ids(f"leads/notes?filter[id]={one}") == [one]


def test_pinning_answers_204(api: Api) -> None:
    """Pin and unpin; an unknown note is 404."""
    (note,) = api.made(f"leads/{api.lead(name='x')}/notes", COMMON)
    assert api.post(f"leads/notes/{note}/pin", {}).status_code == 204
    assert api.post(f"leads/notes/{note}/unpin", None).status_code == 204
    assert api.post("leads/notes/1/pin", None).status_code == 404


def test_a_calls_uniq_is_no_key(box: Sandbox, api: Api) -> None:
    """The same call twice is two notes."""
    lead = api.lead(name="x")
    call = {"uniq": "same", "duration": 5, "source": "s", "link": "", "phone": "1"}
    for _ in range(2):
        api.made(f"leads/{lead}/notes", {"note_type": "call_in", "params": call})
    assert len(api.ids(f"leads/{lead}/notes")) == 2


def test_calls_find_a_card_by_the_last_ten_digits_companies_first(api: Api) -> None:
    """POST /calls attaches itself to a company that has the number, else to a contact, else nowhere."""

    def call(phone: str) -> Any:
        body = {"direction": "inbound", "uniq": "u", "duration": 1, "source": "s", "link": "", "phone": phone}
        return api.post("calls", [body])

    phones = [{"field_code": "PHONE", "values": [{"value": "8 (900) 111-22-33"}]}]
    person = api.made("contacts", {"name": "x", "custom_fields_values": phones})[0]
    made = call("+79001112233").json()["_embedded"]["calls"][0]
    assert (made["entity_type"], made["entity_id"]) == ("contact", person)
    company = api.made("companies", {"name": "x", "custom_fields_values": phones})[0]
    made = call("+79001112233").json()["_embedded"]["calls"][0]
    assert (made["entity_type"], made["entity_id"]) == ("company", company)
    answer = call("+79990009988")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"] == "Entity not found"


# ── Tasks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_task_lives_and_is_done(api: Api) -> None:
    """Created for a lead it shows as its closest task; done, its result turns from a list into an object."""
    lead = api.lead(name="x")
    answer = api.post(
        "tasks", [{"text": "Позвонить", "complete_till": 2_000_000_000, "entity_type": "leads", "entity_id": lead}]
    )
    (made,) = answer.json()["_embedded"]["tasks"]
    assert list(made) == ["id", "updated_at", "request_id", "_links"]
    shown = api.get(f"tasks/{made['id']}").json()
    assert (shown["is_completed"], shown["result"], shown["task_type_id"]) == (False, [], 1)
    assert api.get(f"leads/{lead}").json()["closest_task_at"] == 2_000_000_000
    api.patch(f"tasks/{made['id']}", {"is_completed": True, "result": {"text": "Дозвонились"}})
    shown = api.get(f"tasks/{made['id']}").json()
    assert (shown["is_completed"], shown["result"]) == (True, {"text": "Дозвонились"})
    assert api.get(f"leads/{lead}").json()["closest_task_at"] is None


def test_tasks_need_text_and_deadline(api: Api) -> None:
    """Both are named when missing; an unknown card and type are no choice."""
    answer = api.post(
        "tasks", [{}, {"text": "x", "complete_till": 1, "entity_type": "leads", "entity_id": 1, "task_type_id": 99}]
    )
    assert errors(answer) == [
        ("0", "FieldMissing", "text"),
        ("0", "FieldMissing", "complete_till"),
        ("1", "NotSupportedChoice", "task_type_id"),
        ("1", "NotSupportedChoice", "entity_id"),
    ]


def test_tasks_are_filtered(box: Sandbox, api: Api) -> None:
    """Done or not, by card, by person."""
    rows = box.entities("tasks")
    done = {row["id"] for row in rows if row["is_completed"]}
    assert set(api.ids("tasks?limit=250&filter[is_completed]=1")) == done
    one = rows[0]
    assert one["id"] in api.ids(f"tasks?filter[entity_type]=leads&filter[entity_id]={one['entity_id']}")
    assert {
        item["responsible_user_id"]
        for item in api.items(f"tasks?filter[responsible_user_id]={one['responsible_user_id']}")
    } == {one["responsible_user_id"]}


def test_private_route_deletes_notes_and_tasks_in_two_tongues(box: Sandbox, api: Api) -> None:
    """`ok`, and the second time `fail` with 400 for a task, `no note` with 200 for a note."""
    lead = api.lead(name="x")
    (note,) = api.made(f"leads/{lead}/notes", COMMON)
    (task,) = api.made("tasks", {"text": "x", "complete_till": 1})

    def delete(action: str, row: int) -> tuple[int, str]:
        answer = api.session.post(f"{box.url}/private/notes/edit2.php", data={"ID": row, "ACTION": action}, timeout=60)
        return answer.status_code, answer.json()["status"]

    assert [delete("TASK_DELETE", task) for _ in range(2)] == [(200, "ok"), (400, "fail")]
    assert [delete("NOTE_DELETE", note) for _ in range(2)] == [(200, "ok"), (200, "no note")]
    assert api.get(f"leads/{lead}/notes").status_code == 204
    assert api.get(f"tasks/{task}").status_code == 204


# ── Links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_links_are_seen_from_both_ends(api: Api) -> None:
    """The first contact is the main one; metadata tells so on either side, and is null for a company."""
    lead, person, company = (
        api.lead(name="x"),
        *api.made("contacts", {"name": "x"}),
        *api.made("companies", {"name": "x"}),
    )
    answer = api.post(f"leads/{lead}/link", [
        {"to_entity_id": person, "to_entity_type": "contacts"},
        {"to_entity_id": company, "to_entity_type": "companies"},
    ])  # fmt: skip
    assert answer.status_code == 200
    assert answer.json()["_embedded"]["links"][0] == {
        "entity_id": lead,
        "entity_type": "leads",
        "to_entity_id": person,
        "to_entity_type": "contacts",
        "metadata": {"main_contact": True},
    }
    shown = {item["to_entity_type"]: item for item in api.items(f"leads/{lead}/links")}
    assert shown["companies"]["metadata"] is None
    assert api.items(f"contacts/{person}/links")[0]["to_entity_id"] == lead
    assert api.items(f"leads/{lead}/links?filter[to_entity_type]=companies") == [shown["companies"]]


def test_main_contact_can_change(api: Api) -> None:
    """`is_main` takes the place from the one who had it."""
    one, two = api.made("contacts", {"name": "1"}, {"name": "2"})
    lead = api.lead(name="x", _embedded={"contacts": [{"id": one}]})
    api.post(f"leads/{lead}/link", [{"to_entity_id": two, "to_entity_type": "contacts", "metadata": {"is_main": True}}])
    shown = api.get(f"leads/{lead}?with=contacts").json()["_embedded"]["contacts"]
    assert {item["id"]: item["is_main"] for item in shown} == {one: False, two: True}


def test_linking_twice_is_a_server_error(box: Sandbox, api: Api) -> None:
    """500 as it was seen live (sheet 4.3), and by switch 200."""
    (person,) = api.made("contacts", {"name": "x"})
    lead = api.lead(name="x", _embedded={"contacts": [{"id": person}]})
    again = [{"to_entity_id": person, "to_entity_type": "contacts"}]
    answer = api.post(f"leads/{lead}/link", again)
    assert answer.status_code == 500
    assert answer.json() == {
        "title": "Internal Server Error",
        "type": "https://httpstatus.es/500",
        "status": 500,
        "detail": "An unknown error occurred.",
    }
    box.config(relink=200)
    assert api.post(f"leads/{lead}/link", again).status_code == 200


def test_unlinking_is_204_and_forgets(api: Api) -> None:
    """Also for a pair that was not linked."""
    (person,) = api.made("contacts", {"name": "x"})
    lead = api.lead(name="x", _embedded={"contacts": [{"id": person}]})
    body = [{"to_entity_id": person, "to_entity_type": "contacts"}]
    assert [api.post(f"leads/{lead}/unlink", body).status_code for _ in range(2)] == [204, 204]
    assert api.get(f"leads/{lead}/links").status_code == 204


def test_mass_links(api: Api) -> None:
    """Several cards at once, each item naming its own; unknown ones refused by position."""
    (person,) = api.made("contacts", {"name": "x"})
    one, two = api.made("leads", {"name": "1"}, {"name": "2"})
    items = [{"entity_id": lead, "to_entity_id": person, "to_entity_type": "contacts"} for lead in (one, two)]
    assert api.post("leads/link", items).json()["_total_items"] == 2
    shown = api.items(f"leads/links?filter[entity_id][]={one}&filter[entity_id][]={two}")
    assert [(item["entity_id"], item["to_entity_id"]) for item in shown] == [(one, person), (two, person)]
    assert errors(
        api.post("leads/link", [items[0] | {"to_entity_id": 1}, {"to_entity_id": person, "to_entity_type": "x"}])
    ) == [
        ("0", "NotSupportedChoice", "to_entity_id"),
        ("1", "NotSupportedChoice", "to_entity_type"),
        ("1", "FieldMissing", "entity_id"),
    ]
    assert api.post("leads/unlink", items).status_code == 204


def test_chats_of_a_contact(api: Api) -> None:
    """Linked and listed by contact, each with a number of its own, also when it is linked again."""
    (person,) = api.made("contacts", {"name": "x"})
    assert api.get(f"contacts/chats?contact_id={person}").status_code == 204
    linked = [api.post("contacts/chats", [{"contact_id": person, "chat_id": "abc"}]).json() for _ in range(2)]
    (chat,) = api.items(f"contacts/chats?contact_id={person}")
    assert chat == {"id": chat["id"], "chat_id": "abc", "contact_id": person}
    assert [answer["_embedded"]["chats"] for answer in linked] == [[chat], [chat]]

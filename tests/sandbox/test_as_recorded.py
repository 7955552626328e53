"""What the sandbox once did otherwise than AmoCRM: each as recorded, documented or read by a client, with the source beside it.

"The sheet" is the team's AmoCRM fact sheet; R recorded bodies, V the vendor's page, L seen live, M models of client libraries.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.club.structure import ADMIN_ID, CORPORATE, MANAGERS, SALES, WORKING
from sandbox.process import Sandbox
from tests.sandbox.conftest import Api, errors
from tests.sandbox.receiver import Receiver

FIRST, SECOND = WORKING[SALES][:2]
UTM_SOURCE = 264951


def listen(api: Api, receiver: Receiver, *settings: str) -> None:
    """Have hooks of these settings sent to the receiver."""
    assert api.post("webhooks", {"destination": receiver.url, "settings": list(settings)}).status_code == 200


# ── Hooks of leads: sheet 0, R ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("event", ["add", "update", "status", "restore"])
def test_a_tagged_lead_names_its_tags(box: Sandbox, api: Api, receiver: Receiver, event: str) -> None:
    """`tags[n][id]` and `[name]` stand between `pipeline_id` and `account_id` in every body of a tagged lead."""
    listen(api, receiver, f"{event}_lead")
    lead = api.lead(name="x", _embedded={"tags": [{"name": "йога"}, {"name": "вечер"}]})
    if event in ("update", "status"):
        api.patch(f"leads/{lead}", {"status_id": SECOND})
    if event == "restore":
        box.edit("delete", id=lead)
        box.edit("restore", id=lead)
    item = receiver.wait_for(1)[0].tree["leads"][event]["0"]
    tags = api.get(f"leads/{lead}").json()["_embedded"]["tags"]
    assert item["tags"] == {str(place): {"id": str(tag["id"]), "name": tag["name"]} for place, tag in enumerate(tags)}
    keys = list(item)
    assert keys[keys.index("tags") - 1] == "pipeline_id"
    assert keys[keys.index("tags") + 1] == "account_id"


def test_a_lead_without_tags_names_none(api: Api, receiver: Receiver) -> None:
    """No empty list of tags: the key is not there, as it is not when the last one was taken away."""
    listen(api, receiver, "add_lead", "update_lead")
    lead = api.lead(name="x", _embedded={"tags": [{"name": "йога"}]})
    api.patch(f"leads/{lead}", {"_embedded": {"tags": []}})
    added, updated = (told.tree["leads"] for told in receiver.wait_for(2))
    assert "tags" in added["add"]["0"]
    assert "tags" not in updated["update"]["0"]


def test_a_field_with_a_code_says_it_after_its_values(api: Api, receiver: Receiver) -> None:
    """`custom_fields[n][code]`, of leads too; a field without a code has no such key."""
    listen(api, receiver, "add_lead")
    api.lead(
        custom_fields_values=[
            {"field_id": UTM_SOURCE, "values": [{"value": "vk"}]},
            {"field_id": 264913, "values": [{"value": "Йога"}]},
        ]
    )
    fields = receiver.wait_for(1)[0].tree["leads"]["add"]["0"]["custom_fields"]
    by_id = {field["id"]: field for field in fields.values()}
    assert list(by_id[str(UTM_SOURCE)]) == ["id", "name", "values", "code"]
    assert by_id[str(UTM_SOURCE)]["code"] == "UTM_SOURCE"
    assert "code" not in by_id["264913"]


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"status_id": SECOND}, str(FIRST)),
        ({"pipeline_id": CORPORATE, "status_id": WORKING[CORPORATE][0]}, str(FIRST)),
        ({"price": 5}, None),
        ({"status_id": FIRST}, None),
        ({"responsible_user_id": MANAGERS[0]}, None),
    ],
    ids=str,
)
def test_an_update_says_which_stage_was_left(
    api: Api, receiver: Receiver, change: dict[str, Any], left: str | None
) -> None:
    """`old_status_id` in `leads[update]` after a change of stage, and only then; never the old pipeline."""
    listen(api, receiver, "update_lead")
    lead = api.lead(name="x")
    api.patch(f"leads/{lead}", change)
    item = receiver.wait_for(1)[0].tree["leads"]["update"]["0"]
    assert item.get("old_status_id") == left
    assert "old_pipeline_id" not in item


@pytest.mark.parametrize("setting", ["add_lead", "add_contact", "add_task", "note_lead", "add_unsorted"])
def test_the_account_comes_first(api: Api, receiver: Receiver, setting: str) -> None:
    """In every kind of hook, since 2023."""
    listen(api, receiver, setting)
    lead = api.lead(name="x")
    api.made("contacts", {"name": "y"})
    api.made("tasks", {"text": "a", "complete_till": 1, "entity_type": "leads", "entity_id": lead})
    api.made(f"leads/{lead}/notes", {"note_type": "common", "params": {"text": "x"}})
    form = {"form_id": "f", "form_name": "n", "form_page": "p", "form_sent_at": 1}
    api.post("leads/unsorted/forms", [{"source_uid": "u", "source_name": "s", "metadata": form}])
    tree = receiver.wait_for(1)[0].tree
    assert next(iter(tree)) == "account"
    assert list(tree["account"]) == ["subdomain", "id", "_links"]


# ── Tasks and links: sheet 7.3 and 0, core findings ─────────────────────────────────────────────────────────────────


def test_tasks_have_hooks_of_their_own(api: Api, receiver: Receiver) -> None:
    """`task[add|update|delete][0][…]` with the card they are for; a new responsible person is an update."""
    listen(api, receiver, "add_task", "update_task", "delete_task")
    lead = api.lead(name="x")
    (task,) = api.made("tasks", {"text": "a", "complete_till": 1634601600, "entity_type": "leads", "entity_id": lead})
    api.patch(f"tasks/{task}", {"is_completed": True, "result": {"text": "ok"}})
    api.session.post(
        f"{api.base.replace('api/v4/', '')}private/notes/edit2.php",
        data={"ID": task, "ACTION": "TASK_DELETE"},
        timeout=30,
    )
    trees = [told.tree["task"] for told in receiver.wait_for(3)]
    assert [next(iter(tree)) for tree in trees] == ["add", "update", "delete"]
    items = [tree[action]["0"] for tree, action in zip(trees, ("add", "update", "delete"), strict=True)]
    assert {(item["id"], item["element_id"], item["element_type"]) for item in items} == {(str(task), str(lead), "2")}
    assert [item["status"] for item in items] == ["0", "1", "1"]
    assert list(items[0]) == [
        "id", "element_id", "element_type", "task_type", "date_create", "text", "status", "account_id", "created_user_id",
        "last_modified", "responsible_user_id", "complete_till", "action_close", "created_at", "updated_at", "complete_before",
    ]  # fmt: skip


def test_whoever_wants_to_know_who_is_responsible_hears_of_that_alone(api: Api, receiver: Receiver) -> None:
    """`responsible_task` alone: not of a new text, only of a new person."""
    listen(api, receiver, "responsible_task")
    (task,) = api.made("tasks", {"text": "a", "complete_till": 1})
    api.patch(f"tasks/{task}", {"text": "b"})
    api.patch(f"tasks/{task}", {"responsible_user_id": MANAGERS[1]})
    (told,) = receiver.wait_for(1)
    assert told.tree["task"]["update"]["0"]["responsible_user_id"] == str(MANAGERS[1])


def test_tasks_and_links_leave_their_lead_as_it_was(box: Sandbox, api: Api, receiver: Receiver) -> None:
    """No task, link or other main contact moves `updated_at` or sends a hook of the lead; the next task's time is shown."""
    people = api.made("contacts", {"name": "a"}, {"name": "b"})
    lead = api.lead(name="x", updated_at=1_700_000_000, _embedded={"contacts": [{"id": people[0]}]})
    listen(api, receiver, "update_lead", "update_contact", "add_lead")
    (task,) = api.made(
        "tasks", {"text": "a", "complete_till": 1_900_000_000, "entity_type": "leads", "entity_id": lead}
    )
    end = [{"to_entity_id": people[1], "to_entity_type": "contacts", "metadata": {"is_main": True}}]
    assert api.post(f"leads/{lead}/link", end).status_code == 200
    shown = api.get(f"leads/{lead}?with=contacts").json()
    assert (shown["updated_at"], shown["closest_task_at"]) == (1_700_000_000, 1_900_000_000)
    assert {row["id"]: row["is_main"] for row in shown["_embedded"]["contacts"]} == {people[0]: False, people[1]: True}
    api.patch(f"tasks/{task}", {"is_completed": True})
    assert (
        api.post(f"leads/{lead}/unlink", [{"to_entity_id": people[1], "to_entity_type": "contacts"}]).status_code == 204
    )
    shown = api.get(f"leads/{lead}").json()
    assert (shown["updated_at"], shown["closest_task_at"]) == (1_700_000_000, None)
    marker = api.lead(name="the first hook there is")
    assert receiver.wait_for(1)[0].tree["leads"]["add"]["0"]["id"] == str(marker)


def test_a_task_of_a_customer_is_refused_for_the_customer(api: Api) -> None:
    """The type is there, so it is not what is missing."""
    body = {"text": "a", "complete_till": 1, "entity_type": "customers", "entity_id": 5}
    assert errors(api.post("tasks", [body])) == [("0", "NotSupportedChoice", "entity_id")]
    assert errors(api.post("tasks", [{"text": "a", "complete_till": 1, "entity_id": 5}])) == [
        ("0", "FieldMissing", "entity_type")
    ]


# ── Events: sheet 0, V and M ────────────────────────────────────────────────────────────────────────────────────────


def test_one_number_means_since(api: Api) -> None:
    """`filter[created_at]=ts` is "after that moment" here, not equality as everywhere else."""
    lead = api.lead(name="x")
    api.patch(f"leads/{lead}", {"price": 5})
    own = f"events?filter[entity]=lead&filter[entity_id]={lead}&filter[created_at]"
    moment = api.items(f"events?filter[entity]=lead&filter[entity_id]={lead}")[-1]["created_at"]
    assert len(api.items(f"{own}={moment - 100}")) == 2
    assert api.items(f"{own}={moment + 100}") == []
    assert api.items(f"{own}[to]={moment - 1}") == []
    assert api.get(f"leads?filter[created_at]={moment - 100}").status_code == 204


def test_a_page_of_events_has_a_hundred(api: Api) -> None:
    """A greater `limit` is cut without a word; `next` leads on; other lists keep their 250."""
    ids = api.made("leads", *({"name": str(number)} for number in range(130)))
    first = api.get("events?limit=250").json()
    assert len(first["_embedded"]["events"]) == 100
    second = api.session.get(first["_links"]["next"]["href"], timeout=30).json()
    seen = {item["id"] for page in (first, second) for item in page["_embedded"]["events"]}
    assert len(seen) == 100 + len(second["_embedded"]["events"]) > 129
    assert len(api.ids("leads?limit=250&order[id]=desc")) > 100 < len(ids)
    assert len(api.items("events?limit=7")) == 7


def test_what_happened_to_a_task_is_told_in_its_own_words(api: Api) -> None:
    """`task_deadline.timestamp`, `task_type.id`, `note.id`: what one client library reads."""
    (task,) = api.made("tasks", {"text": "a", "complete_till": 10})
    change = {"text": "b", "complete_till": 20, "task_type_id": 2, "is_completed": True, "result": {"text": "c"}}
    api.patch(f"tasks/{task}", change)
    found = {item["type"]: item for item in api.items(f"events?filter[entity]=task&filter[entity_id]={task}")}
    values = {key: (item["value_before"], item["value_after"]) for key, item in found.items()}
    assert values["task_deadline_changed"] == (
        [{"task_deadline": {"timestamp": 10}}],
        [{"task_deadline": {"timestamp": 20}}],
    )
    assert values["task_type_changed"] == ([{"task_type": {"id": 1}}], [{"task_type": {"id": 2}}])
    for key in ("task_added", "task_completed", "task_result_added"):
        assert values[key] == ([], [{"note": {"id": task}}])


def test_types_of_events_have_russian_names(api: Api) -> None:
    """With `language_code=ru`, and in a Russian account without it; in English on demand."""
    russian = {item["key"]: item["lang"] for item in api.items("events/types?language_code=ru")}
    assert russian["lead_added"] == "Новая сделка"
    assert [key for key, name in russian.items() if not any("а" <= letter <= "я" for letter in name.lower())] == []
    assert {item["key"]: item["lang"] for item in api.items("events/types")} == russian
    english = {item["key"]: item["lang"] for item in api.items("events/types?language_code=en")}
    assert english["lead_added"] == "lead added"


# ── Structure ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lead_may_have_a_birthday(api: Api, receiver: Receiver) -> None:
    """Kommo's table of types allows it; hooks spell it as of contacts."""
    (field,) = api.made("leads/custom_fields", {"name": "День рождения", "type": "birthday"})
    listen(api, receiver, "add_lead")
    lead = api.lead(custom_fields_values=[{"field_id": field, "values": [{"value": 316_000_000}]}])
    (shown,) = api.get(f"leads/{lead}").json()["custom_fields_values"]
    assert (shown["field_type"], shown["values"]) == ("birthday", [{"value": 315_954_000}])
    (told,) = receiver.wait_for(1)
    assert told.tree["leads"]["add"]["0"]["custom_fields"]["0"]["values"] == {"0": {"value": "06.01.1980"}}


def test_a_chain_of_lists_is_kept(api: Api) -> None:
    """`chained_lists` reads as it was sent, can be changed, and is null for other types."""
    chain = [
        {"catalog_id": 5, "parent_catalog_id": None, "title": "Город"},
        {"catalog_id": 6, "parent_catalog_id": 5, "title": "Клуб"},
    ]
    made = api.post("leads/custom_fields", [{"name": "x", "type": "chained_list", "chained_lists": chain}]).json()
    (field,) = made["_embedded"]["custom_fields"]
    assert field["chained_lists"] == chain
    assert api.get(f"leads/custom_fields/{field['id']}").json()["chained_lists"] == chain
    api.patch(f"leads/custom_fields/{field['id']}", {"chained_lists": chain[:1]})
    assert api.get(f"leads/custom_fields/{field['id']}").json()["chained_lists"] == chain[:1]
    plain = api.post("leads/custom_fields", [{"name": "x", "type": "text", "chained_lists": chain}]).json()
    assert plain["_embedded"]["custom_fields"][0]["chained_lists"] is None
    bad = api.post("leads/custom_fields", [{"name": "x", "type": "chained_list", "chained_lists": [{"title": "x"}]}])
    assert errors(bad) == [("0", "FieldMissing", "chained_lists.0.catalog_id")]


@pytest.mark.parametrize("name", ["", " ", "\t"])
def test_a_tag_has_a_name(api: Api, name: str) -> None:
    """400 where it is made and where a card would get it; nothing of the request stays."""
    before = api.items("leads/tags?limit=250")
    assert errors(api.post("leads/tags", [{"name": name}])) == [("0", "NotBlank", "name")]
    assert errors(api.post("leads", [{"name": "x", "_embedded": {"tags": [{"name": name}]}}])) == [
        ("0", "NotBlank", "_embedded.tags.0.name")
    ]
    assert errors(api.post("leads", [{"name": "x", "tags_to_add": [{"name": name}]}])) == [
        ("0", "NotBlank", "tags_to_add.0.name")
    ]
    assert api.items("leads/tags?limit=250") == before


def test_a_new_person_has_the_rights_that_were_asked_for(api: Api) -> None:
    """Letters by kind and deed, flags beside them; what was not said is as usual; a letter there is none of is refused."""
    letters = {"view": "G", "edit": "G", "add": "D", "delete": "M", "export": "A"}
    rights = {"leads": letters, "tasks": {"edit": "A", "delete": "A"}, "mail_access": True, "group_id": 0}
    made = api.post("users", [{"name": "Н", "email": "n@example.com", "rights": rights}]).json()["_embedded"]["users"][
        0
    ]
    assert (made["rights"]["leads"], made["rights"]["tasks"]) == (letters, {"edit": "A", "delete": "A"})
    assert (made["rights"]["mail_access"], made["rights"]["group_id"], made["rights"]["catalog_access"]) == (
        True,
        0,
        False,
    )
    assert made["rights"]["contacts"] == {"view": "A", "edit": "M", "add": "A", "delete": "D", "export": "D"}
    assert api.get(f"users/{made['id']}").json()["rights"] == made["rights"]
    bad = api.post("users", [{"name": "Н", "email": "n@example.com", "rights": {"leads": {"view": "X"}}}])
    assert errors(bad) == [("0", "NotSupportedChoice", "rights.leads.view")]


# ── Calls, incoming leads, tokens ───────────────────────────────────────────────────────────────────────────────────


def called(api: Api, phone: str) -> dict[str, Any]:
    """The answer to a call of this number."""
    body = {"phone": phone, "direction": "inbound", "uniq": "1", "duration": 5, "source": "s", "link": "l"}
    return api.post("calls", [body]).json()


def test_a_call_is_about_the_one_open_lead(box: Sandbox, api: Api) -> None:
    """Of a contact with exactly one open lead the call is noted there; with none or two, at the contact. `errors` is always there."""
    phone = {"field_code": "PHONE", "values": [{"value": "+79001112244"}]}
    (person,) = api.made("contacts", {"name": "А", "custom_fields_values": [phone]})

    def noted() -> tuple[str, int]:
        answer = called(api, "89001112244")
        assert answer["errors"] == []
        (made,) = answer["_embedded"]["calls"]
        return made["entity_type"], made["entity_id"]

    assert noted() == ("contact", person)
    lead = api.lead(name="x", _embedded={"contacts": [{"id": person}]})
    closed = api.lead(name="x", status_id=143, pipeline_id=SALES, _embedded={"contacts": [{"id": person}]})
    binned = api.lead(name="x", _embedded={"contacts": [{"id": person}]})
    box.edit("delete", id=binned)
    assert noted() == ("lead", lead)
    assert [note["note_type"] for note in api.items(f"leads/{lead}/notes")] == ["call_in"]
    api.patch(f"leads/{closed}", {"status_id": FIRST, "pipeline_id": SALES})
    assert noted() == ("contact", person)


def test_a_call_of_nobody_says_so(api: Api) -> None:
    """400 with the error in the list that is otherwise empty."""
    answer = called(api, "+79000000000")
    assert [error["code"] for error in answer["errors"]] == [263]
    assert answer["_embedded"]["calls"] == []


@pytest.mark.parametrize(
    ("given", "by"), [({"user_id": MANAGERS[0]}, MANAGERS[0]), ({}, ADMIN_ID)], ids=["named", "the token's"]
)
@pytest.mark.parametrize("decision", ["accept", "decline"])
def test_who_decided_about_an_incoming_lead_is_told(
    api: Api, receiver: Receiver, decision: str, given: dict[str, int], by: int
) -> None:
    """`modified_user_id` of the hook is whoever accepted or declined."""
    listen(api, receiver, "delete_unsorted")
    form = {"form_id": "f", "form_name": "n", "form_page": "p", "form_sent_at": 1}
    body = [{"source_uid": "u", "source_name": "s", "metadata": form, "_embedded": {"leads": [{"name": "x"}]}}]
    uid = api.post("leads/unsorted/forms", body).json()["_embedded"]["unsorted"][0]["uid"]
    method = "POST" if decision == "accept" else "DELETE"
    assert api(method, f"leads/unsorted/{uid}/{decision}", json=given).status_code == 200
    assert receiver.wait_for(1)[0].tree["unsorted"]["delete"]["0"]["modified_user_id"] == str(by)


def test_a_code_that_is_too_old_says_401_inside_a_400(box: Sandbox) -> None:
    """As recorded; other hints say what the answer says."""
    code = box.code()
    box.expire_tokens(access=False, codes=True)
    given = {
        "client_id": box.client_id,
        "client_secret": box.client_secret,
        "redirect_uri": box.redirect_uri,
        "grant_type": "authorization_code",
    }

    def refused(code: str) -> tuple[int, int]:
        answer = box.session("x").post(f"{box.url}/oauth2/access_token", json=given | {"code": code}, timeout=30)
        return answer.status_code, answer.json()["status"]

    assert refused(code) == (400, 401)
    assert refused("nonsense") == (400, 400)


# ── Kopecks: sheet 5.2, O and T ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("switch", "shown", "exact"), [("none", 1999, None), ("price", 1999.99, None), ("own_key", 1999, 1999.99)], ids=str
)
def test_kopecks(box: Sandbox, api: Api, receiver: Receiver, switch: str, shown: float, exact: float | None) -> None:
    """Cut off, kept in `price`, or kept in a key of their own, which is also read; whole budgets are whole either way."""
    box.config(minor_units=switch)
    listen(api, receiver, "add_lead")
    lead = api.lead(name="x", price=1999.99)
    data = api.get(f"leads/{lead}").json()
    assert (data["price"], data.get("price_with_minor_units")) == (shown, exact)
    assert receiver.wait_for(1)[0].tree["leads"]["add"]["0"]["price"] == str(1999 if switch == "none" else 1999.99)
    api.patch(f"leads/{lead}", {"price": 7} if switch != "own_key" else {"price": 1, "price_with_minor_units": 7.0})
    assert json.dumps(api.get(f"leads/{lead}").json()["price"]) == "7"
    assert api.ids("leads?filter[price]=7&order[id]=desc")[0] == lead

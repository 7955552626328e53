"""Incoming leads and the event feed."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.club.structure import CORPORATE, INCOMING, MANAGERS, SALES, WORKING
from sandbox.process import Sandbox
from tests.sandbox.conftest import Api, errors

FORM = {"form_id": "f", "form_name": "Запись", "form_page": "https://x.example", "form_sent_at": 1_760_000_000}


def entry(**more: Any) -> dict[str, Any]:
    """An incoming lead of a form, with its contact."""
    return {
        "source_uid": "uid",
        "source_name": "Сайт",
        "metadata": FORM,
        "_embedded": {"leads": [{"name": "Заявка", "price": 5}], "contacts": [{"name": "Анна"}]},
    } | more


def incoming(api: Api, **more: Any) -> tuple[str, int, int]:
    """(uid, lead, contact) of a new entry."""
    (made,) = api.post("leads/unsorted/forms", [entry(**more)]).json()["_embedded"]["unsorted"]
    return made["uid"], made["_embedded"]["leads"][0]["id"], made["_embedded"]["contacts"][0]["id"]


def test_entry_has_its_lead_and_contact_at_once(api: Api) -> None:
    """60 hexadecimal characters, a lead in the incoming stage, an unsorted contact."""
    answer = api.post("leads/unsorted/forms", [entry(request_id="456")])
    (made,) = answer.json()["_embedded"]["unsorted"]
    assert answer.json()["_total_items"] == 1
    assert list(made) == ["uid", "account_id", "request_id", "_links", "_embedded"]
    assert len(made["uid"]) == 60
    assert made["request_id"] == "456"
    lead = api.get(f"leads/{made['_embedded']['leads'][0]['id']}?with=contacts").json()
    assert lead["status_id"] == INCOMING[SALES]
    assert lead["_embedded"]["contacts"][0]["id"] == made["_embedded"]["contacts"][0]["id"]
    assert api.get(f"contacts/{made['_embedded']['contacts'][0]['id']}").json()["is_unsorted"] is True


def test_same_source_uid_makes_two_entries(box: Sandbox, api: Api) -> None:
    """The documentation says it cannot; it can."""
    before = box.count("unsorted")
    uids = {incoming(api)[0] for _ in range(2)}
    assert len(uids) == 2
    assert box.count("unsorted") == before + 2


def test_bad_entries_are_named_by_place(api: Api) -> None:
    """What is missing beside and inside `metadata`, and errors of the lead within."""
    assert errors(api.post("leads/unsorted/forms", [{"source_uid": "x"}])) == [
        ("0", "FieldMissing", "source_name"),
        ("0", "FieldMissing", "metadata"),
    ]
    bad = entry(metadata={"form_id": "f"}, _embedded={"leads": [{"price": "x"}]})
    assert errors(api.post("leads/unsorted/forms", [bad])) == [
        ("0", "FieldMissing", "metadata.form_name"),
        ("0", "FieldMissing", "metadata.form_page"),
        ("0", "FieldMissing", "metadata.form_sent_at"),
        ("0", "InvalidType", "_embedded.leads.0.price"),
    ]
    assert errors(api.post("leads/unsorted/sip", [entry()]))[0] == ("0", "FieldMissing", "metadata.uniq")


def test_calls_wait_too(api: Api) -> None:
    """A sip entry has its own metadata."""
    call = {"uniq": "1", "duration": 5, "service_code": "c", "link": "l", "phone": "1", "called_at": 1, "from": "1"}
    answer = api.post("leads/unsorted/sip", [entry(metadata=call)])
    assert answer.status_code == 200
    assert [item["category"] for item in api.items("leads/unsorted?filter[category][]=sip")] == ["sip"]


@pytest.mark.parametrize("order", ["", "&order[created_at]=asc", "&order[created_at]=desc"])
def test_always_newest_first(api: Api, order: str) -> None:
    """`order` is accepted and ignored."""
    for moment in (1_700_000_000, 1_800_000_000, 1_750_000_000):
        incoming(api, created_at=moment, source_name="порядок")
    times = [item["created_at"] for item in api.items(f"leads/unsorted?limit=250{order}")]
    assert times == sorted(times, reverse=True)


def test_accepting_moves_the_lead(api: Api) -> None:
    """Into the wanted stage, to the wanted person; a stage of another pipeline is 400; it no longer waits."""
    uid, lead, person = incoming(api)
    assert errors(api.post(f"leads/unsorted/{uid}/accept", {"status_id": WORKING[CORPORATE][0]})) == [
        ("", "NotSupportedChoice", "status_id")
    ]
    answer = api.post(f"leads/unsorted/{uid}/accept", {"user_id": MANAGERS[0], "status_id": WORKING[SALES][2]})
    assert list(answer.json()) == ["uid", "pipeline_id", "category", "created_at", "_embedded"]
    shown = api.get(f"leads/{lead}").json()
    assert (shown["status_id"], shown["responsible_user_id"]) == (WORKING[SALES][2], MANAGERS[0])
    assert api.get(f"contacts/{person}").json()["is_unsorted"] is False
    assert api.get(f"leads/unsorted/{uid}").status_code == 404
    assert api.post(f"leads/unsorted/{uid}/accept", {}).status_code == 404


def test_declining_leaves_a_lead_in_the_bin(api: Api) -> None:
    """DELETE with or without a body; the lead it made is deleted already."""
    uid, lead, _ = incoming(api)
    answer = api.delete(f"leads/unsorted/{uid}/decline", {"user_id": MANAGERS[0]})
    assert answer.json()["_embedded"]["leads"][0]["id"] == lead
    assert api.get(f"leads/{lead}").status_code == 204
    assert api.ids(f"leads?with=only_deleted&filter[id]={lead}") == [lead]


def test_linking_gives_the_contact_to_another_lead(api: Api) -> None:
    """The entry's own lead goes to the bin."""
    uid, lead, person = incoming(api)
    target = api.lead(name="x")
    api.post(f"leads/unsorted/{uid}/link", {"link": {"entity_id": target, "entity_type": "leads"}})
    assert api.get(f"leads/{target}?with=contacts").json()["_embedded"]["contacts"][0]["id"] == person
    assert api.get(f"leads/{lead}").status_code == 204


def test_summary_counts(box: Sandbox, api: Api) -> None:
    """Waiting by category, accepted, declined."""
    before = api.get("leads/unsorted/summary").json()
    uid, *_ = incoming(api)
    api.delete(f"leads/unsorted/{incoming(api)[0]}/decline")
    after = api.get("leads/unsorted/summary").json()
    assert after["total"] == before["total"] + 1
    assert after["declined"] == before["declined"] + 1
    assert after["categories"]["forms"]["total"] == before["categories"]["forms"]["total"] + 1
    assert api.get(f"leads/unsorted/{uid}").json()["metadata"] == FORM


# ── Events ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def events(api: Api, lead: int, **filters: str) -> list[dict[str, Any]]:
    """A lead's events, newest first."""
    more = "".join(f"&filter[{name}]={value}" for name, value in filters.items())
    return api.items(f"events?filter[entity]=lead&filter[entity_id]={lead}{more}")


def test_changes_become_events_with_before_and_after(api: Api) -> None:
    """Stage, responsible, name, budget, a field, a tag: each its own type, with values in the sheet's shapes."""
    lead = api.lead(name="a", price=1)
    api.patch(
        f"leads/{lead}",
        {"name": "b", "price": 2, "status_id": 142, "responsible_user_id": MANAGERS[0], "tags_to_add": [{"name": "т"}],
         "custom_fields_values": [{"field_id": 264913, "values": [{"value": "Йога"}]}]},
    )  # fmt: skip
    found = {item["type"]: item for item in events(api, lead)}
    assert found["lead_status_changed"]["value_after"] == [{"lead_status": {"id": 142, "pipeline_id": SALES}}]
    assert found["lead_status_changed"]["value_before"] == [
        {"lead_status": {"id": WORKING[SALES][0], "pipeline_id": SALES}}
    ]
    assert found["entity_responsible_changed"]["value_after"] == [{"responsible_user": {"id": MANAGERS[0]}}]
    assert found["entity_tag_added"]["value_after"] == [{"tag": {"name": "т"}}]
    assert found["custom_field_264913_value_changed"]["value_after"] == [
        {"custom_field_value": {"field_id": 264913, "field_type": 1, "enum_id": None, "text": "Йога"}}
    ]
    assert {"lead_added", "name_field_changed", "sale_field_changed"} <= found.keys()


def test_events_are_newest_first_with_sortable_ids(api: Api) -> None:
    """26 lower-case characters that sort like the time; the entity's type is singular."""
    lead = api.lead(name="a")
    for price in range(3):
        api.patch(f"leads/{lead}", {"price": price + 1})
    found = events(api, lead)
    assert [item["type"] for item in found] == ["sale_field_changed"] * 3 + ["lead_added"]
    ids = [item["id"] for item in found]
    assert ids == sorted(ids, reverse=True)
    assert all(len(id_) == 26 and id_ == id_.lower() for id_ in ids)
    assert {item["entity_type"] for item in found} == {"lead"}
    assert api.get(f"events/{ids[0]}").json()["id"] == ids[0]


def test_event_filters(box: Sandbox, api: Api) -> None:
    """Types and ids as comma lists, `created_at` as `from,to`, values by stage, names on demand."""
    lead = api.lead(name="Имя")
    api.patch(f"leads/{lead}", {"status_id": 143})
    api.patch(f"leads/{lead}", {"price": 9})
    moment = api.get(f"leads/{lead}").json()["updated_at"]
    assert {item["type"] for item in events(api, lead, type="lead_added,sale_field_changed")} == {
        "lead_added",
        "sale_field_changed",
    }
    assert len(events(api, lead, created_at=f"{moment - 100},{moment}")) == 3
    assert events(api, lead, created_at=f"{moment - 100},{moment - 50}") == []
    path = f"events?filter[entity]=lead&filter[entity_id]={lead}&filter[value_after][leads_statuses][0]"
    one = api.items(f"{path}[pipeline_id]={SALES}&{path.split('&')[-1]}[status_id]=143&with=lead_name")
    assert [item["type"] for item in one] == ["lead_status_changed"]
    assert one[0]["_embedded"]["entity"]["name"] == "Имя"


def test_types_are_listed(api: Api) -> None:
    """About sixty keys, each with a number."""
    types = api.items("events/types?language_code=ru")
    assert {"lead_added", "lead_status_changed", "entity_merged"} <= {item["key"] for item in types}
    assert len({item["type"] for item in types}) == len(types)


def test_tasks_and_notes_have_events(api: Api) -> None:
    """A note is an event of its card, a task of its own."""
    lead = api.lead(name="x")
    api.made(f"leads/{lead}/notes", {"note_type": "common", "params": {"text": "x"}})
    assert "common_note_added" in {item["type"] for item in events(api, lead)}
    (task,) = api.made("tasks", {"text": "a", "complete_till": 1})
    api.patch(
        f"tasks/{task}",
        {"text": "b", "complete_till": 2, "task_type_id": 2, "is_completed": True, "result": {"text": "c"}},
    )
    types = {item["type"] for item in api.items(f"events?filter[entity]=task&filter[entity_id]={task}")}
    assert types == {
        "task_added", "task_text_changed", "task_deadline_changed", "task_type_changed", "task_completed",
        "task_result_added",
    }  # fmt: skip

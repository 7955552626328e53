"""Leads, contacts and companies: written, changed, refused, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.club.structure import ADMIN_ID, CORPORATE, INCOMING, MANAGERS, SALES, WORKING
from sandbox.process import Sandbox
from tests.sandbox.conftest import LEADS, Api, errors

FIRST = WORKING[SALES][0]
GONE = 10_091_446
"""The user who left."""


# ── Creating ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_created_leads_echo_their_request_ids(api: Api) -> None:
    """The item's own request_id, or its position as a string."""
    answer = api.post("leads", [{"name": "a"}, {"name": "b", "request_id": "mine"}, {"name": "c", "request_id": None}])
    assert answer.status_code == 200
    made = answer.json()["_embedded"]["leads"]
    assert [item["request_id"] for item in made] == ["0", "mine", "2"]
    assert list(made[0]) == ["id", "request_id", "_links"]
    assert made[0]["_links"]["self"]["href"] == f"{api.base}leads/{made[0]['id']}"


def test_defaults_of_an_empty_lead(api: Api) -> None:
    """Main pipeline, its first stage that is not the incoming one, the token's user, some name."""
    lead = api.get(f"leads/{api.lead(price=None)}").json()
    assert (lead["pipeline_id"], lead["status_id"]) == (SALES, FIRST)
    assert lead["responsible_user_id"] == lead["created_by"] == ADMIN_ID
    assert lead["name"]
    assert lead["custom_fields_values"] is None
    assert lead["closed_at"] is None


def test_php_array_with_keys_is_an_array(api: Api) -> None:
    """`{"0": {...}, "1": {...}}` is what PHP sends for a list with holes."""
    answer = api.post("leads", {"0": {"name": "a"}, "5": {"name": "b"}})
    assert [item["request_id"] for item in answer.json()["_embedded"]["leads"]] == ["0", "5"]


def test_nothing_is_ever_deduplicated(box: Sandbox, api: Api) -> None:
    """The same lead and the same contact sent twice are two of each, whatever request_id they carry."""
    before = box.count("leads"), box.count("contacts")
    item = {
        "name": "a",
        "request_id": "same",
        "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "1"}]}],
    }
    for _ in range(2):
        api.made("contacts", item)
        api.made("leads", {"name": "a", "request_id": "same"})
    assert (box.count("leads"), box.count("contacts")) == (before[0] + 2, before[1] + 2)


def test_one_bad_item_refuses_the_whole_batch(box: Sandbox, api: Api) -> None:
    """All faults of all items are named by position, and nothing of the request stays, not even a new tag."""
    answer = api.post(
        "leads",
        [
            {"name": "good", "tags_to_add": [{"name": "never made"}]},
            {"name": 5, "price": "x", "request_id": "two"},
            {
                "custom_fields_values": [
                    {"field_id": 264911, "values": [{"value": "+7"}]},
                    {"field_id": 1, "values": []},
                ]
            },
        ],
    )
    assert errors(answer) == [
        ("two", "InvalidType", "name"),
        ("two", "InvalidType", "price"),
        ("2", "NotSupportedChoice", "custom_fields_values.1.field_id"),
    ]
    assert answer.json()["detail"] == "Request validation failed"
    assert next(iter(answer.json())) == "validation-errors"
    assert box.count("leads") == LEADS
    assert "never made" not in [row["name"] for row in box.entities("tags")]
    assert box.ledger("change") == []


@pytest.mark.parametrize(
    ("item", "code", "path"),
    [
        ({"status_id": 60456964, "pipeline_id": SALES}, "NotSupportedChoice", "status_id"),
        ({"status_id": 1}, "NotSupportedChoice", "status_id"),
        ({"pipeline_id": 1}, "NotSupportedChoice", "pipeline_id"),
        ({"responsible_user_id": GONE}, "NotSupportedChoice", "responsible_user_id"),
        ({"created_by": GONE}, "NotSupportedChoice", "created_by"),
        ({"responsible_user_id": 0}, "NotSupportedChoice", "responsible_user_id"),
        ({"responsible_user_id": str(ADMIN_ID)}, "InvalidType", "responsible_user_id"),
        ({"price": True}, "InvalidType", "price"),
        ({"loss_reason_id": 1, "status_id": 143}, "NotSupportedChoice", "loss_reason_id"),
        ({"_embedded": {"contacts": [{"id": 1}]}}, "NotSupportedChoice", "_embedded.contacts.0.id"),
        ({"_embedded": {"tags": [{"id": 1}]}}, "NotSupportedChoice", "_embedded.tags.0.id"),
        ({"_embedded": {"source": {"type": "widget", "external_id": "x"}}}, "NotSupportedChoice", "_embedded.source.external_id"),
        ({"custom_fields_values": [{"field_id": 264917, "values": []}]}, "NotSupportedChoice", "custom_fields_values.0.field_id"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_no_choice(api: Api, item: dict[str, Any], code: str, path: str) -> None:
    """Unknown, foreign and wrongly typed values, each at its path."""
    assert errors(api.post("leads", [item])) == [("0", code, path)]


def test_status_alone_finds_its_pipeline(api: Api) -> None:
    """A stage of the second pipeline puts a new lead there; 142 stays in the main one."""
    lead = api.get(f"leads/{api.lead(status_id=WORKING[CORPORATE][1])}").json()
    assert lead["pipeline_id"] == CORPORATE
    assert api.get(f"leads/{api.lead(status_id=142)}").json()["pipeline_id"] == SALES


def test_251_items_are_too_many(api: Api) -> None:
    """422 with the documented words; 250 are fine."""
    answer = api.post("leads", [{"name": "x"}] * 251)
    assert (answer.status_code, answer.json()["detail"]) == (422, "Limit 250 per page")
    assert api.post("leads", [{"name": "x"}] * 250).status_code == 200


def test_floats_of_php_are_whole_prices(api: Api) -> None:
    """The official library sends 2000.0."""
    assert api.get(f"leads/{api.lead(price=2000.0)}").json()["price"] == 2000


def test_unknown_keys_are_ignored_unless_told_otherwise(box: Sandbox, api: Api) -> None:
    """The service ignores what it does not know; by switch it refuses."""
    assert api.post("leads", [{"name": "x", "nonsense": 1}]).status_code == 200
    box.config(reject_unknown_keys=True)
    assert errors(api.post("leads", [{"nonsense": 1}])) == [("0", "FieldNotExpected", "nonsense")]
    assert api.post("leads", [{"name": "x", "price": 1, "request_id": "1"}]).status_code == 200


def test_acting_for_somebody_else(api: Api) -> None:
    """An admin's token with X-Context-User-ID makes a lead of that user."""
    answer = api.post("leads", [{"name": "x"}], headers={"X-Context-User-ID": str(MANAGERS[0])})
    lead = api.get(f"leads/{answer.json()['_embedded']['leads'][0]['id']}").json()
    assert (lead["created_by"], lead["responsible_user_id"]) == (MANAGERS[0], MANAGERS[0])


def test_contact_names_are_put_together_and_taken_apart(api: Api) -> None:
    """First and last name make the name, a name alone makes the two."""
    made = api.made("contacts", {"first_name": "Анна", "last_name": "Орлова"}, {"name": "Пётр Первый Великий"})
    one, two = (api.get(f"contacts/{id_}").json() for id_ in made)
    assert one["name"] == "Анна Орлова"
    assert (two["first_name"], two["last_name"]) == ("Пётр", "Первый Великий")


# ── Changing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_single_patch_answers_at_the_root(box: Sandbox, api: Api) -> None:
    """`{"id", "updated_at", "_links"}`; contacts also say their name; by switch it is embedded."""
    lead = api.lead(name="x")
    assert list(api.patch(f"leads/{lead}", {"id": lead, "price": 5}).json()) == ["id", "updated_at", "_links"]
    person = api.made("contacts", {"name": "x"})[0]
    assert list(api.patch(f"contacts/{person}", {"name": "y"}).json()) == ["id", "name", "updated_at", "_links"]
    box.config(single_patch="embedded")
    assert api.patch(f"leads/{lead}", {"price": 6}).json()["_embedded"]["leads"][0]["id"] == lead


def test_patch_of_many_echoes_request_ids(api: Api) -> None:
    """Results in order, each with id, updated_at and request_id."""
    ids = api.made("leads", {"name": "a"}, {"name": "b"})
    answer = api.patch("leads", [{"id": ids[1], "price": 1, "request_id": "q"}, {"id": ids[0], "price": 2}])
    items = answer.json()["_embedded"]["leads"]
    assert [(item["id"], item["request_id"]) for item in items] == [(ids[1], "q"), (ids[0], "1")]
    assert list(items[0]) == ["id", "updated_at", "request_id", "_links"]


def test_patch_keeps_what_it_does_not_name(api: Api) -> None:
    """Absent properties and absent fields stay as they were."""
    lead = api.lead(name="x", price=5, custom_fields_values=[{"field_id": 264913, "values": [{"value": "Йога"}]}])
    api.patch(f"leads/{lead}", {"custom_fields_values": [{"field_id": 264915, "values": [{"value": "Сайт"}]}]})
    shown = api.get(f"leads/{lead}").json()
    assert (shown["name"], shown["price"]) == ("x", 5)
    assert {item["field_id"]: item["values"][0]["value"] for item in shown["custom_fields_values"]} == {
        264913: "Йога",
        264915: "Сайт",
    }


def test_two_changes_of_one_lead_in_one_request_both_hold(api: Api) -> None:
    """The second item builds upon the first."""
    lead = api.lead(name="x")
    field = {"field_id": 264913, "values": [{"value": "Бокс"}]}
    api.patch("leads", [{"id": lead, "custom_fields_values": [field]}, {"id": lead, "custom_fields_values": [
        {"field_id": 264915, "values": [{"value": "Сайт"}]}]}])  # fmt: skip
    assert len(api.get(f"leads/{lead}").json()["custom_fields_values"]) == 2


def test_closing_and_reopening(api: Api) -> None:
    """143 sets `closed_at` and may have a reason; back in work both are gone."""
    lead, reason = api.lead(name="x"), api.items("leads/loss_reasons")[0]["id"]
    api.patch(f"leads/{lead}", {"status_id": 143, "loss_reason_id": reason})
    shown = api.get(f"leads/{lead}?with=loss_reason").json()
    assert shown["closed_at"] == shown["updated_at"]
    assert shown["_embedded"]["loss_reason"][0]["id"] == reason
    api.patch(f"leads/{lead}", {"status_id": FIRST})
    shown = api.get(f"leads/{lead}?with=loss_reason").json()
    assert (shown["closed_at"], shown["loss_reason_id"]) == (None, None)
    assert shown["_embedded"]["loss_reason"] == []


def test_moving_to_another_pipeline_without_a_status(api: Api) -> None:
    """The lead lands on that pipeline's first stage; a status of the old one is refused."""
    lead = api.lead(name="x")
    assert errors(api.patch(f"leads/{lead}", {"pipeline_id": CORPORATE, "status_id": FIRST})) == [
        ("", "NotSupportedChoice", "status_id")
    ]
    api.patch(f"leads/{lead}", {"pipeline_id": CORPORATE})
    assert api.get(f"leads/{lead}").json()["status_id"] == WORKING[CORPORATE][0]


def test_patch_without_or_with_an_unknown_id(api: Api) -> None:
    """Missing: `FieldMissing`; unknown: no valid choice; in the address alike."""
    assert errors(api.patch("leads", [{"price": 1}, {"id": 5}])) == [
        ("0", "FieldMissing", "id"),
        ("1", "NotSupportedChoice", "id"),
    ]
    assert errors(api.patch("leads/5", {"price": 1})) == [("", "NotSupportedChoice", "id")]


def test_created_by_of_a_user_who_left_cannot_be_sent_back(api: Api) -> None:
    """Reading a card and sending all of it back is an error once its author is gone."""
    lead = api.lead(name="x")
    whole = api.get(f"leads/{lead}").json() | {"created_by": GONE}
    assert errors(api.patch(f"leads/{lead}", whole)) == [("", "NotSupportedChoice", "created_by")]


# ── Tags ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tags_of(api: Api, lead: int) -> list[str]:
    """Names of a lead's tags."""
    return [tag["name"] for tag in api.get(f"leads/{lead}").json()["_embedded"]["tags"]]


def test_tags_are_added_taken_away_and_replaced(api: Api) -> None:
    """`tags_to_add` and `tags_to_delete` are steps, `_embedded.tags` is the whole."""
    lead = api.lead(name="x", tags_to_add=[{"name": "раз"}, {"name": "два"}])
    api.patch(f"leads/{lead}", {"tags_to_add": [{"name": "три"}], "tags_to_delete": [{"name": "раз"}]})
    assert tags_of(api, lead) == ["два", "три"]
    api.patch(f"leads/{lead}", {"_embedded": {"tags": [{"name": "горячий"}]}})
    assert tags_of(api, lead) == ["горячий"]


def test_null_does_not_clear_tags_but_an_empty_list_does(box: Sandbox, api: Api) -> None:
    """Seen live against the documentation; the switch follows the documentation."""
    lead = api.lead(name="x", tags_to_add=[{"name": "раз"}])
    api.patch(f"leads/{lead}", {"_embedded": {"tags": None}})
    assert tags_of(api, lead) == ["раз"]
    box.config(tags_null="clears")
    api.patch(f"leads/{lead}", {"_embedded": {"tags": None}})
    assert tags_of(api, lead) == []
    box.config(tags_null="ignored")
    api.patch(f"leads/{lead}", {"tags_to_add": [{"name": "раз"}]})
    api.patch(f"leads/{lead}", {"_embedded": {"tags": []}})
    assert tags_of(api, lead) == []


def test_tags_of_a_kind(api: Api) -> None:
    """Idempotent by name, found by id, name and query; colours belong to leads alone."""
    body = [{"name": "новый", "color": "FF8F92"}, {"name": "новый"}]
    made = api.post("leads/tags", body).json()
    assert made["_total_items"] == 2
    assert made["_embedded"]["tags"][0]["id"] == made["_embedded"]["tags"][1]["id"]
    tag = made["_embedded"]["tags"][0]["id"]
    assert api.items(f"leads/tags?filter[id][]={tag}") == [{"id": tag, "name": "новый", "color": "FF8F92"}]
    assert api.items("leads/tags?filter[name]=новый")[0]["id"] == tag
    assert api.items("leads/tags?query=новы")[0]["id"] == tag
    api.post("contacts/tags", body)
    assert api.items("contacts/tags?filter[name]=новый")[0]["color"] is None
    assert errors(api.post("leads/tags", [{"name": "x", "color": "123456"}])) == [("0", "NotSupportedChoice", "color")]


# ── The bin ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def bin_it(api: Api, box: Sandbox, kind: str, card: int) -> dict[str, Any]:
    """Delete as AmoCRM's own screen does."""
    answer = api.session.post(f"{box.url}/ajax/{kind}/multiple/delete/", data={"ID[]": card}, timeout=60)
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize(("kind", "says"), [("leads", True), ("contacts", False), ("companies", False)])
def test_deleted_cards_are_only_in_the_bin(box: Sandbox, api: Api, kind: str, says: bool) -> None:
    """Gone from lists and from /{id}; in the bin nearly everything is null, and only leads admit to being deleted."""
    card = api.made(kind, {"name": "x"})[0]
    assert bin_it(api, box, kind, card)["status"] == "success"
    assert api.get(f"{kind}/{card}").status_code == 204
    assert api.get(f"{kind}?filter[id]={card}").status_code == 204
    (row,) = api.items(f"{kind}?with=only_deleted&filter[id]={card}")
    assert row["is_deleted"] is says
    assert row["name"] is None
    live = {key for key, value in row.items() if value is not None}
    assert live == {"id", "updated_at", "updated_by", "account_id", "_links", "is_deleted"}


def test_deleting_twice_complains_of_rights(box: Sandbox, api: Api) -> None:
    """200 and a sentence that is not true; a company is called a contact."""
    lead, company = api.lead(name="x"), api.made("companies", {"name": "x"})[0]
    assert bin_it(api, box, "leads", lead)["message"] == "Удаление прошло успешно для 1 сделки"
    assert bin_it(api, box, "leads", lead) == {
        "status": "fail",
        "errors": ["Недостаточно прав для удаления сделки"],
        "message": "Недостаточно прав для удаления",
    }
    assert bin_it(api, box, "companies", company)["message"] == "Удаление прошло успешно для 1 контакта"


def test_changing_a_deleted_lead_is_error_226(box: Sandbox, api: Api) -> None:
    """400 with a numeric code, unlike any other."""
    lead = api.lead(name="x")
    bin_it(api, box, "leads", lead)
    for answer in (api.patch(f"leads/{lead}", {"price": 1}), api.patch("leads", [{"id": lead, "price": 1}])):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == 226


def test_restored_lead_is_back(box: Sandbox, api: Api) -> None:
    """What a person takes out of the bin is whole again."""
    lead = api.lead(name="x", price=5)
    bin_it(api, box, "leads", lead)
    box.edit("restore", id=lead)
    assert api.get(f"leads/{lead}").json()["price"] == 5


# ── /leads/complex ──────────────────────────────────────────────────────────────────────────────────────────────────


def complex_item(phone: str = "+79001112233", **more: Any) -> dict[str, Any]:
    """A lead with a new contact."""
    contact = {
        "first_name": "А",
        "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}],
    }
    return {"name": "L", "price": 5, "_embedded": {"contacts": [contact]}} | more


def test_complex_answers_with_a_bare_array(api: Api) -> None:
    """`request_id` is an array of strings, both ids are there even when null."""
    answer = api.post("leads/complex", [complex_item(request_id="r1"), {"name": "lone"}])
    assert answer.status_code == 200
    one, two = answer.json()
    assert list(one) == ["id", "contact_id", "company_id", "request_id", "merged"]
    assert (one["request_id"], two["request_id"]) == (["r1"], ["1"])
    assert (two["contact_id"], two["company_id"], two["merged"]) == (None, None, False)
    shown = api.get(f"leads/{one['id']}?with=contacts").json()
    assert shown["_embedded"]["contacts"][0] | {"_links": 0} == {"id": one["contact_id"], "is_main": True, "_links": 0}


def test_complex_takes_an_existing_contact(box: Sandbox, api: Api) -> None:
    """`{"id": N}` is linked, not copied; an unknown one is refused."""
    person = api.made("contacts", {"name": "x"})[0]
    before = box.count("contacts")
    (made,) = api.post("leads/complex", [{"name": "L", "_embedded": {"contacts": [{"id": person}]}}]).json()
    assert made["contact_id"] == person
    assert box.count("contacts") == before
    assert errors(api.post("leads/complex", [{"_embedded": {"contacts": [{"id": 1}]}}])) == [
        ("0", "NotSupportedChoice", "_embedded.contacts.0.id")
    ]


def test_complex_does_not_link_an_existing_company(box: Sandbox, api: Api) -> None:
    """Its id comes back, the link does not come about, unless the switch says so; a new company is linked."""
    company = api.made("companies", {"name": "x"})[0]
    for linked in (False, True):
        box.config(complex_links_company_id=linked)
        (made,) = api.post("leads/complex", [{"name": "L", "_embedded": {"companies": [{"id": company}]}}]).json()
        assert made["company_id"] == company
        shown = api.get(f"leads/{made['id']}").json()["_embedded"]["companies"]
        assert [item["id"] for item in shown] == ([company] if linked else [])
    (made,) = api.post("leads/complex", [complex_item() | {"_embedded": {"companies": [{"name": "new"}]}}]).json()
    assert api.get(f"leads/{made['id']}").json()["_embedded"]["companies"][0]["id"] == made["company_id"]


def test_complex_paths_lead_into_the_contact(box: Sandbox, api: Api) -> None:
    """An error of the contact is named from the lead's root; nothing is created."""
    bad = complex_item()
    bad["_embedded"]["contacts"][0]["responsible_user_id"] = "x"
    before = box.count("contacts")
    assert errors(api.post("leads/complex", [complex_item(), bad])) == [
        ("1", "InvalidType", "_embedded.contacts.0.responsible_user_id")
    ]
    assert (box.count("leads"), box.count("contacts")) == (LEADS, before)


def test_complex_limits(api: Api) -> None:
    """Fifty leads, one contact each, forty fields."""
    assert api.post("leads/complex", [complex_item()] * 51).status_code == 422
    two = complex_item()
    two["_embedded"]["contacts"] *= 2
    assert errors(api.post("leads/complex", [two])) == [("0", "NotSupportedChoice", "_embedded.contacts.1")]
    fields = [{"field_id": 264911, "values": [{"value": "x"}]}] * 41
    assert errors(api.post("leads/complex", [{"custom_fields_values": fields}])) == [
        ("0", "NotSupportedChoice", "custom_fields_values")
    ]


def test_duplicate_control_merges_across_requests_only_and_only_when_on(box: Sandbox, api: Api) -> None:
    """Off by default. On: the second request with a known phone gets the surviving ids; one batch never merges."""
    first, second = (api.post("leads/complex", [complex_item("+79001110000")]).json()[0] for _ in range(2))
    assert first["id"] != second["id"]
    box.config(duplicate_control=True)
    (merged,) = api.post("leads/complex", [complex_item("8 900 111 00 00")]).json()
    assert merged["merged"] is True
    assert merged["contact_id"] in (first["contact_id"], second["contact_id"])
    batch = api.post("leads/complex", [complex_item("+79002220000")] * 2).json()
    assert [item["merged"] for item in batch] == [False, False]


def test_complex_with_metadata_is_an_incoming_lead(api: Api) -> None:
    """It stands in the incoming stage and waits in `/leads/unsorted`; its contact is unsorted."""
    item = complex_item()
    item["_embedded"]["metadata"] = {"category": "forms", "form_id": "f", "form_name": "Форма", "form_page": "p"}
    (made,) = api.post("leads/complex", [item]).json()
    assert api.get(f"leads/{made['id']}").json()["status_id"] == INCOMING[SALES]
    assert api.get(f"contacts/{made['contact_id']}").json()["is_unsorted"] is True
    waiting = api.items("leads/unsorted")[0]
    assert waiting["_embedded"]["leads"][0]["id"] == made["id"]

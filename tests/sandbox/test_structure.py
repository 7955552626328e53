"""The account's structure: pipelines, fields, users, reasons, sources — and who may touch them."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.club.structure import MANAGERS, SALES, WORKING
from sandbox.process import Sandbox
from tests.sandbox.conftest import Api, errors

PIPELINE = {
    "name": "Лето",
    "sort": 30,
    "is_main": False,
    "is_unsorted_on": True,
    "_embedded": {"statuses": [{"name": "Первый", "sort": 20, "color": "#fffeb2"}, {"id": 142, "name": "Ура"}]},
}


# ── Pipelines ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_new_pipeline_has_incoming_own_and_closed_stages(api: Api) -> None:
    """142 may be renamed; the pipeline can be read at once."""
    (made,) = api.post("leads/pipelines", [PIPELINE]).json()["_embedded"]["pipelines"]
    stages = made["_embedded"]["statuses"]
    assert [(stage["type"], stage["name"]) for stage in stages] == [
        (1, "Неразобранное"),
        (0, "Первый"),
        (0, "Ура"),
        (0, "Закрыто и не реализовано"),
    ]
    assert api.get(f"leads/pipelines/{made['id']}").json()["name"] == "Лето"
    assert api.get("leads/pipelines/1").status_code == 404


def test_pipelines_end_in_three_ways(api: Api) -> None:
    """With leads inside 422, empty 204, a second time 400 as any id that never was."""
    assert api.delete(f"leads/pipelines/{SALES}").status_code == 422
    (pipeline,) = api.made("leads/pipelines", PIPELINE)
    assert api.delete(f"leads/pipelines/{pipeline}").status_code == 204
    for gone in (pipeline, 999_999_999):
        assert errors(api.delete(f"leads/pipelines/{gone}")) == [("", "NotSupportedChoice", "id")]
    assert pipeline not in api.ids("leads/pipelines")


def test_pipeline_needs_its_properties(api: Api) -> None:
    """All of them are named at once."""
    answer = api.post("leads/pipelines", [{"name": "x"}])
    assert [path for _, code, path in errors(answer) if code == "FieldMissing"] == [
        "sort",
        "is_main",
        "is_unsorted_on",
        "_embedded.statuses",
    ]


def test_stages_come_change_and_go(api: Api) -> None:
    """A colour outside the list is refused; leads of a deleted stage move to the first one."""
    path = f"leads/pipelines/{SALES}/statuses"
    assert errors(api.post(path, [{"name": "x", "color": "#123456"}])) == [("0", "NotSupportedChoice", "color")]
    (made,) = api.post(path, [{"name": "Новый", "sort": 25, "color": "#87f2c0"}]).json()["_embedded"]["statuses"]
    assert made["request_id"] == "0"
    lead = api.lead(pipeline_id=SALES, status_id=made["id"])
    changed = api.patch(f"{path}/{made['id']}", {"name": "Другой"}).json()
    assert (changed["name"], changed["color"]) == ("Другой", "#87f2c0")
    assert api.get(f"{path}/{made['id']}?with=descriptions").json()["descriptions"] == []
    assert api.delete(f"{path}/{made['id']}").status_code == 204
    assert api.get(f"leads/{lead}").json()["status_id"] == WORKING[SALES][0]
    assert errors(api.delete(f"{path}/142")) == [("", "NotSupportedChoice", "id")]


def test_a_pipelines_stages_are_a_list_of_their_own(api: Api) -> None:
    """GET …/statuses; PATCH of the pipeline renames it."""
    assert len(api.items(f"leads/pipelines/{SALES}/statuses")) == 8
    assert api.patch(f"leads/pipelines/{SALES}", {"name": "Иначе"}).json()["name"] == "Иначе"
    assert api.get("leads/pipelines/1/statuses").status_code == 404


# ── Fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_fields_are_paged(api: Api) -> None:
    """Whoever reads one page of ten has not seen them all."""
    first = api.get("leads/custom_fields?limit=10").json()
    assert (first["_total_items"], first["_page"], first["_page_count"]) == (32, 1, 4)
    assert set(first["_links"]) == {"self", "next", "last"}
    assert first["_links"]["last"]["href"].endswith("page=4")
    ids = [id_ for page in range(1, 5) for id_ in api.ids(f"leads/custom_fields?limit=10&page={page}")]
    assert len(set(ids)) == 32
    assert api.ids("leads/custom_fields?limit=250&order[id]=desc") == sorted(ids, reverse=True)


def test_new_field_can_be_written_at_once(api: Api) -> None:
    """201 with the whole definition; the desk's own API-only marker is such a field."""
    answer = api.post(
        "leads/custom_fields",
        [{"name": "Метка", "type": "text", "code": "DESK_ID", "is_api_only": True, "request_id": "q"}],
    )
    assert answer.status_code == 201
    (made,) = answer.json()["_embedded"]["custom_fields"]
    assert (made["request_id"], made["code"], made["is_api_only"], made["enums"]) == ("q", "DESK_ID", True, None)
    lead = api.lead(custom_fields_values=[{"field_code": "DESK_ID", "values": [{"value": "k-1"}]}])
    assert api.ids("leads?query=k-1") == [lead]


@pytest.mark.parametrize(
    ("item", "code", "path"),
    [
        ({"name": "x", "type": "multitext"}, "NotSupportedChoice", "type"),
        ({"name": "x", "type": "items"}, "NotSupportedChoice", "type"),
        ({"name": "x"}, "FieldMissing", "type"),
        ({"type": "text"}, "FieldMissing", "name"),
        ({"name": "x", "type": "text", "code": "UTM_SOURCE"}, "NotSupportedChoice", "code"),
        ({"name": "x", "type": "monetary"}, "FieldMissing", "currency"),
        ({"name": "x", "type": "select", "enums": [{"sort": 1}]}, "FieldMissing", "enums.0.value"),
    ],
)
def test_bad_definitions_are_refused(api: Api, item: dict[str, Any], code: str, path: str) -> None:
    """A phone type on a lead, a code somebody else has, money without a currency."""
    assert errors(api.post("leads/custom_fields", [item])) == [("0", code, path)]


def test_options_not_sent_again_are_gone(api: Api) -> None:
    """PATCH of enums keeps those whose ids it carries."""
    options = [{"value": "a", "sort": 1}, {"value": "b", "sort": 2, "code": "bee"}]
    (field,) = api.made("leads/custom_fields", {"name": "x", "type": "select", "enums": options})
    old = api.get(f"leads/custom_fields/{field}").json()["enums"]
    changed = api.patch(f"leads/custom_fields/{field}", {"enums": [old[1], {"value": "c"}]}).json()
    assert [enum["value"] for enum in changed["enums"]] == ["b", "c"]
    assert changed["enums"][0]["id"] == old[1]["id"]
    lead = api.lead(custom_fields_values=[{"field_id": field, "values": [{"enum_code": "bee"}]}])
    (shown,) = api.get(f"leads/{lead}").json()["custom_fields_values"]
    assert shown["values"] == [{"value": "b", "enum_id": old[1]["id"], "enum_code": "bee"}]
    assert errors(api.patch("leads/custom_fields", [{"id": field, "enums": [{"id": 1, "value": "z"}]}])) == [
        ("0", "NotSupportedChoice", "enums.0.id")
    ]


def test_money_wants_its_currency_even_unchanged(api: Api) -> None:
    """A PATCH of the name alone is refused."""
    assert errors(api.patch("leads/custom_fields/264941", {"name": "x"})) == [("", "FieldMissing", "currency")]
    assert api.patch("leads/custom_fields/264941", {"name": "Льгота", "currency": "RUB"}).json()["name"] == "Льгота"


def test_renamed_field_reads_by_its_new_name_and_a_deleted_one_not_at_all(api: Api) -> None:
    """Values belong to the definition; built-in fields cannot go."""
    lead = api.lead(custom_fields_values=[{"field_id": 264931, "values": [{"value": 5}]}])
    api.patch("leads/custom_fields/264931", {"name": "Лет"})
    assert api.get(f"leads/{lead}").json()["custom_fields_values"][0]["field_name"] == "Лет"
    assert api.delete("leads/custom_fields/264931").status_code == 204
    assert api.get(f"leads/{lead}").json()["custom_fields_values"] is None
    assert api.delete("leads/custom_fields/264931").status_code == 404
    assert api.delete("contacts/custom_fields/264911").status_code == 403


def test_ids_never_come_twice(api: Api) -> None:
    """A field made after another was deleted has a number of its own."""
    (one,) = api.made("leads/custom_fields", {"name": "x", "type": "text"})
    api.delete(f"leads/custom_fields/{one}")
    assert api.made("leads/custom_fields", {"name": "y", "type": "text"}) != [one]


def test_groups_of_fields(api: Api) -> None:
    """The statistics group holds the tracking fields."""
    groups = {item["id"]: item for item in api.items("leads/custom_fields/groups")}
    assert len(groups["statistic"]["fields"]) == 19
    assert api.get("leads/custom_fields/groups/statistic").json()["name"] == "Статистика"
    assert api.get("leads/custom_fields/groups/none").status_code == 404


def test_groups_come_change_and_go(api: Api) -> None:
    """A new group takes its fields along; when it goes they stay; built-in groups cannot go."""
    answer = api.post(
        "leads/custom_fields/groups", [{"name": "Визит", "sort": 5, "fields": [264927], "request_id": "q"}]
    )
    assert answer.status_code == 201
    (made,) = answer.json()["_embedded"]["custom_field_groups"]
    assert (made["fields"], made["request_id"]) == ([264927], "q")
    path = f"leads/custom_fields/groups/{made['id']}"
    assert api.patch(path, {"name": "Занятие"}).json()["name"] == "Занятие"
    assert errors(api.patch(path, {"fields": [1]})) == [("", "NotSupportedChoice", "fields.0")]
    assert api.delete(path).status_code == 204
    assert api.get("leads/custom_fields/264927").json()["group_id"] is None
    assert api.delete("leads/custom_fields/groups/statistic").status_code == 403


# ── Users and rights ────────────────────────────────────────────────────────────────────────────────────────────────


def test_users_as_the_sheet_shows_them(api: Api) -> None:
    """Rights by kind, null status_rights, the one who left still there and inactive."""
    users = {item["id"]: item for item in api.items("users")}
    assert len(users) == 6
    admin, manager = users[10091426], users[MANAGERS[0]]
    assert admin["rights"]["is_admin"] is True
    assert manager["rights"]["leads"]["delete"] == "D"
    assert manager["rights"]["status_rights"] is None
    assert [user["name"] for user in users.values() if not user["rights"]["is_active"]] == ["Павел Зайцев"]
    assert api.get("users/10091426?with=phone_number").json()["phone_number"] is None
    assert api.get("users/1").status_code == 404


def test_new_users_are_ten_at_most(api: Api) -> None:
    """201 for ten, 422 for eleven; one of them can be made responsible."""
    people = [{"name": f"N{at}", "email": f"n{at}@x.example", "rights": {"is_admin": False}} for at in range(11)]
    assert api.post("users", people).status_code == 422
    answer = api.post("users", people[:1])
    assert answer.status_code == 201
    new = answer.json()["_embedded"]["users"][0]["id"]
    assert api.post("leads", [{"responsible_user_id": new}]).status_code == 200


def test_users_leave_and_return(box: Sandbox, api: Api) -> None:
    """204 for leaving, 202 for returning; in between the person is no choice."""
    who = [{"id": MANAGERS[0]}]
    assert api.post("users/deactivate", who).status_code == 204
    assert errors(api.post("leads", [{"responsible_user_id": MANAGERS[0]}])) == [
        ("0", "NotSupportedChoice", "responsible_user_id")
    ]
    assert api.post("users/activate", who).status_code == 202
    assert api.post("leads", [{"responsible_user_id": MANAGERS[0]}]).status_code == 200


ADMIN_ONLY = [
    ("GET", "users"),
    ("GET", "webhooks"),
    ("POST", "webhooks"),
    ("DELETE", "webhooks"),
    ("POST", "leads/pipelines"),
    ("DELETE", f"leads/pipelines/{SALES}"),
    ("POST", "leads/custom_fields"),
    ("PATCH", "leads/custom_fields/264911"),
    ("POST", "leads/loss_reasons"),
]


@pytest.mark.parametrize(("method", "path"), ADMIN_ONLY)
def test_managers_are_refused_with_json(box: Sandbox, api: Api, method: str, path: str) -> None:
    """403 as JSON, which is how it differs from the block; by switch even the admin's token is a manager's."""
    manager = Api(box, box.grant(user_id=MANAGERS[0])["access_token"])
    assert manager.get("leads?limit=1").status_code == 200
    box.config(admin_rights=False)
    for client in (manager, api):
        answer = client(method, path, json={"x": 1})
        assert answer.status_code == 403
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_is_switched_off_is_402(api: Api) -> None:
    """The club has no customers, and says so with a bill."""
    assert {api.get(path).status_code for path in ("customers", "customers/1", "customers/custom_fields")} == {402}


def test_missing_scope_is_403(box: Sandbox) -> None:
    """A token without `crm` opens nothing."""
    box.config(scopes=["notifications"])
    answer = Api(box).get("leads")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "Client doesn't have the required scope"


def test_unpaid_account(box: Sandbox, api: Api) -> None:
    """First only writes are 402, later everything."""
    box.config(paid="reads_only")
    assert api.get("leads").status_code == 200
    answer = api.post("leads", [{"name": "x"}])
    assert (answer.status_code, answer.json()["title"]) == (402, "Payment Required")
    box.config(paid=False)
    assert api.get("leads").status_code == 402


# ── Loss reasons and sources ────────────────────────────────────────────────────────────────────────────────────────


def test_loss_reasons(api: Api) -> None:
    """Listed, made, read, deleted."""
    assert len(api.items("leads/loss_reasons")) == 7
    (made,) = api.made("leads/loss_reasons", {"name": "Переехали"})
    assert api.get(f"leads/loss_reasons/{made}").json()["name"] == "Переехали"
    assert api.patch(f"leads/loss_reasons/{made}", {"name": "Уехали"}).json()["name"] == "Уехали"
    answer = api.patch("leads/loss_reasons", [{"id": made, "sort": 3}])
    assert answer.json()["_embedded"]["loss_reasons"][0]["sort"] == 3
    assert errors(api.patch("leads/loss_reasons", [{"id": 1}])) == [("0", "NotSupportedChoice", "id")]
    assert api.delete(f"leads/loss_reasons/{made}").status_code == 204
    assert api.get(f"leads/loss_reasons/{made}").status_code == 404


def test_sources_are_the_only_unique_external_id(api: Api) -> None:
    """204 while there are none, `SourceAlreadyExists` for the second, and a lead may name one."""
    assert api.get("sources").status_code == 204
    (source,) = api.made("sources", {"name": "Сайт", "external_id": "site"})
    assert errors(api.post("sources", [{"name": "Ещё", "external_id": "site"}])) == [
        ("0", "SourceAlreadyExists", "external_id")
    ]
    assert errors(api.post("sources", [{}])) == [("0", "FieldMissing", "name"), ("0", "FieldMissing", "external_id")]
    lead = api.lead(name="x", _embedded={"source": {"type": "widget", "external_id": "site"}})
    assert api.get(f"leads/{lead}?with=source_id,source").json()["source_id"] == source
    assert api.patch(f"sources/{source}", {"name": "Лендинг", "external_id": "site"}).json()["name"] == "Лендинг"
    answer = api.patch("sources", [{"id": source, "name": "Сайт"}])
    assert answer.json()["_embedded"]["sources"][0]["name"] == "Сайт"
    assert [api.delete(f"sources/{source}").status_code for _ in range(2)] == [204, 404]
    (source,) = api.made("sources", {"name": "Ещё", "external_id": "site"})
    assert api.delete("sources", [{"id": source}]).status_code == 204
    assert errors(api.delete("sources", [{"id": source}])) == [("0", "NotSupportedChoice", "id")]

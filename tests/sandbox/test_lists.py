"""Lists: pages, filters, sorts, `with`, and everything that is ignored with 200."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from sandbox.club.structure import CORPORATE, MANAGERS, SALES
from sandbox.process import Sandbox
from tests.sandbox.conftest import LEADS, Api


def live(box: Sandbox, table: str = "leads") -> list[dict[str, Any]]:
    """The truth: rows outside the bin."""
    return [row for row in box.entities(table) if not row["is_deleted"]]


def links(api: Api, path: str) -> dict[str, str]:
    """`_links` of a list, without the part before the path."""
    return {name: link["href"] for name, link in api.get(path).json()["_links"].items()}


# ── Pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_following_next_finds_everything_once(api: Api) -> None:
    """A walk along `_links.next` ends by itself and has met every lead exactly once."""
    url, seen = f"{api.base}leads?limit=7&order[id]=asc", []
    while url:
        data = api.session.get(url, timeout=60).json()
        seen += [item["id"] for item in data["_embedded"]["leads"]]
        url = data["_links"].get("next", {}).get("href")
    assert len(seen) == len(set(seen)) == LEADS
    assert seen == sorted(seen)


def test_first_and_prev_only_after_page_one_and_next_only_before_the_last(api: Api) -> None:
    """Page 1 has self and next, the last page has no next, and both know their number."""
    assert set(links(api, "leads?limit=20")) == {"self", "next"}
    assert set(links(api, "leads?limit=20&page=2")) == {"self", "next", "first", "prev"}
    assert set(links(api, "leads?limit=20&page=3")) == {"self", "first", "prev"}
    assert set(links(api, "leads?limit=60")) == {"self"}
    assert api.get("leads?limit=20&page=2").json()["_page"] == 2


def test_links_keep_every_parameter_as_it_came(api: Api) -> None:
    """Filters, order and with stay in `next`, in their own spelling; only the page changes."""
    query = "filter%5Bpipeline_id%5D%5B%5D=7249526&limit=3&page=2&order%5Bid%5D=desc&with=contacts&x=%D0%B9"
    found = links(api, f"leads?{query}")
    assert urlsplit(found["self"]).query == query
    assert urlsplit(found["next"]).query == query.replace("page=2", "page=3")
    assert urlsplit(found["first"]).query == query.replace("page=2", "page=1")


def test_links_name_page_and_limit_even_if_nobody_did(api: Api) -> None:
    """A bare list says which page and which limit it used."""
    assert dict(parse_qsl(urlsplit(links(api, "leads")["next"]).query)) == {"page": "2", "limit": "50"}


def test_items_inherit_the_query_unless_switched_off(box: Sandbox, api: Api) -> None:
    """Newer servers hang the list's query on every item's link."""
    item = api.items("leads?limit=1&page=1")[0]
    assert urlsplit(item["_links"]["self"]["href"]).query == "limit=1&page=1"
    box.config(item_links_keep_query=False)
    item = api.items("leads?limit=1&page=1")[0]
    assert urlsplit(item["_links"]["self"]["href"]).query == ""


@pytest.mark.parametrize(
    ("limit", "got"), [("", 50), ("limit=251", 250), ("limit=500", 250), ("limit=0", 50), ("limit=x", 50)]
)
def test_limit_defaults_to_50_and_is_cut_at_250(box: Sandbox, api: Api, limit: str, got: int) -> None:
    """Too great a limit is cut without a word."""
    box.reset(leads=260)
    box.config(rps=1_000_000)
    fresh = Api(box)
    answer = fresh.get(f"leads?{limit}")
    assert answer.status_code == 200
    assert len(answer.json()["_embedded"]["leads"]) == got


def test_a_page_behind_the_last_is_204(api: Api) -> None:
    """There is nothing there, and that is how it is said."""
    assert api.get("leads?page=99").status_code == 204


def test_offset_pages_shift_while_leads_change(api: Api) -> None:
    """A lead touched during a walk by `updated_at` is met again, or another is missed: paging is by offset."""
    first = api.ids("leads?limit=10&order[updated_at]=asc")
    expected_next = api.ids("leads?limit=10&page=2&order[updated_at]=asc")
    api.patch(f"leads/{first[0]}", {"name": "touched"})
    got = api.ids("leads?limit=10&page=2&order[updated_at]=asc")
    assert got != expected_next
    assert expected_next[0] not in got


# ── Order ───────────────────────────────────────────────────────────────────────────────────────────────────────────

DEFAULT = "updated_at"
SORTS = {
    "leads": {"id", "created_at", "updated_at"},
    "contacts": {"id", "updated_at", "name"},
    "companies": {"id", "updated_at", "name"},
    "leads/notes": {"id", "updated_at"},
    "tasks": {"id", "created_at", "complete_till"},
}


@pytest.mark.parametrize("path", SORTS)
@pytest.mark.parametrize("column", ["id", "created_at", "updated_at", "name", "price", "complete_till", "nonsense"])
def test_only_measured_sorts_work_the_rest_is_default(api: Api, path: str, column: str) -> None:
    """Where a column can be sorted by, both directions are right; where not, both give the default order."""
    plain = api.items(f"{path}?limit=250")
    ascending, descending = (api.items(f"{path}?limit=250&order[{column}]={way}") for way in ("asc", "desc"))
    assert [item[DEFAULT] for item in plain] == sorted(item[DEFAULT] for item in plain)
    if column in SORTS[path]:
        values = [item[column] for item in ascending]
        assert values == sorted(values)
        assert [item[column] for item in descending] == values[::-1]
    else:
        assert (
            [item["id"] for item in ascending] == [item["id"] for item in descending] == [item["id"] for item in plain]
        )


def test_unknown_direction_is_the_default_order(api: Api) -> None:
    """`order[id]=nonsense` is as good as no order."""
    assert api.ids("leads?order[id]=nonsense") == api.ids("leads")


# ── Filters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "form",
    ["filter[id][]={0}&filter[id][]={1}", "filter[id][0]={0}&filter[id][5]={1}", "filter[id]={0},{1}",
     "filter%5Bid%5D%5B%5D={0}&filter%5Bid%5D%5B%5D={1}"],
)  # fmt: skip
def test_ids_may_be_written_in_every_php_way(api: Api, form: str) -> None:
    """Brackets, indexes, commas, percent-encoded or not."""
    wanted = sorted(api.ids("leads?limit=2"))
    assert sorted(api.ids("leads?" + form.format(*wanted))) == wanted
    assert api.ids(f"leads?filter[id]={wanted[0]}") == wanted[:1]


@pytest.mark.parametrize("column", ["created_at", "updated_at"])
def test_ranges_include_both_ends(box: Sandbox, api: Api, column: str) -> None:
    """`[from]` and `[to]`, together and alone, against the truth."""
    values = sorted(row[column] for row in live(box))
    low, high = values[10], values[30]
    asked = f"leads?limit=250&filter[{column}][from]={low}&filter[{column}][to]={high}"
    assert sorted(item[column] for item in api.items(asked)) == [value for value in values if low <= value <= high]
    only_from = api.items(f"leads?limit=250&filter[{column}][from]={high}")
    assert sorted(item[column] for item in only_from) == [value for value in values if value >= high]


def test_plain_time_means_equality_not_since(box: Sandbox, api: Api) -> None:
    """`filter[updated_at]=ts` finds that second only."""
    moment = live(box)[5]["updated_at"]
    assert {item["updated_at"] for item in api.items(f"leads?filter[updated_at]={moment}")} == {moment}
    assert api.get(f"leads?filter[updated_at]={moment + 10**8}").status_code == 204


def test_stage_filter_needs_both_halves(box: Sandbox, api: Api) -> None:
    """A pair selects by pipeline and status together; half a pair is no filter at all."""
    expected = {row["id"] for row in live(box) if (row["pipeline_id"], row["status_id"]) == (SALES, 143)}
    pair = f"filter[statuses][0][pipeline_id]={SALES}&filter[statuses][0][status_id]=143"
    assert expected
    assert set(api.ids(f"leads?limit=250&{pair}")) == expected
    both = f"{pair}&filter[statuses][1][pipeline_id]={CORPORATE}&filter[statuses][1][status_id]=143"
    more = {row["id"] for row in live(box) if row["status_id"] == 143}
    assert set(api.ids(f"leads?limit=250&{both}")) == more
    assert len(api.ids("leads?limit=250&filter[statuses][0][status_id]=143")) == LEADS


def test_other_lead_filters_match_the_truth(box: Sandbox, api: Api) -> None:
    """Pipeline, responsible, price by value and by range, name, closing time."""
    rows = live(box)
    price = next(row["price"] for row in rows if row["price"])
    cases: dict[str, Any] = {
        f"filter[pipeline_id][]={CORPORATE}": lambda row: row["pipeline_id"] == CORPORATE,
        f"filter[responsible_user_id]={MANAGERS[0]},{MANAGERS[1]}": lambda row: (
            row["responsible_user_id"] in MANAGERS[:2]
        ),
        f"filter[price]={price}": lambda row: row["price"] == price,
        f"filter[price][from]={price}": lambda row: row["price"] >= price,
        f"filter[name]={rows[0]['name']}": lambda row: row["name"] == rows[0]["name"],
        "filter[closed_at][from]=1": lambda row: row["closed_at"] is not None,
        "filter[created_by]=0": lambda row: row["created_by"] == 0,
    }
    for query, matches in cases.items():
        assert set(api.ids(f"leads?limit=250&{query}")) == {row["id"] for row in rows if matches(row)}, query


@pytest.mark.parametrize(
    "query",
    ["filter[nonsense]=1", "filter[tags_id]=1", "pipeline_id=7249530", "filter[tags][]=1", "filter[created_by][x][y]=1",
     "nonsense=1", "filter[custom_fields_values][264913][]=nothing", "filter[id]="],
)  # fmt: skip
def test_what_is_not_understood_gives_everything(api: Api, query: str) -> None:
    """200 and the whole collection: a misspelt filter is no filter."""
    assert len(api.ids(f"leads?limit=250&{query}")) == LEADS


def test_field_filter_is_honoured_only_where_it_is_switched_on(box: Sandbox, api: Api) -> None:
    """`filter[custom_fields_values]` by text, by option and by range, once the account has the filters API."""
    lead = api.lead(
        custom_fields_values=[
            {"field_id": 264913, "values": [{"value": "Фехтование"}]},
            {"field_id": 264923, "values": [{"value": "Год"}]},
            {"field_id": 264931, "values": [{"value": 101}]},
        ]
    )
    box.config(is_api_filter_enabled=True)
    assert api.ids("leads?filter[custom_fields_values][264913][]=Фехтование") == [lead]
    assert lead in api.ids("leads?limit=250&filter[custom_fields_values][264923][]=566549")
    assert api.ids("leads?filter[custom_fields_values][264931][from]=100") == [lead]
    assert api.get("account?with=is_api_filter_enabled").json()["is_api_filter_enabled"] is True


def test_pipelines_ignore_pages(api: Api) -> None:
    """Page 1 and page 10 of anything are all pipelines."""
    assert api.ids("leads/pipelines?limit=1&page=10") == api.ids("leads/pipelines") == [SALES, CORPORATE]


def test_totals_are_told_only_where_amocrm_tells_them(api: Api) -> None:
    """No total for leads, contacts, tasks, notes and events; one for users, fields, pipelines."""
    for path in ("leads", "contacts", "tasks", "leads/notes", "events", "companies"):
        assert "_total_items" not in api.get(path).json()
    for path in ("users", "leads/custom_fields", "leads/pipelines", "events/types"):
        assert api.get(path).json()["_total_items"] > 0
    assert api.get("leads/custom_fields?limit=10").json()["_page_count"] == 4


# ── with ────────────────────────────────────────────────────────────────────────────────────────────────────────────

LEAD_KEYS = [
    "id", "name", "price", "responsible_user_id", "group_id", "status_id", "pipeline_id", "loss_reason_id",
    "created_by", "updated_by", "created_at", "updated_at", "closed_at", "closest_task_at", "is_deleted",
    "custom_fields_values", "score", "account_id", "labor_cost", "is_price_computed", "_links", "_embedded",
]  # fmt: skip


def test_lead_has_the_recorded_keys_in_order(api: Api) -> None:
    """Nothing more, nothing less, in the order of the recorded body; tags and companies always embedded."""
    item = api.items("leads?limit=1")[0]
    assert list(item) == LEAD_KEYS
    assert list(item["_embedded"]) == ["tags", "companies"]


def test_with_adds_what_it_names(box: Sandbox, api: Api) -> None:
    """Contacts as ids only, the loss reason as an array of one, source_id at the root; unknown names are ignored."""
    lost = next(row["id"] for row in live(box) if row["loss_reason_id"])
    path = f"leads/{lost}?with=contacts,loss_reason,source_id,is_price_modified_by_robot,catalog_elements,nonsense"
    item = api.get(path).json()
    assert item["source_id"] is None
    assert item["is_price_modified_by_robot"] is False
    assert item["_embedded"]["catalog_elements"] == []
    (reason,) = item["_embedded"]["loss_reason"]
    assert list(reason) == ["id", "name", "sort", "created_at", "updated_at", "_links"]
    linked = next(item for item in api.items("leads?limit=250&with=contacts") if item["_embedded"]["contacts"])
    assert list(linked["_embedded"]["contacts"][0]) == ["id", "is_main", "_links"]


def test_contacts_show_their_leads_only_when_asked(api: Api) -> None:
    """`with=leads` embeds ids; without it there is no such key."""
    assert "leads" not in api.items("contacts?limit=1")[0]["_embedded"]
    item = next(item for item in api.items("contacts?limit=250&with=leads") if item["_embedded"]["leads"])
    lead_id = item["_embedded"]["leads"][0]["id"]
    linked = api.get(f"leads/{lead_id}?with=contacts").json()["_embedded"]["contacts"]
    assert item["id"] in [contact["id"] for contact in linked]


def test_account_parts_stand_where_clients_look(api: Api) -> None:
    """Some of `with` at the root, some embedded, nothing that was not asked for."""
    assert "_embedded" not in api.get("account").json()
    asked = api.get("account?with=amojo_id,uuid,version,task_types,users_groups,datetime_settings,amojo_rights").json()
    assert {"amojo_id", "uuid", "version"} <= asked.keys()
    assert set(asked["_embedded"]) == {"task_types", "users_groups", "datetime_settings", "amojo_rights"}
    assert asked["_embedded"]["datetime_settings"]["timezone"] == "Europe/Moscow"

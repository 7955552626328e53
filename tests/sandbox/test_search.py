"""`query=`: full text over everything filled in, and the lag before it sees what is new."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.process import Sandbox, wait_until
from tests.sandbox.conftest import LEADS, Api


def contact(api: Api, name: str, *phones: str, **more: Any) -> int:
    """A new contact with these phones."""
    values = [{"value": phone} for phone in phones]
    fields = [{"field_code": "PHONE", "values": values}] if phones else []
    return api.made("contacts", {"name": name, "custom_fields_values": fields, **more})[0]


def found(api: Api, query: str, kind: str = "contacts") -> set[int]:
    """The ids a search gives."""
    answer = api.get(kind, params={"query": query, "limit": 250})
    return {item["id"] for item in answer.json()["_embedded"][kind]} if answer.status_code == 200 else set()


def test_plus_seven_and_eight_are_different_strings(api: Api) -> None:
    """A phone is found by how it was typed in or by its last ten digits, not by another spelling."""
    plus, eight = contact(api, "А", "+79001112233"), contact(api, "Б", "89001112233")
    assert found(api, "+79001112233") == {plus}
    assert found(api, "89001112233") == {eight}
    assert found(api, "9001112233") == {plus, eight}


def test_odd_spelling_is_found_by_its_digits(box: Sandbox, api: Api) -> None:
    """Brackets and dashes do not hide a phone from its ten digits; by switch they do."""
    odd = contact(api, "В", "8 (900) 111-22-33")
    assert found(api, "9001112233") == {odd}
    box.config(search_phone_digits=False)
    assert found(api, "9001112233") == set()
    assert found(api, "111-22-33") == {odd}


def test_the_first_hit_may_be_somebody_else(api: Api) -> None:
    """Digits in any field match: a name, a second phone. Whoever takes the first hit takes the wrong person."""
    by_name = contact(api, "Иван 9001112233")
    by_second = contact(api, "Пётр", "+79990000000", "+79001112233")
    exact = contact(api, "Анна", "+79001112233")
    assert found(api, "9001112233") == {by_name, by_second, exact}
    assert api.ids("contacts?query=9001112233")[0] == by_name


def test_phones_are_kept_as_they_were_typed(api: Api) -> None:
    """Not a blank is changed."""
    for spelling in ("8 (900) 111-22-33", " +7 900 111 22 33", "доб. 12"):
        made = api.get(f"contacts/{contact(api, 'Г', spelling)}").json()
        assert made["custom_fields_values"][0]["values"] == [
            {"value": spelling, "enum_id": 566501, "enum_code": "WORK"}
        ]


def test_every_word_must_be_there_in_any_case(api: Api) -> None:
    """Words are joined by "and", found anywhere inside, in any order and case."""
    one = contact(api, "Мария Зайцевская")
    assert found(api, "ЗАЙЦЕВСК мари") == {one}
    assert found(api, "Мария Несуществующая") == set()


@pytest.mark.parametrize("query", ["«", '"', "'", "%", "_", "*", "a OR b", "NEAR(a b)", "(", "text:", "-", "\\"])
def test_signs_are_only_signs(api: Api, query: str) -> None:
    """Nothing in a query is an operator."""
    card = contact(api, f"х{query}х")
    assert card in found(api, f"х{query}х")


def test_leads_are_found_by_fields_tags_and_budget(api: Api) -> None:
    """Whatever is filled in on the lead itself; not by what its contact holds."""
    person = contact(api, "Зинаида", "+79005556677")
    lead = api.lead(
        name="Особая заявка",
        price=77_777_777,
        tags_to_add=[{"name": "редкий"}],
        custom_fields_values=[
            {"field_id": 264913, "values": [{"value": "Фехтование"}]},
            {"field_id": 264923, "values": [{"value": "Полгода"}]},
            {"field_code": "UTM_CAMPAIGN", "values": [{"value": "zimnyaya"}]},
        ],
        _embedded={"contacts": [{"id": person}]},
    )
    for query in ("особая", "77777777", "редкий", "фехтование", "zimnyaya"):
        assert found(api, query, "leads") == {lead}, query
    assert lead in found(api, "полгода", "leads")
    assert found(api, "зинаида", "leads") == set()
    assert found(api, "9005556677", "leads") == set()


def test_blank_query_is_no_query(api: Api) -> None:
    """Nothing to look for: everything."""
    assert len(found(api, " ", "leads")) == LEADS


def test_short_words_are_found_too(api: Api) -> None:
    """One and two letters."""
    card = contact(api, "Ю Щщ")
    assert card in found(api, "щщ")
    assert card in found(api, "ю щ")


def test_changes_are_found_by_the_new_text_only(api: Api) -> None:
    """After a change the old words lead nowhere."""
    card = contact(api, "Прежняя Фамилия")
    assert found(api, "прежняя") == {card}
    api.patch(f"contacts/{card}", {"name": "Новая Фамилия"})
    assert found(api, "прежняя") == set()
    assert found(api, "новая") == {card}


def test_lag_hides_what_is_new_from_query_only(box: Sandbox, api: Api) -> None:
    """A new card is there at once by id and by filter, in `query=` only after the lag; so is a change."""
    box.config(search_lag_s=3600)
    card = contact(api, "Невидимка", "+79001112233")
    assert api.get(f"contacts/{card}").status_code == 200
    assert api.ids(f"contacts?filter[id]={card}") == [card]
    assert found(api, "9001112233") == set()
    box.config(search_lag_s=0)
    late = contact(api, "Невидимка вторая")
    assert found(api, "невидимка") == {late}


def test_lag_passes(box: Sandbox, api: Api) -> None:
    """When its time has come the card is found without anything else happening."""
    box.config(search_lag_s=0.3)
    card = contact(api, "Опоздавшая")
    assert wait_until(lambda: found(api, "опоздавшая")) == {card}
    created = box.ledger("request", method="POST", path="/api/v4/contacts")[0]["at"]
    seen = box.ledger("request", method="GET", path="/api/v4/contacts", status=200)[-1]
    assert seen["at"] + seen["duration_ms"] / 1000 - created >= 0.3


def test_deleted_cards_are_not_found(box: Sandbox, api: Api) -> None:
    """The bin is not searched, unless it is what was asked for."""
    card = contact(api, "Удалённая")
    assert found(api, "удалённая") == {card}
    box.edit("delete", "contacts", id=card)
    assert found(api, "удалённая") == set()
    assert api.ids("contacts?with=only_deleted&query=удалённая") == [card]

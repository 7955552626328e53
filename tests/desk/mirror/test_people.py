"""All contacts of a lead count, in whatever role: list, search, card, look-up."""

from __future__ import annotations

import pytest

from desk.listing import Filter, Sort
from tests.desk.mirror.conftest import hinted, round_of, settle
from tests.desk.mirror.test_tasks import ask

SECOND, THIRD = "+79075550102", "+79075550103"


def person(box, name, *phones):
    values = [{"value": phone} for phone in phones]
    body = [{"name": name, "custom_fields_values": [{"field_code": "PHONE", "values": values}] if values else None}]
    return ask(box, "POST", "contacts", body)["_embedded"]["contacts"][0]["id"]


def lead_of(box, *people, main):
    linked = [{"id": one, "is_main": one == main} for one in people]
    body = [{"name": "Заявка трёх", "_embedded": {"contacts": linked}}]
    return ask(box, "POST", "leads", body)["_embedded"]["leads"][0]["id"]


def found(desk, text):
    return [row.id for row in desk.listing.page(Filter(search=text), Sort()).rows]


def known_by(desk, phone):
    return {lead.id for one in desk.calls.look(phone).exact for lead in one.leads}


@pytest.fixture
def trio(few, small):
    """A lead with three contacts, the second of them the main one."""
    people = [person(few, "Ольга Третьякова", THIRD), person(few, "Главный Пётр", "89075550101")]
    people.append(person(few, "Семён Вторых", SECOND))
    lead = lead_of(few, *people, main=people[1])
    round_of(small)
    return lead, people


def test_found_by_any_of_them(small, trio):
    """By number and name in the search, and by number in the look-up of a call: so no duplicate is made."""
    lead, people = trio
    for text in ("+79075550101", SECOND, THIRD, "5550103", "третьякова", "вторых пётр"):
        assert found(small, text) == [lead], text
    for phone in ("+79075550101", SECOND, THIRD):
        assert known_by(small, phone) == {lead}
    card = small.listing.card(lead)
    assert (card.contact_name, card.phones) == ("Главный Пётр", ("+79075550101",))
    assert [(one.contact_id, one.phones) for one in card.others] == [(people[0], (THIRD,)), (people[2], (SECOND,))]


def test_a_change_of_any_of_them(few, small, trio):
    """Another number and name of a contact that is not the main one is on the lead after a round, by hint or without."""
    lead, people = trio
    fields = [{"field_code": "PHONE", "values": [{"value": "8 (907) 555-01-09"}]}]
    ask(few, "PATCH", f"contacts/{people[2]}", {"name": "Семён Новый", "custom_fields_values": fields})
    hinted(small, contacts=[people[2]])
    assert found(small, "+79075550109") == [lead] == found(small, "новый")
    assert found(small, SECOND) == []
    few.edit("delete", "contacts", id=people[0])
    round_of(small)
    assert found(small, THIRD) == []
    assert known_by(small, THIRD) == set()
    assert [one.contact_id for one in small.listing.card(lead).others] == [people[2]]
    few.edit("restore", "contacts", id=people[0])
    hinted(small, contacts=[people[0]])
    assert found(small, THIRD) == [lead]


def test_the_main_one_in_the_bin(few, small, trio):
    """The next contact stands for the lead."""
    lead, people = trio
    few.edit("delete", "contacts", id=people[1])
    round_of(small)
    card = small.listing.card(lead)
    assert (card.contact_name, card.phones) == ("Ольга Третьякова", (THIRD,))
    assert found(small, "+79075550101") == []


def test_linked_and_unlinked_the_night_finds(few, small, trio):
    """Links move no time and send no hook: another main contact and one that is gone are here after the nightly round."""
    lead, people = trio
    end = {"to_entity_id": people[0], "to_entity_type": "contacts"}
    few.session().post(f"{few.url}/api/v4/leads/{lead}/unlink", json=[end], timeout=60)
    few.session().post(f"{few.url}/api/v4/leads/{lead}/link", json=[end | {"metadata": {"is_main": True}}], timeout=60)
    end = {"to_entity_id": people[2], "to_entity_type": "contacts"}
    few.session().post(f"{few.url}/api/v4/leads/{lead}/unlink", json=[end], timeout=60)
    small.mirror.recount()
    small.mirror.look_after()
    settle(small)
    assert small.listing.card(lead).contact_name == "Ольга Третьякова"
    assert found(small, SECOND) == []
    assert found(small, "+79075550101") == [lead]


def test_no_phone_is_nobodys_phone(few, small):
    """A lead of which only the second contact has a number can be called: it shows that number."""
    first, second = person(few, "Без Номера"), person(few, "С Номером", "+79075550177")
    lead = lead_of(few, first, second, main=first)
    round_of(small)
    row = small.listing.page(Filter(search="Без Номера"), Sort()).rows[0]
    assert (row.id, row.phone, row.contact_name) == (lead, "+79075550177", "Без Номера")

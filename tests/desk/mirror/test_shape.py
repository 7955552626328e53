"""What AmoCRM tells as a row: budgets in kopecks, contacts in an order that means nothing, tasks."""

from __future__ import annotations

import pytest

from desk.mirror import shape


@pytest.mark.parametrize(("told", "kopecks"), [
    ({}, 0), ({"price": None}, 0), ({"price": 5500}, 550_000), ({"price": 1999.99}, 199_999), ({"price": 0.5}, 50),
    ({"price": 149.005}, 14_901), ({"price": 0.004}, 0), ({"price": "1 999,90 ₽"}, 199_990), ({"price": "1999.995"}, 200_000),
    ({"price": -10.555}, -1_056), ({"price": True}, 0), ({"price": "много"}, 0), ({"price": float("nan")}, 0),
    ({"price": float("inf")}, 0), ({"price": {"a": 1}}, 0), ({"price": 10**30}, 0), ({"price": 10**18}, 10**17), ({"price": "1e3"}, 100_000),
    ({"price": 1999, "price_with_minor_units": 1999.99}, 199_999), ({"price": 1999, "price_with_minor_units": None}, 199_900),
    ({"price": 1999, "price_with_minor_units": "1999.5"}, 199_950), ({"price": 2_147_483_647}, 214_748_364_700),
])  # fmt: skip
def test_a_budget(told, kopecks):
    """Kopecks are kept, rounded half up, however AmoCRM spells them; what is no number is none."""
    assert shape.price_kop({"id": 1, **told}) == kopecks


@pytest.mark.parametrize(("told", "ids"), [
    ([], ()), (None, ()), ([{"id": 7}], (7,)), ([{"id": 9}, {"id": 3}], (9, 3)),
    ([{"id": 9, "is_main": False}, {"id": 5, "is_main": True}, {"id": 3}], (5, 3, 9)), ([{"id": 4}, {"id": 4}], (4,)),
    ([{"id": "12", "is_main": True}, {"id": None}, "x"], (12,)),
])  # fmt: skip
def test_contacts(told, ids):
    """The main one, else the first, then the others by their numbers, each once."""
    assert shape.linked({"id": 1, "_embedded": {"contacts": told}}) == ids


@pytest.mark.parametrize(("told", "lead_id", "due"), [
    ({"entity_type": "leads", "entity_id": 5, "complete_till": 9}, 5, 9),
    ({"entity_type": "contacts", "entity_id": 5, "complete_till": 9}, None, 9),
    ({"entity_type": None, "entity_id": None, "complete_till": None}, None, None),
    ({"entity_type": "leads", "entity_id": "5", "complete_till": "9"}, 5, 9),
    ({}, None, None),
])  # fmt: skip
def test_a_task(told, lead_id, due):
    """Only a task of a lead is a lead's; whatever is missing is nothing."""
    row = shape.task_row({"id": 1, **told})
    assert (row["lead_id"], row["complete_till"], row["is_completed"]) == (lead_id, due, False)


def test_what_a_lead_shows_of_people():
    """The first one's name; his number, else the lead's own, else another's; each number once."""
    people = [shape.Person("", ()), shape.Person("Ёлка", ("+2", "+1"))]
    shown = shape.joined(people, "+1")
    assert shown == {"contact_name": "", "contact_search": "\nелка", "phone": "+1", "phones": " +1 +2"}
    assert shape.joined([], "")["phone"] == ""
    odd = shape.joined([shape.Person("", ("8 916 100-16-0", "+79161001601", "спросить"))], "")
    assert odd["phones"] == " 8 916 100-16-0 +79161001601 спросить\n 8916100160 7916100160"


def test_chosen_fields_are_stored_under_their_first_name():
    """A desk of a former version and this one store the same text for the same choice: an update computes no column anew."""
    chosen = shape.FieldIds(
        phone=1, direction=2, source=3, contact_phone=4, marker=None, utm={"utm_source": 5}, reader=3
    )
    assert chosen.as_text() == (
        "Places(phone=1, direction=2, source=3, contact_phone=4, marker=None, utm={'utm_source': 5}, reader=3)"
    )

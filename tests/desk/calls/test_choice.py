"""Whose call it is: what is offered for a number, and the choice as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from desk.calls.choice import ADD, NEW, OTHER, SAME, Choice, offers, selected, stage_code
from desk.calls.lookup import LOST, KnownLead, LookupResult, Person
from tests.desk.calls.conftest import PHONE


def lead(lead_id: int, status_id: int = 1) -> KnownLead:
    return KnownLead(lead_id, "Йога", 7, status_id, "Новая", "", "", 1, 1, None)


def person(contact_id: int | None, *leads: KnownLead, name: str = "Вера") -> Person:
    return Person(contact_id, name, PHONE, leads, 1)


OTHER_CODE = f"other:{PHONE}"


@pytest.mark.parametrize(
    ("exact", "codes"),
    [
        ((), []),
        ((person(45),), ["same:45", OTHER_CODE]),
        ((person(45, lead(123)),), ["add:123", "same:45", OTHER_CODE]),
        ((person(45, lead(123, LOST)),), ["same:45", OTHER_CODE]),
        ((person(45, lead(1, LOST), lead(2), lead(3)),), ["add:2", "same:45", OTHER_CODE]),
        ((person(None, lead(123)),), ["add:123", OTHER_CODE]),
        ((person(None, lead(123, LOST)),), [OTHER_CODE]),
        ((person(45, lead(1)), person(46)), ["add:1", "same:45", "same:46", OTHER_CODE]),
    ],
)
def test_what_is_offered(exact, codes):
    """A note on the open lead, a new lead of the contact, another person; nothing for a number nobody has."""
    found = LookupResult(PHONE, exact, near=(person(99, lead(99)),))
    assert [offer.code for offer in offers(found)] == codes
    assert found.must_be_shown is bool(codes)


@pytest.mark.parametrize(
    ("code", "taken", "name"),
    [
        ("", "add:123", "Вера"), ("same:45", "same:45", "Вера"), (OTHER_CODE, OTHER_CODE, ""),
        ("same:46", "add:123", "Вера"), ("other:+79990000000", "add:123", "Вера"),
    ],
)  # fmt: skip
def test_which_offer_is_selected(code, taken, name):
    """The chosen one as long as it is offered, else the likeliest; its person's name is known."""
    offer = selected(offers(LookupResult(PHONE, (person(45, lead(123)),))), code)
    assert (offer.code, offer.known_name) == (taken, name)
    assert selected([], code) is None


def test_a_name_that_is_none_is_not_known():
    """What AmoCRM calls somebody by and no name can be is not put into the form."""
    (first, *_) = offers(LookupResult(PHONE, (person(45, name="<>"),)))
    assert first.known_name == ""


@pytest.mark.parametrize(
    ("code", "stage", "choice"),
    [
        ("", "", Choice()), ("add:123", "", Choice(ADD, amo_lead_id=123)), ("same:45", "", Choice(SAME, contact_id=45)),
        ("add:123", "123:1:2", Choice(ADD, amo_lead_id=123, stage=(1, 2))), (OTHER_CODE, "", Choice(OTHER, phone=PHONE)),
        ("add:123", "124:1:2", Choice(ADD, amo_lead_id=123)), ("add:123", "123:1:x", Choice(ADD, amo_lead_id=123)),
        ("add:123", "123", Choice(ADD, amo_lead_id=123)), ("same:45", "45:1:2", Choice(SAME, contact_id=45)),
        ("add:x", "", Choice()), ("add:", "", Choice()), ("same:-1", "", Choice()), ("new:1", "", Choice()), ("x", "", Choice()),
    ],
)  # fmt: skip
def test_what_a_choice_is_read_from(code, stage, choice):
    """The text of a choice and the stage chosen along; a stage of another lead is none, and nonsense is a new person's."""
    assert Choice.of(code, stage) == choice


@given(some.sampled_from((NEW, ADD, SAME, OTHER)), some.integers(0, 10**15))
def test_a_choice_survives_its_text(kind, number):
    """What is written is read again."""
    choice = {
        NEW: Choice(),
        ADD: Choice(ADD, amo_lead_id=number),
        SAME: Choice(SAME, contact_id=number),
        OTHER: Choice(OTHER, phone=f"+{number}"),
    }[kind]
    assert Choice.of(choice.code) == choice


def test_a_stage_survives_its_text():
    """The stage written for a lead is read with a note on that lead."""
    assert Choice.of("add:123", stage_code(lead(123), 2)).stage == (7, 2)

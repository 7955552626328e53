"""The look-up: every spelling of a number finds the same person, different numbers never do, near is called near."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from desk import phones
from desk.calls.lookup import look, open_stages
from tests.desk.calls.conftest import PHONE, contact_row, lead_row, put, put_stages

NATIONAL = (
    some.one_of(
        some.integers(9_000_000_000, 9_999_999_999),  # mobile
        some.sampled_from([495, 499, 812, 843, 383, 800, 701, 747]).flatmap(  # towns, Kazakhstan, 8 800
            lambda code: some.integers(code * 10_000_000 + 2_000_000, code * 10_000_000 + 2_999_999)
        ),
    )
    .map(str)
    .filter(lambda national: phones.read(f"+7{national}").verdict == phones.VALID)
)


@some.composite
def spellings(draw, national):
    """A Russian number as people write, paste and mistype it."""
    digits = list(draw(national) if not isinstance(national, str) else national)
    fronts = ["8", "+7", "7", "8 ", "+7 ", "8-", "тел. 8 ", "Ольга +7 ", *([""] if digits[0] == "9" else [])]
    front = draw(some.sampled_from(fronts))
    gaps = draw(some.lists(some.sampled_from(["", " ", "-", "(", ") ", ".", "\u00a0"]), min_size=10, max_size=10))
    if front == "" and gaps[0] in ("-", "."):
        gaps[0] = ""
    if "е" in front or "О" in front:
        gaps = [gap if gap in ("", " ", "-") else "" for gap in gaps]
    return front + "".join(gap + digit for gap, digit in zip(gaps, digits, strict=True))


@given(some.data(), NATIONAL)
def test_every_spelling_is_the_same_number(data, national):
    """8 or +7, brackets, blanks, dashes, words around it: one spelling comes of it."""
    assert phones.normalise(data.draw(spellings(national))) == f"+7{national}"


@given(some.data(), NATIONAL, NATIONAL)
def test_different_numbers_are_never_the_same(data, left, right):
    """No spelling of one number is taken for another one."""
    if left != right:
        assert phones.normalise(data.draw(spellings(left))) != phones.normalise(data.draw(spellings(right)))


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("8 (9б1) 555-00-11", "+79615550011"), ("8 961 555 ОО 11", "+79615550011"), ("8 961 555 00 l1", "+79615550011"),
        ("+375 29 123-45-67", "+375291234567"), ("Позвоните Вере, 8 961 555-00-11, после шести", "+79615550011"),
        ("8 961 555 00 11 или 8 961 555 00 12", "+79615550011"), ("восемь девятьсот", None), ("8 961 555", None), ("", None),
        ("٨٩٦١٥٥٥٠٠١١", "+79615550011"), ("8 961 555-00-11 доб. 12", "+79615550011;ext=12"), ("x" * 600, None),
        ("8 961 555-00-11 (доб. 12)", "+79615550011;ext=12"), ("8 961 555-00-11 добавочный номер 12", "+79615550011;ext=12"),
        ("8 961 555-00-11, доб. № 12", "+79615550011;ext=12"), ("8 961 555 ОО 11 доб. 12", "+79615550011;ext=12"),
        ("тел. 8 961 555-00-11 (доб. 12)", "+79615550011;ext=12"),
        ("+8 961 555-00-11", "+79615550011"), ("007 961 555-00-11", "+79615550011"), ("00 375 29 123-45-67", "+375291234567"),
        ("8 10 375 29 123-45-67", "+375291234567"), ("8\t961\t5550011", "+79615550011"), ("+81 3 1234 5678", "+81312345678"),
        ("+800 1234 5678", "+80012345678"), ("+880 1812-345678", "+8801812345678"), ("701 123 45 67", "+77011234567"),
        ("+79615550011+79615550012", "+79615550011"),
    ],
)  # fmt: skip
def test_what_was_typed_in_haste(text, phone):
    """Look-alike letters, other countries, words around it; of two numbers the first."""
    assert phones.normalise(text) == phone


@pytest.mark.parametrize(
    ("text", "beginnings"),
    [
        ("896", ()), ("8961", ("+7961", "+78961")), ("+7 961", ("+7961",)), ("9615", ("+79615",)), ("+375 2", ("+3752",)),
        ("(+375) 2", ("+3752",)), ("\u202a+375 2", ("+3752",)), ("00375 2", ("+3752",)), ("+8 961", ("+7961",)), ("+81 3 1", ("+8131",)),
        ("Вера", ()), ("8 (961) 555-0", ("+79615550", "+789615550")),
    ],
)  # fmt: skip
def test_a_number_being_typed(text, beginnings):
    """From the fourth digit on, in any spelling."""
    assert phones.beginnings(text) == beginnings


@given(NATIONAL)
def test_near_is_never_the_number_itself(national):
    """What differs by one slip is another number."""
    phone = f"+7{national}"
    assert phone not in phones.near(phone)
    assert all(len(other) == len(phone) for other in phones.near(phone))


def test_exact_only_is_exact(store):
    """The very number is exact; one digit off, two changed places and another extension are near."""
    others = ["+79615550012", "+79615550101", "+79615550011;ext=5", "+79615559999"]
    people = [(contact_row(number, phone), phone) for number, phone in enumerate([PHONE, *others], 1)]
    put(store, of_contacts=people)
    found = look(store, "8 961 555-00-11")
    assert [one.contact_id for one in found.exact] == [1]
    assert [one.phone for one in found.near] == ["+79615550011;ext=5"]
    found = look(store, "8 961 555-00-10")
    assert found.exact == ()
    assert {one.contact_id for one in found.near} == {1, 2}


@pytest.mark.parametrize(
    "typed",
    ["8 (961) 555-00-11 Вера", "тел. 89615550011", "8 961 555 00 11, 8 903 100 16 02", "8 903 100 16 02 или +7 961 555-00-11",
     "восемь девятьсот шестьдесят один пятьсот пятьдесят пять ноль ноль одиннадцать", "+79615550011 доб. 12", "%2B79615550011"],
)  # fmt: skip
def test_whatever_is_typed_it_is_that_person(store, typed):
    """The reader is the intake's: words, several numbers and speech find who has the number."""
    put(store, of_contacts=[(contact_row(1, PHONE), PHONE)])
    assert [one.contact_id for one in look(store, typed).exact] == [1]


@pytest.mark.parametrize(
    "typed", ["8 961 555-00-1", "+7 (896) 155-50-01", "8 9615 555 00 11", "+7 (796) 155-50-01", "8 (300) 555-00-11"]
)
def test_nobody_is_looked_up_by_a_number_that_cannot_exist(store, typed):
    """A slip is no number, and the caller nobody; who may be meant is near at the most."""
    put(store, of_contacts=[(contact_row(1, PHONE), PHONE)])
    assert look(store, typed).exact == ()


def test_the_most_likely_comes_first(store):
    """Who has an open lead comes before who was changed last; of a person's leads the open one, then the newest."""
    put(
        store,
        of_contacts=[(contact_row(1, PHONE, updated_at=900), PHONE), (contact_row(2, PHONE, updated_at=100), PHONE)],
        of_leads=[
            lead_row(11, 1, status_id=143, updated_at=800),
            lead_row(21, 2, status_id=142, updated_at=300),
            lead_row(22, 2, status_id=1, updated_at=200),
        ],
    )
    found = look(store, PHONE)
    assert [one.contact_id for one in found.exact] == [2, 1]
    assert [lead.id for lead in found.exact[0].leads] == [22, 21]
    assert found.exact[0].open_lead.id == 22
    assert found.exact[1].open_lead is None


def test_a_lead_without_a_contact_is_found_by_its_own_number(store):
    """What a form of the site left without a contact has a number too; what is in the bin has none."""
    put(store, of_leads=[lead_row(11, own_phone=PHONE), lead_row(12, own_phone=PHONE, is_deleted=True)])
    found = look(store, PHONE)
    assert [(one.contact_id, [lead.id for lead in one.leads]) for one in found.exact] == [(None, [11])]


def test_while_typing_everything_is_near(store):
    """A beginning is no match yet, whatever it fits."""
    put(store, of_contacts=[(contact_row(1, PHONE), PHONE)])
    for typed in ("8961", "8 (961) 555", "+7 961 555-00-1"):
        found = look(store, typed)
        assert found.exact == ()
        assert [one.contact_id for one in found.near] == [1]
    assert look(store, "896").near == ()
    assert look(store, "8962").near == ()


def test_a_number_nobody_has(store):
    """A number only the phonebook has seen belongs to nobody we could show."""
    with store.write() as db:
        from store.tables import known_phones

        db.execute(known_phones.insert().values(phone=PHONE, contact_id=5, updated_at=1))
    assert look(store, PHONE).exact == ()


def test_stages_a_lead_may_go_to(store):
    """In AmoCRM's order."""
    put_stages(store, "Запрос", "Визит")
    assert open_stages(store, 1) == [(1, "Запрос"), (2, "Визит")]

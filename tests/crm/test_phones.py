"""Phones: one spelling for every way to write a number, and none for what is no number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import phones

RUSSIAN = st.integers(9_000_000_000, 9_999_999_999).map(str)


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("+7 (999) 123-45-67", "+79991234567"), ("8 (999) 123-45-67", "+79991234567"), ("79991234567", "+79991234567"),
        ("9991234567", "+79991234567"), ("  8-999-123-45-67 ", "+79991234567"), ("8.999.123.45.67", "+79991234567"),
        ("８９９９１２３４５６７", "+79991234567"), ("\u202a+7 999 123\u00a045 67\u202c", "+79991234567"),
        ("8 999 123-45-67 доб. 12", "+79991234567;ext=12"), ("+79991234567 ext 5", "+79991234567;ext=5"),
        ("+375 29 123-45-67", "+375291234567"), ("+1 212 555 0123", "+12125550123"), ("8 495 123 45 67", "+74951234567"),
        ("8-800-555-35-35", "+78005553535"),
    ],
)  # fmt: skip
def test_spellings(typed, spelled):
    """Eight and seven, brackets, spaces, unseen marks, extensions and other countries become E.164."""
    assert phones.normalise(typed) == spelled


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "abc", "восемь девятьсот", "12345", "112", "+7 999 123-45-6", "999999999999999", "0000000000",
        "1234567890", "+7+9991234567", "8 999 123 45 67, 8 999 123 45 68", "=8+999", "<b>89991234567</b>", "8\x00999",
        "+7 999 123-45-67\n", "📞89991234567x", "8999123456O", "1" * 500, "+" * 40,
    ],
)  # fmt: skip
def test_no_phones(typed):
    """Letters, too few or too many digits, two numbers at once, markup and control characters are no phone."""
    assert phones.normalise(typed) is None or typed.endswith("\n")


@given(RUSSIAN, st.sampled_from(["+7", "8", "7", ""]), st.lists(st.sampled_from([" ", "-", "(", ")", "."]), max_size=8))
def test_every_spelling_of_a_number_is_one(digits, prefix, marks):
    """However a Russian number is punctuated, it stays the same number; another number never becomes it."""
    typed = prefix + "".join(a + b for a, b in zip(digits, [*marks, *[""] * 10], strict=False))
    assert phones.normalise(typed) == f"+7{digits}"


@given(RUSSIAN, RUSSIAN)
def test_different_numbers_never_meet(left, right):
    """Two numbers are the same phone only when they are."""
    assert phones.same(f"8{left}", f"+7 {right}") is (left == right)


@given(st.text(max_size=70))
def test_any_text_is_a_phone_or_not(text):
    """No text whatever makes it fail, and what it spells it spells again the same."""
    spelled = phones.normalise(text)
    assert spelled is None or phones.normalise(spelled) == spelled
    assert isinstance(phones.display(text), str)


def test_texts_that_are_no_phones_are_the_same_as_nothing():
    """An empty contact field matches nobody."""
    assert not phones.same("", "")
    assert not phones.same("нет", "нет")


def test_search_uses_the_last_ten_digits():
    """The digits that every spelling shares are what AmoCRM is asked for."""
    assert phones.search_digits("+79991234567;ext=12") == "9991234567"


def test_display():
    """A phone is shown with its groups; what is none is shown as it is."""
    assert phones.display("89991234567") == "+7 999 123-45-67"
    assert phones.display("89991234567 доб 3") == "+7 999 123-45-67 #3"
    assert phones.display("спросить Олю") == "спросить Олю"

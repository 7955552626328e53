"""The readers of everything but phones: whatever way it is said, it is one thing, or nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.reading import choices, dates, names, numbers, spoken, texts, ticks

MOSCOW, VLADIVOSTOK = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Vladivostok")
ANYTHING = st.one_of(
    st.text(st.characters()), st.none(), st.integers(), st.floats(), st.booleans(), st.binary(), st.lists(st.text()), st.dictionaries(st.text(), st.text())
)  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        True,
        "true",
        "on",
        "On",
        "yes",
        "да",
        "Да!",
        "1",
        1,
        1.0,
        ["on"],
        ["1"],
        ["Утро"],
        "checked",
        "ticked",
        "✔️",
        "✅",
        "Согласна",
        " ON ",
    ],
)
def test_ticked(said):
    """As browsers, builders, plug-ins and people say yes."""
    assert ticks.read(said) is True


@pytest.mark.parametrize(
    "said",
    [
        False,
        None,
        "",
        " ",
        "false",
        "off",
        "no",
        "нет",
        "0",
        0,
        0.0,
        [],
        [""],
        ["нет"],
        "unchecked",
        "не согласен",
        "null",
        "-",
    ],
)
def test_not_ticked(said):
    """As they say no, or nothing."""
    assert ticks.read(said) is False


@pytest.mark.parametrize("said", ["может быть", 2, {}, "on" * 500, "согласен, но не со всем"])
def test_neither(said):
    """What is neither yes nor no is not guessed."""
    assert ticks.read(said) is None


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("12 500,50", "12500.5"), ("1,5", "1.5"), ("1 000 ₽", "1000"), ("1\u00a0000\u202f000,5 руб.", "1000000.5"), ("1.000,50", "1000.5"), ("1,000.50", "1000.5"),
        ("5%", "5"), ("-5", "-5"), ("− 5", "-5"), ("1e5", "100000"), (5.5, "5.5"), (12, "12"), ("١٢", "12"), ("1,234,567", "1234567"), ("$5", "5"), ("5000р", "5000"),
        ("1'500", "1500"), ("0", "0"), ("-0", "0"), (2.999999, "3"), ("80 кг", "80"), ("+3", "3"), (["7"], "7"), ("1 999,99", "1999.99"),
    ],
    ids=repr,
)  # fmt: skip
def test_numbers(said, number):
    """Blanks and marks between thousands, a comma or a point, a unit around it."""
    assert numbers.spelled(numbers.read(said)) == number


@pytest.mark.parametrize(
    "said",
    [
        "",
        None,
        "abc",
        "1 2 3",
        "12-15",
        "5x5",
        "1,2,3",
        True,
        10**400,
        float("inf"),
        float("nan"),
        "9" * 13,
        "1e13",
        "1e-90",
        {},
        "5 000 6",
        "١٢x",
    ],
)
def test_no_numbers(said):
    """What is none, several, or too large for a field."""
    assert numbers.read(said) is None


@given(st.decimals(-(10**11), 10**11, places=4))
def test_a_number_is_read_as_it_is_spelled(number):
    """What is kept is read again as the same."""
    assert numbers.read(numbers.spelled(number)) == number
    assert numbers.read(numbers.spelled(number).replace(".", ",")) == number


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2026-03-08", "2026-03-08"), ("08.03.2026", "2026-03-08"), ("8.3.26", "2026-03-08"), ("8/3/2026", "2026-03-08"), ("08-03-26", "2026-03-08"), ("03/25/2026", "2026-03-25"),
        ("5 марта 2026", "2026-03-05"), ("5 мая 2026 г.", "2026-05-05"), ("5-го июня 2026 года", "2026-06-05"), ("March 5, 2026", "2026-03-05"), ("5th March 2026", "2026-03-05"), ("5 Мар. 2026", "2026-03-05"),
        (1772928000, "2026-03-08"), ("1772928000", "2026-03-08"), (1772928000000, "2026-03-08"), (1772928000.5, "2026-03-08"), ("2026-03-08T12:00:00Z", "2026-03-08"), ("2026-03-08T22:30:00Z", "2026-03-09"),
        ("2026-03-08T22:30:00.000Z", "2026-03-09"), ("2026-03-08T23:30:00+03:00", "2026-03-08"), ("2026-03-08 12:00", "2026-03-08"), ("08.03.2026 12:30", "2026-03-08"), ("08.03.2026, в 12:30", "2026-03-08"),
        ("20260308", "2026-03-08"), ("5.03.85", "1985-03-05"), ("2026/3/8", "2026-03-08"), ("29.02.2024", "2024-02-29"), ("٠٨.٠٣.٢٠٢٦", "2026-03-08"), ("-157766400", "1965-01-01"),
    ],
)  # fmt: skip
def test_dates(said, day):
    """Day before month, words, two-digit years, unix seconds and moments of other zones by the club's clock."""
    assert dates.read(said, MOSCOW) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "said",
    [
        "",
        None,
        "завтра",
        "31.02.2026",
        "0001-01-01",
        "01.01.3000",
        "99.99.2026",
        True,
        {},
        12,
        10**400,
        float("nan"),
        "29.02.2023",
        "2026-13-45",
    ],
)
def test_no_dates(said):
    """What is no day, or lies beyond any membership and any birthday."""
    assert dates.read(said, MOSCOW) is None


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("2026-03-08 18:30", "2026-03-08T18:30:00+03:00"), ("08.03.2026, в 9:05", "2026-03-08T09:05:00+03:00"), ("8.3.26 9.05", "2026-03-08T09:05:00+03:00"),
        ("5 марта 2026 г. 18:30:15", "2026-03-05T18:30:15+03:00"), ("2026-03-08T18:30Z", "2026-03-08T21:30:00+03:00"), ("2026-03-08T23:30:00.000+10:00", "2026-03-08T16:30:00+03:00"),
        ("08.03.2026 01:00 -05:00", "2026-03-08T09:00:00+03:00"), ("08.03.2026", "2026-03-08T00:00:00+03:00"), (1772928000, "2026-03-08T03:00:00+03:00"), ("2026-03-08T18:30:00+03:00", "2026-03-08T18:30:00+03:00"),
    ],
)  # fmt: skip
def test_moments(said, at):
    """A date and a time behind it, by the club's clock unless another is told; what is kept is read again as the same."""
    assert dates.moment(said, MOSCOW).isoformat() == at
    assert dates.moment(at, MOSCOW).isoformat() == at


@pytest.mark.parametrize(
    "said", ["", None, "18:30", "08.03.2026 25:00", "08.03.2026 вечером", True, [], 10**400, "31.02.2026 10:00"]
)
def test_no_moments(said):
    """No day, or no time of it."""
    assert dates.moment(said, MOSCOW) is None


def test_a_moment_is_a_day_of_the_clubs():
    """Where the club is decides which day it was."""
    assert dates.read("2026-03-08T15:00:00Z", VLADIVOSTOK) == date(2026, 3, 9)


@given(
    st.dates(date(1900, 1, 1), date(2100, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d", "%d-%m-%Y"]),
)
def test_a_date_is_one_day_in_any_spelling(day, spelling):
    """However it is written, it is that day."""
    assert dates.read(day.strftime(spelling).zfill(8), MOSCOW) == day


OPTIONS = ("Групповая", "Личная", "Безлимит — 2 990 ₽", "Ёлка", "Йога", "Йога+", "C++")


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("Групповая", "Групповая"), ("групповая", "Групповая"), ("  ЛИЧНАЯ ", "Личная"), ("безлимит - 2990", "Безлимит — 2 990 ₽"), ("елка", "Ёлка"), ("Йoга", "Йога"), ("йога+", "Йога+"), ("йога", "Йога"),
        (["личная"], "Личная"), ("12", "Личная"), (12, "Личная"), ("personal", "Личная"), ("c++", "C++"), ("«Ёлка»", "Ёлка"),
        ("Ночная", None), ("", None), (None, None), ("!!!", None), (["Йога", "Ёлка"], None), (True, None), ("x" * 1000, None), (99, None),
    ],
    ids=repr,
)  # fmt: skip
def test_choices(said, choice):
    """In anybody's spelling, by AmoCRM's id or code; what might be two is none."""
    marks = [(11, "group"), (12, "personal"), *((number, "") for number in range(13, 18))]
    assert choices.read(said, OPTIONS, marks) == choice


def test_a_spelling_that_two_choices_share_is_none():
    """Nobody guesses which of them was meant."""
    assert choices.read("йога !", ("Йога.", "Йога?")) is None
    assert choices.read("Йога?", ("Йога.", "Йога?")) == "Йога?"


def test_several_choices():
    """A list, or a text with commas; what is none of them comes back as it was said."""
    assert choices.several(["йога", "личная", "Ночная"], OPTIONS) == (["Йога", "Личная"], ["Ночная"])
    assert choices.several("йога; Личная, x", OPTIONS) == (["Йога", "Личная"], ["x"])
    assert choices.several("йога\nутро, день", ("Йога", "Утро, день", "Утро")) == (["Йога", "Утро, день"], [])
    assert choices.several("безлимит - 2990", OPTIONS) == (["Безлимит — 2 990 ₽"], [])


@pytest.mark.parametrize(
    ("said", "mended"),
    [
        ("Мaрия", "Мария"), ("Cергей", "Сергей"), ("Jоhn", "John"), ("Aннa", "Анна"), ("Йoга 24/7", "Йога 24/7"), ("Оlga Иванoва", "Olga Иванова"),
        ("SMSка", "SMSка"), ("VКонтакте", "VКонтакте"), ("Maria", "Maria"), ("Мария", "Мария"), ("Tom и Анна", "Tom и Анна"), ("", ""), ("iPhone Сергея", "iPhone Сергея"),
    ],
)  # fmt: skip
def test_one_alphabet_in_a_word(said, mended):
    """A letter that only looks right is mended; a word of two alphabets that means to be one is left alone."""
    assert names.mended(said) == mended


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("Bdfy", "Иван"), ("bdfy", "Иван"), ("Jkmuf Bdfyjdf", "Ольга Иванова"), ("Cthutq", "Сергей"), ("Yfnfkmz", "Наталья"), ("Fyyf-Vfhbz", "Анна-Мария"), ("Ktyf", "Лена"), ("K.,jdm", "Любовь"), ("Gtnhjdf", "Петрова"),
        ("Ощрт", "John"), ("Ощрт Ыьшер", "John Smith"), ("Ьфкн", "Mary"),
    ],
)  # fmt: skip
def test_another_keyboard_layout_is_offered(typed, offered):
    """A name that is one only in the other layout."""
    assert names.offered(typed) == offered


@pytest.mark.parametrize(
    "typed",
    [
        "Иван",
        "Anna",
        "Maria",
        "Olga Ivanova",
        "John Smith",
        "Kim",
        "Li",
        "Nguyen",
        "Sergey",
        "Dmitry Petrov",
        "Мария",
        "Ян",
        "",
        "x",
        "12",
        "李小龙",
        "Müller",
        "Aibek",
        "Tatyana Kuznetsova",
        "Zhanna",
        "Gulnara",
        "x" * 1000,
    ],
)
def test_a_name_is_left_alone(typed):
    """Who is called so is offered nothing."""
    assert names.offered(typed) is None


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("восемь девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь", "8 916 123 45 67"), ("плюс семь девятьсот три ноль ноль", "+7 903 0 0"),
        ("двести ноль пять", "200 0 5"), ("три семёрки два нуля один", "777 00 1"), ("сто два нуля пять", "100 00 5"), ("десять одиннадцать двенадцать", "10 11 12"), ("пятьдесят шесят писят", "50 60 50"),
        ("double five seven oh", "55 7 0"), ("nine hundred sixteen one two", "916 1 2"), ("Вера", None), ("приду в семь", None), ("один раз", None),
    ],
)  # fmt: skip
def test_numbers_in_words(said, digits):
    """In groups, as one dictates; fewer than three number words are an hour, or how many come."""
    assert spoken.in_digits(said) == digits


@given(ANYTHING)
def test_no_value_makes_a_reader_fail(value):
    """Whatever comes, it is read or it is not; what was read is clean, and read again it is the same."""
    ticks.read(value)
    number, day = numbers.read(value), dates.read(value, MOSCOW)
    assert number is None or numbers.read(numbers.spelled(number)) == number
    assert day is None or dates.read(day.isoformat(), MOSCOW) == day
    choices.read(value, OPTIONS, [(1, "x")])
    choices.several(value, OPTIONS)
    for read in (texts.line, texts.free):
        text, _ = read(value, 50)
        assert read(text, 50) == (text, False)
        text.encode()
        assert len(text) <= 50
    texts.as_said(value, 50).encode()


@given(st.text(st.characters()))
def test_a_text_keeps_what_is_seen(text):
    """Letters, digits and pictures stay, those of tomorrow too; controls, halves and what is nothing to the eye go."""
    line = texts.line(text, 1000)[0]
    wanted = [
        char
        for char in texts.unicodedata.normalize("NFC", texts.mended(text))
        if char.isalnum() and char not in texts.BLANK_LETTERS
    ]
    assert [char for char in line if char.isalnum()] == wanted


@pytest.mark.parametrize(
    "shape",
    [
        "1" * 1_000_000,
        "а" * 1_000_000,
        "\u0301" * 1_000_000,
        " " * 1_000_000 + "x",
        "1," * 500_000,
        "два " * 250_000,
        ["x"] * 1_000_000,
        "Мa" * 500_000,
    ],
)
def test_no_reader_does_more_than_the_length_allows(shape, monkeypatch):
    """What costs more than its length is done to the beginning alone."""
    seen = [0]
    real = texts.unicodedata.normalize
    monkeypatch.setattr(texts.unicodedata, "normalize", lambda form, text: seen.append(len(text)) or real(form, text))
    ticks.read(shape)
    numbers.read(shape)
    dates.read(shape, MOSCOW)
    choices.read(shape, OPTIONS)
    choices.several(shape, OPTIONS)
    texts.line(shape, 120)
    texts.free(shape, 4000)
    assert max(seen) <= 4000 * texts.SPARE


def test_decimals_are_exact():
    """Kopecks stay kopecks."""
    assert numbers.read("0,10") == Decimal("0.1")

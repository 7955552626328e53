"""A lead as it is handed in: what identifies a person decides, nothing else costs the lead."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.custom_fields import Field
from desk import lead as lead_rules
from desk.fields import ENTRY_TYPES, Mapped
from desk.reading import texts
from desk.words import words

GOOD = {
    "name": "Иван Иванов",
    "phone": "+7 (999) 123-45-67",
    "direction": "Йога",
    "source": "Сайт",
    "message": "Хочу записаться",
}


def strictly(*added, **changes):
    """The faults that an operator reads at the fields."""
    lead, found = lead_rules.read(GOOD | changes, added, strict=lead_rules.every_field(added))
    assert (lead is None) == bool(found)
    return {fault.field: fault.code for fault in found}


def taken(*added, **changes):
    """The lead where nobody can mend anything."""
    lead, found = lead_rules.read(GOOD | changes, added)
    assert found == []
    return lead


def added(field_type, choices=(), marks=()):
    field = Field(500, "leads", "Поле", field_type, None, tuple(choices), False, tuple(marks))
    return Mapped("lead_500", "leads", 500, ENTRY_TYPES, label="Поле", chosen=True, field=field)


def test_a_good_lead_is_cleaned():
    """Spaces go, the phone is one spelling, the message keeps its lines."""
    lead = taken(name="  Иван\u00a0 Иванов\u200b ", message=" Привет 🙂\r\n<b>=1+1</b> ")
    assert (lead.name, lead.phone, lead.message) == ("Иван Иванов", "+79991234567", "Привет 🙂\n<b>=1+1</b>")
    assert lead.said == {}


def test_only_the_phone_is_needed():
    """Whoever leaves a number is a lead, under no name if there is none."""
    assert lead_rules.read({"phone": "89991234567"})[0].name == ""
    assert [fault.code for fault in lead_rules.read({"name": "Аня"})[1]] == ["missing"]


@pytest.mark.parametrize("name", [None, "", " ", "\u200b", "-", "1", "...", "123", "+7", "💪", [], True])
def test_nobody_is_refused_for_a_name(name):
    """Nothing, a dash, a number and a picture name nobody, and cost nothing."""
    assert taken(name=name).name == ""


def test_an_operator_is_asked_for_a_name():
    """An empty one is told at the field; a dash says that there is none."""
    assert strictly(name="") == {"name": "missing"}
    assert strictly(name="-") == {}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Анна-Мария д'Арк", "Анна-Мария д'Арк"), ("Müller, Jürgen", "Müller, Jürgen"), ("Ольга (мама Пети)", "Ольга (мама Пети)"),
        ("李小龙", "李小龙"), ("О. Генри", "О. Генри"), ("Мария 2", "Мария 2"), ("Мaрия", "Мария"), ("Аня 💪", "Аня 💪"), ("Иван\nПетров", "Иван Петров"),
        ("Иван\x00", "Иван"), (["Иван", "Петров"], "Иван Петров"), ({"first": "Иван", "last": "Петров"}, "Иван Петров"), ("\ud83d Вера", "Вера"),
        ("Bdfy", "Bdfy"),  # another layout is offered, never taken
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_names(said, name):
    """Every script, mark and picture is a name; what nobody sees is mended."""
    assert taken(name=said).name == name
    assert strictly(name=said) == {}


SIGNS = ["Безлимит — 2 990 ₽", "“Йога для начинающих”", "Курс „Здоровая спина“", "Другое…", "Лендинг [йога]", "Яндекс | Поиск",
         "Главная → Заявка", "Главная > Заявка", "- не выбрано -", "--- не выбрано ---", "+ бассейн", "+ бассейн (взрослые)", "Дети <7 лет", "Йога 24/7",
         "Instagram*", "Скидка 50%", "Бокс+кардио", "Тренировки №1", "{name}", "a|b", "Иван 💪", "🩷", "C#", "50/50\\"]  # fmt: skip


@pytest.mark.parametrize("text", SIGNS)
def test_ordinary_signs_in_labels(text):
    """What the owner of a site writes into options and hidden fields is kept as it is."""
    lead = taken(direction=text, source=text)
    assert (lead.direction, lead.source, lead.said) == (text, text, {})
    assert strictly(direction=text, source=text) == {}


@pytest.mark.parametrize("field", ["direction", "source"])
@pytest.mark.parametrize(
    ("said", "code", "kept"),
    [
        ({"a": 1}, "not_text", ""), (True, "not_text", ""), ("x" * 121, "too_long", "x" * 120), ("<script>alert(1)</script>", "markup", "script alert(1) /script"),
        ("=HYPERLINK(1)", "formula", "HYPERLINK(1)"), ("+7", "formula", "7"), ("@SUM(1)", "formula", "SUM(1)"), ("-1+1", "formula", "1+1"),
        ("+cmd|' /C calc'!A0", "formula", "cmd|' /C calc'!A0"), ("=-=+1", "formula", "1"),
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_faulty_labels(field, said, code, kept):
    """An operator reads what is wrong; elsewhere what can be read is kept without harm, and the note has it as it was said."""
    assert strictly(**{field: said}) == {field: code}
    lead = taken(**{field: said})
    assert getattr(lead, field) == kept
    assert lead.said == {field: texts.as_said(said, 1000)}


def test_lists_and_numbers_are_texts():
    """A plug-in sends a list where one thing was chosen, a program a number."""
    lead = taken(direction=["Йога", "Бассейн"], source=5, message=["Раз", "Два"])
    assert (lead.direction, lead.source, lead.message) == ("Йога, Бассейн", "5", "Раз\nДва")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Хочу на йогу 🩷", "Хочу на йогу 🩷"), ("\U0001fae8\U0001fae9", "\U0001fae8\U0001fae9"), ("утром\x0bили", "утром\nили"), ("a\x03b", "a b"),
        ("до\u00adма \u202eтут\u202c\ufeff", "дома тут"), ("👩\u200d👧 \ud83d", "👩\u200d👧"), ("a\u2028b\u2029c\x85d\re", "a\nb\nc\nd\ne"), ("\uf0b7 раз", "• раз"),
        ("\ue000x\ufffe", "x"), ("1\u00a0000\u202f₽", "1 000 ₽"),
    ],
    ids=ascii,
)  # fmt: skip
def test_messages(said, kept):
    """Unseen marks go, lines stay, half an emoji is mended, and what this Python does not know yet is no fault."""
    assert taken(message=said).message == kept
    assert strictly(message=said) == {}


def test_a_long_message_is_not_lost():
    """What finds no room in the field stands in the note; an operator is told the limit."""
    said = "слово " * 1000
    lead = taken(message=said)
    assert len(lead.message) <= lead_rules.LONGEST_MESSAGE
    assert lead.said["message"] == said.strip()
    assert strictly(message=said) == {"message": "too_long"}


@pytest.mark.parametrize(
    ("phone", "code", "limit"),
    [
        (None, "missing", 0), ("", "missing", 0), ("  ", "missing", 0), ({}, "missing", 0), ("восемь", "phone_none", 0), ("8999", "phone_short_bare", 4),
        ("🙂", "phone_none", 0), ("=8", "phone_short_bare", 1),
    ],
)  # fmt: skip
def test_without_a_phone_there_is_no_lead(phone, code, limit):
    """It is what identifies a person: without any number at all every door says why."""
    for strict in ((), lead_rules.every_field()):
        _, found = lead_rules.read(GOOD | {"phone": phone}, strict=strict)
        assert [(fault.field, fault.code, fault.limit) for fault in found] == [("phone", code, limit)]


def test_words_around_a_number_are_told():
    """That somebody is to be called after six is worth a line in the note; "tel:" is not."""
    assert taken(phone="8 916 100-13-04 звонить после 18").said == {"phone": "8 916 100-13-04 звонить после 18"}
    assert taken(phone="tel:+79161001305").said == {}


def test_all_faults_come_together():
    """Everything wrong is said at once."""
    assert strictly(name="", phone="x", direction="<b>", source={}, message="x" * 5000).keys() == GOOD.keys()


def test_only_the_named_fields_are_strict():
    """A form's owner chooses which fields may cost a lead."""
    raw = GOOD | {"direction": "<b>", "source": "=1"}
    lead, found = lead_rules.read(raw, strict={"direction"})
    assert lead is None
    assert [(fault.field, fault.code) for fault in found] == [("direction", "markup")]


CHOICES = ("Утро", "Вечер", "Групповая", "Безлимит — 2 990 ₽", "Ёлка")


@pytest.mark.parametrize(
    ("field_type", "said", "kept", "code"),
    [
        ("text", "Похудеть", "Похудеть", None), ("text", "=1", "1", "formula"), ("text", "x" * 251, "x" * 250, "too_long"), ("text", 5.5, "5.5", None),
        ("text", {"a": 1}, "", "not_text"), ("text", ["a", "b"], "a, b", None), ("textarea", "a\nb", "a\nb", None), ("text", "a\nb", "a b", None),
        ("numeric", "12,5", "12.5", None), ("numeric", 12, "12", None), ("numeric", "12 500,50 ₽", "12500.5", None), ("numeric", "1 000\u00a0руб.", "1000", None),
        ("numeric", "много", "", "not_a_number"), ("numeric", "1" * 13, "", "not_a_number"), ("numeric", True, "", "not_a_number"),
        ("checkbox", True, "1", None), ("checkbox", False, "", None), ("checkbox", "да", "1", None), ("checkbox", "on", "1", None), ("checkbox", ["Согласен"], "1", None),
        ("checkbox", "нет", "", None), ("checkbox", "может быть", "", "not_a_tick"),
        ("date", "2026-03-08", "2026-03-08", None), ("date", "08.03.2026", "2026-03-08", None), ("date", 1772928000, "2026-03-08", None), ("date", "5 марта 2026", "2026-03-05", None),
        ("birthday", "12.01.1980", "1980-01-12", None), ("birthday", "30 февраля 1980", "", "not_a_date"), ("monetary", "12 500,5 ₽", "12500.5", None), ("monetary", "дорого", "", "not_a_number"),
        ("date_time", "08.03.2026 18:30", "2026-03-08T18:30:00+03:00", None), ("date_time", 1772928000, "2026-03-08T03:00:00+03:00", None), ("date_time", "вечером", "", "not_a_moment"),
        ("date", "0001-01-01", "", "not_a_date"), ("date", "31.02.2026", "", "not_a_date"),
        ("select", "Утро", "Утро", None), ("select", "групповая", "Групповая", None), ("select", " ВЕЧЕР ", "Вечер", None), ("select", "безлимит - 2990", "Безлимит — 2 990 ₽", None),
        ("select", "елка", "Ёлка", None), ("select", ["Утро"], "Утро", None), ("select", 12, "Вечер", None), ("select", "evening", "Вечер", None), ("select", "Beчep", "Вечер", None),
        ("multiselect", ["утро", "Вечер"], "Утро\nВечер", None), ("multiselect", "вечер, утро", "Вечер\nУтро", None), ("multiselect", ["Утро", "Ночь"], "Утро", "not_a_choice"),
        ("radiobutton", "утро", "Утро", None), ("select", "Ночь", "", "not_a_choice"), ("select", ["Утро", "Вечер"], "", "not_a_choice"),
        ("url", "https://fit.ru/x", "https://fit.ru/x", None), ("url", "fit.ru/x", "https://fit.ru/x", None), ("url", "javascript:alert(1)", "", "not_an_address"),
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_added_fields_by_their_type(field_type, said, kept, code):
    """Read for the type it has in AmoCRM; what cannot be read goes into the note, or is told at the field."""
    field = added(field_type, CHOICES, [(11, ""), (12, "evening"), (13, ""), (14, ""), (15, "")])
    lead = taken(field, lead_500=said)
    assert lead.extra == ({"lead_500": kept} if kept else {})
    assert ("lead_500" in lead.said) is bool(code)
    assert strictly(field, lead_500=said) == ({"lead_500": code} if code else {})


@pytest.mark.parametrize("nothing", [None, "", []])
def test_an_empty_field_says_nothing(nothing):
    """A field that was left alone is no fault, whatever its type."""
    for field_type in ENTRY_TYPES:
        assert strictly(added(field_type, CHOICES), lead_500=nothing) == {}


def test_a_lead_does_not_show_itself():
    """Name, phone and message are not in a repr, so they cannot reach a log."""
    lead = taken(phone="8 916 123-45-6 Иван")
    assert not any(text in repr(lead) for text in ("Иван", "9991234567", "916", "записаться"))


ANY_TEXT = st.text(st.characters(), max_size=60)  # surrogates, private use and what has no meaning yet among them
ANYTHING = st.one_of(
    ANY_TEXT, st.none(), st.integers(), st.floats(), st.booleans(), st.lists(ANY_TEXT, max_size=3), st.binary(), st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=2)
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(["name", "direction", "source", "message", "lead_500"]), ANYTHING),
    st.sampled_from(ENTRY_TYPES),
)
def test_nothing_optional_costs_a_lead(raw, field_type):
    """Whatever stands in any field but the phone, the lead is accepted, and nothing in it can break a database or a page."""
    lead, found = lead_rules.read({"phone": "8 916 123-45-67", **raw}, [added(field_type, CHOICES)])
    assert found == []
    told = [lead.name, lead.direction, lead.source, lead.message, *lead.extra.values(), *lead.said.values()]
    json.dumps(told, ensure_ascii=False).encode()
    assert not any("\x00" in text for text in told)
    for text, longest in ((lead.name, 120), (lead.direction, 120), (lead.source, 120)):
        assert len(text) <= longest
        assert "\n" not in text
        assert not lead_rules.FORMULA.match(text)
        assert not lead_rules.TAG.search(text)


@given(st.dictionaries(st.sampled_from([*lead_rules.OWN_FIELDS, "lead_500"]), ANYTHING), st.sampled_from(ENTRY_TYPES))
def test_no_input_makes_it_fail(raw, field_type):
    """Whatever comes, the answer is a lead or faults, and every fault has words."""
    fields = [added(field_type, CHOICES)]
    for strict in ((), lead_rules.every_field(fields)):
        lead, found = lead_rules.read(raw, fields, strict=strict)
        assert (lead is None) == bool(found)
        for fault in found:
            assert words("ru").has(f"field-{fault.code}")
            assert words("en").has(f"field-{fault.code}")


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_reading_twice_is_reading_once(name, label, message):
    """What was read is read again as the same."""
    first = lead_rules.read({"phone": "89161234567", "name": name, "direction": label, "message": message})[0]
    again = lead_rules.read(
        {"phone": first.phone, "name": first.name, "direction": first.direction, "message": first.message}
    )[0]
    assert (again.name, again.direction, again.message, again.phone) == (
        first.name,
        first.direction,
        first.message,
        first.phone,
    )


@pytest.mark.parametrize("key", ["name", "direction", "source", "message", "lead_500"])
@pytest.mark.parametrize(
    "shape",
    [
        "x" * 1_000_000,
        "\u0301" * 1_000_000,
        "\u200b" * 1_000_000,
        "<" * 1_000_000,
        "=" * 1_000_000,
        "1 " * 500_000,
        ["y"] * 200_000,
        "а" * 999_999 + "\ud800",
    ],
)
def test_length_is_looked_at_first(key, shape, monkeypatch):
    """Of a million characters no more than the beginning is ever normalised."""
    seen = []
    real = texts.unicodedata.normalize
    monkeypatch.setattr(texts.unicodedata, "normalize", lambda form, text: seen.append(len(text)) or real(form, text))
    for field_type in ENTRY_TYPES:
        assert lead_rules.read(GOOD | {key: shape}, [added(field_type, CHOICES)])[1] == []
    assert max(seen, default=0) <= lead_rules.LONGEST_SAID * texts.SPARE

"""A lead as it is handed in: cleaned or refused, each fault at its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import intake
from crm.amo.custom_fields import Field
from crm.fields import ENTRY_TYPES, Mapped
from crm.words import words

GOOD = {
    "name": "Иван Иванов",
    "phone": "+7 (999) 123-45-67",
    "direction": "Йога",
    "source": "Сайт",
    "message": "Хочу записаться",
}


def faults(**changes):
    lead, found = intake.read(GOOD | changes)
    assert (lead is None) == bool(found)
    return {fault.field: fault.code for fault in found}


def added(field_type, choices=()):
    field = Field(500, "leads", "Поле", field_type, None, choices, False)
    return Mapped("lead_500", "leads", 500, ENTRY_TYPES, label="Поле", chosen=True, field=field)


def test_a_good_lead_is_cleaned():
    """Spaces go, the phone is one spelling, the message stays as it was."""
    lead, found = intake.read(GOOD | {"name": "  Иван\u00a0 Иванов\u200b ", "message": " Привет 🙂\r\n<b>=1+1</b> "})
    assert found == []
    assert (lead.name, lead.phone, lead.message) == ("Иван Иванов", "+79991234567", "Привет 🙂\n<b>=1+1</b>")


def test_only_name_and_phone_are_needed():
    """Direction, source and message may be missing."""
    assert intake.read({"name": "Аня", "phone": "89991234567"})[0] is not None


@pytest.mark.parametrize(
    "name", ["Анна-Мария д'Арк", "Müller, Jürgen", "Ольга (мама Пети)", "李小龙", "О. Генри", "Мария 2"]
)
def test_real_names_pass(name):
    """Hyphens, apostrophes, brackets and other scripts are names."""
    assert faults(name=name) == {}


@pytest.mark.parametrize(
    "text", ["Йога 24/7", "VK / Telegram", "Instagram*", "Скидка 50%", "Бокс+кардио", "Тренировки №1"]
)
def test_real_labels_pass(text):
    """What clubs call their directions and sources passes."""
    assert faults(direction=text, source=text) == {}


@pytest.mark.parametrize("field", ["name", "direction", "source"])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        (5, "not_text"), (["Иван"], "not_text"), ({"a": 1}, "not_text"), (True, "not_text"), ("x" * 121, "too_long"),
        ("Иван\x00", "control"), ("Иван\nПетров", "control"), ("Иван\x1b[31m", "control"), ("Иван 💪", "symbols"),
        ("<script>alert(1)</script>", "markup"), ("=HYPERLINK(1)", "formula"), ("+7", "formula"), ("@SUM(1)", "formula"),
        ("-1+1", "formula"), ("{name}", "symbols"), ("a|b", "symbols"), ("\ud800", "control"),
    ],
)  # fmt: skip
def test_bad_labels(field, text, code):
    """Wrong types, control characters, pictures, markup and formulas are refused at their field."""
    assert faults(**{field: text}) == {field: code}


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        (None, "missing"), ("", "missing"), ("  ", "missing"), (89991234567, "not_text"), ("восемь", "phone_letters"),
        ("8999", "phone_short"), ("9" * 20, "phone_wrong"), ("8" * 100, "phone_too_long"), ("8 999 <b>", "phone_letters"),
        ("🙂", "phone_short"), ("=8", "phone_short"),
    ],
)  # fmt: skip
def test_bad_phones(phone, code):
    """A phone that is none says why."""
    assert faults(phone=phone) == {"phone": code}


@pytest.mark.parametrize("name", [None, "", " ", "\u200b", "123", "..."])
def test_a_name_has_a_letter(name):
    """Nothing, blanks and mere digits are no name."""
    assert faults(name=name)["name"] in ("missing", "no_letters")


@pytest.mark.parametrize(("text", "code"), [("x" * 4001, "too_long"), ("a\x00b", "control"), (5, "not_text")])
def test_bad_messages(text, code):
    """A message is free text within its length."""
    assert faults(message=text) == {"message": code}


def test_all_faults_come_together():
    """Everything wrong is said at once."""
    assert faults(name="", phone="x", direction="<b>", source=1, message="\x00").keys() == GOOD.keys()


@pytest.mark.parametrize(
    ("field_type", "value", "code"),
    [
        ("text", "Похудеть", None), ("text", "=1", "formula"), ("text", "x" * 251, "too_long"), ("text", 5.5, None),
        ("numeric", "12,5", None), ("numeric", 12, None), ("numeric", "1e5", "not_a_number"), ("numeric", "١٢", "not_a_number"),
        ("checkbox", True, None), ("checkbox", False, None), ("checkbox", "да", "not_a_choice"),
        ("date", "2026-03-08", None), ("date", "08.03.2026", "not_a_date"), ("date", "0001-01-01", "not_a_date"),
        ("select", "Утро", None), ("select", "Ночь", "not_a_choice"), ("radiobutton", "утро", "not_a_choice"),
        ("url", "https://fit.ru/x", None), ("url", "javascript:alert(1)", "not_an_address"), ("text", {"a": 1}, "not_text"),
    ],
)  # fmt: skip
def test_added_fields_by_their_type(field_type, value, code):
    """A field the admin added is checked for the type it has in AmoCRM."""
    lead, found = intake.read(GOOD | {"lead_500": value}, [added(field_type, ("Утро", "Вечер"))])
    assert [fault.code for fault in found] == ([code] if code else [])
    assert (lead is None) is bool(code)


def test_a_lead_does_not_show_itself():
    """Name, phone and message are not in a repr, so they cannot reach a log."""
    lead, _ = intake.read(GOOD)
    assert not any(text in repr(lead) for text in ("Иван", "9991234567", "записаться"))


@given(st.dictionaries(st.sampled_from([*intake.OWN_FIELDS, "lead_500"]), st.one_of(
    st.text(), st.none(), st.integers(), st.floats(), st.booleans(), st.lists(st.text()), st.binary()
)))  # fmt: skip
def test_no_input_makes_it_fail(raw):
    """Whatever comes, the answer is a lead or faults, and every fault has words."""
    lead, found = intake.read(raw, [added("text"), added("numeric")])
    assert (lead is None) == bool(found)
    for fault in found:
        assert words("ru").has(f"field-{fault.code}")
        assert words("en").has(f"field-{fault.code}")

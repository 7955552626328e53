"""Phones: one reader for whatever is said of a number, and no reading of what cannot be one."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desk import lead as lead_rules
from desk import phones
from desk.listing.search import sought
from desk.phonebook import phones_of
from desk.phones import IMPOSSIBLE, NONE, POSSIBLE, VALID, reader, spellings
from desk.words import words

MOBILE = st.integers(9_000_000_000, 9_999_999_999).map(str)
NATIONAL = st.one_of(MOBILE, st.integers(3_000_000_000, 9_999_999_999).map(str).filter(lambda n: phones.read(f"+7{n}").verdict == VALID))  # fmt: skip


@pytest.mark.parametrize(
    ("said", "spelled"),
    [
        ("+7 (999) 123-45-67", "+79991234567"), ("8 (999) 123-45-67", "+79991234567"), ("79991234567", "+79991234567"),
        ("9991234567", "+79991234567"), ("  8-999-123-45-67 ", "+79991234567"), ("8.999.123.45.67", "+79991234567"),
        ("８９９９１２３４５６７", "+79991234567"), ("\u202a+7 999 123\u00a045 67\u202c", "+79991234567"), ("8\x00999 123 45 67", "+79991234567"),
        ("8 999 123-45-67 доб. 12", "+79991234567;ext=12"), ("+79991234567 ext 5", "+79991234567;ext=5"),
        ("+375 29 123-45-67", "+375291234567"), ("+1 212 555 0123", "+12125550123"), ("8 495 123 45 67", "+74951234567"),
        ("8-800-555-35-35", "+78005553535"), ("8️⃣9️⃣9️⃣9️⃣1234567", "+79991234567"), ("٨٩٦١٥٥٥٠٠١١", "+79615550011"),
        # words around it
        ("8 916 100-13-01 (WhatsApp)", "+79161001301"), ("тел. 8 916 100-13-02", "+79161001302"), ("89161001303 Мария", "+79161001303"),
        ("+7 916 100-13-04 звонить после 18", "+79161001304"), ("tel:+79161001305", "+79161001305"), ("+7\t916\t100\t13\t06", "+79161001306"),
        ("с 9 до 18 89161001307", "+79161001307"), ("кв. 15, 8 916 100-13-08", "+79161001308"), ("📞89991234567x", "+79991234567"),
        ("08.03.2026 8 916 100 13 04", "+79161001304"), ("https://wa.me/79161001309", "+79161001309"), ("Позвоните Вере, 8 961 555-00-11, после шести", "+79615550011"),
        # letters that are digits to the eye
        ("8 (9б1) 555-00-11", "+79615550011"), ("8 961 555 ОО 11", "+79615550011"), ("8 961 555 00 l1", "+79615550011"),
        ("8999123456O", "+79991234560"), ("8 961 555 ОО 11 доб. 12", "+79615550011;ext=12"),
        # a plus that was lost, encoded, or put before the wrong digit
        ("%2B79161234567", "+79161234567"), ("%2B7%20916%20123-45-67", "+79161234567"), ("%252B79161234567", "+79161234567"), (" 79161234567", "+79161234567"),
        ("+8 961 555-00-11", "+79615550011"), ("007 961 555-00-11", "+79615550011"), ("00 375 29 123-45-67", "+375291234567"), ("+9161234567", "+79161234567"),
        ("8 10 375 29 123-45-67", "+375291234567"), ("+7 8 916 123 45 67", "+79161234567"), ("8 7 916 123 45 67", "+79161234567"), ("+7+9991234567", "+79991234567"),
        # neighbours without it, each with one reading
        ("375291001401", "+375291001401"), ("998 90 100-14-02", "+998901001402"), ("996555100403", "+996555100403"), (" 375291001404", "+375291001404"),
        ("380 44 537 02 22", "+380445370222"), ("374 77 123456", "+37477123456"), ("77011234567", "+77011234567"), ("701 123 45 67", "+77011234567"),
        ("995 555 12 34 56", "+995555123456"), ("992 917 12 34 56", "+992917123456"), ("994 50 123 45 67", "+994501234567"), ("373 621 23 456", "+37362123456"),
        ("1 212 736 5000", "+12127365000"), ("49 1512 3456789", "+4915123456789"), ("+81 3 1234 5678", "+81312345678"), ("+800 1234 5678", "+80012345678"),
        # an extension, in anybody's words
        ("8 961 555-00-11 (доб. 12)", "+79615550011;ext=12"), ("8 961 555-00-11 добавочный номер 12", "+79615550011;ext=12"), ("8 495 123 45 67 x12", "+74951234567;ext=12"),
        ("8 961 555-00-11, доб. № 12", "+79615550011;ext=12"), ("8 495 123 45 67 #12", "+74951234567;ext=12"), ("+74951234567;ext=12", "+74951234567;ext=12"),
        ("8 495 100-17-00 доб. 12, звонить до 18", "+74951001700;ext=12"),
        # said in words
        ("восемь девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь", "+79161234567"),
        ("восемь, девятьсот шестнадцать, сто двадцать три, сорок пять, шестьдесят семь", "+79161234567"),
        ("плюс семь девятьсот три пятьсот пятьдесят пять ноль пять ноль ноль", "+79035550500"),
        ("восемь восемьсот пятьсот пятьдесят пять тридцать пять тридцать пять", "+78005553535"),
        ("plus seven nine one six one two three four five six seven", "+79161234567"), ("восемь 916 сто двадцать три сорок пять шестьдесят семь", "+79161234567"),
        # a program's way
        (79161234567, "+79161234567"), (9161234567, "+79161234567"), (89161234567.0, "+79161234567"), (7.9161234567e10, "+79161234567"),
        ("7.9161234567E+10", "+79161234567"), ("7,9161234567E10", "+79161234567"), (["8 916 123 45 67"], "+79161234567"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_what_is_understood(said, spelled):
    """Whatever is written, pasted, dictated or sent around a number, it is that number."""
    phone = phones.read(said)
    assert (phone.spelled, phone.verdict) == (spelled, VALID)


@pytest.mark.parametrize(
    ("said", "all_of_them"),
    [
        ("+7 916 100-16-02, 8 903 100-16-02", ("+79161001602", "+79031001602")), ("89161001605;89031001605", ("+79161001605", "+79031001605")),
        ("89161001605 89031001605", ("+79161001605", "+79031001605")), ("8 916 100 16 05 8 903 100 16 05", ("+79161001605", "+79031001605")),
        ("+79615550011+79615550012", ("+79615550011", "+79615550012")), ("8 961 555 00 11 или 8 961 555 00 12", ("+79615550011", "+79615550012")),
        (["8 916 123 45 67", "89031234567"], ("+79161234567", "+79031234567")), ("89161001605/8 (495) 100-16-05 доб. 5", ("+79161001605", "+74951001605;ext=5")),
        ("8 916 100 16 0, 8 903 100 16 02", ("+79031001602",)), ("89161001605, 89161001605", ("+79161001605",)),
        ("8 916 100 16 0 8 903 100 16 02", ()),  # where does the first one end?
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_several_numbers_in_one_value(said, all_of_them):
    """Each is a number of the person, the first that exists is meant; where nobody can tell them apart there is none."""
    phone = phones.read(said)
    assert ((phone.spelled, *phone.others) if phone.spelled else ()) == all_of_them


SLIPS = [
    ("+7 916 123-45-6", IMPOSSIBLE, "phone_short", 10), ("8 916 123-45-6", IMPOSSIBLE, "phone_short", 10), ("8916123456", IMPOSSIBLE, "phone_short", 10),
    ("7916123456", IMPOSSIBLE, "phone_short", 10), ("916 123-45-6", IMPOSSIBLE, "phone_short_bare", 9), ("555-00-11", IMPOSSIBLE, "phone_short_bare", 7),
    ("8 495 123-45-6", IMPOSSIBLE, "phone_short", 10), ("8343123456", IMPOSSIBLE, "phone_short", 10), ("тел. 8 916 123-45-6 Вера", IMPOSSIBLE, "phone_short", 10),
    ("8 9161 123 45 67", IMPOSSIBLE, "phone_long", 12), ("+7 9166 123-45-67", IMPOSSIBLE, "phone_long", 12), ("9161 1234567", IMPOSSIBLE, "phone_long_bare", 11),
    ("8 916 123 45 677", IMPOSSIBLE, "phone_long", 12), ("+7 (8916) 123-45-6", IMPOSSIBLE, "phone_mask", 11), ("+7 (891) 612-34-56", IMPOSSIBLE, "phone_mask", 11),
    ("+7 (791) 612-34-56", IMPOSSIBLE, "phone_mask", 11), ("+7 (849) 512-34-56", IMPOSSIBLE, "phone_mask", 11), ("+7 (880) 055-53-53", IMPOSSIBLE, "phone_mask", 11),
    ("8 (891) 612-34-56", IMPOSSIBLE, "phone_mask", 11), ("+7 (000) 123-45-67", IMPOSSIBLE, "phone_code", 11), ("8 (123) 123-45-67", IMPOSSIBLE, "phone_code", 11),
    ("1234567890", IMPOSSIBLE, "phone_code", 10), ("8 (300) 123-45-67", POSSIBLE, "phone_code", 11), ("+7 (544) 123-45-67", POSSIBLE, "phone_code", 11),
    ("+375 29 100-14-0", IMPOSSIBLE, "phone_abroad", 11), ("37529100140", IMPOSSIBLE, "phone_abroad", 11), ("+998 90 100-14-023", IMPOSSIBLE, "phone_abroad", 13),
    ("+44 20", NONE, "phone_short_bare", 4), ("9" * 20, IMPOSSIBLE, "phone_long_bare", 20), ("7,91612E+10", IMPOSSIBLE, "phone_short_bare", 5),
]  # fmt: skip
"""Slips: a digit lost, doubled, eaten by a form's mask; a code that nobody has."""

RECOVERED = [
    ("+7 (791) 612-34-56-7", "+79161234567"),
    ("+7 (891) 612-34-56-7", "+79161234567"),
    ("+7 77011234567", "+77011234567"),
]
"""Slips after which one reading is left."""


@pytest.mark.parametrize(("said", "verdict", "why", "digits"), SLIPS)
def test_slips(said, verdict, why, digits):
    """A number that cannot exist is told apart, with the reason and with its digits counted."""
    phone = phones.read(said)
    assert (phone.verdict, phone.why, phone.digits) == (verdict, why, digits)
    assert phone.is_in_doubt
    assert (phone.spelled is None) is (verdict != POSSIBLE)
    for language in ("ru", "en"):
        assert words(language).has(f"field-{why}")


@pytest.mark.parametrize(("said", "verdict", "why", "digits"), [slip for slip in SLIPS if slip[1] != NONE])
def test_slips_at_the_doors(said, verdict, why, digits):
    """Kept as said where nobody can mend it, refused with its digits counted where somebody can, and nobody is looked up by it."""
    kept, faults = lead_rules.read({"name": "Вера", "phone": said})
    assert faults == []
    assert phones.read(kept.phone).verdict == verdict
    assert kept.said.get("phone") == (said if verdict == IMPOSSIBLE else None)
    refused, faults = lead_rules.read({"name": "Вера", "phone": said}, strict={"phone"})
    assert refused is None
    assert [(fault.field, fault.code, fault.limit) for fault in faults] == [("phone", why, digits)]
    contact = {"custom_fields_values": [{"field_code": "PHONE", "values": [{"value": said}]}]}
    if verdict == IMPOSSIBLE:
        assert phones_of(contact, 0) == set()
        assert phones.all_of(said) == ()


@pytest.mark.parametrize(("said", "spelled"), RECOVERED)
def test_slips_with_one_reading_left(said, spelled):
    """Where all digits are there and only their grouping is wrong, it is that number."""
    assert phones.read(said).spelled == spelled


@pytest.mark.parametrize(
    "said",
    ["", "   ", "abc", "восемь девятьсот", "112", "=8+999", "+" * 40, "🙂", None, True, {}, [], float("nan"), 10**400],
)
def test_no_phones(said):
    """What holds no number is none, whatever its type."""
    phone = phones.read(said)
    assert (phone.verdict, phone.spelled) == (NONE, None)
    assert phone.why in ("missing", "phone_none", "phone_short_bare")


@given(
    NATIONAL,
    st.sampled_from(["+7", "8", "7", "8 ", "+7 "]),
    st.lists(st.sampled_from([" ", "-", "(", ")", ".", ""]), max_size=8),
)
def test_every_spelling_of_a_number_is_one(digits, prefix, marks):
    """However a Russian number is punctuated, it stays the same number; another number never becomes it."""
    said = prefix + "".join(a + b for a, b in zip(digits, [*marks, *[""] * 10], strict=False))
    assert phones.normalise(said) == f"+7{digits}"


@given(MOBILE, MOBILE)
def test_different_numbers_never_meet(left, right):
    """Two numbers are the same phone only when they are."""
    assert (phones.normalise(f"8{left}") == phones.normalise(f"+7 {right}")) is (left == right)


@given(st.one_of(st.text(max_size=70), st.from_regex(r"[+78 ()-]{0,4}[0-9 ,;+()доб.-]{0,40}", fullmatch=True)))
@example("+7 916 123-45-6, 8 903")
@example("0" * 60)
def test_any_text_is_a_phone_or_not(text):
    """No text whatever makes it fail, and what it spells or keeps it reads again the same."""
    phone = phones.read(text)
    assert isinstance(phones.display(text), str)
    if phone.verdict in (VALID, POSSIBLE):
        again = phones.read(phone.spelled)
        assert (again.spelled, again.verdict, again.others) == (phone.spelled, phone.verdict, ())
        assert phones.read(phones.written(phone.spelled, "доб.")).spelled == phone.spelled
    elif phone.verdict == IMPOSSIBLE:
        assert phones.read(phone.kept).verdict == IMPOSSIBLE
        assert phones.read(phone.kept).kept == phone.kept
        assert len(phone.kept) <= phones.LONGEST_SPELLED


AROUND = st.text(
    st.characters(categories=["L", "P", "S", "Zs"], exclude_characters="0oOОоЗзlI|ЧчбВBS+#xхXХ%&;="), max_size=30
)


@given(NATIONAL, st.sampled_from(["+7 ", "8", "8 (", "7"]), AROUND, AROUND)
def test_any_words_around_it_change_nobody(digits, prefix, before, after):
    """The same person comes of it in the intake, at /new, in the search, in the look-up and in AmoCRM's contacts."""
    said = f"{before.removesuffix('-')} {prefix}{digits} {after}"
    wanted = f"+7{digits}"
    assert phones.normalise(said) == wanted
    for strict in ((), {"phone"}):
        lead, faults = lead_rules.read({"name": "Вера", "phone": said}, strict=strict)
        assert faults == []
        assert lead.phone == wanted
    assert sought(said[:100]).phone[0] == f" {wanted}"
    contact = {"custom_fields_values": [{"field_code": "PHONE", "values": [{"value": said}]}]}
    assert phones_of(contact, 0) == {wanted}


@given(st.text(max_size=60))
def test_all_doors_read_alike(text):
    """Whatever stands for a phone, the doors agree on whom it is, or on that it is nobody."""
    spelled = phones.normalise(text)
    contact = {"custom_fields_values": [{"field_code": "PHONE", "values": [{"value": text}]}]}
    told = phones_of(contact, 0)
    lead, _ = lead_rules.read({"name": "Вера", "phone": text})
    assert (spelled in told) is (spelled is not None)
    assert spelled is None or (lead.phone == spelled and f" {spelled}" in sought(text).phone)


@pytest.mark.parametrize(
    "shape",
    [
        "8" * 1_000_000,
        "8 " * 500_000,
        "+" * 1_000_000,
        "восемь " * 150_000,
        "доб. " * 200_000,
        "%25" * 300_000,
        "8,;" * 300_000,
        "x" * 1_000_000,
    ],
)
def test_length_is_looked_at_first(shape, monkeypatch):
    """Of a text of a million characters no more than the beginning is ever looked at."""
    seen = []
    for module in (reader, spellings):
        monkeypatch.setattr(module, "plain", lambda text, plain=module.plain: seen.append(len(text)) or plain(text))
    reader._read.cache_clear()
    phones.read(shape)
    phones.beginnings(shape)
    assert max(seen) <= phones.LONGEST_INPUT


def test_texts_that_are_no_phones_are_the_same_as_nothing():
    """An empty contact field matches nobody."""
    assert phones.normalise("") is None
    assert phones.normalise("нет") is None
    assert phones.normalise("8 916 123-45-6") is None


def test_search_uses_the_last_ten_digits():
    """The digits that every spelling shares are what AmoCRM is asked for."""
    assert phones.search_digits("+79991234567;ext=12") == "9991234567"


def test_what_is_written_into_amocrm():
    """E.164 in one piece, which AmoCRM's search finds and telephones dial; an extension in words behind it."""
    assert phones.written("+74951001700;ext=12", "доб.") == "+74951001700 доб. 12"
    assert phones.written("+79991234567", "доб.") == "+79991234567"
    assert phones.written("8 916 123-45-6", "доб.") == "8 916 123-45-6"
    assert re.sub(r"\D", "", phones.written("+74951001700;ext=12", "ext.")).startswith("74951001700")


def test_an_extension_of_a_mobile_phone_tells_nobody_apart():
    """Behind an office number it is somebody else; a mobile phone is in one pocket."""
    assert phones.same_person("+79161234567;ext=12") == ("+79161234567;ext=12", "+79161234567")
    assert phones.same_person("+74951001700;ext=12") == ("+74951001700;ext=12",)
    assert phones.same_person("+79161234567") == ("+79161234567",)


def test_display():
    """A phone is shown with its groups; what is none is shown as it is."""
    assert phones.display("89991234567") == "+7 999 123-45-67"
    assert phones.display("89991234567 доб 3") == "+7 999 123-45-67 #3"
    assert phones.display("спросить Олю") == "спросить Олю"
    assert phones.display("8 916 123-45-6") == "8 916 123-45-6"


def test_a_phone_does_not_show_itself():
    """Neither the number nor what was said is in a repr, so it cannot reach a log."""
    assert not re.search(r"\d{4}|916", repr(phones.read("8 916 123 45 67, 8 903 123 45 67")))

"""What can be saved of a body that could not be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk import phones
from desk.intake import names, salvage

PHONE = "+7 916 100-31-01"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('{"name": "Иван", "phone": "+7 916 100-31-01",}', {"name": "Иван", "phone": PHONE}),
        ('{"name": "Ив\\u0430н", "phone": "+7 916 100-31-01"', {"name": "Иван", "phone": PHONE}),
        ("{'Имя': 'Иван', 'Телефон': '+7 916 100-31-01'}", {"name": "Иван", "phone": PHONE}),
        ('{"phone": 79161003101, "x": NaN}', {"phone": "79161003101"}),
        ('--x\r\nContent-Disposition: form-data; name="phone"\r\n\r\n+7 916 100-31-01\r\n--x\r\nContent-Disposition: form-data; name="photo"; filename="a.gif"\r\nContent-Type: image/gif\r\n\r\nGIF', {"phone": PHONE}),
        ("<lead><name>Иван</name><phone>+7 916 100-31-01</phone></lead>", {"name": "Иван", "phone": PHONE}),
        ("name=%D0%98%D0%B2%D0%B0%D0%BD&phone=%2B7+916+100-31-01\n\n", {"name": "Иван", "phone": PHONE}),
        ("Имя: Иван\nТелефон: +7 916 100-31-01\nСпасибо", {"name": "Иван", "phone": PHONE}),
        ("Здравствуйте! Позвоните мне: +7 916 100-31-01, я Иван", {"phone": PHONE}),
        ("", {}), ("{{{{", {}), ("\ufffd\ufffd", {}), ("id 1700000000", {}),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_what_still_shows(text, fields):
    """Names and values of broken JSON, of forms cut short, of XML and of plain words; where nothing is called a phone, the phone in the text."""
    assert dict(names.understood(salvage.saved(text)).fields) == fields


def test_keys_are_found_and_not_kept():
    """A key in the body says whose it is, and is not written down."""
    key = "desk_" + "Ab-_" * 8
    body = f'{{"key": "{key}", "phone": "{PHONE}"'.encode()
    assert salvage.key_in(body) == key
    assert key not in salvage.kept_text(body)
    assert PHONE in salvage.kept_text(body)
    assert salvage.key_in(b"desk_short") == salvage.key_in(b"") == ""


def test_kept_text_can_be_kept():
    """Any bytes become a text that both databases take: no NUL, no halves of characters, no longer than a body."""
    assert salvage.kept_text(b"a\x00b") == "a\ufffdb"
    assert salvage.kept_text("Иван".encode("cp1251")) == "Иван"
    assert len(salvage.kept_text(b"x" * 100_000)) == 64 * 1024


@given(st.text(max_size=200), st.sampled_from(["{", "[", '{"a": ', "<a>", "a=b&", "--x\r\n", ""]))
def test_a_phone_is_found_in_any_wreck(text, start):
    """A phone with room around it is found, whatever the rest is."""
    wreck = "".join(char for char in text if not char.isdigit() and char not in "+%\\\"'<>=&:;")
    found = names.understood(salvage.saved(f"{start}{wreck} {PHONE} \n{wreck}")).fields
    assert phones.normalise(str(found.get("phone"))) == "+79161003101"


@pytest.mark.parametrize(
    "piece", [" ", '"', "'", '"a" ', '"a":', 'name="a"\n', 'name="', "<a ", "<a>", "a=", ":", "1 ", "+7 9", "{", "[", "\\", '"\\', "\n", "--x\r\n", "&", "79161003101 "]
)  # fmt: skip
def test_a_long_wreck_comes_to_an_end(piece):
    """64 KB of anything are looked through: a pattern that went back over them again and again would hold this test up for minutes."""
    wreck = (piece * 64 * 1024)[: 64 * 1024 - 40]
    assert isinstance(salvage.saved(wreck), dict)
    assert isinstance(salvage.saved(f"{wreck}\n {PHONE} \n"), dict)


@given(st.binary(max_size=400))
def test_no_bytes_make_it_fail(body):
    """Whatever was sent can be kept, searched and shown."""
    json.dumps(salvage.saved(salvage.kept_text(body)))
    salvage.key_in(body)

"""From bytes to names and values, or the reason why not."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.reception import bodies
from crm.reception.bodies import DEEPEST, JSON, MOST_FIELDS, MULTIPART, URLENCODED, Unreadable
from crm.words import words

BOUNDARY = "multipart/form-data; boundary=x"


def part(name, value, more=""):
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def fault(kind, body, content_type=BOUNDARY):
    with pytest.raises(Unreadable) as raised:
        bodies.read(kind, content_type, body)
    assert words("ru").has(f"error-{raised.value.code}")
    return raised.value.code


@pytest.mark.parametrize(
    ("content_type", "encoding", "kind"),
    [
        ("application/json", None, JSON), ("Application/JSON; charset=UTF-8", None, JSON), ('application/json;charset="utf8"', "", JSON),
        ("application/json", "identity", JSON), ("application/json", "gzip", "encoding_unknown"),
        ("application/json; charset=windows-1251", None, "encoding_unknown"), ("application/json; charset=utf-16", None, "encoding_unknown"),
        (URLENCODED, None, URLENCODED), (f"{URLENCODED}; charset=windows-1251", None, URLENCODED), (URLENCODED, "br", "encoding_unknown"),
        (BOUNDARY, None, MULTIPART), ("text/plain", None, "kind_unknown"), ("", None, "kind_unknown"), ("application/xml", None, "kind_unknown"),
        ("application/json, text/html", None, "kind_unknown"), ("\x00", None, "kind_unknown"),
    ],
)  # fmt: skip
def test_kinds(content_type, encoding, kind):
    """Three content types are read; other ones, other encodings of JSON and anything compressed are refused."""
    if kind in (JSON, URLENCODED, MULTIPART):
        assert bodies.kind_of(content_type, encoding) == kind
    else:
        with pytest.raises(Unreadable, match=kind):
            bodies.kind_of(content_type, encoding)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1}', {"a": 1}), (b'\xef\xbb\xbf{"a": "\xd0\x99"}', {"a": "Й"}), (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": "\\ud800"}', {"a": "\ud800"}), (b"{}", {}), (b'{"a": "\\u0000"}', {"a": "\x00"}), (b'{"a": 1e999}', {"a": float("inf")}),
    ],
)  # fmt: skip
def test_json(body, found):
    """An object, with or without a byte order mark; of a name that comes twice the last value counts."""
    assert bodies.read(JSON, "", body) == found


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_broken"), (b"{", "json_broken"), (b"\xff\xfe{}", "json_broken"), (b'{"a": "\xff"}', "json_broken"),
        (b'{"a": NaN}', "json_broken"), (b'{"a": -Infinity}', "json_broken"), (b'{"a": ' + b"9" * 5000 + b"}", "json_broken"),
        (b"[" * 60_000, "json_broken"), (b"[]", "object_wanted"), (b'"x"', "object_wanted"), (b"null", "object_wanted"), (b"5", "object_wanted"),
        (json.dumps(dict.fromkeys(map(str, range(MOST_FIELDS + 1)))).encode(), "too_many_names"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "too_deep"), (b'{"a":' + b"[" * DEEPEST + b"]" * DEEPEST + b"}", "too_deep"),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_json_that_is_none(body, code):
    """Not UTF-8, not JSON, no object, too many names, too deep: each has its own code."""
    assert fault(JSON, body) == code


def test_json_at_its_limits():
    """As many names and levels as are allowed pass."""
    nested = json.loads("[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))
    assert (
        len(bodies.read(JSON, "", json.dumps(dict.fromkeys(map(str, range(MOST_FIELDS)), nested)).encode()))
        == MOST_FIELDS
    )


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (urlencode({"name": "Иван +", "b": "&="}).encode(), {"name": "Иван +", "b": "&="}), (b"a=1&a=2", {"a": "2"}), (b"a", {"a": ""}),
        (b"", {}), (b"&&=&", {"": ""}), ("name=Иван".encode(), {"name": "Иван"}), ("name=Иван".encode("cp1251"), {"name": "Иван"}),
        (b"name=%C8%E2%E0%ED&b=x", {"name": "Иван", "b": "x"}), (b"a=%zz%4", {"a": "%zz%4"}), (b"a=%00", {"a": "\x00"}), (b"a=%98", {"a": "\ufffd"}),
    ],
    ids=str,
)  # fmt: skip
def test_a_form(body, found):
    """Percent and plus, any bytes; of a name that comes twice the last value; windows-1251 where it is not UTF-8."""
    assert bodies.read(URLENCODED, URLENCODED, body) == found


def test_a_form_with_files_and_without():
    """Parts are read in either encoding; a file input left empty is nothing, a file is refused."""
    empty = part("photo", b"", '; filename=""')
    body = part("name", "Иван".encode()) + empty + part("b", b"1\r\n2") + b"--x--\r\n"
    assert bodies.read(MULTIPART, BOUNDARY, body) == {"name": "Иван", "b": "1\r\n2"}
    assert bodies.read(MULTIPART, BOUNDARY, part("name", "Иван".encode("cp1251")) + b"--x--") == {"name": "Иван"}
    assert fault(MULTIPART, part("photo", b"GIF", '; filename="a.gif"') + b"--x--") == "files_not_taken"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (BOUNDARY, b""), (BOUNDARY, part("a", b"1")), (BOUNDARY, b"--y--"), ("multipart/form-data", b"--x--"), (BOUNDARY, b"\x00" * 100),
        ("multipart/form-data; boundary=\u0416", b"x"), (f"multipart/form-data; boundary={'x' * 500}", b"x"),
        (BOUNDARY, b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"),
        (BOUNDARY, part("a", b"!", "\r\nContent-Transfer-Encoding: base64") + b"--x--"),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_a_form_that_is_none(content_type, body):
    """A form cut short, without a boundary or without names is told to be broken."""
    assert fault(MULTIPART, body, content_type) == "form_broken"


@pytest.mark.parametrize("kind", [URLENCODED, MULTIPART])
def test_too_many_fields(kind):
    """One more than allowed is refused in every encoding."""
    names = [f"f{number}" for number in range(MOST_FIELDS + 1)]
    body = "&".join(names).encode() if kind == URLENCODED else b"".join(part(name, b"") for name in names) + b"--x--"
    assert fault(kind, body) == "too_many_names"


@given(st.sampled_from([JSON, URLENCODED, MULTIPART]), st.binary(max_size=2000))
def test_no_bytes_make_it_fail(kind, body):
    """Whatever comes, it is names and values or `Unreadable`."""
    with suppress(Unreadable):
        assert isinstance(bodies.read(kind, BOUNDARY, body), dict)

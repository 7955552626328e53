"""From bytes to names and values, or the reason why not."""

from __future__ import annotations

import gzip
import json
import zlib
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.intake import bodies
from desk.intake.bodies import (
    FILE,
    JSON,
    LARGEST_BODY_BYTES,
    LONGEST_NAME,
    MOST_NAMES,
    MULTIPART,
    URLENCODED,
    Unreadable,
)
from desk.words import words

BOUNDARY = "multipart/form-data; boundary=x"


def part(name, value, more=""):
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def fault(content_type, body):
    with pytest.raises(Unreadable) as raised:
        bodies.read(content_type, body)
    assert words("ru").has(f"error-{raised.value.code}")
    return raised.value.code


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("application/json", b"{}", JSON), ("Application/JSON; charset=UTF-8", b"{}", JSON), ("application/vnd.api+json", b"{}", JSON),
        ("application/json; charset=windows-1251", b"{}", JSON), ("text/plain", b' {"a":1}', JSON), ("", b"[{}]", JSON),
        ("text/plain;charset=UTF-8", b"a=1&b=2", URLENCODED), ("", b"phone=1", URLENCODED), ("application/octet-stream", b"\xef\xbb\xbf{}", JSON),
        ("text/html", b'{"a":1}', JSON), (URLENCODED, b'{"a":1}', JSON), (URLENCODED, b"a=1", URLENCODED), (URLENCODED, b"", URLENCODED),
        ("application/json", b"name=x&phone=1", URLENCODED), ("application/json", b"", JSON), (BOUNDARY, b"", MULTIPART), ("", b"", URLENCODED),
        ("application/json, text/html", b"{}", JSON), ("\x00", b"{}", JSON), ("text/plain", b"Hello there", None), ("application/xml", b"<a>1</a>", None),
        ("image/gif", b"GIF89a", None), ("text/plain", b"a = 1\nb = 2", URLENCODED), ("text/plain", b"Hello:\nthere", None), (MULTIPART, b'{"a":1}', JSON), (MULTIPART, b"a=1", URLENCODED),
        (JSON, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--', MULTIPART), (JSON, b"--x\r\n{}", JSON),
    ],
)  # fmt: skip
def test_kinds(content_type, body, kind):
    """What a sender says of its body is a hint: what says nothing, or something else, is known by its looks; other things are refused."""
    if kind:
        assert bodies.kind_of(content_type, body) == kind
    else:
        with pytest.raises(Unreadable, match="kind_unknown"):
            bodies.kind_of(content_type, body)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1}', {"a": 1}), (b'\xef\xbb\xbf{"a": "\xd0\x99"}', {"a": "Й"}), (b'{"a": 1, "a": 2}', {"a": [1, 2]}), (b'{"a": NaN, "b": -Infinity}', {"a": None, "b": None}),
        (b'{"a": [1,], "b": ",}",}', {"a": [1], "b": ",}"}), (b'"{\\"a\\": 1}"', {"a": 1}), (b' call.back({"a": 1});\n', {"a": 1}), (b'{"a": 1};', {"a": 1}),
        (b'{"a": "\\ud800"}', {"a": "\ud800"}), (b"{}", {}), (b'{"a": "\\u0000"}', {"a": "\x00"}), (b'{"a": 1e999}', {"a": float("inf")}),
        (b'{"a": ' + b"9" * 5000 + b"}", {"a": "9" * 5000}), (b'{"a": "x\ny"}', {"a": "x\ny"}), (b'{"a": null, "b": true}', {"a": None, "b": True}),
        (b'{"a": {"b": {"c": [1, 2]}}}', {"a[b][c]": [1, 2]}), (b'{"a": [{"b": 1}, {"b": 2}]}', {"a[0][b]": 1, "a[1][b]": 2}),
        (b'[{"a": 1}]', {"0[a]": 1}), (b'{"a[b]": 1}', {"a[b]": 1}), (b'{"a": []}', {"a": []}), (b'{"a": {}}', {}),
        (b'{"payload": "{\\"client\\": {\\"name\\": \\"x\\"}}"}', {"payload[client][name]": "x"}), (b'{"a": "[1]", "b": "{x}"}', {"a": "[1]", "b": "{x}"}),
    ],
    ids=lambda value: str(value)[:32],
)  # fmt: skip
def test_json(body, found):
    """Objects at any depth and JSON inside a text become names as a form spells them; numbers keep their digits, slips their lines."""
    assert bodies.read(JSON, body) == found


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json; charset=windows-1251", '{"a": "Иван"}'.encode("cp1251")), ("application/json", '{"a": "Иван"}'.encode("cp1251")),
        ("application/json; charset=koi8-r", '{"a": "Иван"}'.encode("koi8-r")), ("application/json", '{"a": "Иван"}'.encode("utf-16")),
        ("application/json; charset=utf-16-le", '{"a": "Иван"}'.encode("utf-16-le")), ("application/json; charset=nonsense", '{"a": "Иван"}'.encode()),
        ("application/json; charset=windows-1251", '{"a": "Иван"}'.encode()), ("application/json; charset=zlib", '{"a": "Иван"}'.encode()),
        (f"{URLENCODED}; charset=koi8-r", urlencode({"a": "Иван"}, encoding="koi8-r").encode()), (URLENCODED, urlencode({"a": "Иван"}, encoding="cp1251").encode()),
        (URLENCODED, b"_charset_=koi8-r&" + urlencode({"a": "Иван"}, encoding="koi8-r").encode()), (f"{URLENCODED}; charset=windows-1251", urlencode({"a": "Иван"}).encode()),
        (BOUNDARY, part("a", "Иван".encode("cp1251")) + b"--x--"),
    ],
    ids=lambda value: str(value)[:48],
)  # fmt: skip
def test_charsets(content_type, body):
    """A name is read in the charset it was written in: UTF-8 where it is that, else what the sender says, else windows-1251."""
    assert bodies.read(content_type, body)["a"] == "Иван"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_broken"), (b"{", "json_broken"), (b'{"a": 1}{"a": 2}', "json_broken"), (b'{"a": ,}', "json_broken"), (b"{,}x", "json_broken"), (b'f({"a": 1}', "json_broken"), (b'"{', "json_broken"),
        (b"[" * 60_000, "json_broken"), (b'{"a":' * 5000 + b"1" + b"}" * 5000, "json_broken"), (b"[]", "object_wanted"), (b"[1, 2]", "object_wanted"),
        (b'"x"', "object_wanted"), (b"null", "object_wanted"), (b"5", "object_wanted"),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_json_that_is_none(body, code):
    """Not JSON, or nothing with names in it: each has its own code."""
    assert fault(JSON, body) == code


def test_what_is_ignored_is_not_counted():
    """Depth and number of what nobody reads cost nothing: the name and the phone beside it are there."""
    deep = json.loads("[" * 90 + '{"x": 1}' + "]" * 90)
    many = {f"item {number}": number for number in range(1500)}
    found = bodies.read(JSON, json.dumps({"name": "x", "phone": "y", "deep": deep} | many).encode())
    assert (found["name"], found["phone"], found["item 1499"]) == ("x", "y", 1499)
    assert (
        len(bodies.read(JSON, json.dumps({str(number): number for number in range(MOST_NAMES + 50)}).encode()))
        == MOST_NAMES
    )
    assert {len(name) for name in bodies.read(JSON, json.dumps({"a" * 5000: 1}).encode())} == {LONGEST_NAME}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (urlencode({"name": "Иван +", "b": "&="}).encode(), {"name": "Иван +", "b": "&="}), (b"a=1&a=2", {"a": ["1", "2"]}), (b"a", {"a": ""}),
        (b"", {}), (b"&&=&", {"": ""}), ("name=Иван".encode(), {"name": "Иван"}), (b"a=%zz%4", {"a": "%zz%4"}), (b"a=%00", {"a": "\x00"}),
        (b"a[]=1&a[]=2", {"a": ["1", "2"]}), (b"a%5B%5D=1", {"a": "1"}), (b"a[b][c]=1", {"a[b][c]": "1"}), (b"[a]=1", {"a": "1"}), (b"a[=1", {"a[": "1"}),
        (b"a=1&a[]=2", {"a": ["1", "2"]}), (b"p=%7B%22a%22%3A%7B%22b%22%3A1%7D%7D", {"p[a][b]": 1}), (b"a=%98", {"a": "\ufffd"}),
        (b"\xef\xbb\xbfa=1&b=2", {"a": "1", "b": "2"}), (b"a=1;b=%2B7", {"a": "1", "b": "+7"}), (b"a=x;y&b=2", {"a": "x;y", "b": "2"}),
        (b"a=x; y", {"a": "x; y"}), (b"a=1\r\nb=+7 9\r\n", {"a": "1", "b": "+7 9"}), ("Имя: Иван = я\nb: 2".encode(), {"Имя": "Иван = я", "b": "2"}),
        (b"a=%D0%98+%D0%98\r\nb=%2B7+916", {"a": "И И", "b": "+7 916"}), (b"a=1+2\nb=50%", {"a": "1+2", "b": "50%"}),
        (b"a=%25D0%2598%25D0%25B2", {"a": "Ив"}), (b"a=https://x.example/%25D0%2598", {"a": "https://x.example/%D0%98"}),
    ],
    ids=str,
)  # fmt: skip
def test_a_form(body, found):
    """Percent and plus, any bytes; brackets, lists and names that come again are one name, and none of its values is lost."""
    assert bodies.read(URLENCODED, body) == found


def test_a_form_with_files_and_without():
    """Parts are read in either encoding; a file input left empty is nothing; of a file its name is kept and its content is not."""
    empty = part("photo", b"", '; filename=""')
    body = part("name", "Иван".encode()) + empty + part("b", b"1\r\n2") + b"--x--\r\n"
    assert bodies.read(BOUNDARY, body) == {"name": "Иван", "b": "1\r\n2"}
    sent = part("name", b"x") + part("photo", b"GIF", '; filename="a.gif"') + b"--x--"
    assert bodies.read(BOUNDARY, sent) == {"name": "x", "photo": f"{FILE}a.gif"}


@pytest.mark.parametrize("content_type", [BOUNDARY, MULTIPART, JSON, URLENCODED, "text/plain", ""])
@pytest.mark.parametrize(
    "changed", [lambda body: body, lambda body: body.replace(b"\r\n", b"\n")], ids=["whole", "bare ends"]
)
def test_parts_are_known_by_their_looks(content_type, changed):
    """A head without its boundary, or that says something else; lines that end as on Unix: the parts are there to be seen."""
    body = changed(part("name", "Иван".encode()) + part("b", b"1") + b"--x--\r\n")
    assert bodies.read(content_type, body) == {"name": "Иван", "b": "1"}


def test_what_stands_before_the_first_part_is_for_nobody():
    """A preamble, as e-mail knows it, is skipped."""
    assert bodies.read(BOUNDARY, b"Hello\r\n" + part("a", b"1") + b"--x--") == {"a": "1"}


@pytest.mark.parametrize(
    "encode", [lambda said: json.dumps(said).encode(), lambda said: urlencode(said).encode()], ids=["JSON", "form"]
)
def test_a_person_behind_many_names(encode):
    """However many names come first, those of a person are read."""
    said = {f"item {number}": "x" for number in range(MOST_NAMES + 500)} | {"Ваше имя": "Иван", "your-tel": "1"}
    found = bodies.read("", encode(said))
    assert (found["Ваше имя"], found["your-tel"], len(found)) == ("Иван", "1", MOST_NAMES + 2)


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
    assert fault(content_type, body) == "form_broken"


@pytest.mark.parametrize(
    "pack", [gzip.compress, zlib.compress, lambda body: zlib.compress(body)[2:-4]], ids=["gzip", "zlib", "deflate"]
)
def test_compressed(pack):
    """What browsers and servers compress with is read; a body that grows without end is not, and neither is another way."""
    name = "gzip" if pack is gzip.compress else "deflate"
    assert bodies.plain(pack(b'{"a": 1}'), name) == b'{"a": 1}'
    with pytest.raises(Unreadable, match="too_large_body"):
        bodies.plain(pack(b" " * (LARGEST_BODY_BYTES + 1)), name)
    for encoding, body in (("br", b"x"), (name, b"no such thing"), ("\x7f", b"")):
        with pytest.raises(Unreadable, match="encoding_unknown"):
            bodies.plain(body, encoding)
    assert bodies.plain(b"x", "identity") == bodies.plain(b"x", None) == bodies.plain(b"x", "") == b"x"


@given(st.sampled_from([JSON, URLENCODED, BOUNDARY, "", "text/plain"]), st.binary(max_size=2000))
def test_no_bytes_make_it_fail(content_type, body):
    """Whatever comes, it is names and values or `Unreadable`."""
    with suppress(Unreadable):
        assert all(isinstance(name, str) for name in bodies.read(content_type, body))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_spelled_once_stays(data):
    """Names and values that have been spelled are spelled the same again: what is kept can be read as if it had just come."""
    once = bodies.expanded({"x": data, "name": "Иван"})
    assert bodies.expanded(once) == once
    assert once["name"] == "Иван" or isinstance(once["name"], list)

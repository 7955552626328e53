"""The body of a submission: from bytes to names and values, or a reason why not.

Pure. What a sender says of its body (the content type, the charset) is a hint and no more: builders and plug-ins say
nothing, or something else. What the names mean is for `desk.intake.names`; here they are only spelled in one way, the
way of an HTML form: `contact[phone]`, whatever the depth they were found at.
"""

from __future__ import annotations

import codecs
import json
import logging
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

FORM_KINDS = (URLENCODED, MULTIPART)
"""Content types of an HTML form."""

LARGEST_BODY_BYTES = 64 * 1024
"""The largest body. A lead takes a few hundred bytes; its longest allowed message about 16 KB, in a form three times as much."""

MOST_NAMES = 2000
"""Names of a submission to be read; of further names only `PERSONAL`. The richest quiz or cart has some hundreds."""

DEEPEST = 40
"""Levels of lists and objects to be read. A quiz has five."""

LONGEST_NAME = 200
"""Characters of a name; longer names are cut. A quiz spells whole questions."""

LONGEST_NUMBER = 25
"""Digits of a JSON number. Python refuses to read endless numbers, and no id has more than twenty."""

OLD_ENCODING = "windows-1251"

SURE_CODECS = frozenset({"utf-8", "cp1251", "koi8-r", "koi8-u", "iso8859-5", "iso8859-1", "cp866", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "ascii", "mac-cyrillic"})  # fmt: skip
"""Charsets to believe a sender, by Python's names. Some of Python's codecs are no charsets (`zlib`, `idna`)."""

FILE = "file:"
"""Mark before the value of an uploaded file: its name is kept, its content is not."""

Flat = dict[str, Any]
"""Values by name: a text, number, truth or None, or a list of values if a name came more than once."""

PARTED = re.compile(
    rb"\s{0,4}--([^\r\n]{1,200})\r?\n(?:[\w-]+:[^\r\n]*\r?\n){0,4}?content-disposition:\s*form-data", re.IGNORECASE
)
"""The beginning of a form of parts, with its boundary, under any content type."""

LINES = re.compile(rb"\s*(?:[^\s=:{}<>][^=:{}<>\r\n]{0,199}[=:][^\r\n]*(?:\r?\n\s*|$))+")
"""A form sent as plain text: `name=value`, or `name: value`, a line each."""

ENCODED = re.compile(rb"(?=[^%]*%[0-9A-Fa-f]{2})(?:%[0-9A-Fa-f]{2}|[\w.*=+\-\r\n])+")
"""`LINES`, percent-encoded like an address. Plainly written lines have blanks and marks in them."""

SEMICOLONS = re.compile(rb"[^&;=]+=[^&;=]*(?:;[^&;=]+=[^&;=]*)+;?")
"""A form whose pairs are parted as HTML once recommended."""

TWICE_ENCODED = re.compile(r"(?=.*%[Dd][01]%)(?:%[0-9A-Fa-f]{2}|[\w.+\- ])+")
"""A Russian text encoded once too often. An address, whose texts are encoded by right, has slashes in it."""

TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\(?:.|\Z))*(?:"|\Z))|,(\s*[}\]])', re.DOTALL)
"""A text of JSON, whole or cut, or a comma behind the last value, which JavaScript allows and JSON does not."""

CALLED = re.compile(r"[\w.$]{1,80}\(")
"""The beginning of JSON as the argument of a script's call."""

PERSONAL = re.compile(r"phone|tel|mob|name|fio|имя|фио|тел|моб|номер", re.IGNORECASE)
"""Words of a name to be read even behind `MOST_NAMES` other names."""

# Its warnings quote what strangers send, and anybody could fill the console with them.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


class Unreadable(Exception):
    """A body without a submission. `code` has its words in `locales/` (`error-<code>`)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_form(content_type: str) -> bool:
    """Whether a browser can send the content type without any script."""
    return _kind(content_type) in FORM_KINDS


def plain(body: bytes, content_encoding: str | None) -> bytes:
    """Decompress a body. Raises `Unreadable`."""
    match (content_encoding or "identity").strip().lower():
        case "identity" | "":
            return body
        case "gzip" | "x-gzip" | "deflate":
            return _unpacked(body)
    raise Unreadable("encoding_unknown")


def read(content_type: str, body: bytes) -> Flat:
    """Names and values. Raises `Unreadable`."""
    kind = kind_of(content_type, body)
    if kind == JSON:
        found = _json(body, charset_of(content_type))
    elif kind == URLENCODED:
        found = _urlencoded(body, charset_of(content_type))
    else:
        found = _multipart(content_type, body)
    return expanded(found)


def kind_of(content_type: str, body: bytes) -> str:
    """The kind of a body: by its content type, else by its looks. Raises `Unreadable`.

    A sender that says `text/plain` or nothing at all sends JSON as often as a form.
    """
    kind, start = _kind(content_type), body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if PARTED.match(body):
        return MULTIPART
    if kind == MULTIPART and "boundary" in content_type.lower():
        return MULTIPART
    if kind == JSON or kind.endswith("+json"):
        return URLENCODED if start not in b"[{" and _looks_urlencoded(body) else JSON
    if start and start in b"{[" and not _looks_urlencoded(body):
        return JSON
    if kind == URLENCODED or _looks_urlencoded(body):
        return URLENCODED
    if kind in ("", "text/plain") and (not body.strip() or LINES.fullmatch(body)):
        return URLENCODED
    if kind == MULTIPART:
        return MULTIPART
    raise Unreadable("kind_unknown")


def charset_of(content_type: str) -> str:
    """The charset of a content type, by Python's name; "" if none is named or known."""
    parameters = content_type.partition(";")[2].split(";")
    named = next((part.partition("=")[2] for part in parameters if _is_charset(part)), "")
    try:
        name = codecs.lookup(named.strip(" \"'")).name
    except (LookupError, ValueError):
        return ""
    return name if name in SURE_CODECS else ""


def text_of(body: bytes, charset: str = "") -> str:
    """Decode a body: as valid UTF-8, else in the named encoding, else in the old encoding."""
    if body[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return body.decode("utf-16", "replace")
    if charset.startswith("utf-16") and body.count(0):
        return body.decode(charset, "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode(charset if charset and charset not in ("utf-8", "ascii") else OLD_ENCODING, "replace")


def expanded(found: Any) -> Flat:
    """Flatten nested lists and objects, and JSON inside a value, to names and values."""
    flat: Flat = {}
    gathered: set[str] = set()  # names whose list is ours to lengthen: making a new one each time would cost the square
    for path, value in _leaves(found):
        name = spelled(parts_of(spelled(path)))
        if name not in flat:
            if len(flat) >= MOST_NAMES and (len(flat) >= 2 * MOST_NAMES or not PERSONAL.search(name)):
                continue
            flat[name] = value
            continue
        if name not in gathered:
            before = flat[name]
            flat[name] = [*before] if isinstance(before, list) else [before]
            gathered.add(name)
        flat[name].extend(value if isinstance(value, list) else [value])
    return flat


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a name: `contact[phone]` → `contact`, `phone`. Empty parts, for "one more", are left out."""
    first, bracket, _ = name.partition("[")
    if not bracket or not name.endswith("]"):
        return (name,)
    inner = name[len(first) + 1 : -1].split("][")
    return tuple(part for part in ([first, *inner] if first else inner) if part) or (name,)


def spelled(path: tuple[str, ...]) -> str:
    """Join the parts of a name, as an HTML form spells names."""
    return (path[0] + "".join(f"[{part}]" for part in path[1:]))[:LONGEST_NAME] if path else ""


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _looks_urlencoded(body: bytes) -> bool:
    """Whether a body begins with a name and "=", on the same line."""
    return bool(re.match(rb"[^\s={}<>\"]{1,200}=", body)) and b"\n" not in body.strip()


def _unpacked(body: bytes) -> bytes:
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # gzip or zlib by its head; deflate without any
        unpacker = zlib.decompressobj(window)
        try:
            found = unpacker.decompress(body, LARGEST_BODY_BYTES + 1)
        except zlib.error:
            continue
        if len(found) > LARGEST_BODY_BYTES:
            raise Unreadable("too_large_body")
        return found
    raise Unreadable("encoding_unknown")


def _json(body: bytes, charset: str) -> Any:
    text = text_of(body, charset)
    data = _parsed(text)
    if isinstance(data, str):  # a program that has made JSON of its JSON
        data = _parsed(data) if data.lstrip()[:1] in ("{", "[") else data
    if not isinstance(data, dict | list):
        raise Unreadable("object_wanted")
    if isinstance(data, list) and not any(isinstance(one, dict) for one in data):
        raise Unreadable("object_wanted")
    return data


def _parsed(text: str) -> Any:
    """Parse JSON, with harmless slips of programs: a comma behind the last value, a call around all, `NaN`."""
    try:
        return _loaded(text)
    except (ValueError, RecursionError):
        pass
    plain = text.strip().removesuffix(";").rstrip()
    if (called := CALLED.match(plain)) and plain.endswith(")"):
        plain = plain[called.end() : -1]
    try:
        return _loaded(TRAILING_COMMA.sub(lambda found: found[1] or found[2], plain))
    except (ValueError, RecursionError):
        raise Unreadable("json_broken") from None


def _loaded(text: str) -> Any:
    # Line breaks inside a text are a common slip of templates; `NaN` and `Infinity` are Python's, and say nothing.
    return json.loads(text, strict=False, parse_constant=lambda _: None, parse_int=_number, object_pairs_hook=_gathered)


def _gathered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names may repeat, like a form's."""
    if len(pairs) == len({name for name, _ in pairs}):
        return dict(pairs)
    each: dict[str, list[Any]] = {}
    for name, value in pairs:
        each.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    return {name: values[0] if len(values) == 1 else values for name, values in each.items()}


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits


def _urlencoded(body: bytes, charset: str) -> Flat:
    body = body.lstrip(codecs.BOM_UTF8).strip()
    if LINES.fullmatch(body) and b"\n" in body and b"&" not in body:
        if ENCODED.fullmatch(body):
            return _pairs(body.split(b"\n"), charset)
        lines = [re.split(rb"\s*[=:]\s*", line, maxsplit=1) for line in body.split(b"\n") if line.strip()]
        return _texts([(line[0].strip(), line[-1].strip()) for line in lines[:MOST_NAMES]], charset)
    if SEMICOLONS.fullmatch(body):
        body = body.replace(b";", b"&")
    return _pairs(body.split(b"&"), charset)


def _pairs(parts: list[bytes], charset: str) -> Flat:
    pairs = [part.strip(b"\r").replace(b"+", b" ").partition(b"=") for part in parts if part]
    return _texts([(unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pairs], charset)


def _multipart(content_type: str, body: bytes) -> Flat:
    pairs: list[tuple[bytes, bytes]] = []
    ended: list[bool] = []

    def field(part: Field) -> None:
        if len(pairs) < MOST_NAMES or PERSONAL.search((part.field_name or b"").decode("latin-1")):
            pairs.append((part.field_name or b"", part.value or b""))

    def file(part: File) -> None:
        if part.size and len(pairs) < MOST_NAMES:  # a file input that was left empty comes along too
            pairs.append((part.field_name or b"", FILE.encode() + (part.file_name or b"")))

    begun = PARTED.match(body)
    if begun and b"\r\n" not in body:
        body = body.replace(b"\n", b"\r\n")
    try:
        boundary = begun.group(1).strip() if begun else parse_options_header(content_type)[1].get(b"boundary")
        if boundary and not begun and (place := body.find(b"\r\n--" + boundary)) >= 0:
            body = body[place + 2 :]  # what stands before the first part is for nobody
        parser = FormParser(MULTIPART, field, file, lambda: ended.append(True), boundary=boundary)
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeEncodeError):
        raise Unreadable("form_broken") from None
    if not ended:
        raise Unreadable("form_broken")
    return _texts(pairs, "")


def _texts(pairs: list[tuple[bytes, bytes]], charset: str) -> Flat:
    """Decode all values of a form in the same encoding: valid UTF-8, else the named encoding, else the old encoding."""
    try:
        texts = [(name.decode(), value.decode()) for name, value in pairs]
    except UnicodeDecodeError:
        said = next((value.decode("latin-1") for name, value in pairs if name == b"_charset_"), "")
        old = charset or charset_of(f";charset={said}")
        old = old if old and old not in ("utf-8", "ascii") else OLD_ENCODING
        texts = [(name.decode(old, "replace"), value.decode(old, "replace")) for name, value in pairs]
    each: dict[str, list[str]] = {}
    for name, value in texts:
        each.setdefault(name, []).append(unquote(value) if "%" in value and TWICE_ENCODED.fullmatch(value) else value)
    return {name: values[0] if len(values) == 1 else values for name, values in each.items()}


def _leaves(found: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value with the parts of its name, in the order of the submission; lists of plain values whole.

    JSON inside a text is opened; values under more than `DEEPEST` levels are left out.
    """
    waiting: list[tuple[tuple[str, ...], Any]] = [((), found)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            value = _inside(value)
        if len(path) > DEEPEST:
            continue
        if isinstance(value, dict):
            named = [((*path, *(parts_of(name) if name or not path else ())), inner) for name, inner in value.items()]
            waiting.extend(reversed(named))
        elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
            waiting.extend(reversed([((*path, str(place)), inner) for place, inner in enumerate(value)]))
        else:
            yield path, value


def _inside(text: str) -> Any:
    """The JSON object inside a text; else the text. Builders put a whole submission into a field."""
    start = text.lstrip()[:1]
    if not start or start not in "{[" or '"' not in text:
        return text
    try:
        data = _loaded(text)
    except (ValueError, RecursionError):
        return text
    is_whole = isinstance(data, dict) or (isinstance(data, list) and any(isinstance(one, dict) for one in data))
    return data if is_whole and data else text


def _is_charset(parameter: str) -> bool:
    return parameter.partition("=")[0].strip().lower() == "charset"

"""The body of a submission: from bytes to names and values, or a reason why not.

Pure. JSON and the two encodings of an HTML form; files are not taken. Text is UTF-8, and for HTML forms also
windows-1251, in which pages of an older kind send theirs without saying so.
"""

from __future__ import annotations

import json
import logging
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

FORM_KINDS = (URLENCODED, MULTIPART)
"""Content types of an HTML form."""

MOST_FIELDS = 100
"""Names in one submission. A lead has five, everything this desk knows about forty."""

DEEPEST = 3
"""Levels of lists and objects, the body itself being the first. No value that is used has more than the one."""

OLD_ENCODING = "windows-1251"

# Its warnings quote what strangers send, and anybody could fill the console with them.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


class Unreadable(Exception):
    """A body that holds no submission. `code` has its words in `locales/` (`error-<code>`)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def kind_of(content_type: str, content_encoding: str | None) -> str:
    """What a body is, by its headers: one of the three content types. Raises `Unreadable`."""
    kind, parameters = _kind(content_type), content_type.partition(";")[2]
    if kind not in (JSON, *FORM_KINDS):
        raise Unreadable("kind_unknown")
    if (content_encoding or "identity").strip().lower() != "identity":
        raise Unreadable("encoding_unknown")
    charset = next((part.partition("=")[2] for part in parameters.split(";") if _is_charset(part)), "utf-8")
    if kind == JSON and charset.strip(' "').lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Unreadable("encoding_unknown")
    return kind


def is_form(content_type: str) -> bool:
    """Whether a browser can send this without any script."""
    return _kind(content_type) in FORM_KINDS


def read(kind: str, content_type: str, body: bytes) -> dict[str, Any]:
    """Names and values. Of a name that comes several times the last value counts. Raises `Unreadable`."""
    match kind:
        case "application/json":
            found = _json(body)
        case "application/x-www-form-urlencoded":
            found = _urlencoded(body)
        case _:
            found = _multipart(content_type, body)
    if len(found) > MOST_FIELDS:
        raise Unreadable("too_many_names")
    if _is_deeper(found, DEEPEST):
        raise Unreadable("too_deep")
    return found


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _json(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Unreadable("json_broken") from None
    if not isinstance(data, dict):
        raise Unreadable("object_wanted")
    return data


def _refuse_constant(_: str) -> NoReturn:
    """`NaN` and `Infinity` are Python's, not JSON's."""
    raise ValueError


def _urlencoded(body: bytes) -> dict[str, Any]:
    pairs = [part.partition(b"=") for part in body.replace(b"+", b" ").split(b"&", MOST_FIELDS + 1) if part]
    return _texts([(unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pairs])


def _multipart(content_type: str, body: bytes) -> dict[str, Any]:
    pairs: list[tuple[bytes, bytes]] = []
    ended: list[bool] = []

    def field(part: Field) -> None:
        pairs.append((part.field_name or b"", part.value or b""))
        if len(pairs) > MOST_FIELDS:
            raise Unreadable("too_many_names")

    def file(part: File) -> None:
        if part.size:  # a file input that was left empty comes along too
            raise Unreadable("files_not_taken")

    try:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        parser = FormParser(MULTIPART, field, file, lambda: ended.append(True), boundary=boundary)
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeEncodeError):
        raise Unreadable("form_broken") from None
    if not ended:
        raise Unreadable("form_broken")
    return _texts(pairs)


def _texts(pairs: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """All of a form in one encoding: what is not UTF-8 throughout is the old one."""
    try:
        return {name.decode(): value.decode() for name, value in pairs}
    except UnicodeDecodeError:
        return {name.decode(OLD_ENCODING, "replace"): value.decode(OLD_ENCODING, "replace") for name, value in pairs}


def _is_charset(parameter: str) -> bool:
    return parameter.partition("=")[0].strip().lower() == "charset"


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether there are more levels of lists and objects than these. Looks no further down than it has to."""
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inside)

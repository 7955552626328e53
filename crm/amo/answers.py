"""What an answer of AmoCRM means. Pure: status, content type and body in, an error (or none) out.

One status has several causes (sheet 4.3), so all three are looked at, in that order. Nothing here sends,
waits or remembers.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm.errors import BrokenWord, DeskError, NotLetIn, Refusal, SaidNo

SUCCESS = frozenset({200, 201, 202, 204})
"""The statuses AmoCRM uses for success (sheet 4.2)."""

DELETED_LEAD_CODE = 226
"""AmoCRM's internal number for "this lead is in the bin" (sheet 4.3)."""

SYSTEM_HICCUP = "Возникла системная ошибка"
"""How a 400 begins that is no refusal at all: the same request succeeds a moment later (sheet 4.3)."""

LONGEST_RETRY_AFTER_S = 900.0
"""AmoCRM's documented pause is 300 s (sheet 4.1). Whatever asks for more than a quarter of an hour is asked again then."""

WHOLE = re.compile(r"(0|-?[1-9][0-9]{0,17})(?:\.[0-9]+)?")
"""A number in a text, spelled as one would."""

SAFE_NAME = re.compile(r"[\w.\-]{1,120}")
"""What a path or a code of a validation error may look like; anything else is not worth keeping."""


GREATEST = 2**63 - 1
"""A whole number no database takes more of."""

UNKEPT = (b"\\u0000", b"\\ud", b"\\uD", b"\xed")
"""How JSON spells what no database keeps in a text: nothing at all, and one half of an emoji somebody's form has cut."""


def parse(body: bytes) -> Any | None:
    """The body as JSON, its texts fit to be kept; None where it is none."""
    try:
        data = json.loads(body, parse_constant=lambda _: None)
        return _kept(data) if any(spelled in body for spelled in UNKEPT) else data
    except (ValueError, RecursionError):
        return None


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_kept(item) for item in value]
    return {_kept(key): _kept(item) for key, item in value.items()} if isinstance(value, dict) else value


def error_of(status: int, content_type: str, body: bytes) -> DeskError | None:
    """The error an answer stands for, or None for a success. `content_type` may carry parameters."""
    if status in SUCCESS:
        return None
    problem = parse(body) if "json" in content_type.lower() else None
    problem = problem if isinstance(problem, dict) else None
    return _by_status(status, problem)


def _by_status(status: int, problem: dict[str, Any] | None) -> DeskError:
    is_json = problem is not None
    match status:
        case 400 | 422 if problem is not None:
            return _refused(status, problem)
        case 401:
            return NotLetIn("token_rejected", status=status)
        case 402:
            return NotLetIn("unpaid", status=status, retryable=True)
        case 403:
            # Missing rights come as JSON; an HTML page is the front end that blocks the whole account (sheet 4.1).
            return NotLetIn("rights_missing" if is_json else "blocked", status=status)
        case 404 if is_json:
            return SaidNo("not_found", status=status)
        case 429:
            retry_after_s = _number(problem.get("retry_after")) if problem else None
            return NotLetIn("rate_limited", status=status, retryable=True, retry_after_s=retry_after_s)
        case 404:
            # A page instead of JSON: the front end lost its way, and AmoCRM itself never saw the request (sheet 4.3).
            return BrokenWord("not_routed", status=status)
        case 500 | 502 | 503 | 504:
            return BrokenWord("server_error", status=status)
        case _ if status >= 500:
            return BrokenWord("server_error", status=status)
    return BrokenWord("unexpected_answer", status=status, retryable=False)


def _refused(status: int, problem: dict[str, Any]) -> DeskError:
    if str(problem.get("detail", "")).startswith(SYSTEM_HICCUP):
        return BrokenWord("server_hiccup", status=status)
    if _has_code(problem, DELETED_LEAD_CODE):
        return SaidNo("lead_deleted", status=status)
    refusals = _refusals(problem)
    if refusals:
        return SaidNo("validation", status=status, refusals=refusals)
    return SaidNo("too_many_items" if status == 422 else "bad_request", status=status)


def _has_code(problem: dict[str, Any], code: int) -> bool:
    errors = problem.get("errors")
    entries = errors if isinstance(errors, list) else []
    return any(isinstance(entry, dict) and entry.get("code") == code for entry in entries)


def _refusals(problem: dict[str, Any]) -> tuple[Refusal, ...]:
    found = []
    for item in _dicts(problem.get("validation-errors")):
        for entry in _dicts(item.get("errors")):
            path, code = str(entry.get("path", "")), str(entry.get("code", ""))
            if SAFE_NAME.fullmatch(path) and SAFE_NAME.fullmatch(code):
                found.append(Refusal(path, code))
            else:
                found.append(Refusal("?", "?"))
    return tuple(found)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    """A pause in seconds; none where it is no number, none at all or for ever."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        return None
    return float(min(value, LONGEST_RETRY_AFTER_S))


@contextmanager
def being_read(operation: str) -> Iterator[None]:
    """What goes wrong while an answer is made sense of: it has another shape than AmoCRM's, and we have not stumbled."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise BrokenWord("garbled", operation=operation) from error


def items(data: Any, key: str) -> list[dict[str, Any]]:
    """The entities of a list answer. None (a 204) is an empty list; any other shape than AmoCRM's is an error.

    So is a page that is empty and still names a next one: it shows nothing, and a walk along such would never end.
    """
    if data is None:
        return []
    found = embedded(data).get(key)
    if not isinstance(found, list) or not all(isinstance(item, dict) and "id" in item for item in found):
        raise BrokenWord("garbled")
    if not found and has_next(data):
        raise BrokenWord("same_page", retryable=False)
    for item in found:
        item["id"] = _id(item["id"])
    return found


def _id(value: Any) -> int | str:
    """A number, also where it comes as a text; the log's ids are texts."""
    told = _exact(value)
    if told is None and not (isinstance(value, str) and value):
        raise BrokenWord("garbled")
    return value if told is None else told


def embedded(data: Any) -> dict[str, Any]:
    """The `_embedded` object of an answer or entity."""
    inner = data.get("_embedded") if isinstance(data, dict) else None
    if not isinstance(inner, dict):
        raise BrokenWord("garbled")
    return inner


def has_next(data: Any) -> bool:
    """Whether AmoCRM says that more pages follow. The only sign of it: a short page means nothing (sheet 4.4)."""
    links = data.get("_links") if isinstance(data, dict) else None
    return isinstance(links, dict) and bool(links.get("next"))


def number(value: Any) -> int:
    """An id or a time out of an answer. Anything but a whole number means the answer is not AmoCRM's."""
    told = _exact(value)
    if told is None:
        raise BrokenWord("garbled")
    return told


def whole(value: Any) -> int | None:
    """A whole number, also one that comes as a text or with kopecks behind it; None for what is none or too great to keep."""
    if isinstance(value, str):
        spelled = WHOLE.fullmatch(value)
        return int(spelled[1]) if spelled else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= GREATEST:
        return None
    return min(int(value), GREATEST)


def _exact(value: Any) -> int | None:
    """The same without anything cut off."""
    return None if isinstance(value, float) or (isinstance(value, str) and "." in value) else whole(value)

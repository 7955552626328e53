"""The meaning of AmoCRM's answers. Pure: status, content type and body in, an error (or none) out.

One status has several causes (sheet 4.3), so all three are looked at. `TABLE` holds every answer somebody has seen or
documented, with its source; the first row that fits counts. What no row knows is not carried out and not the lead's own
fault, as far as we know: the queue waits and a person is told (`_unknown`). Nothing here sends, waits or remembers.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from crm.errors import BrokenWord, DeskError, NotLetIn, Refusal, SaidNo, SetupError

SUCCESS = frozenset({200, 201, 202, 204})
"""The statuses AmoCRM uses for success (sheet 4.2)."""

LONGEST_PROBLEM = 16 * 1024
"""Bytes of the longest successful body searched for a refusal inside; AmoCRM's refusals have some 300."""

LONGEST_DETAIL = 1000
"""Characters read of a refusal's sentence."""

LONGEST_RETRY_AFTER_S = 900.0
"""AmoCRM's documented pause is 300 s (sheet 4.1). After a quarter of an hour AmoCRM is asked again in any case."""

WHOLE = re.compile(r"(0|-?[1-9][0-9]{0,17})(?:\.[0-9]+)?")
"""A whole number in a text, in its usual spelling."""

SAFE_NAME = re.compile(r"[\w.\-]{1,120}")
"""The shape of a path or a code in a validation error; any other text is not worth keeping."""


GREATEST = 2**63 - 1
"""A whole number no database takes more of."""

UNKEPT = (b"\\u0000", b"\\ud", b"\\uD", b"\xed")
"""JSON's spelling of characters no database keeps: NUL, and half of an emoji that a form has cut."""


def parse(body: bytes) -> Any | None:
    """Parse a body as JSON, its texts fit to be kept; None if the body is no JSON."""
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


JSON, PAGE, EMPTY, OTHER = "json", "page", "empty", "other"
"""Forms of a body: an object of JSON; a page; no body; any other. Told by the body first: a header may lie."""

ANY = (JSON, PAGE, EMPTY, OTHER)
NO_JSON = (PAGE, EMPTY, OTHER)

HICCUP = r"возникла системная ошибка"
LIMIT = r"limit \d+|too many"
UNREADABLE = r"request data can not be empty|request validation failed|error when parsing json"
NUMBERED = re.compile(
    r"(?:код[а-я]* ошибк[а-я]*|error[ _]?code|código de error|código do erro)\W{0,3}(\d{1,5})\b", re.I
)
"""How a sentence names AmoCRM's internal number: "Код ошибки 244. Обратитесь в техническую поддержку." """

EVERY_4XX, EVERY_5XX = range(400, 500), range(500, 600)


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of answer and the error behind that kind.

    It fits if the status and the form of the body do, and, where the row names them: AmoCRM's internal `numbers`, a
    pattern of the `detail`, or that there are `validation-errors`.
    """

    statuses: Container[int]
    forms: tuple[str, ...]
    error: type[DeskError]
    code: str
    source: str
    numbers: Container[int] | None = None
    detail: str = ""
    has_refusals: bool = False
    retryable: bool | None = None

    def fits(self, status: int, form: str, problem: Problem) -> bool:
        return (
            status in self.statuses
            and form in self.forms
            and (self.numbers is None or (problem.number is not None and problem.number in self.numbers))
            and (not self.detail or re.search(self.detail, problem.detail, re.IGNORECASE) is not None)
            and (not self.has_refusals or bool(problem.refusals))
        )


EVERY_NUMBER = range(-GREATEST, GREATEST + 1)
"""Any internal number at all. A range answers at once for a number alone: for None it would look at each."""

TABLE: tuple[Row, ...] = (
    # A person or the account, whatever else the answer says
    Row((302, 303, 307), ANY, NotLetIn, "person_switched_off", "sheet 0, I amocrm-api-php#391: the way to the sign-in page"),
    Row((401,), (PAGE,), NotLetIn, "person_switched_off", "sheet 0, I amocrm-api-php#391; case 19"),
    Row((301, 308), ANY, SetupError, "redirected", "sheet 4.1 D: the account's own host is to be called; an answer of any other"),
    # AmoCRM's internal numbers, in `detail`, in `errors[].code` or in the old `response.error_code`
    Row(EVERY_4XX, (JSON,), SaidNo, "lead_deleted", "sheet 4.3, L MT and D KD:http-codes", numbers=(226,)),
    Row(EVERY_4XX, (JSON,), NotLetIn, "account_refuses", "sheet 0, I amocrm-api-php#33; case 18; sheet 4.3 D",
        numbers=(202, 244, 288, 425, 426)),
    Row(EVERY_4XX, (JSON,), NotLetIn, "person_switched_off", "sheet 4.3, D KD:http-codes: user disabled", numbers=(112,)),
    Row(EVERY_4XX, (JSON,), NotLetIn, "blocked", "sheet 4.3, D KD:http-codes: captcha, IP denied", numbers=(111, 113)),
    Row(EVERY_4XX, (JSON,), NotLetIn, "token_rejected", "sheet 4.3, D KD:http-codes: account not found, bad login",
        numbers=(101, 110)),
    Row(EVERY_4XX, (JSON,), SaidNo, "not_found", "sheet 4.3, D KD:http-codes: not found, nothing found; calls' own 263",
        numbers=(263, 282, 2002)),
    Row(EVERY_4XX, (JSON,), SaidNo, "too_many_links", "sheet 4.3, D KD:http-codes", numbers=(330,)),
    # What one request is refused for
    Row((400,), (JSON,), BrokenWord, "server_hiccup", "sheet 4.3, L MT: a retry helps", detail=HICCUP),
    Row((400, 422), (JSON,), SaidNo, "validation", "sheet 4.3, D KD:http-codes; L #115, #21, #480", has_refusals=True),
    Row((400,), (JSON,), NotLetIn, "account_refuses", "sheet 4.3, L MT: other numbers are nobody's lead", numbers=EVERY_NUMBER),
    Row((400,), (JSON,), SaidNo, "bad_request", "sheet 4.3, D KD:http-codes", detail=UNREADABLE),
    Row((422,), (JSON,), SaidNo, "too_many_items", "sheet 4.3, D KD: Limit 250 per page", detail=LIMIT),
    Row((413, 414, 431), ANY, SaidNo, "request_too_large", "sheet 4.1, U: the front end's limits of body, address and head"),
    # Whether we are let in
    Row((401,), (JSON, EMPTY, OTHER), NotLetIn, "token_rejected", "sheet 4.3, D KD:http-codes; L #333"),
    Row((402,), ANY, NotLetIn, "unpaid", "sheet 4.1 and 4.3, D KD:http-codes; L MT", retryable=True),
    Row((403,), (JSON,), NotLetIn, "rights_missing", "sheet 4.3, L MT: Invalid scope; D KD"),
    Row((403,), NO_JSON, NotLetIn, "blocked", "sheet 4.1, L #434, #563: the front end's page"),
    Row((404,), (JSON,), SaidNo, "not_found", "sheet 4.3, L MT, KMCP: really absent"),
    Row((404,), NO_JSON, BrokenWord, "not_routed", "sheet 4.3, L MT: the request never reached the controller"),
    Row((429,), ANY, NotLetIn, "rate_limited", "sheet 4.1, D KD:http-codes; O: also as a page, #517", retryable=True),
    # What they did not keep their word in
    Row((200, 201), (PAGE,), BrokenWord, "garbled", "sheet 4.3, L MT: a page where data should be"),
    Row(EVERY_5XX, ANY, BrokenWord, "server_error", "sheet 4.3, D KD (JSON); L MT (pages)"),
)  # fmt: skip
"""Every answer we know of, in the order they are looked at."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The content of a refusal's JSON; all empty for another body."""

    detail: str = ""
    number: int | None = None
    refusals: tuple[Refusal, ...] = ()
    retry_after_s: float | None = None


def error_of(status: int, content_type: str, body: bytes) -> DeskError | None:
    """The error an answer stands for, or None for a success. `content_type` may carry parameters."""
    meant, form, problem = understood(status, content_type, body)
    if meant in SUCCESS and form != PAGE:
        return None
    row = next((row for row in TABLE if row.fits(meant, form, problem)), None)
    if row is None:
        return None if meant in SUCCESS else _unknown(status, meant)
    return row.error(
        row.code,
        status=status,
        retryable=row.retryable,
        refusals=problem.refusals if row.code == "validation" else (),
        retry_after_s=problem.retry_after_s if row.code == "rate_limited" else None,
    )


def understood(status: int, content_type: str, body: bytes) -> tuple[int, str, Problem]:
    """Read an answer for `TABLE`: the status meant, the form of the body, and its problem.

    A long success is not read here: it is data, and its reader will say so if it is none.
    """
    if status in SUCCESS and len(body) > LONGEST_PROBLEM:
        return status, PAGE if body.lstrip()[:1] == b"<" else OTHER, Problem()
    data = _read(body)
    meant = _told_inside(status, data) if status in SUCCESS else status
    problem = _problem(data, meant) if isinstance(data, dict) and meant not in SUCCESS else Problem()
    return meant, form_of(content_type, body, data), problem


def form_of(content_type: str, body: bytes, data: Any | None) -> str:
    """Return the form of a body that parsed as `data`: the content counts before the header's name for the content."""
    if isinstance(data, dict):
        return JSON
    begins = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if begins == b"<" or (data is None and "html" in content_type.lower()):
        return PAGE
    return OTHER if begins else EMPTY


def _unknown(status: int, meant: int) -> DeskError:
    """The error of an answer no row knows. A redirect or a refusal has done no work, so all may wait until a row exists; of any
    other answer nobody knows what it did, and each request is looked for by itself."""
    if 300 <= meant < 500:
        return NotLetIn("unexpected_answer", status=status)
    return BrokenWord("unexpected_answer", status=status, retryable=False)


def _read(body: bytes) -> Any | None:
    """Parse a refusal's JSON, also in the Windows alphabet."""
    data = parse(body)
    if data is None and body:
        return parse(body.decode("cp1251", "replace").encode())
    return data


def _told_inside(status: int, data: Any) -> int:
    """Return the status of a refusal disguised as a success, as old addresses send (sheet 4.3, L MT); else the answer's own."""
    if not isinstance(data, dict) or "_embedded" in data:
        return status
    response = data.get("response")
    if isinstance(response, dict) and "error" in response:
        return 400
    said = whole(data.get("status"))
    is_problem = isinstance(data.get("title"), str) and said is not None and 400 <= said < 600
    return said if is_problem and said is not None else status


def _problem(data: dict[str, Any], status: int) -> Problem:
    response = data.get("response")
    told = response if isinstance(response, dict) else data
    detail = str(told.get("detail") or told.get("error") or "")[:LONGEST_DETAIL]
    return Problem(detail, _number_in(told, detail, status), _refusals(data), _pause(data.get("retry_after")))


def _number_in(told: dict[str, Any], detail: str, status: int) -> int | None:
    """Return AmoCRM's internal number of a problem. The status itself, which some bodies repeat, does not count."""
    named = NUMBERED.search(detail)
    found = [named[1] if named else None, told.get("error_code")]
    found += [entry.get("code") for entry in _dicts(told.get("errors"))]
    numbers = [whole(value) for value in found]
    return next((number for number in numbers if number is not None and number not in (0, status)), None)


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
    """The objects of a list; PHP writes a list with gaps as an object."""
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [entry for entry in entries if isinstance(entry, dict)]


def _pause(value: Any) -> float | None:
    """Parse a pause in seconds, also from a text; None for no number, a negative or an endless pause."""
    if isinstance(value, str):
        value = whole(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        return None
    return float(min(value, LONGEST_RETRY_AFTER_S))


@contextmanager
def being_read(operation: str) -> Iterator[None]:
    """Turn errors of reading an answer into `BrokenWord`: the answer has another shape than AmoCRM's, and we have not stumbled."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise BrokenWord("garbled", operation=operation) from error


def items(data: Any, key: str) -> list[dict[str, Any]]:
    """Return the entities of a list answer. None (a 204) is an empty list; any other shape than AmoCRM's is an error.

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
    """Parse an id: a number, also from a text; the event log's ids are texts."""
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
    """Whether AmoCRM names a next page. The only sign of more: a short page has no meaning (sheet 4.4)."""
    links = data.get("_links") if isinstance(data, dict) else None
    return isinstance(links, dict) and bool(links.get("next"))


def number(value: Any) -> int:
    """Parse an id or a time of an answer. Raises `BrokenWord("garbled")` for any other value: the answer is not AmoCRM's."""
    told = _exact(value)
    if told is None:
        raise BrokenWord("garbled")
    return told


def whole(value: Any) -> int | None:
    """Parse a whole number, also from a text or with kopecks; None for another value, or a number too great to keep."""
    if isinstance(value, str):
        spelled = WHOLE.fullmatch(value)
        return int(spelled[1]) if spelled else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= GREATEST:
        return None
    return min(int(value), GREATEST)


def _exact(value: Any) -> int | None:
    """Parse a whole number strictly: "12.0" and 12.5 are refused."""
    return None if isinstance(value, float) or (isinstance(value, str) and "." in value) else whole(value)

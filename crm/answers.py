"""What an answer of AmoCRM means. Pure: status, content type and body in, an error (or none) out.

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
"""Bytes of the longest body of a success that is looked through for a refusal inside it; AmoCRM's refusals have some 300."""

LONGEST_DETAIL = 1000
"""Characters of a refusal's sentence that are looked at."""

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


JSON, PAGE, EMPTY, OTHER = "json", "page", "empty", "other"
"""Forms of a body: an object of JSON; a page; nothing; anything else. Told by the body first: a header may lie."""

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
    """One kind of answer and the error it stands for.

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
            and (self.numbers is None or problem.number in self.numbers)
            and (not self.detail or re.search(self.detail, problem.detail, re.IGNORECASE) is not None)
            and (not self.has_refusals or bool(problem.refusals))
        )


EVERY_NUMBER = range(-GREATEST, GREATEST + 1)
"""Any internal number at all; `None` is none."""

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
    """What the JSON of a refusal says; all empty where the body is none."""

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
    """What `TABLE` is asked with: the status that is meant, the form of the body, and what it says.

    A long success is not read here: it is data, and its reader will say so if it is none.
    """
    if status in SUCCESS and len(body) > LONGEST_PROBLEM:
        return status, PAGE if body.lstrip()[:1] == b"<" else OTHER, Problem()
    data = _read(body)
    meant = _told_inside(status, data) if status in SUCCESS else status
    problem = _problem(data, meant) if isinstance(data, dict) and meant not in SUCCESS else Problem()
    return meant, form_of(content_type, body, data), problem


def form_of(content_type: str, body: bytes, data: Any | None) -> str:
    """The form of a body that reads as `data`: what it is counts before what its header calls it."""
    if isinstance(data, dict):
        return JSON
    begins = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if begins == b"<" or (data is None and "html" in content_type.lower()):
        return PAGE
    return OTHER if begins else EMPTY


def _unknown(status: int, meant: int) -> DeskError:
    """What no row knows. A redirect or a refusal has done nothing, so all may wait for the day it is understood; of anything
    else nobody knows what it did, and each request is looked for by itself."""
    if 300 <= meant < 500:
        return NotLetIn("unexpected_answer", status=status)
    return BrokenWord("unexpected_answer", status=status, retryable=False)


def _read(body: bytes) -> Any | None:
    """A refusal's JSON, also where it was written in the Windows alphabet."""
    data = parse(body)
    if data is None and body:
        return parse(body.decode("cp1251", "replace").encode())
    return data


def _told_inside(status: int, data: Any) -> int:
    """The status of a refusal that came as a success: old addresses do that (sheet 4.3, L MT). The answer's own for all else."""
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
    """AmoCRM's internal number for what is wrong. The status itself, which some bodies repeat, is none."""
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
    """A pause in seconds, also one that comes as a text; none where it is no number, none at all or for ever."""
    if isinstance(value, str):
        value = whole(value)
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

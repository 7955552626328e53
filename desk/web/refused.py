"""How the API says no: one exception, one table from an error code to its HTTP status.

Other rooms refuse in their own ways (`DeskError`, `Unreadable`, `Admission.refusal`, `Taken.code`). All of them name a code; here
the code gets its status and the headers that go with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm.errors import BrokenWord, Declined, DeskError, NetworkError, NotLetIn, SaidNo, SetupError
from desk.lead import FieldFault

STATUS_OF_SUBMISSION = {
    "kind_unknown": 415,
    "encoding_unknown": 415,
    "too_large_body": 413,
    "too_slow_body": 408,
    "request_invalid": 400,
    "json_broken": 400,
    "form_broken": 400,
    "object_wanted": 422,
    "api_shut": 403,
    "api_key_wrong": 401,
    "key_ended": 401,
    "key_not_in_address": 403,
    "origin_not_allowed": 403,
    "origin_null": 403,
    "form_paused": 403,
    "idempotency_key_wrong": 400,
    "key_reused": 409,
    "lead_invalid": 422,
}
"""The HTTP status of each reason to refuse a submission."""

STATUS = STATUS_OF_SUBMISSION | {
    "too_many_requests": 429,
    "lead_unknown": 404,
    "json_wanted": 415,
    "no_such_address": 404,
    "wrong_method": 405,
    "database_unreachable": 503,
}
"""The HTTP status of each error code of the API itself. AmoCRM's and the connection's errors: `http_status_of`."""

FAULTY_FIELDS = 422
"""The status of every answer that names faulty fields, with any code."""

CLOSE = {"Connection": "close"}
"""With the answer to a slow body, of which some may still come."""

ALONG_WITH = {401: {"WWW-Authenticate": "Bearer"}, 408: CLOSE}
"""Headers that a status brings along."""


class Refused(Exception):
    """A request that gets an error answer: code, HTTP status, the faults of single fields, headers."""

    def __init__(
        self, code: str, faults: Sequence[FieldFault] = (), *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.code, self.faults = code, faults
        self.status = FAULTY_FIELDS if faults else STATUS[code]
        self.headers = {**ALONG_WITH.get(self.status, {}), **(headers or {})}


def http_status_of(error: DeskError) -> int:
    """Return the HTTP status of an error of the desk: the caller's to repair, AmoCRM's to repair, or try again."""
    match error:
        case Declined() if error.code == "refreshed_just_now":
            return 429
        case Declined() | SetupError() | NotLetIn() if error.code != "rate_limited":
            return 409
        case SaidNo():
            return 422
        case NetworkError() | BrokenWord():
            return 502
    return 503

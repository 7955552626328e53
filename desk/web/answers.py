"""What every answer of the API is made of: errors in words, times, the status of a connection and of a lead.

No answer holds a token, and no error text quotes what came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm.connection import Status
from crm.errors import BrokenWord, Declined, DeskError, NetworkError, NotLetIn, SaidNo, SetupError
from desk.delivery import Progress
from desk.lead import FieldFault
from desk.words import Words


class Refused(Exception):
    """A request that gets an error answer: HTTP status, code, the faults of single fields, headers."""

    def __init__(
        self, status: int, code: str, faults: Sequence[FieldFault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.faults, self.headers = status, code, faults, headers or {}


def http_status_of(error: DeskError) -> int:
    """The HTTP status our own callers get for an error: theirs to repair, AmoCRM's to repair, or come again."""
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


def error_json(say: Words, code: str, faults: Sequence[FieldFault] = ()) -> dict[str, Any]:
    """An error for programs: its code, what happened and what to do; per field where fields are at fault."""
    what, remedy = say.error(code)
    content: dict[str, Any] = {"code": code, "message": what, "remedy": remedy}
    if faults:
        content["errors"] = [
            {"field": fault.field, "code": fault.code, "message": fault_text(say, fault)} for fault in faults
        ]
    return content


def fault_text(say: Words, fault: FieldFault) -> str:
    """The sentence for one field's fault."""
    return say(f"field-{fault.code}", limit=fault.limit or 0)


def status_json(status: Status) -> dict[str, Any]:
    """The connection's status for programs. No secret in it."""
    return {
        "connected": status.connected,
        "state": status.state,
        "mode": status.mode,
        "trouble": status.trouble,
        "account": status.account_url
        and {"name": status.account_name, "subdomain": status.subdomain, "url": status.account_url},
        "connected_by": status.connected_by,
        "connected_at": _iso(status.connected_at),
        "expires_at": _iso(status.expires_at),
        "refreshed_at": _iso(status.refreshed_at),
    }


def progress_json(progress: Progress) -> dict[str, Any]:
    """Where a lead is, for programs."""
    return {
        "id": progress.id,
        "status": progress.state,
        "accepted_at": _iso(progress.accepted_at),
        "settled_at": _iso(progress.settled_at),
        "reason": progress.reason,
        "amocrm_lead_id": progress.amo_lead_id,
        "attempts": progress.attempts,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None

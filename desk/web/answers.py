"""The answers of the API, each said once: the JSON of an answer and its description both follow from a dataclass.

The names of the classes are those of the description (`/api/openapi.json`). No answer holds a token, and no error text quotes
what came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from starlette.responses import JSONResponse

from crm.connection import Status
from desk import delivery
from desk.lead import FieldFault
from desk.web.shapes import LEAD_ID, Says, whole
from desk.words import Words

Id = Annotated[str, Says(pattern=whole(LEAD_ID), examples=["5c2c7d1f4b7e4a0f9a1d6f0b2c3d4e5f"])]
Moment = Annotated[str, Says(format="date-time", examples=["2026-03-08T09:30:15.250000+00:00"])]
Address = Annotated[str, Says(format="uri")]
Text = Annotated[str, Says(minLength=1)]
Count = Annotated[int, Says(minimum=0)]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A lead that is on the disk."""

    id: Id
    status: Literal["accepted"]
    status_url: Annotated[Address, Says(description="Ask here how far it is.")]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a lead is on its way to AmoCRM."""

    id: Id
    status: Annotated[
        str,
        Says(
            description="`delivered` is in AmoCRM. A form's key is told `queued` or `delivered`, of what was put aside too.",
            examples=["queued", "delivered"],
        ),
    ]
    accepted_at: Moment
    settled_at: Moment | None
    reason: Annotated[str | None, Says(description="Why it waits or was refused: an error code.")]
    amocrm_lead_id: Annotated[int | None, Says(description="Told to programs alone.")]
    attempts: Count


@dataclass(frozen=True, slots=True)
class Account:
    """The AmoCRM account of a connection."""

    name: str | None
    subdomain: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection's status for programs, without any secret."""

    connected: bool
    state: str
    mode: str
    trouble: str | None
    account: Account | None
    connected_by: str | None
    connected_at: Moment | None
    expires_at: Moment | None
    refreshed_at: Moment | None


@dataclass(frozen=True, slots=True)
class Consent:
    """Where to send an admin's browser to connect AmoCRM."""

    auth_url: Address


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to each of AmoCRM's own calls."""

    status: Literal["ok"]


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault of one field."""

    field: Text
    code: Text
    message: Text


@dataclass(frozen=True, slots=True)
class Error:
    """An error for programs: its code, the event and the remedy in words; per field if fields are at fault."""

    code: Text
    message: Annotated[Text, Says(description="What happened, for people.")]
    remedy: Annotated[Text, Says(description="What to do about it.")]
    errors: Annotated[tuple[Fault, ...], Says(minItems=1)] = ()


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Send an answer. An empty list of `errors` is left out."""
    told = asdict(content)
    if told.get("errors") == ():
        del told["errors"]
    return JSONResponse(told, status_code=status, headers=headers)


def error_of(say: Words, code: str, faults: Sequence[FieldFault] = ()) -> Error:
    """Put an error code, and the faults of single fields, into words."""
    message, remedy = say.error(code)
    return Error(code, message, remedy, tuple(Fault(one.field, one.code, fault_text(say, one)) for one in faults))


def fault_text(say: Words, fault: FieldFault) -> str:
    """Return the sentence for one field's fault."""
    return say(f"field-{fault.code}", limit=fault.limit or 0)


def connection_of(status: Status) -> Connection:
    """Tell programs the public part of the connection's status."""
    account = Account(status.account_name, status.subdomain, status.account_url) if status.account_url else None
    return Connection(
        connected=status.connected,
        state=status.state,
        mode=status.mode,
        trouble=status.trouble,
        account=account,
        connected_by=status.connected_by,
        connected_at=_iso(status.connected_at),
        expires_at=_iso(status.expires_at),
        refreshed_at=_iso(status.refreshed_at),
    )


def progress_of(progress: delivery.Progress) -> Progress:
    """Tell programs the public part of a lead's progress."""
    return Progress(
        id=progress.id,
        status=progress.state,
        accepted_at=progress.accepted_at.isoformat(),
        settled_at=_iso(progress.settled_at),
        reason=progress.reason,
        amocrm_lead_id=progress.amo_lead_id,
        attempts=progress.attempts,
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None

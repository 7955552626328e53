"""Who may know what became of a lead. Pure.

A form's key stands on a page, so whoever asks with it may be anybody: they are told of what came through this form that it was
accepted, and nothing more, ever. Whether it became a lead, was put aside or was the same phone again looks alike, and stays so.
Only the owner's own program (`Admission.is_program`) is told how far a lead is, and AmoCRM's number of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.delivery import Progress

ACCEPTED = "accepted"
"""What a form's key is told of all that it brought."""

TOLD_FOR = timedelta(days=90)
"""How long it is told that: what made no lead is forgotten then, and a lead must not be told from it by that."""


@dataclass(frozen=True, slots=True)
class Told:
    """An id that a sender was told: through which form it came, None for an operator's, and when."""

    form_id: str | None
    at: datetime


def may_know(told: Told | None, form_id: str, now: datetime, *, is_program: bool) -> bool:
    """Whether whoever asks with a key of this form is told of it at all."""
    if told is None or told.form_id != form_id:
        return False
    return is_program or now - told.at < TOLD_FOR


def as_accepted(told_id: str, told: Told) -> Progress:
    """All that a form's key is told."""
    return Progress(
        id=told_id,
        state=ACCEPTED,
        accepted_at=told.at,
        delivered_at=None,
        settled_at=None,
        reason=None,
        amo_lead_id=None,
        contact_id=None,
        attempts=0,
    )

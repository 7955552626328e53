"""The right to know the fate of a lead. Pure.

A form's key stands on a page, so whoever asks with it may be anybody: of what came through this form they are told whether it is in
AmoCRM by now, and nothing more. What was put aside and what was the same phone again looks like any other lead, and arrives like one.
Only the owner's own program (`Admission.is_program`) is told how far a lead really is, and AmoCRM's number of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from desk.delivery import DELIVERED, QUEUED, Progress

TOLD_FOR = timedelta(days=90)
"""How long a form's key can ask for a lead."""

USUAL = timedelta(seconds=2)
"""How long a lead takes to AmoCRM on a usual day."""

LONGEST_USUAL = timedelta(seconds=5)
"""The longest usual delivery. Longer is an outage for a first lead, and not for the same phone after the outage."""


@dataclass(frozen=True, slots=True)
class Told:
    """An id told to a sender: through which form, None for an operator's, and when.

    `is_lead`: it is a lead's own. `doubles`: the lead whose phone it has again; None for what was put aside.
    """

    form_id: str | None
    at: datetime
    is_lead: bool = True
    doubles: str | None = None


def may_know(told: Told | None, form_id: str, now: datetime, *, is_program: bool) -> bool:
    """Whether the holder of a form's key may ask for a lead at all."""
    if told is None or told.form_id != form_id:
        return False
    return is_program or now - told.at < TOLD_FOR


def seems_delivered(told: Told, lead: Progress | None, paused_since: datetime | None, now: datetime) -> bool:
    """Whether the holder of a form's key hears "in AmoCRM". `told`: an id given out; `lead`: that id's own lead, or the earlier lead whose
    phone it repeats, None for what was put aside; `paused_since`: the queue's.

    What is no lead of its own arrives as one would: not before the lead it doubles, not at once, and not while the queue waits.
    """
    if told.is_lead or told.doubles is not None:
        if lead is None or lead.state != DELIVERED:
            return False
        if told.is_lead:
            return True
    arrives = told.at + USUAL
    if lead is not None:
        in_amocrm = lead.delivered_at or lead.accepted_at
        arrives = max(in_amocrm, told.at + min(in_amocrm - lead.accepted_at, LONGEST_USUAL))
    return now >= arrives and (paused_since is None or paused_since > arrives)


def bare(told_id: str, accepted_at: datetime, *, is_delivered: bool = False) -> Progress:
    """The progress of a lead without its story: all a form's key is told, and all there is of a lead put aside."""
    return Progress(
        id=told_id,
        state=DELIVERED if is_delivered else QUEUED,
        accepted_at=accepted_at,
        delivered_at=None,
        settled_at=None,
        reason=None,
        amo_lead_id=None,
        contact_id=None,
        attempts=0,
    )

"""The choice of a call's owner: the offers for a known number, and the choice as text. Pure.

    LookupResult ─► offers ─► Offer.code ─► the form, the draft ─► Choice.of ─► Choice ─► entry.steps

A choice travels through the form as text. `Choice.code` writes that text and `Choice.of` reads it:

    ""                 a new lead of a person nobody knows
    "add:123"          a note on lead 123
    "same:45"          a new lead of contact 45
    "other:+7961…"     a new lead of another person on this number

A stage chosen along with "add:123" is "123:1:2": the lead, its pipeline, the stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from desk.calls.lookup import KnownLead, LookupResult, Person
from desk.lead import fit_name

NEW, ADD, SAME, OTHER = "new", "add", "same", "other"
"""Kinds of a choice: an unknown person; a note on a known lead; a new lead of a known person; a different person."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The operator's decision about the owner of a call.

    `amo_lead_id` of `ADD`, with the `stage` (pipeline id, status id) the lead is moved to, if any; `contact_id` of `SAME`;
    `phone` of `OTHER`: said of this number, so the choice is gone with the number.
    """

    kind: str = NEW
    amo_lead_id: int | None = None
    contact_id: int | None = None
    stage: tuple[int, int] | None = None
    phone: str = field(default="", repr=False)

    @property
    def code(self) -> str:
        """The choice as text, without its stage."""
        of = {ADD: self.amo_lead_id, SAME: self.contact_id, OTHER: self.phone}.get(self.kind)
        return "" if self.kind == NEW else f"{self.kind}:{of}"

    @classmethod
    def of(cls, code: str, stage: str = "") -> Choice:
        """Read a choice from its text and from the stage chosen along (`stage_code`); a new person's if the text is neither."""
        kind, _, rest = code.partition(":")
        if kind == ADD and rest.isdecimal():
            return cls(ADD, amo_lead_id=int(rest), stage=_stage_of(stage, rest))
        if kind == SAME and rest.isdecimal():
            return cls(SAME, contact_id=int(rest))
        return cls(OTHER, phone=rest) if kind == OTHER else cls()


def stage_code(lead: KnownLead, status_id: int) -> str:
    """A stage to move a lead to, as text; with the lead's id, and so gone with the lead."""
    return f"{lead.id}:{lead.pipeline_id}:{status_id}"


def _stage_of(code: str, lead: str) -> tuple[int, int] | None:
    """Pipeline and stage of a `stage_code`; None for a code of a different lead, or for any other text."""
    named, _, place = code.partition(":")
    pipeline, _, status = place.partition(":")
    is_its_own = named == lead and pipeline.isdecimal() and status.isdecimal()
    return (int(pipeline), int(status)) if is_its_own else None


@dataclass(frozen=True, slots=True)
class Offer:
    """A choice an operator may make. `person`: the known person of the choice; None if the caller is a different person."""

    choice: Choice
    person: Person | None = None

    @property
    def code(self) -> str:
        return self.choice.code

    @property
    def known_name(self) -> str:
        """The name of the offer's person, fit for a lead; "" without a person."""
        return fit_name(self.person.name) if self.person else ""


def offers(found: LookupResult) -> list[Offer]:
    """List the choices for a number, the likeliest first; no choice for an unknown number."""
    listed: list[Offer] = []
    for person in found.exact:
        if person.open_lead is not None:
            listed.append(Offer(Choice(ADD, amo_lead_id=person.open_lead.id), person))
        if person.contact_id is not None:
            listed.append(Offer(Choice(SAME, contact_id=person.contact_id), person))
    return [*listed, Offer(Choice(OTHER, phone=found.phone or ""))] if found.exact else []


def selected(offered: Sequence[Offer], code: str) -> Offer | None:
    """Find the offer with the code of an operator's choice, else the likeliest offer; None without offers."""
    return next((offer for offer in offered if offer.code == code), next(iter(offered), None))

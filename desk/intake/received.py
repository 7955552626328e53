"""A submission as received, with its lead or its faults, its hash, and the part to be kept.

Pure, but for the clock. What becomes of a submission is `intake`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from crm.vault import secret_hash
from desk import lead as lead_rules
from desk.fields import Mapped
from desk.intake import bodies, keeping, tracking
from desk.intake.forms import Form
from desk.intake.known_names import SECRETS
from desk.intake.log import SHORT
from desk.intake.names import Understood
from desk.intake.signs import FILL_MS, consent_of, sign_of
from desk.lead import FieldFault, NewLead
from desk.reading.names import is_name
from store import clock

KEY = "key"
"""The field in which a plain HTML form or a script shows the form's key."""

MOST_OTHERS, LONGEST_OTHER = 100, 1000
"""Values under unknown names kept of an accepted submission, and characters of each."""

NOT_COMPARED_BEFORE = (KEY, FILL_MS)
"""Names a former desk left out of its comparison: keys of its last two days are still held against its hashes."""


@dataclass(frozen=True, slots=True)
class Received:
    """A submission as received.

    `asked`: its fields in our words. `changes`: fields a person has put right. `text`: a body that could not be read.
    `strict`: fields in which a fault refuses the submission; in others a fault costs nothing. `zone`: the club's, by whose clock a
    moment is a day.
    """

    form: Form
    raw: Mapping[str, Any]
    asked: Understood
    added: tuple[Mapped, ...]
    ip: str | None
    idempotency_key: str = field(default="", repr=False)
    changes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    text: str | None = field(default=None, repr=False)
    strict: frozenset[str] = frozenset()
    zone: ZoneInfo = lead_rules.HOME_ZONE

    def lead(self) -> tuple[NewLead | None, list[FieldFault]]:
        """The lead in the submission, or every fault. Its source is the form's if none is named."""
        said = {**self.asked.fields, **self.changes}
        lead, faults = lead_rules.read(said, self.added, strict=self.strict, zone=self.zone)
        named = {fault.field for fault in faults}
        wanted = sorted(self.strict - named - {"phone"})
        faults += [FieldFault(name, "missing") for name in wanted if not _is_said(name, said.get(name))]
        if lead is None or faults:
            return None, faults
        noted = dict(lead.said)
        for label, text in self.asked.for_note(with_others=self.form.note_unknown).items():
            noted[label] = f"{noted[label]}, {text}" if noted.get(label, text) != text else text
        marks = tracking.tracking_of(said)
        return replace(lead, source=lead.source or self.form.source, tracking=marks, said=noted), []

    def sign(self) -> str | None:
        """The sign of a bot in the form's filling; None if there is none."""
        return sign_of(self.asked.fields, self.form.least_fill_s)

    def key_hash(self) -> str:
        """The Idempotency-Key as stored."""
        return secret_hash(self.idempotency_key)

    def body_hash(self) -> str:
        """A hash of the content as understood: the lead's fields and the consent.

        So neither the encoding counts nor the order, and nothing that browsers, pages and proxies add: marks and addresses,
        how long it took, the form's key, the empty trap, names that nobody asked for.
        """
        lead, _ = lead_rules.read(self.asked.fields, self.added, zone=self.zone)
        given = consent_of(self.asked.fields, given_at=clock.now(), ip=None, form="")
        content = None
        if lead is not None:
            own = [lead.name, lead.phone, lead.direction, lead.source, lead.message]
            content = [*own, dict(lead.extra), *([dict(lead.said)] if lead.said else [])]
        return secret_hash(json.dumps([content, None if given is None else given.text_version], sort_keys=True))

    def is_as(self, body_hash: str) -> bool:
        """Whether the content is the same as behind a stored hash."""
        return body_hash in (self.body_hash(), self._former_hash())

    def _former_hash(self) -> str:
        compared = {name: value for name, value in self.raw.items() if name not in NOT_COMPARED_BEFORE}
        return secret_hash(json.dumps(compared, sort_keys=True))

    def kept(self) -> str:
        """The whole submission but keys, as JSON, each value as long as its field may be."""
        hidden = (*SECRETS, SHORT)
        said = {name: value for name, value in bodies.expanded(self.raw).items() if name.casefold() not in hidden}
        kept = keeping.shortened(said, self.form.taught)
        if len(kept) < len(said):  # names without end: what a lead is made of comes first all the same
            own = {name: self.asked.fields[name] for name in ("phone", "name", "message") if name in self.asked.fields}
            kept = {**keeping.shortened(own, {}), **kept}
        return keeping.dumped(kept)

    def contact(self) -> str:
        """The phone and the name alone, as JSON."""
        return keeping.dumped(keeping.contact(self.asked.fields))

    def others(self) -> str | None:
        """The values under unknown names, as JSON; None if there are none."""
        cut = {label: text[:LONGEST_OTHER] for label, text in list(self.asked.others.items())[:MOST_OTHERS]}
        return keeping.dumped(cut) if cut else None


def _is_said(name: str, value: Any) -> bool:
    """Whether a field is filled in: a dash is no name."""
    text = "" if value is None or value == [] else str(value).strip()
    return is_name(text) if name == "name" and isinstance(value, str) else text != ""

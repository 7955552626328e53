"""Reading a lead as it is handed in: accepted, or refused with a reason at each field.

One set of rules for the operator's form and for `POST /api/crm`; how each kind of thing is read is `desk.reading` and
`desk.phones`. Pure: no request, no database.

What identifies a person decides, and that is the phone: without any there is no lead. Nothing else costs one. A faulty value
of another field is read as far as it can be, and what it said stands in `NewLead.said`, for the note. A door at which
somebody can mend it (an operator, a visitor who still sees the form) names the fields that it is `strict` about: there a
fault refuses. Texts are harmless wherever they go: they take no markup and do not begin like a formula.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from desk import field_values, phones
from desk.fields import Mapped
from desk.plain_text import FORMULA, TAG, without_markup
from desk.reading import dates, names, texts

LONGEST_NAME = 120
LONGEST_LABEL = 120
"""Longest direction and source. AmoCRM's text fields take 256 characters; a spoken direction is shorter."""

LONGEST_MESSAGE = 4000
LONGEST_EXTRA = field_values.LONGEST_VALUE

LONGEST_SAID = 16_000
"""Longest value quoted in the note, characters. A submission has 64 KB at the most."""

FIRST_YEAR, LAST_YEAR = dates.FIRST_YEAR, dates.LAST_YEAR

HOME_ZONE = ZoneInfo("Europe/Moscow")
"""By whose clock a moment in an added field of dates is a day, unless the caller says."""

OWN_FIELDS = ("name", "phone", "direction", "source", "message")


@dataclass(frozen=True, slots=True)
class FieldFault:
    """A fault of a field. `code` has its words in `locales/` (`field-<code>`), `limit` fills them in."""

    field: str
    code: str
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class NewLead:
    """A lead fit to be accepted. Not shown by `repr`.

    `name` is "" for somebody who gave none. `phone` is E.164, or the number as it was said if it cannot exist
    (`phones.normalise` tells). `extra` holds added fields by key; `tracking` AmoCRM's tracking fields by code
    (`UTM_SOURCE` …); `said` what found no place, or lost something on its way there, as it was said: by the key of its
    field, or under the sender's own name for it.
    """

    name: str = field(repr=False)
    phone: str = field(repr=False)
    direction: str = ""
    source: str = ""
    message: str = field(default="", repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    tracking: Mapping[str, str] = field(default_factory=dict, repr=False)
    said: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent to the processing of personal data. `form`: the name of the form with the consent.

    `taken_by`: of a spoken one the operator's name, "" for one without; None: it was given in writing.
    """

    text_version: str
    given_at: datetime
    ip: str | None = field(repr=False)
    form: str
    taken_by: str | None = None


def read(
    raw: Mapping[str, Any],
    added: Sequence[Mapped] = (),
    *,
    strict: Collection[str] = (),
    zone: ZoneInfo = HOME_ZONE,
) -> tuple[NewLead | None, list[FieldFault]]:
    """Read a lead: the lead, or every fault. `raw`: values of any type by name. Unknown names are ignored, as AmoCRM
    does.

    `strict`: fields in which a fault refuses the lead (see `every_field`); in others it costs nothing, and what was said
    stands in the lead's `said`. "phone" among them: a number that cannot exist is refused; else it is kept as it was said.
    "name": it has to be filled in, be it with a dash.
    """
    hand = _Hand(raw, frozenset(strict), zone)
    lead = NewLead(
        name=hand.name(),
        phone=hand.phone(),
        direction=hand.label("direction", LONGEST_LABEL),
        source=hand.label("source", LONGEST_LABEL),
        message=hand.message(),
        extra={mapped.key: text for mapped in added if (text := hand.added(mapped))},
        said=hand.said,
    )
    return (None, hand.faults) if hand.faults else (lead, [])


def every_field(added: Iterable[Mapped] = ()) -> frozenset[str]:
    """All fields of a lead, for `strict`: an operator can mend each fault at once."""
    return frozenset((*OWN_FIELDS, *(mapped.key for mapped in added)))


class _Hand:
    """A submission being read: faults so far, and values to be quoted in the note."""

    def __init__(self, raw: Mapping[str, Any], strict: frozenset[str], zone: ZoneInfo) -> None:
        self._raw, self._strict, self._zone = raw, strict, zone
        self.faults: list[FieldFault] = []
        self.said: dict[str, str] = {}

    def name(self) -> str:
        """The name; "" if the value names nobody, such as a dash or a number."""
        value = self._raw.get("name")
        if isinstance(value, Mapping):  # {"first": "Иван", "last": "Петров"}
            value = list(value.values())[: texts.MOST_PARTS]
        text, is_cut = texts.line(value, LONGEST_NAME, joiner=" ")
        if not text and "name" in self._strict:
            self.faults.append(FieldFault("name", "missing"))
        if not names.is_name(text):
            if "name" in self._strict and (code := _label_fault(text, is_cut=is_cut)):
                self._fault("name", code, None, value)
            elif len(text) > 1 and any(unicodedata.category(char)[0] not in "PZ" for char in text):
                self._tell("name", value)
            return ""
        return names.mended(self._harmless("name", value, text, LONGEST_NAME, is_cut=is_cut))

    def phone(self) -> str:
        value = self._raw.get("phone")
        phone = phones.read(value)
        if phone.verdict == phones.NONE or (phone.is_in_doubt and "phone" in self._strict):
            self.faults.append(FieldFault("phone", phone.why, phone.digits))
        elif phone.is_more_than_a_number:
            self._tell("phone", value)
        return phone.kept

    def label(self, key: str, longest: int) -> str:
        """One line of ordinary text."""
        value = self._raw.get(key)
        if self._is_no_text(key, value):
            return ""
        text, is_cut = texts.line(value, longest)
        return names.mended(self._harmless(key, value, text, longest, is_cut=is_cut))

    def message(self) -> str:
        value = self._raw.get("message")
        if self._is_no_text("message", value):
            return ""
        text, is_cut = texts.free(value, LONGEST_MESSAGE)
        if is_cut:
            self._fault("message", "too_long", LONGEST_MESSAGE, value)
        return text

    def added(self, mapped: Mapped) -> str:
        """Read an added field for its type in AmoCRM."""
        value = self._raw.get(mapped.key)
        if mapped.field is None or value is None or value == "" or value == []:
            return ""
        found = field_values.read_value(mapped.field, value, self._zone)
        if found.code:
            self._fault(mapped.key, found.code, LONGEST_EXTRA if found.code == "too_long" else None, value)
        if field_values.is_plain_text(mapped.field) and mapped.field.type != "textarea":
            return self._harmless(mapped.key, value, found.text, LONGEST_EXTRA, is_cut=False)
        return found.text

    def _harmless(self, key: str, value: Any, text: str, longest: int, *, is_cut: bool) -> str:
        """A label's text without markup and formulas; a change is a fault or a quotation in the note."""
        if code := _label_fault(text, is_cut=is_cut):
            self._fault(key, code, longest if code == "too_long" else None, value)
        return without_markup(text)

    def _is_no_text(self, key: str, value: Any) -> bool:
        if texts.text_of(value) is not None:
            return False
        self._fault(key, "not_text", None, value)
        return True

    def _fault(self, key: str, code: str, limit: int | None, value: Any) -> None:
        if key in self._strict:
            self.faults.append(FieldFault(key, code, limit))
        else:
            self._tell(key, value)

    def _tell(self, key: str, value: Any) -> None:
        if text := texts.as_said(value, LONGEST_SAID):
            self.said[key] = text


def label(raw: Mapping[str, Any], name: str, longest: int, faults: list[FieldFault], *, required: bool = False) -> str:
    """Read a line of ordinary text under a name, cleaned; faults are added to `faults`."""
    value = raw.get(name)
    if texts.text_of(value) is None or isinstance(value, int | float):
        faults.append(FieldFault(name, "not_text"))
        return ""
    text, is_cut = texts.line(value, longest)
    code = _label_fault(text, is_cut=is_cut)
    if required and not code:
        code = "missing" if not text else "" if names.is_name(text) else "no_letters"
    if code:
        faults.append(FieldFault(name, code, longest if code == "too_long" else None))
    return text


def fit_name(text: str) -> str:
    """A name from AmoCRM in the shape `read` gives names; "" if nothing of a name is left."""
    plain = without_markup(texts.line(text, LONGEST_NAME)[0])
    return plain if names.is_name(plain) else ""


def _label_fault(text: str, *, is_cut: bool) -> str:
    if is_cut:
        return "too_long"
    if TAG.search(text):
        return "markup"
    return "formula" if FORMULA.match(text) else ""

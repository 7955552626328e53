"""A lead as somebody hands it in: cleaned, checked field by field, or refused with a reason at each field.

One set of rules for the operator's form and for `POST /api/crm`. Pure: no request, no database. What is
free text (the message) is kept as it was written and is harmless everywhere it goes; names, directions and
sources become labels in AmoCRM, tables and files, so they take no markup, formulas or pictures.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from crm import phones
from crm.fields import CHOICE_TYPES, Mapped

LONGEST_NAME = 120
LONGEST_LABEL = 120
"""Direction and source. AmoCRM's text fields take 256 characters; nobody says a longer one on the phone."""

LONGEST_MESSAGE = 4000
LONGEST_EXTRA = 250

FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Between these lie a member's birthday and the end of any membership."""

LABEL_MARKS = frozenset(" .,'’`\"«»()-–—/&№+*:;!?%#_@")
"""What a name, direction or source may have besides letters and digits."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would calculate."""

OWN_FIELDS = ("name", "phone", "direction", "source", "message")


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field. `code` has its words in `locales/` (`field-<code>`), `limit` fills them in."""

    field: str
    code: str
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class NewLead:
    """A lead fit to be accepted. Not shown by `repr`.

    `phone` is E.164; `extra` holds added fields by key; `tracking` AmoCRM's tracking fields by code (`UTM_SOURCE` …).
    """

    name: str = field(repr=False)
    phone: str = field(repr=False)
    direction: str = ""
    source: str = ""
    message: str = field(default="", repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    tracking: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent to the processing of personal data. `form`: the name of the form it was given in.

    `taken_by`: of a spoken one the operator's name, "" for one without; None: it was given in writing.
    """

    text_version: str
    given_at: datetime
    ip: str | None = field(repr=False)
    form: str
    taken_by: str | None = None


def read(raw: Mapping[str, Any], added: Sequence[Mapped] = ()) -> tuple[NewLead | None, list[FieldFault]]:
    """A lead, or every fault. `raw`: what came, values of any type. Unknown names are ignored, as AmoCRM does."""
    faults: list[FieldFault] = []
    lead = NewLead(
        name=label(raw, "name", LONGEST_NAME, faults, required=True),
        phone=_phone(raw, faults),
        direction=label(raw, "direction", LONGEST_LABEL, faults),
        source=label(raw, "source", LONGEST_LABEL, faults),
        message=_message(raw, faults),
        extra={mapped.key: text for mapped in added if (text := _extra(raw, mapped, faults))},
    )
    return (None, faults) if faults else (lead, [])


def _text(raw: Mapping[str, Any], name: str, faults: list[FieldFault]) -> str | None:
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        faults.append(FieldFault(name, "not_text"))
        return None
    return unicodedata.normalize("NFC", value).strip()


def _one_line(text: str) -> str:
    """Without what copying brings along unseen: no-break spaces, zero-width and direction marks."""
    text = "".join(" " if unicodedata.category(char) == "Zs" else char for char in text)
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return re.sub(r" {2,}", " ", text).strip()


def label(raw: Mapping[str, Any], name: str, longest: int, faults: list[FieldFault], *, required: bool = False) -> str:
    """One line of ordinary text under a name, cleaned; what is wrong with it is added to `faults`."""
    text = _text(raw, name, faults)
    if text is None:
        return ""
    text = _one_line(text)
    code = _label_fault(text, longest, required=required)
    if code:
        faults.append(FieldFault(name, code, longest if code == "too_long" else None))
    return text


def fit_name(text: str) -> str:
    """A name AmoCRM has, as `read` takes it: without pictures and markup; "" where nothing of a name is left."""
    marked = _one_line(unicodedata.normalize("NFC", text))
    plain = "".join(char for char in marked if char in LABEL_MARKS or unicodedata.category(char)[0] in "LMN")
    plain = _one_line(plain).lstrip("".join(FORMULA_STARTS))[:LONGEST_NAME].strip()
    return "" if _label_fault(plain, LONGEST_NAME, required=True) else plain


def _label_fault(text: str, longest: int, *, required: bool) -> str | None:
    if not text:
        return "missing" if required else None
    if len(text) > longest:
        return "too_long"
    if not text.isprintable():
        return "control"
    if "<" in text or ">" in text:
        return "markup"
    if text.startswith(FORMULA_STARTS):
        return "formula"
    if not all(char in LABEL_MARKS or unicodedata.category(char)[0] in "LMN" for char in text):
        return "symbols"
    if required and not any(char.isalpha() for char in text):
        return "no_letters"
    return None


def _phone(raw: Mapping[str, Any], faults: list[FieldFault]) -> str:
    text = _text(raw, "phone", faults)
    if text is None:
        return ""
    phone = phones.normalise(text)
    if phone is None:
        faults.append(FieldFault("phone", phone_fault(text)))
    return phone or ""


def phone_fault(text: str) -> str:
    """Why a text is no phone, for the words under the field."""
    digits = sum(char.isdigit() for char in text)
    if not text.strip():
        return "missing"
    if len(text) > phones.LONGEST_INPUT:
        return "phone_too_long"
    if phones.LETTERS.search(text):
        return "phone_letters"
    return "phone_short" if digits < 10 else "phone_wrong"


def _message(raw: Mapping[str, Any], faults: list[FieldFault]) -> str:
    text = _text(raw, "message", faults)
    if text is None:
        return ""
    text = text.replace("\r\n", "\n")
    if len(text) > LONGEST_MESSAGE:
        faults.append(FieldFault("message", "too_long", LONGEST_MESSAGE))
    elif any(not char.isprintable() and char not in "\n\t" and _is_harmful(char) for char in text):
        faults.append(FieldFault("message", "control"))
    return text


def _is_harmful(char: str) -> bool:
    """Control characters and lone surrogates; not the joiners that emoji and other scripts are made with."""
    return unicodedata.category(char) in ("Cc", "Cs", "Cn")


def _extra(raw: Mapping[str, Any], mapped: Mapped, faults: list[FieldFault]) -> str:
    """The text of an added field, checked for the type it has in AmoCRM."""
    value = raw.get(mapped.key)
    if isinstance(value, bool):
        value = "1" if value else ""
    elif isinstance(value, int | float):
        value = f"{value}"
    text = _text({mapped.key: value}, mapped.key, faults)
    if not text or mapped.field is None:
        return ""
    text = _one_line(text)
    code = _extra_fault(text, mapped.field.type, mapped.field.choices)
    if code:
        faults.append(FieldFault(mapped.key, code, LONGEST_EXTRA if code == "too_long" else None))
    return text


def _extra_fault(text: str, field_type: str, choices: Sequence[str]) -> str | None:
    if len(text) > LONGEST_EXTRA:
        return "too_long"
    if not text.isprintable():
        return "control"
    if field_type in CHOICE_TYPES and text not in choices:
        return "not_a_choice"
    if field_type == "numeric" and not re.fullmatch(r"-?\d{1,12}(?:[.,]\d{1,4})?", text, re.ASCII):
        return "not_a_number"
    if field_type == "checkbox" and text != "1":
        return "not_a_choice"
    if field_type == "date" and not _is_date(text):
        return "not_a_date"
    if field_type not in (*CHOICE_TYPES, "numeric", "checkbox", "date"):
        return _label_fault(text, LONGEST_EXTRA, required=False) if field_type != "url" else _url_fault(text)
    return None


def _is_date(text: str) -> bool:
    try:
        return FIRST_YEAR <= date.fromisoformat(text).year <= LAST_YEAR
    except ValueError:
        return False


def _url_fault(text: str) -> str | None:
    return None if re.fullmatch(r"https?://[^\s<>\"]+", text) else "not_an_address"

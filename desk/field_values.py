"""Values of fields: reading for the field's type, writing in AmoCRM's shape, finding in AmoCRM's answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from crm.custom_fields import Field
from desk.reading import choices, dates, numbers, texts, ticks

TEXT_TYPES = ("text", "textarea", "select", "radiobutton", "url", "streetaddress")
"""Types that take a plain text as their value (sheet 6)."""

SEVERAL = "multiselect"
"""The type with several choices at once. As a text, a choice on each line."""

DAY_TYPES = ("date", "birthday")
"""Types for a day; AmoCRM reminds of a birthday."""

MOMENT = "date_time"
"""The type for a day with a time."""

NUMBER_TYPES = ("numeric", "monetary")
"""Types that hold a number; of `monetary` the field itself knows the currency."""

CHOICE_TYPES = ("select", "radiobutton")

LONGEST_VALUE = 250
"""Characters of an added field's text. AmoCRM's text fields take 256 (sheet 6)."""

ADDRESS = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
BARE_ADDRESS = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}(?:[/?#][^\s<>\"']*)?")

NOON = time(12)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as a field's type takes it. `text`: the stored spelling; `code`: the fault, "" if there is none.

    Of a text that is too long, and of several choices, both are there: what could be read, and that it was not all.
    """

    text: str = ""
    code: str = ""


def is_plain_text(field: Field) -> bool:
    """Whether AmoCRM takes any text in the field."""
    return field.type not in (*CHOICE_TYPES, SEVERAL, *NUMBER_TYPES, "checkbox", *DAY_TYPES, MOMENT, "url")


def read_value(field: Field, value: Any, zone: ZoneInfo) -> Reading:
    """Read a value of any shape for the type of the account's field.

    The spellings that are kept: a number with a point, a tick "1", a date and a moment as ISO (by the clock of `zone`), a choice
    as the account spells it (of `SEVERAL` a line each), an address with its scheme.
    """
    match field.type:
        case "numeric" | "monetary":
            number = numbers.read(value)
            return Reading(numbers.spelled(number)) if number is not None else Reading(code="not_a_number")
        case "checkbox":
            ticked = ticks.read(value)
            return Reading("1" if ticked else "") if ticked is not None else Reading(code="not_a_tick")
        case "date" | "birthday":
            day = dates.read(value, zone)
            return Reading(day.isoformat()) if day is not None else Reading(code="not_a_date")
        case "date_time":
            moment = dates.moment(value, zone)
            return Reading(moment.isoformat()) if moment is not None else Reading(code="not_a_moment")
        case "select" | "radiobutton":
            choice = choices.read(value, field.choices, field.marks)
            return Reading(choice) if choice is not None else Reading(code="not_a_choice")
        case "multiselect":
            found, rest = choices.several(value, field.choices, field.marks)
            return Reading("\n".join(found), "not_a_choice" if rest else "")
        case "url":
            return _address(value)
    if texts.text_of(value) is None:
        return Reading(code="not_text")
    read = texts.free if field.type == "textarea" else texts.line
    text, is_cut = read(value, LONGEST_VALUE)
    return Reading(text, "too_long" if is_cut else "")


def fitted(field: Field, text: str, zone: ZoneInfo) -> str | None:
    """Return a stored text in the field's own spelling; None if the field cannot hold the text: its type or its
    choices may have changed."""
    if is_plain_text(field):
        return text
    found = read_value(field, text, zone)
    return found.text if found.text and not found.code else None


def encode(field_type: str, text: str, zone: ZoneInfo) -> Any:
    """A text in the field's own spelling (`fitted`) as the `value` AmoCRM wants for this type (sheet 6); of `SEVERAL` a list."""
    match field_type:
        case "numeric" | "monetary":
            return float(text) if "." in text else int(text)
        case "checkbox":
            return text == "1"
        case "multiselect":
            return text.split("\n")
        case "date":
            # Midnight of the club: AmoCRM moves any other time to it (sheet 8, item 18).
            return int(datetime.combine(date.fromisoformat(text), datetime.min.time(), zone).timestamp())
        case "birthday":
            # Noon: whether AmoCRM reckons the summer time of that year or not, it moves it to the same day.
            return int(datetime.combine(date.fromisoformat(text), NOON, zone).timestamp())
        case "date_time":
            return int(datetime.fromisoformat(text).timestamp())
    return text


def _address(value: Any) -> Reading:
    """Read an address of the web; an address without a scheme gets https."""
    text, is_cut = texts.line(value, LONGEST_VALUE)
    if not is_cut and ADDRESS.fullmatch(text):
        return Reading(text)
    if not is_cut and BARE_ADDRESS.fullmatch(text):
        return Reading(f"https://{text}")
    return Reading(code="not_an_address")


def filled_in(entity: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], list[str]]]:
    """Each filled field of a lead or contact as AmoCRM sends it, with its values as texts.

    `custom_fields_values` is null if nothing is filled (sheet 6); anything else that is no field is left out.
    """
    filled = entity.get("custom_fields_values")
    for item in filled if isinstance(filled, list) else ():
        if isinstance(item, dict):
            values = item.get("values")
            told = (
                [value.get("value") for value in values if isinstance(value, dict)] if isinstance(values, list) else []
            )
            yield item, [str(value) for value in told if value is not None]


def texts_of(entity: Mapping[str, Any], field_id: int, code: str | None = None) -> list[str]:
    """All values of one field as texts. The field is found by its id, else by its code."""
    fields = list(filled_in(entity))
    right = [texts for item, texts in fields if item.get("field_id") == field_id]
    right = right or [texts for item, texts in fields if code and item.get("field_code") == code]
    return [text for texts in right for text in texts]

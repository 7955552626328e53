"""Dates and moments from forms and people. Day before month, as in Russia, unless only month before day is a date."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from desk.reading import texts

FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Between these lie a member's birthday and the end of any membership."""

LATEST_SHORT_YEAR = 50
"""Greatest two-digit year of this century: a birthday may be of '51, hardly an appointment."""

LONGEST = 60

MONTHS = ("янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

TIME = r"(?:[t,\s]+(?:в\s+)?\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:z|utc|gmt|[+-]\d{2}:?\d{2})?)?"
YEAR_FIRST = re.compile(rf"(\d{{4}})[-./](\d{{1,2}})[-./](\d{{1,2}}){TIME}")
DAY_FIRST = re.compile(rf"(\d{{1,2}})\s*[-./]\s*(\d{{1,2}})\s*[-./]\s*(\d{{4}}|\d{{2}})\s*(?:г|г\.|года?)?{TIME}")
IN_WORDS = re.compile(
    rf"(\d{{1,2}})(?:-?(?:го|е|st|nd|rd|th))?\s+([a-zа-я]+)\.?,?\s+(\d{{4}})\s*(?:г|г\.|года?)?{TIME}"
)
MONTH_FIRST = re.compile(rf"([a-z]+)\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}}){TIME}")
CLOCK = re.compile(
    r"(?:t|[\s,]\s*(?:в\s+|at\s+)?)(\d{1,2})[:.](\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(z|utc|gmt|[+-]\d{2}:?\d{2})?$"
)
"""A time of the day behind a date, with its zone."""

SECONDS = re.compile(r"(-?\d{9,10})(?:\.\d+)?|(\d{13})")
DIGITS_ONLY = re.compile(r"(\d{4})(\d{2})(\d{2})")


def read(value: Any, zone: ZoneInfo) -> date | None:
    """Read a day by the clock of `zone`; None for no day, or outside `FIRST_YEAR` to `LAST_YEAR`."""
    if not (text := _told(value)):
        return None
    if found := SECONDS.fullmatch(text):
        return _sane(_at(found, zone).date())
    if found := DIGITS_ONLY.fullmatch(text):
        return _day(*found.groups())
    if found := YEAR_FIRST.fullmatch(text):
        return _zoned(text, zone) or _day(*found.groups())
    if found := DAY_FIRST.fullmatch(text):
        day, month, year = found.groups()
        return _day(year, month, day) or _day(year, day, month)
    if found := IN_WORDS.fullmatch(text):
        return _day(found.group(3), _month(found.group(2)), found.group(1))
    if found := MONTH_FIRST.fullmatch(text):
        return _day(found.group(3), _month(found.group(1)), found.group(2))
    return None


def moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """Read a moment, to a second, by the clock of `zone`: a date and a time behind it, or unix seconds. A day alone is
    its beginning.

    A time without a zone of its own is the club's. None as for `read`.
    """
    if not (text := _told(value)):
        return None
    if found := SECONDS.fullmatch(text):
        at = _at(found, zone)
        return at if _sane(at.date()) else None
    clock = CLOCK.search(text)
    day = read(text[: clock.start()] if clock else text, zone)
    if day is None:
        return None
    try:
        told = time(int(clock[1]), int(clock[2]), int(clock[3] or 0)) if clock else time()
        said_in = _offset(clock[4]) if clock and clock[4] else zone
        at = datetime.combine(day, told, said_in).astimezone(zone)
    except (ValueError, OverflowError):
        return None
    return at if _sane(at.date()) else None


def _offset(text: str) -> timezone:
    """A zone as written behind a time: "z", "+03:00"."""
    if text in ("z", "utc", "gmt"):
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    away = timedelta(hours=hours, minutes=minutes)
    return timezone(away if text[0] == "+" else -away)


def _zoned(text: str, zone: ZoneInfo) -> date | None:
    """The club's day of a moment that names its own zone."""
    if not re.search(r":\d{2}(?:[.,]\d+)?\s*(?:z|[+-]\d{2}:?\d{2})$", text):
        return None
    try:
        return _sane(datetime.fromisoformat(text.upper().replace(" ", "T", 1).replace(" ", "")).astimezone(zone).date())
    except (ValueError, OverflowError):
        return None


def _month(word: str) -> str:
    if word in ("мая", "май", "мае"):
        return "5"
    names = ENGLISH if word.isascii() else MONTHS
    return next((str(number) for number, name in enumerate(names, 1) if len(name) > 2 and word.startswith(name)), "0")


def _day(year: str, month: str, day: str) -> date | None:
    number = int(year)
    if len(year) == 2:
        number += 2000 if number <= LATEST_SHORT_YEAR else 1900
    try:
        return _sane(date(number, int(month), int(day)))
    except ValueError:
        return None


def _sane(day: date) -> date | None:
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _told(value: Any) -> str:
    """A value as a text for comparing; "" if the value is no text or too long."""
    text, is_cut = ("", False) if isinstance(value, bool) else texts.line(value, LONGEST)
    return "" if is_cut else texts.fold(text)


def _at(found: re.Match[str], zone: ZoneInfo) -> datetime:
    """The moment that `SECONDS` found, to a second."""
    seconds = int(found[1]) if found[1] else int(found[2]) // 1000
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(zone)

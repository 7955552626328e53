"""Numbers, shares, lengths of time, days and working hours of the overview as text."""

from __future__ import annotations

import math
from typing import Any

from babel.dates import format_date
from babel.numbers import format_percent

from desk.reports import ClubHours, Column, Span
from ui.frame import formats
from ui.frame.words import language, say

EXACT_HOURS = 10
"""A longer answer is told in whole hours."""


def number(value: int) -> str:
    return formats.number(value, language())


def share(count: int, whole: int) -> str:
    """A share in per cent, to a decimal place under ten; a dash for a share of nothing."""
    if not whole:
        return "—"
    share = count / whole
    return str(format_percent(share, "0.#%" if share < 0.1 else "0%", locale=language()))


def share_of(count: int, whole: int) -> str:
    """A share together with its whole."""
    return f"{share(count, whole)} ({say('overview-n-of', count=number(count), whole=number(whole))})"


def change(now: int, before: int) -> str:
    """The difference to the period before; in per cent from twenty leads on."""
    text = f"{now - before:+d}"
    return f"{text} ({now / before - 1:+.0%})" if before >= 20 else text


def working_time(minutes: float | None) -> str:
    """Minutes, hours and minutes, or hours: as exact as such a length is worth."""
    if minutes is None or math.isinf(minutes):
        return "—"
    whole = int(minutes)
    if whole < 60:
        return say("overview-minutes", minutes=whole)
    if whole < EXACT_HOURS * 60:
        return say("overview-hours-minutes", hours=whole // 60, minutes=f"{whole % 60:02}")
    return say("overview-whole-hours", hours=whole // 60)


def day_name(day: Any) -> str:
    return str(format_date(day, "d MMM y", locale=language()))


def column_name(column: Column, unit: str) -> str:
    """The label under a bar."""
    if unit == "month":
        return str(format_date(column.since, "LLL yy", locale=language()))
    first = str(format_date(column.since, "d MMM", locale=language()))
    return (
        first if column.since == column.until else f"{first} – {format_date(column.until, 'd MMM', locale=language())}"
    )


def hours_in_words(hours_: ClubHours) -> str:
    """Working hours in words: weekdays and weekend, or every day."""
    spans = [_span_told(hours_.days[day]) for day in (0, 5)]
    if hours_.days[0] == hours_.days[5]:
        return say("overview-every-day", hours=spans[0])
    return say("overview-week-hours", weekdays=spans[0], weekend=spans[1])


def _span_told(span: Span) -> str:
    if span is None:
        return say("overview-closed")
    return f"{span[0] // 60}:{span[0] % 60:02}–{span[1] // 60}:{span[1] % 60:02}"

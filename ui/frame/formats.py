"""How numbers, times and free texts are shown. Pure: a value and a language in, a text out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_skeleton, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal

from desk import phones
from store import clock

MASKED_FROM, MASKED_LAST = 4, 2
"""Digits of a phone on a list: country and area, and enough to tell two callers apart."""

LONGEST_MASKED = 24

MARKDOWN = re.compile(r"([\\`*_{}()<>#+\-.!|~$:@^=&])")
"""Signs with a meaning in Streamlit's Markdown."""

JOINER = "\u2060"
"""An invisible sign, without a line break."""

MADE_OF_PLAIN_TEXT = re.compile(
    r"(?<=:)(?=[^\s\d]|\d+:)"  # http://, mailto:, :smile:, :material/home:, :red[…]
    r"|(?<=www)(?=\.)"
    r"|(?<=\S)(?=@)"
    r"|(?<=-)(?=[->])|(?<=<)(?=-)|(?<=[<>~])(?==)",  # arrows, dashes and signs that are drawn as one
    re.IGNORECASE,
)
"""Places of a text that become links, icons and signs even if escaped: Streamlit reads the rest again."""


def moment(time: datetime | None, language: str, zone: ZoneInfo) -> str:
    """Day and time on the club's clock: "23 ноября, 14:05"; a dash for none."""
    if time is None:
        return "—"
    local = time.astimezone(zone)
    if local.year == clock.now(zone).year:
        day = format_skeleton("MMMMd", local, locale=language)
        return f"{day}, {format_time(local, 'HH:mm', locale=language)}"
    return format_datetime(local, "d MMMM y, HH:mm", locale=language)


def time_of_day(time: datetime, language: str, zone: ZoneInfo) -> str:
    """The time of day with seconds, for "as of"; with the day unless the day is today."""
    local = time.astimezone(zone)
    of_day = format_time(local, "HH:mm:ss", locale=language)
    if local.date() == clock.now(zone).date():
        return of_day
    return f"{format_skeleton('MMMMd', local, locale=language)}, {of_day}"


def ago(time: datetime, language: str, now: datetime | None = None) -> str:
    """ "5 минут назад"."""
    return format_timedelta(time - (now or clock.now()), add_direction=True, locale=language)


def lasting(span: timedelta, language: str) -> str:
    """A length of time in its greatest unit: "23 часа"."""
    return format_timedelta(span, threshold=1.2, locale=language)


def countdown(span: timedelta) -> str:
    """Hours, minutes and seconds left: "23:59:08"; never below nought."""
    seconds = max(0, int(span.total_seconds()))
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def number(value: int, language: str) -> str:
    """A count: `1 402`, `1,402`."""
    return f"{value:,}".replace(",", "\u202f" if language == "ru" else ",")


def rubles(kopecks: int, language: str) -> str:
    """An amount of kopecks in roubles, with kopecks if there are any: "1 999 ₽", "1 999,90 ₽"."""
    shape = "#,##0.00 ¤" if kopecks % 100 else "#,##0 ¤"
    return format_currency(Decimal(kopecks) / 100, "RUB", shape, locale=language, currency_digits=False)


def seconds(span_s: float, language: str) -> str:
    """Seconds to a decimal place: "0,8"."""
    return format_decimal(span_s, "0.0", locale=language)


def masked(phone: str) -> str:
    """Mask a phone for a list: "+7 999 ***-**-67". A text without a phone keeps its end."""
    shown = phones.display(phone)[:LONGEST_MASKED]
    places = [place for place, char in enumerate(shown) if char.isalnum()]
    known = places[:MASKED_FROM] if phones.normalise(phone) else []
    seen = {*known, *places[-MASKED_LAST:]}
    return "".join("*" if char.isalnum() and place not in seen else char for place, char in enumerate(shown))


def plain(text: str) -> str:
    """Escape a stranger's text for Markdown: shown letter by letter, and no link.

    For all that Streamlit reads as Markdown: bodies, labels, tabs, badges, captions, tooltips, toasts, titles, cells of `st.table`.
    """
    parts = MADE_OF_PLAIN_TEXT.split(" ".join(text.split()))
    escaped = JOINER.join(MARKDOWN.sub(r"\\\1", part) for part in parts)
    return escaped.replace("[", "&#91;").replace("]", "&#93;")  # inside `:red[…]` a backslash would be seen

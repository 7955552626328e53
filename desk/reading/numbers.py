"""Numbers in people's spelling: blanks between thousands, a comma or a point, a currency or unit before or behind."""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from desk.reading import texts

MOST_DIGITS = 12
"""Greatest number of digits before the point. A longer number is an account or a phone, and AmoCRM's numeric fields
lose its digits."""

MOST_DECIMALS = 4

LONGEST = 60

UNIT = re.compile(
    r"(?:₽|€|\$|£|₸|₴|%|руб(?:\.|лей|ля|ль)?|р\.?|rub|rur|usd|eur|kzt|byn|тенге|шт\.?|кг|см|м|лет|год[а]?|мин\.?|раз[а]?)"
)
"""Words beside a number without a meaning for its amount."""

NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d{1,2})?")


def read(value: Any) -> Decimal | None:
    """Read a number, at most `MOST_DECIMALS` after the point; None if there is no number, or a number too large."""
    if isinstance(value, bool):
        return None
    text, is_cut = texts.line(value, LONGEST)
    if not text or is_cut:
        return None
    text = "".join(_plain(char) for char in texts.normalised(text, "NFKC", LONGEST)).casefold()
    text = re.sub(rf"^(?:{UNIT.pattern})\s*(?=[\d+-])|(?<=\d)[\s ]*(?:{UNIT.pattern})$", "", text.strip()).strip()
    text = re.sub(r"(?<=\d)['`’ ](?=\d{3}(?!\d))", "", text)
    text = re.sub(r"^([+-])\s+(?=\d)", r"\1", text)
    text = _pointed(text)
    if not NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    if number and not -MOST_DECIMALS - 20 < number.adjusted() < MOST_DIGITS:
        return None
    return number.quantize(Decimal(1).scaleb(-MOST_DECIMALS), ROUND_HALF_UP)


def spelled(number: Decimal) -> str:
    """A number as a plain text with a point, without needless zeros: "12500.5"."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


def _plain(char: str) -> str:
    """A digit of any script as a usual digit, any minus as a usual minus."""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return "-" if unicodedata.category(char) == "Pd" or char == "\u2212" else char


def _pointed(text: str) -> str:
    """Tell commas and points apart: the last is the decimal sign, unless the sign is repeated."""
    commas, points = text.count(","), text.count(".")
    if commas and points:
        thousands, decimal = (",", ".") if text.rfind(".") > text.rfind(",") else (".", ",")
        whole = text.partition(decimal)[0]
        if not re.fullmatch(rf"[+-]?\d{{1,3}}(?:\{thousands}\d{{3}})+", whole):
            return text
        return text.replace(thousands, "").replace(decimal, ".")
    if commas > 1 or points > 1:
        mark = "," if commas else "."
        return text.replace(mark, "") if re.fullmatch(rf"[+-]?\d{{1,3}}(?:\{mark}\d{{3}})+", text) else text
    return text.replace(",", ".")

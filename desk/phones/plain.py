"""Texts made plain before the search for numbers: usual digits, one plus, one dash, nothing encoded."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from desk.phones.judge import LONGEST_NUMBER, SEARCH_DIGITS
from desk.reading import texts

LONGEST_INPUT = 500
"""Characters of a text a phone is looked for in: a pasted message, not a book."""

LEAST_CERTAIN = 7
"""Least number of digits among which a letter is taken for a slip: with fewer digits the letter may belong to a
word."""

LOOK_ALIKES = str.maketrans("ОоOoЗзlI|ЧчбВBS", "000033111446885")
"""Letters that look like digits or lie on a neighbouring key."""

LETTERS = re.compile(r"[^\W\d_]", re.UNICODE)

NOISE = frozenset(
    [
        "тел",
        "телефон",
        "телефоны",
        "моб",
        "мобильный",
        "сот",
        "сотовый",
        "номер",
        "мой",
        "tel",
        "phone",
        "mob",
        "mobile",
        "cell",
        "number",
        "call",
        "звоните",
        "доб",
        "добавочный",
        "вн",
        "внутр",
        "ext",
        "x",
    ]
)
"""Words around a number that only say "phone"."""


def plain(text: str) -> str:
    """A text with usual digits, one kind of plus, one kind of dash, and no invisible marks."""
    if text.isascii():
        return text
    return "".join(map(_plain_char, texts.normalised(texts.mended(text), "NFKC", LONGEST_INPUT)))


def _plain_char(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if char == "➕":
        return "+"
    category = unicodedata.category(char)
    if category == "Pd" or char in "−⁃":
        return "-"
    return " " if category in ("Zs", "Zl", "Zp", "Cc") else "" if category in ("Cf", "Mn", "Me", "Co", "Cs") else char


def decoded(text: str) -> str:
    """A text without a sender's needless encoding: %2B for the plus, &nbsp; for a blank. And a number spelled by
    Excel."""
    for _ in range(2):
        if not re.search(r"%(?:2B|20|28|29|2D|3A|25)", text, re.IGNORECASE):
            break
        text = unquote(text, errors="ignore")
    text = re.sub(r"&(?:nbsp|#160);", " ", text).replace("&#43;", "+").replace("&plus;", "+")
    return re.sub(r"(?<![\d.,+])(\d)[.,](\d{1,14})e\+?(\d{1,2})(?!\w)", _unexcelled, text, flags=re.IGNORECASE)


def _unexcelled(found: re.Match[str]) -> str:
    """7.9161234567E+10 with all its digits; a number with lost digits stays as spelled, and is no phone."""
    first, rest, power = found.group(1), found.group(2), int(found.group(3))
    is_whole = SEARCH_DIGITS - 1 <= power <= LONGEST_NUMBER and power - len(rest) in range(2)
    return first + rest.ljust(power, "0") if is_whole else found.group()


def looked_at(text: str) -> str | None:
    """A text with letters that look like digits replaced by digits, in words of such letters alone; None if there
    are none."""
    if sum(char.isdigit() for char in text) < LEAST_CERTAIN:
        return None
    changed = re.sub(r"[^\W_]+|\|", lambda found: _as_digits(found.group()), text)
    return changed if changed != text else None


def _as_digits(word: str) -> str:
    digits = word.translate(LOOK_ALIKES)
    return digits if digits.isdecimal() else word

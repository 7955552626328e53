"""Texts: without invisible marks, in one line or in several, never longer than wanted.

A character this Python's Unicode tables do not know yet is kept: the emoji of next year are no fault of whoever sends them.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Literal

LONGEST_NUMBER = 250
"""Greatest number of digits spelled out: Python refuses endless numbers, and a click id has some twenty."""

MOST_PARTS = 50
"""Values of a list that are read."""

SPARE = 4
"""Multiple of the wanted length that is looked at: the rest is cut before it costs anything, and invisible marks
take room."""

LEAST_LOOKED_AT = 256

LONGEST_RUN = 30
"""Marks behind one letter that are looked at: as many as Unicode's stream-safe text has (UAX 15), five times what any language
writes. Putting marks into their order costs the square of how many stand in a row, and nothing else runs meanwhile."""

MARKS_IN_LETTERS = "\uff9e\uff9f"
"""Letters by their category that normalising makes marks of."""

LONGEST_FOLDED = 4096
"""Greatest length of a compared text: names, choices and searches are shorter by far."""

LINE_ENDS = "\n\x0b\x0c\x85\u2028\u2029"
"""Line ends. Office programs write the vertical tab for a soft break (Shift+Enter)."""

BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"
"""Letters and signs drawn as a blank."""

BULLETS = {"\uf0b7": "•", "\uf0a7": "▪", "\uf0d8": "➢", "\uf0fc": "✓"}
"""Bullets of Word's lists, in a font of its own."""

JOINER, NON_JOINER = "\u200d", "\u200c"
BLACK_FLAG, TAGS = "\U0001f3f4", range(0xE0020, 0xE0080)
"""Base and letters of the flags of England, Scotland and Wales: a black flag with invisible letters behind it."""


def text_of(value: Any, joiner: str = ", ") -> str | None:
    """A value as text: a text, a number, or a list of texts and numbers. None for any other type; "" for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _spelled(value)
    if isinstance(value, list | tuple):
        parts = [text_of(part, joiner) for part in value[:MOST_PARTS] if not isinstance(part, list | tuple)]
        return joiner.join(part.strip() for part in parts if part and part.strip())
    return None


def as_said(value: Any, longest: int) -> str:
    """Any value as a text for a note: texts unchanged, other types as JSON."""
    text = text_of(value)
    if text is None:
        try:
            text = json.dumps(value, ensure_ascii=False, default=str)
        except (ValueError, RecursionError):
            return ""
    return free(text, longest)[0]


def line(value: Any, longest: int, joiner: str = ", ") -> tuple[str, bool]:
    """Read a value as a single line: (the text, at most `longest` characters; whether the text was cut). "" for
    other types."""
    text = text_of(value, joiner) or ""
    cleaned = re.sub(r"\s+", " ", _seen(text, longest, line_end=" ")).strip()
    return _cut(cleaned, text, longest)


def free(value: Any, longest: int, joiner: str = "\n") -> tuple[str, bool]:
    """Read a value as free text with its lines: (the text, at most `longest` characters; whether the text was cut)."""
    text = text_of(value, joiner) or ""
    return _cut(_seen(text, longest, line_end="\n").strip(), text, longest)


def mended(text: str) -> str:
    """The text without halves of characters: two matching halves make a character, a single half is dropped."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return text


def normalised(text: str, form: Literal["NFC", "NFKC"], longest: int) -> str:
    """The first `longest` characters of a text in one of Unicode's forms. Texts are normalised nowhere else.

    The cost grows with the length and no faster: a run of marks ends at `LONGEST_RUN`.
    """
    text = text[:longest]
    return text if text.isascii() else unicodedata.normalize(form, with_short_runs(text))


def with_short_runs(text: str) -> str:
    """A text without the marks behind `LONGEST_RUN` others, for callers of functions that normalise."""
    if len(text) <= LONGEST_RUN or text.isascii():
        return text
    kept, run = [], 0
    for char in text:
        run = run + 1 if unicodedata.category(char)[0] == "M" or char in MARKS_IN_LETTERS else 0
        if run <= LONGEST_RUN:
            kept.append(char)
    return "".join(kept)


def fold(text: str) -> str:
    """A text for comparing: no case, ё as е, one kind of blanks. Looks at `LONGEST_FOLDED` characters."""
    return " ".join(normalised(text, "NFKC", LONGEST_FOLDED).casefold().replace("ё", "е").split())


def is_letter(char: str) -> bool:
    """Whether a character may be a letter; characters unknown to Python's tables may."""
    return char.isalpha() or (unicodedata.category(char) == "Cn" and not _is_no_character(char))


def _seen(text: str, longest: int, line_end: str) -> str:
    """The beginning of a text, with invisible marks removed."""
    text = mended(text[: max(longest, LEAST_LOOKED_AT) * SPARE])
    if text.isascii() and text.isprintable():
        return text
    text = normalised(text.replace("\r\n", "\n").replace("\r", "\n"), "NFC", len(text))
    return "".join(_shown(text, line_end))


def _shown(text: str, line_end: str) -> Iterator[str]:
    is_flag = False
    for place, char in enumerate(text):
        is_flag = (is_flag and ord(char) in TAGS) or char == BLACK_FLAG
        category = unicodedata.category(char)
        if char in LINE_ENDS:
            yield line_end
        elif category == "Zs" or char in BLANK_LETTERS:
            yield " "
        elif category == "Cc":
            yield char if char == "\t" else " "
        elif category == "Cf":
            if (char in (JOINER, NON_JOINER) and _joins(text, place)) or (is_flag and ord(char) in TAGS):
                yield char
        elif category == "Co":
            yield BULLETS.get(char, " ")
        elif category != "Cs" and not (category == "Cn" and _is_no_character(char)):
            yield char


def _joins(text: str, place: int) -> bool:
    """Whether a joiner stands between characters that change by it: emoji, scripts of India and Arabia."""
    around = text[place - 1 : place] + text[place + 1 : place + 2]
    return len(around) == 2 and all(
        (ord(char) >= 0x0590 and unicodedata.category(char)[0] not in "ZC") or _is_new(char) for char in around
    )


def _is_new(char: str) -> bool:
    return unicodedata.category(char) == "Cn" and not _is_no_character(char)


def _is_no_character(char: str) -> bool:
    """Whether Unicode has promised never to use this code."""
    return 0xFDD0 <= ord(char) <= 0xFDEF or ord(char) & 0xFFFE == 0xFFFE


def _cut(cleaned: str, text: str, longest: int) -> tuple[str, bool]:
    is_cut = len(cleaned) > longest or len(text) > max(longest, LEAST_LOOKED_AT) * SPARE
    return cleaned[:longest].rstrip(f"{JOINER}{NON_JOINER} \n\t"), is_cut


def _spelled(value: float) -> str:
    if isinstance(value, float):
        return (
            f"{value:.15g}"
            if math.isfinite(value) and abs(value) < 1e15
            else str(value)
            if math.isfinite(value)
            else ""
        )
    return str(value) if abs(value) < 10**LONGEST_NUMBER else ""

"""Texts made harmless: names as stored, and texts that neither a web page nor a spreadsheet executes.

How a text is read at all (unseen marks, blanks, length) is `desk.reading.texts`.
"""

from __future__ import annotations

import re

from desk.reading import texts

CERTAIN_SIGNS = "=@＝＠"
"""Signs at the beginning of a text that always make a formula of it in a spreadsheet, also in full width."""

NUMBER_SIGNS = "+-＋－"
"""Signs that begin a formula, a phone, or just a line of a list («+ бассейн»)."""

FORMULA_STARTS = (*CERTAIN_SIGNS, *NUMBER_SIGNS, "\t", "\r", "\n")
"""Beginnings forbidden to a text in a CSV file (OWASP, "CSV Injection"). Stricter than `FORMULA`, as the file keeps
the sign and only puts an apostrophe before it."""

FORMULA = re.compile(rf"[{CERTAIN_SIGNS}]|[{re.escape(NUMBER_SIGNS)}]+(?:[\d({CERTAIN_SIGNS}]|\s*\w+[(!|])")
"""The beginning of a text that a spreadsheet would calculate. «+ бассейн» and «- не выбрано -» are none, as the
sign would be taken away."""

TAG = re.compile(r"<\s*[/!?]?\s*[A-Za-z]|&#|<!--")
"""The beginning of markup. A plain < or > is harmless: «Главная > Заявка»."""


def plain_name(text: str, longest: int) -> str:
    """A name from an input or a cookie: printable, without < and >, single blanks. Not cut to `longest` characters: the caller
    decides whether a longer name is cut or refused."""
    whole = texts.normalised(text, "NFC", texts.SPARE * longest)
    return " ".join("".join(char for char in whole if char.isprintable() and char not in "<>").split())


def without_markup(text: str) -> str:
    """A line without signs of markup and formulas."""
    if TAG.search(text):
        text = text.replace("<", " ").replace(">", " ").replace("&#", " ")
    text = " ".join(text.split())
    while FORMULA.match(text):
        text = text[1:].lstrip()
    return text


def may_be_formula(text: str) -> bool:
    """Whether a spreadsheet might take a text in a file for a formula, blanks before the sign or not."""
    return text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS)

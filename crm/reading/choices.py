"""One of a list, in anybody's spelling: case, blanks, ё, dashes, quotes, currency signs, letters of the other alphabet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm.reading import names, texts

LONGEST = 256
"""AmoCRM's choices take 255 characters."""


def read(value: Any, choices: Sequence[str], marks: Sequence[tuple[int, str]] = ()) -> str | None:
    """The choice that is meant, as the list spells it; None if it is none of them, or might be two. "" is none.

    `marks`: AmoCRM's id and code of each choice, in their order, by which it may be named as well.
    """
    if isinstance(value, bool):
        return None
    text, is_cut = texts.line(value, LONGEST)
    if is_cut or not text:
        return None
    if text in choices:
        return text
    for spelling in (texts.fold, _sounds):
        said = spelling(text)
        same = [choice for choice in choices if said and spelling(choice) == said]
        if same:
            return same[0] if len(same) == 1 else None
    named = [choice for choice, mark in zip(choices, marks, strict=False) if text in (str(mark[0]), mark[1])]
    return named[0] if len(named) == 1 else None


def several(value: Any, choices: Sequence[str], marks: Sequence[tuple[int, str]] = ()) -> tuple[list[str], list[str]]:
    """Which of the list are meant, and what was said that is none of them. A text may name one, or several with commas."""
    if isinstance(value, list | tuple):
        parts = [part for part in value[: texts.MOST_PARTS] if part not in (None, "")]
    else:
        whole = texts.text_of(value) or ""
        is_one = read(whole, choices, marks) is not None
        parts = [whole] if is_one else list(whole[: LONGEST * 10].replace("\n", ",").replace(";", ",").split(","))
    found, rest = [], []
    for part in parts:
        choice = read(part, choices, marks)
        if choice is not None:
            found.append(choice)
        elif said := texts.line(part, LONGEST)[0]:
            rest.append(said)
    return list(dict.fromkeys(found)), rest


def _sounds(text: str) -> str:
    """Letters and digits alone, in one alphabet where they look the same: how two people write one thing."""
    return "".join(char for char in names.one_alphabet(texts.fold(text)) if char.isalnum())

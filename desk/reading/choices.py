"""Choices of a list, in anybody's spelling: case, blanks, ё, dashes, quotes, currency signs, letters of the other
alphabet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from desk.reading import names, texts

LONGEST = 256
"""AmoCRM's choices take 255 characters."""


def read(value: Any, choices: Sequence[str], marks: Sequence[tuple[int, str]] = ()) -> str | None:
    """Read a choice, in the list's spelling; None if no choice fits, or if two might. "" is no choice.

    `marks`: AmoCRM's id and code of each choice, in their order, by which it may be named as well.
    """
    if isinstance(value, bool):
        return None
    text, is_cut = texts.line(value, LONGEST)
    if is_cut or not text:
        return None
    if text in choices:
        return text
    for spelling in (texts.fold, _looks, _sounds):
        said = spelling(text)
        same = [choice for choice in choices if said and spelling(choice) == said]
        if same:
            return same[0] if len(same) == 1 else None
    named = [choice for choice, mark in zip(choices, marks, strict=False) if text in (str(mark[0]), mark[1])]
    return named[0] if len(named) == 1 else None


def several(value: Any, choices: Sequence[str], marks: Sequence[tuple[int, str]] = ()) -> tuple[list[str], list[str]]:
    """Read several choices of a list; return also the texts that fit none.

    A text may name one, or several a line each, or with commas or semicolons between them.
    """
    if isinstance(value, list | tuple):
        parts = [part for part in value[: texts.MOST_PARTS] if part not in (None, "")]
    else:
        lines = (texts.text_of(value) or "")[: LONGEST * texts.MOST_PARTS].split("\n")[: texts.MOST_PARTS]
        parts = [part for line in lines for part in _parted(line, choices, marks)]
    found, rest = [], []
    for part in parts:
        choice = read(part, choices, marks)
        if choice is not None:
            found.append(choice)
        elif said := texts.line(part, LONGEST)[0]:
            rest.append(said)
    return list(dict.fromkeys(found)), rest


def _parted(line: str, choices: Sequence[str], marks: Sequence[tuple[int, str]]) -> list[str]:
    """Candidates for choices in a text: the whole text, as a choice may have commas, or its pieces between commas."""
    return [line] if read(line, choices, marks) is not None else line.replace(";", ",").split(",")[: texts.MOST_PARTS]


def _looks(text: str) -> str:
    """A text in one alphabet, with twin letters replaced."""
    return names.one_alphabet(texts.fold(text))


def _sounds(text: str) -> str:
    """Letters and digits alone, in one alphabet: equal for two people's spellings of a choice."""
    return "".join(filter(str.isalnum, _looks(text)))

"""The search box: its text, parsed into conditions. Pure.

A text with a phone in it, in any spelling and with any words around it, is looked for as that phone: the reader is the one
of the intake and of the call desk. Of any other text all words must be there, each in the contact's name, in the lead's own
name or in its number; what may be a part of a phone is looked for among all the contact's phones as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from desk import phones
from desk.reading.texts import fold

LONGEST = 100
LEAST_DIGITS = 4
"""Digits of a phone to search for: fewer would find half of the club."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A parsed search.

    Either all `words`, each with the parts of a phone it may be; or, if the whole text may be a phone, any of
    `phone`, or the digits in a name or number.
    """

    words: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    phone: tuple[str, ...] = field(default=(), repr=False)
    digits: str = field(default="", repr=False)


def sought(text: str) -> Sought | None:
    """Parse the search box; None for an empty box."""
    text = text[:LONGEST]
    folded = fold(text)
    if not folded:
        return None
    if numbers := phones.all_of(text):
        # Whose number it is, is whom somebody looks for: what stands around it may be written otherwise in AmoCRM.
        spelled = [one for number in numbers for one in phones.same_person(number)]
        digits = _digits(text) if not phones.LETTERS.search(text) else phones.search_digits(numbers[0])
        return Sought(phone=tuple(f" {one}" for one in dict.fromkeys(spelled)), digits=digits)
    if parts := parts_of(text):
        return Sought(phone=parts, digits=_digits(text))
    return Sought(tuple(_pieces(folded)))


def _pieces(folded: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Split a text into words, each with the parts of a phone it may be.

    A phone beside a name is one word, however many blanks are in it.
    """
    for has_letters, group in groupby(folded.split(), key=lambda word: bool(phones.LETTERS.search(word))):
        words = list(group)
        together = " ".join(words)
        if not has_letters and (parts := parts_of(together)):
            yield together, parts
        else:
            yield from ((word, parts_of(word)) for word in words)


def narrows(wanted: Sought, known: Sought) -> bool:
    """Whether the leads of `wanted` are among the leads of `known`: a person has typed on, or added a word."""
    if wanted == known:
        return True
    if wanted.phone or known.phone:
        return False
    # A word that may be part of a phone is looked for there too, where its beginning was not: only the same one will do.
    return all(
        any((word, parts) == (longer, more) or (not more and word in longer) for longer, more in wanted.words)
        for word, parts in known.words
    )


def parts_of(text: str) -> tuple[str, ...]:
    """The texts to look for in the spelling of phones in the mirror (` +79991234567;ext=12`)."""
    whole = phones.normalise(text)
    if whole is not None:
        return (f" {whole}",)
    if phones.LETTERS.search(text):
        return ()
    digits = _digits(text)
    if len(digits) < LEAST_DIGITS or len(digits) > phones.LONGEST_NUMBER:
        return ()
    # Somebody who types a number from its beginning begins with 8 where the mirror has +7.
    return (digits, f" +7{digits[1:]}") if digits[0] == "8" else (digits,)


def _digits(text: str) -> str:
    return "".join(char for char in fold(text) if char.isdecimal() and char.isascii())

"""Reading the numbers of a text, and choosing the meant number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from desk.phones.judge import HOME_DIGITS, IMPOSSIBLE, LONGEST_NUMBER, NONE, POSSIBLE, SEARCH_DIGITS, VALID, judged
from desk.phones.plain import LETTERS, LONGEST_INPUT, NOISE, decoded, looked_at, plain
from desk.reading import spoken, texts

READER = 3
"""Version of the reader. After a new version, the copy of AmoCRM is read through again."""

LONGEST_SPELLED = 40
"""Longest number stored as it was said, characters: the width of the column."""

MOST_LEFT_OVER = 8
"""Digits beside numbers that are none themselves: a date. Ten are a number with a slip."""

MOST_NUMBERS = 8
"""Numbers of one text that are read."""

EXTENSION = re.compile(
    r"[\s,.;:(\[-]*(?:доб(?:авочный|ав)?|вн(?:утр(?:енний)?)?|ext(?:ension)?|;ext=|x(?=\s*\d)|х(?=\s*\d)|#)[\s.:=,]*"
    r"(?:номер|№|no)?[\s.:]*(\d{1,7})(?!\d)\s*[)\]]?",
    re.IGNORECASE,
)
"""An extension right behind a number."""

RUN = re.compile(r"\+?\d(?:[\s().,;/_*~'\"\[\]|&\u2022\u00b7-]*\d)*")
"""Digits with the usual signs between them. A plus begins another number."""

APART = re.compile(r"\s*[,;|]\s*")
"""Separators of two numbers, unless commas also separate the groups of a number."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone as read from a text. Not shown by `repr`.

    `verdict`: VALID exists; POSSIBLE is as long as it has to be, but its plan has no such code; IMPOSSIBLE cannot exist;
    NONE: no number at all. `e164`: of the first two. `why`: of all but VALID, the field's fault (`field-<why>` has its
    words), `digits` how many were counted for it. `as_said`: the number's own characters. `others`: more numbers, spelled.
    `is_more_than_a_number`: words worth keeping stand around it.
    """

    verdict: str
    e164: str | None = field(default=None, repr=False)
    extension: str = field(default="", repr=False)
    as_said: str = field(default="", repr=False)
    why: str = ""
    digits: int = 0
    others: tuple[str, ...] = field(default=(), repr=False)
    is_more_than_a_number: bool = False

    @property
    def spelled(self) -> str | None:
        """The one spelling, by which people are looked up."""
        return None if self.e164 is None else f"{self.e164};ext={self.extension}" if self.extension else self.e164

    @property
    def kept(self) -> str:
        """The number for our tables and AmoCRM: its spelling, else the number as it was said."""
        return self.spelled or self.as_said

    @property
    def is_in_doubt(self) -> bool:
        """Whether a person at hand is asked to mend the number: an impossible number, or a Russian number with a
        code that does not exist."""
        return self.verdict != VALID and bool(self.why)


NOTHING = Phone(NONE, why="missing")


def read(value: Any) -> Phone:
    """Read the phone of a value: a text around a number, a number of JSON, a list.

    Understood: 8 for +7, a plus that was lost or encoded, any brackets, blanks and dashes, digits of any script and ones that
    are letters, words and messengers around it, extensions, several numbers (the first that exists is meant), numbers said in words,
    Russia's neighbours without the plus. Looks at `LONGEST_INPUT` characters.
    """
    text = texts.text_of(value)
    return NOTHING if text is None else _read(text[:LONGEST_INPUT])


def normalise(text: str) -> str | None:
    """The one spelling of the phone in a text; None if there is none that can exist."""
    return read(text).spelled


def all_of(text: str) -> tuple[str, ...]:
    """Every number of a text, spelled, the meant one first."""
    phone = read(text)
    return (phone.spelled, *phone.others) if phone.spelled else ()


@lru_cache(maxsize=4096)
def _read(text: str) -> Phone:
    """Read a text that is short enough. Remembered: a screen reads one text at several places and again at each rerun."""
    clear = decoded(plain(text)).strip()
    if not clear:
        return NOTHING
    ways = [clear]
    if LETTERS.search(clear):
        ways += filter(None, [spoken.in_digits(clear), looked_at(clear)])
    best = Phone(NONE, why="phone_none")
    for way in ways:
        found = _among(list(_candidates(way)))
        if found.spelled:
            best = found
            break
        if found.digits > best.digits:
            best = found
    is_more = bool(best.others) or best.verdict in (IMPOSSIBLE, NONE) or _says_more(clear, best)
    return replace(best, is_more_than_a_number=is_more)


def _among(candidates: Sequence[Phone]) -> Phone:
    """The meant number, with the others behind it: an existing number before a possible number, the first of
    several."""
    for verdict in (VALID, POSSIBLE):
        numbers = [one for one in candidates if one.verdict == verdict]
        if numbers:
            others = [one.spelled for one in candidates if one.spelled and one.verdict == VALID]
            others = [one for one in dict.fromkeys(others) if one != numbers[0].spelled]
            return replace(numbers[0], others=tuple(others))
    return max(candidates, key=lambda one: one.digits, default=Phone(NONE, why="phone_none"))


def _candidates(text: str) -> Iterator[Phone]:
    """Every run of digits as a number, with the extension behind the run."""
    place = 0
    for _ in range(MOST_NUMBERS):
        found = RUN.search(text, place)
        if found is None:
            return
        place = found.end()
        pieces = list(_pieces(found.group()))
        if pieces and (extension := EXTENSION.match(text, place)):
            place = extension.end()
            pieces[-1] = replace(pieces[-1], extension=extension.group(1))
        yield from pieces


def _pieces(run: str) -> Iterator[Phone]:
    """Numbers of a run: the whole run, its parts between commas, or numbers in a row."""
    whole = _number(run)
    gaps = re.findall(r"[^\d+]+", run)
    is_one_way = not any(map(APART.search, gaps)) or all(map(APART.search, gaps))
    if is_one_way and whole.spelled:
        yield whole
        return
    parts = APART.split(run)
    if len(parts) > 1:
        for part in parts[:MOST_NUMBERS]:
            yield from _pieces(part)
        return
    yield from list(_in_a_row(run)) or [whole]


def _in_a_row(run: str) -> Iterator[Phone]:
    """Numbers with only blanks around them: whole groups, or numbers with 8 or 7 in a run too long for a single
    number.

    Nothing if what is left over might be a number as well: then nobody can tell where one ends and the next begins.
    """
    groups = re.findall(r"\d+", run)
    whole = [number for group in groups if len(group) == HOME_DIGITS and (number := _number(group)).verdict == VALID]
    if sum(map(len, groups)) <= LONGEST_NUMBER:
        yield from whole
        return
    found: list[Phone] = []
    first = left_over = 0
    while first < len(groups):
        taken, last = "", first
        while last < len(groups) and len(taken) < HOME_DIGITS:
            taken, last = taken + groups[last], last + 1
        alone = _number(groups[first])
        if len(taken) == HOME_DIGITS and taken[0] in "78" and (number := _number(taken)).verdict == VALID:
            found.append(number)
            first, left_over = last, 0
        elif len(groups[first]) >= SEARCH_DIGITS and alone.verdict == VALID:
            found.append(alone)
            first, left_over = first + 1, 0
        else:
            left_over += len(groups[first])
            if left_over > MOST_LEFT_OVER:
                yield from whole
                return
            first += 1
    yield from found


def _number(piece: str) -> Phone:
    """Judge a single number as it stands in the text."""
    digits = re.sub(r"\D", "", piece)
    said = " ".join(piece.split()).strip(" .,;/-_*~'\"|&")
    if len(said) > LONGEST_SPELLED:
        said = ("+" if "+" in piece else "") + digits[: LONGEST_SPELLED - 1]
    e164, verdict, why = judged(digits, has_plus=piece.lstrip().startswith("+"))
    return Phone(verdict, e164, as_said=said, why=why, digits=len(digits))


def _says_more(text: str, phone: Phone) -> bool:
    """Whether a text holds more than its number, so that a person might want to read it."""
    words = re.findall(r"[^\W\d_]+", text)
    has_words = any(word.casefold() not in NOISE for word in words)
    counted = sum(char.isdigit() for char in text)
    return has_words or counted != phone.digits + len(phone.extension)

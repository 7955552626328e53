"""The field behind a name: taught to the form, our own, known from the tables, or told by a word in a label.

Pure. `known_names` has the tables, `values` the names; here they are held against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from desk.intake import tracking
from desk.intake.bodies import LONGEST_NAME
from desk.intake.known_names import (
    ADDED,
    BY_TOKEN,
    FIRST,
    HINTS,
    HOLDERS,
    ID_LIKE,
    IN_LABELS,
    LAST,
    LEADING,
    NEUTRAL,
    NOT_PERSONS,
    OF_ANOTHER,
    OF_THE_FORM,
    PARTS,
    PLAIN_NAMES,
    SECRETS,
    SERVICE,
    SERVICE_PARENTS,
    SOMEBODY_ELSES,
    TRAILING,
    UNNAMED,
)
from desk.intake.values import RECORD_TITLES, RECORD_VALUES, NamedValue, text_of
from desk.reading import texts

TAUGHT, OWN, KNOWN_NAME, WORD, GUESSED = range(5)
"""Certainty of a meaning, the surest first; the last is for a value with the looks of a phone."""

CAMEL = re.compile(r"(?<=[a-zа-яё\d])(?=[A-ZА-ЯЁ])")


@dataclass(frozen=True, slots=True)
class Seen:
    """A name in a submission, its field ("" for none), and the certainty (`TAUGHT` … `GUESSED`)."""

    name: str
    meaning: str
    tier: int


@dataclass(slots=True)
class Sorted:
    """The values of a submission by field, each with its certainty; `unknown`: the values of no field."""

    found: dict[str, list[tuple[int, NamedValue]]] = field(default_factory=dict)
    unknown: list[NamedValue] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)

    def values(self, meaning: str) -> list[NamedValue]:
        """The values taken for a field."""
        return [one for _, one in self.found.get(meaning, [])]

    def has_phone(self) -> bool:
        """Whether anything stands under a name of a phone."""
        return any(text_of(one.value) for one in self.values("phone"))

    def guess(self, meaning: str, one: NamedValue) -> None:
        """Take an unknown value for a field."""
        self.found.setdefault(meaning, []).append((GUESSED, one))
        self.seen[one.name] = Seen(one.name, meaning, GUESSED)
        self.unknown.remove(one)


def sort(values: Iterable[NamedValue], taught: Mapping[str, str]) -> Sorted:
    """Find the field of every value by its names. `taught`: meanings by name, of the form."""
    result = Sorted()
    for one in values:
        meaning, tier = meaning_of(one, taught)
        if not _is_service(one) or tier == TAUGHT:
            result.seen.setdefault(one.name, Seen(one.name, meaning, tier))
        if meaning:
            result.found.setdefault(meaning, []).append((tier, one))
        elif not _is_service(one):
            result.unknown.append(one)
    return result


def meaning_of(one: NamedValue, taught: Mapping[str, str]) -> tuple[str, int]:
    """The field of a value by its names, and the certainty; ("", GUESSED) for none."""
    for name in (one.name, *one.candidates):
        if name in taught:
            return taught[name], TAUGHT
    if len(one.path) == 1 and (one.name in PLAIN_NAMES or ADDED.fullmatch(one.name)):
        return one.name, OWN
    holders = [part for part in one.path[:-1] if not part.isdigit()]
    is_ours = all(part.casefold() in NEUTRAL or known(part)[1] == KNOWN_NAME for part in holders)
    above = known(holders[-1])[0] if holders and is_ours else ""
    if above in ("direction", "source") and one.path[-1].casefold() in (*RECORD_VALUES, *RECORD_TITLES):
        return above, KNOWN_NAME  # {"direction": {"id": 5, "name": "Йога"}}: a service has a name, and is nobody
    parents = [part.casefold() for part in holders]
    by_name = _by_candidates(one, parents, is_ours=is_ours)
    return by_name if by_name[0] else _by_surroundings(one, parents, above, is_ours=is_ours)


@lru_cache(maxsize=4096)
def known(name: str) -> tuple[str, int]:
    """The meaning of a name by itself, and the certainty; ("", GUESSED) for none."""
    token = token_of(name)
    if UNNAMED.fullmatch(token):
        return "", GUESSED
    for _ in range(4):
        if token in BY_TOKEN:
            return BY_TOKEN[token], KNOWN_NAME
        shorter = TRAILING.sub("", LEADING.sub("", token)).strip()
        if shorter == token or not shorter:
            break
        token = shorter
    bare = BY_TOKEN.get(OF_THE_FORM.sub("", token), "")
    if bare in ("phone", "email", "message", FIRST, LAST):
        return bare, KNOWN_NAME
    label = token_of(name)
    for meaning, word, other in IN_LABELS:
        if word.search(label) and not (other and other.search(label)):
            return meaning, WORD
    return "", GUESSED


def token_of(name: str) -> str:
    """A name as `KNOWN` spells names: small letters, one space between words."""
    text = CAMEL.sub(" ", texts.normalised(name, "NFKC", LONGEST_NAME)[:LONGEST_NAME])
    return re.sub(r"[\s_\-.,:;*?!\"'«»()\[\]/|№#]+", " ", text.casefold().replace("ё", "е")).strip()


def is_secret(one: NamedValue) -> bool:
    """Whether a value is a key of the sender."""
    return len(one.path) == 1 and one.name.casefold() in SECRETS


def is_id_like(one: NamedValue) -> bool:
    """Whether a value's name is for numbers: an id, a date, a price."""
    return bool(ID_LIKE.search(one.path[-1].casefold()))


def is_called_anothers(one: NamedValue) -> bool:
    """Whether a value's name says "another person's phone"."""
    return any(map(_is_of_another, one.candidates))


def is_in_anothers_object(one: NamedValue) -> bool:
    """Whether a value stands inside an object of somebody else: a manager, a company."""
    return any(part.casefold() in SOMEBODY_ELSES for part in one.path)


def _by_candidates(one: NamedValue, parents: Sequence[str], *, is_ours: bool) -> tuple[str, int]:
    """The first meaning among a value's names with a right to stand in the object."""
    of_another = is_called_anothers(one)
    for candidate in one.candidates:
        if ADDED.fullmatch(candidate) and is_ours:
            return candidate, OWN
        meaning, tier = known(candidate)
        if tier == WORD and (_is_service(one) or (meaning == "phone" and of_another)):
            continue  # `phone_mask` is no phone
        if meaning and _belongs(meaning, parents, is_ours=is_ours):
            return meaning, tier
    return "", GUESSED


def _by_surroundings(one: NamedValue, parents: Sequence[str], above: str, *, is_ours: bool) -> tuple[str, int]:
    """The meaning of the object a value stands in (`above`), of its part there, or of the type of its field."""
    last = one.path[-1].casefold()
    if parents and known(parents[-1])[0] == "name" and (part := PARTS.get(last)):
        return part, KNOWN_NAME
    if above in ("phone", "name", "message", "direction") and not (_is_of_machines(one) or is_id_like(one)):
        return above, WORD
    if parents[-1:] == ["utm"] and f"utm_{last}" in tracking.NAMES:
        return f"utm_{last}", KNOWN_NAME
    hint = HINTS.get(one.hint, "phone" if "phone" in one.hint else "") if is_ours else ""
    return (hint, WORD) if hint and not (hint == "phone" and is_called_anothers(one)) else ("", GUESSED)


def _belongs(meaning: str, parents: Sequence[str], *, is_ours: bool) -> bool:
    """Whether a meaning can stand inside the given objects: a manager's phone and a product's name are not the sender's."""
    if meaning in tracking.NAMES or meaning == tracking.PAGE:
        return True
    if meaning in ("name", "message", "source", "direction") and parents and parents[-1] in NOT_PERSONS:
        return False
    return is_ours


@lru_cache(maxsize=4096)
def _is_of_another(name: str) -> bool:
    return bool(OF_ANOTHER.search(token_of(name)))


def _is_service(one: NamedValue) -> bool:
    """Whether a value is for machines only, by its name or by its object."""
    parents = one.path[:-1]
    holder = max((place for place, part in enumerate(parents) if part.casefold() in HOLDERS), default=0)
    return _is_of_machines(one) or any(
        (part.casefold() in SERVICE_PARENTS and place >= holder) or part.startswith("_wp")
        for place, part in enumerate(parents)
    )


def _is_of_machines(one: NamedValue) -> bool:
    return any(
        SERVICE.fullmatch(part) or SERVICE.fullmatch(token_of(part).replace(" ", "_"))
        for part in (one.path[-1], one.candidates[0])
    )

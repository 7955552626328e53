"""Search for the phone of a submission with none in its place.

    a value that looks like a phone ─► what stands beside it ─► a phone within words ─► somebody else's phone ─► pieces

Pure. Every lead hangs on its phone, so it is looked for wherever a person may have written it; a value that only may be
a phone is taken if nothing is called one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from desk import phones
from desk.intake.known_names import CHANNELS, FIRST, LAST
from desk.intake.meanings import (
    GUESSED,
    Seen,
    Sorted,
    is_called_anothers,
    is_id_like,
    is_in_anothers_object,
    known,
    token_of,
)
from desk.intake.values import MOST_TEXTS, NamedValue, text_of, texts_of

OF_A_COUNTRY, OF_A_TOWN, OF_A_PERSON = range(3)

PIECES = {
    **dict.fromkeys(("country_code", "countrycode", "code", "prefix", "dial_code", "dialcode", "country", "cc"), OF_A_COUNTRY),
    **dict.fromkeys(("area", "area_code", "areacode", "city_code"), OF_A_TOWN),
}  # fmt: skip
"""Parts of a phone held by an object in pieces; any other part is the number itself."""

COUNTRY_CODES = frozenset(
    ["country code", "phone code", "phone country code", "dial code", "phone prefix", "phone country", "calling code", "код страны", "код телефона"]
)  # fmt: skip
"""Names (as spelled by `token_of`) of a country's code beside a phone."""

MOST_PHONES, MOST_LOOKED_AT = MOST_TEXTS, 300
"""Values read under names of a phone, and values searched without a name: reading a phone costs."""

LONGEST_COUNTRY_CODE = 3
"""Digits of a country's code. A longer code is another kind: a confirmation sent to the phone."""

LONGEST_PIECE = 9
"""Digits of a piece of a phone. More may be a whole number with a slip, and two such pieces are two people."""

LONGEST_GUESS = 40
"""Characters of a phone under an unknown name."""

A_PHONE = re.compile(
    r"\+[\d\s().\u2010-\u2015-]{9,}|[78][\s(.-]*\d{3}[\d\s().\u2010-\u2015-]{7,}|\(\d{3,5}\)[\d\s-]{5,}"
)
"""A phone by its looks: with its plus, or with the Russian beginning and ten digits."""

A_PHONE_AMONG = re.compile(
    r"(?<![\w.+])(?:\+\d[\d\s().\u2010-\u2015-]{9,20}\d|[78]([\s().\u2010-\u2015-]{0,3}\d){10})(?![\w])"
)
"""A phone inside of a person's words."""

BEST_FIRST = (phones.VALID, phones.POSSIBLE, phones.IMPOSSIBLE)


def fill_in_phone(got: Sorted, values: Sequence[NamedValue]) -> None:
    """Fill `got`'s phone from wherever a phone may stand, if it has none, only pieces, or only texts that are no phone.

    Neighbours of a found number may move too, as to the name. `values`: all values, known or not.
    """
    if not got.has_phone():
        _guess(got, anothers=False)
        _take_neighbours(got)
    if all(_verdict(one.value) == phones.NONE for one in got.values("phone")[:MOST_PHONES]):
        _take_from_words(got)
    if not got.has_phone():
        _guess(got, anothers=True)
    _join_pieces(got, values)


def best_of(told: Sequence[NamedValue]) -> tuple[Any, list[NamedValue]]:
    """The first value to be read as a phone, else the first; and the rest.

    Of the rest, phones are labelled as further phones, other values as they came.
    """
    each = [
        (one, value)
        for one in told[:MOST_PHONES]
        for value in (one.value[:MOST_PHONES] if isinstance(one.value, list) else [one.value])
        if text_of(value)
    ][:MOST_PHONES]
    verdicts = [phones.read(value).verdict for _, value in each]
    place = next((verdicts.index(verdict) for verdict in BEST_FIRST if verdict in verdicts), 0)
    chosen, spare = each[place][1], [pair for at, pair in enumerate(each) if at != place]
    left = [
        NamedValue(one.name, "phone" if verdict == phones.VALID else one.label, (), "", one.path, value)
        for one, value in spare
        if text_of(value) != text_of(chosen) and (verdict := phones.read(value).verdict)
    ]
    return chosen, left


def _guess(got: Sorted, *, anothers: bool) -> None:
    """Take values with the looks of a phone; else values under a name of a phone in an unknown object.

    `anothers`: among the values called another person's phone.
    """
    looked_at = [one for one in got.unknown[:MOST_LOOKED_AT] if is_called_anothers(one) == anothers]
    guesses = [one for one in looked_at if _looks_like_a_phone(one)]
    guesses = guesses or [one for one in looked_at if _is_called_a_phone(one) and _verdict(one.value) != phones.NONE]
    for one in guesses:
        got.guess("phone", one)


def _take_neighbours(got: Sorted) -> None:
    """Take the neighbours of a guessed phone for the same person: `{"data": {"x": {"name": …, "phone": …}}}`."""
    homes = {one.path[:-1] for tier, one in got.found.get("phone", []) if tier == GUESSED and len(one.path) > 1}
    for one in [one for one in got.unknown if one.path[:-1] in homes]:
        meaning = next((meaning for candidate in one.candidates if (meaning := known(candidate)[0])), "")
        if meaning and meaning != "phone":
            got.guess(meaning, one)


def _take_from_words(got: Sorted) -> None:
    """Take a phone written into another field of the same person.

    "Перезвоните на 8 916 …" in the message, "Иван 8 916 …" for the name, a number for the e-mail. A message keeps its words, and
    `79161234567@mail.ru` and `wa.me/79161234567` stay what they are.
    """
    tried = (
        (meaning, one, place)
        for meaning in ("message", "name", FIRST, LAST, *CHANNELS)
        for one in got.values(meaning)
        for place in A_PHONE_AMONG.finditer(text_of(one.value))
    )
    for meaning, one, place in islice(tried, MOST_LOOKED_AT):
        if phones.read(place.group()).verdict != phones.VALID:
            continue
        text, number = text_of(one.value), place.group()
        got.found.setdefault("phone", []).insert(0, (GUESSED, replace(one, value=number.strip(), label="phone")))
        if meaning != "message":
            rest = text.replace(number, " ").strip(" ,;:/-")
            if rest and meaning in CHANNELS:  # an address that holds a number is an address all the same
                rest = text
            got.found[meaning] = [
                (tier, replace(pair, value=rest) if pair is one else pair) for tier, pair in got.found[meaning]
            ]
            got.seen[one.name] = Seen(one.name, meaning if rest else "phone", GUESSED)
        return


def _join_pieces(got: Sorted, values: Sequence[NamedValue]) -> None:
    """Join a phone told in pieces: a country's code beside a number, three boxes, the parts of an object.

    Only if no piece is a phone by itself, and all of them together are one that exists.
    """
    told = [one for one in got.values("phone") if text_of(one.value)][:MOST_PHONES]
    mine = {id(one) for one in told}
    pieces = [one for one in values if id(one) in mine or token_of(one.candidates[0]) in COUNTRY_CODES][:MOST_PHONES]
    if not told or (any(_verdict(one.value) == phones.VALID for one in told) and not _is_abroad(pieces)):
        return
    if (whole := _whole(pieces)) and phones.read(whole).verdict == phones.VALID:
        got.found["phone"] = [(got.found["phone"][0][0], replace(told[0], value=whole))]
        used = {id(one) for one in pieces}
        got.unknown[:] = [one for one in got.unknown if id(one) not in used]


def _whole(pieces: Sequence[NamedValue]) -> str:
    """Join the pieces of a phone in their order; "" if the pieces cannot belong together."""
    of_each = sorted(
        ((_piece(one), re.sub(r"\D", "", text)) for one in pieces for text in texts_of(one.value)),
        key=lambda pair: pair[0],
    )
    of_each = [
        (piece, digits) for piece, digits in of_each if digits and (piece or len(digits) <= LONGEST_COUNTRY_CODE)
    ]
    has_code = bool(of_each) and of_each[0][0] == OF_A_COUNTRY
    longest = phones.HOME_DIGITS if has_code else LONGEST_PIECE
    if len(of_each) < 2 or any(len(digits) > longest for _, digits in of_each):
        return ""
    return ("+" if has_code else "") + "".join(digits for _, digits in of_each)


def _is_abroad(pieces: Sequence[NamedValue]) -> bool:
    """Whether a foreign country's code stands beside an incomplete number.

    Whole is a number with its plus, or as Russian ones are told.
    """
    said = [(_piece(one), text_of(one.value)) for one in pieces]
    codes = {re.sub(r"\D", "", text) for piece, text in said if piece == OF_A_COUNTRY} - {"", "7", "8"}
    numbers = [text for piece, text in said if piece == OF_A_PERSON]
    return bool(codes) and not any(
        text.startswith("+") or re.fullmatch(r"[78]\d{10}|9\d{9}", re.sub(r"\D", "", text)) for text in numbers
    )


def _piece(one: NamedValue) -> int:
    is_code = token_of(one.candidates[0]) in COUNTRY_CODES
    return OF_A_COUNTRY if is_code else PIECES.get(one.path[-1].casefold(), OF_A_PERSON)


def _looks_like_a_phone(one: NamedValue) -> bool:
    text = text_of(one.value)
    if not 10 <= len(text) <= LONGEST_GUESS or not A_PHONE.fullmatch(text) or is_id_like(one):
        return False
    return not is_in_anothers_object(one) and phones.read(text).verdict == phones.VALID


def _is_called_a_phone(one: NamedValue) -> bool:
    is_called = any(known(candidate)[0] == "phone" for candidate in one.candidates)
    return is_called and not is_id_like(one) and not is_in_anothers_object(one)


def _verdict(value: Any) -> str:
    """The best verdict on a value, or on several, as a phone."""
    verdicts = {phones.read(text).verdict for text in texts_of(value) if text}
    return next((verdict for verdict in BEST_FIRST if verdict in verdicts), phones.NONE)

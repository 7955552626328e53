"""Other spellings of a phone: for a look-up, for AmoCRM, for people."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat

from desk.phones.judge import LONGEST_NUMBER, MOBILE, NEIGHBOURS, SEARCH_DIGITS, is_mobile, parse
from desk.phones.plain import LETTERS, LONGEST_INPUT, LOOK_ALIKES, plain
from desk.phones.reader import read

LEAST_TYPED = 4
"""Least digits of a phone being typed for a look-up: fewer digits fit too many people."""


def same_person(phone: str) -> tuple[str, ...]:
    """The spellings under which a contact may have a phone: the phone, and a mobile phone without its extension.

    Behind an office number each extension is somebody else; a mobile phone is in one pocket, whatever stands behind it.
    """
    bare = phone.partition(";")[0]
    return (phone, bare) if bare != phone and is_mobile(bare) else (phone,)


def beginnings(text: str) -> tuple[str, ...]:
    """Possible beginnings of the E.164 spelling of a phone being typed; () before its fourth digit, and if there is no
    phone.

    More than one if it cannot be told yet: 8 may stand for +7 or begin an area code, 375 may be Belarus.
    """
    typed = plain(text[:LONGEST_INPUT]).strip().translate(LOOK_ALIKES)
    digits = "".join(char for char in typed if char.isdecimal())
    if not LEAST_TYPED <= len(digits) <= LONGEST_NUMBER or LETTERS.search(typed):
        return ()
    if "+" in typed:
        return (f"+7{digits[1:]}",) if digits.startswith("89") else (f"+{digits}",)
    if digits.startswith("00"):
        return (f"+{digits[2:]}",)
    if digits[:3] in NEIGHBOURS:
        return (f"+{digits}", f"+7{digits}") if len(digits) <= SEARCH_DIGITS else (f"+{digits}",)
    if digits[0] in "78":
        return (f"+7{digits[1:]}", f"+7{digits}") if len(digits) <= SEARCH_DIGITS else (f"+7{digits[1:]}",)
    return (f"+7{digits}",)


def near(phone: str) -> tuple[str, ...]:
    """Phones (E.164) in reach of a slip of the ear or the hand: one digit differs, or two changed places."""
    bare = phone.partition(";")[0]
    places = range(max(2, len(bare) - SEARCH_DIGITS), len(bare))
    others = [f"{bare[:place]}{digit}{bare[place + 1 :]}" for place in places for digit in "0123456789"]
    others += [f"{bare[:place]}{bare[place + 1]}{bare[place]}{bare[place + 2 :]}" for place in places[:-1]]
    return tuple(dict.fromkeys(one for one in others if one != bare))


def search_digits(phone: str) -> str:
    """The text to search AmoCRM's full text for, which finds a phone in any spelling."""
    return re.sub(r"\D", "", phone.partition(";")[0])[-SEARCH_DIGITS:]


def written(phone: str, extension_word: str) -> str:
    """A phone (E.164, ";ext=") as written into AmoCRM; any other text unchanged.

    The number is E.164 without a blank: AmoCRM's search is for a text, and only ten digits in a row are found by ten digits
    in a row; telephones dial it as it stands. An extension follows in words, as people read it and as `read` reads it back.
    """
    bare, _, extension = phone.partition(";ext=")
    return f"{bare} {extension_word} {extension}" if extension else phone


def display(phone: str) -> str:
    """A phone for people: `+7 999 123-45-67`. Any other text is returned unchanged."""
    if mobile := MOBILE.fullmatch(phone):
        return "+7 {} {}-{}-{}".format(*mobile.groups())  # most of a club's; thirty times as fast as looking it up
    found = read(phone)
    number = parse(found.e164) if found.e164 else None
    if number is None:
        return phone
    shown = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return f"{shown} #{found.extension}" if found.extension else shown

"""Whether some digits are a phone, and which: E.164, a verdict, and the fault's code."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

HOME_REGION = "RU"
"""Numbers without a country code are Russian: the club is."""

SEARCH_DIGITS = 10
"""Number of last digits AmoCRM is searched by: the same in `8…`, `+7…` and `7…` (sheet 8, item 8)."""

LEAST_KEPT = 5
"""Digits of the shortest number of a town. A shorter number is no phone."""

LONGEST_NUMBER = 15
"""Digits of the longest number of the world (E.164). More are several, or none."""

HOME_DIGITS = 11
"""Of a Russian number with its 8 or +7."""

NEIGHBOURS = {
    "375": 12, "380": 12, "373": 11, "374": 11, "992": 12, "993": 11, "994": 12, "995": 12, "996": 12, "998": 12,
}  # fmt: skip
"""Country codes of Russia's neighbours, and the digits of a number with its code: plans of one length, unlike most."""

FOREIGN_STARTS = "1256"
"""First digits of eleven that make no Russian number with a digit too many: 8 and 7 begin such a number, 3, 4 and 9
its code."""

MOBILE = re.compile(r"\+7(9\d\d)(\d{3})(\d\d)(\d\d)")
"""A Russian mobile phone in E.164."""

VALID, POSSIBLE, IMPOSSIBLE, NONE = "valid", "possible", "impossible", "none"


def judged(digits: str, *, has_plus: bool) -> tuple[str | None, str, str]:
    """(E.164 or None, the verdict, the fault's code)."""
    if not has_plus:
        if re.fullmatch(r"00[1-9]\d{7,}", digits):  # how the world says plus
            return judged(digits[2:], has_plus=True)
        if re.fullmatch(r"810[1-9]\d{9,}", digits):  # how Russia does
            return judged(digits[3:], has_plus=True)
    if len(digits) < LEAST_KEPT:
        return None, NONE, "phone_short_bare" if digits else "phone_none"
    if has_plus:
        return _abroad(digits) if not _is_home(digits) else _home(digits[1:])
    if len(digits) == HOME_DIGITS and digits[0] in "78":
        return _home(digits[1:])
    if len(digits) == HOME_DIGITS + 1 and digits[0] in "78" and digits[1] in "78" and _is_valid(f"+7{digits[2:]}"):
        return f"+7{digits[2:]}", VALID, ""  # both ways to begin
    if len(digits) == SEARCH_DIGITS and (found := _without_prefix(digits)):
        return found
    if _is_foreign(digits):
        return f"+{digits}", VALID, ""
    if digits[:3] in NEIGHBOURS and len(digits) > SEARCH_DIGITS and digits[0] == "3":
        return None, IMPOSSIBLE, "phone_abroad"
    if digits[0] not in "78":  # nobody has said 8 or +7 yet
        too = "phone_short_bare" if len(digits) < SEARCH_DIGITS else "phone_long_bare"
        return None, IMPOSSIBLE, "phone_code" if len(digits) == SEARCH_DIGITS else too
    return None, IMPOSSIBLE, "phone_short" if len(digits) < HOME_DIGITS else "phone_long"


def _is_home(digits: str) -> bool:
    """Whether digits behind a plus are Russian or Kazakh: they begin with 7, or with 89, which is no country's
    code."""
    return digits[0] == "7" or bool(re.fullmatch(r"89\d{9}", digits))


def _home(national: str) -> tuple[str | None, str, str]:
    """Judge a number of +7, given without +7."""
    if len(national) == SEARCH_DIGITS:
        spelled = f"+7{national}"
        if _is_valid(spelled):
            return spelled, VALID, ""
        if national[0] in "78" and _is_begun(national[1:]):
            # Typed with its 8 or 7 into a form that had put +7 there already, and the form took no more digits.
            return None, IMPOSSIBLE, "phone_mask"
        return (spelled, POSSIBLE, "phone_code") if national[0] in "345789" else (None, IMPOSSIBLE, "phone_code")
    if len(national) == HOME_DIGITS and national[0] in "78" and _is_valid(f"+7{national[1:]}"):
        return f"+7{national[1:]}", VALID, ""  # both ways to begin
    return None, IMPOSSIBLE, "phone_short" if len(national) < SEARCH_DIGITS else "phone_long"


def _without_prefix(digits: str) -> tuple[str | None, str, str] | None:
    """Judge ten digits with neither 8 nor +7. Digits beginning with 8 or 7 may as well be eleven with a lost digit."""
    if digits[0] in "78":
        is_certain = _is_valid(f"+7{digits}") and not _is_begun(digits[1:])
        return (f"+7{digits}", VALID, "") if is_certain else None
    return _home(digits) if digits[0] in "349" else None


def _abroad(digits: str) -> tuple[str | None, str, str]:
    """A number with its country's code."""
    is_mobile = len(digits) == SEARCH_DIGITS and digits[0] == "9" and digits[:3] not in NEIGHBOURS
    if is_mobile and not _is_valid(f"+{digits}"):
        return f"+7{digits}", VALID, ""  # a Russian mobile phone whose 7 was forgotten: no other country has it
    if (wanted := NEIGHBOURS.get(digits[:3])) is not None:
        if len(digits) != wanted:
            return None, IMPOSSIBLE, "phone_abroad"
        return f"+{digits}", VALID if _is_valid(f"+{digits}") else POSSIBLE, ""
    number = parse(f"+{digits}") if len(digits) <= LONGEST_NUMBER else None
    if number is None or not phonenumbers.is_possible_number(number):
        return None, IMPOSSIBLE, "phone_abroad"
    spelled = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return spelled, VALID if phonenumbers.is_valid_number(number) else POSSIBLE, ""


def _is_foreign(digits: str) -> bool:
    """Whether digits without a plus are a number of another country, and no Russian number with a slip."""
    is_apart = digits[:3] in NEIGHBOURS or (
        digits[0] in FOREIGN_STARTS if len(digits) == HOME_DIGITS else digits[0] not in "078"
    )
    return len(digits) >= HOME_DIGITS and len(digits) <= LONGEST_NUMBER and is_apart and _is_valid(f"+{digits}")


def _is_begun(digits: str) -> bool:
    """Whether nine digits are a Russian number that lacks its last."""
    return digits[0] in "3489" and any(_is_valid(f"+7{digits}{last}") for last in "05")


def _is_valid(spelled: str) -> bool:
    if spelled.startswith("+79"):
        return len(spelled) == HOME_DIGITS + 1  # each of them, and it is what is asked most
    number = parse(spelled)
    return number is not None and phonenumbers.is_valid_number(number) and _e164(number) == spelled


def is_mobile(spelled: str) -> bool:
    number = parse(spelled)
    return MOBILE.fullmatch(spelled) is not None or (
        number is not None and phonenumbers.number_type(number) == PhoneNumberType.MOBILE
    )


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def parse(spelled: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(spelled, HOME_REGION)
    except NumberParseException:
        return None

"""Phone numbers: from what a person types to one spelling, and back to something readable.

One spelling is E.164 (`+79991234567`), with `;ext=12` where there is an extension. Two people have the same
phone exactly when these texts are equal. Searching AmoCRM by phone is not here.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from phonenumbers import Leniency, NumberParseException, PhoneNumberFormat, PhoneNumberMatcher, PhoneNumberType

HOME_REGION = "RU"
"""Numbers without a country code are Russian: the club is."""

LONGEST_INPUT = 64
"""Characters of a phone as typed. The longest E.164 number with brackets, spaces and an extension takes 35."""

SEARCH_DIGITS = 10
"""How many last digits AmoCRM is searched by: they are the same in `8…`, `+7…` and `7…` (sheet 8, item 8)."""

LEAST_TYPED = 4
"""Digits of a phone being typed before anybody is looked for: fewer fit everybody."""

LEAST_CERTAIN = 7
"""Digits among which a letter is taken for a slip: with fewer it may as well be a word."""

LONGEST_HEARD = 500
"""Characters of a text a phone is looked for in: a pasted message, not a book."""

LOOK_ALIKES = str.maketrans("ОоOoЗзlI|ЧчбВBS", "000033111446885")
"""Letters that are digits to the eye, or one key beside them."""

NUMBERS_OF_7 = range(3_000_000_000, 10_000_000_000)
"""National numbers under +7 (Russia, Kazakhstan): ten digits, the area code begins with 3 to 9."""

LETTERS = re.compile(r"[^\W\d_]", re.UNICODE)
EXTENSION = re.compile(
    r"\(?(?:доб(?:авочный)?\.?|вн(?:утр)?\.?|ext\.?|x|#|;ext=)\s*(?:номер|№|no)?\s*:?\s*(\d{1,7})\s*\)?\s*$",
    re.IGNORECASE,
)


def normalise(text: str) -> str | None:
    """The one spelling of a phone, or None where the text is no phone number that can exist.

    Takes 8 for +7, any brackets, spaces and dashes, full-width digits, the unseen direction marks that address
    books put around numbers, and an extension; takes no letters.
    """
    text = _seen(text).strip()
    if not text or len(text) > LONGEST_INPUT or not text.isprintable():
        return None
    extension = EXTENSION.search(text)
    bare = text[: extension.start()] if extension else text
    if LETTERS.search(bare):
        return None
    digits = re.sub(r"[^\d+]", "", bare)
    number = _parse(_with_country(digits))
    if number is None:
        return None
    spelled = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return f"{spelled};ext={extension.group(1)}" if extension else spelled


def heard(text: str) -> str | None:
    """The one phone in what somebody typed in haste or pasted; None where there is none, or more than one.

    Besides what `normalise` takes: letters that look like digits among digits (О for 0, З for 3), and words around it.
    """
    text = " ".join(text.split())
    if (spelled := normalise(text)) is not None:
        return spelled
    if len(text) > LONGEST_HEARD:
        return None
    extension = EXTENSION.search(text)  # its own words are of letters that look like digits
    bare, rest = (text[: extension.start()], f" доб. {extension.group(1)}") if extension else (text, "")
    is_certain = sum(char.isdigit() for char in text) >= LEAST_CERTAIN
    if is_certain and (spelled := normalise(bare.translate(LOOK_ALIKES) + rest)):
        return spelled
    found = {
        normalise(match.raw_string) for match in PhoneNumberMatcher(bare + rest, HOME_REGION, Leniency.POSSIBLE)
    } - {None}
    return next(iter(found)) if len(found) == 1 else None


def beginnings(text: str) -> tuple[str, ...]:
    """How the one spelling of a phone begins that is being typed; () before its fourth digit, and for what is no phone.

    More than one where it cannot be told yet: 8 may stand for +7 or begin an area code.
    """
    typed = _seen(text).strip()[:LONGEST_INPUT].translate(LOOK_ALIKES)
    digits = "".join(char for char in typed if char.isdecimal())
    if len(digits) < LEAST_TYPED or LETTERS.search(typed):
        return ()
    abroad = re.sub(r"[^\d+]", "", typed)
    if abroad.startswith("+"):
        return (f"+7{digits[1:]}",) if digits.startswith("89") else (f"+{digits}",)
    if digits.startswith("00"):
        return (f"+{digits[2:]}",)
    if digits[0] in "78":
        return (f"+7{digits[1:]}", f"+7{digits}") if len(digits) <= SEARCH_DIGITS else (f"+7{digits[1:]}",)
    return (f"+7{digits}",)


def near(phone: str) -> tuple[str, ...]:
    """Phones (E.164) that somebody who misheard or mistyped this one may have meant: one digit differs, or two changed
    places."""
    bare = phone.partition(";")[0]
    places = range(max(2, len(bare) - SEARCH_DIGITS), len(bare))
    others = [f"{bare[:place]}{digit}{bare[place + 1 :]}" for place in places for digit in "0123456789"]
    others += [f"{bare[:place]}{bare[place + 1]}{bare[place]}{bare[place + 2 :]}" for place in places[:-1]]
    return tuple(dict.fromkeys(one for one in others if one != bare))


def same(left: str, right: str) -> bool:
    """Whether two texts are the same phone. Texts that are no phones are the same as nothing."""
    spelled = normalise(left)
    return spelled is not None and spelled == normalise(right)


def search_digits(phone: str) -> str:
    """What to search AmoCRM's full text for to find this phone in any spelling."""
    return re.sub(r"\D", "", phone.partition(";")[0])[-SEARCH_DIGITS:]


MOBILE = re.compile(r"\+7(9\d\d)(\d{3})(\d\d)(\d\d)")
"""A Russian mobile phone in E.164."""


def display(phone: str) -> str:
    """A phone for people: `+7 999 123-45-67`. What is no phone comes back as it is."""
    if mobile := MOBILE.fullmatch(phone):
        return "+7 {} {}-{}-{}".format(*mobile.groups())  # most of a club's; thirty times as fast as looking it up
    spelled = normalise(phone)
    number = _parse(spelled.partition(";")[0]) if spelled else None
    if spelled is None or number is None:
        return phone
    shown = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    extension = spelled.partition(";ext=")[2]
    return f"{shown} #{extension}" if extension else shown


def _seen(text: str) -> str:
    """A text as the eye takes it: usual digits, none of the marks nobody sees."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")


def _with_country(digits: str) -> str:
    """Eleven digits that begin with 7 are a Russian number written without its plus; one of +89 is a Russian mobile phone
    with both ways to begin, for no country has that code; and 00 is how the world says plus."""
    if re.fullmatch(r"7\d{10}", digits):
        return f"+{digits}"
    if re.fullmatch(r"\+89\d{9}", digits):
        return f"+7{digits[2:]}"
    return f"+{digits[2:]}" if re.fullmatch(r"00[1-9]\d{7,}", digits) else digits


def _parse(digits: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(digits, HOME_REGION)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or phonenumbers.number_type(number) == PhoneNumberType.UNKNOWN:
        return number if _is_plausible(number) else None
    return number


def _is_plausible(number: phonenumbers.PhoneNumber) -> bool:
    """Numbering plans change faster than a pinned library: a Russian number of ten digits is taken as it is."""
    return number.country_code == 7 and not number.italian_leading_zero and number.national_number in NUMBERS_OF_7

"""Phone numbers: from what a person types to one spelling, and back to something readable.

One spelling is E.164 (`+79991234567`), with `;ext=12` where there is an extension. Two people have the same
phone exactly when these texts are equal. Searching AmoCRM by phone is not here.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

HOME_REGION = "RU"
"""Numbers without a country code are Russian: the club is."""

LONGEST_INPUT = 64
"""Characters of a phone as typed. The longest E.164 number with brackets, spaces and an extension takes 35."""

SEARCH_DIGITS = 10
"""How many last digits AmoCRM is searched by: they are the same in `8…`, `+7…` and `7…` (sheet 8, item 8)."""

NUMBERS_OF_7 = range(3_000_000_000, 10_000_000_000)
"""National numbers under +7 (Russia, Kazakhstan): ten digits, the area code begins with 3 to 9."""

LETTERS = re.compile(r"[^\W\d_]", re.UNICODE)
EXTENSION = re.compile(r"(?:доб(?:авочный)?\.?|вн(?:утр)?\.?|ext\.?|x|#|;ext=)\s*:?\s*(\d{1,7})\s*$", re.IGNORECASE)


def normalise(text: str) -> str | None:
    """The one spelling of a phone, or None where the text is no phone number that can exist.

    Takes 8 for +7, any brackets, spaces and dashes, full-width digits, the unseen direction marks that address
    books put around numbers, and an extension; takes no letters.
    """
    text = "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf").strip()
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


def same(left: str, right: str) -> bool:
    """Whether two texts are the same phone. Texts that are no phones are the same as nothing."""
    spelled = normalise(left)
    return spelled is not None and spelled == normalise(right)


def search_digits(phone: str) -> str:
    """What to search AmoCRM's full text for to find this phone in any spelling."""
    return re.sub(r"\D", "", phone.partition(";")[0])[-SEARCH_DIGITS:]


def display(phone: str) -> str:
    """A phone for people: `+7 999 123-45-67`. What is no phone comes back as it is."""
    spelled = normalise(phone)
    number = _parse(spelled.partition(";")[0]) if spelled else None
    if spelled is None or number is None:
        return phone
    shown = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    extension = spelled.partition(";ext=")[2]
    return f"{shown} #{extension}" if extension else shown


def _with_country(digits: str) -> str:
    """Eleven digits that begin with 7 are a Russian number written without its plus."""
    return f"+{digits}" if re.fullmatch(r"7\d{10}", digits) else digits


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

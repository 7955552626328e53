"""Phone numbers: from whatever was said to one spelling, and back to something readable.

One spelling is E.164 (`+79991234567`), with `;ext=12` if there is an extension. Two people have the same phone exactly when
these texts are equal (of mobile phones see `same_person`). Every door reads with `read`: the intake, the operator's form,
the look-up, the list's search, AmoCRM's contacts. Searching AmoCRM by phone is not here.

Of `phonenumbers`' two questions the reader asks

* **is_valid** (a number of this plan exists) of +7 and of the neighbours: nearly everybody who comes to a club has such a
  number, their plans are stable (every 9xx of Russia is valid, whoever the operator is), and a digit lost, doubled or eaten
  by a form's mask makes a number of the right length that no plan has. And it asks that whenever it has to guess: a number
  without its plus is a neighbour's only if there is such a number;
* **is_possible** (the country has numbers this long) of all other countries, named by their plus: the plans of two hundred
  countries change faster than a pinned library, and a wrong refusal costs a lead.

What is "impossible" is never looked up, under no reading. Whether it is refused or kept is the door's decision.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from desk.reading import spoken, texts

READER = 3
"""Counts what this reader has learned. A copy of AmoCRM that was read by a former one is looked through again."""

HOME_REGION = "RU"
"""Numbers without a country code are Russian: the club is."""

LONGEST_INPUT = 500
"""Characters of a text a phone is looked for in: a pasted message, not a book."""

LONGEST_SPELLED = 40
"""Characters of a number that is kept as it was said: a column of this width holds it."""

SEARCH_DIGITS = 10
"""How many last digits AmoCRM is searched by: they are the same in `8…`, `+7…` and `7…` (sheet 8, item 8)."""

LEAST_TYPED = 4
"""Digits of a phone being typed before anybody is looked for: fewer fit everybody."""

LEAST_KEPT = 5
"""Digits of the shortest number of a town. Fewer are no phone, whoever says them."""

LEAST_CERTAIN = 7
"""Digits among which a letter is taken for a slip: with fewer it may as well be a word."""

LONGEST_NUMBER = 15
"""Digits of the longest number of the world (E.164). More are several, or none."""

MOST_LEFT_OVER = 8
"""Digits beside numbers that are none themselves: a date. Ten are a number with a slip."""

MOST_NUMBERS = 8
"""Numbers of one text that are read."""

HOME_DIGITS = 11
"""Of a Russian number with its 8 or +7."""

LOOK_ALIKES = str.maketrans("ОоOoЗзlI|ЧчбВBS", "000033111446885")
"""Letters that are digits to the eye, or one key beside them."""

NEIGHBOURS = {
    "375": 12, "380": 12, "373": 11, "374": 11, "992": 12, "993": 11, "994": 12, "995": 12, "996": 12, "998": 12,
}  # fmt: skip
"""Country codes of Russia's neighbours, and the digits of a number with its code: plans of one length, unlike most."""

FOREIGN_STARTS = "1256"
"""How eleven digits begin that are no Russian number with one digit too many: 8 and 7 begin it whole, 3, 4 and 9 its code."""

LETTERS = re.compile(r"[^\W\d_]", re.UNICODE)

EXTENSION = re.compile(
    r"[\s,.;:(\[-]*(?:доб(?:авочный|ав)?|вн(?:утр(?:енний)?)?|ext(?:ension)?|;ext=|x(?=\s*\d)|х(?=\s*\d)|#)[\s.:=,]*"
    r"(?:номер|№|no)?[\s.:]*(\d{1,7})(?!\d)\s*[)\]]?",
    re.IGNORECASE,
)
"""An extension right behind a number."""

RUN = re.compile(r"\+?\d(?:[\s().,;/_*~'\"\[\]|&\u2022\u00b7-]*\d)*")
"""Digits with whatever people write between them. A plus begins another number."""

APART = re.compile(r"\s*[,;|]\s*")
"""What parts two numbers, unless a number is grouped with nothing else."""

NOISE = frozenset(
    "тел телефон телефоны моб мобильный сот сотовый номер мой tel phone mob mobile cell number call звоните доб добавочный вн внутр ext x".split()
)
"""Words around a number that say nothing but that it is one."""

VALID, POSSIBLE, IMPOSSIBLE, NONE = "valid", "possible", "impossible", "none"


@dataclass(frozen=True, slots=True)
class Phone:
    """What was said of a phone. Not shown by `repr`.

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
        """What stands for this phone in our tables and in AmoCRM: the spelling, else the number as it was said."""
        return self.spelled or self.as_said

    @property
    def is_in_doubt(self) -> bool:
        """Whether a person who can mend it is asked to: it cannot exist, or a Russian number has a code that nobody has."""
        return self.verdict != VALID and bool(self.why)


NOTHING = Phone(NONE, why="missing")


def read(value: Any) -> Phone:
    """What a value says of a phone: a text with whatever around the number, a number of JSON, a list.

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


def same_person(phone: str) -> tuple[str, ...]:
    """The spellings under which a contact is this phone's: itself, and without its extension if it is a mobile phone's.

    Behind an office number each extension is somebody else; a mobile phone is in one pocket, whatever stands behind it.
    """
    bare = phone.partition(";")[0]
    return (phone, bare) if bare != phone and _is_mobile(bare) else (phone,)


def beginnings(text: str) -> tuple[str, ...]:
    """How the one spelling of a phone begins that is being typed; () before its fourth digit, and for what is no phone.

    More than one if it cannot be told yet: 8 may stand for +7 or begin an area code, 375 may be Belarus.
    """
    typed = _plain(text[:LONGEST_INPUT]).strip().translate(LOOK_ALIKES)
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


def written(phone: str, extension_word: str) -> str:
    """A phone (E.164, ";ext=") as it is written into AmoCRM; what is none comes back as it is.

    The number is E.164 without a blank: AmoCRM's search is for a text, and only ten digits in a row are found by ten digits
    in a row; telephones dial it as it stands. An extension follows in words, as people read it and as `read` reads it back.
    """
    bare, _, extension = phone.partition(";ext=")
    return f"{bare} {extension_word} {extension}" if extension else phone


MOBILE = re.compile(r"\+7(9\d\d)(\d{3})(\d\d)(\d\d)")
"""A Russian mobile phone in E.164."""


def display(phone: str) -> str:
    """A phone for people: `+7 999 123-45-67`. What is no phone comes back as it is."""
    if mobile := MOBILE.fullmatch(phone):
        return "+7 {} {}-{}-{}".format(*mobile.groups())  # most of a club's; thirty times as fast as looking it up
    found = read(phone)
    number = _parse(found.e164) if found.e164 else None
    if number is None:
        return phone
    shown = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return f"{shown} #{found.extension}" if found.extension else shown


# Finding the numbers of a text


@lru_cache(maxsize=4096)
def _read(text: str) -> Phone:
    """One text is read at several places of one screen and again at each rerun."""
    plain = _decoded(_plain(text)).strip()
    if not plain:
        return NOTHING
    ways = [plain]
    if LETTERS.search(plain):
        ways += filter(None, [spoken.in_digits(plain), _looked_at(plain)])
    best = Phone(NONE, why="phone_none")
    for way in ways:
        found = _among(list(_candidates(way)))
        if found.spelled:
            best = found
            break
        if found.digits > best.digits:
            best = found
    is_more = bool(best.others) or best.verdict in (IMPOSSIBLE, NONE) or _says_more(plain, best)
    return replace(best, is_more_than_a_number=is_more)


def _among(candidates: Sequence[Phone]) -> Phone:
    """The number that is meant, with the others behind it: one that exists before one that might, the first of several."""
    for verdict in (VALID, POSSIBLE):
        numbers = [one for one in candidates if one.verdict == verdict]
        if numbers:
            others = [one.spelled for one in candidates if one.spelled and one.verdict == VALID]
            others = [one for one in dict.fromkeys(others) if one != numbers[0].spelled]
            return replace(numbers[0], others=tuple(others))
    return max(candidates, key=lambda one: one.digits, default=Phone(NONE, why="phone_none"))


def _candidates(text: str) -> Iterator[Phone]:
    """Every run of digits as a number, with the extension behind it."""
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
    """The numbers of a run: the whole of it, what its commas part, or those that stand in it behind each other."""
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
    """Numbers with only blanks around them: in one piece, or each with its 8 or 7 among more digits than any one number has.

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
    """One number, as it stands there: which, or why it cannot be."""
    digits = re.sub(r"\D", "", piece)
    said = " ".join(piece.split()).strip(" .,;/-_*~'\"|&")
    if len(said) > LONGEST_SPELLED:
        said = ("+" if "+" in piece else "") + digits[: LONGEST_SPELLED - 1]
    e164, verdict, why = _judged(digits, has_plus=piece.lstrip().startswith("+"))
    return Phone(verdict, e164, as_said=said, why=why, digits=len(digits))


# Judging one number


def _judged(digits: str, *, has_plus: bool) -> tuple[str | None, str, str]:
    """(E.164 or None, the verdict, the fault's code)."""
    if not has_plus:
        if re.fullmatch(r"00[1-9]\d{7,}", digits):  # how the world says plus
            return _judged(digits[2:], has_plus=True)
        if re.fullmatch(r"810[1-9]\d{9,}", digits):  # how Russia does
            return _judged(digits[3:], has_plus=True)
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
    """Whether what stands behind a plus is Russia or Kazakhstan: 7, or 89, which is no country's code."""
    return digits[0] == "7" or bool(re.fullmatch(r"89\d{9}", digits))


def _home(national: str) -> tuple[str | None, str, str]:
    """A number under +7, without it."""
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
    """Ten digits with neither 8 nor +7. Those that begin with 8 or 7 may as well be eleven with one lost."""
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
    number = _parse(f"+{digits}") if len(digits) <= LONGEST_NUMBER else None
    if number is None or not phonenumbers.is_possible_number(number):
        return None, IMPOSSIBLE, "phone_abroad"
    spelled = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return spelled, VALID if phonenumbers.is_valid_number(number) else POSSIBLE, ""


def _is_foreign(digits: str) -> bool:
    """Whether digits without a plus are a number of another country, and could be no Russian one with a slip."""
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
    number = _parse(spelled)
    return number is not None and phonenumbers.is_valid_number(number) and _e164(number) == spelled


def _is_mobile(spelled: str) -> bool:
    number = _parse(spelled)
    return MOBILE.fullmatch(spelled) is not None or (
        number is not None and phonenumbers.number_type(number) == PhoneNumberType.MOBILE
    )


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _parse(spelled: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(spelled, HOME_REGION)
    except NumberParseException:
        return None


# Making a text plain


def _plain(text: str) -> str:
    """A text as the eye takes it: usual digits, one plus, one dash, none of the marks nobody sees."""
    if text.isascii():
        return text
    return "".join(map(_plain_char, texts.normalised(texts.mended(text), "NFKC", LONGEST_INPUT)))


def _plain_char(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if char == "➕":
        return "+"
    category = unicodedata.category(char)
    if category == "Pd" or char in "−⁃":
        return "-"
    return " " if category in ("Zs", "Zl", "Zp", "Cc") else "" if category in ("Cf", "Mn", "Me", "Co", "Cs") else char


def _decoded(text: str) -> str:
    """What a sender has encoded once too often: %2B for the plus, &nbsp; for a blank. And a number that Excel has spelled."""
    for _ in range(2):
        if not re.search(r"%(?:2B|20|28|29|2D|3A|25)", text, re.IGNORECASE):
            break
        text = unquote(text, errors="ignore")
    text = re.sub(r"&(?:nbsp|#160);", " ", text).replace("&#43;", "+").replace("&plus;", "+")
    return re.sub(r"(?<![\d.,+])(\d)[.,](\d{1,14})e\+?(\d{1,2})(?!\w)", _unexcelled, text, flags=re.IGNORECASE)


def _unexcelled(found: re.Match[str]) -> str:
    """7.9161234567E+10 with all its digits; one whose last digits are lost stays, and is no number."""
    first, rest, power = found.group(1), found.group(2), int(found.group(3))
    is_whole = SEARCH_DIGITS - 1 <= power <= LONGEST_NUMBER and power - len(rest) in range(2)
    return first + rest.ljust(power, "0") if is_whole else found.group()


def _looked_at(text: str) -> str | None:
    """The text with letters that look like digits as these, in words of nothing else; None if that changes nothing."""
    if sum(char.isdigit() for char in text) < LEAST_CERTAIN:
        return None
    changed = re.sub(r"[^\W_]+|\|", lambda found: _as_digits(found.group()), text)
    return changed if changed != text else None


def _as_digits(word: str) -> str:
    digits = word.translate(LOOK_ALIKES)
    return digits if digits.isdecimal() else word


def _says_more(text: str, phone: Phone) -> bool:
    """Whether a text holds anything besides its number that somebody might want to read."""
    words = re.findall(r"[^\W\d_]+", text)
    has_words = any(word.casefold() not in NOISE for word in words)
    counted = sum(char.isdigit() for char in text)
    return has_words or counted != phone.digits + len(phone.extension)

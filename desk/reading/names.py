"""Names: letters of two alphabets in one word, and words typed in another keyboard layout.

A letter of the wrong alphabet that looks like the right one is mended, because nobody can see it and every search stumbles
over it. A word in the wrong layout is another text: it is offered right and never changed behind anybody's back.
"""

from __future__ import annotations

import re

from desk.reading.texts import is_letter

LATIN_TWINS, CYRILLIC_TWINS = "aeopcyxABEKMHOPCTXY", "аеорсухАВЕКМНОРСТХУ"
"""Latin letters, and their Cyrillic twins, which look alike."""

AS_CYRILLIC = str.maketrans(LATIN_TWINS, CYRILLIC_TWINS)
AS_LATIN = str.maketrans(CYRILLIC_TWINS, LATIN_TWINS)
FOLDED = str.maketrans(LATIN_TWINS.casefold(), CYRILLIC_TWINS.casefold())
"""Twin letters in folded texts, in which capitals are small: fewer are alike."""

LATIN, CYRILLIC = re.compile(r"[A-Za-z]"), re.compile(r"[А-Яа-яЁё]")
WORD = re.compile(r"[A-Za-zА-Яа-яЁё]+")

QWERTY = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>~"
JCUKEN = "йцукенгшщзхъфывапролджэячсмитьбюёЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮЁ"
TO_RUSSIAN, TO_ENGLISH = str.maketrans(QWERTY, JCUKEN), str.maketrans(JCUKEN, QWERTY)

LONGEST_OFFERED = 60
"""Greatest length of a name; a longer text is a sentence."""

RUSSIAN = frozenset(
    """абрам ада адам аделина азат айгуль айдар айрат алан алевтина александр александра алексей алена алина алиса алия алла
    альберт альбина альфия амина анастасия анатолий ангелина андрей анжела анжелика анна антон антонина анфиса ариадна арина
    аркадий арсен арсений артем артур асель ася афанасий белла богдан борис вадим валентин валентина валерий валерия варвара
    василий василиса ваня вася венера вера вероника веста вика виктор виктория виолетта виталий влад влада владимир владислав
    владислава вова всеволод вячеслав галина геннадий георгий герман глеб гоша григорий гульнара давид дамир даниил данил данила
    дания дарина дарья даша денис диана дима динара дмитрий евгений евгения егор екатерина елена елизавета жанна женя захар зинаида
    злата зоя иван игнат игорь ильдар ильнур илья инга инесса инна ира ираида ирина ия камила карина катя кира кирилл клавдия клара
    константин костя кристина ксения лада лариса лена леонид лера леша лиана лидия лиза лилия лина люба любовь людмила макар максим
    маргарита марат марианна марина мария марк марсель марта матвей маша милана мила мира мирон мирослава михаил миша муслим надежда
    надя назар наиль наталия наталья наташа ника никита николай нина оксана олег олеся оля ольга павел паша петр платон полина прохор
    радик раиса рамиль регина ренат римма ринат рита родион роза роман ростислав руслан рустам саида света светлана святослав семен
    сергей сережа снежана софия софья станислав степан стас таисия таня тамара татьяна тимофей тимур тихон толя ульяна федор фарид
    фатима филипп эдуард элина элла эльвира эльдар эльмира эмма эрик юлиана юлия юля юрий юра яков ян яна ярослав ярослава""".split()
)
ENGLISH = frozenset(
    """adam alan alex alexander alexandra alice amanda amy andrew angela anna anthony ashley barbara ben betty bill bob brian carl
    carol caroline charles charlotte chris christina christopher daniel david dennis diana donald donna edward elena elizabeth emily
    emma eric eva frank fred george grace hannah harry helen henry irina jack jacob james jane jason jennifer jessica jim joe john
    jonathan joseph julia karen kate kevin kim laura lena leo linda lisa lucas lucy maria mark martin mary matthew max michael mike
    monica nancy natalia nick nicole nina oliver olga olivia oscar pamela patricia patrick paul peter philip rachel rebecca richard
    robert roger ronald ryan sam samuel sandra sara sarah scott simon sofia sophia stephen steve steven susan thomas tim tom tony
    victor victoria vladimir walter william""".split()
)
"""Names by which a slip of the layout is told for certain."""

SURNAME = re.compile(
    r".+(?:ов|ев|ёв|ин|ын|ова|ева|ёва|ина|ына|ский|цкий|ская|цкая|енко|чук|юк|ович|евич|овна|евна|ична|ян|швили|дзе|ко)",
    re.IGNORECASE,
)
"""How surnames and patronymics end."""

NOBODY = frozenset(["null", "none", "undefined", "nan", "[object object]", "false", "n/a"])
"""Words of programs for a missing name."""

CANNOT_BEGIN = "ьъы"
VOWELS = "аеёиоуыэюя"
MOST_CONSONANTS = 4
"""In a row, in a Russian name: Александр and Константин have three, Мкртчян is another story."""


def mended(text: str) -> str:
    """The text with each word in one alphabet, as far as its letters allow: `Мaрия` with a Latin a becomes Russian.

    A word is left alone if a letter of the minority has no twin, and so is a Russian ending on a Latin word (SMSка).
    """
    if not LATIN.search(text) or not CYRILLIC.search(text):
        return text
    return WORD.sub(lambda found: _mended(found.group()), text)


def one_alphabet(text: str) -> str:
    """A folded text with each Latin letter replaced by its Cyrillic twin: for comparing only."""
    return text.translate(FOLDED)


def is_name(text: str) -> bool:
    """Whether a text names a person; blanks, dashes, numbers, pictures and programs' words for a missing name do
    not."""
    return any(is_letter(char) for char in text) and text.strip().casefold() not in NOBODY


def offered(text: str) -> str | None:
    """The name as typed in the other keyboard layout, if only the other layout makes a name; else None."""
    text = text.strip()
    if not 2 <= len(text) <= LONGEST_OFFERED:
        return None
    if not CYRILLIC.search(text):
        return _offer(text, text.translate(TO_RUSSIAN), ENGLISH, RUSSIAN)
    if not LATIN.search(text):
        return _offer(text, text.translate(TO_ENGLISH), RUSSIAN, ENGLISH)
    return None


def _offer(text: str, other: str, names_here: frozenset[str], names_there: frozenset[str]) -> str | None:
    here, there = _words(text), _words(other)
    if (
        not there
        or any(word in names_here for word in here)
        or not all(map(str.isalpha, other.replace("-", " ").split()))
    ):
        return None
    is_russian = names_there is RUSSIAN
    certain = [word in names_there or (is_russian and _is_surname(word)) for word in there]
    if not any(certain) or not all(
        sure or not is_russian or _is_sayable(word) for sure, word in zip(certain, there, strict=True)
    ):
        return None
    return " ".join(word[:1].upper() + word[1:] for word in other.split())


def _words(text: str) -> list[str]:
    return text.casefold().replace("ё", "е").replace("-", " ").split()


def _is_surname(word: str) -> bool:
    return len(word) >= 5 and SURNAME.fullmatch(word) is not None and _is_sayable(word)


def _is_sayable(word: str) -> bool:
    """Whether a word is pronounceable in Russian: with vowels, and not too many consonants in a row."""
    longest = max((len(run) for run in re.split(f"[{VOWELS}]", word.replace("ь", "").replace("ъ", ""))), default=0)
    return any(char in VOWELS for char in word) and longest <= MOST_CONSONANTS and word[0] not in CANNOT_BEGIN


def _mended(word: str) -> str:
    latin, cyrillic = LATIN.findall(word), CYRILLIC.findall(word)
    if not latin or not cyrillic:
        return word
    all_latin_have, all_cyrillic_have = set(latin) <= set(LATIN_TWINS), set(cyrillic) <= set(CYRILLIC_TWINS)
    if all_latin_have and (not all_cyrillic_have or len(cyrillic) >= len(latin)):
        return word.translate(AS_CYRILLIC)
    is_ending = re.fullmatch(r"[A-Z]+[а-яё]+", word) is not None
    return word.translate(AS_LATIN) if all_cyrillic_have and not is_ending else word

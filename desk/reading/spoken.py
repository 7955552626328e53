"""Numbers said in words: "восемь девятьсот шестнадцать сто двадцать три" is 8 916 123, "ноль пять" is 05.

What a person says is in groups, as one dictates: a hundred takes tens and ones after it, a ten takes ones. Other words stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

ONES = {
    **dict(zip("ноль нуль один два три четыре пять шесть семь восемь девять".split(), (0, 0, *range(1, 10)), strict=True)),
    **dict(zip("ноля нолик одна две раз единица двойка тройка четверка пятерка шестерка семерка восьмерка девятка".split(),
               (0, 0, 1, 2, 1, *range(1, 10)), strict=True)),
    **dict(zip("zero oh one two three four five six seven eight nine".split(), (0, 0, *range(1, 10)), strict=True)),
}  # fmt: skip
TEENS = {
    **dict(zip(("десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать "
                "восемнадцать девятнадцать").split(), range(10, 20), strict=True)),
    **dict(zip(("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen").split(),
               range(10, 20), strict=True)),
}  # fmt: skip
TENS = {
    **dict(zip("двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто".split(),
               range(20, 100, 10), strict=True)),
    **dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True)),
}  # fmt: skip
HUNDREDS = dict(
    zip(
        "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот".split(),
        range(100, 1000, 100),
        strict=True,
    )
)
SPOKEN_BADLY = {
    "шесят": "шестьдесят", "шисят": "шестьдесят", "писят": "пятьдесят", "пятсот": "пятьсот", "шессот": "шестьсот", "восем": "восемь",
    "восьмьсот": "восемьсот", "восемсот": "восемьсот", "девятсот": "девятьсот", "семсот": "семьсот", "пятдесят": "пятьдесят",
    "шестдесят": "шестьдесят", "семдесят": "семьдесят", "восемдесят": "восемьдесят", "девеносто": "девяносто", "адин": "один",
    "четыри": "четыре", "двацать": "двадцать", "трицать": "тридцать",
}  # fmt: skip
"""Number words as heard and typed in haste."""

MANY_OF = {
    "нуля": 0, "ноля": 0, "нолика": 0, "нулей": 0, "единицы": 1, "двойки": 2, "тройки": 3, "четверки": 4, "пятерки": 5, "шестерки": 6,
    "семерки": 7, "восьмерки": 8, "девятки": 9, "единиц": 1, "двоек": 2, "троек": 3, "четверок": 4, "пятерок": 5, "шестерок": 6,
    "семерок": 7, "восьмерок": 8, "девяток": 9,
}  # fmt: skip
"""After "два", "три": that many digits."""

REPEATED = {"double": 2, "triple": 3, "дважды": 2, "трижды": 3}
PLUS = ("плюс", "plus")
HUNDRED = "hundred"

LEAST_WORDS = 3
"""Number words of a number that was spoken. Fewer beside digits say an hour, or how many come."""

WORD = re.compile(r"[A-Za-zА-Яа-яЁё]+|\d+|[^A-Za-zА-Яа-яЁё\d]+")


def in_digits(text: str) -> str | None:
    """The text with its number words as digits, each group apart; None if fewer than `LEAST_WORDS` are such."""
    tokens = [SPOKEN_BADLY.get(token, token) for token in WORD.findall(text.casefold().replace("ё", "е"))]
    if sum(map(_is_number, tokens)) < LEAST_WORDS:
        return None
    # A comma between words is how one writes down what was dictated; it parts no numbers.
    words = [token for token in tokens if token.strip(" \t\n,.-–—")]
    return " ".join(_grouped(words)).replace("+ ", "+")


def _is_number(word: str) -> bool:
    return word in ONES or word in TEENS or word in TENS or word in HUNDREDS


def _grouped(words: list[str]) -> Iterator[str]:
    place = 0
    while place < len(words):
        word, after = words[place], words[place + 1] if place + 1 < len(words) else ""
        if word in PLUS:
            yield "+"
        elif word in ONES and after in MANY_OF and 2 <= ONES[word] <= 5:
            yield str(MANY_OF[after]) * ONES[word]
            place += 1
        elif word in REPEATED and after in ONES:
            yield str(ONES[after]) * REPEATED[word]
            place += 1
        elif _is_number(word):
            value, used = _group(words, place)
            yield str(value)
            place += used - 1
        else:
            yield word
        place += 1


def _group(words: list[str], place: int) -> tuple[int, int]:
    """Read the number that begins at a place, and count its words."""
    start, value = place, 0
    if words[place] in HUNDREDS:
        value, place = HUNDREDS[words[place]], place + 1
    elif words[place] in ONES and words[place + 1 : place + 2] == [HUNDRED]:
        value, place = ONES[words[place]] * 100, place + 2
    if words[place : place + 1] and words[place] in TEENS:
        return value + TEENS[words[place]], place + 1 - start
    if words[place : place + 1] and words[place] in TENS:
        value, place = value + TENS[words[place]], place + 1
    is_one = bool(words[place : place + 1]) and words[place] in ONES
    # After a round number a nought is a digit of its own, and so is what is counted ("сто два нуля").
    if (
        is_one
        and (value == 0 or ONES[words[place]] > 0)
        and words[place + 1 : place + 2] not in [[one] for one in MANY_OF]
    ):
        value, place = value + ONES[words[place]], place + 1
    return value, max(1, place - start)

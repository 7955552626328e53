"""Names and phones of invented people.

The phones are of codes no Russian operator holds (+7 907, 935, 972 …), so they look right, pass a library's check
and ring nowhere.
"""

# ruff: noqa: SIM905 - words in a row read better than words in a column

from __future__ import annotations

from dataclasses import dataclass
from random import Random

WOMEN = (
    "Анна Мария Екатерина Ольга Наталья Елена Татьяна Ирина Светлана Юлия Анастасия Дарья Виктория Полина "
    "Алина Ксения Вероника Марина Людмила Евгения Кристина Валерия Софья Алёна Яна Надежда Галина Диана "
    "Маргарита Василиса"
).split()
MEN = (
    "Александр Дмитрий Сергей Андрей Алексей Максим Иван Михаил Никита Евгений Артём Илья Роман Владимир "
    "Павел Кирилл Денис Егор Антон Николай Игорь Олег Виктор Тимур Глеб Степан Фёдор Григорий Руслан Лев"
).split()
SURNAMES = (
    "Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов Волков Алексеев "
    "Лебедев Семёнов Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин Захаров Зайцев "
    "Соловьёв Борисов Яковлев Григорьев Романов Воробьёв Сергеев Кузьмин Фролов Александров Дмитриев Королёв "
    "Гусев Киселёв Ильин Максимов Поляков Сорокин Виноградов Ковалёв Белов Медведев Антонов Тарасов Жуков "
    "Баранов Филиппов Комаров Давыдов Беляев Герасимов Богданов Осипов Сидоров Матвеев Титов Марков Миронов "
    "Крылов Куликов Карпов Власов Мельников Вишневский Островский Соболевский Покровский Садовский Левицкий "
    "Заречный Полевой Луговой Бережной"
).split()
UNHELD_CODES = ("907", "935", "972", "973", "974", "975", "976")
COMPANY_WORDS = (
    "Ромашка Вектор Северный-Ветер Пиксель Гранит Бета-Логистика Азимут Кедр Синяя-Птица Меридиан Оптима-Плюс "
    "Лазурит Тихая-Гавань Контур-М Старт-Сервис Полюс Берёзка Техноград Орбита Факел Альтаир Рубин Заря "
    "Фрегат"
).split()

LATIN = {
    russian: latin.strip("-")
    for russian, latin in zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh sch - y - e yu ya".split(),
        strict=True,
    )
}


@dataclass(frozen=True, slots=True)
class Person:
    """A person who may call the club."""

    first_name: str
    last_name: str
    woman: bool


def person(random: Random) -> Person:
    """A person whose first and last name agree."""
    woman = random.random() < 0.62
    first = random.choice(WOMEN if woman else MEN)
    if random.random() < 0.18:
        return Person(first, "", woman)  # people often leave just a first name
    surname = random.choice(SURNAMES)
    return Person(first, feminine(surname) if woman else surname, woman)


def feminine(surname: str) -> str:
    """A woman's form of a man's surname: Иванов → Иванова, Покровский → Покровская."""
    return f"{surname[:-2]}ая" if surname.endswith(("ий", "ый", "ой")) else f"{surname}а"


def phone(random: Random) -> str:
    """Ten digits of a number without an owner."""
    return f"{random.choice(UNHELD_CODES)}{random.randrange(10**7):07}"


def spelt(digits: str, random: Random) -> str:
    """The phone as typed by a person: mostly in a form's spelling, sometimes not (sheet 5.4: kept verbatim)."""
    luck = random.random()
    if luck < 0.80:
        return f"+7{digits}"
    code, first, second, third = digits[:3], digits[3:6], digits[6:8], digits[8:]
    if luck < 0.88:
        return f"8 ({code}) {first}-{second}-{third}"
    if luck < 0.93:
        return f"+7 ({code}) {first}-{second}-{third}"
    if luck < 0.97:
        return f"8{digits}"
    return f"+7 {code} {first} {second} {third}" if luck < 0.985 else digits


def email(someone: Person, random: Random) -> str:
    """An address at a domain reserved for examples."""
    name = f"{someone.first_name}.{someone.last_name or 'fit'}".lower()
    return "".join(LATIN.get(letter, letter) for letter in name) + f"{random.randrange(100)}@example.com"


def company(random: Random) -> str:
    """A company's name."""
    word = random.choice(COMPANY_WORDS).replace("-", " ")
    return f"{random.choice(('ООО', 'АО', 'ИП'))} «{word}»"

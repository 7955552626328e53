"""Phone numbers: from any text to one spelling, and back to a readable one.

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

reader.py     the numbers of a text, and the one that is meant
judge.py      whether some digits are a phone, and which
plain.py      a text without what hides a number from the eye of a program
spellings.py  a phone for a look-up, for AmoCRM's search, for people
"""

from desk.phones.judge import HOME_DIGITS, IMPOSSIBLE, LONGEST_NUMBER, NONE, POSSIBLE, VALID
from desk.phones.plain import LETTERS, LONGEST_INPUT
from desk.phones.reader import LONGEST_SPELLED, READER, Phone, all_of, normalise, read
from desk.phones.spellings import LEAST_TYPED, beginnings, display, near, same_person, search_digits, written

__all__ = [
    "HOME_DIGITS",
    "IMPOSSIBLE",
    "LEAST_TYPED",
    "LETTERS",
    "LONGEST_INPUT",
    "LONGEST_NUMBER",
    "LONGEST_SPELLED",
    "NONE",
    "POSSIBLE",
    "READER",
    "VALID",
    "Phone",
    "all_of",
    "beginnings",
    "display",
    "near",
    "normalise",
    "read",
    "same_person",
    "search_digits",
    "written",
]

"""A submission in our words: every value under its field, whatever the sender's name for the field.

    taught to the form ─► our own name ─► a known name of builders ─► a word in a label ─► a value that is a phone

Pure. `bodies` has spelled every name in one way (`contact[phone]`); `values` reads them, `meanings` finds the field of
each, `phone_search` a phone that stands elsewhere; here the fields are put together. A value without a field is told
under its own label: nothing is dropped but what only machines talk of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from desk.intake import meanings, phone_search, tracking
from desk.intake.known_names import ADDED, CHANNELS, CHOICES, FIRST, IGNORED, LAST, MIDDLE, NOTED
from desk.intake.meanings import Seen, Sorted, is_secret
from desk.intake.values import NamedValue, text_of, values_of

MOST_NOTED = 60
"""Lines of a note under unknown names. A quiz has ten answers, a cart some forty names."""

LONGEST_NOTED = 400
"""Characters of such a line."""

LONGEST_NOTE = 2500
"""Characters of all such lines: the message has its own, and AmoCRM's notes are read on a phone's screen."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A submission in our words: `fields` by our names, `channels` as in `CHANNELS`, `others` by their labels."""

    fields: Mapping[str, Any] = field(repr=False)
    others: Mapping[str, str] = field(repr=False)
    channels: Mapping[str, str] = field(repr=False)
    seen: tuple[Seen, ...]

    def named_channels(self) -> dict[str, str]:
        """The other channels to reach the person, by their names for people."""
        return {CHANNELS[channel]: text for channel, text in self.channels.items()}

    def for_note(self, *, with_others: bool) -> dict[str, str]:
        """The values without a field for the note, by label: the other channels, in any case.

        `with_others`: also the values under unknown names. What is too much for a note is left out; the log keeps it.
        """
        return _fitting({**self.named_channels(), **(self.others if with_others else {})})


def understood(said: Mapping[str, Any], taught: Mapping[str, str] | None = None) -> Understood:
    """Read a submission. `said`: names and values as `bodies` spells them; `taught`: meanings by name, of the form."""
    values = [one for one in values_of(said) if not is_secret(one)]
    got = meanings.sort(values, taught or {})
    phone_search.fill_in_phone(got, values)
    fields, spare = _fields(got)
    if name := _name(got, text_of(fields.get("name"))):
        fields["name"] = name
    cookies = next((value for name, value in said.items() if name.casefold() == "cookies"), "")
    for mark, text in marks_in_cookies(text_of(cookies)).items():
        if not text_of(fields.get(mark)):
            fields[mark] = text
    channels = {
        channel: text
        for channel in CHANNELS
        if channel in got.found and (text := text_of(got.values(channel)[0].value))
    }
    if not text_of(fields.get("phone")) and "whatsapp" in channels:
        fields["phone"] = channels["whatsapp"]
    return Understood(fields, _by_label(spare), channels, tuple(got.seen.values()))


def meaning_of(name: str, taught: Mapping[str, str] | None = None) -> str:
    """The field of a name alone; "" for none. For the page with the names of a form."""
    one = next(iter(values_of({name: "x"})), None)
    return meanings.meaning_of(one, taught or {})[0] if one else ""


def marks_in_cookies(text: str) -> dict[str, str]:
    """Marks in the cookies passed on by Tilda: `TILDAUTM` holds a campaign's, `_ym_uid` Metrika's visitor."""
    pairs = (part.strip().partition("=") for part in text[: tracking.LONGEST_ADDRESS].split(";"))
    jar = {name: value for name, _, value in pairs}
    marks = re.split(r"\|\|\||&", unquote(unquote(jar.get("TILDAUTM", ""))))
    found = {
        name: value for name, _, value in (mark.partition("=") for mark in marks) if name in tracking.NAMES and value
    }
    if "_ym_uid" in jar:
        found.setdefault("_ym_uid", jar["_ym_uid"])
    return found


def _fields(got: Sorted) -> tuple[dict[str, Any], list[NamedValue]]:
    """The value of each field but the parts of a name and the channels; and the values left over."""
    fields: dict[str, Any] = {}
    spare = list(got.unknown)
    home = next((one.path[:-1] for one in got.values("phone") if text_of(one.value)), ())
    for meaning, values in got.found.items():
        if meaning in (IGNORED, FIRST, MIDDLE, LAST, *CHANNELS):
            continue
        if meaning == NOTED:
            spare += [one for _, one in values]
            continue
        fields[meaning], left = _chosen(meaning, sorted(values, key=lambda pair: pair[0]), home)
        spare += left
    return fields, spare


def _name(got: Sorted, whole: str) -> str:
    """Join a person's whole name with the parts missing in it; "" if there are no parts."""
    parts = [text for part in (FIRST, MIDDLE, LAST) for one in got.values(part)[:1] if (text := text_of(one.value))]
    if not parts or not whole:
        return " ".join(parts)
    return " ".join([whole, *(part for part in parts if part.casefold() not in whole.casefold())])


def _by_label(spare: Sequence[NamedValue]) -> dict[str, str]:
    """The texts of values without a field, by label; several under the same label in one text."""
    others: dict[str, str] = {}
    for one in spare:
        if text := text_of(one.value):
            label = one.label.strip() or one.name
            others[label] = f"{others[label]}, {text}" if label in others and text != others[label] else text
    return others


def _chosen(
    meaning: str, values: Sequence[tuple[int, NamedValue]], home: tuple[str, ...]
) -> tuple[Any, list[NamedValue]]:
    """Choose a field's value among several, the surest first; return the values left over, too.

    `home`: the object that holds the phone. Of several names the person's is the one that stands there: a form has a name as well.
    """
    told = [one for _, one in values if text_of(one.value)]
    if not told:
        return values[0][1].value, []
    if meaning == "phone":
        return phone_search.best_of(told)
    if meaning == "message":
        return "\n".join(dict.fromkeys(text_of(one.value) for one in told)), []
    best = min(tier for tier, one in values if text_of(one.value))
    alike = [one for tier, one in values if tier == best and text_of(one.value)]
    taken = {id(one) for one in alike}
    left = [one for one in told if id(one) not in taken]
    if meaning == "name":
        at_home = [one for one in told if one.path[:-1] == home] if best else []
        first = next(iter(at_home), alike[0])
        return _joined(first.value), [one for one in told if text_of(one.value) != text_of(first.value)]
    if meaning not in CHOICES and not ADDED.fullmatch(meaning):
        return _last(alike[0].value), left
    if len(alike) == 1:
        return alike[0].value, left
    each = [value for one in alike for value in (one.value if isinstance(one.value, list) else [one.value])]
    return list(dict.fromkeys(text for value in each if (text := text_of(value)))), left


def _last(value: Any) -> Any:
    """The last value with a text under a repeated name: a check box comes after its hidden field."""
    if not isinstance(value, list) or not value:
        return value
    return next((part for part in reversed(value) if text_of(part)), value[-1])


def _joined(value: Any) -> Any:
    """Join a person's name of several values: `["Иван", "Петров"]`."""
    return " ".join(dict.fromkeys(filter(None, map(text_of, value)))) if isinstance(value, list) else value


def _fitting(others: Mapping[str, str]) -> dict[str, str]:
    """The values by label as far as a note has room, each in a line."""
    kept: dict[str, str] = {}
    room = LONGEST_NOTE
    for label, text in list(others.items())[:MOST_NOTED]:
        line = _cut(" ".join(text.split()))
        room -= len(label) + len(line) + 3
        if room < 0:
            break
        kept[label] = line
    return kept


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_NOTED else text[: LONGEST_NOTED - 1] + "…"

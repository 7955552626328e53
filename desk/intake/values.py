"""The values of a submission, each with all its possible names.

Pure. A value stands under a name (`contact[phone]`), or in a record that tells its name beside it:
`{"key": "phone_number", "question": "Телефон", "answer": "+7…"}` is a value with two names, and not three values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from desk.intake.bodies import FILE, LONGEST_NAME, parts_of, spelled
from desk.intake.known_names import NEUTRAL

RECORD_VALUES = ("value", "answer", "a", "string_value", "raw_value", "values", "val", "response", "text_value")
RECORD_TITLES = ("title", "label", "question", "q", "column_name", "caption", "name")
RECORD_KEYS = ("key", "column_id", "code", "slug", "field", "field_id", "id", "type")
RECORD_MORE = (
    "required", "value_type", "t", "options", "first", "middle", "last", "display", "position", "order", "ref", "hidden", "multiple",
)  # fmt: skip
"""Parts of a record: its value, its titles, its keys, and further parts of builders."""

MOST_TEXTS = 20
"""Values of a list to be read separately: reading a phone costs."""


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A value with its names.

    `name`: as it came. `label`: for a note. `candidates`: names by which its meaning may be known, the best first. `hint`: the
    type its record tells, "" for none. `path`: the parts of `name`.
    """

    name: str
    label: str
    candidates: tuple[str, ...]
    hint: str
    path: tuple[str, ...]
    value: Any


def values_of(said: Mapping[str, Any]) -> Iterable[NamedValue]:
    """Every value once, a record's too. `said`: names and values as spelled by `bodies`."""
    paths = {name: parts_of(name) for name in said}
    records = _records(said, paths)
    told: set[tuple[str, ...]] = set()
    for name, path in paths.items():
        if path[:-1] in records:
            if path[:-1] not in told:
                told.add(path[:-1])
                yield _record_value(path[:-1], records[path[:-1]])
            continue
        if len(path) > 2 and path[:-2] in records and path[-2].casefold() in RECORD_VALUES:
            continue
        last = next((part for part in reversed(path) if not part.isdigit()), path[0])
        yield NamedValue(name, _label(path) or name, (last,), "", path, said[name])


def text_of(value: Any) -> str:
    """A value as people read it; "" for nothing."""
    if isinstance(value, list):
        return ", ".join(dict.fromkeys(text for part in value if (text := text_of(part))))
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if isinstance(value, float):
        return f"{value:.15g}"
    text = str(value).strip()
    return text.removeprefix(FILE) if text.startswith(FILE) else text


def texts_of(value: Any) -> list[str]:
    """The texts of a value, separately for each value of a list, at most `MOST_TEXTS`."""
    return [text_of(part) for part in (value[:MOST_TEXTS] if isinstance(value, list) else [value])]


def _label(path: tuple[str, ...]) -> str:
    """The words for a value in a note: its name without numbers and without `NEUTRAL` objects."""
    if len(path) > 1 and path[-1].isdigit():
        return spelled(path)
    return " ".join(
        part for part in path if not part.isdigit() and (part == path[-1] or part.casefold() not in NEUTRAL)
    )


def _records(said: Mapping[str, Any], paths: Mapping[str, tuple[str, ...]]) -> dict[tuple[str, ...], dict[str, Any]]:
    """The records among the objects, by path."""
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for name, path in paths.items():
        if len(path) > 1:
            groups.setdefault(path[:-1], {})[path[-1].casefold()] = said[name]
    return {path: group for path, group in groups.items() if _is_record(path, group)}


def _is_record(path: tuple[str, ...], group: Mapping[str, Any]) -> bool:
    if not any(key in group for key in RECORD_VALUES):
        return False
    if set(group) - {*RECORD_VALUES, *RECORD_TITLES, *RECORD_KEYS, *RECORD_MORE}:
        return False
    has_label = any(text_of(group.get(key)) for key in (*RECORD_TITLES, *RECORD_KEYS[:-1]))
    return has_label or any(part.casefold() not in NEUTRAL and not part.isdigit() for part in path)


def _record_value(path: tuple[str, ...], group: Mapping[str, Any]) -> NamedValue:
    """A record's value, under its titles, its keys and the name of the record itself."""
    value = next((group[key] for key in RECORD_VALUES if key in group and text_of(group[key])), "")
    titles = [text for key in RECORD_TITLES if (text := text_of(group.get(key)))]
    keys = [text for key in RECORD_KEYS[:-1] if (text := text_of(group.get(key))) and not text.isdigit()]
    own = [part for part in path[-1:] if not part.isdigit() and part.casefold() not in NEUTRAL]
    own = own or [part for part in path[-2:-1] if not part.isdigit() and part.casefold() not in NEUTRAL]
    told = (text[:LONGEST_NAME] for text in [*titles, *keys, *own])
    candidates = tuple(dict.fromkeys(told)) or path[-1:]
    return NamedValue(candidates[0], candidates[0], candidates, text_of(group.get("type")).casefold(), path, value)

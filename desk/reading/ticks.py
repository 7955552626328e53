"""Ticks: yes or no, in the words of browsers, builders, plug-ins and people."""

from __future__ import annotations

from typing import Any

from desk.reading import texts

YES = frozenset(
    "true on yes y 1 да checked ticked selected agree agreed accept accepted согласен согласна отмечено вкл + ✓ ✔ ☑ ✅".split()
)
NO = frozenset("false off no n 0 нет unchecked unticked null none undefined disagree выкл - – — ☐ ✗ ✘ ❌".split()) | {
    "",
    "не согласен",
    "не согласна",
    "не отмечено",
}

LONGEST = 40


def read(value: Any) -> bool | None:
    """Read a tick; None if unclear. A list holds only ticked values: browsers and PHP send no others."""
    if isinstance(value, bool) or value is None:
        return bool(value)
    if isinstance(value, list | tuple):
        parts = value[: texts.MOST_PARTS]
        return any(read(part) is not False for part in parts if not isinstance(part, list | tuple))
    if not isinstance(value, str | int | float):
        return None
    text, is_cut = texts.line(value, LONGEST)
    said = texts.fold(text).replace("\ufe0f", "").rstrip(" .!")
    return None if is_cut else True if said in YES else False if said in NO else None

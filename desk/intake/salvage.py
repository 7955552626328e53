"""The rest of an unreadable body: legible names and values, and a phone anywhere in the text.

Pure. Nothing here decides that somebody is a lead: what is found stands in the log, and a person makes a lead of it.
"""

from __future__ import annotations

import itertools
import json
import re
from urllib.parse import unquote_plus

from desk import phones
from desk.intake import names
from desk.intake.bodies import LARGEST_BODY_BYTES, MOST_NAMES, Flat, expanded, text_of
from desk.intake.forms import KEY_PREFIX

HIDDEN = "…"
"""Substitute for a key."""

A_KEY = re.compile(KEY_PREFIX + r"[\w-]{16,}")

# Whoever sends a wreck can send 64 KB of blanks: no pattern here may look at a character more than some twenty times.

QUOTED = re.compile(
    r"""["']([^"'\\{}\[\]]{1,200})["']\s{0,20}:\s{0,20}(?:"((?:[^"\\]|\\.){0,16000})"|'((?:[^'\\]|\\.){0,16000})'|(-?\d[\d.]{0,40}))"""
)
"""A name and a value in broken JSON."""

PART = re.compile(r'name="([^"\r\n]{1,200})"[^\r\n]{0,300}\r?\n(?:[^\r\n]{1,300}\r?\n){0,4}\r?\n([^\r\n]{1,4000})')
"""A part of a form cut short, and the first line of its value."""

TAGGED = re.compile(r"<([\w.:-]{1,100})(?:\s[^<>]{0,300})?>([^<>]{1,4000})</")

A_PHONE = re.compile(r"(?<![\w.])(?:\+|00)?\d[\d\s().\u2010-\u2015-]{8,22}\d(?![\w])")

MOST_PHONES = 50
"""Numbers of a text to be tried as a phone."""


def kept_text(body: bytes, charset: str = "") -> str:
    """A body as text for a database: no keys, no NUL, no longer than a body may be."""
    text = text_of(body[:LARGEST_BODY_BYTES], charset).replace("\x00", "\ufffd")
    text = text.encode("utf-8", "replace").decode("utf-8", "replace")
    return A_KEY.sub(HIDDEN, text)


def key_in(body: bytes) -> str:
    """A key in an unreadable body, to tell the form of a submission; "" for none."""
    found = A_KEY.search(body[:LARGEST_BODY_BYTES].decode("latin-1"))
    return found.group() if found else ""


def saved(text: str) -> Flat:
    """Names and values still legible; without a phone among the values, the first phone in the text too."""
    found: Flat = {}
    if any(char in text for char in "{["):
        for name, double, single, number in QUOTED.findall(text):
            found.setdefault(_unescaped(name), _unescaped(double or single or number))
    found = found or {name: value.strip() for name, value in PART.findall(text)}
    found = found or {name: value.strip() for name, value in TAGGED.findall(text)}
    found = found or _pairs(text)
    found = expanded(dict(list(found.items())[:MOST_NAMES]))
    phone = names.understood(found).fields.get("phone")
    if phones.read(phone).verdict not in (phones.VALID, phones.POSSIBLE):
        tried = itertools.islice(A_PHONE.finditer(text), MOST_PHONES)
        spelled = next((one.group() for one in tried if phones.read(one.group()).verdict == phones.VALID), None)
        if spelled is not None:
            found["phone"] = spelled.strip()
    return found


def _pairs(text: str) -> Flat:
    """Names and values of a form under a wrong content type, or of lines such as `Имя: Иван`."""
    plainly = unquote_plus if "&" in text or "%" in text else str
    found: Flat = {}
    for line in text.replace("&", "\n").split("\n", MOST_NAMES)[:MOST_NAMES]:
        ends = [place for sign in "=:" if (place := line.find(sign, 0, 201)) > 0]
        if ends:
            found.setdefault(plainly(line[: min(ends)]).strip(), plainly(line[min(ends) + 1 :]).strip())
    return found


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text

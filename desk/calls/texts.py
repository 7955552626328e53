"""Texts for operators to read out: the script and the consent, in unchangeable versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from desk.words import LANGUAGES, words
from store import Store, clock
from store.tables import call_texts

SCRIPT, CONSENT = "script", "consent"

LONGEST = 10_000
"""Characters of a text: an hour of reading."""

BLANKS = ("name", "phone", "direction", "source", "operator")
"""Blanks of a text, by their words in braces: {имя}, {name}."""


@dataclass(frozen=True, slots=True)
class Text:
    """A version of a text. `version` 0: the desk's own text, before the first version."""

    version: int
    body: str | None
    at: datetime | None = None
    by: str = ""

    @property
    def label(self) -> str:
        """The name by which a consent refers to its text."""
        return str(self.version)


class Texts:
    """The texts of a desk. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, kind: str) -> Text:
        """The version in use."""
        wanted = sa.select(call_texts).where(call_texts.c.kind == kind).order_by(call_texts.c.version.desc()).limit(1)
        with self._store.read() as db:
            row = db.execute(wanted).mappings().first()
        return Text(0, None) if row is None else Text(row["version"], row["body"], row["at"], row["by"])

    def write(self, kind: str, body: str, by: str) -> Text:
        """Store a text as a new version; return the version in use if the text has not changed."""
        body = body.replace("\r\n", "\n").strip()[:LONGEST]
        with self._store.write() as db:
            self._store.serialise(db, f"text {kind}")
            newest = sa.select(call_texts.c.version, call_texts.c.body).where(call_texts.c.kind == kind)
            last = db.execute(newest.order_by(call_texts.c.version.desc()).limit(1)).first()
            if body and (last is None or last.body != body):
                row = {"kind": kind, "version": (last.version if last else 0) + 1, "body": body}
                db.execute(call_texts.insert().values(**row, at=clock.now(), by=by))
        return self.newest(kind)


def filled(body: str, values: Mapping[str, str]) -> str:
    """Fill a text with the caller's data. Unknown data stays a blank, for the operator to ask."""
    for blank in BLANKS:
        for language in LANGUAGES:
            body = body.replace(f"{{{words(language)(f'call-blank-{blank}')}}}", values.get(blank) or "…")
    return body

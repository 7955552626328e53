"""What operators read out: the club's questions and the words of the consent, in versions that are never changed."""

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
"""What a text may have filled in, by its word in braces: {имя}, {name}."""


@dataclass(frozen=True, slots=True)
class Text:
    """A version of a text. `version` 0: nobody has written one yet, the desk's own is read."""

    version: int
    body: str | None
    at: datetime | None = None
    by: str = ""

    @property
    def label(self) -> str:
        """How a consent names the text that was read out."""
        return str(self.version)


class Texts:
    """The texts of one desk. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, kind: str) -> Text:
        """The version that counts now."""
        wanted = sa.select(call_texts).where(call_texts.c.kind == kind).order_by(call_texts.c.version.desc()).limit(1)
        with self._store.read() as db:
            row = db.execute(wanted).mappings().first()
        return Text(0, None) if row is None else Text(row["version"], row["body"], row["at"], row["by"])

    def write(self, kind: str, body: str, by: str) -> Text:
        """A new version; none where nothing has changed."""
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
    """A text with the caller's data in it. What is not known yet stays a blank, so that it is asked."""
    for blank in BLANKS:
        for language in LANGUAGES:
            body = body.replace(f"{{{words(language)(f'call-blank-{blank}')}}}", values.get(blank) or "…")
    return body

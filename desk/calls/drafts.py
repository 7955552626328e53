"""Drafts: the values of forms not saved yet.

Kept as each field is left, so that a reload, a restart or another tab finds them again.

Light transactions: a killed process loses nothing, a power cut at most the last field.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from desk.plain_text import plain_name
from store import Store, clock
from store.tables import drafts

KEEP_OPEN = timedelta(days=14)
"""Life of an open draft after the last change: an older draft belongs to no caller any more."""

KEEP_SAVED = timedelta(days=1)
"""Life of a saved draft: long enough to outlive the undo, and a tab with the draft in its form."""

MOST_OPEN = 8
"""Drafts shown at once: no operator has more callers waiting."""

MOST_CALLED = 8
"""Open drafts of an operator begun by a telephony and untouched since; the oldest goes as the next comes."""

MOST_CALLED_OF_ALL = 200
"""The same limit for all operators together, under any names in cookies."""

FORM, CALLED = "new", "called"
"""Forms of a draft: the call desk's; the call desk's, begun by an address and not touched yet."""

LONGEST_NAME = 60
"""Characters of an operator's name."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The values of a form. `values`: by field, as typed. `answers`: the entry that promised the call, if any."""

    id: str
    operator: str
    values: Mapping[str, Any] = field(repr=False)
    started_at: datetime
    changed_at: datetime
    lead_id: str | None = None
    answers: str | None = None


def operator_name(text: str) -> str:
    """Clean an operator's name from an input or a cookie."""
    return plain_name(text, LONGEST_NAME)[:LONGEST_NAME]


def new_id() -> str:
    """Make an unguessable id: ids stand in addresses."""
    return uuid.uuid4().hex


class Drafts:
    """The drafts of a database. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, draft_id: str, operator: str, values: Mapping[str, Any], answers: str | None = None) -> bool:
        """Store the values of a form; return False if the draft is saved already and so stays as saved."""
        now = clock.now()
        body = json.dumps(dict(values), ensure_ascii=False)
        with self._store.write(durable=False) as db:
            self._store.serialise(db, f"draft {draft_id}")
            known = db.execute(sa.select(drafts.c.lead_id).where(drafts.c.id == draft_id)).first()
            if known is not None and known.lead_id is not None:
                return False
            if known is not None:
                changed = {"operator": operator, "body": body, "changed_at": now, "form": FORM}
                db.execute(drafts.update().where(drafts.c.id == draft_id).values(**changed))
            else:
                born = {"id": draft_id, "form": FORM, "answers": answers, "started_at": now}
                db.execute(drafts.insert().values(operator=operator, body=body, changed_at=now, **born))
        return True

    def begin_called(self, operator: str, values: Mapping[str, Any]) -> str:
        """Begin a draft from an address; return its id.

        Bounded, and never in the way of a draft in which somebody has typed.
        """
        draft_id, now = new_id(), clock.now()
        body = json.dumps(dict(values), ensure_ascii=False)
        called = (drafts.c.form == CALLED, drafts.c.lead_id.is_(None))
        newest = sa.select(drafts.c.id).where(*called).order_by(drafts.c.changed_at.desc(), drafts.c.id)
        with self._store.write(durable=False) as db:
            self._store.serialise(db, "called drafts")
            mine = db.scalars(newest.where(drafts.c.operator == operator).offset(MOST_CALLED - 1)).all()
            more = db.scalars(newest.offset(MOST_CALLED_OF_ALL - 1)).all()
            db.execute(drafts.delete().where(drafts.c.id.in_([*mine, *more])))
            born = {"id": draft_id, "form": CALLED, "started_at": now, "changed_at": now}
            db.execute(drafts.insert().values(operator=operator, body=body, **born))
        return draft_id

    def get(self, draft_id: str) -> Draft | None:
        """Find a draft, open or saved; None for an unknown id."""
        with self._store.read() as db:
            row = db.execute(sa.select(drafts).where(drafts.c.id == draft_id)).mappings().first()
        return None if row is None else _draft(row)

    def open_of(self, operator: str) -> list[Draft]:
        """List an operator's open drafts, the oldest first. Drafts begun by an address only come if there is room."""
        mine = (drafts.c.operator == operator, drafts.c.form.in_((FORM, CALLED)), drafts.c.lead_id.is_(None))
        by_hand = (drafts.c.form == FORM).desc()
        newest = sa.select(drafts).where(*mine).order_by(by_hand, drafts.c.changed_at.desc()).limit(MOST_OPEN)
        with self._store.read() as db:
            rows = db.execute(newest).mappings().all()
        return sorted(map(_draft, rows), key=lambda draft: (draft.started_at, draft.id))

    def drop(self, draft_id: str) -> None:
        """Delete a draft emptied by hand; a saved draft stays until its time."""
        with self._store.write(durable=False) as db:
            db.execute(drafts.delete().where(drafts.c.id == draft_id, drafts.c.lead_id.is_(None)))

    def prune(self) -> None:
        """Delete outdated drafts."""
        now = clock.now()
        old = sa.or_(
            sa.and_(drafts.c.lead_id.is_(None), drafts.c.changed_at < now - KEEP_OPEN),
            sa.and_(drafts.c.lead_id.is_not(None), drafts.c.changed_at < now - KEEP_SAVED),
        )
        with self._store.write(durable=False) as db:
            db.execute(drafts.delete().where(old))


def _draft(row: sa.RowMapping) -> Draft:
    return Draft(
        id=row["id"],
        operator=row["operator"],
        values=json.loads(row["body"]),
        started_at=row["started_at"],
        changed_at=row["changed_at"],
        lead_id=row["lead_id"],
        answers=row["answers"],
    )

"""Idempotency keys: the same answer for a repeated submission.

A key belongs to its form, and is kept as a hash beside the hash of what came with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from desk.intake.received import Received
from store import Store
from store.tables import idempotency_keys

KEY_KEPT = timedelta(hours=48)
"""How long an Idempotency-Key is remembered: longer than any program keeps trying, a weekend's outage included."""


@dataclass(frozen=True, slots=True)
class First:
    """The first submission with a key: the id its sender was told, and the hash of its content."""

    told_id: str
    body_hash: str


class IdempotencyKeys:
    """The keys of the last two days. `db`: a writing transaction the caller ends."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def first(self, db: sa.Connection, one: Received, now: datetime) -> First | None:
        """The first submission with the same key; None for a new key. Waits while the first is still being settled."""
        key_hash = one.key_hash()
        self._store.serialise(db, f"idempotency key {one.form.id} {key_hash}")
        mine = sa.and_(idempotency_keys.c.form_id == one.form.id, idempotency_keys.c.key_hash == key_hash)
        row = db.execute(sa.select(idempotency_keys).where(mine)).first()
        if row is None:
            return None
        if row.made_at < now - KEY_KEPT:
            db.execute(idempotency_keys.delete().where(mine))
            return None
        return First(row.lead_id, row.body_hash)

    def keep(self, db: sa.Connection, one: Received, told_id: str, now: datetime) -> None:
        """Remember a submission's key and the id its sender is told."""
        told = {"lead_id": told_id, "body_hash": one.body_hash(), "made_at": now}
        db.execute(idempotency_keys.insert().values(form_id=one.form.id, key_hash=one.key_hash(), **told))

    def prune(self, db: sa.Connection, now: datetime) -> None:
        """Delete the keys that are too old."""
        db.execute(idempotency_keys.delete().where(idempotency_keys.c.made_at < now - KEY_KEPT))

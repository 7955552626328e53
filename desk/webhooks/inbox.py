"""The calls AmoCRM has made, stored before the answer: new calls, repeated calls, unreadable calls.

A call is "new" until what it tells of has been fetched. A process that is killed in between leaves it new, and the next
one fetches.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from crm.errors import SaidNo
from desk.webhooks import decisions
from desk.webhooks.bodies import HookContent
from store import Store, clock
from store.tables import hook_misses, hooks

NEW, DONE, AGAIN, BAD = "new", "done", "again", "bad"

MOST_AT_ONCE = 500
"""Calls taken together; after a long outage the rest waits for the next look, half a second later."""

SHOWN_OF_BAD = 2_000
"""Characters kept of an unreadable body: enough to recognise the sender."""

LATE = timedelta(minutes=10)
"""A change that a round found first, told by a hook within this time: the hook was late and not lost."""

KEEP = timedelta(days=14)
KEEP_MISSES = timedelta(days=30)


class Inbox:
    """The stored calls of one database. Thread-safe; any process may put in, the mirror's keeper takes out."""

    def __init__(self, store: Store, amo_now: Callable[[], float | None] = lambda: None) -> None:
        """`amo_now`: AmoCRM's clock, unix seconds, never ahead of AmoCRM; None if unknown."""
        self._store, self._amo_now = store, amo_now

    def put(self, body: bytes, told: HookContent) -> str:
        """Store a readable call on the disk; return the state of the stored call."""
        digest = hashlib.sha256(body).hexdigest()
        with self._store.write() as db:
            earlier = (
                db.execute(
                    sa.select(hooks.c.state, hooks.c.fetched_at)
                    .where(hooks.c.body_hash == digest, hooks.c.state.in_((NEW, DONE)))
                    .order_by(hooks.c.id.desc())
                    .limit(1)
                )
                .mappings()
                .first()
            )
            state = NEW if told.ids else DONE
            if earlier is not None and state == NEW:
                fetched_at = earlier["fetched_at"]
                if decisions.is_again(earlier["state"], told_at=told.changed_at, fetched_at=fetched_at):
                    state = AGAIN
            for entity, ids in told.ids.items():
                late = (
                    hook_misses.c.at > _now() - LATE,
                    hook_misses.c.entity == entity,
                    hook_misses.c.entity_id.in_(ids),
                )
                db.execute(hook_misses.delete().where(*late))
            db.execute(
                hooks.insert().values(
                    received_at=_now(),
                    body=_text(body) if state == NEW else None,
                    body_hash=digest,
                    state=state,
                    entities=json.dumps(told.ids),
                    told_at=told.changed_at,
                    done_at=None if state == NEW else _now(),
                )
            )
        return state

    def put_bad(self, body: bytes, reason: str, *, keep: bool = True) -> None:
        """Store a call that is of no use, with the reason. `keep`: its beginning as well."""
        row = {
            "received_at": _now(),
            "body": _text(body[:SHOWN_OF_BAD])[:SHOWN_OF_BAD] if keep else None,
            "body_hash": hashlib.sha256(body).hexdigest(),
            "state": BAD,
            "done_at": _now(),
            "reason": reason[:64],
        }
        with self._store.write() as db:
            db.execute(hooks.insert().values(**row))

    @contextmanager
    def taken(self) -> Iterator[dict[str, set[int]]]:
        """Hand over the new ids by entity, to be fetched inside the block.

        Left without an error it is dealt with. With one it stays new; what AmoCRM refuses to tell of would only be refused
        again, so that is put aside.
        """
        with self._store.read() as db:
            wanted = sa.select(hooks.c.id, hooks.c.entities).where(hooks.c.state == NEW).order_by(hooks.c.id)
            rows = db.execute(wanted.limit(MOST_AT_ONCE)).all()
        ids: dict[str, set[int]] = {}
        for row in rows:
            for entity, some in json.loads(row.entities or "{}").items():
                ids.setdefault(entity, set()).update(some)
        began_s = time.monotonic()
        try:
            yield ids
        except SaidNo as error:
            self._settle([row.id for row in rows], state=BAD, reason=error.code[:64])
            raise
        now = self._amo_now()
        fetched_at = now - (time.monotonic() - began_s) if now is not None else None
        self._settle([row.id for row in rows], state=DONE, fetched_at=fetched_at)

    def prune(self) -> None:
        """Forget calls that were dealt with long ago."""
        with self._store.write(durable=False) as db:
            db.execute(hooks.delete().where(hooks.c.received_at < _now() - KEEP, hooks.c.state != NEW))
            db.execute(hook_misses.delete().where(hook_misses.c.at < _now() - KEEP_MISSES))

    def _settle(self, ids: list[int], **values: Any) -> None:
        if not ids:
            return
        with self._store.write(durable=False) as db:
            mine = (hooks.c.id.in_(ids), hooks.c.state == NEW)
            db.execute(hooks.update().where(*mine).values(body=None, done_at=_now(), **values))


def _text(body: bytes) -> str:
    """Bytes as a text every database takes."""
    return body.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def _now() -> datetime:
    return clock.now()

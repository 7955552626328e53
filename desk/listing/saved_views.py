"""Saved views of the leads list: filters, order and columns under a name, a person's own or shared.

What was searched for is not kept: it is somebody's name or phone (`desk.listing.filters`).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from desk.plain_text import plain_name
from store import Store, clock
from store.tables import views

LONGEST_NAME = 60

Query = Mapping[str, Sequence[str]]
"""The parameters of the list's address."""


@dataclass(frozen=True, slots=True)
class View:
    """A saved view. `owner`: a person, None for a shared view. `query`: the address the view stands for."""

    id: str
    name: str
    owner: str | None
    query: Query
    made_by: str | None
    made_at: datetime

    @property
    def is_shared(self) -> bool:
        return self.owner is None


class Views:
    """The saved views of a desk. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, person: str) -> list[View]:
        """List a person's own views, then the shared views, each by name. Without a person: the shared views."""
        mine = views.c.owner.is_(None) if not person else sa.or_(views.c.owner.is_(None), views.c.owner == person)
        with self._store.read() as db:
            found = [_view(row) for row in db.execute(sa.select(views).where(mine)).mappings()]
        return sorted(found, key=lambda view: (view.is_shared, view.name.casefold(), view.id))

    def get(self, view_id: str) -> View | None:
        """Find a view by id: every person with the link may open a view."""
        with self._store.read() as db:
            row = db.execute(sa.select(views).where(views.c.id == view_id[:32])).mappings().first()
        return _view(row) if row is not None else None

    def save(self, name: str, query: Query, person: str, *, shared: bool = False) -> View:
        """Save a new view. `name` is a clean name (`clean`)."""
        view = View(secrets.token_hex(6), name, None if shared else person, query, person or None, clock.now())
        self.restore(view)
        return view

    def change(self, view_id: str, query: Query) -> None:
        """The same view with other filters."""
        self._update(view_id, filters=_json(query))

    def rename(self, view_id: str, name: str) -> None:
        """Rename a view; `name` is a clean name."""
        self._update(view_id, name=name)

    def share(self, view_id: str, person: str, *, shared: bool) -> None:
        """Share a view with all people, or make the view `person`'s own."""
        self._update(view_id, owner=None if shared else person)

    def delete(self, view_id: str) -> View | None:
        """Delete a view; return the view for `restore`, None if there was no such view."""
        view = self.get(view_id)
        with self._store.write() as db:
            db.execute(views.delete().where(views.c.id == view_id))
        return view

    def restore(self, view: View) -> None:
        """Put a deleted view back, under its address."""
        row = {
            "id": view.id,
            "name": view.name,
            "owner": view.owner,
            "filters": _json(view.query),
            "made_by": view.made_by,
            "made_at": view.made_at,
        }
        with self._store.write() as db:
            self._store.upsert(db, views, [row])

    def columns_of(self, person: str) -> list[str]:
        """The columns a person looked at last; empty for an unnamed person, or before the first choice."""
        kept = self._store.recall(_columns_key(person)) if person else None
        return [str(name) for name in json.loads(kept)] if kept else []

    def keep_columns(self, person: str, columns: Sequence[str]) -> None:
        """For the next visit."""
        self._store.remember(_columns_key(person), json.dumps(list(columns)))

    def _update(self, view_id: str, **values: object) -> None:
        with self._store.write() as db:
            db.execute(views.update().where(views.c.id == view_id).values(**values))


def clean(name: str) -> str | None:
    """Clean a name; None if the name is empty or too long."""
    plain = plain_name(name, LONGEST_NAME)
    return plain if 0 < len(plain) <= LONGEST_NAME else None


def _columns_key(person: str) -> str:
    """A name may be longer than a key."""
    return f"columns of {hashlib.blake2s(person.encode(), digest_size=8).hexdigest()}"


def _json(query: Query) -> str:
    return json.dumps({name: list(values) for name, values in query.items()}, sort_keys=True)


def _view(row: Mapping[str, object] | sa.RowMapping) -> View:
    values = {name: row[name] for name in ("id", "name", "owner", "made_by", "made_at")}
    return View(query=json.loads(str(row["filters"])), **values)  # type: ignore[arg-type]

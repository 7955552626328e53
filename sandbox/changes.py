"""The changes of a request: written down during the work, told to every listener after the commit.

Events (`GET /events`), webhooks, the ledger and the search index all follow from the same list of changes, so
they can never tell different stories. Nothing here writes a card; that is `api/cards.py` and its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from sandbox.config import Config
from sandbox.store.database import Row, Store, readable
from sandbox.store.fields import Field, definitions

Kind = Literal["added", "updated", "deleted", "restored", "linked", "unlinked", "merged"]


@dataclass(frozen=True)
class Change:
    """One thing that happened to one row. `before` and `after` are whole rows, None where there was or is none."""

    kind: Kind
    entity: str
    """A table's name: leads, contacts, companies, notes, tasks, unsorted, pipelines, …"""
    id: int | str
    before: Row | None = None
    after: Row | None = None


@dataclass
class Work:
    """A unit of work on the club: the person, the time, and the changes so far. Lives inside one transaction."""

    store: Store
    config: Config
    moment: float
    """Unix seconds, with their fraction: one reading of AmoCRM's clock for the whole work."""
    real_moment: float = 0.0
    """The time by the sandbox's own clock: when a hook or a search falls due."""
    user_id: int = 0
    """The acting user; 0 is AmoCRM itself (sheet 5.2)."""
    changes: list[Change] = field(default_factory=list)
    token_events: list[dict[str, Any]] = field(default_factory=list)
    """Events of codes and tokens, by fingerprint."""

    @property
    def now(self) -> int:
        """The time stamped on every change of this work: whole seconds, as in AmoCRM."""
        return int(self.moment)

    def changed(self, kind: Kind, entity: str, id_: int | str, before: Row | None, after: Row | None) -> None:
        """Write a change down."""
        self.changes.append(Change(kind, entity, id_, before, after))

    @cached_property
    def fields(self) -> dict[str, dict[int, Field]]:
        """Kind of card → id → definition of every custom field, as of the first look."""
        return definitions(self.store)

    def forget_fields(self) -> None:
        """Forget the definitions after a change, to read them again at the next look."""
        self.__dict__.pop("fields", None)

    @cached_property
    def user_ids(self) -> set[int]:
        """People who may be made responsible: all users that are not deactivated."""
        return {row["id"] for row in self.store.rows("SELECT id FROM users WHERE is_active = 1")}

    def forget(self) -> None:
        """Forget the changes: told already, or taken back with their transaction."""
        self.changes.clear()
        self.token_events.clear()

    def journal(self) -> list[dict[str, Any]]:
        """The changes in the ledger's form."""
        return [
            {
                "change": change.kind,
                "entity": change.entity,
                "id": change.id,
                "payload": readable(change.after or change.before or {}),
            }
            for change in self.changes
        ]

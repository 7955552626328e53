"""The journal of operations as the activity page reads it."""

from __future__ import annotations

import sqlalchemy as sa

from crm import journal
from crm.journal import OK, Line
from store.tables import activity

KINDS = ("token", "lead", "contact", "field", "hook", "read", "export")
"""What an operation is about; the activity page filters by it. "Problems" is every line that is not ok."""

OF_KIND = {"field": "fields.", "hook": "webhooks."}
"""Operations that belong to a kind although they only read."""


class Journal(journal.Journal):
    """The journal, read back. Thread-safe."""

    def recent(self, *, kind: str | None = None, problems: bool = False, limit: int = 200) -> list[Line]:
        """The newest lines first; of one kind, or only those that did not end well."""
        wanted = sa.select(activity).order_by(activity.c.at.desc(), activity.c.id.desc()).limit(limit)
        if kind is not None:
            wanted = wanted.where(
                sa.or_(activity.c.kind == kind, activity.c.operation.startswith(OF_KIND.get(kind, "-")))
            )
        if problems:
            wanted = wanted.where(activity.c.result != OK)
        with self._store.read() as db:
            rows = db.execute(wanted).mappings().all()
        return [Line(**{key: value for key, value in row.items() if key != "id"}) for row in rows]

"""The next open task of each lead, computed from the mirror's tasks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from desk.mirror.batches import batches
from desk.mirror.walks import TASKS
from store.tables import leads, mirror_walks, tasks


def are_known(db: sa.Connection) -> bool:
    """Whether all open tasks were read once. Until then AmoCRM's word in the lead itself is all there is."""
    whole = sa.select(mirror_walks.c.as_of).where(mirror_walks.c.name == TASKS, mirror_walks.c.as_of.is_not(None))
    return db.execute(whole).first() is not None


def nearest(db: sa.Connection, lead_ids: Iterable[int]) -> dict[int, int | None]:
    """When the next open task of each lead is due, unix seconds; a lead without an open task is absent."""
    found: dict[int, int | None] = {}
    for some in batches(lead_ids):
        wanted = _next_due().add_columns(tasks.c.lead_id).where(tasks.c.lead_id.in_(some))
        found |= {lead_id: at for at, lead_id in db.execute(wanted.group_by(tasks.c.lead_id))}
    return found


def write(db: sa.Connection, lead_ids: Iterable[int] | None = None) -> int:
    """Compute `closest_task_at` of some leads anew, None: of all. Return how many rows changed."""
    due = _next_due().where(tasks.c.lead_id == leads.c.id).correlate(leads).scalar_subquery()
    differ = leads.update().where(leads.c.closest_task_at.is_distinct_from(due)).values(closest_task_at=due)
    if lead_ids is None:
        return db.execute(differ).rowcount
    return sum(db.execute(differ.where(leads.c.id.in_(some))).rowcount for some in batches(lead_ids))


def _next_due() -> sa.Select[Any]:
    """When the first of some open tasks is due."""
    is_open = (tasks.c.is_completed.is_(False), tasks.c.is_deleted.is_(False))
    return sa.select(sa.func.min(tasks.c.complete_till)).where(*is_open)

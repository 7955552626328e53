"""Reasons for attention: open leads with which nobody will do anything by themselves.

One meaning for the list's filter and for the overview's figures, as conditions over the mirror's `leads`.
"""

from __future__ import annotations

import sqlalchemy as sa

from crm.pipelines import LOST, WON
from store.tables import leads

CLOSED = (WON, LOST)

UNTOUCHED_DAYS = 3
"""Days without a change after which an open lead counts as forgotten. A club's trial visit is agreed on within
three."""

UNTOUCHED_S = UNTOUCHED_DAYS * 24 * 3600

OVERDUE, NO_TASK, UNTOUCHED, NO_PHONE, NOBODY, NO_SOURCE = (
    "overdue",
    "no_task",
    "untouched",
    "no_phone",
    "nobody",
    "no_source",
)

KINDS = (OVERDUE, NO_TASK, UNTOUCHED, NO_PHONE, NOBODY, NO_SOURCE)
"""In the order of their urgency: the next task's time has passed; no open task; not changed for `UNTOUCHED_DAYS`; no phone;
nobody is responsible; no source."""


def is_open() -> sa.ColumnElement[bool]:
    """Neither won nor lost."""
    return leads.c.status_id.not_in(CLOSED)


def reasons(now_s: int) -> dict[str, sa.ColumnElement[bool]]:
    """Conditions on an open lead, by reason for attention. `now_s`: unix seconds."""
    return {
        OVERDUE: leads.c.closest_task_at < now_s,
        NO_TASK: leads.c.closest_task_at.is_(None),
        UNTOUCHED: leads.c.updated_at < now_s - UNTOUCHED_S,
        NO_PHONE: leads.c.phone == "",
        NOBODY: leads.c.responsible_user_id == 0,
        NO_SOURCE: leads.c.source == "",
    }

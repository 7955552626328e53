"""Reading of the mirror's tables for reports, as narrow as needed. The only file here that knows SQL of leads.

Whole columns come as one text (`_columns`): a hundred thousand rows made one by one would cost a second, this a tenth.
Works alike on SQLite and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from crm.pipelines import LOST, WON
from desk.reports.funnel import Place
from store.tables import leads, loss_reasons, stage_changes, stages

Span = tuple[int, int]
"""Unix seconds: from, and the first that is outside."""

SPLITS = ("source", "direction", "utm_source", "utm_campaign")
"""Columns of a lead by which leads are counted."""


@dataclass(frozen=True, slots=True)
class Leads:
    """Columns of the leads of a period, each an array of the same length. 0 stands for none.

    `moved_at`: the first change of stage. `furthest`: the greatest position among the stages of its pipeline that its history
    names, the lost one left out; -1 where it names none.
    """

    created_at: np.ndarray
    pipeline_id: np.ndarray
    status_id: np.ndarray
    closed_at: np.ndarray
    moved_at: np.ndarray
    furthest: np.ndarray


def pipelines(db: sa.Connection) -> list[Place]:
    """Every stage, in AmoCRM's order."""
    wanted = sa.select(
        stages.c.pipeline_id, stages.c.status_id, stages.c.position, stages.c.pipeline, stages.c.name, stages.c.color
    )
    return [Place(*row) for row in db.execute(wanted.order_by(stages.c.position))]


def leads_of(db: sa.Connection, span: Span, pipeline_id: int | None) -> Leads:
    """Read the leads created in a span, with their history."""
    c = leads.c
    rows = _columns(
        db,
        sa.select(c.id, c.created_at, c.pipeline_id, c.status_id, sa.func.coalesce(c.closed_at, 0)).where(
            *created_in(span, pipeline_id)
        ),
    )
    told = _columns(db, _history(span, pipeline_id))
    moved_at, furthest = np.zeros(len(rows), np.int64), np.full(len(rows), -1, np.int64)
    order = np.argsort(rows[:, 0])
    at = order[np.searchsorted(rows[order, 0], told[:, 0])]
    moved_at[at], furthest[at] = told[:, 1], told[:, 2]
    return Leads(rows[:, 1], rows[:, 2], rows[:, 3], rows[:, 4], moved_at, furthest)


def _history(span: Span, pipeline_id: int | None) -> sa.Select[Any]:
    """For each lead that ever moved: its id, the first move, the greatest position it came from or went to."""
    c, to, come_from = stage_changes.c, stages.alias(), stages.alias()
    furthest = sa.func.max(
        sa.case(
            (sa.func.coalesce(come_from.c.position, -1) > sa.func.coalesce(to.c.position, -1), come_from.c.position),
            else_=sa.func.coalesce(to.c.position, -1),
        )
    )
    moves = (
        sa.join(stage_changes, leads, leads.c.id == c.lead_id)
        .outerjoin(to, _is_stage(to, c.to_pipeline_id, c.to_status_id))
        .outerjoin(come_from, _is_stage(come_from, c.from_pipeline_id, c.from_status_id))
    )
    return (
        sa.select(c.lead_id, sa.func.min(c.at), furthest)
        .select_from(moves)
        .where(*created_in(span, pipeline_id))
        .group_by(c.lead_id)
    )


def _is_stage(stage: Any, pipeline_id: Any, status_id: Any) -> sa.ColumnElement[bool]:
    """A stage of the pipeline the lead is in now, on its way to being won."""
    return sa.and_(
        stage.c.pipeline_id == pipeline_id,
        stage.c.status_id == status_id,
        status_id != LOST,
        pipeline_id == leads.c.pipeline_id,
    )


def created(db: sa.Connection, span: Span, pipeline_id: int | None) -> np.ndarray:
    """When the leads of a span were created."""
    return _columns(db, sa.select(leads.c.created_at).where(*created_in(span, pipeline_id)))[:, 0]


def split(
    db: sa.Connection, span: Span, before: Span, pipeline_id: int | None
) -> list[tuple[tuple[str, ...], int, int, int]]:
    """Counts for each combination of `SPLITS`: leads of the span, won by now among them, leads of the span before."""
    columns = [leads.c[name] for name in SPLITS]
    is_now = leads.c.created_at >= span[0]
    wanted = (
        sa.select(
            *columns,
            _count(is_now),
            _count(sa.and_(is_now, leads.c.status_id == WON)),
            _count(leads.c.created_at < before[1]),
        )
        .where(*created_in((before[0], span[1]), pipeline_id))
        .group_by(*columns)
    )
    rows = db.execute(wanted).all()
    return [(tuple(map(str, row[:-3])), int(row[-3]), int(row[-2]), int(row[-1])) for row in rows]


def closed(
    db: sa.Connection, span: Span, before: Span, pipeline_id: int | None
) -> list[tuple[int, str | None, int, int]]:
    """Leads closed in the span and in the one before: stage (won or lost), name of the reason, the two counts.

    The name is None where no reason is given; a reason AmoCRM no longer lists has its number for a name.
    """
    c = leads.c
    wanted = (
        sa.select(c.status_id, c.loss_reason_id, _count(c.closed_at >= span[0]), _count(c.closed_at < before[1]))
        .where(c.closed_at >= before[0], c.closed_at < span[1], c.status_id.in_((WON, LOST)), *_here(pipeline_id))
        .group_by(c.status_id, c.loss_reason_id)
    )
    names = {row.id: row.name for row in db.execute(sa.select(loss_reasons.c.id, loss_reasons.c.name))}
    found = []
    for status_id, reason, now, then in db.execute(wanted):
        name = names.get(reason, f"№ {reason}") if reason else None
        found.append((int(status_id), name, int(now), int(then)))
    return found


def created_in(span: Span, pipeline_id: int | None) -> tuple[sa.ColumnElement[bool], ...]:
    """Condition on leads outside the bin, created in a span, of a pipeline or of all."""
    return (leads.c.created_at >= span[0], leads.c.created_at < span[1], *_here(pipeline_id))


def _here(pipeline_id: int | None) -> tuple[sa.ColumnElement[bool], ...]:
    of_pipeline = () if pipeline_id is None else (leads.c.pipeline_id == pipeline_id,)
    return (leads.c.is_deleted.is_(False), *of_pipeline)


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def _columns(db: sa.Connection, wanted: sa.Select[Any]) -> np.ndarray:
    """The rows of a query of whole numbers as an array, one row a row."""
    inner = wanted.subquery()
    texts: Sequence[Any] = [sa.cast(column, sa.Text) for column in inner.c]
    row: Any = texts[0]
    for text in texts[1:]:
        row = row.concat(",").concat(text)
    joined = db.scalar(sa.select(sa.func.aggregate_strings(row, ",")))
    numbers = np.fromstring(joined, dtype=np.int64, sep=",") if joined else np.zeros(0, np.int64)
    return numbers.reshape(-1, len(texts))

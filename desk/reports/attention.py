"""Open leads in need of attention, and why; `desk.attention` defines the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from desk.attention import is_open, reasons
from store.tables import leads, people, stage_changes, stages


@dataclass(frozen=True, slots=True)
class Attention:
    """Counts of open leads. `leads`: open leads for which at least one rule holds, of `open` leads; `rules`: counts
    by rule."""

    open: int
    leads: int
    rules: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class WaitingLead:
    """An open lead in need of attention. `since`: the last known change of stage, else the lead's creation. Names
    may be anybody's text."""

    id: int
    name: str
    person: str
    stage: str
    responsible: str
    created_at: datetime
    since: datetime
    task_at: datetime | None
    rules: tuple[str, ...]


def counts(db: sa.Connection, now: int, pipeline_id: int | None) -> Attention:
    """How many open leads each rule holds for."""
    rules = reasons(now)
    flags = sa.select(*(_flag(rule).label(name) for name, rule in rules.items()), leads.c.id).where(
        *_open(), *_of(pipeline_id)
    )
    inner = flags.subquery()
    sums = [sa.func.coalesce(sa.func.sum(inner.c[name]), 0) for name in rules]
    any_of = sa.func.coalesce(sa.func.sum(sa.case((sa.or_(*(inner.c[name] == 1 for name in rules)), 1), else_=0)), 0)
    total, some, *each = db.execute(sa.select(sa.func.count(), any_of, *sums).select_from(inner)).one()
    by_rule = dict(zip(rules, map(int, each), strict=True))
    return Attention(int(total), int(some), by_rule)


def listing(
    db: sa.Connection,
    now: int,
    pipeline_id: int | None,
    *,
    rule: str | None = None,
    limit: int = 50,
) -> list[WaitingLead]:
    """Leads that have waited longest, for a given rule or any."""
    rules = reasons(now)
    wanted_rules: Sequence[str] = [rule] if rule in rules else list(rules)
    last = sa.select(sa.func.max(stage_changes.c.at)).where(stage_changes.c.lead_id == leads.c.id)
    since = sa.func.coalesce(last.correlate(leads).scalar_subquery(), leads.c.created_at).label("since")
    c = leads.c
    named = leads.outerjoin(
        stages, sa.and_(stages.c.pipeline_id == c.pipeline_id, stages.c.status_id == c.status_id)
    ).outerjoin(people, people.c.id == c.responsible_user_id)
    wanted = (
        sa.select(
            c.id, c.name, c.contact_name, stages.c.name.label("stage"), people.c.name.label("responsible"),
            c.responsible_user_id, c.created_at, since, c.closest_task_at,
            *(_flag(condition).label(f"is_{name}") for name, condition in rules.items()),
        )
        .select_from(named)
        .where(*_open(), *_of(pipeline_id), sa.or_(*(rules[name] for name in wanted_rules)))
        .order_by("since", c.id)
        .limit(limit)
    )  # fmt: skip
    return [_waiting(row, rules) for row in db.execute(wanted).mappings()]


def _waiting(row: sa.RowMapping, rules: Iterable[str]) -> WaitingLead:
    unnamed = f"№ {row['responsible_user_id']}" if row["responsible_user_id"] else ""
    return WaitingLead(
        id=row["id"],
        name=row["name"],
        person=row["contact_name"],
        stage=row["stage"] or "",
        responsible=row["responsible"] or unnamed,
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
        since=datetime.fromtimestamp(row["since"], UTC),
        task_at=datetime.fromtimestamp(row["closest_task_at"], UTC) if row["closest_task_at"] else None,
        rules=tuple(name for name in rules if row[f"is_{name}"]),
    )


def _open() -> tuple[sa.ColumnElement[bool], ...]:
    """Not in the bin and not closed."""
    return (leads.c.is_deleted.is_(False), is_open())


def _flag(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((condition, 1), else_=0)


def _of(pipeline_id: int | None) -> tuple[sa.ColumnElement[bool], ...]:
    return () if pipeline_id is None else (leads.c.pipeline_id == pipeline_id,)

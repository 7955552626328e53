"""The table of moves between stages: AmoCRM's log beside guesses from comparing, whichever came first.

The log tells a move a moment late, and a lead's own row may come before it or after it. So what was seen by comparing is
held against the log both when it is seen and when the log is read (`decisions.is_told`), and each move stands here once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from desk.mirror.batches import batches
from desk.mirror.decisions import MOVE_SLACK_S, Move, is_told
from store.tables import stage_changes

UNKNOWN_S = int(timedelta(days=7).total_seconds())
"""Seconds before its time in which a guess of unknown beginning may have happened: older desks did not note between
which two readings."""


def guess(row: Mapping[str, Any], known: Mapping[str, Any], read_at: float | None) -> dict[str, Any]:
    """A guessed move, from a lead and its stored row. `read_at`: AmoCRM's time of the reading."""
    return {
        "lead_id": row["id"],
        "at": row["updated_at"],
        "from_pipeline_id": known["pipeline_id"],
        "from_status_id": known["status_id"],
        "to_pipeline_id": row["pipeline_id"],
        "to_status_id": row["status_id"],
        "event_id": None,
        "seen_from": min(known["updated_at"], row["updated_at"]),
        "seen_to": max(known["updated_at"], row["updated_at"], int(read_at or 0)),
    }


def keep_guesses(db: sa.Connection, guesses: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """Store guessed moves the log has not told already. Return their leads."""
    events = _moves(db, {row["lead_id"] for row in guesses}, told=True)
    fresh = [dict(row) for row in guesses if not is_told(_move(row), [one for _, one in events[row["lead_id"]]])]
    if fresh:
        db.execute(stage_changes.insert(), fresh)
    return tuple(row["lead_id"] for row in fresh)


def keep_events(db: sa.Connection, events: Iterable[Mapping[str, Any]]) -> int:
    """Store moves from the log, and remove guesses confirmed by the log. Return how many moves are new."""
    rows = {event["event_id"]: dict(event) for event in events}
    leads = {row["lead_id"] for row in rows.values()}
    for some in batches(rows):
        for known in db.scalars(sa.select(stage_changes.c.event_id).where(stage_changes.c.event_id.in_(some))):
            rows.pop(known, None)
    if rows:
        db.execute(stage_changes.insert(), list(rows.values()))
        _settle(db, leads)
    return len(rows)


def settle(db: sa.Connection) -> int:
    """Remove all guesses that the log has confirmed. Return how many."""
    seen = sa.select(stage_changes.c.lead_id).where(stage_changes.c.event_id.is_(None)).distinct()
    return _settle(db, set(db.scalars(seen)))


def _settle(db: sa.Connection, leads: Iterable[int]) -> int:
    ids = set(leads)
    seen, events = _moves(db, ids, told=False), _moves(db, ids, told=True)
    gone = [
        number
        for lead_id, some in seen.items()
        for number, move in some
        if is_told(move, [one for _, one in events[lead_id]])
    ]
    for some_ids in batches(gone):
        db.execute(stage_changes.delete().where(stage_changes.c.id.in_(some_ids)))
    return len(gone)


def _moves(db: sa.Connection, leads: Iterable[int], *, told: bool) -> dict[int, list[tuple[int, Move]]]:
    """Moves of some leads with their row ids: the log's (`told`), or the guesses."""
    found: dict[int, list[tuple[int, Move]]] = defaultdict(list)
    kind = stage_changes.c.event_id.is_not(None) if told else stage_changes.c.event_id.is_(None)
    for some in batches(leads):
        for row in db.execute(sa.select(stage_changes).where(stage_changes.c.lead_id.in_(some), kind)).mappings():
            found[row["lead_id"]].append((row["id"], _move(row)))
    return found


def _move(row: Mapping[str, Any] | sa.RowMapping) -> Move:
    before = (row["from_pipeline_id"], row["from_status_id"]) if row["from_status_id"] is not None else None
    after = (row["to_pipeline_id"], row["to_status_id"])
    if row["event_id"] is not None:
        return Move(before, after, row["at"], row["at"])
    since = row["seen_from"] if row["seen_from"] is not None else row["at"] - UNKNOWN_S
    return Move(before, after, since, row["seen_to"] or row["at"] + MOVE_SLACK_S)

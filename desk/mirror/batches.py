"""Ids in batches, each small enough for a statement of SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

MANY = 500
"""Ids in a statement; SQLite takes 32,766 at the most, PostgreSQL's planner likes fewer."""

Id = TypeVar("Id", int, str)


def batches(ids: Iterable[Id]) -> Iterator[list[Id]]:
    """Sorted ids, at most `MANY` at a time."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), MANY):
        yield ordered[start : start + MANY]

"""Percentiles by nearest rank: always a value that occurs, never a mean of two.

The 90th percentile is the smallest value that at least 90 % of the values do not exceed, as the overview explains it to people
("the time within which half (90%) of the leads were answered"). Of two values the median is therefore the smaller one.
"""

from __future__ import annotations

from collections.abc import Sequence


def rank(count: int, percent: int) -> int:
    """The index of a percentile among `count` ordered values. Whole numbers throughout, as 0.95 has no exact float."""
    return max(0, -(-count * percent // 100) - 1)


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The percentile of sorted values; None if there are none."""
    return ordered[rank(len(ordered), percent)] if ordered else None

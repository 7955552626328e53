"""Decisions of the mirror, without a network or a database; tested as tables.

Whether an answer may replace a row is decided by when it was asked for, never by a clock: each row knows the mirror's version
that wrote it, and each answer the version at which its question left. A row nobody has written since is older than the answer,
whatever times stand in either; of any other row nobody knows, and AmoCRM is asked again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from store import waits

KEEP, SAME, DOUBT = "keep", "same", "doubt"

OVERLAP_S = 30
"""How far each round looks back before the newest change the last one saw: a change shows in a list a moment after its time,
and seconds are AmoCRM's finest."""

PAGE = 250

NIGHT = range(3, 6)
"""Hours of the club's clock for the count and the nightly round: no person waits for AmoCRM then."""

DAY_S = timedelta(days=1).total_seconds()

NOT_BEFORE_S = timedelta(hours=18).total_seconds()
"""Least time between two counts or nightly rounds; whichever hour of the night the last began, the next night
allows a new round."""

BEYOND_JUMP_S = 600.0
"""Seconds the rounds go back in addition to the jump of a clock: by the duration of the last round and its overlap,
and to spare."""

FARTHEST_BACK_S = timedelta(days=7).total_seconds()
"""Greatest jump, in seconds, mended by the rounds alone. After a greater jump everything is compared: reading so
many changes costs no less."""


@dataclass(frozen=True, slots=True)
class Move:
    """A move of a lead between stages: told by AmoCRM's log, or found by comparing, then between `since` and
    `until`."""

    before: tuple[int, int] | None
    after: tuple[int, int]
    since: int
    until: int


MOVE_SLACK_S = 5
"""How far the log's time of a move and the lead's own may lie apart."""


def verdict(row: Mapping[str, Any], known: Mapping[str, Any] | None, asked: int | None) -> str:
    """Decide about a row from AmoCRM. `asked`: the mirror's version when the question left; None if not known."""
    if known is None:
        return KEEP
    if all(known[name] == value for name, value in row.items()):
        return SAME
    return KEEP if asked is not None and known["kept_in"] <= asked else DOUBT


def is_told(seen: Move, events: Collection[Move]) -> bool:
    """Whether the log's moves of a lead lead from the beginning of a guessed move to its end, in the same time."""
    since, until = min(seen.since, seen.until) - MOVE_SLACK_S, max(seen.since, seen.until) + MOVE_SLACK_S
    left = [event for event in events if since <= event.since <= until]
    reached = {seen.before}
    while step := [event for event in left if event.before is None or event.before in reached]:
        reached |= {event.after for event in step}
        left = [event for event in left if event not in step]
    return seen.after in reached and seen.before != seen.after


def next_since(since: int, times: Iterable[int], cap: float, *, is_settled: bool = False) -> int:
    """The beginning of the next round: by the newest change seen and not by any clock, less the overlap.

    `cap`: AmoCRM's time when the round began. A change from beyond it (people may write any time into a lead) moves nothing.
    `is_settled`: there was more than a page, all of it known: it need not be read a third time.
    """
    newest = max((time for time in times if time <= cap + OVERLAP_S), default=None)
    if newest is None:
        return since
    return max(since, newest + 1 if is_settled else min(newest, int(cap)) - OVERLAP_S)


def is_time(due: bool, hour: int, whole_at: float | None, now_s: float) -> bool:
    """Whether daily work may begin: at night, or at any hour after a day without."""
    if not due:
        return False
    return hour in NIGHT or whole_at is None or waits.is_over(whole_at, whole_at + DAY_S, now_s)


def back_s(jumps: Iterable[float]) -> float:
    """How far the rounds read again after clocks have jumped by so many seconds."""
    return min(max(abs(by_s) for by_s in jumps), FARTHEST_BACK_S) + BEYOND_JUMP_S

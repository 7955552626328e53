"""What is decided about the mirror without a network or a database: tables for tests.

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
"""Hours of the club's clock in which the count and the nightly round are due: nobody waits for AmoCRM then."""

DAY_S = timedelta(days=1).total_seconds()

NOT_BEFORE_S = timedelta(hours=18).total_seconds()
"""After one of them until the next may begin; so whichever hour of the night it was, the next night has it again."""

BEYOND_JUMP_S = 600.0
"""How much further back than a clock jumped the rounds read again: by what the last round and its overlap take, and to spare."""

FARTHEST_BACK_S = timedelta(days=7).total_seconds()
"""A greater jump is made good by comparing everything: reading so many changes costs no less."""


@dataclass(frozen=True, slots=True)
class Move:
    """A lead went from a stage to another: told by AmoCRM's log, or seen by comparing, then between `since` and `until`."""

    before: tuple[int, int] | None
    after: tuple[int, int]
    since: int
    until: int


MOVE_SLACK_S = 5
"""How far the log's time of a move and the lead's own may lie apart."""


def verdict(row: Mapping[str, Any], known: Mapping[str, Any] | None, asked: int | None) -> str:
    """What becomes of a row that came. `asked`: the mirror's version when the question left; None if nobody knows."""
    if known is None:
        return KEEP
    if all(known[name] == value for name, value in row.items()):
        return SAME
    return KEEP if asked is not None and known["kept_in"] <= asked else DOUBT


def is_told(seen: Move, events: Collection[Move]) -> bool:
    """Whether the log's moves of a lead lead from where one seen by comparing began to where it ended, in the same time."""
    since, until = min(seen.since, seen.until) - MOVE_SLACK_S, max(seen.since, seen.until) + MOVE_SLACK_S
    left = [event for event in events if since <= event.since <= until]
    reached = {seen.before}
    while step := [event for event in left if event.before is None or event.before in reached]:
        reached |= {event.after for event in step}
        left = [event for event in left if event not in step]
    return seen.after in reached and seen.before != seen.after


def next_since(since: int, times: Iterable[int], cap: float, *, is_settled: bool = False) -> int:
    """Where the next round begins: by the newest change that came and not by any clock, less the overlap.

    `cap`: AmoCRM's time when the round began. A change from beyond it (people may write any time into a lead) moves nothing.
    `is_settled`: there was more than a page, all of it known: it need not be read a third time.
    """
    newest = max((time for time in times if time <= cap + OVERLAP_S), default=None)
    if newest is None:
        return since
    return max(since, newest + 1 if is_settled else min(newest, int(cap)) - OVERLAP_S)


def is_time(due: bool, hour: int, whole_at: float | None, now_s: float) -> bool:
    """Whether what is due once a day may begin: at night, or at any hour when a day is over without."""
    if not due:
        return False
    return hour in NIGHT or whole_at is None or waits.is_over(whole_at, whole_at + DAY_S, now_s)


def back_s(jumps: Iterable[float]) -> float:
    """How far the rounds read again after clocks have jumped by so many seconds."""
    return min(max(abs(by_s) for by_s in jumps), FARTHEST_BACK_S) + BEYOND_JUMP_S

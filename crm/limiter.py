"""The pace of requests to AmoCRM, common to all threads and processes on a database.

AmoCRM refuses the eighth request in any second and blocks accounts that keep trying (sheet 4.1). So requests
leave evenly, a little under seven a second, and never more than seven within a second by our own count.
Deciding is `decide`, a pure function over the pace row; `Limiter` only keeps the row and waits.
"""

from __future__ import annotations

import heapq
import itertools
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from crm.errors import NotLetIn, NotSent
from store import Store, StoreError
from store.tables import request_pace

WINDOW_REQUESTS = 7
"""Requests AmoCRM accepts in a second (sheet 4.1)."""

WINDOW_S = 1.03
"""A second, and 30 ms for requests arriving at AmoCRM closer together than at their start."""

IDLE_CREDIT = 3
"""Turns an idle product may take at once before the even pace begins: a lead of three requests need not be paced out.
Under load it makes up for threads that wake up late."""

SLOWEST_S = 1.0
"""The widest gap after a row of 429s: 1 request a second still moves."""

WIDEN = 1.25
"""The factor by which a 429 widens the gap between requests."""

RECOVER = 0.99
"""The share of a widened gap left after each request: back to the set pace after some 50 to 150 requests."""

AFTER_429_S = 1.0
"""Silence after a 429 without a time: a second empties AmoCRM's window."""

LONGEST_SILENCE_S = 900.0
"""The longest silence obeyed: after a quarter of an hour AmoCRM is asked again. A later time in the row was never meant."""

YIELD_S = 0.4
"""Time for which background work steps back after live work had to wait, in every process."""

CLOCK_SLACK_S = 1.0
"""The greatest lead of the last request over the clock; beyond it the clock was set back."""

LIVE_PATIENCE_S = 12.0
"""The longest wait of a live caller for a turn before hearing of AmoCRM's pause."""

BACKGROUND_PATIENCE_S = 900.0
"""The same for background work. AmoCRM's documented pause is 300 s (sheet 4.1)."""

LIVE_LONGEST_S = 45.0
BACKGROUND_LONGEST_S = 2 * BACKGROUND_PATIENCE_S
"""The longest wait for a turn in all, with any number of callers in front and any number of pauses."""

DATABASE_PATIENCE_S = 12.0
"""How long a turn is asked for again while the pace cannot be read. Who holds its row up is made to let go after 3 s
(`store.engine.FROZEN_S`)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace as shared by all processes. Times are unix seconds of the database's clock."""

    sent: tuple[float, ...] = ()
    next_at: float = 0.0
    live_at: float = 0.0
    gap_s: float = 0.0


def decide(pace: Pace, now: float, gap_s: float, *, live: bool) -> tuple[float, Pace]:
    """Decide how long to wait, and the pace afterwards. 0 means: go now, the request is counted.

    `gap_s` is the set distance between requests. The next turn is counted from when this one was due, not from
    when its thread woke up, or every late thread would slow the whole product a little.
    """
    if pace.sent and pace.sent[-1] > now + CLOCK_SLACK_S:
        pace = Pace(gap_s=pace.gap_s)  # the clock was set back: nothing was sent in the future
    if pace.next_at > now + LONGEST_SILENCE_S:
        pace = replace(pace, next_at=now)  # nobody asks for that long
    gap_s = max(gap_s, pace.gap_s)
    due = pace.next_at
    if len(pace.sent) >= WINDOW_REQUESTS:
        due = max(due, pace.sent[-WINDOW_REQUESTS] + WINDOW_S)
    if not live:
        due = max(due, pace.live_at + YIELD_S)
    if now < due:
        return due - now, replace(pace, live_at=now) if live else pace
    on_time = max(pace.next_at, now - IDLE_CREDIT * gap_s)
    return 0.0, Pace(
        sent=(*pace.sent, now)[-WINDOW_REQUESTS:],
        next_at=on_time + gap_s,
        live_at=pace.live_at,
        gap_s=gap_s * RECOVER,
    )


def slower(pace: Pace, now: float, gap_s: float, pause_s: float | None) -> Pace:
    """The pace after a 429: silence for as long as AmoCRM asked, then wider gaps."""
    return replace(
        pace,
        next_at=max(pace.next_at, now + min(pause_s or AFTER_429_S, LONGEST_SILENCE_S)),
        gap_s=min(max(gap_s, pace.gap_s) * WIDEN, SLOWEST_S),
    )


class Limiter:
    """Gives out turns. `wait_turn` returns when the caller may send one request, right away."""

    def __init__(
        self, store: Store, account: str, *, rps: float, wait: Callable[[float], object] | None = None
    ) -> None:
        """`account`: the key of the pace's row. `wait`: how to pass time; tests hand in their own."""
        self._store, self._account, self._gap_s = store, account, 1 / rps
        self._ready = threading.Condition()
        self._queue: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._wait = wait or threading.Event().wait

    def wait_turn(self, *, live: bool) -> float:
        """Wait for a turn and take the turn. Return when, by `time.monotonic()`.

        Live callers of this process go before background ones, in the order they came; callers of other
        processes are met in the database. Raises `NotLetIn("rate_limited")` where the pause AmoCRM asked for
        is longer than the caller's patience, and `NotSent("no_turn")` where none came in all the time there is.
        """
        began = time.monotonic()
        ticket = (0 if live else 1, next(self._numbers))
        with self._ready:
            heapq.heappush(self._queue, ticket)
        try:
            while True:
                with self._ready:
                    self._ready.wait_for(lambda: self._queue[0] == ticket, timeout=YIELD_S)
                    first = self._queue[0] == ticket
                now = time.monotonic()
                if now - began > (LIVE_LONGEST_S if live else BACKGROUND_LONGEST_S):
                    raise NotSent("no_turn")
                try:
                    pause_s = self._take(live=live) if first else 0.0
                except StoreError as error:
                    log.error("the pace could not be read: %s", type(error).__name__)
                    if time.monotonic() - began > DATABASE_PATIENCE_S:
                        raise NotSent("no_turn") from None
                    self._wait(YIELD_S)
                    continue
                if first and pause_s == 0:
                    return now
                if pause_s > (LIVE_PATIENCE_S if live else BACKGROUND_PATIENCE_S):
                    raise NotLetIn("rate_limited", retryable=True, retry_after_s=pause_s)
                # In steps, so that a live caller who comes meanwhile is first as soon as the turn is there.
                step_s = min(pause_s, YIELD_S)
                if step_s:
                    self._wait(step_s)
        finally:
            with self._ready:
                self._queue.remove(ticket)
                heapq.heapify(self._queue)
                self._ready.notify_all()

    def slow_down(self, pause_s: float | None) -> None:
        """Slow all processes down after a 429. `pause_s`: the pause AmoCRM asked for, if any.

        Never raises: whoever was answered must hear the answer, and the next one is told 429 again.
        """
        try:
            with self._store.write(durable=False) as db:
                pace = self._locked(db)
                self._keep(db, slower(pace, self._store.clock(db), self._gap_s, pause_s))
        except StoreError as error:
            log.error("the pace could not be slowed down: %s", type(error).__name__)

    def _take(self, *, live: bool) -> float:
        with self._store.write(durable=False) as db:
            pace = self._locked(db)
            pause_s, after = decide(pace, self._store.clock(db), self._gap_s, live=live)
            if after != pace:
                self._keep(db, after)
        return pause_s

    def _locked(self, db: sa.Connection) -> Pace:
        """The row, locked until the transaction ends; made on first use."""
        wanted = sa.select(request_pace).where(request_pace.c.account == self._account).with_for_update()
        row = db.execute(wanted).mappings().first()
        if row is None:
            fresh = {"account": self._account, "sent": "[]", "next_at": 0.0, "live_at": 0.0, "gap_s": 0.0}
            self._store.insert_if_absent(db, request_pace, fresh)
            row = db.execute(wanted).mappings().one()
        return Pace(tuple(json.loads(row["sent"])), row["next_at"], row["live_at"], row["gap_s"])

    def _keep(self, db: sa.Connection, pace: Pace) -> None:
        db.execute(
            request_pace.update()
            .where(request_pace.c.account == self._account)
            .values(sent=json.dumps(pace.sent), next_at=pace.next_at, live_at=pace.live_at, gap_s=pace.gap_s)
        )

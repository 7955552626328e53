"""How fast anybody may hand something in: a token bucket for each sender and one for all together.

`spend` decides, pure; `Pace` keeps the buckets in the memory of one process, never more than `MOST_SENDERS` of them.
Two processes allow twice as much, which is fine: the limits keep floods out, they do not count money.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_SENDERS = 10_000
"""Buckets kept. Whoever was not seen for longest is forgotten, that is, begins anew with a full one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit: `burst` at once, `per_s` a second in the long run."""

    name: str
    burst: float
    per_s: float


PERSON = Rule("person", 10, 20 / 60)
"""A browser's address: an office behind one address sends a few forms, and people correct their faults."""

PROGRAM = Rule("program", 60, 600 / 60)
"""A program's address: a site that hands over what its visitors typed."""

ASKING = Rule("asking", 60, 300 / 60)
"""Questions where a lead is, from one address."""

ALL_TAKING = Rule("all-taking", 200, 100)
"""Submissions from everywhere together: a hundred times a busy club's, and less than the database takes."""

ALL_ASKING = Rule("all-asking", 200, 100)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens left at a moment."""

    tokens: float
    at: float


def spend(bucket: Bucket | None, rule: Rule, now: float) -> tuple[Bucket, float]:
    """The bucket after one more request, and 0.0; or unspent, and the seconds until there is a token again."""
    left = rule.burst if bucket is None else min(rule.burst, bucket.tokens + (now - bucket.at) * rule.per_s)
    if left < 1:
        return Bucket(left, now), (1 - left) / rule.per_s
    return Bucket(left - 1, now), 0.0


class Pace:
    """The buckets of one process. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def wait_s(self, *limits: tuple[Rule, str]) -> float:
        """Take one token of each (rule, whose): 0.0, or how long until the first that was empty has one again."""
        now = self._clock()
        with self._lock:
            for rule, whose in limits:
                key = (rule.name, whose)
                self._buckets[key], wait_s = spend(self._buckets.get(key), rule, now)
                self._buckets.move_to_end(key)
                if wait_s:
                    return wait_s
            while len(self._buckets) > MOST_SENDERS:
                self._buckets.popitem(last=False)
        return 0.0

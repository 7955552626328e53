"""The pace of submissions: token buckets for each sender, for each form and for strangers without a key.

    head ─► whose key?  a form's: the sender's own bucket, then the form's share, or what is left over for all
                        a wrong one: the strangers' buckets, and nobody else's
                        none yet: the sender's own; the body is read, and asked the same

`before` and `after` decide whose buckets a request takes from, `spend` what is left in one: pure. `Pace` keeps the buckets in the
memory of one process, never more than `MOST_SENDERS` of them. Two processes allow twice as much, which is fine: the limits keep
floods out, they do not count money.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOST_SENDERS = 10_000
"""Buckets kept. The least recently seen sender is forgotten, and begins anew with a full bucket."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit: `burst` at once, `per_s` a second in the long run."""

    name: str
    burst: float
    per_s: float


PERSON = Rule("person", 10, 20 / 60)
"""A browser's address: an office behind the same address sends a few forms, and people correct their faults."""

PROGRAM = Rule("program", 60, 600 / 60)
"""A program's address: a site's server, handing over its visitors' leads."""

ASKING = Rule("asking", 60, 300 / 60)
"""Questions for a lead's progress, from the same address."""

STRANGER = Rule("stranger", 20, 60 / 60)
"""Requests with a wrong key, or none, from the same address: a site with a mistyped key tries a few times, and reads why."""

ALL_STRANGERS = Rule("all-strangers", 100, 20)
"""Requests with a wrong key, or none, from everywhere together: refusing is cheap, and stays so by the limit."""

SHARE = Rule("share", 50, 5)
"""A form's own share: five times a busy club's busiest form."""

ALL_TAKING = Rule("all-taking", 200, 100)
"""Submissions beyond their forms' shares together: a hundred times a busy club's, and less than the database takes."""

ASKING_SHARE = Rule("asking-share", 50, 5)
ALL_ASKING = Rule("all-asking", 200, 100)

HOOK_LOOK = Rule("hook-look", 50, 20)
"""Looks into the database for an unknown secret of the webhook's address. The known secrets are in memory."""

SITE_WIDE = 8
"""How many homes' worth the /48 around a home has: a company has several floors, and a stranger 65,536 addresses."""

Limit = tuple[Rule, str]
"""A rule, and whose bucket."""

TAKING, ASKED = "taking", "asking"
"""The wish of a request: to hand a lead in, or to know the progress of a lead."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The buckets of a request: a token of each in `all_of`, then of the first in `one_of` with any left."""

    all_of: tuple[Limit, ...] = ()
    one_of: tuple[Limit, ...] = ()


def before(
    what: str, homes: Sequence[str], *, form_id: str | None, has_key: bool, is_browser: bool, is_beside: bool
) -> Limits:
    """The buckets of a request, before its body is read.

    `form_id`: the form of the key in the head, None for no form's; `has_key`: a key stands there. `is_beside`: a program on the
    desk's own machine, which is held to its form's buckets alone.

    Without any key in its head it may have one in its body, or ask for nothing that wants one: see `after`.
    """
    if form_id is None and (has_key or what == ASKED):
        return strangers(homes)
    own = ASKING if what == ASKED else PERSON if is_browser else PROGRAM
    theirs = () if is_beside else own_limits(own, homes)
    return Limits(theirs, _of_form(what, form_id).one_of if form_id else ())


def after(homes: Sequence[str], *, form_id: str | None) -> Limits:
    """The buckets of a request without a key in its head, after its body was read. `form_id`: the form of its key."""
    return _of_form(TAKING, form_id) if form_id else strangers(homes)


def strangers(homes: Sequence[str]) -> Limits:
    """The buckets of a request without a right key."""
    return Limits((*own_limits(STRANGER, homes), (ALL_STRANGERS, "")))


def own_limits(rule: Rule, homes: Sequence[str]) -> tuple[Limit, ...]:
    """A sender's own buckets under a rule: the home's, and for IPv6 the site's around it."""
    wider = Rule(f"{rule.name}-site", rule.burst * SITE_WIDE, rule.per_s * SITE_WIDE)
    return tuple((rule if place == 0 else wider, home) for place, home in enumerate(homes))


def _of_form(what: str, form_id: str) -> Limits:
    share, rest = (ASKING_SHARE, ALL_ASKING) if what == ASKED else (SHARE, ALL_TAKING)
    return Limits((), ((share, form_id), (rest, "")))


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens left at a moment."""

    tokens: float
    at: float


def spend(bucket: Bucket | None, rule: Rule, now: float) -> tuple[Bucket, float]:
    """Spend a token: the new bucket and 0.0; or the same bucket, and the seconds until its next token."""
    left = rule.burst if bucket is None else min(rule.burst, bucket.tokens + (now - bucket.at) * rule.per_s)
    if left < 1:
        return Bucket(left, now), (1 - left) / rule.per_s
    return Bucket(left - 1, now), 0.0


class Pace:
    """The buckets of a process. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    @property
    def size(self) -> int:
        """Buckets kept, `MOST_SENDERS` at most."""
        return len(self._buckets)

    def keep(self, limits: Limits) -> float:
        """Take the tokens of a request: 0.0, or the seconds until the next try."""
        now = self._clock()
        with self._lock:
            wait_s = next((wait for one in limits.all_of if (wait := self._spend(one, now))), 0.0)
            waits: list[float] = []
            for one in () if wait_s else limits.one_of:
                waits.append(self._spend(one, now))
                if not waits[-1]:
                    break
            while len(self._buckets) > MOST_SENDERS:
                self._buckets.popitem(last=False)
        return wait_s or min(waits, default=0.0)

    def wait_s(self, *limits: Limit) -> float:
        """Take a token of each bucket: 0.0, or the seconds until the first empty bucket has a token again."""
        return self.keep(Limits(limits))

    def _spend(self, limit: Limit, now: float) -> float:
        rule, whose = limit
        key = (rule.name, whose)
        self._buckets[key], wait_s = spend(self._buckets.get(key), rule, now)
        self._buckets.move_to_end(key)
        return wait_s

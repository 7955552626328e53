"""The filling of the club: in full at first, and by the missing days when the club is opened again."""

from __future__ import annotations

from random import Random

from sandbox.club import structure
from sandbox.club.leads import Season
from sandbox.store.database import Store

DAY_S = 24 * 3600
HISTORY_S = 180 * DAY_S
"""How far back the leads go."""


def found(store: Store, *, leads: int, seed: int, now: int) -> None:
    """A club with `leads` leads over the last 180 days. The same `seed` and `now` (unix seconds) make the same club."""
    structure.build(store, now - HISTORY_S)
    Season(store, Random(seed), now).write(leads, now - HISTORY_S)
    for key, value in (("seed", seed), ("leads", leads), ("filled_until", now)):
        store.remember(key, str(value))


def top_up(store: Store, now: int) -> int:
    """Leads for the time since the club was last filled, at its own pace; how many."""
    since = int(store.meta("filled_until") or now)
    founded, seed = int(store.meta("leads") or 0), int(store.meta("seed") or 1)
    count = int(founded * (now - since) / HISTORY_S)
    if count > 0:
        Season(store, Random(seed + since), now).write(count, since)
        store.remember("filled_until", str(now))
    return max(count, 0)

"""Webhooks for people: on or off and why, when the last hook came, how late, how many were lost. Sends no request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from desk.percentile import percentile
from desk.webhooks import decisions
from desk.webhooks.inbox import AGAIN, BAD, DONE
from store import Store, clock
from store.tables import facts, hook_misses, hooks

FACT = "webhooks"
"""Under which the subscription's state is noted, for all processes."""

WINDOW = timedelta(hours=24)
SILENCE = timedelta(hours=1)

REASONS = (
    "not_a_hook", "too_large", "too_many", "too_deep", "index", "reader_failed", "another_account", "account_unknown",
)  # fmt: skip
"""Reasons to put a call aside, besides AmoCRM's refusal to tell of an object that a hook named."""

MOST_TIMES = 2_000
"""Hooks whose lag is looked at: a busy day's."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How late the mirror learned of changes, in seconds, over the last day.

    `whole`: from the change in AmoCRM (whole seconds there) to the mirror; `own`: from the call's arrival to the mirror.
    Each as (median, 95th percentile); None where no hook came.
    """

    whole: tuple[float, float] | None = None
    own: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The public part of the webhooks' state, for people and programs. No secret inside.

    `state`: "on", "off" (there is a reason for which nobody need be alarmed), "refused" (AmoCRM does not subscribe us),
    "silent" (subscribed, and yet changes come that no call told of). Counts are of the last 24 hours.
    """

    state: str
    reason: str | None = None
    checked_at: datetime | None = None
    next_check_at: datetime | None = None
    mended_at: datetime | None = None  # when the desk last found itself switched off by AmoCRM and subscribed again
    last_at: datetime | None = None
    received: int = 0
    again: int = 0
    bad: int = 0
    bad_reason: str | None = None  # of the last bad one
    missed: int = 0
    lag: Lag = Lag()
    former_until: datetime | None = None  # a former secret still works until then


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether changes come by themselves, in short. `lost`: of the last hour, told by no hook.

    `state`: "on", "refused", "off", "silent", or "unwanted": there is nothing to subscribe, or it was not tried yet.
    """

    state: str
    reason: str | None = None
    since: datetime | None = None
    lost: int = 0


def standing(store: Store) -> Standing:
    """Read the report in one word. Four small reads."""
    now = clock.now()
    with store.read() as db:
        fact = noted(db)
        quiet_since = max(now - SILENCE, _moment(fact.get("on_since")) or now)
        lost = _missed(db, quiet_since)
        first_lost = db.scalar(sa.select(sa.func.min(hook_misses.c.at)).where(hook_misses.c.at >= quiet_since))
        last_at = _last_at(db)
    state, reason = fact.get("state", "off"), fact.get("reason")
    if state == "off" and reason in (None, decisions.NO_ADDRESS, "not_connected"):
        return Standing("unwanted", reason)
    if state in ("refused", "off"):
        return Standing(state, reason, _moment(fact.get("wrong_since")))
    heard = int(last_at is not None and last_at >= quiet_since)
    return Standing(decisions.word(state, heard=heard, missed=lost), None, first_lost, lost)


def noted(db: sa.Connection) -> dict[str, Any]:
    """Return the notes of the last check of the subscription."""
    text = db.scalar(sa.select(facts.c.value).where(facts.c.key == FACT))
    return json.loads(text) if text else {}


def read(store: Store, *, former_until: datetime | None) -> Report:
    """Read the report as of now. A few small reads."""
    now = clock.now()
    with store.read() as db:
        fact = noted(db)
        counts = _counts(db, now - WINDOW)
        bad_reason = _bad_reason(db, now - WINDOW)
        last_at = _last_at(db)
        missed = _missed(db, now - WINDOW)
        on_since = _moment(fact.get("on_since")) or now
        quiet_since = max(now - SILENCE, on_since if on_since <= now else now - SILENCE)
        missed_lately = _missed(db, quiet_since)
        lag = _lag(db, now - WINDOW)
    heard = int(last_at is not None and last_at >= quiet_since)
    return Report(
        state=decisions.word(fact.get("state", "off"), heard=heard, missed=missed_lately),
        reason=fact.get("reason"),
        checked_at=_moment(fact.get("checked_at")),
        next_check_at=_moment(fact.get("due_at")),
        mended_at=_moment(fact.get("mended_at")),
        last_at=last_at,
        received=sum(counts.values()),
        again=counts.get(AGAIN, 0),
        bad=counts.get(BAD, 0),
        bad_reason=bad_reason,
        missed=missed,
        lag=lag,
        former_until=former_until,
    )


def _counts(db: sa.Connection, since: datetime) -> dict[str, int]:
    """Count the hooks of each state."""
    asked = sa.select(hooks.c.state, sa.func.count().label("n")).where(hooks.c.received_at >= since)
    return {row.state: row.n for row in db.execute(asked.group_by(hooks.c.state))}


def _bad_reason(db: sa.Connection, since: datetime) -> str | None:
    """Return why the last unreadable hook was put aside."""
    bad = sa.select(hooks.c.reason).where(hooks.c.received_at >= since, hooks.c.state == BAD)
    reason: str | None = db.scalar(bad.order_by(hooks.c.id.desc()).limit(1))
    return reason


def _last_at(db: sa.Connection) -> datetime | None:
    """Return when the last readable hook came."""
    moment: datetime | None = db.scalar(sa.select(sa.func.max(hooks.c.received_at)).where(hooks.c.state != BAD))
    return moment


def _lag(db: sa.Connection, since: datetime) -> Lag:
    """Work out how late the mirror learned of changes, from the last `MOST_TIMES` hooks that named an object."""
    times = db.execute(
        sa.select(hooks.c.told_at, hooks.c.received_at, hooks.c.done_at, hooks.c.fetched_at)
        .where(hooks.c.received_at >= since, hooks.c.state == DONE, hooks.c.entities != "{}")
        .order_by(hooks.c.id.desc())
        .limit(MOST_TIMES)
    ).all()
    return Lag(
        whole=_percentiles([row.fetched_at - row.told_at for row in times if row.told_at and row.fetched_at]),
        own=_percentiles([(row.done_at - row.received_at).total_seconds() for row in times]),
    )


def _missed(db: sa.Connection, since: datetime) -> int:
    return int(db.scalar(sa.select(sa.func.count()).select_from(hook_misses).where(hook_misses.c.at >= since)) or 0)


def _percentiles(times_s: Sequence[float]) -> tuple[float, float] | None:
    """Median and 95th percentile; None if there are no times."""
    ordered = sorted(max(0.0, time) for time in times_s)
    median, p95 = percentile(ordered, 50), percentile(ordered, 95)
    return (median, p95) if median is not None and p95 is not None else None


def _moment(unix_s: float | None) -> datetime | None:
    return datetime.fromtimestamp(unix_s, UTC) if unix_s else None

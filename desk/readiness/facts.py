"""Facts of the desk at a moment: a dozen small reads and no request."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from crm.connection import Status
from crm.errors import SetupError
from desk.connection import Connection
from desk.delivery import Outbox
from desk.delivery import report as deliveries_report
from desk.health import Rounds
from desk.mirror import Mirror
from desk.readiness.judge import DATABASE, Access, Answering, Check, Copy, Facts, Verdict, judge
from desk.settings import Settings
from desk.webhooks import Webhooks
from store import Store, StoreError, clock
from store.jumps import Jumps
from store.tables import activity

AMO_IS_WELL = frozenset(
    {
        "ok", "validation", "bad_request", "too_many_items", "not_found", "lead_deleted", "filter_ignored", "rights_missing",
        "rate_limited", "too_large", "request_too_large", "too_many_links", "token_rejected",
    }
)  # fmt: skip
"""Results of a call that prove AmoCRM at work, whether or not the request was liked. "Slow down" and "not with this
key" prove it as well: the connection and the waiting leads have checks of their own."""

SAYS_NOTHING = frozenset({"too_late_to_send"})
"""Results of a call that never left us."""


class Watched(Protocol):
    """The parts of a desk that are looked at."""

    settings: Settings
    store: Store
    rounds: Rounds
    connection: Connection
    outbox: Outbox
    mirror: Mirror
    webhooks: Webhooks
    started_at: datetime | None


def facts_of(desk: Watched, status: Status) -> Facts:
    """Collect the facts. Raises `StoreError`."""
    store = desk.store
    mirror, waiting = desk.mirror.status(), deliveries_report.waiting(store)
    people, people_since = deliveries_report.needing_people(store)
    return Facts(
        now=clock.now(),
        access=Access(
            connected=status.connected,
            state=status.state,
            trouble=status.trouble,
            since=None if status.state == "connected" else desk.connection.failing_since(),
            clock_skew_s=status.clock_skew_s,
        ),
        answering=answering(store),
        delivery_runs=desk.outbox.is_running,
        waiting=waiting[0],
        waiting_since=waiting[1],
        people=people,
        people_since=people_since,
        copy=Copy(
            state=mirror.state,
            as_of=mirror.as_of,
            age=None if mirror.age_s is None else timedelta(seconds=mirror.age_s),
            began_at=mirror.began_at,
            reason=mirror.reason,
            runs=desk.started_at is None or desk.mirror.is_running,
        ),
        hooks=desk.webhooks.standing(),
        rounds=desk.rounds.all(),
        started_at=desk.started_at,
        clock_trouble=clock_trouble(store),
        free_bytes=_free_bytes(desk.settings.data_folder),
    )


def clock_trouble(store: Store) -> tuple[str, datetime | None] | None:
    """The last jump of a clock, as a code and its time, until its effects are made good; else None."""
    open_jumps = [jump.at for jump in Jumps(store).all() if jump.made_good_at is None]
    return ("clock_jumped", datetime.fromtimestamp(min(open_jumps), UTC)) if open_jumps else None


def answering(store: Store) -> Answering:
    """The state of the last calls to AmoCRM, by the journal, which has a line of every try. In the order they
    ended."""
    is_call = (activity.c.duration_ms.is_not(None), activity.c.kind != "token", activity.c.result.not_in(SAYS_NOTHING))
    is_well = activity.c.result.in_(AMO_IS_WELL)
    with store.read() as db:
        newest = sa.select(activity.c.id, activity.c.result).where(*is_call).order_by(activity.c.id.desc()).limit(1)
        last = db.execute(newest).first()
        if last is None or last.result in AMO_IS_WELL:
            return Answering()
        well = sa.select(activity.c.id).where(*is_call, is_well).order_by(activity.c.id.desc()).limit(1)
        failed = sa.select(activity.c.at).where(*is_call, activity.c.id > (db.scalar(well) or 0))
        since = db.scalar(failed.order_by(activity.c.id).limit(1))
    return Answering(since, last.result)


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def look(desk: Watched) -> Verdict:
    """The verdict now."""
    try:
        status = desk.connection.status()
        return Verdict((Check(DATABASE), *judge(facts_of(desk, status))), clock.now(), status)
    except (StoreError, SetupError) as error:
        code = error.code if isinstance(error, SetupError) else "unreachable"
        return Verdict((Check(DATABASE, code),), clock.now())

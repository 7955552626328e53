"""Whether the desk does its business: one list of checks for `/readyz`, for the sidebar and for whoever watches.

    facts_of(desk) ─► Facts ─► judge ─► Verdict: {name: "ok" or a code}, since when

What is judged is what really happened: what became of calls to AmoCRM, how long the oldest lead waits, pauses included, how
old the mirror is, when each kind of background work last went well. `judge` is pure; `facts_of` makes a dozen small reads and no
request. `Watch` keeps the last verdict in memory, so that a page need not wait for the database to be told.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from crm.errors import SetupError
from desk.delivery import report as deliveries_report
from desk.health import Round, age_of
from desk.webhooks.report import Standing
from store import Store, clock
from store.jumps import Jumps
from store.tables import activity

if TYPE_CHECKING:
    from crm.connection import Status
    from desk.desk import Desk

OK = "ok"

NOT_ANSWERING_AFTER = timedelta(seconds=30)
"""Calls that fail for so long, and not one between that did not: no hiccup. A read is tried several times within it."""

AT_ONCE = frozenset({"unpaid", "blocked"})
"""What AmoCRM itself says about the account needs no second answer to be believed."""

AMO_IS_WELL = frozenset(
    {
        "ok", "validation", "bad_request", "too_many_items", "not_found", "lead_deleted", "filter_ignored", "rights_missing",
        "rate_limited", "too_large", "request_too_large", "too_many_links", "token_rejected",
    }
)  # fmt: skip
"""Results of a call after which AmoCRM works, whatever it thought of the request. One that says "slow down", or "not with this
key", works as well: the connection and the waiting leads have checks of their own."""

SAYS_NOTHING = frozenset({"too_late_to_send"})
"""Results of a call that never left us."""

WAITS_TOO_LONG = timedelta(minutes=10)
"""A lead is in AmoCRM within seconds; after this long somebody should know, whatever it waits for."""

MIRROR_TOO_OLD = timedelta(minutes=3)
"""Six rounds of the mirror missed."""

LOST_HOOKS = 3
"""So many changes within an hour that no hook told."""

LEAST_FREE_BYTES = 200 * 1024 * 1024
"""Less than this on the disk and the next large write may be the one that fails: SQLite needs room for its journal."""

CLOCK_LIMIT_S = 300.0
"""A clock this far from AmoCRM's spoils the ends of tokens, and with them the connection."""

LIMITS: Mapping[str, timedelta] = {
    "delivery": timedelta(minutes=3),
    "keeper": timedelta(minutes=10),
    "fields": timedelta(minutes=10),
    "hooks": timedelta(minutes=10),
    "pruning": timedelta(hours=3),
}
"""How long each kind of work may go without a round that went well. Delivering looks around each second, and one request may
take 40 s; the keeper comes round each minute, and waits for a refresh and for AmoCRM's slowest answers; pruning is hourly."""

WORK = ("keeper", "fields", "pruning", "search", "heartbeat", "exports")
"""Kinds of work with a check of their own. Those without a limit above go on only when there is something to do, or for as
long as there is: of them only a failure tells. The mirror's readings are part of its check."""

FAILURE_SHOWN = timedelta(minutes=15)
"""How long a failed round of work without a limit is a reason to be red, if nothing has been done since."""

LOOK_EVERY_S = 3.0
"""Between two verdicts for the sidebar."""

VERDICT_KEPT = timedelta(seconds=30)
"""A verdict older than this is none: whoever makes it waits for the database himself."""

FIRST_VERDICT_S = 2.0
"""How long a page waits for the very first verdict of a desk."""

CONNECTION, AMOCRM, DELIVERY, WAITING, PEOPLE, MIRROR, HOOKS, CLOCK, DISK, DATABASE = (
    "connection", "amocrm", "delivery", "waiting", "people", "mirror", "hooks", "clock", "disk", "database",
)  # fmt: skip

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answering:
    """What becomes of calls to AmoCRM: since when none went well, and how the last one failed. `since` None: they do."""

    since: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """The connection, as far as it is judged. `since`: since when it does not renew itself, or is lost."""

    connected: bool
    state: str
    trouble: str | None = None
    since: datetime | None = None
    clock_skew_s: float | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """The mirror. `as_of`: what it holds was true then; None before the first reading is whole."""

    state: str
    as_of: datetime | None = None
    age: timedelta | None = timedelta()  # None: nobody knows
    began_at: datetime | None = None
    reason: str | None = None
    runs: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known. None stands for what could not be learned or is not there."""

    now: datetime
    access: Access
    answering: Answering = Answering()
    delivery_runs: bool = True
    waiting: int = 0
    waiting_since: datetime | None = None
    people: int = 0
    people_since: datetime | None = None
    copy: Copy = field(default_factory=lambda: Copy("following"))
    hooks: Standing = field(default_factory=lambda: Standing("on"))
    rounds: Mapping[str, Round] = field(default_factory=dict)
    started_at: datetime | None = None  # of the background work of this process; None: it was not begun
    clock_trouble: tuple[str, datetime | None] | None = None
    free_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `code`: "ok", or what is wrong; `since`: since when, as far as is known; `count`: how many it concerns."""

    name: str
    code: str = OK
    since: datetime | None = None
    count: int = 0

    @property
    def is_ok(self) -> bool:
        return self.code == OK


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks, when they were made, and the connection as it was then."""

    checks: tuple[Check, ...]
    made_at: datetime
    status: Status | None = None  # the connection's whole story; None where the database did not tell

    @property
    def is_ready(self) -> bool:
        return all(check.is_ok for check in self.checks)

    @property
    def red(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.is_ok)

    def of(self, name: str) -> Check:
        return next((check for check in self.checks if check.name == name), Check(name))

    def codes(self) -> dict[str, str]:
        return {check.name: check.code for check in self.checks}

    def since(self) -> dict[str, str]:
        return {check.name: check.since.isoformat() for check in self.red if check.since is not None}


def judge(facts: Facts) -> tuple[Check, ...]:
    """Every check of the desk's business, in the order in which people should read of them."""
    return (
        _connection(facts.access),
        _amocrm(facts),
        _delivery(facts),
        _waiting(facts),
        Check(PEOPLE, "leads_need_a_person", facts.people_since, facts.people) if facts.people else Check(PEOPLE),
        _mirror(facts),
        _hooks(facts),
        *(_worker(name, facts) for name in WORK),
        _clock(facts),
        _disk(facts),
    )


def _connection(access: Access) -> Check:
    if not access.connected:
        return Check(CONNECTION, access.trouble or access.state, access.since)
    if access.state in ("failing", "exhausted"):
        return Check(CONNECTION, f"refresh_{access.state}", access.since)
    return Check(CONNECTION)


def _amocrm(facts: Facts) -> Check:
    since, reason = facts.answering.since, facts.answering.reason
    if since is None or not reason:
        return Check(AMOCRM)
    # A failure that lies ahead of us was written down before the clock was set back: it has lasted.
    lasts = not timedelta() <= facts.now - since < NOT_ANSWERING_AFTER
    return Check(AMOCRM, reason, since) if lasts or reason in AT_ONCE else Check(AMOCRM)


def _delivery(facts: Facts) -> Check:
    if not facts.delivery_runs:
        return Check(DELIVERY, "stopped", facts.rounds.get(DELIVERY, Round(DELIVERY)).succeeded_at)
    return _worker(DELIVERY, facts)


def _waiting(facts: Facts) -> Check:
    since = facts.waiting_since
    if since is None or abs(facts.now - since) < WAITS_TOO_LONG:
        return Check(WAITING)
    return Check(WAITING, "lead_waits", since, facts.waiting)


def _mirror(facts: Facts) -> Check:
    copy = facts.copy
    if not copy.runs:
        return Check(MIRROR, "stopped", copy.as_of)
    if copy.state in ("empty", "filling", "failed"):
        return Check(MIRROR, copy.reason or copy.state if copy.state == "failed" else copy.state, copy.began_at)
    if copy.age is None:
        return Check(MIRROR, "age_unknown", copy.as_of)
    if copy.age >= MIRROR_TOO_OLD or copy.state == "stale":
        return Check(MIRROR, "stale", copy.as_of)
    parts = [_worker(name, facts) for name in facts.rounds if name.startswith(f"{MIRROR}.")]
    red = next((part for part in parts if not part.is_ok), None)
    return replace(red, name=MIRROR) if red else _worker(MIRROR, facts)


def _hooks(facts: Facts) -> Check:
    told = facts.hooks
    match told.state:
        case "unwanted":
            return _worker(HOOKS, facts)
        case "refused" | "off":
            return Check(HOOKS, told.reason or told.state, told.since)
        case "silent":
            return Check(HOOKS, "hooks_silent", told.since)
    if told.lost >= LOST_HOOKS:
        return Check(HOOKS, "hooks_lost", told.since, told.lost)
    return _worker(HOOKS, facts)


def _worker(name: str, facts: Facts) -> Check:
    """A kind of work by its rounds. A failure nobody foresaw tells at once; a foreseen one when nothing goes well for long."""
    one = facts.rounds.get(name, Round(name))
    if facts.started_at is None:
        return Check(name)  # this process does no work in the background
    if name not in LIMITS:
        return _by_event(one, facts.now)
    if one.is_strange:
        return Check(name, one.reason or "failing", one.failing_since)
    up, well = age_of(facts.started_at, facts.now), age_of(one.succeeded_at, facts.now)
    if one.succeeded_at is not None and well is None:
        return Check(name, "age_unknown", one.succeeded_at)
    ages = [age for age in (up, well) if age is not None]
    if ages and min(ages) >= LIMITS[name]:
        return Check(name, one.reason if one.is_failing and one.reason else "no_success", one.succeeded_at)
    return Check(name)


def _by_event(one: Round, now: datetime) -> Check:
    """Work that is done when there is some. A file that could not be made is a failure whoever foresaw it."""
    failed_for = age_of(one.failed_at, now)
    is_fresh = failed_for is None or failed_for < FAILURE_SHOWN
    tells = one.is_strange or (one.is_failing and one.name == "exports")
    return Check(one.name, one.reason or "failing", one.failing_since) if tells and is_fresh else Check(one.name)


def _clock(facts: Facts) -> Check:
    if facts.clock_trouble is not None:
        return Check(CLOCK, *facts.clock_trouble)
    skew_s = facts.access.clock_skew_s
    return Check(CLOCK, "clock_wrong") if skew_s is not None and abs(skew_s) > CLOCK_LIMIT_S else Check(CLOCK)


def _disk(facts: Facts) -> Check:
    is_low = facts.free_bytes is not None and facts.free_bytes < LEAST_FREE_BYTES
    return Check(DISK, "disk_low", None, (facts.free_bytes or 0) // 1024**2) if is_low else Check(DISK)


# The facts


def facts_of(desk: Desk, status: Status) -> Facts:
    """What is known now. A dozen small reads and no request. Raises what the database does."""
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
    """A clock that has jumped, as a code and since when, until what that may have cost is made good; None else."""
    open_jumps = [jump.at for jump in Jumps(store).all() if jump.made_good_at is None]
    return ("clock_jumped", datetime.fromtimestamp(min(open_jumps), UTC)) if open_jumps else None


def answering(store: Store) -> Answering:
    """What became of the last calls to AmoCRM, by the journal, which has a line of every try. In the order they ended."""
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


def look(desk: Desk) -> Verdict:
    """The verdict now."""
    try:
        status = desk.connection.status()
        return Verdict((Check(DATABASE), *judge(facts_of(desk, status))), clock.now(), status)
    except (SQLAlchemyError, SetupError) as error:
        code = error.code if isinstance(error, SetupError) else "unreachable"
        return Verdict((Check(DATABASE, code),), clock.now())


class Watch:
    """The last verdict, made again and again in a thread of its own, and since when each check is red."""

    def __init__(self, look: Callable[[], Verdict]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._last: Verdict | None = None
        self._made_s = float("-inf")
        self._red_since: dict[str, tuple[str, datetime]] = {}
        self._news, self._first, self._stopping = threading.Event(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def stop(self, patience_s: float = 2.0) -> None:
        """Look no more."""
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(patience_s)

    def wake(self) -> None:
        """Something has changed that people want to see at once."""
        self._news.set()

    def now(self) -> Verdict:
        """A verdict made for whoever asks: as long as the database takes."""
        return self._seen(self._look())

    def last(self) -> Verdict:
        """The last verdict, from memory; made at once where no thread makes them. A database that keeps us waiting is red."""
        if self._thread is None:
            return self.now()
        self._first.wait(FIRST_VERDICT_S)
        with self._lock:
            last, age_s = self._last, time.monotonic() - self._made_s
        if last is None or age_s > VERDICT_KEPT.total_seconds():
            return Verdict((Check(DATABASE, "too_slow", last.made_at if last else None),), clock.now())
        return last

    def _seen(self, verdict: Verdict) -> Verdict:
        """With the time since when each check is red, where the facts do not tell."""
        with self._lock:
            former = self._red_since
            self._red_since = {
                check.name: (check.code, check.since or self._before(former, check) or verdict.made_at)
                for check in verdict.red
            }
            filled = [
                check if check.is_ok or check.since else replace(check, since=self._red_since[check.name][1])
                for check in verdict.checks
            ]
            self._last, self._made_s = replace(verdict, checks=tuple(filled)), time.monotonic()
            return self._last

    @staticmethod
    def _before(former: Mapping[str, tuple[str, datetime]], check: Check) -> datetime | None:
        code, since = former.get(check.name, ("", None))
        return since if code == check.code else None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.now()
            except Exception as error:  # whatever one look meets, the next one is made
                log.error("the watch stumbled: %s", type(error).__name__)
            self._first.set()
            self._news.wait(LOOK_EVERY_S)
            self._news.clear()

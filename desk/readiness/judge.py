"""Judging the facts: a check for each part of the desk's business. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from crm.connection import Status
from desk.health import Round, age_of
from desk.webhooks import Standing

OK = "ok"

NOT_ANSWERING_AFTER = timedelta(seconds=30)
"""Time of continuous failures after which AmoCRM counts as not answering. A read is tried several times within it."""

AT_ONCE = frozenset({"unpaid", "blocked"})
"""Codes in which AmoCRM itself speaks of the account: a single answer counts."""

WAITS_TOO_LONG = timedelta(minutes=10)
"""Age of a waiting lead after which people should know. A lead usually reaches AmoCRM within seconds."""

MIRROR_TOO_OLD = timedelta(minutes=3)
"""Six rounds of the mirror missed."""

LOST_HOOKS = 3
"""So many changes within an hour that no hook told."""

LEAST_FREE_BYTES = 200 * 1024 * 1024
"""Free bytes on the disk below which the next large write may fail: SQLite needs room for its journal."""

CLOCK_LIMIT_S = 300.0
"""Distance of our clock from AmoCRM's that spoils the ends of tokens, and with them the connection."""

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
"""Time for which a failed round of work without a limit is red, if nothing has been done since."""

CONNECTION, AMOCRM, DELIVERY, WAITING, PEOPLE, MIRROR, HOOKS, CLOCK, DISK, DATABASE = (
    "connection", "amocrm", "delivery", "waiting", "people", "mirror", "hooks", "clock", "disk", "database",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answering:
    """The state of calls to AmoCRM. `since`: beginning of the failures, None if calls succeed; and how the last
    call failed."""

    since: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """The connection, as far as it is judged. `since`: beginning of its failed renewals, or of its loss."""

    connected: bool
    state: str
    trouble: str | None = None
    since: datetime | None = None
    clock_skew_s: float | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """The mirror. `as_of`: time at which its data was true; None before the first reading is whole."""

    state: str
    as_of: datetime | None = None
    age: timedelta | None = timedelta()  # None: nobody knows
    began_at: datetime | None = None
    reason: str | None = None
    runs: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts. None stands for facts that are unknown or absent."""

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
    """A check. `code`: "ok", or the fault; `since`: its beginning, as far as is known; `count`: number of things
    concerned."""

    name: str
    code: str = OK
    since: datetime | None = None
    count: int = 0

    @property
    def is_ok(self) -> bool:
        return self.code == OK


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks with their time, and the connection at that time."""

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
    """Check a kind of work by its rounds. An unforeseen failure is red at once; a foreseen failure if nothing goes
    well for long."""
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
    """Check work done on demand. A file that could not be made is a failure, foreseen or not."""
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

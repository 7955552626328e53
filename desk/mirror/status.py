"""The mirror's status for people: filling or following, as of when, failures, jumps of clocks, omissions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from desk.mirror import night
from desk.mirror import walks as names
from desk.mirror.walks import Walk, Walks
from store import Store, clock, waits
from store.jumps import Jump, Jumps

STALE_AFTER = timedelta(minutes=3)
"""Age at which the numbers count as stale: six missed rounds."""

SLACK_S = 2.0
"""Seconds by which a round may seem to lie in the future: a clock put back by a moment makes nothing stale."""


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """The mirror's status on a screen.

    `state`: "empty" (nothing read yet), "filling", "following", "stale" (no round has succeeded for a while, or nobody can tell
    because a clock has jumped since), "failed" (the first reading cannot go on). `as_of`: the numbers were true then, by
    AmoCRM's clock if it tells the time; never in the future. `age_s`: by the desk's clock; None: not known. `read`: leads read
    so far, while filling.
    """

    state: str
    as_of: datetime | None
    read: int = 0
    began_at: datetime | None = None
    reason: str | None = None
    next_try: datetime | None = None
    history_back_to: datetime | None = None  # stage history is known from here on; None: from the beginning
    theirs: int | None = None  # AmoCRM's own count, at the last count
    ours: int | None = None
    mended: int = 0
    counted_at: datetime | None = None
    stages: tuple[tuple[int, int, int, int], ...] = ()  # that differed then: pipeline, status, theirs, ours
    stages_reason: str | None = None  # why AmoCRM did not count by stage
    age_s: float | None = None
    failing_since: datetime | None = None  # of what `reason` is about
    failing: dict[str, str] = field(default_factory=dict)  # each reading that fails now, with its reason
    succeeded: dict[str, datetime] = field(default_factory=dict)  # each reading's last success: when it began
    jump: Jump | None = None  # the last jump of a clock
    contacts_missing: int = 0  # people whom leads name and AmoCRM does not bring
    contacts_reason: str | None = None
    comparing: int | None = None  # leads the nightly round has compared so far; None: none is under way
    compared: int | None = None  # by the last whole one
    compared_mended: int = 0
    compared_at: datetime | None = None
    shrunk: dict[str, int] = field(default_factory=dict)  # what is asked for in smaller pages now, in this process

    @property
    def has_numbers(self) -> bool:
        """Whether there are numbers to show."""
        return self.state in ("filling", "following", "stale")

    @property
    def is_clock_unsure(self) -> bool:
        """Whether a clock has jumped since the last successful round: then the age of the numbers is unknown."""
        return self.jump is not None and self.jump.made_good_at is None


def read(
    store: Store, walks: Walks, jumps: Jumps, now: datetime | None = None, shrunk: dict[str, int] | None = None
) -> MirrorStatus:
    """The status now. No request."""
    now_s = walks.now_s() if now is None else now.timestamp()
    known = walks.all()
    fill, changes, contacts, counted, compared, events = (
        known.get(name, Walk(name))
        for name in (names.FILL, names.LEADS, names.CONTACTS, names.COUNT, names.NIGHT, names.EVENTS)
    )
    fill = _with_what_it_waits_for(fill, known.get(names.REFERENCE, Walk(names.REFERENCE)))
    jump = jumps.last()
    age_s = _age_s(changes if fill.is_whole else fill, now_s)
    state, as_of = _state(fill, changes, age_s, jump)
    told = fill if state in ("filling", "failed", "empty") else changes
    status = MirrorStatus(
        state=state,
        as_of=min(as_of, clock.now() if now is None else now) if as_of is not None else None,
        read=fill.done,
        began_at=fill.began_at,
        reason=told.reason,
        next_try=_next_try(told, now_s),
        history_back_to=_history(events, fill),
        age_s=age_s,
        failing_since=told.failing_since,
        failing={name: walk.reason for name, walk in known.items() if walk.reason},
        succeeded={name: walk.as_of for name, walk in known.items() if walk.as_of is not None},
        jump=jump,
        contacts_missing=len((contacts.cursor or {}).get(names.WANTED, ())) if contacts.reason else 0,
        contacts_reason=contacts.reason,
        shrunk=shrunk or {},
    )
    return _with_comparison(_with_count(status, counted), compared)


def _with_count(status: MirrorStatus, counted: Walk) -> MirrorStatus:
    """The status with the result of the last count."""
    result = counted.cursor or {}
    return replace(
        status,
        theirs=result.get("theirs"),
        ours=result.get("ours"),
        mended=result.get("mended", 0),
        counted_at=counted.as_of if result else None,
        stages=tuple((pipeline, stage, theirs, ours) for pipeline, stage, theirs, ours in result.get("stages", ())),
        stages_reason=result.get("stages_reason"),
    )


def _with_comparison(status: MirrorStatus, compared: Walk) -> MirrorStatus:
    """The status with the nightly round: progress of the present round, or the result of the last."""
    result = compared.cursor or {}
    if night.is_under_way(compared):
        return replace(status, comparing=result.get("leads"))
    return replace(
        status,
        compared=result.get("compared"),
        compared_mended=result.get("mended", 0),
        compared_at=compared.as_of if result else None,
    )


def _with_what_it_waits_for(fill: Walk, reference: Walk) -> Walk:
    """The first reading with the failure of the reference data (stages, people) it waits for."""
    if fill.is_whole or fill.reason or not reference.reason:
        return fill
    return replace(
        fill,
        reason=reference.reason,
        failing_since=reference.failing_since,
        due_at=reference.due_at,
        waits_from=reference.waits_from,
        failures=reference.failures,
    )


def _age_s(walk: Walk, now_s: float) -> float | None:
    """Age of the numbers; None if unknown, as for numbers that seem to come from the future."""
    at = walk.whole_at if walk.whole_at is not None else walk.as_of.timestamp() if walk.as_of is not None else None
    return None if at is None or at > now_s + SLACK_S else max(0.0, now_s - at)


def _next_try(walk: Walk, now_s: float) -> datetime | None:
    """Time of the next try after a failed reading; never later from now than its own rule."""
    if not walk.reason:
        return None
    return datetime.fromtimestamp(now_s + waits.left_s(walk.waits_from, walk.due_at, now_s), UTC)


def _history(events: Walk, fill: Walk) -> datetime | None:
    """Beginning of the known stage history: while the past is being read, the reach so far; before that, the first
    reading."""
    if events.cursor is None:
        return fill.as_of or fill.began_at
    since = events.cursor.get("until") or events.cursor.get("reaches")
    return datetime.fromtimestamp(since, UTC) if since else None


def _state(fill: Walk, changes: Walk, age_s: float | None, jump: Jump | None) -> tuple[str, datetime | None]:
    if fill.is_whole:
        is_fresh = age_s is not None and age_s < STALE_AFTER.total_seconds()
        is_sure = jump is None or jump.made_good_at is not None
        return ("following" if is_fresh and is_sure else "stale"), changes.as_of or fill.as_of
    if fill.began_at is None:
        return ("failed" if fill.reason else "empty"), None
    return ("failed" if fill.reason and not fill.done else "filling"), fill.began_at

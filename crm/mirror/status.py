"""How far the mirror is, for people: filling or following, as of when, what went wrong, whether hooks were missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crm.mirror import walks as names
from crm.mirror.walks import Walk, Walks
from crm.store import Store, clock

STALE_AFTER = timedelta(minutes=3)
"""Six rounds missed: then somebody should not trust the numbers without a look at the time beside them."""


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """What a screen says about its numbers.

    `state`: "empty" (nothing read yet), "filling", "following", "stale" (no round has succeeded for a while), "failed" (the
    first reading cannot go on). `as_of`: the numbers were true then. `read`: leads read so far, while filling.
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

    @property
    def has_numbers(self) -> bool:
        """Whether there is anything to show."""
        return self.state in ("filling", "following", "stale")


def read(store: Store, walks: Walks, now: datetime | None = None) -> MirrorStatus:
    """The status now. No request."""
    now = now or clock.now()
    known = walks.all()
    fill, changes = known.get(names.FILL, Walk(names.FILL)), known.get(names.LEADS, Walk(names.LEADS))
    counted = known.get(names.COUNT, Walk(names.COUNT))
    result = counted.cursor or {}
    state, as_of = _state(fill, changes, now)
    told = fill if state in ("filling", "failed", "empty") else changes
    history = _history(known.get(names.EVENTS, Walk(names.EVENTS)), fill)
    return MirrorStatus(
        state=state,
        as_of=as_of,
        read=fill.done,
        began_at=fill.began_at,
        reason=told.reason,
        next_try=datetime.fromtimestamp(told.due_at, UTC) if told.reason else None,
        history_back_to=history,
        theirs=result.get("theirs"),
        ours=result.get("ours"),
        mended=result.get("mended", 0),
        counted_at=counted.as_of if result else None,
    )


def _history(events: Walk, fill: Walk) -> datetime | None:
    """Since when stage changes are known: while they are read backwards, after the reach of that, and before it has begun."""
    if events.cursor is None:
        return fill.as_of or fill.began_at
    since = events.cursor.get("until") or events.cursor.get("reaches")
    return datetime.fromtimestamp(since, UTC) if since else None


def _state(fill: Walk, changes: Walk, now: datetime) -> tuple[str, datetime | None]:
    if fill.is_whole:
        fresh = changes.as_of is not None and now - changes.as_of < STALE_AFTER
        return ("following" if fresh else "stale"), changes.as_of or fill.as_of
    if fill.began_at is None:
        return ("failed" if fill.reason else "empty"), None
    return ("failed" if fill.reason and not fill.done else "filling"), fill.began_at

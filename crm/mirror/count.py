"""AmoCRM's own number of leads beside ours; a stretch of time in which they differ is read anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from crm.amo import walk
from crm.amo.client import PAGE_LIMIT, Client
from crm.amo.leads import created_between
from crm.amo.walk import LEADS
from crm.mirror import walks as names
from crm.mirror.decisions import NOT_BEFORE_S, OVERLAP_S
from crm.mirror.reading import Reading, linked
from crm.mirror.rows import Rows
from crm.mirror.shape import Places
from crm.mirror.walks import Walks
from crm.store import Store, clock
from crm.store.tables import leads

DEEPEST = 26
"""Times a stretch is halved while looking for where the counts differ: from all of time down to a few seconds."""


class Count:
    """The count. Not thread-safe: the mirror's keeper makes it."""

    def __init__(
        self, store: Store, client: Client, rows: Rows, walks: Walks, places: Callable[[], Places], reading: Reading
    ) -> None:
        self._store, self._client, self._rows, self._walks = store, client, rows, walks
        self._places, self._reading = places, reading

    def run(self) -> dict[str, Any]:
        """AmoCRM's own number of leads, and ours; stretches in which they differ are read anew.

        One request where they are equal, else some ten for each stretch and one for each 250 leads in it.
        """
        begun = self._reading.begin()
        newest = self._reading.their_time(begun) or clock.unix()
        settled = int(newest) - 2 * OVERLAP_S  # what is newer the next round finds
        ours = self._ours(0, settled)
        theirs = self._theirs(0, settled, ours)
        mended = 0
        if theirs != ours:
            mended = self._mend(0, settled, theirs, ours, DEEPEST)
        result = {"theirs": theirs, "ours": ours, "mended": mended}
        as_of = self._reading.as_of(begun)
        self._walks.end(names.COUNT, as_of=as_of, cursor=result, next_in_s=NOT_BEFORE_S, began_s=begun.at_s)
        return result

    def _mend(self, since: int, until: int, theirs: int, ours: int, depth: int) -> int:
        """Find where the counts differ, halving the time, and read that anew. How many leads were wrong."""
        if theirs == ours:
            return 0
        if max(theirs, ours) <= PAGE_LIMIT or depth == 0 or until - since <= 1:
            return self._read_stretch(since, until)
        middle = self._middle(since, until)
        left_ours = self._ours(since, middle)
        left_theirs = self._theirs(since, middle, left_ours)
        left = self._mend(since, middle, left_theirs, left_ours, depth - 1)
        right = self._mend(middle + 1, until, theirs - left_theirs, ours - left_ours, depth - 1)
        return left + right

    def _read_stretch(self, since: int, until: int) -> int:
        """All leads created in a stretch, as AmoCRM has them: missing ones come; what does not come is asked for by id.

        How many were missing or gone.
        """
        with self._store.read() as db:
            here = set(db.scalars(sa.select(leads.c.id).where(*_within(since, until))))
        found: set[int] = set()
        unknown: set[int] = set()
        asked = self._rows.version()
        for page in created_between(self._client, since, until, live=False):
            with self._rows.changing() as db:
                kept = self._rows.keep_leads(db, page, self._places(), asked)
                unknown |= self._rows.unknown_contacts(db, linked(page))
            if kept.doubtful:
                self._reading.ask_again(leads=kept.doubtful)
            found |= {lead["id"] for lead in page}
            asked = self._rows.version()
        gone: list[int] = []
        if suspects := here - found:  # a lead may have slipped through between two pages
            _, gone, more = self._reading.leads(suspects)
            unknown |= more
        if unknown:
            self._reading.contacts(unknown)
        return len(gone) + len(found - here)

    def _middle(self, since: int, until: int) -> int:
        """A time that halves our own leads of a stretch, not its days: most of a club's past is empty."""
        with self._store.read() as db:
            count = int(db.scalar(sa.select(sa.func.count()).where(*_within(since, until))) or 0)
            wanted = sa.select(leads.c.created_at).where(*_within(since, until)).order_by(leads.c.created_at)
            middle = db.scalar(wanted.offset(count // 2).limit(1)) if count else None
        return middle if middle is not None and since <= middle < until else (since + until) // 2

    def _ours(self, since: int, until: int) -> int:
        with self._store.read() as db:
            return int(db.scalar(sa.select(sa.func.count()).select_from(leads).where(*_within(since, until))) or 0)

    def _theirs(self, since: int, until: int, about: int) -> int:
        return walk.count(self._client, LEADS, since, until, about)


def _within(since: int, until: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (leads.c.created_at >= since, leads.c.created_at <= until, leads.c.is_deleted.is_(False))

"""AmoCRM's numbers of leads beside ours, in all and by stage; a stretch of time with different numbers is read
anew."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from crm.client import PAGE_LIMIT, Client
from crm.errors import BrokenWord, SaidNo
from crm.leads import Stage, created_between
from desk.mirror import walks as names
from desk.mirror.collections import count_leads
from desk.mirror.decisions import NOT_BEFORE_S, OVERLAP_S
from desk.mirror.reading import Reading, linked
from desk.mirror.rows import Rows
from desk.mirror.shape import FieldIds
from desk.mirror.walks import Walks
from store import Store, clock
from store.tables import leads, stages

log = logging.getLogger(__name__)

DEEPEST = 26
"""Times a stretch is halved while looking for the difference: from all of time down to a few seconds."""


class Count:
    """The count of leads. Not thread-safe: the mirror's keeper counts."""

    def __init__(
        self,
        store: Store,
        client: Client,
        rows: Rows,
        walks: Walks,
        field_ids: Callable[[], FieldIds],
        reading: Reading,
        catch_up: Callable[[], object],
    ) -> None:
        """`catch_up`: reads the changes since the last round."""
        self._catch_up = catch_up
        self._store, self._client, self._rows, self._walks = store, client, rows, walks
        self._field_ids, self._reading = field_ids, reading

    def run(self) -> dict[str, Any]:
        """Compare AmoCRM's numbers of leads with ours, and read stretches with different numbers anew.

        One request for all leads and one for each stage where they are equal, else some ten for each stretch and one for
        each 250 leads in it. Of `stages` only those that differed are told: (pipeline, status, theirs, ours).
        """
        begun = self._reading.begin()
        newest = self._reading.their_time(begun) or clock.unix()
        settled = int(newest) - 2 * OVERLAP_S  # what is newer the next round finds
        ours = self._ours(0, settled)
        theirs = self._theirs(0, settled, ours)
        mended = 0
        if theirs != ours:
            mended = self._mend(0, settled, theirs, ours, DEEPEST)
        differed, reason = [], None
        try:
            for stage in self._stages():
                told = self._compare_stage(stage, settled)
                if told is not None:
                    differed.append([*stage, *told[:2]])
                    mended += told[2]
        except (BrokenWord, SaidNo) as error:
            # An AmoCRM that does not know stages in a filter has counted all of them well; the nightly round compares each lead.
            log.warning("AmoCRM does not count by stage: %s", error)
            reason = error.code
        result = {"theirs": theirs, "ours": ours, "mended": mended, "stages": differed, "stages_reason": reason}
        as_of = self._reading.as_of(begun)
        self._walks.end(names.COUNT, as_of=as_of, cursor=result, next_in_s=NOT_BEFORE_S, began_s=begun.at_s)
        return result

    def _stages(self) -> list[Stage]:
        """Every stage known from AmoCRM or holding a lead of the mirror."""
        with self._store.read() as db:
            told = db.execute(sa.select(stages.c.pipeline_id, stages.c.status_id)).all()
            here = sa.select(leads.c.pipeline_id, leads.c.status_id).where(leads.c.is_deleted.is_(False)).distinct()
            return sorted({(pipeline_id, status_id) for pipeline_id, status_id in [*told, *db.execute(here)]})

    def _compare_stage(self, stage: Stage, settled: int) -> tuple[int, int, int] | None:
        """AmoCRM's number of leads in a stage, ours, and how many leads were wrong; None if the numbers are equal.

        A lead that was moved a moment ago makes two stages differ: what has changed is read first, and then it is asked again.
        """
        for is_sure in (False, True):
            ours = self._ours(0, settled, stage)
            theirs = self._theirs(0, settled, ours, stage)
            if theirs == ours:
                return None
            if not is_sure:
                self._catch_up()
        return theirs, ours, self._mend(0, settled, theirs, ours, DEEPEST, stage)

    def _mend(self, since: int, until: int, theirs: int, ours: int, depth: int, stage: Stage | None = None) -> int:
        """Find the stretch with different counts by halving the time, and read the stretch anew. Return how many
        leads were wrong."""
        if theirs == ours:
            return 0
        if max(theirs, ours) <= PAGE_LIMIT or depth == 0 or until - since <= 1:
            return self._read_stretch(since, until, stage)
        middle = self._middle(since, until, stage)
        left_ours = self._ours(since, middle, stage)
        left_theirs = self._theirs(since, middle, left_ours, stage)
        left = self._mend(since, middle, left_theirs, left_ours, depth - 1, stage)
        right = self._mend(middle + 1, until, theirs - left_theirs, ours - left_ours, depth - 1, stage)
        return left + right

    def _read_stretch(self, since: int, until: int, stage: Stage | None) -> int:
        """Read all leads created in a stretch as AmoCRM has them. Missing leads are added; leads AmoCRM does not list
        are asked for by id.

        How many were missing, gone or elsewhere.
        """
        with self._store.read() as db:
            here = set(db.scalars(sa.select(leads.c.id).where(*_within(since, until, stage))))
        found: set[int] = set()
        unknown: set[int] = set()
        asked = self._rows.version()
        for page in created_between(self._client, since, until, live=False, stage=stage):
            with self._rows.keeping() as db:
                kept = self._rows.keep_leads(db, page, self._field_ids(), asked)
                unknown |= self._rows.unknown_contacts(db, linked(page))
            if kept.doubtful:
                self._reading.ask_again(leads=kept.doubtful)
            found |= {lead["id"] for lead in page}
            asked = self._rows.version()
        wrong = len(found - here)
        if suspects := here - found:  # a lead may have slipped through between two pages
            _, gone, more = self._reading.leads(suspects)
            wrong += len(gone) if stage is None else len(suspects)
            unknown |= more
        if unknown:
            self._reading.contacts(unknown)
        return wrong

    def _middle(self, since: int, until: int, stage: Stage | None) -> int:
        """A time that halves our own leads of a stretch, not its days: most of a club's past is empty."""
        with self._store.read() as db:
            count = int(db.scalar(sa.select(sa.func.count()).where(*_within(since, until, stage))) or 0)
            wanted = sa.select(leads.c.created_at).where(*_within(since, until, stage)).order_by(leads.c.created_at)
            middle = db.scalar(wanted.offset(count // 2).limit(1)) if count else None
        return middle if middle is not None and since <= middle < until else (since + until) // 2

    def _ours(self, since: int, until: int, stage: Stage | None = None) -> int:
        wanted = sa.select(sa.func.count()).select_from(leads).where(*_within(since, until, stage))
        with self._store.read() as db:
            return int(db.scalar(wanted) or 0)

    def _theirs(self, since: int, until: int, about: int, stage: Stage | None = None) -> int:
        return count_leads(self._client, since, until, about, stage=stage)


def _within(since: int, until: int, stage: Stage | None) -> tuple[sa.ColumnElement[bool], ...]:
    there = () if stage is None else (leads.c.pipeline_id == stage[0], leads.c.status_id == stage[1])
    return (leads.c.created_at >= since, leads.c.created_at <= until, leads.c.is_deleted.is_(False), *there)

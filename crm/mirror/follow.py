"""The rounds that keep the mirror true after it was filled.

fetch      these leads and contacts, because somebody hinted at them
changes    what changed since the last round, with overlap: it needs no hint
bin        what was thrown away
history    stage changes from AmoCRM's own log, with their true times
reference  stages, people, loss reasons
count      AmoCRM's own number of leads beside ours; a stretch in which they differ is read anew
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from crm.amo import events, loss_reasons, pipelines, users, walk
from crm.amo.client import PAGE_LIMIT, Client
from crm.amo.events import Moved
from crm.amo.leads import contact_ids, created_between
from crm.amo.walk import CONTACTS, LEADS, Kind
from crm.errors import NotLetIn, SaidNo
from crm.mirror import walks as names
from crm.mirror.rows import Rows
from crm.mirror.shape import Places
from crm.mirror.walks import Walks
from crm.store import Store, clock
from crm.store.tables import leads

CHANGES_EVERY_S = 30.0
"""A change that no hook told is on the screen this much later. Two requests each time."""

BIN_EVERY_S = 300.0
HISTORY_EVERY_S = 300.0
REFERENCE_EVERY_S = 600.0
COUNT_EVERY_S = 86_400.0

OVERLAP_S = 30
"""How far each round looks back before the last: a change shows in a list a moment after its time, and seconds are
AmoCRM's finest. The log is asked for as much beyond now, because the two clocks are known to a second or two."""

HISTORY_REACH = timedelta(days=400)
"""How far back stage changes are read at first: a year and a month beside it for comparing."""

HISTORY_SLICE = timedelta(days=10)
"""Of one reading of the log; a stop in the middle of a year's history loses no more than this."""

NIGHT = range(3, 6)
"""Hours of the club's clock in which the count is due: nobody waits for AmoCRM then."""

DEEPEST = 26
"""Times a stretch is halved while looking for where the counts differ: from all of time down to a few seconds."""

log = logging.getLogger(__name__)


class Follow:
    """The rounds. Not thread-safe: the mirror's keeper runs them."""

    def __init__(
        self,
        store: Store,
        client: Client,
        rows: Rows,
        walks: Walks,
        places: Callable[[], Places],
        amo_now: Callable[[], int],
    ) -> None:
        """`amo_now`: AmoCRM's clock, unix seconds."""
        self._store, self._client, self._rows, self._walks = store, client, rows, walks
        self._places, self._amo_now = places, amo_now

    # Hints

    def fetch(self, lead_ids: Iterable[int], contact_ids: Iterable[int] = ()) -> None:
        """These, as they are now. One request for each 250 leads and contacts; one more where some are gone."""
        places = self._places()
        wanted_leads, wanted_contacts = sorted(set(lead_ids)), set(contact_ids)
        found = walk.by_ids(self._client, LEADS, wanted_leads) if wanted_leads else []
        missing = set(wanted_leads) - {lead["id"] for lead in found}
        with self._rows.changing() as db:
            kept = self._rows.keep_leads(db, found, places)
            wanted_contacts |= self._rows.unknown_contacts(db, _linked(found))
        if missing:
            self._throw_away(missing)
        if wanted_contacts:
            self._fetch_contacts(sorted(wanted_contacts), places)
        if kept.moved:
            self._walks.hurry(names.EVENTS)

    def _fetch_contacts(self, ids: Sequence[int], places: Places) -> None:
        found = walk.by_ids(self._client, CONTACTS, ids)
        gone = set(ids) - {contact["id"] for contact in found}
        with self._rows.changing() as db:
            self._rows.keep_contacts(db, found, places)
            orphans = self._rows.bin_contacts(db, gone) if gone else []
        if orphans:
            again = walk.by_ids(self._client, LEADS, orphans)
            with self._rows.changing() as db:
                self._rows.keep_leads(db, again, places)

    def _throw_away(self, ids: Iterable[int]) -> None:
        with self._rows.changing() as db:
            self._rows.bin_leads(db, ids)

    # Rounds

    def changes(self) -> tuple[list[int], list[int]]:
        """What changed since the last round; the leads and contacts that were news. Two requests, more for each 250 of them."""
        began, since = clock.now(), self._since(names.LEADS)
        now = self._amo_now()
        places, moved = self._places(), False
        news: list[int] = []
        unknown: set[int] = set()
        for page in walk.changed_since(self._client, LEADS, since):
            with self._rows.changing() as db:
                kept = self._rows.keep_leads(db, page, places)
                unknown |= self._rows.unknown_contacts(db, _linked(page))
            news += kept.news
            moved = moved or bool(kept.moved)
        changed_contacts: set[int] = set()
        contacts_since = self._since(names.CONTACTS)
        for page in walk.changed_since(self._client, CONTACTS, contacts_since):
            with self._rows.changing() as db:
                self._rows.keep_contacts(db, page, places)
            changed_contacts |= {contact["id"] for contact in page}
        if unknown - changed_contacts:
            self._fetch_contacts(sorted(unknown - changed_contacts), places)
        for name in (names.LEADS, names.CONTACTS):
            self._walks.end(name, as_of=began, cursor={"since": now - OVERLAP_S}, next_in_s=CHANGES_EVERY_S)
        if moved:
            self._walks.hurry(names.EVENTS)
        return sorted(set(news)), sorted(changed_contacts)

    def bin(self) -> None:
        """What was thrown away since the last look. Two requests, and one more where something was."""
        began, since, now = clock.now(), self._since(names.BIN), self._amo_now()
        while_filling = "filled" in (self._walks.of(names.BIN).cursor or {})
        for ids in walk.in_bin(self._client, LEADS, since):
            self._check_gone(LEADS, ids)
            if while_filling:
                self._walks.hurry(names.COUNT)  # a lead may have slipped through between two pages
        for ids in walk.in_bin(self._client, CONTACTS, since):
            self._check_gone(CONTACTS, ids)
        self._walks.end(names.BIN, as_of=began, cursor={"since": now - OVERLAP_S}, next_in_s=BIN_EVERY_S)

    def _check_gone(self, kind: Kind, ids: Sequence[int]) -> None:
        """What a bin listed, less what is not in it: AmoCRM answers with everything where it does not know a word."""
        here = {item["id"] for item in walk.by_ids(self._client, kind, ids)}
        gone = [one for one in ids if one not in here]
        if kind is LEADS:
            self._throw_away(gone)
        else:
            with self._rows.changing() as db:
                orphans = self._rows.bin_contacts(db, gone)
            if orphans:
                self.fetch(orphans)

    def history(self) -> None:
        """Stage changes since the last look, the newest stretch first when there is a year to read. One request a stretch."""
        began = clock.now()
        cursor = self._walks.of(names.EVENTS).cursor or self._whole_history()
        if "back_to" in cursor:
            self._read_back(cursor, began)
            return
        now = self._amo_now()
        self._keep_history(cursor["since"], now + OVERLAP_S)
        after = {**cursor, "since": now - OVERLAP_S}
        self._walks.end(names.EVENTS, as_of=began, cursor=after, next_in_s=HISTORY_EVERY_S)

    def _whole_history(self) -> dict[str, int]:
        now = self._amo_now()
        return {"until": now + OVERLAP_S, "back_to": now - int(HISTORY_REACH.total_seconds()), "from": now}

    def _read_back(self, cursor: dict[str, int], began: datetime) -> None:
        """One more stretch of the past; nobody looks at a year's funnel in the first minute."""
        until = cursor["until"]
        since = max(cursor["back_to"], until - int(HISTORY_SLICE.total_seconds()))
        self._keep_history(since, until)
        is_all = since < self._oldest()
        over = is_all or since <= cursor["back_to"]
        after: dict[str, int] = {"since": cursor["from"] - OVERLAP_S} if over else {**cursor, "until": since}
        if over and not is_all:
            after["reaches"] = since
        self._walks.end(names.EVENTS, as_of=began, cursor=after, next_in_s=HISTORY_EVERY_S if over else 0.0)

    def _keep_history(self, since: int, until: int) -> None:
        for page in events.stage_changes(self._client, since, until):
            with self._rows.changing() as db:
                self._rows.keep_events(db, map(_event_row, page))

    def _oldest(self) -> int:
        with self._store.read() as db:
            return int(db.scalar(sa.select(sa.func.min(leads.c.created_at))) or 0)

    def reference(self) -> None:
        """Stages, people, loss reasons. Three requests; a token without admin rights may not see people: they stay numbers."""
        began = clock.now()
        stages = pipelines.stages(self._client, live=False)
        people = self._allowed(lambda: users.names(self._client, live=False))
        reasons = self._allowed(lambda: loss_reasons.names(self._client, live=False))
        self._rows.keep_reference(stages, people, reasons)
        self._walks.end(names.REFERENCE, as_of=began, cursor=None, next_in_s=REFERENCE_EVERY_S)

    @staticmethod
    def _allowed(read: Callable[[], dict[int, str]]) -> dict[int, str]:
        """What an account may not have, or this person may not see, is empty."""
        try:
            return read()
        except (NotLetIn, SaidNo) as error:
            if error.code not in ("rights_missing", "not_found", "unpaid"):
                raise
            return {}

    # The count

    def count(self) -> dict[str, Any]:
        """AmoCRM's own number of leads, and ours; stretches in which they differ are read anew.

        Two requests where they are equal, else some ten for each stretch and one for each 250 leads in it.
        """
        began = clock.now()
        settled = self._amo_now() - 2 * OVERLAP_S  # what is newer the next round finds
        ours = self._ours(0, settled)
        theirs = self._theirs(0, settled, ours)
        mended = 0
        if theirs != ours:
            mended = self._mend(0, settled, theirs, ours, DEEPEST)
        result = {"theirs": theirs, "ours": ours, "mended": mended}
        self._walks.end(names.COUNT, as_of=began, cursor=result, next_in_s=COUNT_EVERY_S)
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
        """All leads created in a stretch, as AmoCRM has them: missing ones come, those that are not there go."""
        found: dict[int, dict[str, Any]] = {}
        for page in created_between(self._client, since, until, live=False):
            found |= {lead["id"]: lead for lead in page}
        places = self._places()
        with self._store.read() as db:
            here = set(db.scalars(sa.select(leads.c.id).where(*_within(since, until))))
        gone = here - found.keys()
        if gone:  # a lead may have slipped through between two pages
            gone -= {lead["id"] for lead in walk.by_ids(self._client, LEADS, sorted(gone))}
        missing = found.keys() - here
        with self._rows.changing() as db:
            self._rows.keep_leads(db, found.values(), places)
            self._rows.bin_leads(db, gone)
            unknown = self._rows.unknown_contacts(db, _linked(found.values()))
        if unknown:
            self._fetch_contacts(sorted(unknown), places)
        return len(gone) + len(missing)

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

    def _since(self, name: str) -> int:
        cursor = self._walks.of(name).cursor or {}
        return int(cursor.get("since", 0))


def _within(since: int, until: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (leads.c.created_at >= since, leads.c.created_at <= until, leads.c.is_deleted.is_(False))


def _linked(found: Iterable[dict[str, Any]]) -> set[int]:
    return {one for lead in found for one in contact_ids(lead)}


def _event_row(moved: Moved) -> dict[str, Any]:
    before = moved.before or (None, None)
    return {
        "lead_id": moved.lead_id,
        "at": moved.at,
        "from_pipeline_id": before[0],
        "from_status_id": before[1],
        "to_pipeline_id": moved.after[0],
        "to_status_id": moved.after[1],
        "event_id": moved.event_id,
    }

"""The rounds by which the filled mirror follows AmoCRM.

fetch      these leads and contacts, because somebody hinted at them
leads      what changed since the last round, with overlap: it needs no hint
contacts   the same, and whoever the leads name and nobody has read
tasks      the same of tasks, which move no time of their leads: see tasks.py
bin        what was thrown away
history    stage changes from AmoCRM's own log, with their true times
reference  stages, people, loss reasons

Each goes on from the newest change it has seen, by AmoCRM's own times (`decisions.next_since`): no clock of ours is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from crm import events, loss_reasons, pipelines, users
from crm.answers import number
from crm.client import Client
from crm.errors import NotLetIn, SaidNo
from crm.events import Moved
from crm.walk import CONTACTS, LEADS, Kind
from desk.mirror import collections, reference
from desk.mirror import walks as names
from desk.mirror.decisions import OVERLAP_S, PAGE, next_since
from desk.mirror.reading import Begun, Reading, linked
from desk.mirror.rows import Rows
from desk.mirror.shape import FieldIds
from desk.mirror.tasks import Tasks
from desk.mirror.walks import Walks
from store import Store, clock
from store.tables import contacts, leads

CHANGES_EVERY_S = 30.0
"""Seconds between two rounds: the delay of a change without a hook. Five requests: leads, contacts, tasks and two
bins."""

HISTORY_EVERY_S = 300.0
REFERENCE_EVERY_S = 600.0

HISTORY_REACH = timedelta(days=400)
"""Reach of the first reading of stage changes: a year, and a month beside it for comparing."""

HISTORY_SLICE = timedelta(days=10)
"""Span of a reading of the log; a stop in the middle of a year's history loses no more than a span."""

LAST_SECOND = 2**31 - 1
"""The end of a time that is still open, as AmoCRM's filters take it: what came a moment ago is in it whatever the clocks say."""


class Follow:
    """The rounds of the mirror. Not thread-safe: the mirror's keeper runs them."""

    def __init__(
        self,
        store: Store,
        client: Client,
        rows: Rows,
        walks: Walks,
        field_ids: Callable[[], FieldIds],
        reading: Reading,
    ) -> None:
        self._store, self._client, self._rows, self._walks = store, client, rows, walks
        self._field_ids, self._reading = field_ids, reading
        self.tasks = Tasks(store, client, rows, walks, reading, self._next, self._end)

    def fetch(self, lead_ids: Iterable[int], contact_ids: Iterable[int] = (), task_ids: Iterable[int] = ()) -> None:
        """Read some leads, contacts and tasks as they are now. A request for each 250 of a kind; for missing ids
        see `presence`."""
        wanted_leads, wanted_contacts = set(lead_ids), set(contact_ids)
        if wanted_leads:
            kept, _, unknown = self._reading.leads(wanted_leads)
            wanted_contacts |= unknown
            if kept.moved:
                self._walks.hurry(names.EVENTS)
            if kept.tasks_differ:
                self._walks.hurry(names.TASKS)
        if wanted_contacts:
            self._reading.contacts(wanted_contacts)
        if wanted_tasks := set(task_ids):
            self._reading.tasks(wanted_tasks)

    # Rounds

    def leads(self) -> tuple[list[int], bool]:
        """Read leads changed since the last round: ids of the news, and whether contacts nobody has read are named.

        One request, more for each 250 of them.
        """
        begun, since = self._reading.begin(), self._since(names.LEADS)
        news: list[int] = []
        times: list[int] = []
        moved = wants = tasks_differ = False
        asked = begun.asked
        for page in collections.changed_since(self._client, LEADS, since):
            with self._rows.keeping() as db:
                kept = self._rows.keep_leads(db, page, self._field_ids(), asked, self._reading.their_time(begun))
                unknown = self._rows.unknown_contacts(db, linked(page))
                self._walks.want_contacts(db, unknown)
            news += kept.news
            times += _times(page)
            moved, wants = moved or bool(kept.moved), wants or bool(unknown)
            tasks_differ = tasks_differ or kept.tasks_differ
            if kept.doubtful:
                self._reading.ask_again(leads=kept.doubtful)
            asked = self._rows.version()  # the next page is asked for now
        self._end(names.LEADS, begun, {"since": self._next(begun, since, times, is_known=not news)})
        if moved:
            self._walks.hurry(names.EVENTS)
        if tasks_differ:
            self._walks.hurry(names.TASKS)
        return sorted(set(news)), wants

    def contacts(self) -> list[int]:
        """Read contacts changed since the last round, and unread contacts of leads: ids of the news.

        One request, more for each 250 of them.
        """
        begun, since = self._reading.begin(), self._since(names.CONTACTS)
        news: list[int] = []
        times: list[int] = []
        asked = begun.asked
        for page in collections.changed_since(self._client, CONTACTS, since):
            with self._rows.keeping() as db:
                kept = self._rows.keep_contacts(db, page, self._field_ids(), asked)
            news += kept.news
            times += _times(page)
            if kept.doubtful:
                self._reading.ask_again(contacts=kept.doubtful)
            asked = self._rows.version()
        while some := self._walks.wanted_contacts()[:PAGE]:
            with self._store.read() as db:
                unknown = self._rows.unknown_contacts(db, some)
            if unknown:
                self._reading.contacts(unknown)
            self._walks.contacts_done(some)
        self._end(names.CONTACTS, begun, {"since": self._next(begun, since, times, is_known=not news)})
        return sorted(set(news))

    def bin(self) -> list[int]:
        """Read leads thrown away since the last look. One request, and some more if there were any."""
        name = names.BIN
        is_first = "filled" in (self._walks.of(name).cursor or {})
        gone, any_at_all = self._bin(name, LEADS, leads, lambda ids: self._reading.leads(ids, hinted_gone=ids)[1])
        if is_first and any_at_all:
            self._walks.hurry(names.COUNT)  # while filling: a lead may have slipped through between two pages
        return gone

    def contacts_bin(self) -> list[int]:
        """Read contacts thrown away since the last look."""
        gone = self._bin(
            names.CONTACTS_BIN, CONTACTS, contacts, lambda ids: self._reading.contacts(ids, hinted_gone=ids)[1]
        )
        return gone[0]

    def _bin(
        self, name: str, kind: Kind, table: sa.Table, read: Callable[[set[int]], list[int]]
    ) -> tuple[list[int], bool]:
        """Ask for the ids a bin lists one by one, as a bin's list is only a suspicion, and only for ids in the mirror.

        Which are gone, and whether the bin listed anything.
        """
        begun, since = self._reading.begin(), self._since(name)
        gone: list[int] = []
        times: list[int] = []
        pages = 0
        for page in collections.in_bin(self._client, kind, since):
            pages += 1
            times += [at for _, at in page]
            if suspects := self._rows.here(table, [one for one, _ in page]):
                gone += read(suspects)
        # A bin that is read whole each time, because AmoCRM does not know the filter, is read the more seldom.
        every_s = CHANGES_EVERY_S * max(1, pages)
        self._end(name, begun, {"since": self._next(begun, since, times, is_known=not gone)}, every_s)
        return gone, bool(times)

    def history(self) -> None:
        """Read stage changes since the last look, the newest stretch first while a year is read. A request a
        stretch."""
        begun = self._reading.begin()
        cursor = self._walks.of(names.EVENTS).cursor or self._whole_history(begun)
        if "back_to" in cursor:
            self._read_back(cursor, begun)
            return
        times, news = self._keep_history(cursor["since"], LAST_SECOND)
        since = self._next(begun, cursor["since"], times, is_known=not news, page=events.PAGE_EVENTS)
        self._end(names.EVENTS, begun, {**cursor, "since": since}, HISTORY_EVERY_S)

    def _whole_history(self, begun: Begun) -> dict[str, int]:
        now = int(self._now(begun))
        return {"until": LAST_SECOND, "back_to": now - int(HISTORY_REACH.total_seconds()), "from": now}

    def _read_back(self, cursor: dict[str, int], begun: Begun) -> None:
        """Read one more stretch of the past, behind more urgent work: a funnel of a year can wait."""
        until = cursor["until"]
        since = max(cursor["back_to"], min(until, cursor["from"]) - int(HISTORY_SLICE.total_seconds()))
        times, _ = self._keep_history(since, until)
        if until == LAST_SECOND:  # later rounds go on from the newest that is there, whatever our clock thinks of it
            cursor = {**cursor, "from": max([since, *(at for at in times if at <= cursor["from"])])}
        is_all = since < self._oldest()
        over = is_all or since <= cursor["back_to"]
        after: dict[str, int] = {"since": cursor["from"] - OVERLAP_S} if over else {**cursor, "until": since}
        if over and not is_all:
            after["reaches"] = since
        self._end(names.EVENTS, begun, after, HISTORY_EVERY_S if over else 0.0)

    def _keep_history(self, since: int, until: int) -> tuple[list[int], int]:
        times: list[int] = []
        news = 0
        for page in events.stage_changes(self._client, since, until):
            with self._rows.keeping() as db:
                news += self._rows.keep_events(db, map(_event_row, page))
            times += [moved.at for moved in page]
        return times, news

    def _oldest(self) -> int:
        with self._store.read() as db:
            return int(db.scalar(sa.select(sa.func.min(leads.c.created_at))) or 0)

    def reference(self) -> None:
        """Read stages, people, loss reasons. Three requests; a token without admin rights may not see people, who
        then stay numbers."""
        begun = self._reading.begin()
        stages = pipelines.stages(self._client, live=False)
        people = self._allowed(lambda: users.names(self._client, live=False))
        reasons = self._allowed(lambda: loss_reasons.names(self._client, live=False))
        reference.keep(self._store, self._rows, stages, people, reasons)
        self._end(names.REFERENCE, begun, None, REFERENCE_EVERY_S)

    @staticmethod
    def _allowed(read: Callable[[], dict[int, str]]) -> dict[int, str]:
        """Read a list the account or the person may not have; such a list counts as empty."""
        try:
            return read()
        except (NotLetIn, SaidNo) as error:
            if error.code not in ("rights_missing", "not_found", "unpaid"):
                raise
            return {}

    # Where each goes on

    def _end(self, name: str, begun: Begun, cursor: Any, next_in_s: float = CHANGES_EVERY_S) -> None:
        as_of = self._reading.as_of(begun)
        self._walks.end(name, as_of=as_of, cursor=cursor, next_in_s=next_in_s, began_s=begun.at_s)

    def _since(self, name: str) -> int:
        cursor = self._walks.of(name).cursor or {}
        return int(cursor.get("since", 0))

    def _next(self, begun: Begun, since: int, times: list[int], *, is_known: bool, page: int = PAGE) -> int:
        is_settled = is_known and len(times) > page
        return next_since(since, times, self._now(begun), is_settled=is_settled)

    def _now(self, begun: Begun) -> float:
        """AmoCRM's time when a round began; ours if AmoCRM tells none. The time only keeps changes from the future
        out."""
        theirs = self._reading.their_time(begun)
        return clock.unix() if theirs is None else theirs


def _times(page: Iterable[dict[str, Any]]) -> list[int]:
    return [number(item.get("updated_at")) for item in page]


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

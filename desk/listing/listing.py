"""The queries of the list, and their answers remembered for a version of the mirror.

An answer is remembered under everything that decides it: the version of the mirror, the filter, the order, the page and the
clock where it matters. Whoever asks the same gets the same; nothing in an answer depends on who asks.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeAlias, TypeVar, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from desk.listing.card import Card, card
from desk.listing.conditions import Conditions, tick
from desk.listing.filters import NOT_GIVEN, TEXTS, Filter, Sort, fingerprint
from desk.listing.search import Sought, narrows, sought
from desk.reading.texts import fold
from store import Store, clock
from store.tables import leads, loss_reasons, mirror_version, people, stages

KEPT_ANSWERS = 400
"""Remembered at the most: pages, counts and choices. A page of fifty leads takes some thirty kilobytes."""

FIRST_IDS = 5000
"""Ids remembered of the beginning of a list, 8 bytes each: the pages people look at.

A list no longer than this is counted by its ids as well.
"""

KEPT_SEARCHES = 100
"""Searches remembered, of those with fewer than `FIRST_IDS` leads: typing on, or filtering, looks among their leads."""

TEXTS_FRESH_S = 20.0
"""Seconds until a new source can be chosen; looking takes a pass over all leads."""

CHUNK_ROWS = 2000

MOST_CHOICES = 1000
"""Different texts of a field to choose from; more are free text and no choice."""

T = TypeVar("T")
Ids: TypeAlias = "array[int]"


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A lead of the list, as the mirror has it. Times are unix seconds; `phones`: all, each behind a blank."""

    id: int
    created_at: int
    updated_at: int
    closed_at: int | None
    closest_task_at: int | None
    pipeline_id: int
    status_id: int
    responsible_user_id: int
    price_kop: int
    loss_reason_id: int | None
    name: str = field(repr=False)
    contact_name: str = field(repr=False)
    phone: str = field(repr=False)
    phones: str = field(repr=False)
    direction: str = field(repr=False)
    source: str = field(repr=False)
    utm_source: str = field(repr=False)
    utm_medium: str = field(repr=False)
    utm_campaign: str = field(repr=False)

    @property
    def shown_name(self) -> str:
        """The name to show: the contact's, else the lead's own."""
        return self.contact_name or self.name


ROW = tuple(leads.c[each.name] for each in fields(LeadRow))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list. `total`: of the whole list. `newest_id`: of all leads, to recognise new leads later."""

    version: int
    total: int
    rows: tuple[LeadRow, ...]
    newest_id: int


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage of a pipeline, as shown by AmoCRM."""

    pipeline_id: int
    status_id: int
    name: str
    color: str
    pipeline: str
    is_main: bool
    is_archive: bool

    @property
    def full_name(self) -> str:
        """The name with the pipeline's, unless the pipeline is the main pipeline."""
        return self.name if self.is_main else f"{self.name} · {self.pipeline}"


@dataclass(frozen=True, slots=True)
class Reference:
    """Stages, people and loss reasons, for the ids in leads, in AmoCRM's order."""

    stages: Mapping[tuple[int, int], StageRow]
    people: Mapping[int, str]
    loss_reasons: Mapping[int, str]

    @property
    def pipelines(self) -> dict[int, str]:
        return {stage.pipeline_id: stage.pipeline for stage in self.stages.values()}


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of the filters. `texts`: by field of `TEXTS`, the text of each fingerprint."""

    reference: Reference
    texts: Mapping[str, Mapping[str, str]] = field(repr=False)


class Listing:
    """The leads of a mirror as a list. Thread-safe. Sends nothing."""

    def __init__(self, store: Store, zone: ZoneInfo, clock: Callable[[], datetime] = clock.now) -> None:
        self._store, self._zone, self._clock = store, zone, clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._found: OrderedDict[tuple[int, Sought], Ids] = OrderedDict()
        self._texts: tuple[int | None, float, Mapping[str, Mapping[str, str]]] = (None, float("-inf"), {})

    def page(self, chosen: Filter, sort: Sort, *, offset: int = 0, limit: int = 50) -> Page:
        """Read a page of the list and the length of the whole list."""

        def read(db: sa.Connection, version: int) -> Page:
            now = self._clock()
            total, ids = self._ids(db, version, chosen, sort, now, offset, limit)
            # The ids come out of an index that holds all one can filter and sort by; only these few rows are read whole.
            found = {row.id: row for row in db.execute(sa.select(*ROW).where(leads.c.id.in_(ids)))} if ids else {}
            newest_id = int(db.scalar(sa.select(sa.func.max(leads.c.id))) or 0)
            return Page(version, total, tuple(LeadRow(*found[one]) for one in ids), newest_id)

        return self._answer(("page", self._key(chosen), sort, offset, limit), read)

    def count(self, chosen: Filter) -> int:
        """How many leads the filter leaves."""
        return self._answer(None, lambda db, version: self._total(db, version, chosen, self._clock()))

    def arrived(self, chosen: Filter, after_id: int) -> int:
        """Count the leads of the filter newer than `after_id`. AmoCRM's ids only grow."""

        def read(db: sa.Connection, version: int) -> int:
            where = self._conditions(db, version, chosen).where(chosen, self._clock())
            return int(
                db.scalar(sa.select(sa.func.count()).select_from(leads).where(leads.c.id > after_id, *where)) or 0
            )

        return self._answer(("arrived", self._key(chosen), after_id), read)

    def rows(self, chosen: Filter, sort: Sort, *, chunk: int = CHUNK_ROWS) -> Iterator[list[LeadRow]]:
        """Read the whole list in its order and as of a single moment, some rows at a time. Memory stays bounded."""
        with self._store.read() as db:
            conditions = self._conditions(db, self._version(db), chosen)
            wanted = sa.select(*ROW).where(*conditions.where(chosen, self._clock())).order_by(*conditions.order(sort))
            for some in db.execution_options(yield_per=chunk).execute(wanted).partitions():
                yield [LeadRow(*row) for row in some]

    def card(self, lead_id: int) -> Card | None:
        """Read the card of a lead; None if the mirror has no such lead."""
        return card(self._store, lead_id)

    def choices(self) -> Choices:
        """Read the choices of the filters."""
        return self._answer(None, self._choices)

    def reference(self) -> Reference:
        """Stages, people and loss reasons by id."""
        return self._answer(None, self._reference)

    # Inside

    def _answer(self, key: Hashable | None, read: Callable[[sa.Connection, int], T]) -> T:
        """Return the answer remembered for the version, or read and remember. A consistent picture either way."""
        with self._store.read() as db:
            version = self._version(db)
            return read(db, version) if key is None else self._remembered((version, key), lambda: read(db, version))

    def _remembered(self, key: Hashable, read: Callable[[], T]) -> T:
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return cast(T, self._answers[key])
        answer = read()
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)
        return answer

    def _version(self, db: sa.Connection) -> int:
        return int(db.scalar(sa.select(mirror_version.c.number)) or 0)

    def _key(self, chosen: Filter) -> Hashable:
        """The key of remembered answers: the filter, and the clock as far as the filter looks at the clock."""
        now = self._clock()
        return chosen, chosen.bounds(now, self._zone), tick(now) if chosen.attention else None

    def _total(self, db: sa.Connection, version: int, chosen: Filter, now: datetime) -> int:
        def read() -> int:
            where = self._conditions(db, version, chosen).where(chosen, now)
            return int(db.scalar(sa.select(sa.func.count()).select_from(leads).where(*where)) or 0)

        return self._remembered((version, "count", self._key(chosen)), read)

    def _ids(
        self, db: sa.Connection, version: int, chosen: Filter, sort: Sort, now: datetime, offset: int, limit: int
    ) -> tuple[int, list[int]]:
        """Return the total and the ids of a page. Rare leads are found, counted and put in order at once."""
        first = self._first(db, version, chosen, sort, now)
        if len(first) < FIRST_IDS:
            return len(first), first[offset : offset + limit].tolist()
        total = self._total(db, version, chosen, now)
        if offset + limit <= FIRST_IDS:
            return total, first[offset : offset + limit].tolist()
        conditions = self._conditions(db, version, chosen)
        wanted = sa.select(leads.c.id).where(*conditions.where(chosen, now)).order_by(*conditions.order(sort))
        return total, self._id_list(db, wanted.limit(limit).offset(offset)).tolist()

    def _first(self, db: sa.Connection, version: int, chosen: Filter, sort: Sort, now: datetime) -> Ids:
        """Read the beginning of a list.

        A search is done without the other filters first, and then filtered: that is what people do.
        """
        wanted, alone = sought(chosen.search), Filter(search=chosen.search)

        def read() -> Ids:
            if wanted is not None and chosen != alone:
                self._first(db, version, alone, Sort(), now)
            conditions = self._conditions(db, version, chosen)
            where = conditions.where(chosen, now, self._near(version, wanted))
            found = self._id_list(
                db, sa.select(leads.c.id).where(*where).order_by(*conditions.order(sort)).limit(FIRST_IDS)
            )
            if wanted is not None and chosen == alone and len(found) < FIRST_IDS:
                with self._lock:
                    self._found[version, wanted] = found
                    while len(self._found) > KEPT_SEARCHES:
                        self._found.popitem(last=False)
            return found

        return self._remembered((version, "first", self._key(chosen), sort), read)

    def _near(self, version: int, wanted: Sought | None) -> Ids | None:
        """The leads of a remembered, wider search; None without such a search."""
        if wanted is None:
            return None
        with self._lock:
            near = (ids for (at, known), ids in self._found.items() if at == version and narrows(wanted, known))
            return min(near, key=len, default=None)

    def _id_list(self, db: sa.Connection, wanted: sa.Select[Any]) -> Ids:
        """The ids of a limited query in its order.

        SQLite tells them as one text: its driver gives Python's lock away before each row, and where twenty people's queries
        run, that is twenty others to wait for, row by row. An order with a limit holds for what is made of its rows.
        """
        if not self._store.is_sqlite:
            return array("q", db.scalars(wanted))
        joined = db.scalar(sa.select(sa.func.group_concat(wanted.subquery().c.id)))
        return array("q", map(int, str(joined).split(","))) if joined else array("q")

    def _conditions(self, db: sa.Connection, version: int, chosen: Filter) -> Conditions:
        texts = self._choices(db, version).texts
        if any(one not in texts[name] for name in TEXTS for one in getattr(chosen, name) if one != NOT_GIVEN):
            # New since the choices were read, or one of so many that it is no choice: a link may still name it.
            texts = self._remembered((version, "texts"), lambda: _texts(db, most=None))
        return Conditions(is_sqlite=self._store.is_sqlite, zone=self._zone, texts=texts)

    def _choices(self, db: sa.Connection, version: int) -> Choices:
        reference = self._reference(db, version)
        with self._lock:
            texts_of, at, texts = self._texts
        if texts_of != version and time.monotonic() - at > TEXTS_FRESH_S:
            texts = _texts(db)
            with self._lock:
                self._texts = (version, time.monotonic(), texts)
        return Choices(reference, texts)

    def _reference(self, db: sa.Connection, version: int) -> Reference:
        def read() -> Reference:
            wanted = sa.select(*(stages.c[each.name] for each in fields(StageRow))).order_by(stages.c.position)
            found = [StageRow(*row) for row in db.execute(wanted)]
            return Reference(
                {(stage.pipeline_id, stage.status_id): stage for stage in found},
                {row.id: row.name for row in db.execute(sa.select(people).order_by(people.c.name))},
                {row.id: row.name for row in db.execute(sa.select(loss_reasons).order_by(loss_reasons.c.name))},
            )

        return self._remembered((version, "reference"), read)


def _texts(db: sa.Connection, most: int | None = MOST_CHOICES) -> dict[str, dict[str, str]]:
    """Read the different texts of the fields by fingerprint, in alphabetical order, `most` of each. A pass over all leads."""
    columns = [leads.c[name] for name in TEXTS]
    found: list[set[str]] = [set() for _ in TEXTS]
    for row in db.execute(sa.select(*columns).where(leads.c.is_deleted.is_(False)).distinct()):
        for texts, text in zip(found, row, strict=True):
            texts.add(text)
    return {
        name: {fingerprint(text): text for text in sorted(texts, key=fold)[:most]}
        for name, texts in zip(TEXTS, found, strict=True)
    }

"""Tasks on leads: all open tasks once, then changes; and every night the open tasks again.

A task moves no `updated_at` of its lead, and one that is deleted tells so by a hook alone. So tasks are read for themselves, and
a lead's next task is computed from them as soon as all open ones were read once; until then AmoCRM's own word for it stands.

    all open tasks, by the time of their change ─► what changed since, every half minute
    every night: all open tasks again ─► those that are open here and did not come, by id
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from crm.answers import number
from crm.client import PAGE_LIMIT, Client
from crm.walk import OPEN_TASKS, TASKS
from desk.mirror import collections
from desk.mirror import walks as names
from desk.mirror.reading import Begun, Reading
from desk.mirror.rows import Rows
from desk.mirror.walks import Walks
from store import Store
from store.tables import tasks

PAGES_AT_ONCE = 4
"""Of open tasks, between two looks of the keeper: hints go first."""

FROM = 1
"""The beginning of time for AmoCRM's filters; a nought could be taken for no filter."""

AFTER, SHOW = "after", "show"
"""Keys of the cursor: the time from which the rounds go on after the first reading, and whether leads still lack
tasks read already."""


class Tasks:
    """Reading of tasks. Not thread-safe: the mirror's keeper reads."""

    def __init__(
        self,
        store: Store,
        client: Client,
        rows: Rows,
        walks: Walks,
        reading: Reading,
        next_since: Callable[..., int],
        end: Callable[..., None],
    ) -> None:
        """`next_since`, `end`: of the other rounds (`Follow`)."""
        self._store, self._client, self._rows, self._walks = store, client, rows, walks
        self._reading, self._next, self._end = reading, next_since, end

    def round(self) -> None:
        """Read tasks changed since the last round. A request for each 250 tasks; until the first reading is whole,
        some of its pages."""
        begun = self._reading.begin()
        known = self._walks.of(names.TASKS)
        cursor = known.cursor
        if not known.is_whole:
            self._read_open(begun, cursor)
            return
        if SHOW in cursor:
            with self._rows.keeping() as db:
                self._rows.show_tasks(db)
        since = int(cursor[names.SINCE])
        times: list[int] = []
        news: list[int] = []
        asked = begun.asked
        for page in collections.changed_since(self._client, TASKS, since):
            news += self._keep(page, asked)
            times += _times(page)
            asked = self._rows.version()
        self._end(names.TASKS, begun, {names.SINCE: self._next(begun, since, times, is_known=not news)})

    def open_from(self, since: int) -> int | None:
        """Read more open tasks from a time of AmoCRM's on. Return the time to go on from, None at the end.

        The window moves with the time of the last change that came, so that a task done meanwhile shifts no page.
        """
        at, in_order = since, True
        asked = self._rows.version()
        for pages, page in enumerate(collections.changed_since(self._client, OPEN_TASKS, since), 1):
            self._keep(page, asked)
            asked = self._rows.version()
            times = _times(page)
            in_order = in_order and times == sorted(times) and times[0] >= at
            at = times[-1] if in_order else at
            if pages >= PAGES_AT_ONCE and in_order and at > since:
                return at
        return None

    def open_below(self, last: int | None) -> list[int]:
        """The next open tasks here, downwards by id."""
        below = (tasks.c.id < last,) if last is not None else ()
        is_open = (tasks.c.is_completed.is_(False), tasks.c.is_deleted.is_(False))
        wanted = sa.select(tasks.c.id).where(*is_open, *below).order_by(tasks.c.id.desc()).limit(PAGE_LIMIT)
        with self._store.read() as db:
            return list(db.scalars(wanted))

    def _read_open(self, begun: Begun, cursor: dict[str, Any] | None) -> None:
        """Read all open tasks once. The rounds then go on from the leads' rounds before, by AmoCRM's own times."""
        if cursor is None:
            after = int((self._walks.of(names.LEADS).cursor or {}).get(names.SINCE, FROM))
            cursor = {names.SINCE: FROM, AFTER: after}
            self._walks.begin(names.TASKS, cursor)
        since = self.open_from(int(cursor[names.SINCE]))
        if since is not None:
            with self._rows.keeping() as db:
                self._walks.step(db, names.TASKS, cursor | {names.SINCE: since}, 0)
            return
        self._end(names.TASKS, begun, {names.SINCE: cursor[AFTER], SHOW: True})
        with self._rows.changing() as db:  # and once more with the next round, if this process is killed here
            self._rows.show_tasks(db)

    def _keep(self, page: list[dict[str, Any]], asked: int) -> tuple[int, ...]:
        with self._rows.keeping() as db:
            kept = self._rows.keep_tasks(db, page, asked)
        if kept.doubtful:
            self._reading.ask_again(tasks=kept.doubtful)
        return kept.news


def _times(page: list[dict[str, Any]]) -> list[int]:
    return [number(item.get("updated_at")) for item in page]

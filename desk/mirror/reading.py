"""Reading leads and contacts by id into the mirror: for hints, for suspicions of a round, for the nightly round.

Each question notes the mirror's version when it leaves, so that no answer replaces what was read after it was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from crm.client import Client
from crm.leads import contact_ids
from crm.walk import CONTACTS, LEADS, TASKS
from desk.mirror import presence
from desk.mirror.rows import Changes, Rows
from desk.mirror.shape import FieldIds
from store import clock


@dataclass(frozen=True, slots=True)
class Begun:
    """When a reading began: the mirror's version then, and the moment by `time.monotonic`."""

    asked: int
    at_s: float


class Reading:
    """Reading by id. Not thread-safe: the mirror's keeper reads."""

    def __init__(
        self, client: Client, rows: Rows, field_ids: Callable[[], FieldIds], ask_again: Callable[..., object]
    ) -> None:
        """`ask_again`: called with ids (`leads`, `contacts`, `tasks`) whose answer came too late to be believed."""
        self._client, self._rows, self._field_ids, self.ask_again = client, rows, field_ids, ask_again

    def begin(self) -> Begun:
        """Note version and time before a question leaves."""
        return Begun(self._rows.version(), time.monotonic())

    def their_time(self, begun: Begun) -> float | None:
        """AmoCRM's clock when a reading began, unix seconds, never later than the truth; None if AmoCRM tells no
        time."""
        return self._client.clock.at(begun.at_s, time.monotonic())

    def as_of(self, begun: Begun) -> datetime:
        """AmoCRM's time when a reading began, as a time for people; by our own clock if AmoCRM tells none."""
        theirs = self.their_time(begun)
        if theirs is None:
            theirs = clock.unix() - (time.monotonic() - begun.at_s)
        return datetime.fromtimestamp(theirs, UTC)

    def leads(self, ids: Iterable[int], *, hinted_gone: Iterable[int] = ()) -> tuple[Changes, list[int], set[int]]:
        """Read some leads anew: changes, gone leads, and linked contacts nobody has read yet."""
        begun = self.begin()
        seen = presence.look(self._client, LEADS, ids, hinted_gone=hinted_gone)
        with self._rows.keeping() as db:
            kept = self._rows.keep_leads(db, seen.found, self._field_ids(), begun.asked, self.their_time(begun))
            gone = self._rows.bin_leads(db, seen.gone, begun.asked)
            unknown = self._rows.unknown_contacts(db, linked(seen.found))
        if kept.doubtful:
            self.ask_again(leads=kept.doubtful)
        return kept, gone, unknown

    def contacts(self, ids: Iterable[int], *, hinted_gone: Iterable[int] = ()) -> tuple[Changes, list[int]]:
        """Read some contacts anew: changes, and gone contacts. Leads of gone contacts are read anew, too."""
        begun = self.begin()
        seen = presence.look(self._client, CONTACTS, ids, hinted_gone=hinted_gone)
        with self._rows.keeping() as db:
            kept = self._rows.keep_contacts(db, seen.found, self._field_ids(), begun.asked)
            gone, orphans = self._rows.bin_contacts(db, seen.gone, begun.asked)
        if kept.doubtful:
            self.ask_again(contacts=kept.doubtful)
        if orphans:
            _, _, unknown = self.leads(orphans)
            if unknown:
                self.contacts(unknown)
        return kept, gone

    def tasks(self, ids: Iterable[int]) -> tuple[Changes, list[int]]:
        """Read some tasks anew: changes, and gone tasks."""
        begun = self.begin()
        seen = presence.look(self._client, TASKS, ids)
        with self._rows.keeping() as db:
            kept = self._rows.keep_tasks(db, seen.found, begun.asked)
            gone = self._rows.bin_tasks(db, seen.gone, begun.asked)
        if kept.doubtful:
            self.ask_again(tasks=kept.doubtful)
        return kept, gone


def linked(found: Iterable[dict[str, object]]) -> set[int]:
    """The contacts that some leads name."""
    return {one for lead in found for one in contact_ids(lead)}

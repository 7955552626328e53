"""The mirror's door for other rooms: status, version, hints at changes, start and stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from crm.client import Client
from crm.errors import DeskError, OwnFault
from desk.connection import Connection
from desk.fields import FieldMap
from desk.mirror import night, status
from desk.mirror import walks as names
from desk.mirror.clocks import Clocks
from desk.mirror.count import Count
from desk.mirror.decisions import FARTHEST_BACK_S, back_s, is_time
from desk.mirror.fill import Fill
from desk.mirror.follow import Follow
from desk.mirror.night import Night
from desk.mirror.reading import Reading
from desk.mirror.remap import remap
from desk.mirror.rows import Rows
from desk.mirror.shape import FieldIds
from desk.mirror.status import MirrorStatus
from desk.mirror.walks import Walk, Walks
from desk.places import places
from desk.settings import Settings
from store import Store, clock, is_away
from store.jumps import AMOCRM

LOOK_S = 0.5
"""Seconds between two looks of the keeper without a hint."""

GATHER_S = 0.2
"""Seconds in which hints are gathered for a common fetch: AmoCRM tells ten changes in ten calls."""

BETWEEN_FETCHES_S = 0.7
"""Least seconds between two fetches of hints that trickle in: three fetches in the two seconds a change may take to
the screen."""

FETCH_AGAIN_S = (1.0, 5.0, 15.0, 60.0)
"""Seconds before a failed fetch of hints is repeated, by failures in a row: an AmoCRM that blocks an account does
so for its asking."""

HINTED_FOR_S = 120.0
"""Seconds for which a hint counts: a change found by a round later than that was missed by the hooks."""

ENTITIES = ("leads", "contacts", "tasks")
"""Entities for hints."""

ACCOUNT = "account of the mirror"
CHOSEN_FIELDS = "fields of the mirror"

Inbox = Callable[[], AbstractContextManager[dict[str, set[int]]]]

Told = Callable[[str, BaseException | None], object]
"""Callback for every round: its name ("mirror" for the whole look, `mirror.` and a name for each reading), and its
error or None."""

log = logging.getLogger(__name__)


class Mirror:
    """The local copy of an account's leads. Thread-safe; several processes may share the database."""

    def __init__(
        self,
        store: Store,
        client: Client,
        connection: Connection,
        fields: FieldMap,
        settings: Settings,
        told: Told = lambda name, error: None,
    ) -> None:
        self._store, self._connection, self._fields, self._zone = store, connection, fields, settings.zone
        self._client, self._told = client, told
        self.rows, self.walks, self.clocks = Rows(store), Walks(store), Clocks(store, client)
        self._reading = Reading(client, self.rows, self._field_ids, self.hint)
        parts = (client, self.rows, self.walks, self._field_ids, self._reading)
        self._fill = Fill(*parts, settings.amocrm_max_rps)
        self._follow = Follow(store, *parts)
        self._count = Count(store, *parts, self._follow.leads)
        self._night = Night(store, self.rows, self.walks, self._reading, self._follow.tasks)
        self._inbox: Inbox = lambda: nullcontext({})
        self._hooks_are_on: Callable[[], bool] = lambda: False
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._hints: dict[str, set[int]] = {entity: set() for entity in ENTITIES}
        self._hinted: dict[tuple[str, int], float] = {}
        self._keeps = False
        self._fetched_at = float("-inf")
        self._fetch_failures, self._fetch_again_at = 0, float("-inf")

    # For screens

    def status(self) -> MirrorStatus:
        """The mirror's state and progress. No request."""
        return status.read(self._store, self.walks, self.clocks.jumps, shrunk=self._client.sizes.shrunk())

    def version(self) -> int:
        """The mirror's version, which counts changes: a screen with the same number needs not look again."""
        return self.rows.version()

    # For whoever knows that something has changed

    def hint(self, *, leads: Iterable[int] = (), contacts: Iterable[int] = (), tasks: Iterable[int] = ()) -> None:
        """Fetch some leads, contacts and tasks soon."""
        with self._lock:
            for entity, ids in zip(ENTITIES, (leads, contacts, tasks), strict=True):
                self._hints[entity] |= set(ids)
        if not self._keeps:
            self.walks.hurry(names.LEADS)  # the process that keeps the mirror sees this at its next look
        self._news.set()

    def keep(
        self, leads: Iterable[Mapping[str, Any]], contacts: Iterable[Mapping[str, Any]], asked: int | None = None
    ) -> None:
        """Store leads and contacts just read of AmoCRM for another reason. No request.

        `asked`: the version before the first question left; without it whatever is different here is fetched again instead.
        """
        field_ids = self._field_ids()
        with self.rows.keeping() as db:
            persons = self.rows.keep_contacts(db, contacts, field_ids, asked)
            kept = self.rows.keep_leads(db, leads, field_ids, asked)
        if kept.doubtful or persons.doubtful:
            self.hint(leads=kept.doubtful, contacts=persons.doubtful)

    def wake(self) -> None:
        """Wake the keeper, after a webhook or a press of refresh."""
        self._news.set()

    def refresh(self) -> None:
        """Read all changes now, by a person's wish."""
        for name in (names.LEADS, names.CONTACTS, names.TASKS, names.BIN, names.CONTACTS_BIN):
            self.walks.hurry(name)
        self._news.set()

    def remap(self) -> None:
        """Compute the columns of mapped fields anew, after another field was chosen."""
        remap(self._store, self.rows, self._field_ids())

    def listen(self, inbox: Inbox, are_on: Callable[[], bool]) -> None:
        """Connect the webhooks. `inbox`: hands out the hooks' ids by entity, which count as done if its block ends
        without an error.

        `are_on`: whether AmoCRM is subscribed.
        """
        self._inbox, self._hooks_are_on = inbox, are_on

    # The keeper

    def start(self) -> None:
        """Begin to fill and follow in the background."""
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)
        self._thread.start()

    def stop(self, patience_s: float = 5.0) -> None:
        """Finish the request at hand and stop."""
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(patience_s)

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def look_after(self) -> None:
        """Do all work due now, if this process is the keeper. Failures are stored and retried later."""
        self.clocks.look()
        self._keeps = self._connection.status().connected and self.walks.keep()
        if not self._keeps:
            return
        self._recognise_account()
        self._take_up_jumps()
        known, due = self.walks.all(), self.walks.due()
        if names.REFERENCE in due and not self._try(names.REFERENCE, self._follow.reference):
            return
        if names.FILL not in known or not known[names.FILL].is_whole:
            if names.FILL in due:
                self._try(names.FILL, lambda: self._fill.run(self._go_on))
            return
        self._fetch_hinted()
        rounds = {
            names.LEADS: lambda: self._leads(due),
            names.CONTACTS: self._contacts,
            names.BIN: lambda: self._note_misses("leads", self._follow.bin()),
            names.CONTACTS_BIN: lambda: self._note_misses("contacts", self._follow.contacts_bin()),
            names.EVENTS: self._follow.history,
            names.TASKS: self._follow.tasks.round,
        }
        for name, work in rounds.items():
            if name in due and not self._try(name, work):
                return  # what AmoCRM does not answer now would only hold up what people hint at
        self._once_a_day(known, due)

    def _once_a_day(self, known: Mapping[str, Walk], due: Container[str]) -> None:
        """Count, and go a step on with the nightly round: at night, after a day without, or by a person's wish."""
        hour, now_s = clock.now(self._zone).hour, self.walks.now_s()
        count, compared = known.get(names.COUNT, Walk(names.COUNT)), known.get(names.NIGHT, Walk(names.NIGHT))
        asked_for = count.cursor is None and names.COUNT in due
        if asked_for or is_time(names.COUNT in due, hour, count.whole_at, now_s):
            self._try(names.COUNT, self._count.run)
        going_on = night.is_under_way(compared) and names.NIGHT in due
        if going_on or is_time(names.NIGHT in due, hour, compared.whole_at, now_s):
            self._try(names.NIGHT, self._night.step)

    def recount(self) -> None:
        """Compare the whole mirror, by a person's wish: AmoCRM's count beside ours, then every lead anew.

        The keeper begins at its next look; no request here.
        """
        for name, cursor in ((names.COUNT, None), (names.NIGHT, night.START)):
            self.walks.begin(name, cursor)
            self.walks.hurry(name)
        self._news.set()

    def count_now(self) -> dict[str, Any]:
        """Compare AmoCRM's count with ours now, and mend the difference."""
        return self._count.run()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._news.wait(LOOK_S):
                since_s = time.monotonic() - self._fetched_at
                self._stopping.wait(max(GATHER_S, BETWEEN_FETCHES_S - since_s))
            self._news.clear()
            try:
                self.look_after()
                self._told("mirror", None)
            except Exception as error:
                # The keeper outlives whatever one answer or one moment of the database does to it.
                log.error("the mirror's keeper stumbled: %s", places(error))
                self._told("mirror", error)
        self.walks.let_go()

    def _try(self, name: str, work: Callable[[], object]) -> bool:
        """Do a round and tell its result; store a failure. False if the round failed or the mirror is stopping."""
        if self._stopping.is_set():
            return False
        try:
            work()
        except DeskError as error:
            log.warning("the mirror's %s: %s", name, error)
            self._failed(name, error, error)
            return False
        except Exception as error:
            told_as = _told_as(error)
            log.error("the mirror's %s broke off, %s: %s", name, told_as.code, places(error))
            self._failed(name, error, told_as)
            return False
        self._told(f"mirror.{name}", None)
        return True

    def _failed(self, name: str, error: Exception, told_as: DeskError) -> None:
        self._told(f"mirror.{name}", error)
        self.walks.fail(name, told_as)

    def _take_up_jumps(self) -> None:
        """Make a jump of a clock good: the rounds read the doubtful time again, and everything is compared after a
        greater jump."""
        jumps = self.clocks.jumps.take_up()
        if not jumps:
            return
        self.walks.rewind(back_s(jump.by_s for jump in jumps))
        if any(jump.clock == AMOCRM or abs(jump.by_s) > FARTHEST_BACK_S for jump in jumps):
            self.walks.begin(names.NIGHT, night.START)
            self.walks.hurry(names.NIGHT)

    def _go_on(self) -> bool:
        self.clocks.look()
        return not self._stopping.is_set() and self.walks.keep()

    def _leads(self, due: set[str]) -> None:
        news, wants_contacts = self._follow.leads()
        if wants_contacts:
            due.add(names.CONTACTS)
        self.clocks.jumps.make_good()
        self._note_misses("leads", news)

    def _contacts(self) -> None:
        self._note_misses("contacts", self._follow.contacts())

    def _note_misses(self, entity: str, ids: Iterable[int]) -> None:
        """Note changes found by a round that no hook had told, although webhooks are on."""
        if not self._hooks_are_on():
            return
        now = time.monotonic()
        self._hinted = {key: at for key, at in self._hinted.items() if now - at < HINTED_FOR_S}
        self.rows.note_misses(entity, [one for one in ids if (entity, one) not in self._hinted])

    def _fetch_hinted(self) -> None:
        if time.monotonic() < self._fetch_again_at:
            return
        with self._lock:
            hints, self._hints = self._hints, {entity: set() for entity in ENTITIES}
        try:
            with self._inbox() as told:
                wanted = {entity: ids | told.get(entity, set()) for entity, ids in hints.items()}
                now = time.monotonic()
                self._hinted |= {(entity, one): now for entity, ids in wanted.items() for one in ids}
                if any(wanted.values()):
                    self._fetch(wanted)
            self._fetch_failures = 0
        except Exception as error:
            # The rounds go on, they find the same in another way; who asks for it again and again keeps nobody waiting but AmoCRM.
            told_as = error if isinstance(error, DeskError) else _told_as(error)
            in_short = str(error) if isinstance(error, DeskError) else places(error)
            log.warning("what was hinted at could not be fetched: %s", in_short)
            self._failed(names.HINTS, error, told_as)
            self._fetch_again_at = time.monotonic() + FETCH_AGAIN_S[min(self._fetch_failures, len(FETCH_AGAIN_S) - 1)]
            self._fetch_failures += 1
            self.hint(**hints)

    def _fetch(self, wanted: Mapping[str, set[int]]) -> None:
        begun = self._reading.begin()
        self._follow.fetch(*(wanted[entity] for entity in ENTITIES))
        self._fetched_at = time.monotonic()
        as_of = self._reading.as_of(begun)
        self.walks.end(names.HINTS, as_of=as_of, cursor=None, next_in_s=0.0, began_s=begun.at_s)
        self._told(f"mirror.{names.HINTS}", None)

    def _recognise_account(self) -> None:
        """Forget the mirror of a former account; compute columns anew after another choice of fields."""
        told = self._connection.status()
        account = str(told.account_id or "")
        if account and self._store.recall(ACCOUNT) != account:
            if self._store.recall(ACCOUNT) is not None:
                self.rows.wipe()
            self._store.remember(ACCOUNT, account)
        chosen = self._field_ids().as_text()
        if self._store.recall(CHOSEN_FIELDS) != chosen:
            if self.walks.of(names.FILL).began_at is not None:
                self.remap()
            self._store.remember(CHOSEN_FIELDS, chosen)

    def _field_ids(self) -> FieldIds:
        return FieldIds.of(self._fields)


def _told_as(error: Exception) -> OwnFault:
    """The error shown to people for a failure that is not AmoCRM's. A database that is away is no fault of the
    program."""
    return OwnFault("database_failed" if is_away(error) else "desk_failed")

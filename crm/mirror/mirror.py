"""The mirror's door for other rooms: its status, its version, a hint that something changed, start and stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from crm.amo.client import Client
from crm.connection import Connection
from crm.errors import BrokenWord, DeskError
from crm.fields import FieldMap
from crm.mirror import status
from crm.mirror import walks as names
from crm.mirror.fill import Fill
from crm.mirror.follow import NIGHT, Follow
from crm.mirror.rows import Rows
from crm.mirror.shape import Places
from crm.mirror.status import MirrorStatus
from crm.mirror.walks import Walks
from crm.settings import Settings
from crm.store import Store, clock

LOOK_S = 0.5
"""How often the keeper looks for what is due when nobody hints."""

GATHER_S = 0.2
"""Hints that come together are fetched together: AmoCRM tells ten changes in ten calls."""

BETWEEN_FETCHES_S = 0.7
"""Hints that trickle in are fetched no more often: three times in the two seconds a change may take to the screen."""

FETCH_AGAIN_S = (1.0, 5.0, 15.0, 60.0)
"""Before what was hinted at is asked for again, by failures in a row: an AmoCRM that blocks an account does so for its asking."""

HINTED_FOR_S = 120.0
"""A change found by a round was told by a hook if a hint for it came no longer ago than this."""

ACCOUNT = "account of the mirror"
PLACES = "fields of the mirror"

Inbox = Callable[[], AbstractContextManager[dict[str, set[int]]]]

log = logging.getLogger(__name__)


class Mirror:
    """The local copy of one account's leads. Thread-safe; several processes may share the database."""

    def __init__(
        self, store: Store, client: Client, connection: Connection, fields: FieldMap, settings: Settings
    ) -> None:
        self._store, self._connection, self._fields, self._zone = store, connection, fields, settings.zone
        self.rows, self.walks = Rows(store), Walks(store)
        self._fill = Fill(client, self.rows, self.walks, self._places, self._amo_now, settings.amocrm_max_rps)
        self._follow = Follow(store, client, self.rows, self.walks, self._places, self._amo_now)
        self._inbox: Inbox = lambda: nullcontext({})
        self._hooks_are_on: Callable[[], bool] = lambda: False
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._hints: dict[str, set[int]] = {"leads": set(), "contacts": set()}
        self._hinted: dict[tuple[str, int], float] = {}
        self._keeps = False
        self._fetched_at = float("-inf")
        self._fetch_failures, self._fetch_again_at = 0, float("-inf")

    # For screens

    def status(self) -> MirrorStatus:
        """How far it is. No request."""
        return status.read(self._store, self.walks)

    def version(self) -> int:
        """Counts changes: a screen that has seen this number needs not look again."""
        return self.rows.version()

    # For whoever knows that something has changed

    def hint(self, *, leads: Iterable[int] = (), contacts: Iterable[int] = ()) -> None:
        """Fetch these soon."""
        with self._lock:
            self._hints["leads"] |= set(leads)
            self._hints["contacts"] |= set(contacts)
        if not self._keeps:
            self.walks.hurry(names.LEADS)  # the process that keeps the mirror sees this at its next look
        self._news.set()

    def keep(self, leads: Iterable[Mapping[str, Any]], contacts: Iterable[Mapping[str, Any]]) -> None:
        """What somebody has just read of AmoCRM for another reason. No request."""
        places = self._places()
        with self.rows.changing() as db:
            self.rows.keep_contacts(db, contacts, places)
            self.rows.keep_leads(db, leads, places)

    def wake(self) -> None:
        """There is something to look at: a webhook was stored, somebody pressed refresh."""
        self._news.set()

    def refresh(self) -> None:
        """Somebody wants to see now what changed."""
        for name in (names.LEADS, names.BIN):
            self.walks.hurry(name)
        self._news.set()

    def remap(self) -> None:
        """Another field was chosen for something."""
        self.rows.remap(self._places())

    def listen(self, inbox: Inbox, are_on: Callable[[], bool]) -> None:
        """`inbox`: hands out what webhooks have told, as ids by entity; left without an error, it is dealt with.

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
        """Everything that is due now, by whoever is the keeper. Failures are written down and tried again later."""
        self._keeps = self._connection.status().connected and self.walks.keep()
        if not self._keeps:
            return
        self._recognise_account()
        known, due = self.walks.all(), self.walks.due()
        if names.REFERENCE in due and not self._try(names.REFERENCE, self._follow.reference):
            return
        if names.FILL not in known or not known[names.FILL].is_whole:
            if names.FILL in due:
                self._try(names.FILL, lambda: self._fill.run(self._go_on))
            return
        self._fetch_hinted()
        rounds = {names.LEADS: self._changes, names.BIN: self._follow.bin, names.EVENTS: self._follow.history}
        for name, work in rounds.items():
            if name in due and not self._try(name, work):
                return  # what AmoCRM does not answer now would only hold up what people hint at
        if names.COUNT in due and (clock.now(self._zone).hour in NIGHT or known[names.COUNT].cursor is None):
            self._try(names.COUNT, self._follow.count)

    def recount(self) -> None:
        """Somebody wants to see AmoCRM's own count beside ours. The keeper asks for it at its next look; no request here."""
        self.walks.begin(names.COUNT, None)
        self.walks.hurry(names.COUNT)
        self._news.set()

    def count_now(self) -> dict[str, Any]:
        """AmoCRM's own count beside ours, now, and mend what differs."""
        return self._follow.count()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._news.wait(LOOK_S):
                since_s = time.monotonic() - self._fetched_at
                self._stopping.wait(max(GATHER_S, BETWEEN_FETCHES_S - since_s))
            self._news.clear()
            try:
                self.look_after()
            except Exception as error:
                # The keeper outlives whatever one answer or one moment of the database does to it.
                log.error("the mirror's keeper stumbled: %s", type(error).__name__)
        self.walks.let_go()

    def _try(self, name: str, work: Callable[[], object]) -> bool:
        if self._stopping.is_set():
            return False
        try:
            work()
        except Exception as error:
            log.warning("the mirror's %s: %s", name, _in_short(error))
            self.walks.fail(name, error if isinstance(error, DeskError) else BrokenWord("garbled"))
            return False
        return True

    def _go_on(self) -> bool:
        return not self._stopping.is_set() and self.walks.keep()

    def _changes(self) -> None:
        news = dict(zip(("leads", "contacts"), self._follow.changes(), strict=True))
        if self._hooks_are_on():
            self._note_misses("leads", news["leads"])

    def _note_misses(self, entity: str, ids: Iterable[int]) -> None:
        """What a round found although webhooks are on, and no hook had told."""
        now = time.monotonic()
        self._hinted = {key: at for key, at in self._hinted.items() if now - at < HINTED_FOR_S}
        self.rows.note_misses(entity, [one for one in ids if (entity, one) not in self._hinted])

    def _fetch_hinted(self) -> None:
        if time.monotonic() < self._fetch_again_at:
            return
        with self._lock:
            hints, self._hints = self._hints, {"leads": set(), "contacts": set()}
        try:
            with self._inbox() as told:
                wanted = {entity: ids | told.get(entity, set()) for entity, ids in hints.items()}
                now = time.monotonic()
                self._hinted |= {(entity, one): now for entity, ids in wanted.items() for one in ids}
                if any(wanted.values()):
                    self._follow.fetch(wanted["leads"], wanted["contacts"])
                    self._fetched_at = time.monotonic()
            self._fetch_failures = 0
        except Exception as error:
            # The rounds go on, they find the same in another way; who asks for it again and again keeps nobody waiting but AmoCRM.
            log.warning("what was hinted at could not be fetched: %s", _in_short(error))
            self._fetch_again_at = time.monotonic() + FETCH_AGAIN_S[min(self._fetch_failures, len(FETCH_AGAIN_S) - 1)]
            self._fetch_failures += 1
            self.hint(leads=hints["leads"], contacts=hints["contacts"])

    def _recognise_account(self) -> None:
        """Another account, or another choice of fields: what is stored is not true any more, or is to be read anew."""
        told = self._connection.status()
        account = str(told.account_id or "")
        if account and self._store.recall(ACCOUNT) != account:
            if self._store.recall(ACCOUNT) is not None:
                self.rows.wipe()
            self._store.remember(ACCOUNT, account)
        places = repr(self._places())
        if self._store.recall(PLACES) != places:
            if self.walks.of(names.FILL).began_at is not None:
                self.remap()
            self._store.remember(PLACES, places)

    def _places(self) -> Places:
        return Places.of(self._fields)

    def _amo_now(self) -> int:
        return int(clock.unix() - self._connection.skew_s())


def _in_short(error: Exception) -> str:
    """For the log: an error that is not ours may quote what it stumbled over."""
    return str(error) if isinstance(error, DeskError) else type(error).__name__

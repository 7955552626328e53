"""The desk put together: the parts, and the connections between parts. Decides nothing itself.

    Settings ─► Store ─► Journal ─► Limiter ─► Door ─► Connection ─► Client ─► FieldMap, Outbox ─► Intake, Calls
                  └► Vault ──────────────────────────────┘                      Webhooks, Outbox ─► Mirror

One `Desk` a process: `dashboard.py` opens and installs it for the server, a test or a notebook for itself. Pages ask
`the_desk()` for the installed desk.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from crm.client import Client
from crm.door import Door
from crm.errors import SetupError
from crm.limiter import Limiter
from crm.vault import Vault
from desk.calls import Calls
from desk.connection import Connection
from desk.delivery import Outbox, Tools
from desk.doorway import Doorway
from desk.exports import Exports
from desk.fields import FieldMap
from desk.health import Rounds, place_of, reason_of
from desk.intake import Intake
from desk.journal import Journal
from desk.key_file import key_file_phrases
from desk.listing import Listing
from desk.listing.saved_views import Views
from desk.mirror import Mirror
from desk.phonebook import Phonebook
from desk.readiness import Watch, look
from desk.reports import Reports
from desk.settings import Settings
from desk.webhooks import Webhooks
from store import Store, StoreError, clock

AFTER_TROUBLE = timedelta(seconds=30)
"""Pause of the keeper after an unforeseen failure."""

SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=1)
"""Bounds of the keeper's pause, independent of the connection's advice: the keeper neither spins nor sleeps for
ever."""

TIDY_EVERY = timedelta(hours=1)
"""Time between two rounds of forgetting old data."""

TIDY_AGAIN = timedelta(minutes=5)
"""Time until the next round of forgetting after a failed round."""

log = logging.getLogger(__name__)


class Desk:
    """The desk: all parts for a set of settings."""

    def __init__(self, settings: Settings) -> None:
        """Open the database and bring it up to date. Sends nothing.

        Raises `SetupError` where that cannot be, and where the keys do not open what is stored: nothing is lost then,
        and nothing overwritten.
        """
        self.settings, self.doorway = settings, Doorway(settings)
        self.store = _opened(settings)
        self.rounds = Rounds(self.store)
        self.journal = Journal(self.store)
        account = urlsplit(settings.amocrm_api_url).netloc or "demo"
        self.limiter = Limiter(self.store, account, rps=settings.amocrm_max_rps)
        self.door = Door(self.limiter, self.journal)
        vault = vault_of(settings)
        self.fields = FieldMap(self.store, settings)
        self.phonebook = Phonebook(self.store)
        self.connection = Connection(
            self.store, vault, self.door, self.journal, settings.amocrm, on_another_account=self._forget_the_account
        )
        self.connection.check_key()
        self.client = Client(self.door, self.connection.tokens)
        self._open_mirror(vault)
        self._open_doors()
        self.ready = threading.Event()  # cleared by a demo whose AmoCRM is still starting
        self.ready.set()
        self.watch = Watch(lambda: look(self))
        self.started_at: datetime | None = None  # when the background work of this process began
        self._tidy_at_s = float("-inf")
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None

    def _open_mirror(self, vault: Vault) -> None:
        """Make the mirror, the webhooks that hint at changes, and the screens' readers of it."""
        settings = self.settings
        self.mirror = Mirror(self.store, self.client, self.connection, self.fields, settings, told=self.rounds.told)
        self.webhooks = Webhooks(
            self.store, vault, self.client, self.connection, self.journal, settings, wake=self.mirror.wake
        )
        self.mirror.listen(self.webhooks.taken, self.webhooks.are_on)
        self.listing, self.views = Listing(self.store, settings.zone), Views(self.store)
        self.reports = Reports(self.store, self.mirror, settings.zone)

    def _open_doors(self) -> None:
        """Make the outbox, the two doors by which leads come in (intake and calls), and the exports."""
        settings = self.settings
        tools = Tools(
            self.store,
            self.client,
            self.connection,
            self.fields,
            self.phonebook,
            self.journal,
            settings,
            on_changed=lambda lead_id: self.mirror.hint(leads=[lead_id]),
            on_round=self.rounds.told,
        )
        self.outbox = Outbox(tools)
        self.intake = Intake(self.store, self.outbox, self.fields, settings)
        self.exports = Exports(
            self.store,
            self.listing,
            self.journal,
            settings,
            lambda: self.connection.status().account_url,
            on_round=self.rounds.told,
        )
        self.calls = Calls(self.store, self.outbox, self.client, self.fields, self.mirror, settings)

    def start(self) -> None:
        """Begin the work that goes on in the background."""
        self.started_at = clock.now()
        self.outbox.start()
        self.mirror.start()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._keeper.start()
        self.watch.start()

    def close(self) -> None:
        """Stop the background work and close the database. A step under way is finished first."""
        self._stopping.set()
        self.ready.set()
        self.connection.changed.set()
        self.watch.stop()
        self.calls.stop()
        self.outbox.stop()
        self.mirror.stop()
        self.exports.close()
        if self._keeper is not None:
            self._keeper.join(2.0)
        self.door.close()
        self.store.close()

    def disconnect(self) -> None:
        """Give up the connection: AmoCRM is told not to call any more, then both tokens are forgotten."""
        self.webhooks.leave()
        self.connection.disconnect()

    def look_after(self) -> timedelta:
        """Do one round of keeping: renew the token in time, and read what pages need before a page waits.

        Each part is a round of its own, so that one that fails holds up no other. How long until the next round.
        """
        self._tidy_up()
        pause: object = AFTER_TROUBLE
        with self.rounds.round("keeper"):
            self.connection.note_skew(self.client)
            pause = self.connection.keep_alive()
        with self.rounds.round("fields"):
            if self.connection.status().connected:
                if self.fields.seen_at() is None:
                    self.fields.refresh(self.client, live=False)
                self.fields.ensure_marker(self.client)
        with self.rounds.round("hooks"):
            self.webhooks.keep()
        return bounded(pause)

    def _forget_the_account(self) -> None:
        """Another account has other people and other fields. The mirror sees to its own."""
        self.phonebook.forget_all()
        self.fields.forget_all()

    def _tidy_up(self) -> None:
        """Forget data kept long enough, part after part; a failed part does not stop the next."""
        if time.monotonic() < self._tidy_at_s:
            return
        failed: Exception | None = None
        for tidy in (self.intake.prune, self.webhooks.prune, self.exports.prune, self.calls.prune):
            try:
                tidy()
            except Exception as error:
                failed = failed or error
                log.error("tidying up: %s at %s", reason_of(error), place_of(error) or "-")
        self.rounds.told("pruning", failed)
        self._tidy_at_s = time.monotonic() + (TIDY_AGAIN if failed else TIDY_EVERY).total_seconds()

    def _keep(self) -> None:
        self.ready.wait()
        pause = timedelta()
        while not self._stopping.is_set():
            self.connection.changed.wait(pause.total_seconds())
            self.connection.changed.clear()
            self.watch.wake()
            if not self._stopping.is_set():
                pause = self.look_after()
                self.watch.wake()


def bounded(pause: object) -> timedelta:
    """The keeper's pause, brought within its bounds."""
    if not isinstance(pause, timedelta):
        return AFTER_TROUBLE
    return min(max(pause, SHORTEST_PAUSE), LONGEST_PAUSE)


def _opened(settings: Settings) -> Store:
    """The database of the settings, in the shape this version needs."""
    try:
        store = Store(settings.database_url)
        store.upgrade()
    except StoreError as error:
        raise SetupError(error.code) from error
    return store


def vault_of(settings: Settings) -> Vault:
    """The keys of `SECRET_KEY`, or of the key file beside the database."""
    if settings.secret_key is not None:
        phrases = settings.secret_key.reveal().split(",")
        return Vault(lambda: phrases)
    return Vault(lambda: key_file_phrases(settings.key_file))


_installed: Desk | None = None


def install(desk: Desk | None) -> None:
    """Make this the desk of the process, or none."""
    global _installed
    _installed = desk


def the_desk() -> Desk:
    """Return the installed desk of the process. Raises `RuntimeError` if none is installed: before `install`, and after the end."""
    if _installed is None:
        raise RuntimeError("no desk is installed: open a Desk and call desk.desk.install with it")
    return _installed

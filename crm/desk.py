"""The desk put together: which part gets which. Nothing is decided here and nothing is done twice.

    Settings ─► Store ─► Journal ─► Limiter ─► Door ─► Connection ─► Client ─► FieldMap, Recent, Outbox
                  └► Vault ──────────────────────────────┘

One `Desk` a process. `dashboard.py` opens it for the server; a page run on its own (a test, a notebook)
gets one from `the_desk()`.
"""

from __future__ import annotations

import logging
import threading
from urllib.parse import urlsplit

from crm.activity import Journal
from crm.amo.client import Client
from crm.amo.door import Door
from crm.amo.limiter import Limiter
from crm.connection import Connection
from crm.delivery import Outbox
from crm.errors import DeskError
from crm.fields import FieldMap
from crm.leads import Recent
from crm.settings import Settings, load
from crm.store import Store
from crm.vault import Vault, key_file_phrases

KEEP_ALIVE_EVERY_S = 60.0
"""How often the connection is looked after; it refreshes two hours early, so a minute is often enough."""

log = logging.getLogger(__name__)


class Desk:
    """Everything the desk can do, for one set of settings."""

    def __init__(self, settings: Settings) -> None:
        """Opens the database and brings it up to date. Raises `SetupError`. Sends nothing."""
        self.settings = settings
        self.store = Store(settings.database_url)
        self.store.upgrade()
        self.journal = Journal(self.store)
        account = urlsplit(settings.amocrm_api_url).netloc or "demo"
        self.limiter = Limiter(self.store, account, rps=settings.amocrm_max_rps)
        self.door = Door(self.limiter, self.journal)
        self.connection = Connection(self.store, _vault(settings), self.door, self.journal, settings)
        self.client = Client(self.door, self.connection)
        self.fields = FieldMap(self.store, settings)
        self.recent = Recent(self.client, self.connection, self.fields)
        self.outbox = Outbox(self.store, self.client, self.fields, self.journal, settings)
        self.ready = threading.Event()  # cleared by a demo whose AmoCRM is still starting
        self.ready.set()
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None
        self._kept = False

    def start(self) -> None:
        """Begin the work that goes on in the background."""
        self.outbox.start()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._keeper.start()

    def close(self) -> None:
        """Stop the background work and close the database. A step under way is finished first."""
        self._stopping.set()
        self.ready.set()
        self.outbox.stop()
        if self._keeper is not None:
            self._keeper.join(2.0)
        self.door.close()
        self.store.close()

    def look_after(self) -> None:
        """One round of keeping: a key in time, and what every page wants to know read before anybody waits for it."""
        try:
            self.connection.keep_alive()
            if self.connection.status().connected:
                self.recent.know()
                if self.fields.seen_at() is None:
                    self.fields.refresh(self.client, live=False)
        except DeskError as error:
            log.warning("looking after the connection: %s", error)
        except Exception as error:
            # The keeper outlives whatever one moment of the database does to it.
            log.error("the keeper stumbled: %s", type(error).__name__)

    def _keep(self) -> None:
        self.ready.wait()
        while not self._stopping.wait(KEEP_ALIVE_EVERY_S if self._kept else 0):
            self.look_after()
            self._kept = True


def _vault(settings: Settings) -> Vault:
    if settings.secret_key is not None:
        return Vault([settings.secret_key.reveal()])
    return Vault(key_file_phrases(settings.key_file))


_installed: Desk | None = None
_installing = threading.Lock()


def install(desk: Desk | None) -> None:
    """Make this the desk of the process, or none."""
    global _installed
    _installed = desk


def the_desk() -> Desk:
    """The desk of this process; opened from the environment where nobody installed one."""
    with _installing:
        if _installed is None:
            install(Desk(load()))
        assert _installed is not None  # noqa: S101 - just installed
        return _installed

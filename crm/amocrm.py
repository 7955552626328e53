"""AmoCRM for a program without a desk: a client with everything under it, on a database of its own."""

from __future__ import annotations

from types import TracebackType
from urllib.parse import urlsplit

from crm.client import Client
from crm.config import Config, Secret
from crm.connection import Connection
from crm.door import Door
from crm.errors import SetupError
from crm.journal import Journal
from crm.limiter import Limiter
from crm.vault import LEAST_PHRASE, Vault
from store import Store

USUAL_RPS = 6.7
"""A little under AmoCRM's limit of seven requests a second (sheet 4.1)."""


class AmoCRM(Client):
    """A client to hand to `crm.leads` and the other resources, and its `connection`. Thread-safe.

    Programs on one database share the pace and the tokens. Close it, or use it in a `with`.
    """

    def __init__(self, config: Config, database: str, *, key: Secret | None = None, rps: float = USUAL_RPS) -> None:
        """`database`: an address such as `sqlite:///amo.db`; made on first use. `key`: seals the tokens of an OAuth pair.

        With a long-lived token nothing is sealed, and no key is needed. Raises `SetupError` for a key that is missing or
        short, `StoreError` for a database that cannot be opened.
        """
        phrase = key.reveal() if key is not None else ""
        if config.access_token is None and len(phrase) < LEAST_PHRASE:
            raise SetupError("secret_key_short" if phrase else "secret_key_empty")
        self._store = Store(database)
        self._store.upgrade()
        journal = Journal(self._store)
        limiter = Limiter(self._store, urlsplit(config.api_url).netloc, rps=rps)
        door = Door(limiter, journal)
        self.connection = Connection(self._store, Vault(lambda: [phrase]), door, journal, config)
        super().__init__(door, self.connection.tokens)

    def __enter__(self) -> AmoCRM:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of lines and database."""
        self._door.close()
        self._store.close()

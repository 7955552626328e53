"""The parts of a running sandbox, and its beginning anew.

A `World` is what requests, control calls and hooks share. Only the store's thread touches the database: `in_store`
is the way there, so one request's reads and writes are never mixed with another's and no lock is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from sandbox.api import cards, event_log
from sandbox.changes import Work
from sandbox.clock import Clock
from sandbox.club import fill
from sandbox.club.account import SUBDOMAIN
from sandbox.config import Config, from_options
from sandbox.faults import Faults
from sandbox.hooks.courier import Courier
from sandbox.ledger import Ledger
from sandbox.limiter import Limiter
from sandbox.oauth import integration
from sandbox.options import Options
from sandbox.store import search
from sandbox.store.database import Store

T = TypeVar("T")


class World:
    """One sandbox. Call `open` before serving and `close` after."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = Clock()
        self.config: Config = from_options(options)
        self.store = Store(options.db)
        self.ledger = Ledger(self.clock)
        self.limiter = Limiter()
        self.faults = Faults()
        self.courier = Courier(self)
        self.portal_port = self.account_port = options.port
        self.old_host_answer = 404
        self.open_port: Callable[[], int] | None = None
        """Set by the server: begins to listen on one more port and says which."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    def open(self) -> None:
        """Fill an empty club, or bring an older club up to today."""
        now = self.options.now or self.clock.seconds()
        if self.store.fresh:
            self._found(self.options.leads, self.options.seed, now)
        else:
            with self.store.transaction():
                fill.top_up(self.store, now)
            search.build(self.store.db, cards.texts)
            known = integration.load(self.store)
            keys = {name: getattr(self.options, name) for name in ("client_id", "client_secret", "redirect_uri")}
            integration.save(self.store, replace(known, **keys))

    def _found(self, leads: int, seed: int, now: int) -> None:
        with self.store.transaction():
            fill.found(self.store, leads=leads, seed=seed, now=now)
            self.store.remember("subdomain", SUBDOMAIN)
            keys = self.options
            integration.save(self.store, integration.Integration(keys.client_id, keys.client_secret, keys.redirect_uri))
        self.store.build_indexes()
        search.build(self.store.db, cards.texts)

    def reset(self, *, leads: int | None, seed: int | None, now: int | None) -> None:
        """A new club and a clean slate: switches as at the start, no faults, an empty ledger, no connection."""
        options = self.options
        self.store.empty()
        self.config = from_options(options)
        self.clock.shift_s = self.config.clock_shift_s
        self.ledger = Ledger(self.clock)
        self.limiter = Limiter()
        self.faults = Faults()
        self.courier.forget()
        self.account_port = self.portal_port
        self._found(
            options.leads if leads is None else leads,
            options.seed if seed is None else seed,
            now if now is not None else options.now or self.clock.seconds(),
        )

    def close(self) -> None:
        """Stop sending and close the file."""
        self.courier.close()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self.store.close()

    @property
    def account_url(self) -> str:
        """The account's address on this machine."""
        return self.url_at(self.account_port)

    def url_at(self, port: int) -> str:
        """The address of a port."""
        host = self.options.host
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        return f"http://{shown}:{port}"

    def work(self, user_id: int = 0) -> Work:
        """A new unit of work, stamped with this moment."""
        own = self.clock.now()
        return Work(self.store, self.config, own + self.clock.shift_s, own, user_id)

    def commit(self, work: Work, caused_by: int | None) -> None:
        """Turn changes into events and hooks, as the last step inside a transaction."""
        event_log.write(work)
        self.courier.queue(work, caused_by)

    def tell(self, work: Work, caused_by: int | None) -> None:
        """After the transaction: write the changes into the ledger, and let hooks leave."""
        for change in work.journal():
            self.ledger.add("change", request_seq=caused_by, **change)
        for event in work.token_events:
            self.ledger.add("token", request_seq=caused_by, **event)
        if work.changes:
            self.courier.wake()
        work.forget()

    async def in_store(self, job: Callable[[], T]) -> T:
        """Run a function on the store's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

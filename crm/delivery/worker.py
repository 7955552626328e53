"""The threads that deliver, and the heartbeat that keeps their leases."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from crm.delivery.rows import LEASE_S, Rows

WORKERS = 3
"""Leads carried at once. With AmoCRM's usual 0.1–0.5 s an answer this fills seven requests a second; more would wait."""

IDLE_S = 1.0
"""How often a worker looks for work nobody has told it about: what another process accepted, what has become due."""

BEAT_S = LEASE_S / 5
"""How often a lease is renewed."""

SEND_WITHIN_S = LEASE_S / 2
"""A write may leave this long after its lease was last seen to be ours: no other worker can have taken the lead over."""

log = logging.getLogger(__name__)


class Heart:
    """Keeps the leases of this process alive for as long as their leads are held."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._lock = threading.Lock()
        self._held: dict[tuple[str, int], float] = {}
        self._beating = False

    @contextmanager
    def holding(self, lead_id: str, lease: int) -> Iterator[None]:
        """Keep a lease, just taken, until the block ends."""
        with self._lock:
            self._held[lead_id, lease] = time.monotonic()
            if not self._beating:
                self._beating = True
                threading.Thread(target=self._beat, name="delivery-heart", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._held.pop((lead_id, lease), None)

    def still_holds(self, lead_id: str, lease: int) -> bool:
        """Whether nobody else can have taken the lead over: asked right before a write leaves."""
        with self._lock:
            seen = self._held.get((lead_id, lease))
        return seen is not None and time.monotonic() - seen < SEND_WITHIN_S

    def _beat(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(BEAT_S)
            with self._lock:
                held = list(self._held)
                if not held:
                    self._beating = False
                    return
            before = time.monotonic()
            try:
                ours = self._rows.keep(held)
            except Exception as error:
                log.error("the heartbeat stumbled: %s", type(error).__name__)
                continue
            with self._lock:
                for lease in held:
                    if lease in self._held:
                        self._held[lease] = before if lease in ours else float("-inf")


class Workers:
    """Threads that carry what is due. One of them only takes leads with somebody on the line."""

    def __init__(self, work: Callable[[bool], int]) -> None:
        """`work(live_only)`: do what is due now and tell how much that was."""
        self._work = work
        self._news = threading.Condition()
        self._count = 0
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._threads = [
            threading.Thread(target=self._run, args=(live_only,), name=f"delivery-{number}", daemon=True)
            for number, live_only in enumerate([True, *[False] * WORKERS])
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, patience_s: float) -> None:
        """Finish the leads at hand and stop."""
        self._stopping.set()
        self.wake()
        end = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    @property
    def are_running(self) -> bool:
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    @property
    def have_died(self) -> bool:
        """Whether they were started and run no more, and nobody stopped them."""
        return bool(self._threads) and not self.are_running and not self._stopping.is_set()

    @property
    def are_stopping(self) -> bool:
        return self._stopping.is_set()

    def wake(self) -> None:
        """There is work."""
        with self._news:
            self._count += 1
            self._news.notify_all()

    def _run(self, live_only: bool) -> None:
        heard = -1
        while not self._stopping.is_set():
            with self._news:
                if self._count == heard:
                    self._news.wait(IDLE_S)
                heard = self._count
            try:
                self._work(live_only)
            except Exception as error:
                # The workers outlive whatever one lead or one moment of the database does to them.
                log.error("a delivery worker stumbled: %s", type(error).__name__)

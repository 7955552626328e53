"""The delivering threads, and the heartbeat of their leases."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from desk.delivery.queue import LEASE_S, Queue
from desk.places import places

WORKERS = 3
"""Leads carried at once. With AmoCRM's usual 0.1–0.5 s an answer, three fill seven requests a second; more would wait."""

IDLE_S = 1.0
"""Pause between two looks for unannounced work: leads accepted by another process, leads that have become due."""

BEAT_S = LEASE_S / 5
"""How often a lease is renewed."""

LONGEST_HOLD_S = 300.0
"""Longest time for which a lease is renewed without a sign of progress. A request takes 40 s at the most and a
reading is tried six times: a longer call hangs, and another worker may take the lead over."""

SEND_WITHIN_S = LEASE_S / 2
"""Longest time between a lease last seen as ours and the start of a write: no other worker can have taken the lead over."""

OnRound = Callable[[str, BaseException | None], object]
"""Called after each round of background work with the name of the work, and the round's error or None."""

log = logging.getLogger(__name__)


def ignore_round(name: str, error: BaseException | None) -> None:
    """Ignore the end of a round."""


@dataclass(slots=True)
class _Held:
    """A lease in our hands; times are `time.monotonic()`."""

    seen: float  # when it was last seen to be ours
    got_on: float  # when its lead last got on
    tries_for_all: bool


class Heart:
    """Keeps the leases of a process alive for as long as their leads are held and get on."""

    def __init__(
        self, queue: Queue, on_round: OnRound = ignore_round, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._queue, self._on_round, self._monotonic = queue, on_round, monotonic
        self._lock = threading.Lock()
        self._held: dict[tuple[str, int], _Held] = {}
        self._beating = False

    @contextmanager
    def holding(self, lead_id: str, lease: int, *, tries_for_all: bool = False) -> Iterator[None]:
        """Keep a lease, just taken, until the block ends."""
        now = self._monotonic()
        with self._lock:
            self._held[lead_id, lease] = _Held(now, now, tries_for_all)
            self._begin_to_beat()
        try:
            yield
        finally:
            with self._lock:
                self._held.pop((lead_id, lease), None)

    def gets_on(self, lead_id: str, lease: int) -> None:
        """Note progress of a lead: its lease is kept for a further while."""
        with self._lock:
            if held := self._held.get((lead_id, lease)):
                held.got_on = self._monotonic()

    def still_holds(self, lead_id: str, lease: int) -> bool:
        """Whether no other worker can have taken the lead over: asked right before a write leaves."""
        with self._lock:
            held = self._held.get((lead_id, lease))
        return held is not None and self._monotonic() - held.seen < SEND_WITHIN_S

    def _begin_to_beat(self) -> None:
        if self._beating:
            return
        try:
            threading.Thread(target=self._beat, name="delivery-heart", daemon=True).start()
            self._beating = True
        except RuntimeError as error:
            # No thread is to be had now. The lease lasts a while without, and then the lead is somebody else's.
            report_round(self._on_round, "heartbeat", error)
            log.error("the heartbeat cannot begin: %s", type(error).__name__)

    def _beat(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(BEAT_S)
            if not self._beat_once():
                return

    def _beat_once(self) -> bool:
        """Renew the leases of all leads with progress; False if no lead is held any more."""
        before = self._monotonic()
        with self._lock:
            if not self._held:
                self._beating = False
                return False
            held = {key: one for key, one in self._held.items() if before - one.got_on < LONGEST_HOLD_S}
        try:
            ours = self._queue.extend([(*key, one.tries_for_all) for key, one in held.items()]) if held else set()
        except Exception as error:
            report_round(self._on_round, "heartbeat", error)
            log.error("the heartbeat stumbled: %s", places(error))
            return True
        report_round(self._on_round, "heartbeat", None)
        with self._lock:
            for key, one in held.items():
                one.seen = before if key in ours else float("-inf")
        return True


class Workers:
    """Threads carrying the due leads. One thread takes only leads with a client on the line."""

    def __init__(self, work: Callable[[bool], int], on_round: OnRound = ignore_round) -> None:
        """`work(live_only)`: do all due work and return its amount. `on_round`: called after each round."""
        self._work, self._on_round = work, on_round
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
        """Whether the threads were started, run no more and were not stopped."""
        return bool(self._threads) and not self.are_running and not self._stopping.is_set()

    @property
    def are_stopping(self) -> bool:
        return self._stopping.is_set()

    def wake(self) -> None:
        """Let the threads look for work now."""
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
            failed: Exception | None = None
            try:
                self._work(live_only)
            except Exception as error:
                # The workers outlive whatever one lead or one moment of the database does to them.
                failed = error
                log.error("a delivery worker stumbled: %s", places(error))
            report_round(self._on_round, "delivery", failed)


def report_round(on_round: OnRound, name: str, error: BaseException | None) -> None:
    """Call `on_round`; an error of its own must not stop the work."""
    try:
        on_round(name, error)
    except Exception as another:
        log.error("a round could not be told: %s", places(another))

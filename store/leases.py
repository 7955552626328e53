"""A lease kept alive by a heartbeat, for as long as its holder is expected to be at work.

    with beating(renew, …) as pulse:      a thread renews the lease every few seconds
        pulse.expect()                    a step begins that ends within `step_s`; past it the heart stops
        pulse.still_ours()                asked right before something leaves that only the holder may send

Which row the lease is, and what `renew` writes there, is the owner's business.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from store.errors import StoreError


class Pulse:
    """What the holder of a lease knows and says of it while it is kept alive."""

    def __init__(self, step_s: float, send_within_s: float) -> None:
        self._step_s, self._send_within_s = step_s, send_within_s
        self.seen = time.monotonic()
        self.expect()

    def expect(self, for_s: float | None = None) -> None:
        """Begin something that ends within so many seconds; the lease is kept as long."""
        self._until = time.monotonic() + (self._step_s if for_s is None else for_s)

    @property
    def is_expected(self) -> bool:
        """Whether the holder's present step may still be going on."""
        return time.monotonic() < self._until

    def still_ours(self) -> bool:
        """Whether certainly nobody else can have taken the lease over. Begins the step that is about to leave."""
        self.expect()
        return time.monotonic() - self.seen < self._send_within_s


@contextmanager
def beating(renew: Callable[[], bool], *, every_s: float, step_s: float, send_within_s: float) -> Iterator[Pulse]:
    """Keep a lease alive for as long as the block takes and is expected to take.

    `renew` extends the lease and says whether it was still ours. `send_within_s`: a call may leave this long after the
    lease was last seen to be ours, as nobody else can have taken it over by then.
    """
    over, pulse = threading.Event(), Pulse(step_s, send_within_s)

    def beat() -> None:
        while not over.wait(every_s):
            before = time.monotonic()
            if not pulse.is_expected:
                continue  # the step should be over: nobody is kept from the lease any longer
            with suppress(StoreError):
                pulse.seen = before if renew() else float("-inf")

    threading.Thread(target=beat, name="lease", daemon=True).start()
    try:
        yield pulse
    finally:
        over.set()

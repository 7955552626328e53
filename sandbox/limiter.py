"""The request limit and the penalties: 429, then a block of the whole account (sheet 4.1).

An arrival is allowed when fewer than the limit were allowed in the second before it. Refused ones do not count
towards the limit, but they count as breaches.
"""

from __future__ import annotations

from collections import defaultdict, deque

from sandbox.config import Config

WINDOW_S = 1.0


class Limiter:
    """Counts arrivals per integration and for the account."""

    def __init__(self) -> None:
        self.blocked = False
        self._allowed: dict[str, deque[float]] = defaultdict(deque)
        self._account: deque[float] = deque()
        self._breaches: deque[float] = deque()

    def allows(self, who: str, at: float, config: Config) -> bool:
        """Whether a request of `who` at `at` (unix seconds) is let in. May block the account from then on."""
        own = self._allowed[who]
        for window in (own, self._account):
            while window and at - window[0] >= WINDOW_S:
                window.popleft()
        if len(own) < config.rps and len(self._account) < max(config.account_rps, config.rps):
            own.append(at)
            self._account.append(at)
            return True
        self._breaches.append(at)
        while at - self._breaches[0] > config.block_window_s:
            self._breaches.popleft()
        if config.block_after and len(self._breaches) >= config.block_after:
            self.blocked = True
        return False

    def lift(self) -> None:
        """Lift the block, as AmoCRM's support does when asked nicely."""
        self.blocked = False
        self._breaches.clear()

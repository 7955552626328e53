"""When a read is tried again. Pure: an error and a count in, seconds (or no) out.

Only reads: whether a write may be repeated is decided by `desk.delivery`, which can look what became of it.
"""

from __future__ import annotations

from crm.errors import DeskError, NetworkError

LIVE_ATTEMPTS = 3
"""Tries while somebody looks at a screen: about two seconds of waiting, then the truth."""

BACKGROUND_ATTEMPTS = 6
"""Tries in the background: about half a minute, longer than AmoCRM's usual hiccup."""

FIRST_S = 0.5
"""The first pause; each further pause is twice as long."""

LONGEST_S = 15.0

LIVE_LONGEST_S = 5.0
"""The longest wait of a person for another try; beyond it the error is told."""

RETRIED = frozenset({"rate_limited", "server_error", "server_hiccup", "not_routed"})
"""Answers after which the same read may succeed a moment later. A 402 can flap too, but for minutes (sheet 4.1)."""


def pause_before_retry(error: DeskError, attempt: int, *, live: bool, chance: float) -> float | None:
    """Seconds to wait before trying a read again after its `attempt`-th failure (1 is the first), or None to give up.

    `chance`: a random number in [0, 1) that spreads the tries of many callers.
    """
    if not isinstance(error, NetworkError) and error.code not in RETRIED:
        return None
    if attempt >= (LIVE_ATTEMPTS if live else BACKGROUND_ATTEMPTS):
        return None
    pause_s = min(FIRST_S * 2 ** (attempt - 1), LONGEST_S) * (0.5 + chance)
    if error.retry_after_s is not None:
        # The limiter holds everybody back for that long already; waiting here as well would double it.
        pause_s = 0.0 if error.retry_after_s <= LIVE_LONGEST_S or not live else LONGEST_S
    return None if live and pause_s > LIVE_LONGEST_S else pause_s

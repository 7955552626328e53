"""When a webhook is tried again and when a subscription is switched off: decisions only, by the sheet's table (7.1, D)."""

from __future__ import annotations

MINUTE_S = 60.0
DELAYS_S = {2: 5 * MINUTE_S, 3: 15 * MINUTE_S, 4: 15 * MINUTE_S, 5: 60 * MINUTE_S}
"""Attempt → seconds after the attempt before."""

PATIENT_ATTEMPTS = (4, 5)
"""Made only after the receiver's own failures: 499 and 500-599."""

SWITCH_OFF_AFTER = 100
"""More bad answers than this, the last one bad, within `SWITCH_OFF_WINDOW_S` …"""

SWITCH_OFF_WINDOW_S = 2 * 60 * MINUTE_S
"""… and the hook may be disabled."""


def is_good(status: int) -> bool:
    """100-299. 0 stands for no answer in time."""
    return 100 <= status <= 299


def delay_before_next(attempt: int, status: int) -> float | None:
    """Seconds until attempt number `attempt + 1`, or None when there is none."""
    following = attempt + 1
    if is_good(status) or following not in DELAYS_S:
        return None
    if following in PATIENT_ATTEMPTS and not (status == 499 or 500 <= status <= 599):
        return None
    return DELAYS_S[following]


def should_switch_off(bad_at: list[float], now: float, scale: float) -> bool:
    """`bad_at`: the times of bad answers, the last just now. `scale` shrinks the two hours along with the delays."""
    recent = [moment for moment in bad_at if now - moment <= SWITCH_OFF_WINDOW_S * scale]
    return len(recent) > SWITCH_OFF_AFTER

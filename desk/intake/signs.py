"""Signs in a submission: of a person or a program, and of consent.

Pure. None of it refuses anything: a submission that looks like a program's is put aside and can be brought back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from desk.intake.tracking import clean
from desk.lead import Consent
from desk.reading import ticks

TRAP = "homepage"
"""A field invisible to people. Programs fill in every field; browsers do not fill an invisible field by themselves."""

FILL_MS = "fill_ms"
"""Milliseconds from the form's appearing to its sending, as counted by the snippet."""

IN_TRAP, TOO_FAST = "trap", "too_fast"
SIGNS = (IN_TRAP, TOO_FAST)
"""Why a submission is put aside."""

CONSENT, CONSENT_VERSION = "consent", "consent_version"

LONGEST_VERSION = 100


def sign_of(raw: Mapping[str, Any], least_fill_s: float) -> str | None:
    """The sign of a program's work, a value of `SIGNS`; None if there is none.

    A form without scripts sends no time, so a missing one says nothing.
    """
    bait = raw.get(TRAP)
    if bait is not None and (bait.strip() if isinstance(bait, str) else bait) not in ("", False, 0):
        return IN_TRAP
    fill_ms = _number(raw.get(FILL_MS))
    if fill_ms is not None and 0 <= fill_ms < least_fill_s * 1000:
        return TOO_FAST
    return None


def consent_of(raw: Mapping[str, Any], *, given_at: datetime, ip: str | None, form: str) -> Consent | None:
    """The consent to the processing of personal data; None if none was given."""
    if ticks.read(raw.get(CONSENT)) is not True:
        return None
    return Consent(clean(raw.get(CONSENT_VERSION))[:LONGEST_VERSION], given_at, ip, form)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None

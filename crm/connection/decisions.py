"""Decisions about the grant. Pure: facts and the time in, a decision out.

when a pair is refreshed by itself           due_at
whether it may still be used                 is_usable
when a failed refresh is tried again         next_attempt
what becomes of a token that may be spent    after_asking
which word describes the connection          state_of
what a failure really was                    explained
when a refused long-lived token is tried     next_probe, is_resting
"""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from crm.client import PERSON_SWITCHED_OFF
from crm.errors import BrokenWord, DeskError, NetworkError, NotLetIn, SetupError

RENEW_BEFORE = timedelta(hours=2)
"""Time before a token's end at which the token is refreshed, so no request ever waits. A token lives 24 h (sheet 3.4):
a refresh token is thus used every 22 hours, far inside its three months, whether anybody works or not."""

RENEW_SHARE = 0.1
"""The same for a short-lived token: in the last tenth of its life."""

JITTER = timedelta(minutes=10)
"""Several desks that were connected together do not refresh together."""

EXPIRY_MARGIN = timedelta(seconds=60)
"""The least life left of a usable access token: clocks differ, and a request takes its time."""

EXPIRY_SHARE = 0.05
"""The same for a token of a few minutes: the last twentieth."""

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600, 1200, 1800, 1800, 1800))
"""Pauses between automatic tries after the first, second, … failure in a row. A working access token hides the failures."""

ASK_SOON = timedelta(seconds=3)
"""The pause after a lost answer: the next step is a question, which spends no token."""

EXHAUSTED_AFTER = len(PAUSES) + 1
"""So many failures in a row (about two and a half hours) are no hiccup: a person is told, and tries become rare."""

EXHAUSTED_PAUSE = timedelta(hours=1)
BLOCKED_PAUSE = timedelta(hours=1)
"""The pause of a blocked account, which only AmoCRM's support unblocks (sheet 4.1): knocking makes the matter no better."""

LONGEST_WAIT = timedelta(hours=1)
"""The longest pause before another try, for any wish of AmoCRM and any error of our clock."""

CLOCK_LIMIT_S = 300.0
"""An error of our clock large enough to spoil expiry times and certificates; a smaller error is jitter."""

PROBES = tuple(timedelta(seconds=seconds) for seconds in (60, 300, 900))
"""Pauses before a refused long-lived token is tried again, by refusals in a row. Only a person can replace the token,
so this is only for an AmoCRM that refuses by mistake for a while."""

FATAL = frozenset(
    {
        "grant_revoked", "grant_expired", "grant_invalid", "client_id_wrong", "client_secret_wrong", "client_not_allowed",
        "redirect_uri_wrong", "account_wrong", "account_gone", "refresh_lost", "switched_off", "rights_missing",
    }
)  # fmt: skip
"""Codes after which the refresh token is not worth another try: a person has to act."""

GONE = frozenset({"grant_revoked", "grant_expired", "refresh_lost", "switched_off"})
"""Fatal codes beyond the reach of our settings: the refresh token itself is worthless."""

REFRESH_LOST = "refresh_lost"
"""The code of a refresh token spent by a call whose answer was lost: only a new consent helps."""

KEPT_OUT = frozenset({"switched_off", PERSON_SWITCHED_OFF})
"""Troubles with which no call is worth sending, and no refresh either."""

REFUSED_GRANT = frozenset({"grant_revoked", "grant_expired", "grant_invalid"})
"""AmoCRM's codes for a worthless refresh token."""

UNSENT = frozenset(
    {"unreachable", "name_unknown", "tls_failed", "too_late_to_send", "no_turn", "rate_limited", "unpaid", "blocked"}
)
"""Results of a token call after which the token is certainly unspent."""

ASK_AT_MOST = 3
"""Failed questions before the token is sent without an answer: if AmoCRM cannot be asked, its
promise counts that a token stays good until its successor is used (sheet 3.4)."""

MOVED_MAYBE = frozenset({"grant_revoked", "grant_invalid", "client_not_allowed", "account_gone", "account_wrong"})
"""Codes that a moved account answers with as well (sheet 3.5, 3.7)."""

REJECTED_AGAIN = timedelta(minutes=1)
"""The least time between two refreshes for a refused token if the pair between was never seen to work."""

CLOCK_MAYBE = frozenset({"tls_failed", "grant_invalid", "client_not_allowed"})
"""Codes that a wrong clock of ours can cause."""


def due_at(issued_at: datetime, expires_at: datetime, access_print: str) -> datetime:
    """When the background refreshes a pair. The jitter follows from the pair: every process computes the same."""
    life = expires_at - issued_at
    before = min(RENEW_BEFORE, life * RENEW_SHARE)
    jitter = min(JITTER, life * RENEW_SHARE / 2) * (int(access_print[:4] or "0", 16) / 0xFFFF)
    return expires_at - before - jitter


def is_usable(issued_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Whether an access token may still be sent."""
    return expires_at - now > min(EXPIRY_MARGIN, (expires_at - issued_at) * EXPIRY_SHARE)


def is_unsure(error: DeskError) -> bool:
    """Whether a failure leaves open if the refresh token was spent: the call left, no pair came back."""
    if isinstance(error, NetworkError):
        return error.code in ("cut_off", "too_slow")
    return error.code in (
        "server_error",
        "garbled",
        "token_answer_incomplete",
        "too_large",
        "unexpected_answer",
        "server_hiccup",
    )


def next_attempt(error: DeskError, failures: int, now: datetime) -> datetime | None:
    """When to try again by ourselves after the `failures`-th failure in a row; None: not before a person has acted."""
    if error.code in FATAL:
        return None
    if error.code == "blocked":
        return now + BLOCKED_PAUSE
    pause = PAUSES[failures - 1] if failures <= len(PAUSES) else EXHAUSTED_PAUSE
    if failures == 1 and is_unsure(error):
        pause = ASK_SOON
    return now + min(max(pause, timedelta(seconds=error.retry_after_s or 0.0)), LONGEST_WAIT)


def is_cooling(next_attempt_at: datetime | None, now: datetime) -> bool:
    """Whether another try is too early. A time too far ahead was set by a wrong clock."""
    return next_attempt_at is not None and now < next_attempt_at <= now + LONGEST_WAIT


def next_probe(refusals: int, now: datetime) -> datetime:
    """When a long-lived token is tried again after its `refusals`-th refusal in a row."""
    return now + PROBES[min(max(refusals, 1), len(PROBES)) - 1]


def is_resting(refused_at: datetime | None, until: datetime | None, now: datetime) -> bool:
    """Whether a refusal of a long-lived token is still fresh. A clock set back does not prolong a refusal."""
    return refused_at is not None and until is not None and refused_at <= now < until


def refresh_would_repeat(cause: str | None, works: bool, issued_at: datetime, now: datetime) -> bool:
    """Whether refreshing again is pointless: the pair was itself issued after a rejection and rejected at once.

    Only for a while. A pair of which nobody saw a success may have worked: its process was killed, or it was not used until it
    was too old.
    """
    return cause == "rejected" and not works and timedelta() <= now - issued_at < REJECTED_AGAIN


def after_asking(error: DeskError, failures: int) -> str:
    """Decide about a refresh token that may be spent, after AmoCRM did not confirm the token.

    "wait" and ask again, call it "lost", or "send" it. `failures`: refreshes in a row that brought nothing.
    """
    if isinstance(error, NetworkError) or error.code in ("rate_limited", "unpaid", "blocked"):
        return "wait"
    if error.code == "not_found":
        return "send"  # this AmoCRM knows no such question
    if isinstance(error, BrokenWord):
        return "wait" if failures < ASK_AT_MOST else "send"
    return "lost"


def is_worth_trying(trouble: str, *, by_hand: bool) -> bool:
    """Whether a pair in trouble may be sent once more: in fatal trouble only by hand, a dead pair never."""
    return trouble not in FATAL or (by_hand and trouble not in GONE)


def state_of(*, trouble: str | None, usable: bool, failures: int) -> str:
    """Name the state of a stored pair.

    "connected"; "failing": the access token works and its successor could not be had; "exhausted": the same for so
    long that a person should look; "switched_off": by AmoCRM's admin; "broken": nothing works.
    """
    if trouble == "switched_off":
        return "switched_off"
    if trouble == PERSON_SWITCHED_OFF:
        return "broken"
    if usable:
        if failures >= EXHAUSTED_AFTER:
            return "exhausted"
        return "failing" if trouble or failures else "connected"
    if trouble:
        return "broken"
    return "exhausted" if failures >= EXHAUSTED_AFTER else "failing" if failures else "connected"


def skew_s(date_header: str | None, now: datetime) -> float | None:
    """Return how far our clock is ahead of the server's, by the `Date` of its answer; None for an unreadable date."""
    try:
        theirs = parsedate_to_datetime(date_header or "")
    except (ValueError, TypeError):
        return None
    return None if theirs.tzinfo is None else (now - theirs).total_seconds()


def explained(error: DeskError, skew: float | None, *, unsure: bool = False) -> DeskError:
    """Name the real cause of a failure: a wrong clock looks like a bad certificate or an invalid token.

    `unsure`: the token may have been spent by a call before this one; a refusal then tells that it was.
    """
    if unsure and error.code in REFUSED_GRANT:
        return NotLetIn(REFRESH_LOST, operation=error.operation, status=error.status, request_id=error.request_id)
    if error.code in CLOCK_MAYBE and skew is not None and abs(skew) > CLOCK_LIMIT_S:
        return SetupError("clock_wrong", operation=error.operation, status=error.status, request_id=error.request_id)
    return error

"""Staying in: one refresh at a time across all threads and processes on the database.

    needs a new token ─► somebody stored one meanwhile? use it
                      ─► the lease, and the journal line with it ─► spent by a call nobody answered? ask, do not send
                                                                 ─► one token call, no transaction open
                                                                 ─► both tokens stored, then used
    everybody else waits for the row to change; a failure is everybody's answer until it is time to try again

A refresh token works once. After a call whose answer never came nobody knows whether it is spent, and AmoCRM's own
word on that differs (sheet 3.4). So before such a token is sent again AmoCRM is asked for the account's address with
it, a question that spends nothing (sheet 3.7): an answer means that it still works; a refusal, that it is gone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa

from crm import oauth
from crm.connection import decisions
from crm.connection.grant import Grant, Held, Lease, Pulse
from crm.door import Door
from crm.errors import Declined, DeskError, NotLetIn, SetupError
from store import StoreError

WAIT_S = oauth.TOKEN_DEADLINE_S + 5.0
"""How long anybody waits for somebody else's refresh before giving up: for its call, which has an end, and for storing
the pair. Whoever has a key that works does not wait at all."""

SAVE_FOR_S = 45.0
"""How long a pair that has come is tried to be stored."""

SAVE_AGAIN_S = 0.5

POLL_S = 0.01
"""How often a waiting process looks. Short against a token call (150 ms), so that waiting adds little to it."""


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """A pair that AmoCRM has given out and no database holds yet."""

    pair: oauth.Pair
    account_url: str
    lease: Lease
    cause: str


class Refresher:
    """Renews the pair of a grant. Thread-safe; one a process."""

    def __init__(
        self,
        grant: Grant,
        door: Door,
        integration: Callable[[], oauth.Integration],
        may_go_to: Callable[[str], bool],
        clock: Callable[[], datetime],
        watch: Callable[[str], object] = lambda step: None,
    ) -> None:
        """`may_go_to`: whether the client secret may be sent to a host. `watch` is told each step; tests use it."""
        self._grant, self._door, self._integration = grant, door, integration
        self._may_go_to, self._clock, self._watch = may_go_to, clock, watch
        self._turn = threading.Lock()
        self._latest: Held | None = None
        self._unsaved: _Unsaved | None = None

    def renewed(self, seen: Held, cause: str, *, by_hand: bool = False, insists: bool = False) -> Held:
        """The pair after `seen`: somebody else's if one is stored by now, else by one token call.

        `cause`: "early", "expired", "rejected" or "by_hand", for the journal. `by_hand` tries even while the background waits
        after a failure, and is itself held back after a refresh (`decisions.by_hand_wait`). Raises why there is no newer pair.
        """

        def guard(row: sa.RowMapping) -> None:
            """Asked on the row itself, which nobody else can change now: another process may have refreshed a moment ago."""
            if by_hand:
                self._hold_back(row, insists)

        give_up = time.monotonic() + WAIT_S
        with self._in_turn():
            while time.monotonic() < give_up:
                if self._unsaved is not None:
                    self._save(self._unsaved)
                if self._latest is not None and self._latest.generation > seen.generation:
                    return self._latest
                held = self._grant.held()
                if held is None:
                    raise SetupError("not_connected")
                if held.generation != seen.generation:
                    self._latest = held
                    return held
                if cause == "rejected" and decisions.is_in_vain(held.cause, held.works, held.issued_at, self._clock()):
                    raise NotLetIn("token_rejected", status=401)
                self._check_worth_trying(held, by_hand=by_hand)
                self._watch("before the journal")
                lease = self._grant.lease(held, cause, even_cooling=by_hand, guard=guard)
                if lease is not None:
                    self._watch("after the journal")
                    self._latest = self._refresh(held, lease, cause)
                    return self._latest
                time.sleep(POLL_S)
        raise NotLetIn("refresh_stuck", retryable=True)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """One thread of this process talks to the database and AmoCRM about it, the others wait here, and not for ever."""
        if not self._turn.acquire(timeout=WAIT_S):
            raise NotLetIn("refresh_stuck", retryable=True)
        try:
            yield
        finally:
            self._turn.release()

    def _check_worth_trying(self, held: Held, *, by_hand: bool) -> None:
        if held.trouble is not None and not decisions.is_worth_trying(held.trouble, by_hand=by_hand):
            raise NotLetIn(held.trouble)
        if (
            held.next_attempt_at is not None
            and decisions.is_cooling(held.next_attempt_at, self._clock())
            and not by_hand
        ):
            wait_s = (held.next_attempt_at - self._clock()).total_seconds()
            raise NotLetIn("refresh_waiting", retryable=True, retry_after_s=wait_s)

    def _hold_back(self, row: sa.RowMapping, insists: bool) -> None:
        """Raise `Declined("refreshed_just_now")` for a refresh by hand that comes too soon after the one before."""
        wait = decisions.by_hand_wait(
            refreshed_at=row["refreshed_at"],
            attempted_at=row["attempted_at"],
            failures=self._grant.failures_of(row),
            insists=insists,
            now=self._clock(),
        )
        if wait > timedelta():
            raise Declined("refreshed_just_now", retry_after_s=wait.total_seconds())

    def _refresh(self, held: Held, lease: Lease, cause: str) -> Held:
        with self._grant.beating(lease) as pulse:
            try:
                if lease.unsure_since is not None:
                    self._make_sure(held, lease)
                    pulse.expect()
                pair, account_url = self._call(held, pulse)
            except DeskError as error:
                # Any other exception leaves the journal line open, and whoever comes next asks before sending.
                return self._failed(held, lease, cause, error)
            pulse.expect(SAVE_FOR_S)
            self._watch("answered")
            self._unsaved = _Unsaved(pair, account_url, lease, cause)
            stored = self._save(self._unsaved)
        self._watch("stored")
        held_now = self._grant.held()
        if held_now is None:
            raise SetupError("not_connected")
        if not stored and held_now.generation == held.generation:
            raise NotLetIn("refresh_stuck", retryable=True)
        return held_now

    def _save(self, unsaved: _Unsaved) -> bool:
        """Store a pair we have got. A database that is busy or full is tried again: the pair is nowhere else."""
        give_up = time.monotonic() + SAVE_FOR_S
        while True:
            try:
                stored = self._grant.store(unsaved.pair, unsaved.account_url, lease=unsaved.lease, cause=unsaved.cause)
            except StoreError as error:
                log.error("a new pair could not be stored: %s", type(error).__name__)
                if time.monotonic() > give_up:
                    raise SetupError("database_unreachable") from None
                time.sleep(SAVE_AGAIN_S)
            else:
                self._unsaved = None
                return stored

    def _failed(self, held: Held, lease: Lease, cause: str, error: DeskError) -> Held:
        """Write down why there is no pair, and raise it; unless somebody has stored a newer one meanwhile."""
        skew = decisions.skew_s(error.server_date, self._clock())
        error = decisions.explained(error, skew, unsure=lease.unsure_since is not None)
        self._grant.fail(lease, error, rejected=cause == "rejected")
        now = self._grant.held()
        if now is not None and now.generation != held.generation:
            return now
        raise error from None

    def _call(self, held: Held, pulse: Pulse) -> tuple[oauth.Pair, str]:
        """The token call; once more at the account's present address where the account has moved."""
        at = held.account_url
        try:
            return oauth.refresh(self._door, at, self._integration(), held.refresh, pulse.still_ours), at
        except DeskError as error:
            pulse.expect()
            moved_to = self.moved_to(held) if error.code in decisions.MOVED_MAYBE else None
            if moved_to is None:
                raise
        pulse.expect()
        return oauth.refresh(self._door, moved_to, self._integration(), held.refresh, pulse.still_ours), moved_to

    def _make_sure(self, held: Held, lease: Lease) -> None:
        """Ask whether a token that may have been spent still works. Raises where it does not, or nobody can tell."""
        try:
            oauth.present_domain(self._door, self._api_host(held), held.refresh)
        except DeskError as error:
            match decisions.after_asking(error, held.failures):
                case "wait":
                    raise
                case "lost":
                    raise NotLetIn(decisions.REFRESH_LOST, status=error.status, request_id=error.request_id) from None
        else:
            self._grant.sure_again(lease)

    def moved_to(self, held: Held) -> str | None:
        """The account's present address where it is another than the stored one and the secret may go there."""
        try:
            domain = oauth.present_domain(self._door, self._api_host(held), held.refresh)
        except DeskError:
            return None
        scheme = urlsplit(held.account_url).scheme
        address = f"{scheme}://{domain}"
        return address if address != held.account_url and self._may_go_to(domain) else None

    def is_dead(self, held: Held) -> bool:
        """Whether AmoCRM, asked about it, refuses the refresh token. False where it cannot be asked now."""
        try:
            oauth.present_domain(self._door, self._api_host(held), held.refresh)
        except DeskError as error:
            return decisions.after_asking(error, 0) == "lost"
        return False

    def _api_host(self, held: Held) -> str:
        """Where to ask about the account: the host the token names, or the account's own."""
        named = oauth.claims_of(held.access).get("api_domain")
        if isinstance(named, str) and self._may_go_to(named):
            return f"{urlsplit(held.account_url).scheme}://{named}"
        return held.account_url

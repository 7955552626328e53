"""Staying in: a single refresh at a time across all threads and processes on the database.

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
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa

from crm import oauth
from crm.connection import decisions
from crm.connection.grant import Grant, Held, Lease
from crm.door import Door
from crm.errors import DeskError, NotLetIn, SetupError
from store import StoreError
from store.leases import Pulse

WAIT_S = oauth.TOKEN_DEADLINE_S + 5.0
"""How long anybody waits for somebody else's refresh before giving up: for its call, which has an end, and for storing
the pair. Whoever has a key that works does not wait at all."""

SAVE_FOR_S = 45.0
"""Time in which a new pair is tried to be stored."""

SAVE_AGAIN_S = 0.5

POLL_S = 0.01
"""The interval at which a waiting process looks. Short against a token call (150 ms)."""


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """A new pair from AmoCRM, not yet in any database."""

    pair: oauth.Pair
    account_url: str
    lease: Lease
    cause: str


class Refresher:
    """Renews the pair of a grant. Thread-safe; a process has a single refresher."""

    def __init__(
        self,
        grant: Grant,
        door: Door,
        integration: Callable[[], oauth.Integration],
        may_go_to: Callable[[str], bool],
        clock: Callable[[], datetime],
        on_step: Callable[[str], object] = lambda step: None,
    ) -> None:
        """`may_go_to`: whether the client secret may be sent to a host. `on_step` is told each step; tests use it."""
        self._grant, self._door, self._integration = grant, door, integration
        self._may_go_to, self._clock, self._on_step = may_go_to, clock, on_step
        self._turn = threading.Lock()
        self._latest: Held | None = None
        self._unsaved: _Unsaved | None = None

    def renewed(
        self,
        seen: Held,
        cause: str,
        *,
        by_hand: bool = False,
        guard: Callable[[sa.RowMapping], object] = lambda row: None,
    ) -> Held:
        """Return the pair after `seen`: a pair stored meanwhile, else a new pair by a token call.

        `cause`: "early", "expired", "rejected" or "by_hand", for the journal. `by_hand` tries even while the background waits
        after a failure. `guard`: looks at the row, which nobody else can change then, and raises for a refresh that is not
        to be: another process may have refreshed a moment ago. Raises why there is no newer pair.
        """
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
                if cause == "rejected" and decisions.refresh_would_repeat(
                    held.cause, held.works, held.issued_at, self._clock()
                ):
                    raise NotLetIn("token_rejected", status=401)
                self._check_worth_trying(held, by_hand=by_hand)
                self._on_step("before the journal")
                lease = self._grant.lease(held, cause, even_cooling=by_hand, guard=guard)
                if lease is not None:
                    self._on_step("after the journal")
                    self._latest = self._refresh(held, lease, cause)
                    return self._latest
                time.sleep(POLL_S)
        raise NotLetIn("refresh_stuck", retryable=True)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Let a single thread of the process refresh; other threads wait here, and not for ever."""
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
            self._on_step("answered")
            self._unsaved = _Unsaved(pair, account_url, lease, cause)
            stored = self._save(self._unsaved)
        self._on_step("stored")
        held_now = self._grant.held()
        if held_now is None:
            raise SetupError("not_connected")
        if not stored and held_now.generation == held.generation:
            raise NotLetIn("refresh_stuck", retryable=True)
        return held_now

    def _save(self, unsaved: _Unsaved) -> bool:
        """Store a new pair. A busy or full database is tried again: the pair is nowhere else."""
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
        """Write down and raise the failure of a refresh; return the newer pair if somebody stored a pair meanwhile."""
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
        """Ask AmoCRM whether a possibly spent token still works. Raises unless AmoCRM says so."""
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
        """Return the account's new address; None if the account has not moved, or the secret may not go there."""
        try:
            domain = oauth.present_domain(self._door, self._api_host(held), held.refresh)
        except DeskError:
            return None
        scheme = urlsplit(held.account_url).scheme
        address = f"{scheme}://{domain}"
        return address if address != held.account_url and self._may_go_to(domain) else None

    def is_dead(self, held: Held) -> bool:
        """Whether AmoCRM, asked about the refresh token, refuses the token. False if AmoCRM cannot be asked now."""
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

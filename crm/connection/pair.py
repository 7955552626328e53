"""The access token of the stored pair, for the client: renewed at its end, replaced after a refusal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

from crm.client import Token
from crm.connection import decisions
from crm.connection.grant import Grant, Held
from crm.connection.refresh import Refresher
from crm.errors import NotLetIn, SetupError
from crm.journal import Journal, Line

ASK_WHERE_EVERY_S = 60.0
"""How often a "not found" makes us ask whether the account has moved."""


class PairTokens:
    """A client's `Tokens` out of the grant. Thread-safe."""

    def __init__(self, grant: Grant, refresher: Refresher, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._grant, self._refresher, self._journal, self._clock = grant, refresher, journal, clock
        self._generations: dict[str, int] = {}
        self._proved: int | None = None
        self._asking, self._ask_again_at = threading.Lock(), 0.0

    def current(self) -> Token:
        """Return a usable token. No request while the stored token is valid, 1 after its end."""
        held = usable(self._grant.held_together())
        if not held.is_usable(self._clock()):
            held = self._refresher.renewed(held, "expired")
        return self._given_out(held)

    def after_rejection(self, rejected: Token) -> Token:
        """Return another token after a 401: the stored token if somebody was faster, else by a refresh."""
        held = usable(self._grant.held())
        if held.access == rejected.access:
            held = self._refresher.renewed(held, "rejected")
        return self._given_out(held)

    def worked(self, token: Token) -> None:
        """Write AmoCRM's acceptance of the token down; once a pair and process."""
        generation = self._generations.get(token.access)
        if generation is not None and generation != self._proved:
            self._proved = generation
            self._grant.proved(generation)

    def kept_out(self, token: Token, code: str) -> None:
        """Send no more requests with the pair: its person has been switched off in AmoCRM."""
        generation = self._generations.get(token.access)
        held = self._grant.held() if generation is None else None
        if held is not None and held.access == token.access:
            generation = held.generation
        row = self._grant.row()
        is_new = row is not None and self._grant.trouble_of(row) != code
        if generation is not None and self._grant.trouble(generation, code) and is_new:
            self._journal.write(Line("token", "token.kept_out", code))

    def moved(self, token: Token) -> Token | None:
        """Return the token with the account's present address; None if the account has not moved. At most 1 request a minute."""
        now = time.monotonic()
        with self._asking:
            if now < self._ask_again_at:
                return None
            self._ask_again_at = now + ASK_WHERE_EVERY_S
        held = self._grant.held()
        if held is None or held.access != token.access:
            return None
        address = held.account_url if held.account_url != token.account_url else self._refresher.moved_to(held)
        if address is None:
            return None
        self._grant.move(held.generation, address)
        return Token(address, token.access)

    def _given_out(self, held: Held) -> Token:
        self._generations = {held.access: held.generation}
        return held.token


def usable(held: Held | None) -> Held:
    """Return the pair if its use makes sense. Raises `SetupError("not_connected")`, and `NotLetIn` for a pair kept out."""
    if held is None:
        raise SetupError("not_connected")
    if held.trouble in decisions.KEPT_OUT:
        raise NotLetIn(held.trouble)
    return held

"""The connection to AmoCRM: connecting, tokens for the client, the account behind the tokens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from crm import oauth
from crm.client import Token, Tokens
from crm.config import Config
from crm.connection import status
from crm.connection.consent import Consent
from crm.connection.grant import LONG_LIVED, OURS, Grant
from crm.connection.long_lived import LongLived
from crm.connection.owner import Owner
from crm.connection.pair import PairTokens
from crm.connection.refresh import Refresher
from crm.connection.status import Status
from crm.door import Door
from crm.errors import BrokenWord, SaidNo
from crm.journal import Journal, Line
from crm.vault import Vault
from store import Store, clock

log = logging.getLogger(__name__)

PASSING = frozenset({"server_error", "server_hiccup"})
"""Errors with no bearing on the answer a moment later."""


class Connection:
    """The grant of an account, and the `Tokens` of its client. Thread-safe; processes on a database may each have their own.

    `tokens` is what a client asks. `changed` is set when there is another grant: whoever looks after the connection looks at once.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        door: Door,
        journal: Journal,
        config: Config,
        *,
        clock: Callable[[], datetime] = clock.now,
        on_step: Callable[[str], object] = lambda step: None,
        on_another_account: Callable[[], object] = lambda: None,
    ) -> None:
        """`on_step` is told each step of a refresh by its name; tests use it.

        `on_another_account`: forgets what is known of the account before. Called before anybody is told that it is another.
        """
        self._store, self._door, self._journal, self._config, self._clock = store, door, journal, config, clock
        self._consent = Consent(store, config, clock)
        self._grant = Grant(store, vault, config.api_url, self._consent.setup_print, clock)
        self._refresher = Refresher(
            self._grant, door, self._consent.integration, self._consent.may_go_to, clock, on_step
        )
        self.changed = threading.Event()
        self._long_lived: LongLived | None = None
        if config.access_token is not None:
            token = Token(config.api_url, config.access_token.reveal())
            self._long_lived = LongLived(store, self._grant, token, clock, self.changed.set)
        self.tokens: Tokens = self._long_lived or PairTokens(self._grant, self._refresher, journal, clock)
        self._row = OURS if self._long_lived is None else LONG_LIVED
        self._owner = Owner(store, self._grant, door, self._long_lived, on_another_account)

    def current(self) -> Token:
        """Return a usable token. No request while the stored token is valid, 1 after its end."""
        return self.tokens.current()

    # Connecting and parting

    def begin(self, bound_to: str = "") -> str:
        """Return the address for the admin's browser. `bound_to`: a secret of that browser, asked for again in `finish`."""
        return self._consent.begin(bound_to)

    def finish(self, *, code: str, state: str, referer: str, bound_to: str = "") -> None:
        """Take AmoCRM's answer to `begin`: check it, exchange the code, remember the account. Three requests."""
        self._consent.spend(state, bound_to)
        row = self._grant.row()
        # The account may have moved from the configured address.
        present = None if row is None else str(row["account_url"])
        self._exchange(self._consent.account_url(referer, present), code, "consent")

    def paste_code(self, code: str) -> None:
        """Connect with a code copied from the integration's "Keys" window. Three requests."""
        self._exchange(self._config.api_url, code, "code")

    def disconnect(self) -> None:
        """Forget both tokens. AmoCRM keeps the integration installed, so connecting again is possible at any time."""
        self._grant.drop()
        self._journal.write(Line("token", "token.disconnect"))

    # What is known

    def status(self) -> Status:
        """The state of the connection, from the database alone: no request."""
        return status.read(self._grant, self._config, self._clock())

    def stored_account_id(self) -> int | None:
        """Return the stored account id; None before the first connection. No request."""
        return self.status().account_id

    def ask_account_id(self) -> int:
        """Return the account's number, which stays when the account moves to another address.

        No request once it is known, one before that. Raises what the network does, and if there is no connection: whose
        account it is must not be guessed. The address is no proof, as a freed one may be given to another club.
        """
        known = self.stored_account_id()
        return known if known is not None else self._owner.ask(self._row, self.current())

    def account_id_or_none(self) -> int | None:
        """Return the account's number; None if AmoCRM's answer is of no use. Raises the network's errors.

        For a caller that has nothing of a certain account in hand: AmoCRM's not telling must not keep leads from it.
        """
        known = self.stored_account_id()
        if known is not None:
            return known
        token = self.current()
        try:
            return self._owner.ask(self._row, token)
        except (BrokenWord, SaidNo) as error:
            if error.code in PASSING:
                raise
            log.warning("whose account it is: %s", error)
            return None

    def _exchange(self, account_url: str, code: str, cause: str) -> None:
        pair = oauth.exchange_code(self._door, account_url, self._consent.integration(), code)
        self._remember(pair, account_url, cause)

    def _remember(self, pair: oauth.Pair, account_url: str, cause: str, line: int | None = None) -> None:
        """Store the pair before its first use, then ask for its account and person."""
        self._grant.store(pair, account_url, lease=None, cause=cause, line=line)
        self._owner.identify(Token(account_url, pair.access))
        self.changed.set()

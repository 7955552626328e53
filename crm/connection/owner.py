"""Whose account and person a token opens: asked once for each token, and kept beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crm import account, users
from crm.client import Client, Token, Tokens
from crm.connection.grant import OURS, Grant
from crm.door import Door
from crm.errors import BrokenWord, NetworkError, NotLetIn, NotSent, SaidNo
from crm.vault import fingerprint
from store import Store

log = logging.getLogger(__name__)

ACCOUNT = "account of what is known"
"""The name of the fact with the account of kept phones, fields and the like."""


class Owner:
    """Facts about the account behind the tokens."""

    def __init__(
        self,
        store: Store,
        grant: Grant,
        door: Door,
        told: Tokens | None,
        on_another_account: Callable[[], object],
    ) -> None:
        """`told`: hears what becomes of a token that is tried here. `on_another_account`: forgets the account before."""
        self._store, self._grant, self._door, self._told = store, grant, door, told
        self._on_another_account = on_another_account

    def client_with(self, token: Token) -> Client:
        """Make a client with a fixed token."""
        return Client(self._door, _Fixed(token, self._told))

    def ask(self, which: int, token: Token) -> int:
        """Ask AmoCRM for the account's number and keep the answer. 1 request."""
        found = account.current(self.client_with(token))
        if not self.learn(which, token, account_id=found.id, account_name=found.name, subdomain=found.subdomain):
            raise NotSent("too_late_to_send")  # somebody has connected anew in this moment
        return found.id

    def identify(self, token: Token) -> None:
        """Learn whose a new pair is. If AmoCRM does not say now, the background asks again: the pair is good without."""
        try:
            self.learn(OURS, token, **self.identity(token))
        except (NetworkError, BrokenWord, SaidNo) as error:
            log.warning("whose account it is: %s", error)

    def identity(self, token: Token) -> dict[str, Any]:
        """Account and person behind a token. Two requests; a person without admin rights stays unnamed."""
        client = self.client_with(token)
        found = account.current(client)
        try:
            person = users.names(client).get(found.user_id or 0)
        except NotLetIn:
            person = None
        return {
            "account_id": found.id,
            "account_name": found.name,
            "subdomain": found.subdomain,
            "connected_by": person or (str(found.user_id) if found.user_id else None),
        }

    def learn(self, which: int, token: Token, **whose: Any) -> bool:
        """Write down the account of a token. False if another token is stored by now.

        What is known of another account is forgotten first: who is told the new account's number finds nothing of the old.
        """
        access_print = fingerprint(token.access)
        row = self._grant.row(which)
        if row is None or row["access_print"] != access_print:
            return False
        if self._store.recall(ACCOUNT) != str(whose["account_id"]):
            self._on_another_account()
            self._store.remember(ACCOUNT, str(whose["account_id"]))
        return self._grant.whose(which, access_print, **whose)


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A fixed token, for learning its account. `told`: hears whether AmoCRM took the token."""

    token: Token
    told: Tokens | None

    def current(self) -> Token:
        return self.token

    def after_rejection(self, rejected: Token) -> Token:
        if self.told is not None:
            return self.told.after_rejection(rejected)
        raise NotLetIn("token_rejected", status=401)

    def worked(self, token: Token) -> None:
        if self.told is not None:
            self.told.worked(token)

    def kept_out(self, token: Token, code: str) -> None:
        if self.told is not None:
            self.told.kept_out(token, code)

    def moved(self, token: Token) -> Token | None:
        return None

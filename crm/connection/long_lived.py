"""The long-lived token of the settings, which cannot be renewed: a refusal is remembered, and tried again now and then.

What is known of the token stands in a row of its own beside the pair's. Many processes may hear of one refusal; one
caller at a time tries a refused token again, for all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crm import oauth
from crm.client import Token
from crm.connection import decisions
from crm.connection.grant import LONG_LIVED, WHOSE, Grant
from crm.errors import NotLetIn
from crm.vault import fingerprint
from store import Store
from store.tables import grants

PROBING = "probing"
"""The result of a running try of the long-lived token."""

NO_REFUSAL: dict[str, Any] = {
    "trouble": None, "failures": 0, "attempted_at": None, "next_attempt_at": None, "attempt_result": None,
    "generation": grants.c.generation + 1,
}  # fmt: skip
"""The columns of a token without a refusal."""


class LongLived:
    """A client's `Tokens` out of the settings' single token. Thread-safe."""

    def __init__(
        self, store: Store, grant: Grant, token: Token, clock: Callable[[], datetime], on_healed: Callable[[], object]
    ) -> None:
        """`on_healed`: called when AmoCRM takes a token again that it had refused."""
        self._store, self._grant, self._token, self._clock = store, grant, token, clock
        self._on_healed = on_healed
        self._print = fingerprint(token.access)
        self._is_in_doubt = False  # refused, and being tried once more

    def current(self) -> Token:
        """Return the token. Raises `NotLetIn` after its end, and for a while after a refusal. No request."""
        now = self._clock()
        expires_at = oauth.expiry_of(self._token.access)
        if expires_at is not None and expires_at <= now:
            raise NotLetIn("long_lived_expired")
        row = self.row()
        if row["trouble"] is not None:
            is_resting = decisions.is_resting(row["attempted_at"], row["next_attempt_at"], now)
            if is_resting or not self._may_probe():
                raise NotLetIn(row["trouble"])
            self._is_in_doubt = True
        return self._token

    def after_rejection(self, rejected: Token) -> Token:
        """Remember the refusal and raise `NotLetIn`: there is no other token."""
        self._refuse("token_rejected")
        raise NotLetIn("token_rejected", status=401)

    def worked(self, token: Token) -> None:
        """Forget a refusal: AmoCRM takes the token again."""
        if self._is_in_doubt:
            self._is_in_doubt = False
            mine = (grants.c.id == LONG_LIVED, grants.c.access_print == self._print, grants.c.trouble.is_not(None))
            with self._store.write() as db:
                db.execute(grants.update().where(*mine).values(**NO_REFUSAL))
            self._on_healed()

    def kept_out(self, token: Token, code: str) -> None:
        """Remember the code with which AmoCRM keeps the token's person out."""
        self._refuse(code)

    def moved(self, token: Token) -> Token | None:
        """None: a token of the settings is used at the address of the settings."""
        return None

    def row(self) -> sa.RowMapping:
        """Return the facts about the token. A new token begins without the former token's refusals."""
        row = self._grant.row(LONG_LIVED)
        if row is not None and row["access_print"] == self._print:
            return row
        with self._store.write() as db:
            self._grant.make_row(db, LONG_LIVED)
            row = db.execute(_locked()).mappings().one()
            if row["access_print"] != self._print:
                known = grants.update().where(grants.c.id == LONG_LIVED)
                fresh = dict.fromkeys((*WHOSE, "connected_at", "clock_skew_s"))
                db.execute(known.values(access_print=self._print, **fresh, **NO_REFUSAL))
            return db.execute(_locked()).mappings().one()

    def _refuse(self, code: str) -> None:
        """Write a refusal down. Many calls refused in the same moment count as a single refusal."""
        with self._store.write() as db:
            row = db.execute(_locked()).mappings().first()
            now = self._clock()  # when the row is ours: a time from before the wait would lie before its own
            if row is None or row["access_print"] != self._print:
                return
            heard = row["trouble"] is not None and row["attempt_result"] == code
            if heard and decisions.is_resting(row["attempted_at"], row["next_attempt_at"], now):
                return
            refusals = row["failures"] + 1
            told = {"trouble": code, "attempt_result": code, "failures": refusals, "works": False}
            times = {"attempted_at": now, "next_attempt_at": decisions.next_probe(refusals, now)}
            db.execute(grants.update().where(grants.c.id == LONG_LIVED).values(**told, **times))

    def _may_probe(self) -> bool:
        """Whether the caller may try a refused token for all. Other callers may not until the answer, or for a minute."""
        with self._store.write() as db:
            row = db.execute(_locked()).mappings().first()
            now = self._clock()  # when the row is ours: a time from before the wait would lie before its own
            if row is None or row["access_print"] != self._print or row["trouble"] is None:
                return True
            if decisions.is_resting(row["attempted_at"], row["next_attempt_at"], now):
                return False
            claim = {"attempted_at": now, "next_attempt_at": decisions.next_probe(1, now), "attempt_result": PROBING}
            db.execute(grants.update().where(grants.c.id == LONG_LIVED).values(**claim))
        return True


def _locked() -> sa.Select[Any]:
    return sa.select(grants).where(grants.c.id == LONG_LIVED).with_for_update()

"""The secret in the address AmoCRM calls: made, recognised, changed with an overlap.

AmoCRM does not sign its hooks; who knows the address is taken for it. Stored are a hash, for recognising, and the
sealed text, for subscribing. When a new one has taken over, the former still works for as long as AmoCRM may repeat a call.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from crm.errors import SetupError
from crm.vault import Vault, secret_hash
from desk.intake.pace import HOOK_LOOK, Pace
from desk.webhooks.decisions import PATH
from store import Store, clock
from store.tables import hook_secrets

PURPOSE = "webhook address"

SECRET_BYTES = 32

LONGEST_SECRET = 100
"""Our secrets have 43 characters; a longer text need not be hashed to be refused."""

KNOWN_FOR_S = 2.0
"""How long the secrets are known without another look. An unknown secret is looked for at once, as far as `HOOK_LOOK`
allows: whoever makes secrets up cannot keep the database busy, and AmoCRM, whose secret is known, does not wait for them."""

OVERLAP = timedelta(hours=2)
"""How long a former secret works: AmoCRM's last repetition of a call comes 95 minutes after the first (sheet 7.1)."""

KEPT = timedelta(days=30)
"""A secret that has ended is still known as ours for so long, to find a subscription that was left behind."""

Secrets = Sequence[tuple[str, datetime | None]]
"""Hashes of secrets, and when each ends."""


class Addresses:
    """The secrets of one database. Thread-safe."""

    def __init__(
        self, store: Store, vault: Vault, base_url: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._vault, self._base = store, vault, base_url + PATH
        self._monotonic, self._looks = monotonic, Pace(monotonic)
        self._known: tuple[float, Secrets] | None = None

    def is_open(self, secret: str, now: datetime | None = None) -> bool:
        """Whether a call with this secret is AmoCRM's. At most one small read, and none for a secret known of late."""
        now, known = now or clock.now(), self._known
        if known is not None and self._monotonic() - known[0] <= KNOWN_FOR_S:
            if _is_one_of(secret, _alive(known[1], now)):
                return True
            if self._looks.wait_s((HOOK_LOOK, "")):
                return False
        at = self._monotonic()
        with self._store.read() as db:
            rows = db.execute(sa.select(hook_secrets.c.secret_hash, hook_secrets.c.ends_at)).all()
        found = [(row.secret_hash, row.ends_at) for row in rows]
        self._known = (at, found)
        return _is_one_of(secret, _alive(found, now))

    def is_ours(self, destination: str) -> bool:
        """Whether a subscription leads to this desk: to its address, or, where that has changed, with a secret of its own."""
        if destination.startswith(self._base):
            return True
        with self._store.read() as db:
            known = db.scalars(sa.select(hook_secrets.c.secret_hash)).all()
        return _is_one_of(destination.rpartition("/")[2], known)

    def current(self) -> tuple[int, str]:
        """The newest secret's number and whole address. Made on first use, or if no key opens the stored secret any more."""
        with self._store.write() as db:
            self._store.serialise(db, PURPOSE)
            row = db.execute(sa.select(hook_secrets).order_by(hook_secrets.c.id.desc()).limit(1)).mappings().first()
            if row is not None:
                try:
                    return row["id"], self._base + self._vault.open(row["sealed"], PURPOSE)
                except SetupError:
                    pass  # nothing is lost with it: a new one takes over
            return self._make(db)

    def renew(self) -> None:
        """Make a new secret. The former works on until `took_over` says that AmoCRM knows the new secret, and a while longer."""
        with self._store.write() as db:
            self._store.serialise(db, PURPOSE)
            self._make(db)
        self._known = None

    def took_over(self, number: int) -> None:
        """Note that AmoCRM calls the address with this secret now: former secrets end after the overlap."""
        former = (hook_secrets.c.id < number, hook_secrets.c.ends_at.is_(None))
        with self._store.read() as db:
            if not db.scalar(sa.select(hook_secrets.c.id).where(*former).limit(1)):
                return
        with self._store.write() as db:
            db.execute(hook_secrets.update().where(*former).values(ends_at=clock.now() + OVERLAP))
        self._known = None

    def former_end(self) -> datetime | None:
        """When the last former secret ends; None where there is none that still works."""
        with self._store.read() as db:
            return db.scalar(sa.select(sa.func.max(hook_secrets.c.ends_at)).where(hook_secrets.c.ends_at > _now()))

    def reseal(self) -> None:
        """Seal the secrets with the vault's newest key; a secret that no key opens stays unchanged."""
        with self._store.write() as db:
            for row in db.execute(sa.select(hook_secrets)).mappings().all():
                try:
                    sealed = self._vault.seal(self._vault.open(row["sealed"], PURPOSE), PURPOSE)
                except SetupError:
                    continue
                db.execute(hook_secrets.update().where(hook_secrets.c.id == row["id"]).values(sealed=sealed))

    def prune(self) -> None:
        """Forget secrets that ended long ago."""
        with self._store.write(durable=False) as db:
            db.execute(hook_secrets.delete().where(hook_secrets.c.ends_at < _now() - KEPT))

    def _make(self, db: sa.Connection) -> tuple[int, str]:
        secret = secrets.token_urlsafe(SECRET_BYTES)
        row = {"sealed": self._vault.seal(secret, PURPOSE), "secret_hash": secret_hash(secret), "created_at": _now()}
        made = db.execute(hook_secrets.insert().values(**row).returning(hook_secrets.c.id))
        return int(made.scalar_one()), self._base + secret


def _alive(known: Secrets, now: datetime) -> list[str]:
    """The hashes of the secrets that work."""
    # One that ends later than any could was given its end by a clock that was wrong; twice the time, for clocks differ.
    return [hashed for hashed, ends_at in known if ends_at is None or now <= ends_at <= now + 2 * OVERLAP]


def _is_one_of(secret: str, hashes: Sequence[str]) -> bool:
    """Compare in constant time with every stored hash, so that the time taken tells no caller how near a guess was."""
    given = secret_hash(secret[: LONGEST_SECRET + 1])
    return sum(hmac.compare_digest(given, known) for known in hashes) > 0


def _now() -> datetime:
    return clock.now()

"""The row of the grant and the journal of its refreshes: reading, leasing, storing. Decides nothing, sends nothing.

Every change names what it is based on: a lease is taken on a generation of the pair, a new pair is stored under
the number of a lease. Whoever comes too late changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from crm.client import Token
from crm.connection import decisions
from crm.errors import DeskError
from crm.limiter import LIVE_PATIENCE_S
from crm.oauth import TOKEN_DEADLINE_S, Pair
from crm.vault import Vault, fingerprint
from store import Store, StoreError, leases
from store.leases import Pulse
from store.owners import is_gone, me
from store.single_flight import SingleFlight
from store.tables import grants, refreshes

OURS, LONG_LIVED = 1, 2
"""Rows of `grants`: the pair we refresh, and the facts about `AMOCRM_ACCESS_TOKEN`."""

GIVEN = "given"
"""The cause of a pair from somebody's own refresh token."""

LEASE_S = 30.0
"""Life of a lease without a sign of life from its holder: twice a token call. A holder certainly gone has no lease."""

BEAT_S = 5.0
"""The interval between two signs of life of a holder."""

SEND_WITHIN_S = LEASE_S / 2
"""Time after the lease was last seen to be ours in which a token call may leave: the lease cannot have been taken over."""

STEP_S = TOKEN_DEADLINE_S + LIVE_PATIENCE_S + BEAT_S
"""Longest step of a refresh: its turn, its call, its answer. A lease is renewed no longer than a step
after the last step began, so a call that should be over keeps nobody out."""

PURPOSE = "grant"
"""The purpose in the seal of a pair."""

KEPT_REFRESHES = 500

WHOSE = ("account_id", "account_name", "subdomain", "connected_by")
"""Columns about the account and person of a token."""


ANEW: dict[str, Any] = {
    "trouble": None, "failures": 0, "next_attempt_at": None, "unsure_since": None, "lease_until": 0.0,
    "lease_number": grants.c.lease_number + 1, "generation": grants.c.generation + 1,
}  # fmt: skip
"""The columns of another pair, or of no pair: a refresh still at work on the former pair comes too late."""


@dataclass(frozen=True, slots=True)
class Held:
    """A stored pair, opened. `generation` counts stored pairs and so shows whether somebody was faster."""

    account_url: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    generation: int
    trouble: str | None
    failures: int
    next_attempt_at: datetime | None
    cause: str | None
    works: bool

    @property
    def token(self) -> Token:
        return Token(self.account_url, self.access)

    def is_usable(self, now: datetime) -> bool:
        return decisions.is_usable(self.issued_at, self.expires_at, now)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to refresh: its number, the journal line it was written down in, and whether the token may be spent."""

    number: int
    refresh_id: int | None
    unsure_since: datetime | None


class Grant:
    """The stored grant of a desk. Thread-safe."""

    def __init__(
        self, store: Store, vault: Vault, configured_url: str, setup: Callable[[], str], clock: Callable[[], datetime]
    ) -> None:
        """`configured_url`: the account the settings name; a pair for another one is not ours.

        `setup`: a fingerprint of the integration's settings; a trouble is remembered together with it.
        """
        self._store, self._vault, self._clock = store, vault, clock
        self._configured_url, self._setup = configured_url, setup
        self.held_together = SingleFlight(self.held)
        """`held`, read once for all concurrent callers: a burst of threads does not crowd out the thread that could renew the pair."""

    def row(self, which: int = OURS) -> sa.RowMapping | None:
        """The row as it is, without the right to call a pair of another account ours."""
        with self._store.read() as db:
            row = db.execute(sa.select(grants).where(grants.c.id == which)).mappings().first()
        return row if row is None or which == LONG_LIVED or self._is_ours(row) else None

    def held(self) -> Held | None:
        """Open the stored pair; None if there is no pair. Raises `SetupError("secret_key_wrong")`.

        A trouble that came of our settings is forgotten as soon as these are others.
        """
        row = self.row()
        return self._opened(row) if row is not None else None

    def failures_of(self, row: sa.RowMapping) -> int:
        """Count the refreshes in a row that failed with the present settings."""
        return int(row["failures"]) if row["trouble_setup"] == self._setup() else 0

    def trouble_of(self, row: sa.RowMapping) -> str | None:
        """Return the trouble of a pair, unless new settings have healed the trouble."""
        healed = row["trouble"] not in decisions.GONE and row["trouble_setup"] != self._setup()
        return None if healed else row["trouble"]

    def lease(
        self,
        seen: Held,
        cause: str,
        *,
        even_cooling: bool,
        guard: Callable[[sa.RowMapping], object] = lambda row: None,
    ) -> Lease | None:
        """Take the right to refresh the pair `seen`, and begin its journal line, in a single write before the call.

        None where another process is at it, the pair has changed, or it is too early after a failure (unless
        `even_cooling`): the row tells which. A refresh that began and never ended was cut off: its outcome is unknown.
        `guard`: looks at the row that is now ours alone, and raises for a refresh that is not to be.
        """
        now = self._clock()
        with self._store.write() as db:
            shared = self._store.clock(db)
            row = db.execute(sa.select(grants).where(grants.c.id == OURS).with_for_update()).mappings().first()
            if row is None or row["generation"] != seen.generation or not self._is_ours(row):
                return None
            if row["lease_until"] > shared and not is_gone(row["lease_owner"] or ""):
                return None
            if decisions.is_cooling(row["next_attempt_at"], now) and not even_cooling:
                return None
            guard(row)
            unsure_since = self._close_cut_off(db, now) or row["unsure_since"]
            refresh_id = db.scalar(
                refreshes.insert()
                .values(started_at=now, cause=cause, process=me()[-40:], old_print=fingerprint(seen.refresh))
                .returning(refreshes.c.id)
            )
            number = row["lease_number"] + 1
            db.execute(
                grants.update()
                .where(grants.c.id == OURS)
                .values(
                    lease_number=number,
                    lease_until=shared + LEASE_S,
                    lease_owner=me(),
                    unsure_since=unsure_since,
                    attempted_at=now,
                )
            )
        return Lease(number, refresh_id, unsure_since)

    def beating(self, lease: Lease) -> AbstractContextManager[Pulse]:
        """Keep a lease alive for as long as the block takes and is expected to take."""

        def renew() -> bool:
            with self._store.write(durable=False) as db:
                renewed = _under(lease).values(lease_until=self._store.clock(db) + LEASE_S)
                return bool(db.execute(renewed).rowcount)

        return leases.beating(renew, every_s=BEAT_S, step_s=STEP_S, send_within_s=SEND_WITHIN_S)

    def store(self, pair: Pair, account_url: str, *, lease: Lease | None, cause: str, line: int | None = None) -> bool:
        """Store both tokens in a single write, before their first use. False if `lease` is no longer ours.

        Without a lease it is a new grant: an admin's, which always wins. `line`: its line in the journal, if it has one.
        """
        now = self._clock()
        with self._store.write() as db:
            if lease is None:
                self.make_row(db, OURS)
                self._close_cut_off(db, now, result="replaced", but=line)
            wanted = _under(lease) if lease else grants.update().where(grants.c.id == OURS)
            changed = db.execute(wanted.values(**self._sealed(pair, account_url, now), cause=cause)).rowcount
            if lease is None:
                # It may be for another account, even at the same address: until AmoCRM has told, nobody knows whose it is.
                fresh = {"connected_at": now, "refreshed_at": None, **dict.fromkeys(WHOSE)}
                db.execute(grants.update().where(grants.c.id == OURS).values(**fresh))
                told = {"ended_at": now, "result": "ok", "new_print": fingerprint(pair.refresh)}
                if line is None:
                    db.execute(refreshes.insert().values(started_at=now, cause=cause, **told))
                else:
                    db.execute(refreshes.update().where(refreshes.c.id == line).values(**told))
            else:
                result = "ok" if changed else "too_late"
                db.execute(_line(lease).values(ended_at=now, result=result, new_print=fingerprint(pair.refresh)))
                if changed:
                    db.execute(grants.update().where(grants.c.id == OURS).values(refreshed_at=now))
            self._forget_old(db)
        return bool(changed)

    def fail(self, lease: Lease, error: DeskError, *, rejected: bool) -> None:
        """Write down a failed refresh and when to try again. Ends the lease.

        `rejected`: AmoCRM has refused the access token before its time, so it is over for us as well.
        """
        now = self._clock()
        with self._store.write() as db:
            row = db.execute(sa.select(grants).where(grants.c.id == OURS).with_for_update()).mappings().one()
            failures = row["failures"] + 1
            db.execute(_line(lease).values(ended_at=now, result=error.code))
            db.execute(
                _under(lease).values(
                    expires_at=min(row["expires_at"], now) if rejected else row["expires_at"],
                    lease_until=0.0,
                    attempt_result=error.code,
                    failures=failures,
                    next_attempt_at=decisions.next_attempt(error, failures, now),
                    trouble=error.code if error.code in decisions.FATAL else None,
                    trouble_setup=self._setup(),
                    unsure_since=(row["unsure_since"] or now) if decisions.is_unsure(error) else row["unsure_since"],
                )
            )

    def proved(self, generation: int) -> None:
        """Write down that AmoCRM has accepted the token of a pair.

        Never raises for the database's sake: it stands between AmoCRM's answer and whoever waits for that.
        """
        with suppress(StoreError), self._store.write(durable=False) as db:
            db.execute(grants.update().where(grants.c.id == OURS, grants.c.generation == generation).values(works=True))

    def move(self, generation: int, account_url: str) -> None:
        """Write down another address of the pair's account."""
        self._change(grants.c.generation == generation, account_url=account_url)

    def trouble(self, generation: int, code: str) -> bool:
        """Write down from outside that a pair is worthless. False if another pair is stored by now."""
        return self._change(grants.c.generation == generation, trouble=code, trouble_setup=self._setup())

    def let_in_again(self, generation: int) -> bool:
        """Forget that the person of a pair is kept out. False if another pair is stored by now, or was not kept out."""
        kept_out = grants.c.trouble == decisions.PERSON_SWITCHED_OFF
        return self._change(grants.c.generation == generation, kept_out, trouble=None, trouble_setup=None)

    def sure_again(self, lease: Lease) -> None:
        """Write down AmoCRM's word about the refresh token: unspent."""
        with self._store.write() as db:
            db.execute(_under(lease).values(unsure_since=None))

    def drop(self) -> None:
        """Forget both tokens."""
        gone: dict[str, Any] = dict.fromkeys(("sealed_pair", "access_print", "refresh_print", "expires_at"))
        self._change(**gone, **ANEW)

    def note(self, which: int = OURS, **values: Any) -> None:
        """Write down facts beside the pair."""
        with self._store.write() as db:
            self.make_row(db, which)
            db.execute(grants.update().where(grants.c.id == which).values(**values))

    def whose(self, which: int, access_print: str, **values: Any) -> bool:
        """Write down the account of an access token. False if another token is stored by now."""
        return self._change(grants.c.access_print == access_print, which=which, **values)

    def reseal(self) -> bool:
        """Seal the stored pair anew with the vault's first key; whether there was one."""
        with self._store.write() as db:
            row = db.execute(sa.select(grants).where(grants.c.id == OURS).with_for_update()).mappings().first()
            if row is None or row["sealed_pair"] is None:
                return False
            pair = self._vault.open(row["sealed_pair"], PURPOSE)
            db.execute(grants.update().where(grants.c.id == OURS).values(sealed_pair=self._vault.seal(pair, PURPOSE)))
        return True

    def _change(self, *provided: sa.ColumnElement[bool], which: int = OURS, **values: Any) -> bool:
        """Change the row; False if the row is not as `provided` any more."""
        with self._store.write() as db:
            return bool(db.execute(grants.update().where(grants.c.id == which, *provided).values(**values)).rowcount)

    def _opened(self, row: sa.RowMapping) -> Held:
        pair = json.loads(self._vault.open(row["sealed_pair"], PURPOSE))
        return Held(
            account_url=row["account_url"],
            access=pair["access"],
            refresh=pair["refresh"],
            issued_at=row["issued_at"],
            expires_at=row["expires_at"],
            generation=row["generation"],
            trouble=self.trouble_of(row),
            failures=row["failures"],
            next_attempt_at=row["next_attempt_at"],
            cause=row["cause"],
            works=row["works"],
        )

    def _is_ours(self, row: sa.RowMapping) -> bool:
        """Whether the pair is for the account of the settings, also after the account moved or the settings followed."""
        return row["sealed_pair"] is not None and self._configured_url in (row["configured_url"], row["account_url"])

    def _sealed(self, pair: Pair, account_url: str, now: datetime) -> dict[str, Any]:
        return {
            "account_url": account_url,
            "configured_url": self._configured_url,
            "sealed_pair": self._vault.seal(json.dumps({"access": pair.access, "refresh": pair.refresh}), PURPOSE),
            "access_print": fingerprint(pair.access),
            "refresh_print": fingerprint(pair.refresh),
            "clock_skew_s": decisions.skew_s(pair.server_date, now),
            "issued_at": now,
            "expires_at": now + timedelta(seconds=pair.expires_in_s),
            "attempted_at": now,
            "attempt_result": "ok",
            **ANEW,
            "works": False,
        }

    def make_row(self, db: sa.Connection, which: int) -> None:
        if db.scalar(sa.select(grants.c.id).where(grants.c.id == which).with_for_update()) is None:
            db.execute(
                grants.insert().values(id=which, account_url=self._configured_url, configured_url=self._configured_url)
            )

    @staticmethod
    def _close_cut_off(
        db: sa.Connection, now: datetime, result: str = "cut_off_by_stop", but: int | None = None
    ) -> datetime | None:
        """Close refreshes of the pair that never ended, as their process died. Return when the last began."""
        open_ones = sa.and_(refreshes.c.result.is_(None), refreshes.c.cause != GIVEN, refreshes.c.id != (but or 0))
        began = db.scalar(sa.select(sa.func.max(refreshes.c.started_at)).where(open_ones))
        if began is not None:
            db.execute(refreshes.update().where(open_ones).values(ended_at=now, result=result))
        return began

    @staticmethod
    def _forget_old(db: sa.Connection) -> None:
        newest = db.scalar(sa.select(sa.func.max(refreshes.c.id))) or 0
        db.execute(refreshes.delete().where(refreshes.c.id <= newest - KEPT_REFRESHES))


def _under(lease: Lease) -> sa.Update:
    """An update of the row for the holder of a lease alone."""
    return grants.update().where(grants.c.id == OURS, grants.c.lease_number == lease.number)


def _line(lease: Lease) -> sa.Update:
    return refreshes.update().where(refreshes.c.id == lease.refresh_id)

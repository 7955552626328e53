"""The OAuth grant: connect, keep alive, refresh once, explain.

One row holds one current pair of tokens, sealed. A refresh token works once, so refreshing is single-flight
across all threads and processes on the database:

    needs a new token ─► take the lease (a numbered row lock with an end) ─► pair changed meanwhile? use it
                          └► journal ─► one token call, no transaction open ─► store both tokens in one write
                                                                              if the lease number is still ours

Everybody else waits for the row to change and uses what is stored. A dead pair is not tried again: its
trouble is written down, with a code whose words tell the admin what to do.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from crm.activity import Journal, Line
from crm.amo import account, oauth, users
from crm.amo.client import Client, Token
from crm.amo.door import Door
from crm.errors import DeskError, NotLetIn, SetupError
from crm.settings import DOMAINS, Settings, is_loopback
from crm.store import Store
from crm.store.tables import grants, oauth_states
from crm.vault import Vault, fingerprint

OURS, LONG_LIVED = 1, 2
"""Rows of `grants`: the pair we refresh, and what is known about `AMOCRM_ACCESS_TOKEN`."""

STATE_LIFE = timedelta(minutes=20)
"""How long an admin may take on AmoCRM's consent page; the code he comes back with lives as long (sheet 3.2)."""

EXPIRY_MARGIN = timedelta(seconds=60)
"""An access token with less left is not used any more: clocks differ, and a request takes its time."""

RENEW_BEFORE = timedelta(hours=2)
"""The background refreshes this early, so that no request ever waits for it. A token lives 24 h (sheet 3.4)."""

COOL_DOWN = timedelta(minutes=1)
"""After a failed background refresh; the old token still works meanwhile."""

LEASE_S = 30.0
"""How long one refresh may hold the row: the token call's 15 s, waiting for a turn, and storing."""

WAIT_S = 45.0
"""How long anybody waits for somebody else's refresh before giving up."""

POLL_S = 0.02
"""How often a waiting process looks. Short against a token call (150 ms), so that waiting adds little to it."""

ZONES = tuple(f".{domain}" for domain in DOMAINS)
BARE_HOST = re.compile(r"([a-z0-9][a-z0-9.-]*)(?::\d{1,5})?")
"""How AmoCRM writes the account in `referer`: a host without a scheme (sheet 3.2)."""

FATAL = frozenset(
    {
        "grant_revoked",
        "grant_expired",
        "grant_invalid",
        "client_id_wrong",
        "client_secret_wrong",
        "client_not_allowed",
        "redirect_uri_wrong",
        "account_wrong",
        "account_gone",
        "token_answer_incomplete",
    }
)
"""Answers to a refresh after which the same refresh token is not worth another try: a person has to act."""


@dataclass(frozen=True, slots=True)
class Status:
    """The connection as people and programs may see it. Holds no secret."""

    state: str  # "connected", "not_connected", "broken"
    mode: str = "oauth"  # or "long_lived"
    trouble: str | None = None
    account_url: str | None = None
    account_name: str | None = None
    subdomain: str | None = None
    connected_by: str | None = None
    connected_at: datetime | None = None
    expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    attempted_at: datetime | None = None
    attempt_result: str | None = None

    @property
    def connected(self) -> bool:
        return self.state == "connected"


@dataclass(frozen=True, slots=True)
class _Held:
    """The stored pair, opened."""

    account_url: str
    access: str
    refresh: str
    expires_at: datetime
    generation: int
    trouble: str | None

    @property
    def token(self) -> Token:
        return Token(self.account_url, self.access)


class Connection:
    """How the desk is let into AmoCRM. Thread-safe; several processes on one database may each have one."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        door: Door,
        journal: Journal,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._vault, self._door, self._journal = store, vault, door, journal
        self._settings, self._clock = settings, clock
        self._refreshing = threading.Lock()

    # What AmoCRM's client asks for (crm.amo.client.Tokens)

    def current(self) -> Token:
        """A token that should work. No request while the stored one is valid, one when it has run out."""
        if self._settings.amocrm_access_token is not None:
            return Token(self._settings.amocrm_api_url, self._settings.amocrm_access_token.reveal())
        held = self._held()
        if held is None:
            raise SetupError("not_connected")
        if held.expires_at - self._clock() > EXPIRY_MARGIN:
            return held.token
        return self._renewed(held).token

    def after_rejection(self, rejected: Token) -> Token:
        """Another token after a 401: the stored one where somebody was faster, else one refresh."""
        if self._settings.amocrm_access_token is not None:
            self._note(LONG_LIVED, trouble="token_rejected", access_print=fingerprint(rejected.access))
            raise NotLetIn("token_rejected", status=401)
        held = self._held()
        if held is None:
            raise SetupError("not_connected")
        return held.token if held.access != rejected.access else self._renewed(held).token

    # What an admin does

    def begin(self, bound_to: str = "") -> str:
        """Where to send the admin's browser. `bound_to`: a secret of that browser, asked for again in `finish`."""
        client_id = self._integration().client_id
        state, now = secrets.token_urlsafe(32), self._clock()
        with self._store.write() as db:
            db.execute(oauth_states.delete().where(oauth_states.c.expires_at < now))
            db.execute(
                oauth_states.insert().values(
                    state_hash=_hash(state),
                    bound_to=_hash(bound_to) if bound_to else "",
                    created_at=now,
                    expires_at=now + STATE_LIFE,
                )
            )
        return oauth.consent_address(self._settings.amocrm_oauth_url, client_id, state)

    def finish(self, *, code: str, state: str, referer: str, bound_to: str = "") -> None:
        """AmoCRM's answer to `begin`: check it, exchange the code, remember the account. Three requests."""
        self._spend_state(state, bound_to)
        self._connect(self._account_url(referer), code)

    def denied(self, state: str, bound_to: str = "") -> None:
        """The admin pressed "deny": the state is spent and the refusal is written down."""
        self._spend_state(state, bound_to)
        self._journal.write(Line("token", "token.consent", "consent_denied"))

    def paste_code(self, code: str) -> None:
        """Connect with a code copied from the integration's "Keys" window. Three requests."""
        self._connect(self._settings.amocrm_api_url, code)

    def refresh_now(self) -> None:
        """Refresh whatever is left on the token. One request, or none where somebody just did. Raises where it fails."""
        if self._settings.amocrm_access_token is not None:
            raise SetupError("long_lived_not_refreshed")
        held = self._held()
        if held is None:
            raise SetupError("not_connected")
        self._renewed(held, must_be_new=True)

    def adopt(self, refresh_token: str) -> None:
        """Connect with somebody else's refresh token, spending it. Three requests."""
        pair = oauth.refresh(self._door, self._settings.amocrm_api_url, self._integration(), refresh_token)
        self._remember(self._settings.amocrm_api_url, pair)

    def disconnect(self) -> None:
        """Forget both tokens. AmoCRM keeps the integration installed; it can be connected again at any time."""
        with self._store.write() as db:
            db.execute(
                grants.update()
                .where(grants.c.id == OURS)
                .values(
                    sealed_pair=None,
                    access_print=None,
                    refresh_print=None,
                    expires_at=None,
                    trouble=None,
                    generation=grants.c.generation + 1,
                )
            )
        self._journal.write(Line("token", "token.disconnect"))

    def keep_alive(self) -> None:
        """What the background does every so often: refresh early, and learn who a long-lived token belongs to."""
        if self._settings.amocrm_access_token is not None:
            self._identify_long_lived()
            return
        held, status = self._held(), self.status()
        if held is None or held.trouble or held.expires_at - self._clock() > RENEW_BEFORE:
            return
        failed = status.attempt_result != "ok" and status.attempted_at
        if failed and self._clock() - failed < COOL_DOWN:
            return
        self._renewed(held)

    def status(self) -> Status:
        """What is known, from the database alone: no request."""
        long_lived = self._settings.amocrm_access_token
        row = self._row(OURS if long_lived is None else LONG_LIVED)
        if long_lived is not None:
            return self._long_lived_status(row, long_lived.reveal())
        if row is None or not self._is_usable(row):
            return Status("not_connected")
        return Status(
            state="broken" if row["trouble"] else "connected",
            **{name: row[name] for name in Status.__slots__ if name in row},
        )

    # Refreshing

    def _renewed(self, seen: _Held, *, must_be_new: bool = False) -> _Held:
        """The pair after `seen`: somebody else's if one is stored by now, else by one token call.

        Where that call fails and the access token is still good, `seen` itself, unless it `must_be_new`.
        """
        if seen.trouble:
            raise NotLetIn(seen.trouble)
        give_up = time.monotonic() + WAIT_S
        with self._refreshing:  # one thread of this process talks to the database about it, the others wait here
            while time.monotonic() < give_up:
                held = self._held()
                if held is None:
                    raise SetupError("not_connected")
                if held.trouble:
                    raise NotLetIn(held.trouble)
                if held.generation != seen.generation:
                    return held
                lease = self._take_lease(seen.generation)
                if lease is not None:
                    return self._refresh(held, lease, must_be_new=must_be_new)
                time.sleep(POLL_S)
        raise NotLetIn("refresh_stuck", retryable=True)

    def _take_lease(self, generation: int) -> int | None:
        """The number of a lease that is ours now, or None while another process holds it."""
        with self._store.write() as db:
            now = self._store.clock(db)
            taken = db.execute(
                grants.update()
                .where(grants.c.id == OURS, grants.c.generation == generation, grants.c.lease_until < now)
                .values(lease_number=grants.c.lease_number + 1, lease_until=now + LEASE_S)
            )
            if taken.rowcount == 0:
                return None
            return db.scalar(sa.select(grants.c.lease_number).where(grants.c.id == OURS))

    def _refresh(self, held: _Held, lease: int, *, must_be_new: bool) -> _Held:
        try:
            pair = oauth.refresh(self._door, held.account_url, self._integration(), held.refresh)
        except DeskError as error:
            self._refresh_failed(error, lease)
            still_valid = held.expires_at > self._clock() and error.code not in FATAL
            if still_valid and not must_be_new:
                return held
            raise
        stored = self._store_pair(held.account_url, pair, lease=lease)
        if stored is None:
            # Our lease ended while we were at it and somebody else refreshed: theirs is the pair that counts.
            return self._held() or held
        return stored

    def _refresh_failed(self, error: DeskError, lease: int) -> None:
        with self._store.write() as db:
            db.execute(
                grants.update()
                .where(grants.c.id == OURS, grants.c.lease_number == lease)
                .values(
                    lease_until=0.0,
                    attempted_at=self._clock(),
                    attempt_result=error.code,
                    trouble=error.code if error.code in FATAL else None,
                )
            )

    def _store_pair(self, account_url: str, pair: oauth.Pair, *, lease: int | None) -> _Held | None:
        """Both tokens in one write; None where `lease` is no longer ours. `lease=None`: a new grant, which always wins."""
        now = self._clock()
        values = {
            "account_url": account_url,
            "configured_url": self._settings.amocrm_api_url,
            "sealed_pair": self._vault.seal(json.dumps({"access": pair.access, "refresh": pair.refresh}), "grant"),
            "access_print": fingerprint(pair.access),
            "refresh_print": fingerprint(pair.refresh),
            "issued_at": now,
            "expires_at": now + timedelta(seconds=pair.expires_in_s),
            "attempted_at": now,
            "attempt_result": "ok",
            "trouble": None,
            "lease_until": 0.0,
        }
        with self._store.write() as db:
            if lease is None:
                _make_row(db, OURS, account_url)
                changed = db.execute(
                    grants.update()
                    .where(grants.c.id == OURS)
                    .values(**values, generation=grants.c.generation + 1, connected_at=now, refreshed_at=None)
                )
            else:
                changed = db.execute(
                    grants.update()
                    .where(grants.c.id == OURS, grants.c.lease_number == lease)
                    .values(**values, generation=grants.c.generation + 1, refreshed_at=now)
                )
        return self._held() if changed.rowcount else None

    # Connecting

    def _connect(self, account_url: str, code: str) -> None:
        self._remember(account_url, oauth.exchange_code(self._door, account_url, self._integration(), code))

    def _remember(self, account_url: str, pair: oauth.Pair) -> None:
        """Store the pair before its first use, then learn whose it is."""
        self._store_pair(account_url, pair, lease=None)
        self._note(OURS, **self._identity(Token(account_url, pair.access)))

    def _identity(self, token: Token) -> dict[str, Any]:
        """Account and person behind a token. Two requests; a person without admin rights stays unnamed."""
        client = Client(self._door, _Fixed(token))
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

    def _identify_long_lived(self) -> None:
        token = self.current()
        print_of_it = fingerprint(token.access)
        row = self._row(LONG_LIVED)
        if row is not None and row["access_print"] == print_of_it and not row["trouble"]:
            return
        found = self._identity(token)
        self._note(LONG_LIVED, **found, access_print=print_of_it, trouble=None, connected_at=self._clock())

    def _spend_state(self, state: str, bound_to: str) -> None:
        """A state works once, for the browser that began, for twenty minutes."""
        with self._store.write() as db:
            row = (
                db.execute(sa.select(oauth_states).where(oauth_states.c.state_hash == _hash(state))).mappings().first()
            )
            if row is not None:
                gone = db.execute(oauth_states.delete().where(oauth_states.c.state_hash == row["state_hash"]))
                row = row if gone.rowcount else None
        if row is None:
            raise SetupError("state_unknown")
        if row["expires_at"] < self._clock():
            raise SetupError("state_expired")
        if row["bound_to"] and not secrets.compare_digest(row["bound_to"], _hash(bound_to)):
            raise SetupError("state_of_another_browser")

    def _account_url(self, referer: str) -> str:
        """Where to exchange the code: the account AmoCRM names, as long as the secret may go there.

        `referer` comes through the browser, so anybody can write anything into it (sheet 3.2).
        """
        configured = self._settings.amocrm_api_url
        configured_host = (urlsplit(configured).hostname or "").lower()
        if not referer:
            return configured
        named = BARE_HOST.fullmatch(referer.lower())
        host = named.group(1) if named else ""
        if host == configured_host or (is_loopback(host) and is_loopback(configured_host)):
            return configured
        if not host.endswith(ZONES):
            raise SetupError("referer_unknown")
        if configured_host.endswith(ZONES):
            raise SetupError("account_wrong")
        return configured

    def _integration(self) -> oauth.Integration:
        settings = self._settings
        if settings.amocrm_client_id is None or settings.amocrm_client_secret is None:
            raise SetupError("integration_missing")
        return oauth.Integration(
            settings.amocrm_client_id, settings.amocrm_client_secret.reveal(), settings.amocrm_redirect_uri
        )

    # The row

    def _row(self, which: int) -> sa.RowMapping | None:
        with self._store.read() as db:
            return db.execute(sa.select(grants).where(grants.c.id == which)).mappings().first()

    def _held(self) -> _Held | None:
        row = self._row(OURS)
        if row is None or not self._is_usable(row):
            return None
        pair = json.loads(self._vault.open(row["sealed_pair"], "grant"))
        return _Held(
            row["account_url"],
            pair["access"],
            pair["refresh"],
            row["expires_at"],
            row["generation"],
            row["trouble"],
        )

    def _is_usable(self, row: sa.RowMapping) -> bool:
        """Whether there is a pair and it is for the account the settings name now."""
        return row["sealed_pair"] is not None and row["configured_url"] == self._settings.amocrm_api_url

    def _note(self, which: int, **values: Any) -> None:
        with self._store.write() as db:
            _make_row(db, which, self._settings.amocrm_api_url)
            db.execute(grants.update().where(grants.c.id == which).values(**values))

    def _long_lived_status(self, row: sa.RowMapping | None, token: str) -> Status:
        known = row if row is not None and row["access_print"] == fingerprint(token) else None
        expires_at = oauth.expiry_of(token)
        trouble = known["trouble"] if known else None
        if expires_at is not None and expires_at <= self._clock():
            trouble = "long_lived_expired"
        return Status(
            state="broken" if trouble else "connected",
            mode="long_lived",
            trouble=trouble,
            account_url=self._settings.amocrm_api_url,
            account_name=known["account_name"] if known else None,
            subdomain=known["subdomain"] if known else self._settings.amocrm_subdomain,
            connected_by=known["connected_by"] if known else None,
            connected_at=known["connected_at"] if known else None,
            expires_at=expires_at,
        )


@dataclass(frozen=True, slots=True)
class _Fixed:
    """One token and no other: for learning whose it is."""

    token: Token

    def current(self) -> Token:
        return self.token

    def after_rejection(self, rejected: Token) -> Token:
        raise NotLetIn("token_rejected", status=401)


def _make_row(db: sa.Connection, which: int, account_url: str) -> None:
    if db.scalar(sa.select(grants.c.id).where(grants.c.id == which).with_for_update()) is None:
        db.execute(grants.insert().values(id=which, account_url=account_url, configured_url=account_url))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

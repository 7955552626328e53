"""Getting in: from the admin's press on "connect" to a pair of tokens. And being put out by AmoCRM's admin.

A `state` is stored, works once, for twenty minutes, for the browser that began, whichever process the answer
reaches. The host AmoCRM names in `referer` comes through that browser, so anybody can write anything into it: the
client secret goes to AmoCRM's zones only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa

from crm import oauth
from crm.config import DOMAINS, Config, is_loopback
from crm.errors import SetupError
from store import Store
from store.tables import oauth_states

STATE_LIFE = timedelta(minutes=20)
"""How long an admin may take on AmoCRM's consent page; the code he comes back with lives as long (sheet 3.2)."""

LAST = "answer that connected"
"""The fact under which the last answer that made a connection is remembered."""

MOST_STATES = 1000
"""More begun and unfinished consents than a desk ever has: a program that keeps asking does not fill the disk."""

ZONES = tuple(f".{domain}" for domain in DOMAINS)
BARE_HOST = re.compile(r"([a-z0-9][a-z0-9.-]*)(?::\d{1,5})?")
"""How AmoCRM writes the account in `referer`: a host without a scheme (sheet 3.2)."""


class Consent:
    """The states of begun consents, and the rules about where the secret may go."""

    def __init__(self, store: Store, config: Config, clock: Callable[[], datetime]) -> None:
        self._store, self._config, self._clock = store, config, clock

    def integration(self) -> oauth.Integration:
        """The integration of the settings. Raises `SetupError("integration_missing")`."""
        config = self._config
        if config.client_id is None or config.client_secret is None:
            raise SetupError("integration_missing")
        return oauth.Integration(config.client_id, config.client_secret.reveal(), config.redirect_uri)

    def begin(self, bound_to: str) -> str:
        """A new state, and the consent page's address with it. `bound_to`: a secret of the browser; "" for none."""
        client_id = self.integration().client_id
        state, now = secrets.token_urlsafe(32), self._clock()
        with self._store.write() as db:
            db.execute(oauth_states.delete().where(oauth_states.c.expires_at < now))
            if (db.scalar(sa.select(sa.func.count()).select_from(oauth_states)) or 0) >= MOST_STATES:
                oldest = sa.select(oauth_states.c.state_hash).order_by(oauth_states.c.created_at).limit(1)
                db.execute(oauth_states.delete().where(oauth_states.c.state_hash.in_(oldest.scalar_subquery())))
            db.execute(
                oauth_states.insert().values(
                    state_hash=_hash(state),
                    bound_to=_hash(bound_to) if bound_to else "",
                    created_at=now,
                    expires_at=now + STATE_LIFE,
                )
            )
        return oauth.consent_address(self._config.oauth_url, client_id, state)

    def spend(self, state: str, bound_to: str) -> None:
        """Use a state up. Raises `SetupError` for one that is none, too old, or another browser's."""
        with self._store.write() as db:
            row = (
                db.execute(sa.select(oauth_states).where(oauth_states.c.state_hash == _hash(state))).mappings().first()
            )
            mine = row is not None and (not row["bound_to"] or hmac.compare_digest(row["bound_to"], _hash(bound_to)))
            if row is not None and mine:
                gone = db.execute(oauth_states.delete().where(oauth_states.c.state_hash == row["state_hash"]))
                row = row if gone.rowcount else None
        if row is None:
            raise SetupError("state_unknown")
        if not mine:
            # Left in place: whoever shows up without the cookie must not end the right browser's consent.
            raise SetupError("state_of_another_browser")
        if row["expires_at"] < self._clock():
            raise SetupError("state_expired")

    def succeeded(self, connected_at: datetime | None, *, code: str, state: str, bound_to: str) -> None:
        """Remember which answer made the connection, as hashes: a browser that loads its address again is told the same."""
        told = {"at": str(connected_at), "state": _hash(state), "code": _hash(code), "bound_to": _hash(bound_to)}
        self._store.remember(LAST, json.dumps(told))

    def made(self, connected_at: datetime | None, *, code: str, state: str, bound_to: str) -> bool:
        """Whether this very answer, in this very browser, has made the connection of that time, a short while ago."""
        if connected_at is None or not timedelta() <= self._clock() - connected_at < STATE_LIFE:
            return False
        last = json.loads(self._store.recall(LAST) or "{}")
        asked = {"at": str(connected_at), "state": _hash(state), "code": _hash(code), "bound_to": _hash(bound_to)}
        return all(hmac.compare_digest(last.get(name, ""), text) for name, text in asked.items())

    def account_url(self, referer: str, present: str | None = None) -> str:
        """Where to exchange the code: the configured account, as long as that is the one AmoCRM names.

        `present`: where the account we are connected to lives now; it may have moved there from the configured address.
        """
        configured = self._config.api_url
        if not referer:
            return configured
        if present is not None and referer.lower() == urlsplit(present).netloc:
            return present
        named = BARE_HOST.fullmatch(referer.lower())
        host, own_host = (named.group(1) if named else ""), _host(configured)
        if host == own_host or (is_loopback(host) and is_loopback(own_host)):
            return configured
        if not host.endswith(ZONES):
            raise SetupError("referer_unknown")
        if own_host.endswith(ZONES):
            raise SetupError("account_wrong")
        return configured

    def may_go_to(self, domain: str) -> bool:
        """Whether the client secret may be sent to this host: AmoCRM's, or this machine's where AmoCRM is a local one."""
        named = BARE_HOST.fullmatch(domain.lower())
        if named is None:
            return False
        host, own_host = named.group(1), _host(self._config.api_url)
        if own_host.endswith(ZONES):
            return host.endswith(ZONES)
        # A local AmoCRM may put real host names into its tokens; nothing of it goes out into the world.
        return host == own_host or (is_loopback(host) and is_loopback(own_host))

    def is_signed(self, client_uuid: str, account_id: str, signature: str) -> bool:
        """Whether AmoCRM's "integration disabled" call is AmoCRM's (sheet 3.8). Compared in constant time."""
        integration = self.integration()
        text = f"{client_uuid}|{account_id}".encode()
        expected = hmac.new(integration.client_secret.encode(), text, hashlib.sha256).hexdigest()
        right = hmac.compare_digest(expected.encode(), signature.lower().encode())
        return right and hmac.compare_digest(client_uuid.encode(), integration.client_id.encode())


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "").lower()


def _hash(text: str) -> str:
    # A state may hold anything a stranger typed into an address, lone surrogates too.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()

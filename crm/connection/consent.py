"""Getting in: from the admin's press on "connect" to a pair of tokens. And being put out by AmoCRM's admin.

A `state` is stored, works once, for twenty minutes, for the browser that began, whichever process the answer
reaches. The host AmoCRM names in `referer` comes through that browser, so anybody can write anything into it: the
client secret goes to AmoCRM's zones only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa

from crm import oauth
from crm.config import DOMAINS, Config, is_loopback
from crm.errors import SetupError
from crm.vault import fingerprint, secret_hash
from store import Store
from store.tables import oauth_states

STATE_LIFE = timedelta(minutes=20)
"""How long an admin may take on AmoCRM's consent page; the code he comes back with lives as long (sheet 3.2)."""

MOST_STATES = 1000
"""More unfinished consents than a desk ever has: a program in a loop does not fill the disk."""

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

    def setup_print(self) -> str:
        """A fingerprint of the settings a refresh depends on."""
        config = self._config
        secret = config.client_secret.reveal() if config.client_secret else ""
        return fingerprint(f"{config.client_id}|{secret}|{config.redirect_uri}")

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
                    state_hash=secret_hash(state),
                    bound_to=secret_hash(bound_to) if bound_to else "",
                    created_at=now,
                    expires_at=now + STATE_LIFE,
                )
            )
        return oauth.consent_address(self._config.oauth_url, client_id, state)

    def spend(self, state: str, bound_to: str) -> None:
        """Use a state up. Raises `SetupError` for an unknown state, an old state, or another browser's."""
        with self._store.write() as db:
            row = (
                db.execute(sa.select(oauth_states).where(oauth_states.c.state_hash == secret_hash(state)))
                .mappings()
                .first()
            )
            mine = row is not None and (
                not row["bound_to"] or hmac.compare_digest(row["bound_to"], secret_hash(bound_to))
            )
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

    def account_url(self, referer: str, present: str | None = None) -> str:
        """Return where to exchange the code: the configured account, if AmoCRM names the same account.

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
        """Whether the client secret may be sent to a host: AmoCRM's, or the local machine's for a local AmoCRM."""
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

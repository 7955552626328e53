"""The grant's one door for the rest of the desk: tokens for the client, actions for the admin, the story for all."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from crm import account, oauth, users
from crm.client import Client, Token
from crm.config import Config
from crm.connection import decisions, status
from crm.connection.consent import Consent
from crm.connection.grant import GIVEN, LONG_LIVED, OURS, Grant, Held
from crm.connection.refresh import Refresher
from crm.connection.status import Refresh, Status
from crm.door import Door
from crm.errors import BrokenWord, DeskError, NetworkError, NotLetIn, NotSent, SaidNo, SetupError
from crm.journal import Journal, Line
from crm.vault import Vault, fingerprint
from store import Store, clock

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=1)
"""How often the background looks after the connection when nothing is due sooner."""

SOONEST = timedelta(seconds=1)

SKEW_NOTED_S = 5.0
"""A clock has to stand so much differently than was last noted to be noted again: front ends of AmoCRM differ by a second or two."""

ACCOUNT = "account of what is known"
"""The fact that says of which account the desk has kept phones, fields and the like."""

PASSING = frozenset({"server_error", "server_hiccup"})
"""What says nothing about an answer that comes a moment later."""

PRINT_DIGITS, MOST_HEALED = 6, 64
"""Of a fingerprint, and how often a token has healed before its number comes again: together a number every database keeps."""

ASK_WHERE_EVERY_S = 60.0
"""How often a "not found" makes us ask whether the account has moved."""


class Connection:
    """How the desk is let into AmoCRM. Thread-safe; several processes on one database may each have one."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        door: Door,
        journal: Journal,
        config: Config,
        *,
        clock: Callable[[], datetime] = clock.now,
        watch: Callable[[str], object] = lambda step: None,
        another_account: Callable[[], object] = lambda: None,
    ) -> None:
        """`watch` is told each step of a refresh by its name; tests use it.

        `another_account`: forgets what is known of the account before. Called before anybody is told that it is another.
        """
        self._store, self._another_account = store, another_account
        self._door, self._journal, self._config, self._clock = door, journal, config, clock
        self._consent = Consent(store, config, clock)
        self._grant = Grant(store, vault, config.api_url, self._setup_print, clock)
        self._refresher = Refresher(self._grant, door, self._consent.integration, self._consent.may_go_to, clock, watch)
        self._generations: dict[str, int] = {}
        self._proved: int | None = None
        self._person_looks, self._person_at_s = 0, 0.0  # how often it was asked whether a person is let in again
        self._in_doubt: str | None = None  # a long-lived token that was refused and is being tried once more
        self._asking, self._ask_again_at = threading.Lock(), 0.0
        self.changed = threading.Event()  # set when there is another grant: whoever looks after it looks at once

    # What AmoCRM's client asks for (crm.client.Tokens)

    def current(self) -> Token:
        """A token that should work. No request while the stored one is valid, one when it has run out.

        A long-lived one that is over, or that AmoCRM has refused a short while ago, is not given out: nobody sends it for nothing.
        """
        if self._config.access_token is not None:
            return self._long_lived(self._config.access_token.reveal())
        held = self._checked(self._grant.held_together())
        if not held.is_usable(self._clock()):
            held = self._refresher.renewed(held, "expired")
        return self._given_out(held)

    def after_rejection(self, rejected: Token) -> Token:
        """Another token after a 401: the stored one where somebody was faster, else one refresh."""
        if self._config.access_token is not None:
            self._grant.refuse_long_lived(fingerprint(rejected.access), "token_rejected")
            raise NotLetIn("token_rejected", status=401)
        held = self._held()
        if held.access == rejected.access:
            held = self._refresher.renewed(held, "rejected")
        return self._given_out(held)

    def worked(self, token: Token) -> None:
        """AmoCRM accepted this token. Written down once a pair and process, and where a long-lived one was in doubt."""
        if token.access == self._in_doubt:
            self._in_doubt = None
            self._grant.accept_long_lived(fingerprint(token.access))
            self.changed.set()
        generation = self._generations.get(token.access)
        if generation is not None and generation != self._proved:
            self._proved = generation
            self._grant.proved(generation)

    def kept_out(self, token: Token, code: str) -> None:
        """Who connected has been switched off in AmoCRM: nothing is sent with this pair until that is over."""
        if self._config.access_token is not None:
            self._grant.refuse_long_lived(fingerprint(token.access), code)
            return
        generation = self._generations.get(token.access)
        held = self._grant.held() if generation is None else None
        if held is not None and held.access == token.access:
            generation = held.generation
        row = self._grant.row()
        is_new = row is not None and self._grant.trouble_of(row) != code
        if generation is not None and self._grant.trouble(generation, code) and is_new:
            self._journal.write(Line("token", "token.kept_out", code))

    def address(self) -> str:
        """Where the connected account lives. No request. Raises `SetupError("not_connected")`."""
        if self._config.access_token is not None:
            return self._config.api_url
        known = self._known_address()
        if known is None:
            raise SetupError("not_connected")
        return known

    def moved(self, token: Token) -> Token | None:
        """The same token at the account's present address, where that is another one. At most one request a minute."""
        now = time.monotonic()
        with self._asking:
            if now < self._ask_again_at:
                return None
            self._ask_again_at = now + ASK_WHERE_EVERY_S
        held = self._grant.held() if self._config.access_token is None else None
        if held is None or held.access != token.access:
            return None
        address = held.account_url if held.account_url != token.account_url else self._refresher.moved_to(held)
        if address is None:
            return None
        self._grant.move(held.generation, address)
        return Token(address, token.access)

    # What an admin does

    def begin(self, bound_to: str = "") -> str:
        """Where to send the admin's browser. `bound_to`: a secret of that browser, asked for again in `finish`."""
        return self._consent.begin(bound_to)

    def finish(self, *, code: str, state: str, referer: str, bound_to: str = "") -> None:
        """AmoCRM's answer to `begin`: check it, exchange the code, remember the account. Three requests."""
        self._consent.spend(state, bound_to)
        self._exchange(self._consent.account_url(referer, self._known_address()), code, "consent")
        self._consent.succeeded(self.status().connected_at, code=code, state=state, bound_to=bound_to)

    def has_finished(self, *, code: str, state: str, bound_to: str = "") -> bool:
        """Whether this is the answer, of this browser, that has made the present connection: its address is only loaded again."""
        status = self.status()
        return status.connected and self._consent.made(status.connected_at, code=code, state=state, bound_to=bound_to)

    def denied(self, state: str, bound_to: str = "") -> None:
        """The admin pressed "deny": the state is spent and the refusal is written down."""
        self._consent.spend(state, bound_to)
        self._journal.write(Line("token", "token.consent", "consent_denied"))

    def paste_code(self, code: str) -> None:
        """Connect with a code copied from the integration's "Keys" window. Three requests."""
        self._exchange(self._config.api_url, code, "code")

    def adopt(self, refresh_token: str) -> None:
        """Connect with somebody else's refresh token, spending it. Three requests.

        Raises `NotLetIn("grant_spent_here")` for one that was spent here before: nothing is sent then.
        """
        address = self._config.api_url
        line = self._grant.begin_given(refresh_token)
        try:
            pair = oauth.refresh(self._door, address, self._consent.integration(), refresh_token)
        except DeskError as error:
            self._grant.fail_given(line, error.code)
            raise
        self._remember(pair, address, GIVEN, line)

    def refresh_now(self, *, insists: bool = False) -> None:
        """Refresh whatever is left on the token. One request, or none where somebody just did. Raises where it fails.

        `insists`: whoever asks knows what it costs. Else a pair that was renewed, or tried in vain, a short while ago is left
        alone: `Declined("refreshed_just_now")` with the seconds to wait.
        """
        if self._config.access_token is not None:
            raise SetupError("long_lived_not_refreshed")
        row = self._grant.row()
        if row is not None and self._grant.trouble_of(row) == decisions.PERSON_SWITCHED_OFF:
            # Another pair would be kept out as well: what the admin wants to know is whether the person is let in again.
            if not self._is_let_in_again(row):
                raise NotLetIn(decisions.PERSON_SWITCHED_OFF)
            return
        self._refresher.renewed(self._held(), "by_hand", by_hand=True, insists=insists)

    def disconnect(self) -> None:
        """Forget both tokens. AmoCRM keeps the integration installed; it can be connected again at any time."""
        self._grant.drop()
        self._journal.write(Line("token", "token.disconnect"))

    def switched_off(self, client_uuid: str, account_id: str, signature: str) -> bool:
        """AmoCRM's call that its admin has disabled the integration: whether it is AmoCRM's and true. One request.

        The signature is the same every time, so somebody who once saw the address could send it again after a new
        consent. The token itself is asked: while it works, nothing has been switched off.
        """
        row, held = self._grant.row(), self._grant.held()
        if row is None or held is None or not self._consent.is_signed(client_uuid, account_id, signature):
            return False
        if row["account_id"] is None or str(row["account_id"]) != account_id or self._still_works(held):
            return False
        if not self._grant.trouble(held.generation, "switched_off"):
            return False
        self._journal.write(Line("token", "token.switched_off", "switched_off"))
        return True

    # What the background does

    def keep_alive(self) -> timedelta:
        """Refresh early, so that no request ever waits for it. At most one request; how long until the next look.

        Failures are written down and told by `status`; nothing is raised for them.
        """
        if self._config.access_token is not None:
            return self._keep_long_lived()
        row = self._grant.row()
        if row is not None and self._grant.trouble_of(row) == decisions.PERSON_SWITCHED_OFF:
            return self._look_for_the_person(row)
        self._person_looks = 0
        if row is None or self._grant.trouble_of(row) is not None:
            return LOOK_EVERY
        if row["account_id"] is None:
            self._identify(self.current())
        due = row["next_attempt_at"] or decisions.due_at(row["issued_at"], row["expires_at"], row["access_print"])
        if due > self._clock():
            return min(max(due - self._clock(), SOONEST), LOOK_EVERY)
        try:
            self._refresher.renewed(self._held(), "early")
        except DeskError as error:
            if isinstance(error, SetupError) and error.code == "secret_key_wrong":
                raise
        return SOONEST

    # What is told

    def status(self) -> Status:
        """What is known, from the database alone: no request."""
        return status.read(self._grant, self._config, self._clock())

    def failing_since(self) -> datetime | None:
        """Since when the key does not renew itself, or is refused; None where all is well, or nobody knows."""
        if self._config.access_token is None:
            return self._grant.failing_since()
        row = self._grant.row(LONG_LIVED)
        return row["attempted_at"] if row is not None and row["trouble"] is not None else None

    def timeline(self, limit: int = 20) -> list[Refresh]:
        """The last refreshes, newest first."""
        return status.timeline(self._grant, limit)

    def generation(self) -> int:
        """Counts what happened to the grant: another number means that what kept us out may be over. No request.

        Each long-lived token of the settings has numbers of its own, below those of pairs: another one each time it healed.
        """
        if (token := self._config.access_token) is not None:
            access_print = fingerprint(token.reveal())
            row = self._grant.row(LONG_LIVED)
            healed = int(row["generation"]) if row is not None and row["access_print"] == access_print else 0
            return -1 - int(access_print[:PRINT_DIGITS], 16) * MOST_HEALED - healed % MOST_HEALED
        row = self._grant.row()
        return 0 if row is None else int(row["generation"])

    def account_id(self, *, is_needed: bool) -> int | None:
        """The connected account by AmoCRM's number of it, which stays when the account moves to another address.

        No request once it is known, one before that. Raises what the network does, and where there is no connection:
        whose account it is must not be guessed. The address is no proof either, as a freed one may be given to another club.
        `is_needed`: there is something of a certain account in hand. Else AmoCRM's not telling must not keep leads from it:
        None then, where it answers and says nothing of use.
        """
        known = self.known_account_id()
        if known is not None:
            return known
        token = self.current()
        try:
            found = account.current(self._client_of(token))
        except (BrokenWord, SaidNo) as error:
            if is_needed or error.code in PASSING:
                raise
            log.warning("whose account it is: %s", error)
            return None
        which = OURS
        if self._config.access_token is not None:
            which = LONG_LIVED
        if not self._learn(which, token, account_id=found.id, account_name=found.name, subdomain=found.subdomain):
            raise NotSent("too_late_to_send")  # somebody has connected anew in this moment
        return found.id

    def known_account_id(self) -> int | None:
        """The same without asking; None until AmoCRM has told. No request."""
        return self.status().account_id

    def skew_s(self) -> float:
        """How far our clock is ahead of AmoCRM's, as last seen; 0 where nothing is known."""
        row = self._grant.row()
        return float(row["clock_skew_s"] or 0.0) if row is not None else 0.0

    def note_skew(self, skew_s: float | None) -> None:
        """Keep how far our clock is ahead of AmoCRM's by its latest answers, for every process and page; None: not known."""
        seen = self.status()
        known_s = seen.clock_skew_s or 0.0
        if skew_s is not None and seen.state != status.NOT_CONNECTED and abs(skew_s - known_s) > SKEW_NOTED_S:
            self._grant.note(LONG_LIVED if seen.mode == "long_lived" else OURS, clock_skew_s=skew_s)

    def check_key(self) -> None:
        """Raises `SetupError("secret_key_wrong")` where the stored pair cannot be opened; it stays stored."""
        self._grant.held()

    def reseal(self) -> bool:
        """Seal the stored pair with the vault's newest key; whether there was one."""
        return self._grant.reseal()

    def _known_address(self) -> str | None:
        """Where the connected account lives, which may be another address than the settings name."""
        row = self._grant.row()
        return None if row is None else str(row["account_url"])

    def _held(self) -> Held:
        return self._checked(self._grant.held())

    @staticmethod
    def _checked(held: Held | None) -> Held:
        if held is None:
            raise SetupError("not_connected")
        if held.trouble in decisions.KEPT_OUT:
            raise NotLetIn(held.trouble)
        return held

    def _given_out(self, held: Held) -> Token:
        self._generations = {held.access: held.generation}
        return held.token

    def _exchange(self, account_url: str, code: str, cause: str) -> None:
        pair = oauth.exchange_code(self._door, account_url, self._consent.integration(), code)
        self._remember(pair, account_url, cause)

    def _remember(self, pair: oauth.Pair, account_url: str, cause: str, line: int | None = None) -> None:
        """Store the pair before its first use, then learn whose it is."""
        self._grant.store(pair, account_url, lease=None, cause=cause, line=line)
        self._identify(Token(account_url, pair.access))
        self.changed.set()

    def _identify(self, token: Token) -> None:
        """Learn whose the pair is. Where AmoCRM does not say now, the background asks again: the pair is good without."""
        try:
            self._learn(OURS, token, **self._identity(token))
        except (NetworkError, BrokenWord, SaidNo) as error:
            log.warning("whose account it is: %s", error)

    def _learn(self, which: int, token: Token, **whose: Any) -> bool:
        """Write down whose account it is. False where there is another pair by now.

        What is known of another account is forgotten first: who is told the new one's number finds nothing of the old.
        """
        access_print = fingerprint(token.access)
        row = self._grant.row(which)
        if row is None or row["access_print"] != access_print:
            return False
        if self._store.recall(ACCOUNT) != str(whose["account_id"]):
            self._another_account()
            self._store.remember(ACCOUNT, str(whose["account_id"]))
        return self._grant.whose(which, access_print, **whose)

    def _identity(self, token: Token) -> dict[str, Any]:
        """Account and person behind a token. Two requests; a person without admin rights stays unnamed."""
        client = self._client_of(token)
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

    def _long_lived(self, access: str) -> Token:
        """The settings' token, unless it is over or was refused a short while ago; then one caller at a time tries it."""
        now, access_print = self._clock(), fingerprint(access)
        expires_at = oauth.expiry_of(access)
        if expires_at is not None and expires_at <= now:
            raise NotLetIn("long_lived_expired")
        row = self._grant.long_lived(access_print)
        if row["trouble"] is not None:
            is_resting = decisions.is_resting(row["attempted_at"], row["next_attempt_at"], now)
            if is_resting or not self._grant.may_probe(access_print):
                raise NotLetIn(row["trouble"])
            self._in_doubt = access
        return Token(self._config.api_url, access)

    def _keep_long_lived(self) -> timedelta:
        """Learn whose the settings' token is, and try a refused one when its time has come. How long until the next look."""
        try:
            token = self.current()
            row = self._grant.long_lived(fingerprint(token.access))
            if row["trouble"] or not row["connected_at"]:
                whose = self._identity(token)
                self._grant.note(LONG_LIVED, connected_at=row["connected_at"] or self._clock())
                self._learn(LONG_LIVED, token, **whose)
        except (NetworkError, NotLetIn, BrokenWord, SaidNo) as error:
            log.warning("the long-lived token: %s", error)
        return LOOK_EVERY

    def _client_of(self, token: Token) -> Client:
        """A client with this token and no other, that tells what becomes of a long-lived one."""
        is_long_lived = self._config.access_token is not None
        return Client(self._door, _Fixed(token, self if is_long_lived else None))

    def _look_for_the_person(self, row: sa.RowMapping) -> timedelta:
        """Ask now and then whether the person who connected is let in again. How long until the next look."""
        now_s = time.monotonic()
        if self._person_looks == 0:  # just kept out
            self._person_looks, self._person_at_s = 1, now_s + decisions.person_probe_s(1)
        if now_s >= self._person_at_s:
            self._person_looks += 1
            self._person_at_s = now_s + decisions.person_probe_s(self._person_looks)
            self._is_let_in_again(row)
        return LOOK_EVERY

    def _is_let_in_again(self, row: sa.RowMapping) -> bool:
        """Ask AmoCRM with the stored pair, renewed first if it ran out and none was spent within the hour. One or two requests."""
        held = self._grant.held()
        if held is None:
            return False
        now = self._clock()
        try:
            if not held.is_usable(now):
                if not decisions.may_renew_for_person(row["refreshed_at"], row["attempted_at"], now):
                    return False
                held = self._refresher.renewed(held, "expired")
            account.current(self._client_of(held.token))
        except DeskError as error:
            log.warning("whether the person who connected is let in again: %s", error)
            if error.code == decisions.PERSON_SWITCHED_OFF:
                self._grant.trouble(held.generation, error.code)  # a pair that was just renewed has no trouble yet
            return False
        self._grant.let_in_again(held.generation)
        self.changed.set()
        return True

    def _still_works(self, held: Held) -> bool:
        """Whether AmoCRM accepts the pair. What cannot be asked now is taken for working: the next call tells.

        An access token that is merely over is refused as well, so the refresh token is asked about, which spends nothing.
        """
        try:
            account.current(self._client_of(held.token))
        except NotLetIn as error:
            return error.code != "token_rejected" or not self._refresher.is_dead(held)
        except DeskError:
            return True
        return True

    def _setup_print(self) -> str:
        """A fingerprint of the settings a refresh depends on."""
        config = self._config
        secret = config.client_secret.reveal() if config.client_secret else ""
        return fingerprint(f"{config.client_id}|{secret}|{config.redirect_uri}")


@dataclass(frozen=True, slots=True)
class _Fixed:
    """One token and no other: for learning whose it is. `told`: who hears whether AmoCRM took it."""

    token: Token
    told: Connection | None = None

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

    def address(self) -> str:
        return self.token.account_url

    def moved(self, token: Token) -> Token | None:
        return None

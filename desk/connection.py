"""The club's way of keeping AmoCRM's connection: early refreshes, a refresh by hand, a person who was switched off, the page's story.

How a pair is refreshed, and by whom, is `crm.connection`'s business. Here is when, how often, and what people are told.
"""

from __future__ import annotations

import hmac
import json
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from crm import account, oauth
from crm.client import Client
from crm.connection import GIVEN, LONG_LIVED, OURS, STATE_LIFE, Held, Status, decisions, usable
from crm.connection import Connection as Grants
from crm.errors import BrokenWord, Declined, DeskError, NetworkError, NotLetIn, SaidNo, SetupError
from crm.journal import Line
from crm.vault import fingerprint, secret_hash
from store import clock
from store.owners import me
from store.tables import refreshes

LOOK_EVERY = timedelta(minutes=1)
"""How often the background looks after the connection when nothing is due sooner."""

SOONEST = timedelta(seconds=1)

SKEW_NOTED_S = 5.0
"""A clock has to stand so much differently than was last noted to be noted again: front ends of AmoCRM differ by a second or two."""

PRINT_DIGITS, MOST_HEALED = 6, 64
"""Of a fingerprint, and how often a token has healed before its number comes again: together a number every database keeps."""

WARN_DAYS = (30, 7, 1)
"""A long-lived token cannot be renewed, only replaced by a person: these many days ahead the page says so louder."""

JUST_REFRESHED = timedelta(minutes=5)
"""Age below which a pair is renewed by hand only with a confirmation: each refresh spends a token that works once."""

DOUBLE_PRESS = timedelta(seconds=10)
"""Time after a good refresh in which a refresh by hand is a second press, also with the confirmation: the first is enough."""

JUST_FAILED = timedelta(seconds=10)
"""Pause of a refresh by hand after a failed refresh, but for a confirmation or changed settings."""

PERSON_RENEWED_EVERY = timedelta(hours=1)
"""Least time between two spent refresh tokens while the person who connected is switched off."""

LAST = "answer that connected"
"""The fact under which the last answer that made a connection is remembered."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refresh:
    """A line of the page's timeline. `result` is None for a refresh that is under way, or whose process died."""

    started_at: datetime
    ended_at: datetime | None
    cause: str
    result: str | None
    old_print: str | None
    new_print: str | None


class Connection(Grants):
    """The connection to AmoCRM as the desk keeps it. Thread-safe; several processes may share a database."""

    _person_looks = 0
    """Count of questions to AmoCRM whether the person who connected is let in again."""
    _person_at_s = 0.0
    """When to ask next, monotonic."""

    # What an admin does

    def finish(self, *, code: str, state: str, referer: str, bound_to: str = "") -> None:
        """Take AmoCRM's answer to `begin`, and remember the answer. Three requests."""
        super().finish(code=code, state=state, referer=referer, bound_to=bound_to)
        told = _answer(self.status().connected_at, code=code, state=state, bound_to=bound_to)
        self._store.remember(LAST, json.dumps(told))

    def denied(self, state: str, bound_to: str = "") -> None:
        """Note that the admin pressed "deny": the state is spent and the refusal is written down."""
        self._consent.spend(state, bound_to)
        self._journal.write(Line("token", "token.consent", "consent_denied"))

    def has_finished(self, *, code: str, state: str, bound_to: str = "") -> bool:
        """Whether this answer, of this browser, has made the present connection: a page that is only loaded again."""
        status = self.status()
        connected_at = status.connected_at
        if not status.connected or connected_at is None or not timedelta() <= self._clock() - connected_at < STATE_LIFE:
            return False
        last = json.loads(self._store.recall(LAST) or "{}")
        asked = _answer(connected_at, code=code, state=state, bound_to=bound_to)
        return all(hmac.compare_digest(last.get(name, ""), text) for name, text in asked.items())

    def adopt(self, refresh_token: str) -> None:
        """Connect with a given refresh token, and spend the token. Three requests.

        Raises `NotLetIn("grant_spent_here")` for a token that was spent here before: nothing is sent then.
        """
        address = self._config.api_url
        line = self._begin_given(refresh_token)
        try:
            pair = oauth.refresh(self._door, address, self._consent.integration(), refresh_token)
        except DeskError as error:
            self._fail_given(line, error.code)
            raise
        self._remember(pair, address, GIVEN, line)

    def _begin_given(self, token: str) -> int:
        """Write down that somebody's own refresh token is about to be spent; the journal line's number.

        Raises `NotLetIn("grant_spent_here")` for a token that this desk has sent before.
        """
        with self._store.write() as db:
            self._store.serialise(db, "grant")
            spent = sa.and_(
                refreshes.c.old_print == fingerprint(token),
                sa.or_(refreshes.c.result.is_(None), refreshes.c.result.not_in(decisions.UNSENT)),
            )
            if db.scalar(sa.select(refreshes.c.id).where(spent).limit(1)) is not None:
                raise NotLetIn("grant_spent_here")
            line = refreshes.insert().values(
                started_at=self._clock(), cause=GIVEN, process=me()[-40:], old_print=fingerprint(token)
            )
            return int(db.execute(line.returning(refreshes.c.id)).scalar_one())

    def _fail_given(self, line: int, result: str) -> None:
        """Write down that a refresh brought no pair."""
        with self._store.write() as db:
            db.execute(refreshes.update().where(refreshes.c.id == line).values(ended_at=self._clock(), result=result))

    def refresh_now(self, *, insists: bool = False) -> None:
        """Refresh now, however long the token is good. One request, or none shortly after another refresh. Raises the reason of a failure.

        `insists`: whoever asks knows what it costs. Else a pair that was renewed, or tried in vain, a short while ago is left
        alone: `Declined("refreshed_just_now")` with the seconds to wait.
        """
        if self._long_lived is not None:
            raise SetupError("long_lived_not_refreshed")
        row = self._grant.row()
        if row is not None and self._grant.trouble_of(row) == decisions.PERSON_SWITCHED_OFF:
            # Another pair would be kept out as well: what the admin wants to know is whether the person is let in again.
            if not self._is_let_in_again(row):
                raise NotLetIn(decisions.PERSON_SWITCHED_OFF)
            return
        held = usable(self._grant.held())
        self._refresher.renewed(held, "by_hand", by_hand=True, guard=lambda row: self._hold_back(row, insists))

    def switched_off(self, client_uuid: str, account_id: str, signature: str) -> bool:
        """Take AmoCRM's call that its admin has disabled the integration: whether it is AmoCRM's and true. One request.

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

    def _hold_back(self, row: sa.RowMapping, insists: bool) -> None:
        wait = by_hand_wait(
            refreshed_at=row["refreshed_at"],
            attempted_at=row["attempted_at"],
            failures=self._grant.failures_of(row),
            insists=insists,
            now=self._clock(),
        )
        if wait > timedelta():
            raise Declined("refreshed_just_now", retry_after_s=wait.total_seconds())

    def check_key(self) -> None:
        """Raise `SetupError("secret_key_wrong")` if the stored pair cannot be opened; it stays stored."""
        self._grant.held()

    def reseal(self) -> bool:
        """Seal the stored pair with the vault's newest key; whether there was one."""
        return self._grant.reseal()

    # What the background does

    def keep_alive(self) -> timedelta:
        """Refresh early, so that no request ever waits for a refresh. At most one request; how long until the next look.

        Failures are written down and told by `status`; nothing is raised for them.
        """
        if self._long_lived is not None:
            return self._keep_long_lived()
        row = self._grant.row()
        if row is not None and self._grant.trouble_of(row) == decisions.PERSON_SWITCHED_OFF:
            return self._look_for_the_person(row)
        self._person_looks = 0
        if row is None or self._grant.trouble_of(row) is not None:
            return LOOK_EVERY
        if row["account_id"] is None:
            self._owner.identify(self.current())
        due = row["next_attempt_at"] or decisions.due_at(row["issued_at"], row["expires_at"], row["access_print"])
        if due > self._clock():
            return min(max(due - self._clock(), SOONEST), LOOK_EVERY)
        try:
            self._refresher.renewed(usable(self._grant.held()), "early")
        except DeskError as error:
            if isinstance(error, SetupError) and error.code == "secret_key_wrong":
                raise
        return SOONEST

    def _keep_long_lived(self) -> timedelta:
        """Learn whose the settings' token is, and try a refused one when its time has come. How long until the next look."""
        assert self._long_lived is not None  # noqa: S101 - for the types; `keep_alive` has looked
        try:
            token = self.current()
            row = self._long_lived.row()
            if row["trouble"] or not row["connected_at"]:
                whose = self._owner.identity(token)
                self._grant.note(LONG_LIVED, connected_at=row["connected_at"] or self._clock())
                self._owner.learn(LONG_LIVED, token, **whose)
        except (NetworkError, NotLetIn, BrokenWord, SaidNo) as error:
            log.warning("the long-lived token: %s", error)
        return LOOK_EVERY

    def _look_for_the_person(self, row: sa.RowMapping) -> timedelta:
        """Ask now and then whether the person who connected is let in again. How long until the next look."""
        now_s = time.monotonic()
        if self._person_looks == 0:  # just kept out
            self._person_looks, self._person_at_s = 1, now_s + person_probe_s(1)
        if now_s >= self._person_at_s:
            self._person_looks += 1
            self._person_at_s = now_s + person_probe_s(self._person_looks)
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
                if not may_renew_for_person(row["refreshed_at"], row["attempted_at"], now):
                    return False
                held = self._refresher.renewed(held, "expired")
            account.current(self._owner.client_with(held.token))
        except DeskError as error:
            log.warning("whether the person who connected is let in again: %s", error)
            if error.code == decisions.PERSON_SWITCHED_OFF:
                self._grant.trouble(held.generation, error.code)  # a pair that was just renewed has no trouble yet
            return False
        self._grant.let_in_again(held.generation)
        self.changed.set()
        return True

    def _still_works(self, held: Held) -> bool:
        """Whether AmoCRM accepts the pair. A pair that cannot be asked about now counts as working: the next call tells.

        An access token that is merely over is refused as well, so the refresh token is asked about, which spends nothing.
        """
        try:
            account.current(self._owner.client_with(held.token))
        except NotLetIn as error:
            return error.code != "token_rejected" or not self._refresher.is_dead(held)
        except DeskError:
            return True
        return True

    # What is told

    def generation(self) -> int:
        """Count what happened to the grant: another number means that what kept us out may be over. No request.

        Each long-lived token of the settings has numbers of its own, below those of pairs: another one each time it healed.
        """
        if (token := self._config.access_token) is not None:
            access_print = fingerprint(token.reveal())
            row = self._grant.row(LONG_LIVED)
            healed = int(row["generation"]) if row is not None and row["access_print"] == access_print else 0
            return -1 - int(access_print[:PRINT_DIGITS], 16) * MOST_HEALED - healed % MOST_HEALED
        row = self._grant.row()
        return 0 if row is None else int(row["generation"])

    def failing_since(self) -> datetime | None:
        """The time since which the key does not renew itself, or is refused; None if all is well, or nobody knows."""
        if self._long_lived is not None:
            row = self._grant.row(LONG_LIVED)
            return row["attempted_at"] if row is not None and row["trouble"] is not None else None
        good = sa.select(sa.func.max(refreshes.c.id)).where(refreshes.c.result == "ok").scalar_subquery()
        failed = (refreshes.c.result.is_not(None), refreshes.c.result != "ok", refreshes.c.cause != GIVEN)
        first = sa.select(sa.func.min(refreshes.c.id)).where(*failed, refreshes.c.id > sa.func.coalesce(good, 0))
        with self._store.read() as db:
            return db.scalar(sa.select(refreshes.c.started_at).where(refreshes.c.id == first.scalar_subquery()))

    def timeline(self, limit: int = 20) -> list[Refresh]:
        """The last refreshes, newest first."""
        with self._store.read() as db:
            wanted = sa.select(refreshes).order_by(refreshes.c.id.desc()).limit(limit)
            rows = db.execute(wanted).mappings().all()
        return [Refresh(**{name: row[name] for name in Refresh.__slots__}) for row in rows]

    def skew_s(self) -> float:
        """How far our clock is ahead of AmoCRM's, as last seen; 0 if nothing is known."""
        row = self._grant.row()
        return float(row["clock_skew_s"] or 0.0) if row is not None else 0.0

    def note_skew(self, client: Client) -> None:
        """Keep how far our clock is ahead of AmoCRM's by its latest answers, for every process and page."""
        skew_s = skew_of(client)
        seen = self.status()
        known_s = seen.clock_skew_s or 0.0
        if skew_s is not None and seen.state != "not_connected" and abs(skew_s - known_s) > SKEW_NOTED_S:
            self._grant.note(LONG_LIVED if seen.mode == "long_lived" else OURS, clock_skew_s=skew_s)


def by_hand_wait(
    *, refreshed_at: datetime | None, attempted_at: datetime | None, failures: int, insists: bool, now: datetime
) -> timedelta:
    """How long a refresh by hand has to wait; nought if it may go. A time that lies ahead of us was told by a wrong clock."""
    last, window = refreshed_at, DOUBLE_PRESS if insists else JUST_REFRESHED
    if failures:
        last, window = attempted_at, timedelta() if insists else JUST_FAILED
    if last is None or not timedelta() <= now - last < window:
        return timedelta()
    return last + window - now


def person_probe_s(looks: int) -> float:
    """Seconds until AmoCRM is asked for the `looks`-th time whether the person who connected is let in again."""
    return decisions.PROBES[min(max(looks, 1), len(decisions.PROBES)) - 1].total_seconds()


def may_renew_for_person(refreshed_at: datetime | None, attempted_at: datetime | None, now: datetime) -> bool:
    """Whether a pair that ran out while its person is kept out may be renewed to ask again: a refresh an hour at the most."""
    last = max((moment for moment in (refreshed_at, attempted_at) if moment is not None), default=None)
    return last is None or not timedelta() <= now - last < PERSON_RENEWED_EVERY


def _answer(connected_at: datetime | None, *, code: str, state: str, bound_to: str) -> dict[str, str]:
    """An answer that made a connection, as hashes."""
    hashes = {"state": secret_hash(state), "code": secret_hash(code), "bound_to": secret_hash(bound_to)}
    return {"at": str(connected_at), **hashes}


def skew_of(client: Client) -> float | None:
    """Seconds by which this machine's clock is ahead of AmoCRM's, from the `Date` of its answers; None if not known."""
    ahead = client.clock.ahead_s(time.monotonic())
    return None if ahead is None else clock.unix() - time.monotonic() - sum(ahead) / 2


def warn_days(status: Status) -> int | None:
    """The warning that is due for a long-lived token, as days; None for a pair, which renews itself."""
    return warning_level(status.expires_at, clock.now()) if status.mode == "long_lived" else None


def needs_attention(status: Status) -> bool:
    """Whether the connection needs a look, on whichever page a person is."""
    clock_wrong = status.clock_skew_s is not None and abs(status.clock_skew_s) > decisions.CLOCK_LIMIT_S
    return status.state != "connected" or warn_days(status) is not None or clock_wrong or status.moved


def warning_level(expires_at: datetime | None, now: datetime) -> int | None:
    """How many of `WARN_DAYS` a long-lived token has passed, as days; None while it has more than the first."""
    if expires_at is None:
        return None
    passed = [days for days in WARN_DAYS if expires_at - now <= timedelta(days=days)]
    return min(passed) if passed else None

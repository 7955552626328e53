"""The webhooks' door for other rooms: a call comes in, the mirror takes the news, the subscription is looked after."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from crm import webhooks
from crm.client import Client
from crm.connection import Status
from crm.errors import DeskError, SaidNo, SetupError
from crm.journal import Journal, Line
from crm.vault import Vault
from desk.connection import Connection
from desk.settings import Settings
from desk.webhooks import bodies, decisions, report
from desk.webhooks.addresses import Addresses
from desk.webhooks.bodies import HookContent, InvalidHook
from desk.webhooks.inbox import Inbox
from desk.webhooks.report import FACT, Report, Standing
from store import Store, waits
from store.tables import facts

CHECK_EVERY_S = 600.0
"""Between two looks at the subscription. AmoCRM switches a subscription off after a hundred bad answers and says so only here."""

AGAIN_S = 60.0
"""Until the next try if AmoCRM could not be asked, or did not find a new host's name yet (sheet 5.13: about a minute)."""

REFUSED_AGAIN_S = 1800.0
"""Until the next try if a person has to change a setting first."""

CLAIM_S = 60.0
"""While one process checks, no other process does; if the first dies, another may check after this time."""

log = logging.getLogger(__name__)


class Webhooks:
    """The webhooks of one desk. Thread-safe; several processes may share the database."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        client: Client,
        connection: Connection,
        journal: Journal,
        settings: Settings,
        wake: Callable[[], object] = lambda: None,
    ) -> None:
        """`wake`: called at once when a new hook is in the inbox."""
        self._store, self._client, self._connection, self._journal = store, client, connection, journal
        self._addresses = Addresses(store, vault, settings.base_url)
        self._inbox = Inbox(store, self._amo_now)
        self._wake = wake
        self._unreachable = decisions.unreachable(settings.base_url, settings.amocrm_api_url)
        self._checking = threading.Lock()

    # What AmoCRM calls

    def is_open(self, secret: str) -> bool:
        """Whether a call with this secret is to be listened to. One small read."""
        return self._addresses.is_open(secret)

    def receive(self, body: bytes) -> None:
        """Put a call with the right secret on the disk, with any content. Raises only for the database."""
        try:
            told = _read(body)
        except InvalidHook as error:
            log.warning("a webhook could not be read: %s", error.reason)
            self._inbox.put_bad(body, error.reason)
            return
        status = self._connection.status()
        if reason := decisions.disbelief(told, status.account_id, status.subdomain):
            log.warning("a webhook is not believed: %s", reason)
            self._inbox.put_bad(body, reason, keep=False)
            return
        if self._inbox.put(body, told) == "new":
            self._wake()

    # What the mirror asks

    def taken(self) -> AbstractContextManager[dict[str, set[int]]]:
        """Hand over the new ids by entity; dealt with when the block ends without an error."""
        return self._inbox.taken()

    def are_on(self) -> bool:
        """Whether AmoCRM is subscribed, as of the last check."""
        with self._store.read() as db:
            return report.noted(db).get("state") == "on"

    # What the background and an admin do

    def keep(self) -> None:
        """Keep AmoCRM subscribed to the desk. One request if all is well, and none until the next check is due.

        Failures are written down and told by `report`; nothing is raised for them.
        """
        status = self._connection.status()
        if reason := self._no_use(status):
            self._note_if_new(state="off", reason=reason, account_id=None, due_at=0.0)
        elif self._claim(status):
            try:
                self._check(status)
            except DeskError as error:
                log.warning("looking after the webhooks: %s", error)

    def subscribe_again(self) -> None:
        """Subscribe now, by an admin's wish. Raises on failure, and `SetupError` if AmoCRM cannot reach the desk."""
        status = self._connection.status()
        if reason := self._no_use(status):
            raise SetupError(reason)
        self._check(status, live=True)

    def rotate(self) -> None:
        """Change the secret in the address. The former works until AmoCRM knows the new one, and two hours more.

        Two to three requests. Raises where AmoCRM cannot be told now: the background goes on trying.
        """
        if reason := self._no_use(self._connection.status()):
            raise SetupError(reason)
        self._addresses.renew()
        self._journal.write(Line("hook", "webhooks.rotate"))
        self._note(due_at=0.0)
        self.subscribe_again()

    def leave(self) -> None:
        """Unsubscribe before the connection is given up. Two requests, none for a desk that was never subscribed."""
        if self.are_on() and self._connection.status().connected:
            try:
                for one in webhooks.listed(self._client, live=True):
                    if self._addresses.is_ours(one.destination):
                        webhooks.unsubscribe(self._client, one.destination, live=True)
            except DeskError as error:
                log.warning("the webhooks could not be taken back: %s", error)
        self._note(state="off", reason="not_connected", account_id=None, due_at=0.0)

    def reseal(self) -> None:
        """Seal the secrets with the vault's newest key."""
        self._addresses.reseal()

    def prune(self) -> None:
        """Forget calls and secrets that were kept long enough."""
        self._inbox.prune()
        self._addresses.prune()

    # What is told

    def report(self) -> Report:
        """The whole story for people. No request."""
        return report.read(self._store, former_until=self._addresses.former_end())

    def standing(self) -> Standing:
        """The report in a word and a date, for callers that ask every few seconds. No request."""
        return report.standing(self._store)

    # Inside

    def _no_use(self, status: Status) -> str | None:
        """Why a subscription is of no use."""
        return self._unreachable or (None if status.connected else "not_connected")

    def _check(self, status: Status, *, live: bool = False) -> None:
        """Look at the account's subscriptions and bring ours in order; in this process one check at a time."""
        with self._checking:
            try:
                switched_off = self._bring_in_order(live)
            except DeskError as error:
                pause_s = max(AGAIN_S if _may_pass(error) else REFUSED_AGAIN_S, error.retry_after_s or 0.0)
                wrong_since = self._noted().get("wrong_since") or self._now()
                told = {"state": "refused", "reason": error.code, "on_since": None, "wrong_since": wrong_since}
                self._note_checked(pause_s, **told)
                raise
            since = self._noted().get("on_since")
            told = {"state": "on", "reason": None, "account_id": status.account_id, "wrong_since": None}
            mended = {"mended_at": self._now()} if switched_off else {}
            self._note_checked(CHECK_EVERY_S, on_since=since or self._now(), **told, **mended)

    def _bring_in_order(self, live: bool) -> bool:
        """Whether AmoCRM had switched us off."""
        number, address = self._addresses.current()
        plan = decisions.plan(webhooks.listed(self._client, live=live), address, self._addresses.is_ours)
        for destination in plan.drop_first:
            webhooks.unsubscribe(self._client, destination, live=live)
        if plan.subscribe:
            self._subscribe(address, live)
        self._addresses.took_over(number)
        for destination in plan.drop:
            webhooks.unsubscribe(self._client, destination, live=live)
        return bool(plan.drop_first)

    def _subscribe(self, address: str, live: bool) -> None:
        """Subscribe to every event, or, if AmoCRM refuses some of them, to leads and contacts."""
        try:
            webhooks.subscribe(self._client, address, decisions.EVENTS, live=live)
        except SaidNo as error:
            paths = [refusal.path for refusal in error.refusals]
            if error.code != "validation" or not paths or any("settings" not in path for path in paths):
                raise  # it is the address that AmoCRM does not take
            webhooks.subscribe(self._client, address, decisions.CARD_EVENTS, live=live)
            log.warning("AmoCRM does not call us of tasks: %s", error)

    def _claim(self, status: Status) -> bool:
        """Claim the check for this process if a check is due. Another account's is due at once."""
        noted = self._noted()
        another = noted.get("account_id") not in (None, status.account_id)
        if not another and _is_waiting(noted, self._now()):
            return False
        with self._store.write(durable=False) as db:
            self._store.serialise(db, FACT)
            noted, now = report.noted(db), self._store.clock(db)
            if not another and _is_waiting(noted, now):
                return False
            wait = {"due_at": now + CLAIM_S, "due_from": now}
            self._store_fact(db, noted | wait | {"account_id": status.account_id})
        return True

    def _noted(self) -> dict[str, Any]:
        with self._store.read() as db:
            return report.noted(db)

    def _note_checked(self, next_in_s: float, **values: Any) -> None:
        now = self._now()
        self._note(checked_at=now, due_at=now + next_in_s, due_from=now, **values)

    def _note_if_new(self, **values: Any) -> None:
        noted = self._noted()
        if any(noted.get(name) != value for name, value in values.items()):
            self._note(**values)

    def _note(self, **values: Any) -> None:
        with self._store.write(durable=False) as db:
            self._store.serialise(db, FACT)
            self._store_fact(db, report.noted(db) | values)

    def _store_fact(self, db: sa.Connection, fact: dict[str, Any]) -> None:
        self._store.upsert(db, facts, [{"key": FACT, "value": json.dumps(fact)}])

    def _amo_now(self) -> float | None:
        """AmoCRM's clock; None if unknown."""
        now_s = time.monotonic()
        return self._client.clock.at(now_s, now_s)

    def _now(self) -> float:
        with self._store.read() as db:
            return self._store.clock(db)


def _read(body: bytes) -> HookContent:
    """Read a body's news. A failure of the reader is no reason to answer AmoCRM with an error."""
    try:
        return bodies.read(body)
    except InvalidHook:
        raise
    except Exception as error:
        log.error("reading a webhook failed: %s", type(error).__name__)
        raise InvalidHook("reader_failed") from None


def _is_waiting(noted: dict[str, Any], now_s: float) -> bool:
    """Whether the next check is still to come; never longer from now than the rule that wrote the time down."""
    return not waits.is_over(noted.get("due_from", 0.0), noted.get("due_at", 0.0), now_s)


def _may_pass(error: DeskError) -> bool:
    """Whether an error may be over in a minute: AmoCRM is away, or does not know a new host's name yet."""
    return error.retryable or error.code == "validation"

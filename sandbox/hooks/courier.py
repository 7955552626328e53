"""Delivery of webhooks: the queue, the attempts, and the mishaps a test may order (sheet 7.1, 7.6).

Queueing happens inside the transaction of the request that caused it; sending happens afterwards, on the event loop.
Each destination gets its hooks one after another, so that their order is an order and only a switch disturbs it.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import ssl
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from sandbox import brackets
from sandbox.api import links, tags
from sandbox.changes import Change, Work
from sandbox.clock import Clock
from sandbox.club.account import ACCOUNT_ID
from sandbox.config import Config
from sandbox.hooks import payloads, retrying
from sandbox.ledger import Ledger
from sandbox.store.database import Row, Store

T = TypeVar("T")

FORM = "application/x-www-form-urlencoded"
HOOK_AGENT = "amoCRM-Webhooks/3.0"
CODE_SENDER_AGENT = "amoService-oAuth-Code-Sender/1.0"
"""Of the GETs to the integration itself (sheet 3.8, D)."""

REORDER_WAIT_S = 3.0
"""With `hook_reorder` a hook waits so long for another hook to go first."""

PARALLEL_SENDS = 8


class Sandbox(Protocol):
    """The sandbox, as far as its courier needs to know."""

    config: Config
    store: Store
    clock: Clock
    ledger: Ledger

    @property
    def account_url(self) -> str:
        """The account's address."""

    async def in_store(self, job: Callable[[], T]) -> T:
        """Run a function on the store's thread."""


class Courier:
    """Brings hooks to their destinations while the sandbox runs."""

    def __init__(self, world: Sandbox) -> None:
        self.world = world
        self.random = random.Random(world.config.hook_seed)
        self.bad_at: dict[int, list[float]] = defaultdict(list)
        self._parked: int | None = None
        self._busy: set[int] = set()
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._senders = ThreadPoolExecutor(PARALLEL_SENDS, thread_name_prefix="hooks")
        self._errands: set[asyncio.Task[None]] = set()

    # ── Queueing: inside a transaction, on the store's thread ───────────────────────────────────────────────────

    def queue(self, work: Work, caused_by: int | None) -> None:
        """Put the changes of `work` into the queue of every subscriber."""
        changes = [_with_names(work, _with_linked_leads(work, change)) for change in work.changes]
        told = [notice for change in changes for notice in payloads.notices(change, work.fields)]
        if not told:
            return
        account = {
            "subdomain": work.store.meta("subdomain"),
            "id": ACCOUNT_ID,
            "_links": {"self": self.world.account_url},
        }
        for hook in work.store.rows("SELECT * FROM webhooks WHERE disabled = 0 ORDER BY sort, id"):
            settings = set(json.loads(hook["settings"]))
            for tree in payloads.bodies(told, settings, account, one_body=work.config.hook_one_body):
                self._queue_one(work, hook, brackets.build(tree), caused_by)

    def _queue_one(self, work: Work, hook: Row, body: str, caused_by: int | None) -> None:
        config = work.config
        if self.random.random() < config.hook_lose:
            self._tell(hook["id"], hook["destination"], body, caused_by, attempt=0, status=None, outcome="lost")
            return
        copies = 2 if self.random.random() < config.hook_duplicate else 1
        for _ in range(copies):
            row = {
                "webhook_id": hook["id"],
                "destination": hook["destination"],
                "body": body,
                "caused_by": caused_by,
                "due_at": work.real_moment + config.hook_delay_s + self._shuffle_s(config),
            }
            work.store.insert("deliveries", row)
            if config.hook_reorder:
                self._swap(work, work.store.value("SELECT last_insert_rowid()"))

    def _shuffle_s(self, config: Config) -> float:
        """A wait of a hook's own. Without the switch no number is drawn: the seed goes on deciding which hooks are hit."""
        return self.random.random() * config.hook_shuffle_s if config.hook_shuffle_s else 0.0

    def _swap(self, work: Work, delivery_id: int) -> None:
        """The first of two waits; when the second comes, the second goes first."""
        if self._parked is None:
            work.store.update("deliveries", {"due_at": work.real_moment + REORDER_WAIT_S}, id=delivery_id)
            self._parked = delivery_id
            return
        due_at = work.store.value("SELECT due_at FROM deliveries WHERE id = ?", [delivery_id])
        work.store.update("deliveries", {"due_at": due_at + 0.001}, id=self._parked)
        self._parked = None

    # ── Sending: on the event loop ──────────────────────────────────────────────────────────────────────────────

    def wake(self) -> None:
        """Wake up: a hook may be due, or the switches changed."""
        if self._wake is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Send the hooks that are due, for as long as the sandbox runs."""
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        while True:
            self._wake.clear()
            due, next_at = await self.world.in_store(self._due_hooks)
            for webhook_id in due:
                self._busy.add(webhook_id)
                self._start(self._drain(webhook_id))
            pause = None if next_at is None else max(0.0, next_at - self.world.clock.now())
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue

    def visit(self, url: str) -> None:
        """GET an address of the integration, as AmoCRM does with codes and news about itself."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: self._start(self._visit(url)))

    def forget(self) -> None:
        """Begin as after a start: no attempt counted, no hook waiting for a partner."""
        self.random = random.Random(self.world.config.hook_seed)
        self.bad_at.clear()
        self._parked = None

    def close(self) -> None:
        """Stop sending."""
        self._senders.shutdown(wait=False, cancel_futures=True)

    def _start(self, errand: Any) -> None:
        task = asyncio.ensure_future(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _due_hooks(self) -> tuple[list[int], float | None]:
        """Destinations with a hook due and no sending under way, and when the next hook falls due."""
        if self.world.config.hook_hold:
            return [], None
        rows = self.world.store.rows("SELECT webhook_id, min(due_at) AS due_at FROM deliveries GROUP BY webhook_id")
        free = [row for row in rows if row["webhook_id"] not in self._busy]
        now = self.world.clock.now()
        later = [row["due_at"] for row in free if row["due_at"] > now]
        return [row["webhook_id"] for row in free if row["due_at"] <= now], min(later, default=None)

    async def _drain(self, webhook_id: int) -> None:
        try:
            while (delivery := await self.world.in_store(partial(self._next_due, webhook_id))) is not None:
                status = await self._send("POST", delivery["destination"], HOOK_AGENT, delivery["body"])
                await self.world.in_store(partial(self._settle, delivery, status))
        finally:
            self._busy.discard(webhook_id)
            self.wake()

    def _next_due(self, webhook_id: int) -> Row | None:
        if self.world.config.hook_hold:
            return None
        sql = "SELECT * FROM deliveries WHERE webhook_id = ? AND due_at <= ? ORDER BY due_at, id LIMIT 1"
        return self.world.store.row(sql, [webhook_id, self.world.clock.now()])

    async def _visit(self, url: str) -> None:
        status = await self._send("GET", url, CODE_SENDER_AGENT, "")
        outcome = "delivered" if retrying.is_good(status) else "failed"
        self._tell(None, url, "", None, attempt=1, status=status, outcome=outcome)

    async def _send(self, method: str, url: str, agent: str, body: str) -> int:
        """The receiver's status, 0 when there was none in time."""
        timeout_s = self.world.config.hook_timeout_s
        sending = asyncio.get_running_loop().run_in_executor(
            self._senders, _request, method, url, agent, body, timeout_s
        )
        try:
            return await asyncio.wait_for(sending, timeout_s)
        except TimeoutError:
            return 0

    def _settle(self, delivery: Row, status: int) -> None:
        """Note the result of an attempt; plan the next, or none."""
        config, now = self.world.config, self.world.clock.now()
        delay_s = retrying.delay_before_next(delivery["attempt"], status)
        good = retrying.is_good(status)
        outcome = "delivered" if good else "failed" if delay_s is not None else "given up"
        with self.world.store.transaction():
            if delay_s is None:
                self.world.store.db.execute("DELETE FROM deliveries WHERE id = ?", [delivery["id"]])
            else:
                later = {"attempt": delivery["attempt"] + 1, "due_at": now + delay_s * config.hook_time_scale}
                self.world.store.update("deliveries", later, id=delivery["id"])
            if not good:
                self._count_bad(delivery["webhook_id"], now)
        self._tell(
            delivery["webhook_id"],
            delivery["destination"],
            delivery["body"],
            delivery["caused_by"],
            attempt=delivery["attempt"],
            status=status,
            outcome=outcome,
        )

    def _count_bad(self, webhook_id: int, now: float) -> None:
        bad_at = self.bad_at[webhook_id]
        bad_at.append(now)
        config = self.world.config
        if config.hook_switch_off and retrying.should_switch_off(bad_at, now, config.hook_time_scale):
            self.world.store.update("webhooks", {"disabled": 1}, id=webhook_id)
            self.world.store.db.execute("DELETE FROM deliveries WHERE webhook_id = ?", [webhook_id])

    def _tell(
        self,
        webhook_id: int | None,
        destination: str,
        body: str,
        caused_by: int | None,
        *,
        attempt: int,
        status: int | None,
        outcome: str,
    ) -> None:
        self.world.ledger.add(
            "hook",
            webhook_id=webhook_id,
            destination=destination,
            body=body,
            request_seq=caused_by,
            attempt=attempt,
            status=status,
            outcome=outcome,
        )


def _with_linked_leads(work: Work, change: Change) -> Change:
    """People's hooks name their leads (sheet 7.3); rows do not."""
    if change.entity not in ("contacts", "companies") or change.after is None:
        return change
    linked = links.of_cards(work, change.entity, [int(change.id)])[int(change.id)]
    leads = [link["id"] for link in linked if link["type"] == "leads"]
    return replace(change, after=change.after | {"linked_leads": leads})


def _with_names(work: Work, change: Change) -> Change:
    """Leads' hooks name their tags (sheet 0, R); rows hold only ids."""
    if change.entity != "leads" or change.after is None or change.kind not in payloads.ACTIONS:
        return change
    named = tags.shown(work, "leads", [change.after])[change.after["id"]]
    return replace(
        change, after=change.after | {"named_tags": [{key: tag[key] for key in ("id", "name")} for tag in named]}
    )


def _request(method: str, url: str, agent: str, body: str, timeout_s: float) -> int:
    """One HTTP request, redirects not followed: 3xx is a bad answer."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"User-Agent": agent} | ({"Content-Type": FORM} if method == "POST" else {})
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        # A developer's receiver has a certificate of its own making; AmoCRM's strictness here is not known.
        context = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout_s, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
    try:
        connection.request(method, path, body=body.encode() if method == "POST" else None, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        return 0
    finally:
        connection.close()

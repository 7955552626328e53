"""Two desks on one database, one of them stopped at random moments: how long until the other goes on delivering.

python -m tests.desk.delivery.frozen --database sqlite --rounds 50 --seed 1

Leads are accepted all the time by a third process, this one, which is timed as well: nobody may be held up for long. One round
stops one desk (SIGSTOP) and ends when the other has delivered `WANTED` leads, or after `MINUTE_S`; with `--whole-minute`
always after it. Afterwards AmoCRM's own tables are compared with what was accepted.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

import sqlalchemy as sa

from desk.delivery import DELIVERED
from desk.desk import Desk
from desk.lead import NewLead
from sandbox.process import Sandbox, running_sandbox
from store import StoreError
from store.frozen import state_of
from store.tables import accepted_leads, deliveries
from tests.support import postgres
from tests.support.desks import KEY, desk_for
from tests.support.programs import until
from tests.support.workers import Worker, workers

WANTED = 3
"""Leads the other desk delivers before the stopped one goes on."""

MINUTE_S = 60.0
"""The longest a desk is stopped for."""

ON_ITS_WAY_S = 0.3
"""What the stopped desk had sent before may still arrive; only leads that come later count for the other one."""

FEED_EVERY_S = 0.35
"""A lead is accepted this often while no more than `MOST_WAITING` wait: about what two desks deliver at seven requests a
second."""

MOST_WAITING = 25
LOOK_S = 0.1
"""Between two looks at what has arrived; a gap is told to this much."""

SETTLE_S = 400.0
"""Leads of the stopped desk wait for its leases and for the searches of what it had sent."""


@dataclass
class Result:
    """What came of a run. `longest_gap_s`: without a delivery by the other while one was stopped. `held`: rounds in which the
    stopped desk had a lock that the other waited for."""

    database: str
    seed: int
    rounds: int = 0
    leads: int = 0
    longest_gap_s: float = 0.0
    gaps_s: list[float] = field(default_factory=list)
    over_10_s: int = 0
    woken: int = 0
    held: int = 0
    longest_accept_s: float = 0.0
    not_accepted: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unsettled: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Feeder:
    """Accepts leads until it is stopped, each of another person."""

    def __init__(self, desk: Desk, result: Result) -> None:
        self._desk, self._result = desk, result
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(FEED_EVERY_S):
            if _waiting(self._desk) >= MOST_WAITING:
                continue
            number = self._result.leads + self._result.not_accepted
            began = time.monotonic()
            try:
                self._desk.outbox.accept(NewLead("Вера Холодова", f"+7961{number:07}", "Йога", "Сайт", "Хочу"), "api")
                self._result.leads += 1
            except StoreError:
                self._result.not_accepted += 1
            self._result.longest_accept_s = max(self._result.longest_accept_s, time.monotonic() - began)


def run(database_url: str, *, rounds: int, seed: int, whole_minute: bool = False, say=lambda text: None) -> Result:
    """Freeze `rounds` times and count what came of it."""
    result, chance, began = (
        Result(sa.engine.make_url(database_url).get_backend_name(), seed),
        random.Random(seed),
        time.monotonic(),
    )
    with ExitStack() as held:
        box = held.enter_context(running_sandbox(leads=20, rps=1000, latency_ms=20))
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="frozen-")))
        desk = held.enter_context(desk_for(box, folder, DATABASE_URL=database_url, SECRET_KEY=KEY))
        pair = held.enter_context(workers(2, "tests.desk.delivery.desk_process", box, database_url, folder))
        feeder = Feeder(desk, result)
        try:
            for _ in range(rounds):
                until(lambda: _waiting(desk), "leads to deliver")
                threading.Event().wait(chance.uniform(0.3, 2.0))
                _freeze(box, chance.choice(pair), result, whole_minute)
                result.rounds += 1
                say(f"{result.rounds}: {result.gaps_s[-1]:.1f} s, woken {result.woken}")
        finally:
            feeder.stop()
        _settle(desk)
        _count(desk, box, result)
    result.over_10_s = sum(gap > 10 for gap in result.gaps_s)
    result.held = sum(gap > 2.5 for gap in result.gaps_s)
    result.seconds = round(time.monotonic() - began, 1)
    return result


def _freeze(box: Sandbox, victim: Worker, result: Result, whole_minute: bool) -> None:
    victim.process.send_signal(signal.SIGSTOP)
    stopped, pause = time.monotonic(), threading.Event()
    try:
        pause.wait(ON_ITS_WAY_S)
        since, last, gap_s, seen = box.last_seq(), stopped, 0.0, 0
        while (whole_minute or seen < WANTED) and time.monotonic() - stopped < MINUTE_S:
            now_there = len(box.ledger("change", since=since, entity="leads", change="added"))
            now = time.monotonic()
            gap_s = max(gap_s, now - last)
            if now_there > seen:
                seen, last = now_there, now
            pause.wait(LOOK_S)
        result.gaps_s.append(round(gap_s, 2))
        result.longest_gap_s = max(result.longest_gap_s, round(gap_s, 2))
        result.woken += not is_stopped(victim)
    finally:
        victim.process.send_signal(signal.SIGCONT)


def is_stopped(worker: Worker) -> bool:
    """Whether nobody has continued it."""
    return state_of(Path(f"/proc/{worker.process.pid}/stat").read_text()) == "T"


def _waiting(desk: Desk) -> int:
    with desk.store.read() as db:
        on_the_way = deliveries.c.state != DELIVERED
        return int(db.scalar(sa.select(sa.func.count()).select_from(deliveries).where(on_the_way)) or 0)


def _settle(desk: Desk) -> None:
    try:
        until(lambda: not _waiting(desk), "everything to be delivered", SETTLE_S)
    except AssertionError:
        return  # what is left is counted


def _count(desk: Desk, box: Sandbox, result: Result) -> None:
    """Each accepted lead against what AmoCRM holds."""
    with desk.store.read() as db:
        rows = db.execute(
            sa.select(accepted_leads.c.phone, deliveries.c.state).join(
                deliveries, deliveries.c.lead_id == accepted_leads.c.id
            )
        ).all()
    held = Counter(
        value["value"] for lead in box.entities("leads") for value in (lead["custom_fields"] or {}).get("264911", [])
    )
    result.unsettled = dict(Counter(state for _, state in rows if state != DELIVERED))
    result.lost = [phone for phone, _ in rows if held[phone] == 0]
    result.doubled = [phone for phone, _ in rows if held[phone] > 1]
    if len(rows) != result.leads:
        result.lost.append(f"{result.leads} accepted, {len(rows)} stored")


def main(arguments: list[str]) -> int:
    """Run once and print what came of it as one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.desk.delivery.frozen")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole-minute", action="store_true")
    chosen = parser.parse_args(arguments)
    with ExitStack() as held:
        if chosen.database == "sqlite":
            url = f"sqlite:///{held.enter_context(tempfile.TemporaryDirectory(prefix='frozen-'))}/desk.db"
        else:
            url = held.enter_context(postgres.running(postgres.programs())).new_database()
        say, whole = (lambda text: print(text, file=sys.stderr)), chosen.whole_minute
        result = run(url, rounds=chosen.rounds, seed=chosen.seed, whole_minute=whole, say=say)
    print(json.dumps(asdict(result), ensure_ascii=False), flush=True)
    return 1 if result.lost or result.doubled else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

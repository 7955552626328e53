"""The first reading of an account: the share of AmoCRM's allowance in use, the memory, the cost of a kill.

The yardstick is seven requests a second and no waiting at all: one request for each 250 leads and one for each 250 of their
contacts. A share of 1 is not possible, because an answer has to come before the next thing is known.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from sandbox.process import Sandbox, running_sandbox
from tests.support.desks import KEY, desk_for
from tests.support.workers import Worker

FILLER = "benchmarks.filler"
PAGE = 250
PACE = "6.7"
"""The desk's pace by default."""

ALLOWED_RPS = 7
LIMIT_SHARE = {120: 0.95, 500: 0.90}
LIMIT_MB = 400


def main(*sizes: str) -> bool:
    """Measure, print, and tell whether the limits hold. `sizes`: numbers of leads, by default 10,000 and 100,000."""
    good = True
    for leads in map(int, sizes or ("10000", "100000")):
        with running_sandbox(leads=leads, rps=ALLOWED_RPS) as box:
            needed = needed_requests(box)
            for latency_ms in LIMIT_SHARE if leads <= 10_000 else (120,):
                good &= measure(box, leads, latency_ms, needed)
            if leads > 10_000:
                good &= kill(box, leads, needed)
    return good


def needed_requests(box: Sandbox) -> int:
    """The requests of a perfect reading: one for each 250 leads and one for each 250 of their contacts."""
    linked = {
        link["to_id"] for link in box.entities("links", limit=box.count("links")) if link["to_type"] == "contacts"
    }
    leads = sum(not lead["is_deleted"] for lead in box.entities("leads", limit=box.count("leads")))
    return math.ceil(leads / PAGE) + math.ceil(len(linked) / PAGE)


def measure(box: Sandbox, leads: int, latency_ms: int, needed: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        box.config(latency_ms=0)
        time.sleep(1.2)  # the desk measured before was another one: nobody holds this one back
        url = connected(box, folder)
        box.config(latency_ms=latency_ms)
        worker = Worker(FILLER, box, url, Path(folder), rps=PACE)
        time.sleep(1.2)  # what the reference cost is none of the reading's business
        since = box.last_seq()
        worker.say("go")
        told = worker.answer()
        worker.end()
        refused, asked = traffic(box, since)
    share = needed / ALLOWED_RPS / told["took_s"]
    print(
        f"first fill of {leads:,} leads at {latency_ms} ms: {told['took_s']:.1f} s for {asked} requests, {needed} needed; "
        f"{share:.1%} of what {ALLOWED_RPS} a second allow (limit {LIMIT_SHARE[latency_ms]:.0%}), {refused} times 429, "
        f"peak {told['peak_mb']:.0f} MB (limit {LIMIT_MB})",
        flush=True,
    )
    return share >= LIMIT_SHARE[latency_ms] and refused == 0 and told["peak_mb"] < LIMIT_MB


def kill(box: Sandbox, leads: int, needed: int) -> bool:
    """Killed at half; another process goes on."""
    with tempfile.TemporaryDirectory() as folder:
        url = connected(box, folder)
        since = box.last_seq()
        worker = Worker(FILLER, box, url, Path(folder), rps=PACE)
        worker.say("go")
        while stored(url) < leads / 2:
            time.sleep(0.2)
        worker.end()
        _, before = traffic(box, since)
        since = box.last_seq()
        worker = Worker(FILLER, box, url, Path(folder), rps=PACE)
        worker.say("go")
        worker.answer()
        worker.end()
        _, after = traffic(box, since)
        whole = stored(url)
    print(
        f"killed at half of {leads:,} leads: {before} requests before, {after} after, {needed} needed; {whole:,} leads here",
        flush=True,
    )
    return before + after < needed * 1.05 and whole >= leads * 0.99


def connected(box: Sandbox, folder: str) -> str:
    """A database of a connected desk before any reading."""
    url = f"sqlite:///{folder}/desk.db"
    with desk_for(box, Path(folder), DATABASE_URL=url, SECRET_KEY=KEY):
        return url


def stored(url: str) -> int:
    engine = sa.create_engine(url)
    with engine.connect() as db:
        count = int(db.scalar(sa.text("SELECT count(*) FROM leads")) or 0)
    engine.dispose()
    return count


def traffic(box: Sandbox, since: int) -> tuple[int, int]:
    """How many requests were refused as too many, and how many there were."""
    entries = box.ledger("request", since=since)
    return sum(entry["status"] == 429 for entry in entries), len(entries)


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)

"""How fast `POST /api/crm` accepts while the desk is at work: 50 leads a second for 20 seconds, from another process.

The desk is the product itself, on SQLite with synchronous=FULL, its delivery worker running against a sandbox that is well,
that answers after five seconds, and that is gone. The load is open-loop: each request has its moment and is timed from
that moment on, so a desk that falls behind cannot hide it. Phones and Idempotency-Keys are all different.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

import requests

from benchmarks import open_loop
from sandbox.process import Sandbox, running_sandbox
from tests.support.desks import settings_for
from tests.support.programs import LOCAL, RunningDesk, running_desk, until

RATE, LOAD_S = 50, 20
CONNECTIONS = 40
"""Connections kept open by the sender: enough to send without waiting for an answer."""

LIMIT_MS = 100
SLOW_MS = 5000
ADMIN_KEY = "admin-key-of-the-benchmark"


def main() -> bool:
    """Measure, print, and tell whether the limit holds."""
    return all(
        [measure("AmoCRM is well"), measure("AmoCRM answers after 5 s", SLOW_MS), measure("AmoCRM is down", None)]
    )


def measure(name: str, latency_ms: int | None = 0) -> bool:
    """Measure a desk under a load. `latency_ms`: AmoCRM's; None for an AmoCRM that is gone."""
    with running_sandbox(leads=50, rps=1000) as box, running_desk(**settings_for(box, ADMIN_API_KEY=ADMIN_KEY)) as desk:
        connect(desk, box)
        if latency_ms is None:
            box.stop()
        else:
            box.config(latency_ms=latency_ms)
        run_load(desk, 2)  # whatever is made at the first request is made now
        times_ms, failures = run_load(desk, LOAD_S)
    p50, p95, p99 = (statistics.quantiles(times_ms, n=100)[place] for place in (49, 94, 98))
    print(
        f"intake, {name}: {len(times_ms)} leads at {RATE}/s, p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms,"
        f" slowest {max(times_ms):.0f} ms, not accepted {failures}"
    )
    return p99 < LIMIT_MS and not failures


def connect(desk: RunningDesk, box: Sandbox) -> None:
    """As an admin would by hand."""
    answer = requests.post(
        f"{desk.url}/api/amocrm/callback",
        json={"refresh_token": box.grant()["refresh_token"]},
        headers={"Authorization": f"Bearer {ADMIN_KEY}"},
        timeout=30,
    )
    answer.raise_for_status()
    until(lambda: requests.get(f"{desk.url}/readyz", timeout=5).ok, "the desk to be ready")


def run_load(desk: RunningDesk, seconds: float) -> tuple[list[float], int]:
    """The load, in a process of its own: milliseconds of each request, and how many were not accepted."""
    command = [sys.executable, "-m", "benchmarks.intake", desk.url, str(seconds)]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer["times_ms"], answer["failures"]


def load(url: str, seconds: float) -> None:
    """Send, and print the times."""
    stamp = time.time_ns() // 1000 % 10**6

    def lead(number: int) -> open_loop.Request:
        body = {"name": "Нагрузочная Анна", "phone": f"+79{stamp * 1000 % 10**9 + number:09}", "direction": "Йога"}
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"{stamp}-{number}", **LOCAL}
        return "/api/crm", json.dumps(body), headers

    open_loop.send(url, lead, seconds=seconds, rate=RATE, connections=CONNECTIONS, status=202)


if __name__ == "__main__":
    load(sys.argv[1], float(sys.argv[2]))

"""The cost of headers, gate and proof: the desk beside itself without doors, in turn, in the same run.

Opening a page is what a browser does over the live connection, whole; a request is the page's own file or a word of
health over a line of its own. The limit holds for the page: nobody waits for a request alone.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial

import requests

from benchmarks.big_mirror import fill
from benchmarks.served import serving
from benchmarks.visitor import Visitor
from store import Store
from tests.support.programs import LOCAL_KEY, local_cookies

LEADS, CONTACTS = 3000, 2000
OPENINGS, REQUESTS = 60, 400
LIMIT_RATIO = 1.03

NOWHERE = {"AMOCRM_API_URL": "http://127.0.0.1:1", "AMOCRM_CLIENT_ID": "id-of-nobody", "AMOCRM_CLIENT_SECRET": "secret-of-nobody"}  # fmt: skip

PROOF = {"LOCAL_ACCESS": "code", "LOCAL_KEY": LOCAL_KEY}


def main() -> bool:
    """Measure, print, and tell whether the limit holds."""
    with tempfile.TemporaryDirectory() as folder:
        urls = {name: f"sqlite:///{folder}/{name}/desk.db" for name in ("with", "without")}
        for url in urls.values():
            store = Store(url)
            store.upgrade()
            fill(store, LEADS, CONTACTS)
            store.close()
        with (
            serving("dashboard.py", {**NOWHERE, **PROOF, "DATABASE_URL": urls["with"]}) as (ours, _),
            serving("benchmarks/without_doors.py", {**NOWHERE, "DATABASE_URL": urls["without"]}) as (bare, _),
        ):
            pages = _in_turn({"with": lambda: _open(ours), "without": lambda: _open(bare)}, OPENINGS)
            asked = {
                path: _in_turn({"with": partial(_ask, ours, path), "without": partial(_ask, bare, path)}, REQUESTS)
                for path in ("/", "/healthz")
            }
    ratio = _told("opening the leads page", pages)
    for path, times in asked.items():
        _told(f"GET {path}", times)
    return ratio <= LIMIT_RATIO


def _in_turn(both: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in both}
    for one in both.values():
        one()  # whatever is done once
    for number in range(rounds):
        for name in sorted(both, reverse=bool(number % 2)):
            times[name].append(both[name]())
    return times


def _open(port: int) -> float:
    with Visitor(port, cookies=local_cookies()) as visitor:
        return visitor.open()


def _ask(port: int, path: str) -> float:
    started = time.perf_counter()
    requests.get(f"http://localhost:{port}{path}", cookies=local_cookies(), timeout=20).raise_for_status()
    return time.perf_counter() - started


def _told(what: str, times: dict[str, list[float]]) -> float:
    half = {name: statistics.median(seconds) * 1000 for name, seconds in times.items()}
    ratio = half["with"] / half["without"]
    print(
        f"doors, {what}: p50 {half['with']:.2f} ms, without {half['without']:.2f} ms, ratio {ratio:.3f} (limit of the page {LIMIT_RATIO})"
    )
    return ratio


if __name__ == "__main__":
    main()

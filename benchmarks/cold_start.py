"""From `streamlit run` to the first page drawn with its table: the desk beside a bare Streamlit app, in turn.

Each round starts both programs anew, bare first in even rounds and second in odd ones, and opens the page in a
fresh browser context. "Drawn" is the moment the table's canvas is on the screen. The desk runs as the demo, that
is, with its sandbox starting beside it: "desk" on a database that exists, "very first" on none, so that tables,
keys and a whole club are made as well.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.served import serving

ROUNDS = 7
LIMIT_RATIO = 2.0
LIMIT_MB = 250
SETTLE_S = 5.0
"""The pause between the last browser and the reading of memory: background work has come to rest by then."""


def main() -> bool:
    """Measure, print, and tell whether the limits hold."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        times: dict[str, list[float]] = {name: [] for name in ("bare", "desk", "very first")}
        memory: dict[str, float] = {}
        once("dashboard.py", _database(folder, "again"), browser)
        for number in range(ROUNDS):
            programs = {
                "bare": ("benchmarks/bare_app.py", {}),
                "desk": ("dashboard.py", _database(folder, "again")),
                "very first": ("dashboard.py", _database(folder, f"new{number}")),
            }
            for name in sorted(programs, reverse=bool(number % 2)):
                script, settings = programs[name]
                seconds, megabytes = once(script, settings, browser, weigh=number == ROUNDS - 1)
                times[name].append(seconds)
                memory[name] = megabytes
        browser.close()
    medians = {name: statistics.median(rounds) for name, rounds in times.items()}
    for name, rounds in times.items():
        ratio = medians[name] / medians["bare"]
        print(
            f"cold start, {name:>10}: median {medians[name]:.2f} s, ratio {ratio:.2f}"
            f"   rounds {' '.join(f'{one:.2f}' for one in rounds)}"
        )
    print(f"idle process: bare {memory['bare']:.0f} MB, desk {memory['desk']:.0f} MB")
    slowest = max(medians["desk"], medians["very first"]) / medians["bare"]
    return slowest <= LIMIT_RATIO and memory["desk"] < LIMIT_MB


def _database(folder: str, name: str) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{folder}/{name}/desk.db"}


def once(script: str, more: dict[str, str], browser: Browser, *, weigh: bool = False) -> tuple[float, float]:
    """Start, open, wait for the table, stop: seconds, and if asked for the resident megabytes afterwards."""
    started = time.monotonic()
    with serving(script, more) as (port, pid):
        context = browser.new_context(viewport={"width": 1360, "height": 900})
        page = context.new_page()
        page.goto(f"http://localhost:{port}/")
        page.wait_for_selector("[data-testid=stDataFrame] canvas", timeout=60_000)
        seconds = time.monotonic() - started
        context.close()
        if weigh:
            time.sleep(SETTLE_S)
        return seconds, psutil.Process(pid).memory_info().rss / 1e6 if weigh else 0.0

"""`/overview` on 100,000 leads: the whole run of the page in the server, asked for the first time and once more.

The leads lie straight in the mirror's tables (`benchmarks.big_mirror`), two years of them. "Cold" is the first time after the
mirror has changed, "warm" the same question again; each also without Streamlit, in brackets. The limits are for
every period. The page runs in this process as the server runs it; what the browser does with it is not in here.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from streamlit.testing.v1 import AppTest

from benchmarks import big_mirror
from desk.desk import Desk, install
from desk.reports import Ask, periods
from desk.settings import PROJECT, load
from tests.support.postgres import programs, running

LEADS = 100_000
ROUNDS = 7
PERIODS = ("30", "180", "365")
COLD_MS, WARM_MS = 700, 150
NOWHERE = {"AMOCRM_API_URL": "http://127.0.0.1:1", "AMOCRM_CLIENT_ID": "id-of-nobody", "AMOCRM_CLIENT_SECRET": "secret-of-nobody"}  # fmt: skip


def main() -> bool:
    """Measure, print, and tell whether the limits hold."""
    good = measure("SQLite")
    if (found := programs()) is None:
        print("overview, PostgreSQL: its programs are not installed")
        return good
    with running(found) as server:
        return measure("PostgreSQL", DATABASE_URL=server.new_database()) and good


def measure(name: str, **more: str) -> bool:
    """Measure a database, every period."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(load({**NOWHERE, **more}, Path(folder)))
        began = time.perf_counter()
        big_mirror.fill(desk.store, leads=LEADS)
        print(f"overview, {name}: {LEADS:,} leads made in {time.perf_counter() - began:.1f} s")
        install(desk)
        kept = [measure_period(name, desk, period) for period in PERIODS]
        install(None)
        desk.close()
    return all(kept)


def measure_period(name: str, desk: Desk, period: str) -> bool:
    app = AppTest.from_file(str(PROJECT / "pages" / "navigation.py"), default_timeout=60).run()
    app = app.switch_page("overview.py").run()
    app.segmented_control(key="overview.period").set_value(period).run()
    assert not app.exception
    today = datetime.now(desk.settings.zone).date()
    ask = Ask(periods.ending_today(period, today), periods.unit_of(periods.ending_today(period, today)))
    cold, warm, cold_bare, warm_bare = [], [], [], []
    for _ in range(ROUNDS):
        _change(desk)
        cold.append(_took(app.run))
        warm.append(_took(app.run))
        _change(desk)
        status = desk.mirror.status()
        cold_bare.append(_took(partial(desk.reports.overview, ask, status)))
        warm_bare.append(_took(partial(desk.reports.overview, ask, status)))
    median = statistics.median
    print(
        f"overview, {name}, {period} days: cold {median(cold):.0f} ms ({median(cold_bare):.0f}), warm {median(warm):.0f} ms"
        f" ({median(warm_bare):.1f}); limits {COLD_MS} and {WARM_MS}"
    )
    return median(cold) < COLD_MS and median(warm) < WARM_MS


def _change(desk: Desk) -> None:
    """Change the mirror's version, like news from AmoCRM."""
    with desk.mirror.rows.changing():
        pass


def _took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()

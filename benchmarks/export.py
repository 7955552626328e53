"""A hundred thousand leads as a file, and whether the desk answers meanwhile.

The file is asked for as the page does it; while its process works, the filter of the leads page is changed again and again,
as the server runs it: a change is the whole run of the page from the choice to the drawn table.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from benchmarks.big_mirror import fill
from desk.desk import Desk, install
from desk.exports import Wanted
from desk.listing import Filter, Sort
from desk.settings import PROJECT, load
from ui.leads.chosen import SHOWN

LEADS = 100_000
LIMIT_S = {"xlsx": 15.0, "csv": 15.0}
LIMIT_P95_S = 0.5
PAUSE_S = 0.3
"""The pause between two changes, as short as a fast person's."""

PERIODS = ("7", "30", "90", "180", "all", "today")


def main() -> bool:
    """Measure, print, and tell whether the limits hold."""
    logging.disable(logging.WARNING)  # Streamlit outside a server warns of it with every widget
    nowhere = {"AMOCRM_API_URL": "http://127.0.0.1:1", "AMOCRM_CLIENT_ID": "nobody", "AMOCRM_CLIENT_SECRET": "nothing"}
    good = True
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(load(nowhere, Path(folder)))
        fill(desk.store, leads=LEADS)
        install(desk)
        for kind, limit_s in LIMIT_S.items():
            good &= measure(desk, kind, limit_s)
        desk.close()
    return good


def measure(desk: Desk, kind: str, limit_s: float) -> bool:
    app = AppTest.from_file(str(PROJECT / "pages" / "navigation.py"), default_timeout=60).run()
    started, took = time.monotonic(), list[float]()
    export_id = desk.exports.ask(kind, Wanted(Filter(), Sort(), SHOWN, "ru"), "")
    while (export := desk.exports.get(export_id)) is not None and export.is_open:
        app.session_state["leads.period"] = PERIODS[len(took) % len(PERIODS)]
        begins = time.monotonic()
        app.run()
        took.append(time.monotonic() - begins)
        time.sleep(PAUSE_S)
    whole_s = time.monotonic() - started
    assert export is not None
    assert export.state == "done", export.reason
    p95 = statistics.quantiles(took, n=20)[-1]
    size = desk.exports.path(export)
    assert size is not None
    print(
        f"export of {export.done:,} leads, {kind}: {whole_s:.1f} s (limit {limit_s:.0f}), {size.stat().st_size / 1e6:.1f} MB; "
        f"{len(took)} filter changes meanwhile, p95 {p95 * 1000:.0f} ms (limit {LIMIT_P95_S * 1000:.0f}); "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return whole_s < limit_s and p95 < LIMIT_P95_S


if __name__ == "__main__":
    sys.exit(0 if main() else 1)

"""A desk as a program of its own, whose clock is moved while it runs: everything that changes meanwhile arrives, and it is said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from store import Store
from tests.desk.mirror.conftest import differences
from tests.desk.mirror.test_clocks import change
from tests.support.desks import KEY, desk_for, settings_for
from tests.support.programs import RunningDesk, until

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
PATIENCE_S = 240.0
"""For what takes half a minute on an idle machine."""

SHIFTS = ("+180m", "-5m", "+2d", "+0")


@pytest.mark.alone
@pytest.mark.skipif(not LIBRARY.exists(), reason="libfaketime is not installed (Debian: apt-get install faketime)")
def test_the_clock_of_a_running_desk_is_moved(few, store_url, tmp_path):
    """By hours and days, there and back: silent changes arrive within a round each time, and readiness tells of each jump."""
    database = {"DATABASE_URL": store_url, "SECRET_KEY": KEY}
    with desk_for(few, tmp_path, **database):
        pass  # connected; the running one finds the pair in the database
    few.config(hook_lose=1.0)
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    faked = {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
             "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}  # fmt: skip
    desk = RunningDesk(tmp_path, settings_for(few, **database, **faked))
    store = Store(store_url)
    mirror = SimpleNamespace(store=store)
    try:
        desk.start()
        until(lambda: differences(mirror, few) == {}, "the first reading", PATIENCE_S)
        jumps = []
        for seed, shift in enumerate(SHIFTS):
            offset.write_text(f"{shift}\n")
            change(few, 1 + 12 * seed)
            until(lambda: differences(mirror, few) == {}, f"what changed after {shift}", PATIENCE_S)
            jumps.append(until(lambda: told(desk, jumps), f"the jump to {shift} to be made good", PATIENCE_S))
        assert [round(one["by_s"] / 60) for one in jumps] == [180, -185, 2885, -2880]
    finally:
        store.close()
        desk.stop()


def told(desk, known):
    """The last jump by readiness, if it is a new one of the machine's clock and made good."""
    jump = requests.get(f"{desk.url}/readyz", timeout=60).json()["clock_jump"]
    is_new = jump is not None and jump["at"] not in [one["at"] for one in known]
    return jump if is_new and jump["made_good_at"] is not None else None

"""No lead is lost and none is doubled, whatever AmoCRM and the power supply do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import postgres

ROOT = Path(__file__).parents[2]
LONG = bool(os.environ.get("DESK_SOAK"))
LEADS, KILLS, SEEDS = (1000, 20, range(1, 11)) if LONG else (40, 3, (1,))

pytestmark = [pytest.mark.browser, pytest.mark.slow]


TWO_DESKS = ["--desks", "2", "--postgresql", "--freezes", "6" if LONG else "1", "--frozen-s", "60" if LONG else "10"]


@pytest.mark.parametrize(
    ("seed", "more"),
    [*((seed, []) for seed in SEEDS), *((seed, TWO_DESKS) for seed in SEEDS if LONG or postgres.programs())],
)
def test_every_accepted_lead_arrives_exactly_once(seed, more):
    """Half by form, half over HTTP, AmoCRM cutting, refusing, lying and lagging, the desk killed: 0 lost, 0 doubled.

    Once one desk on SQLite, once two on one PostgreSQL, of which one also stands still for a minute.
    """
    arguments = ["--leads", str(LEADS), "--kills", str(KILLS), "--seed", str(seed), *more]
    # A program of its own: it drives a browser, and so may the tests before it in this one.
    ran = subprocess.run(
        [sys.executable, "-m", "tests.oracle", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=3600, check=False,
    )  # fmt: skip
    assert ran.stdout, ran.stderr
    result = json.loads(ran.stdout.splitlines()[-1])
    print(result)
    assert result["lost"] == []
    assert result["doubled"] == []
    assert result["kills"] == KILLS
    assert result["by_form"] > 0
    assert result["over_http"] == LEADS - LEADS // 2

"""A desk whose mirror is filled from the sandbox, its whole history read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import big_mirror
from desk.desk import Desk
from sandbox.process import Sandbox, running_sandbox
from tests.desk.mirror.conftest import fill
from tests.support.desks import KEY, desk_for

LEADS = 300


@pytest.fixture(scope="session")
def reports_box() -> Iterator[Sandbox]:
    with running_sandbox(leads=LEADS, rps=1000) as running:
        yield running


@pytest.fixture
def box(reports_box: Sandbox) -> Sandbox:
    reports_box.reset(leads=LEADS)
    return reports_box


@pytest.fixture
def filled(box: Sandbox, store_url: str, tmp_path) -> Iterator[Desk]:
    """Once on SQLite and once on PostgreSQL."""
    with desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY, AMOCRM_MAX_RPS="7") as desk:
        fill(desk)
        while desk.mirror.status().history_back_to is not None:
            desk.mirror.look_after()
        yield desk


@pytest.fixture
def made(box: Sandbox, tmp_path) -> Iterator[Desk]:
    """A desk that asks nobody, with a small made-up club in its mirror."""
    with desk_for(box, tmp_path, connected=False, SECRET_KEY=KEY) as desk:
        big_mirror.fill(desk.store, leads=60, contacts=40)
        yield desk

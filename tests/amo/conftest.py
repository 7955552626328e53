"""A desk's client over a real socket to the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.desk import Desk
from sandbox.testing import Sandbox, running_sandbox
from tests.desks import desk_for


@pytest.fixture(scope="session")
def shared_box() -> Iterator[Sandbox]:
    with running_sandbox(leads=60, rps=1000) as running:
        yield running


@pytest.fixture
def box(shared_box: Sandbox) -> Sandbox:
    """The sandbox as new."""
    shared_box.clear_faults()
    shared_box.reset(leads=60)
    return shared_box


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    """A connected desk whose requests are not slowed down by the pace."""
    with desk_for(box, tmp_path, AMOCRM_MAX_RPS="7") as opened:
        yield opened

"""The desk over the sandbox, for what it decides and does."""

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
def connected(box: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    """A connected desk."""
    with desk_for(box, tmp_path) as opened:
        yield opened


@pytest.fixture
def unconnected(box: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    """A desk nobody has connected yet."""
    with desk_for(box, tmp_path, connected=False) as opened:
        yield opened

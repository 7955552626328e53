"""A desk's client over a real socket to the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desk.desk import Desk
from sandbox.process import Sandbox
from tests.support.desks import desk_for


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    """A connected desk whose requests are not slowed down by the pace."""
    with desk_for(box, tmp_path, AMOCRM_MAX_RPS="7") as opened:
        yield opened

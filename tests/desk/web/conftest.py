"""A desk whose AmoCRM is nowhere, and callers of it: on this machine and from elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from desk.desk import Desk
from desk.intake.pace import Pace
from desk.settings import load
from desk.web.api import build
from desk.web.routes import routes
from tests.support.databases import put_ready
from tests.support.programs import LOCAL, LOCAL_KEY

ADMIN, INTAKE = "admin-key-0123456789", "intake-key-0123456789"
NOWHERE = {
    "AMOCRM_API_URL": "http://127.0.0.1:1",
    "AMOCRM_CLIENT_ID": "id-of-nobody",
    "AMOCRM_CLIENT_SECRET": "secret-of-nobody",
    "LOCAL_KEY": LOCAL_KEY,
}


def open_desk(tmp_path: Path, **settings: str) -> Desk:
    if "DATABASE_URL" not in settings:
        put_ready(tmp_path / "data" / "desk.db")
    return Desk(load(NOWHERE | settings, tmp_path))


def app_of(desk: Desk, pace: Pace | None = None) -> Starlette:
    """What the server serves besides the pages; with another pace, the API alone."""
    return Starlette(routes=[Mount("/api", build(lambda: desk, pace))] if pace else routes(lambda: desk))


def client_of(
    desk: Desk, peer: str = "127.0.0.1", host: str = "localhost:8501", pace: Pace | None = None
) -> TestClient:
    """A caller; the usual one is a program on this machine that proves to be there."""
    app, shown = app_of(desk, pace), LOCAL if peer == "127.0.0.1" else {}
    return TestClient(app, base_url=f"http://{host}", client=(peer, 50000), follow_redirects=False, headers=shown)


def no_hurry() -> Pace:
    """A pace at which nobody is ever too fast: an hour passes between any two requests."""
    return Pace(itertools.count(step=3600).__next__)


def standing() -> Pace:
    """A pace whose clock stands still: no bucket fills again, however long a machine takes for the requests."""
    return Pace(lambda: 0.0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = open_desk(tmp_path, ADMIN_API_KEY=ADMIN, INTAKE_API_KEY=INTAKE)
    yield opened
    opened.close()


@pytest.fixture
def local(desk: Desk) -> TestClient:
    """A caller on this machine."""
    return client_of(desk)


@pytest.fixture
def remote(desk: Desk) -> TestClient:
    """A caller from elsewhere."""
    return client_of(desk, peer="10.1.2.3", host="desk.example.com")


@pytest.fixture
def unhurried(desk: Desk) -> TestClient:
    """A caller on this machine whom no limit holds up."""
    return client_of(desk, pace=no_hurry())


@pytest.fixture
def standing_remote(desk: Desk) -> TestClient:
    """A caller from elsewhere, for whom no time passes."""
    return client_of(desk, peer="10.1.2.3", host="desk.example.com", pace=standing())

"""What every test may use: both databases, a desk without a network, the sandbox as a running program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from desk.desk import Desk
from sandbox.process import Sandbox, running_sandbox
from store import Store
from tests.support import databases, postgres
from tests.support.desks import desk_for

for name in [name for name in os.environ if name.startswith(("AMOCRM_", "INTAKE_"))]:
    del os.environ[name]  # whoever runs the tests may have a real account configured; no test may ever touch it

# The same examples every time: a test that fails by luck is no test. `make soak` searches further.
settings.register_profile("desk", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "desk"))


LONG = (
    "tests/oracle/",
    "tests/browser/",
    "tests/proxies/",
    "tests/desk/web/test_openapi",
    "tests/desk/mirror/",
    "tests/desk/delivery/",
)
"""Files that take minutes begin first: `make test` hands whole files to its workers, and a long one at the end leaves the others idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first, in the order of `LONG`; the order within a file stays."""
    places = {item.nodeid.partition("::")[0]: len(LONG) for item in items}
    for path in places:
        places[path] = next((place for place, start in enumerate(LONG) if path.startswith(start)), len(LONG))
    items.sort(key=lambda item: places[item.nodeid.partition("::")[0]])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL of this test run's own, or a skip that says what is missing."""
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed (Debian: apt-get install postgresql)")
    with postgres.running(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with its tables and without rows: the same test runs on both kinds."""
    if request.param == "sqlite":
        databases.put_ready(tmp_path / "desk.db")
        return f"sqlite:///{tmp_path}/desk.db"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.ready_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table, on both kinds: for tests of the steps that make them."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/desk.db"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An upgraded database, on both kinds."""
    opened = Store(store_url)
    opened.upgrade()
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An upgraded SQLite database, for tests to which the kind does not matter."""
    databases.put_ready(tmp_path / "desk.db")
    opened = Store(f"sqlite:///{tmp_path}/desk.db")
    opened.upgrade()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared_box() -> Iterator[Sandbox]:
    with running_sandbox(leads=60, rps=1000) as running:
        yield running


@pytest.fixture
def box(shared_box: Sandbox) -> Sandbox:
    """The sandbox as new."""
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

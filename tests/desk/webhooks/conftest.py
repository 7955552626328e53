"""A desk that the sandbox can call: its routes on a real socket, its mirror kept by the product's own keeper."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from desk.desk import Desk
from desk.web.routes import routes
from sandbox.process import Sandbox, running_sandbox
from store.tables import mirror_walks
from tests.desk.mirror.conftest import fill
from tests.support.desks import KEY, desk_for
from tests.support.programs import until

CLUB = 120


@pytest.fixture(scope="session")
def club() -> Iterator[Sandbox]:
    with running_sandbox(leads=CLUB, rps=1000) as running:
        yield running


@pytest.fixture
def box(club: Sandbox) -> Sandbox:
    """The sandbox as new; AmoCRM repeats a hook after a fraction of a second instead of minutes."""
    club.reset(leads=CLUB)
    club.config(
        hook_time_scale=0.001, hook_lose=0, hook_duplicate=0, hook_reorder=False, hook_hold=False, hook_delay_s=0,
        refresh_mode="grace",
    )  # fmt: skip
    return club


@contextmanager
def called(desk: Desk, listener: socket.socket) -> Iterator[None]:
    """Serve the desk's routes on a socket that listens already."""
    app = Starlette(routes=routes(lambda: desk))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started, "the server")
        yield
    finally:
        server.should_exit = True
        thread.join(120)


def no_rounds(desk: Desk) -> None:
    """The periodic readings are far away: what comes now comes by hooks."""
    with desk.store.write() as db:
        db.execute(mirror_walks.update().where(mirror_walks.c.name != "keeper").values(due_at=2**40, waits_from=0.0))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(64)
        yield bound


@pytest.fixture
def desk(box: Sandbox, store_url: str, tmp_path, listener: socket.socket) -> Iterator[Desk]:
    """A connected desk whose address the sandbox can reach; nobody serves it yet."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    more = {"DATABASE_URL": store_url, "SECRET_KEY": KEY, "AMOCRM_MAX_RPS": "7", "BASE_URL": url}
    with desk_for(box, tmp_path, **more) as opened:
        yield opened


@pytest.fixture
def live(desk: Desk, listener: socket.socket) -> Iterator[Desk]:
    """The same at work: subscribed, served, its mirror filled and kept; the rounds are far away."""
    fill(desk)
    desk.mirror.look_after()
    no_rounds(desk)
    desk.webhooks.keep()
    with called(desk, listener):
        desk.mirror.start()
        yield desk
        desk.mirror.stop()

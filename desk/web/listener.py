"""The public listener: a port of its own for public addresses, so that a proxy never stands before the pages.

The same application answers there, and the gate knows by which port somebody came (`desk.web.proof.Public`): intake, AmoCRM's
redirect and hooks, health, and nothing else, whatever the request looks like. Live connections are not spoken there.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from crm.errors import SetupError
from desk.web.connections import QUEUE, Room, line_of, queue
from desk.web.gate import App
from desk.web.proof import Public

FAREWELL_S = 5
"""How long a stop waits for answers under way."""

log = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises `SetupError("public_listen_taken")`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP because asyncio turns Nagle's delay off only for sockets that say so.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SetupError("public_listen_taken") from error
    return bound


class Listener:
    """One port, served from `start` to `stop` in the event loop of the caller."""

    def __init__(self, app: App, bound: socket.socket, room: Room) -> None:
        """`room`: shared with the port of the pages."""
        config = uvicorn.Config(
            Public(app),
            http=line_of(room, is_public=True),
            lifespan="off",
            ws="none",
            proxy_headers=False,  # who is believed says TRUSTED_PROXIES
            server_header=False,
            access_log=False,
            log_config=None,
            backlog=min(QUEUE, room.at_a_time),
            timeout_graceful_shutdown=FAREWELL_S,
        )
        self._server, self._bound = _Quiet(config), bound
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        host, port = self._bound.getsockname()[:2]
        log.info("what is public is served on %s, port %s", host, port)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._bound]), name="public-listener")

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._bound.close()


class _Quiet(uvicorn.Server):
    """A server inside another's process: signals are the other's business."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        queue(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

"""Starting, serving and stopping: the process around the world. The command line is `__main__.py`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from sandbox.cut import Protocol
from sandbox.journey import Journey
from sandbox.options import BadOption, Options
from sandbox.strangers import Strangers
from sandbox.world import World

BACKLOG = 1024
KEEP_ALIVE_S = 75
"""nginx's own; uvicorn's 5 s would close connections that clients still believe in."""

MOST_HEAD = 128 * 1024
"""Bytes of a request's line and headers. Above the size that `journey.py` refuses with a page of its own."""

FAREWELL_S = 1
"""How long a stop waits for answers under way."""


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, or `BadOption` with the reason."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay off only for sockets that say they are TCP; with it on,
    # every answer on a kept connection would wait 40 ms for the client's acknowledgement.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise BadOption(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return sock


class Server(uvicorn.Server):
    """uvicorn's server, which tells its readiness, can open another port, and hurries when told to stop."""

    def __init__(self, config: uvicorn.Config, world: World, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self.world = world
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then say so."""
        await super().startup(sockets=sockets)
        loop = asyncio.get_running_loop()
        self._courier = asyncio.ensure_future(self.world.courier.run())
        self.world.open_port = lambda: asyncio.run_coroutine_threadsafe(self._open_port(), loop).result()
        self._announce()

    async def _open_port(self) -> int:
        """One more port for the same account: where a renamed account lives from then on."""
        sock = listen(self.config.host, 0)

        def protocol() -> asyncio.Protocol:
            return Protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

        self.servers.append(await asyncio.get_running_loop().create_server(protocol, sock=sock, backlog=BACKLOG))
        return sock.getsockname()[1]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, without waiting for idle connections."""
        self._courier.cancel()
        await super().shutdown(sockets=sockets)


def serve(options: Options, *, exit_with_parent: bool = False, announce: Callable[[dict[str, Any]], None]) -> None:
    """Run a sandbox until SIGTERM, SIGINT or, if wanted, the end of stdin. `announce` gets the ready line's content."""
    # uvicorn puts back the handlers it found and raises the signal again when it is done: so this one ends the process
    # with everything closed and code 0.
    signal.signal(signal.SIGTERM, _leave)
    if exit_with_parent:
        threading.Thread(target=_stop_at_end_of_stdin, daemon=True).start()
    sock = listen(options.host, options.port)
    world = World(options)
    world.portal_port = world.account_port = sock.getsockname()[1]
    world.open()
    config = uvicorn.Config(
        Strangers(Journey(world), options.host),
        host=options.host,
        http=Protocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,  # AmoCRM's own clock dates its answers, and a switch moves it
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        h11_max_incomplete_event_size=MOST_HEAD,
        timeout_graceful_shutdown=FAREWELL_S,
    )
    server = Server(config, world, lambda: announce(ready(world)))
    try:
        server.run(sockets=[sock])
    finally:
        world.close()


def ready(world: World) -> dict[str, Any]:
    """The content of the ready line."""
    options = world.options
    return {
        "ready": True,
        "url": world.url_at(world.portal_port),
        "client_id": options.client_id,
        "redirect_uri": options.redirect_uri,
        "leads": world.store.value("SELECT count(*) FROM leads"),
        "pid": os.getpid(),
    }


def print_ready(content: dict[str, Any]) -> None:
    """One JSON line on stdout, at once."""
    print(json.dumps(content), flush=True)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _stop_at_end_of_stdin() -> None:
    """End with the parent process, which holds the other end of stdin: a dead parent's end closes."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass  # no stdin at all is an ended one
    os.kill(os.getpid(), signal.SIGTERM)

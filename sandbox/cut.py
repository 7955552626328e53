"""Breaking the connection under a client: the one place that touches the server's sockets.

uvicorn hides the socket from applications, rightly. `Protocol` hands it down in the request's `state`, and the
functions here do with it what a dying server or a bad line does.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Literal

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

STATE_KEY = "transport"
How = Literal["close", "reset"]

NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER with zero seconds: closing sends RST instead of FIN."""


class Protocol(H11Protocol):
    """uvicorn's own protocol; requests carry the transport of their arrival."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected. `app_state` is copied into every request's scope by uvicorn."""
        self.app_state = {**self.app_state, STATE_KEY: transport}
        super().connection_made(transport)


def write(scope: Scope, data: bytes) -> None:
    """Put bytes on the line behind the server's back."""
    transport: Any = scope["state"][STATE_KEY]
    if data and not transport.is_closing():
        transport.write(data)


def has_gone(scope: Scope) -> bool:
    """Whether the connection is over already."""
    transport: Any = scope["state"][STATE_KEY]
    return bool(transport.is_closing())


async def cut(scope: Scope, receive: Receive, how: How) -> None:
    """End the connection; bytes written before still leave with `close`, and are lost with `reset`."""
    transport: Any = scope["state"][STATE_KEY]
    if how == "reset":
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()
    else:
        transport.close()
    # uvicorn answers 500 for an application that says nothing, unless it knows that the client is gone. It learns
    # that when the loop runs the transport's farewell, and then receives "http.disconnect".
    while (await receive())["type"] != "http.disconnect":
        pass

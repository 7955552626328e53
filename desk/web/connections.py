"""The open connections: how long a request may take to come, how many are open at once, and which of their errors are logged.

uvicorn waits for the rest of a head or a body, and for whoever does not read an answer, as long as it takes, and lets connections
in until no file handle is left for anything. `Line` is its protocol with deadlines; `Room` says how many there may be, and who
goes where a newcomer finds none free: whoever has kept the desk waiting longest. So a request that comes whole always gets in.

Streamlit makes its server by itself and has no setting for any of this: `keep` hands `Line` to it as it starts. This file is the
only one that knows names inside uvicorn; `tests/desk/web/test_connections.py` notices when they change.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from desk.web.sockets import Calm

HEAD_S = 10.0
"""From a connection's beginning, or from the first byte of a later request, until its head is whole. Heads come in one piece."""

BODY_S = 12.0
"""From the head until the body is whole. A little longer than `desk.web.body.ARRIVAL_S`, which answers in the intake's words."""

STALL_S = 30.0
"""Seconds until the reader of an answer has to have read some more."""

FILES_WANTED = 65_536
"""File handles the desk asks for, as far as the machine allows. Services usually begin with 1,024."""

FILES_KEPT = 256
"""Handles that connections leave to the database, AmoCRM, exports, modules. A desk at work has some fifty."""

MOST_CONNECTIONS = 4_096
"""Connections at once, however many handles there are: each connection may hold a head of 16 KB and a body of 64 KB."""

FEWEST_FILES = 256
"""Supposed where the system does not tell."""

FOR_PAGES = 4
"""One connection in so many is not for the public listener, so that its visitors never fill the room of the pages."""

QUEUE = 2_048
"""Connections that the system holds ready until they are accepted. asyncio takes one number for this and for how many it accepts
in one go."""

NO_HANDLES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""Errors of accepting a connection while the process or the system has no more handles to give."""

IDLE, HEAD, BODY, ANSWER, STALLED, CLOSING = "idle", "head", "body", "answer", "stalled", "closing"
"""The state of a connection, by the next event: a request, the rest of a head or a body, the desk, a reader, its end."""

LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
FULL = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\ncontent-length: 0\r\n\r\n"

ANYBODYS = (
    "Invalid HTTP request",
    "Unsupported upgrade request",
    "No supported WebSocket library",
    '%s - "WebSocket',
    "connection ",
)
"""Beginnings of log lines that any stranger's request makes the server write."""

log = logging.getLogger(__name__)
log.addFilter(Calm(at_once=1))


def raise_files() -> int:
    """Raise this process's limit of file handles as far as allowed and useful; return the limit that holds then."""
    with suppress(ImportError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
        if soft == resource.RLIM_INFINITY:
            return FILES_WANTED
        if soft < most:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
                return most
        return soft
    return FEWEST_FILES


def most_connections(files: int) -> int:
    """How many connections may be open at once, of so many file handles."""
    return min(MOST_CONNECTIONS, max(files - FILES_KEPT, files // 2))


def most_at_a_time(files: int) -> int:
    """How many connections may be accepted in one go. Some three rounds of the loop pass, on each of two
    ports, until a connection is counted and another's handle is free."""
    return max(1, (files - most_connections(files)) // 8)


class Room:
    """The open connections of one process, and those that keep the process waiting, longest first. For its event loop alone."""

    def __init__(self, files: int) -> None:
        """`files`: the limit of file handles."""
        self.most, self.at_a_time = most_connections(files), most_at_a_time(files)
        self._most_public = self.most - self.most // FOR_PAGES
        self._open: dict[bool, set[Any]] = {}  # by whether it is the public listener's: uvicorn's own sets
        self._waiting: dict[bool, dict[Line, None]] = {False: {}, True: {}}  # the longest first

    @property
    def count(self) -> int:
        """The number of open connections, live connections included."""
        return sum(map(len, self._open.values()))

    def enter(self, line: Line) -> bool:
        """Count a connection that has just begun, and make room if the desk is full. False if no room can be made."""
        self._open[line.is_public] = line.connections
        is_full = self.count > self.most or (line.is_public and len(line.connections) > self._most_public)
        return not is_full or self.send_away(*(True,) if line.is_public else (True, False))

    def wait(self, line: Line) -> None:
        """Put a connection at the end of the waiting list, behind all that have kept the desk waiting longer."""
        self.leave(line)
        self._waiting[line.is_public][line] = None

    def leave(self, line: Line) -> None:
        """Take a connection off the waiting list: the desk works for it, or it is gone."""
        self._waiting[line.is_public].pop(line, None)

    def send_away(self, *kinds: bool) -> bool:
        """End the connection that has kept the desk waiting longest, a public one first; whether there was any."""
        for is_public in kinds or (True, False):
            for line in self._waiting[is_public]:
                self.leave(line)
                log.warning("as many connections as the desk can take are open: those that wait longest are closed")
                line.give_up(FULL)
                return True
        return False


class Line(H11Protocol):
    """A connection of uvicorn's, with a deadline for every wait. Live connections leave this class once they are open."""

    def __init__(
        self,
        *args: Any,
        room: Room,
        is_public: bool = False,
        head_s: float = HEAD_S,
        body_s: float = BODY_S,
        stall_s: float = STALL_S,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.is_public, self._room = is_public, room
        self._patience_s = {IDLE: head_s, HEAD: head_s, BODY: body_s, STALLED: stall_s, CLOSING: stall_s}
        self._has_begun = True  # somebody who connects means to ask something
        self._watched: tuple[str, object] | None = None
        self._is_lost = False
        self._unread = 0  # bytes of answers that the other side has not read, as the deadline began
        self._timer: asyncio.TimerHandle | None = None

    # uvicorn's and asyncio's calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._room.enter(self):
            log.warning("as many connections as the desk can take are at work: new ones are turned away")
            transport.write(FULL)
            transport.close()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._has_begun = True
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        self._has_begun = False
        super().on_response_complete()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch()

    def shutdown(self) -> None:
        super().shutdown()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        super().handle_websocket_upgrade(event)
        self._forget()

    # Our own

    def give_up(self, answer: bytes) -> None:
        """End a connection: with `answer` if part of a request has come and no answer has begun."""
        phase = self._phase()
        if phase in (STALLED, CLOSING):
            self.transport.abort()
            return
        if (phase == HEAD and self.conn.trailing_data[0]) or (phase == BODY and not self.cycle.response_started):
            self.transport.write(answer)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()
        self._watch()

    def _phase(self) -> str:
        if self.transport.is_closing():
            return CLOSING
        if self.conn.their_state is h11.IDLE:
            return HEAD if self._has_begun else IDLE
        if self.conn.their_state is h11.SEND_BODY:
            return BODY
        return STALLED if self.flow.write_paused else ANSWER

    def _watch(self) -> None:
        """Begin a deadline if the connection waits for another event than before."""
        if self._is_lost or self.transport.get_protocol() is not self:
            return  # the second: it is a live connection's now
        phase = self._phase()
        watched = (phase, self.cycle)
        if watched == self._watched:
            return
        self._forget()
        self._watched = watched
        if phase != ANSWER:
            self._room.wait(self)
            self._begin(phase)

    def _begin(self, phase: str) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._timer = self.loop.call_later(self._patience_s[phase], self._over, phase)

    def _over(self, phase: str) -> None:
        """Act on a passed deadline. A reader who is slow, and reads, gets a new deadline."""
        if phase in (STALLED, CLOSING) and self.transport.get_write_buffer_size() < self._unread:
            self._begin(phase)
            return
        if phase in (HEAD, BODY):
            log.warning("a request did not come whole in time: its connection is closed")
        self.give_up(LATE)

    def _forget(self) -> None:
        """Drop the connection's deadline, and its place on the waiting list."""
        self._watched = None
        self._room.leave(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def keep(room: Room) -> None:
    """Let every server of this process that is given no protocol of its own, Streamlit's that is, keep its connections in `room`."""
    uvicorn.server.logger.addFilter(Calm(about=ANYBODYS))
    start = uvicorn.Server.startup

    async def startup(self: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        is_free = isinstance(self.config.http, str)
        if is_free:
            self.config.http_protocol_class = line_of(room)
            self.config.backlog = min(self.config.backlog, room.at_a_time)
            hear_of_handles(asyncio.get_running_loop(), room)
        await start(self, sockets)
        if is_free:
            queue(sockets)

    uvicorn.Server.startup = startup  # type: ignore[method-assign]


def queue(sockets: list[socket.socket] | None) -> None:
    """Let the system hold many connections ready, however few are accepted in one go. For sockets that are served already."""
    for one in sockets or ():
        one.listen(QUEUE)


def line_of(room: Room, *, is_public: bool = False, **patience: float) -> type[asyncio.Protocol]:
    """Return uvicorn's maker of connections. `patience`: deadlines other than the usual."""
    return partial(Line, room=room, is_public=is_public, **patience)  # type: ignore[return-value]


def hear_of_handles(loop: asyncio.AbstractEventLoop, room: Room) -> None:
    """Tell the log in a line that no connection can be accepted, which asyncio tells by a traceback for each try; and make room."""
    before: Callable[..., object] | None = loop.get_exception_handler()

    def hear(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in NO_HANDLES and "socket" in context:
            log.error("no new connection can be accepted: %s", errno.errorcode[error.errno])
            room.send_away()
        elif before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(hear)

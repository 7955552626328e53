"""Connections that keep the desk waiting, on a real server with short deadlines; and what uvicorn has to be for that."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import h11
import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from websockets.sync.client import connect

from desk.settings import PROJECT
from desk.web import connections
from desk.web.body import ARRIVAL_S
from desk.web.connections import (  # fmt: skip
    BODY_S,
    FILES_KEPT,
    FULL,
    LATE,
    MOST_CONNECTIONS,
    Room,
    hear_of_handles,
    keep,
    line_of,
    most_at_a_time,
    most_connections,
)
from desk.web.sockets import TOLD_AT_ONCE
from tests.support.loops import in_a_loop
from tests.support.programs import until

SHORT_S, NEVER_S = 0.3, 3600.0
QUICK = {"head_s": SHORT_S, "body_s": SHORT_S, "stall_s": SHORT_S}
PATIENT = {"head_s": NEVER_S, "body_s": NEVER_S, "stall_s": NEVER_S}

BIG = 32 * 1024 * 1024
"""Bytes of an answer that no socket's buffer holds."""

HALF_HEAD = b"GET /slow HTTP/1.1\r\nHost: desk\r\nX-Half"
HALF_BODY = b"POST /read HTTP/1.1\r\nHost: desk\r\nContent-Length: 1000\r\n\r\n{"
WHOLE = b"GET /whole HTTP/1.1\r\nHost: desk\r\n\r\n"


class Server:
    """uvicorn with an application that reads, does not read, or answers a lot, as the address says."""

    def __init__(self, http: type[asyncio.Protocol] | str, **config: object) -> None:
        self.heard: list[str] = []
        self.server = uvicorn.Server(
            uvicorn.Config(
                self._app,
                http=http,  # type: ignore[arg-type]
                interface="asgi3",
                lifespan="off",
                log_config=None,
                timeout_keep_alive=3600,
                **config,  # type: ignore[arg-type]
            )
        )
        self._bound = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._bound.getsockname()[1])
        self._thread = threading.Thread(target=self.server.run, args=([self._bound],), daemon=True)
        self._thread.start()
        until(lambda: self.server.started, "the server")

    def stop(self) -> None:
        self.server.should_exit = self.server.force_exit = True
        self._thread.join(60)
        self._bound.close()

    def line(self, data: bytes = b"") -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        line.sendall(data)
        return line

    async def _app(self, scope, receive, send) -> None:
        if scope["type"] == "websocket":
            await self._echo(receive, send)
            return
        while scope["path"] == "/read":
            message = await receive()
            self.heard.append(message["type"])
            if message["type"] == "http.disconnect":
                return
            if not message["more_body"]:
                break
        body = bytes(BIG) if scope["path"] == "/big" else b"ok"
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _echo(self, receive, send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})


@contextmanager
def serving(room: Room, *, is_public: bool = False, **patience: float) -> Iterator[Server]:
    server = Server(line_of(room, is_public=is_public, **(QUICK | patience)), ws="websockets-sansio")
    try:
        yield server
    finally:
        server.stop()


def rest(line: socket.socket) -> bytes:
    """What is said until the other side ends the connection."""
    said = b""
    with line, suppress(ConnectionResetError):
        while chunk := line.recv(65536):
            said += chunk
    return said


def answer(line: socket.socket) -> bytes:
    """One answer of our application."""
    said = b""
    while not said.endswith(b"ok"):
        chunk = line.recv(65536)
        assert chunk, said
        said += chunk
    return said


def test_half_a_head_is_ended():
    """It hears 408; who says nothing at all is let go without a word."""
    with serving(Room(1024)) as server:
        assert rest(server.line(HALF_HEAD)) == LATE
        assert rest(server.line()) == b""


def test_half_a_body_is_ended():
    """Whoever sends it hears 408, and the application that it is gone."""
    with serving(Room(1024), head_s=NEVER_S) as server:
        assert rest(server.line(HALF_BODY)) == LATE
        until(lambda: "http.disconnect" in server.heard, "the application to hear of it")


@pytest.mark.parametrize("begun", [b"", WHOLE], ids=["the first request", "a later one"])
def test_a_drip_buys_no_time(begun):
    """Bytes that come one at a time do not move the deadline, in a head, in a body, or after an early answer."""
    with serving(Room(1024)) as server:
        for said in (HALF_HEAD, HALF_BODY, HALF_BODY.replace(b"/read", b"/unread")):
            line = server.line(begun)
            if begun:
                answer(line)
            line.sendall(said)
            until(lambda line=line: _is_ended(line), "the end of a drip")
            line.close()


def _is_ended(line: socket.socket) -> bool:
    try:
        line.sendall(b"x")
        line.settimeout(0.01)
        return line.recv(65536) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_a_head_after_a_pause_has_all_its_time():
    """A kept connection is idle as long as uvicorn lets it; the deadline of the next head begins with its first byte."""
    with serving(Room(1024), head_s=NEVER_S, body_s=NEVER_S) as server:
        line = server.line(WHOLE)
        answer(line)
        (kept,) = server.server.server_state.connections
        until(lambda: kept._watched[0] == connections.IDLE, "the connection to be idle")
        line.sendall(b"G")
        until(lambda: kept._watched[0] == connections.HEAD, "the server to hear the first byte")
        line.sendall(WHOLE[1:])
        answer(line)
        line.close()


def test_who_does_not_read_is_ended():
    """An answer that nobody reads ends with its connection, and nothing of it stays."""
    room = Room(1024)
    with serving(room) as server:
        line = server.line(WHOLE.replace(b"/whole", b"/big"))
        until(lambda: room.count == 1, "the connection")
        until(lambda: room.count == 0, "the end of one who does not read")
        assert not any(room._waiting.values())
        line.close()


def test_who_reads_slowly_is_not():
    """The deadline of a reader begins anew as long as something has been read in it."""

    async def one_who_reads() -> tuple[list[str], bool]:
        server = uvicorn.Server(uvicorn.Config(lambda: None, lifespan="off", log_config=None))
        server.config.load()
        room, transport = Room(1024), Transport()
        line = line_of(room, **PATIENT)(config=server.config, server_state=server.server_state, app_state={})  # type: ignore[call-arg]
        transport.protocol = line
        line.connection_made(transport)
        transport.size = 1000
        transport.close()
        line.shutdown()
        for size in (900, 100, 100):
            transport.size = size
            line._over(connections.CLOSING)
        line.connection_lost(None)
        return transport.calls, not any(room._waiting.values())

    assert in_a_loop(one_who_reads) == (["close", "close", "abort", "close"], True)


class Transport:
    """What a protocol writes to, and how much of it is not read yet."""

    def __init__(self) -> None:
        self.size, self.calls, self.protocol = 0, [], None

    def get_extra_info(self, name: str) -> None:
        return None

    def get_protocol(self) -> object:
        return self.protocol

    def get_write_buffer_size(self) -> int:
        return self.size

    def is_closing(self) -> bool:
        return bool(self.calls)

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


def test_a_live_connection_stays():
    """A WebSocket outlives every deadline of heads and bodies, and is counted until it is closed."""
    room = Room(1024)
    with serving(room) as server:
        with connect(f"ws://127.0.0.1:{server.port}/live") as live:
            assert rest(server.line(HALF_HEAD)) == LATE
            assert rest(server.line(HALF_BODY)) == LATE
            live.send("still here?")
            assert live.recv(60) == "still here?"
            assert room.count == 1
            assert not any(room._waiting.values())
        until(lambda: room.count == 0, "the live connection to be gone")


@pytest.mark.parametrize(
    ("half", "has_come"),
    [
        (HALF_HEAD, lambda line: line.conn.trailing_data[0] == HALF_HEAD),
        (HALF_BODY, lambda line: line._watched[0] == connections.BODY),
    ],
    ids=["heads", "bodies"],
)
def test_a_newcomer_always_gets_in(half, has_come):
    """Where no room is left, whoever has waited longest is closed, and the one who comes is served."""
    room = Room(connections.FEWEST_FILES)
    with serving(room, **PATIENT) as server:
        lines = [server.line(half) for _ in range(room.most)]
        until(lambda: room.count == room.most, "a full house")
        until(lambda: all(map(has_come, list(server.server.server_state.connections))), "all of them to wait")
        for _ in range(3):
            with server.line(WHOLE) as line:
                assert b"200 OK" in answer(line)
        assert room.count <= room.most
        assert rest(lines[0]) == FULL
        for line in lines:
            line.close()


def test_who_is_being_answered_is_not_sent_away():
    """Where nobody can be sent away the newcomer is: at once, and with a word."""
    room = Room(connections.FEWEST_FILES)
    with serving(room, **PATIENT) as server, ExitStack() as opened:
        lives = [opened.enter_context(connect(f"ws://127.0.0.1:{server.port}/live")) for _ in range(room.most)]
        assert rest(server.line(WHOLE)) in (
            FULL,
            b"",
        )  # its request is not read any more, which may cost it the answer
        lives[0].send("still here?")
        assert lives[0].recv(60) == "still here?"


def test_the_public_ones_leave_room_for_pages():
    """The public listener's connections never fill a quarter of the room, and are the first to go for a page."""
    room = Room(connections.FEWEST_FILES)
    with serving(room, is_public=True, **PATIENT) as public:
        lines = [public.line(HALF_BODY) for _ in range(room.most)]
        with public.line(WHOLE) as line:
            answer(line)
        until(lambda: room.count <= room.most - room.most // 4, "the first to be sent away")
        assert rest(lines[0]) in (FULL, b"")
        for line in lines:
            line.close()
    one = Room(connections.FEWEST_FILES)
    gone: list[str] = []
    for name, is_public in (("a page", False), ("a visitor", True), ("another page", False)):
        one.wait(_Waiting(name, is_public, gone))  # type: ignore[arg-type]
    assert one.send_away(True)
    assert not one.send_away(True)
    assert one.send_away(True, False)
    assert gone == ["a visitor", "a page"]


class _Waiting:
    def __init__(self, name: str, is_public: bool, gone: list[str]) -> None:
        self.name, self.is_public, self.gone = name, is_public, gone

    def give_up(self, _: bytes) -> None:
        self.gone.append(self.name)


@pytest.mark.parametrize(
    ("files", "most"),
    [
        (64, 32),
        (256, 128),
        (512, 256),
        (1024, 768),
        (4096, 3840),
        (65_536, MOST_CONNECTIONS),
        (1 << 30, MOST_CONNECTIONS),
    ],
)
def test_connections_leave_handles_to_the_rest(files, most):
    """Half of few handles, all but a few hundred of many, and never more than the memory is meant for."""
    assert most_connections(files) == most
    assert 1 <= most_at_a_time(files) * 6 <= max(6, files - most)
    assert most_connections(1024) == 1024 - FILES_KEPT


def test_the_limit_of_handles_is_raised():
    """As far as the machine lets it."""
    code = (
        "import resource as r; from desk.web.connections import raise_files; r.setrlimit(r.RLIMIT_NOFILE, (200, 300));"
        "print(raise_files(), *r.getrlimit(r.RLIMIT_NOFILE), raise_files())"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["300"] * 4


def test_no_handle_is_told_in_a_line(caplog):
    """A thousand tries to accept a connection leave one line and no traceback; what else goes wrong is told as ever."""

    async def in_trouble() -> None:
        loop = asyncio.get_running_loop()
        hear_of_handles(loop, Room(1024))
        for _ in range(1000):
            loop.call_exception_handler(
                {
                    "message": "socket.accept() out of system resource",
                    "exception": OSError(errno.EMFILE, "x"),
                    "socket": 1,
                }
            )
        loop.call_exception_handler({"message": "another fault", "exception": OSError(errno.EMFILE, "x")})

    with caplog.at_level(logging.INFO), _told_anew():
        in_a_loop(in_trouble)
    told = [(record.name, record.getMessage()) for record in caplog.records]
    assert told == [
        ("desk.web.connections", "no new connection can be accepted: EMFILE"),
        ("asyncio", "another fault"),
    ]
    assert [record for record in caplog.records if record.name == "desk.web.connections" and record.exc_info] == []


@contextmanager
def _told_anew() -> Iterator[None]:
    """The log of connections as if nothing had been told yet."""
    (calm,) = connections.log.filters
    before, calm._seen = calm._seen, {}  # type: ignore[union-attr]
    yield
    calm._seen = before  # type: ignore[union-attr]


def test_a_server_that_chose_nothing_gets_it(monkeypatch):
    """uvicorn's own choice of a protocol is replaced as a server starts, as Streamlit's is; a protocol that was named stays."""
    monkeypatch.setattr(uvicorn.Server, "startup", uvicorn.Server.startup)
    keep(Room(1024))
    ours, named = Server("auto"), Server(H11Protocol)
    try:
        with ours.line(WHOLE) as line:
            answer(line)
            assert {type(one).__name__ for one in ours.server.server_state.connections} == {"Line"}
        with named.line(WHOLE) as line:
            answer(line)
            assert {type(one) for one in named.server.server_state.connections} == {H11Protocol}
        assert ours.server.config.backlog == Room(1024).at_a_time
    finally:
        ours.stop()
        named.stop()


def test_strangers_fill_no_log(monkeypatch, caplog):
    """Nonsense, and upgrades that nobody serves, are told a few times and then counted; that uvicorn still says so as it did."""
    monkeypatch.setattr(uvicorn.Server, "startup", uvicorn.Server.startup)
    told = logging.getLogger("uvicorn.error")
    monkeypatch.setattr(told, "filters", [])
    keep(Room(1024))
    upgrade = WHOLE.replace(b"Host", b"Connection: Upgrade\r\nUpgrade: websocket\r\nHost")
    server = Server("auto", ws="none")
    try:
        with caplog.at_level(logging.INFO, "uvicorn.error"), server.line(upgrade) as line:
            answer(line)
            for _ in range(50):
                line.sendall(upgrade)
                answer(line)
                rest(server.line(b"nonsense\r\n\r\n"))
    finally:
        server.stop()
    said = [record.getMessage() for record in caplog.records if record.name == "uvicorn.error"]
    kinds = {text.split()[0]: [one for one in said if one.split()[0] == text.split()[0]] for text in said}
    assert {"Invalid", "Unsupported", "No"} <= set(kinds)
    assert max(map(len, kinds.values())) == TOLD_AT_ONCE


def test_uvicorn_is_what_we_take_it_for():
    """What `Line` uses of uvicorn and h11 is there; the rest of this file shows that it does what it did."""
    used: list[Callable[..., object]] = [
        H11Protocol.connection_made, H11Protocol.connection_lost, H11Protocol.data_received, H11Protocol.on_response_complete,
        H11Protocol.timeout_keep_alive_handler, H11Protocol.shutdown, H11Protocol.pause_writing, H11Protocol.resume_writing,
        H11Protocol.handle_websocket_upgrade,
    ]  # fmt: skip
    assert all(map(callable, used))
    assert h11.Connection(h11.SERVER).their_state is h11.IDLE
    assert h11.SEND_BODY is not h11.DONE


def test_the_intake_answers_before_the_connection_is_ended():
    """Its own deadline for a body is the shorter one."""
    assert ARRIVAL_S < BODY_S

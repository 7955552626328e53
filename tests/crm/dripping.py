"""A server that answers a byte at a time, from any place of an answer on, for as long as it is listened to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

EVERY_S = 0.05
"""Between two drops: far more often than any time-out for silence."""

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

PLACES: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers of a 100": (b"HTTP/1.1 100 Continue\r\n", b"X: y\r\n"),
    "header name": (b"HTTP/1.1 200 OK\r\n", b"x"),
    "header value": (b"HTTP/1.1 200 OK\r\nX-Any: ", b"y"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-Any: y\r\n"),
    "body with a length": (OK + b"Content-Length: 1000000\r\n\r\n{}", b" "),
    "body until close": (OK + b"\r\n{}", b" "),
    "chunk size": (CHUNKED, b"1"),
    "chunk": (CHUNKED + b"fffff\r\n{}", b" "),
    "chunks": (CHUNKED + b"2\r\n{}\r\n", b"1\r\n \r\n"),
    "body of a redirect": (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 1000000\r\n\r\n", b" "),
    "body of a refusal": (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000000\r\n\r\n", b" "),
}
"""What comes at once, and then again and again, by where in the answer that is. None of these answers ever ends."""

TRAILERS = (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-Any: y\r\n")
"""Whole, and yet it goes on."""

HANDSHAKE = (b"\x16\x03\x03\x40\x00\x02", b"\x00")
"""The beginning of a TLS server's first record, of 16 kB."""


@dataclass
class Dripping:
    """A running server. `asked` counts connections it has read a request of."""

    port: int
    asked: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"


@contextmanager
def dripping(at_once: bytes, drop: bytes, *, reads: bool = True, cuts: bool = False, tls=None) -> Iterator[Dripping]:
    """Serve until the block ends. `reads` False: it never takes a byte. `cuts`: it hangs up after what comes at once.

    `tls`: an `ssl.SSLContext` for a server.
    """
    over = threading.Event()
    lines: list[socket.socket] = []
    listening = socket.create_server(("127.0.0.1", 0))
    if not reads:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that a body soon has no room left
    server = Dripping(listening.getsockname()[1])

    def serve(line: socket.socket) -> None:
        with suppress(OSError):
            line = tls.wrap_socket(line, server_side=True) if tls is not None else line
            lines.append(line)
            if reads and not _request(line):
                return
            server.asked += 1
            line.sendall(at_once)
            while drop and reads and not cuts and not over.wait(EVERY_S):
                line.sendall(drop)
        if not cuts:
            over.wait()
        line.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                line, _ = listening.accept()
                lines.append(line)
                threading.Thread(target=serve, args=(line,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        over.set()
        listening.close()
        for line in lines:
            line.close()


def _request(line: socket.socket) -> bytes:
    """What comes up to the blank line, or the first bytes of a handshake."""
    got = b""
    while b"\r\n\r\n" not in got and not got.startswith(b"\x16"):
        some = line.recv(65536)
        if not some:
            break
        got += some
    return got

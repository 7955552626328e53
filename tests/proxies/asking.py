"""Requests as somebody outside sends them, byte for byte: no library of a well-behaved client stands between."""

from __future__ import annotations

import base64
import json
import os
import socket
from dataclasses import dataclass

PATIENCE_S = 20.0

LEAD = json.dumps({"name": "Пётр", "phone": "+79161234567"}).encode()


@dataclass(frozen=True)
class Answer:
    """`status`: 0 where the line was closed without one. `head`: header names in small letters."""

    status: int
    head: dict[str, str]
    body: bytes


def ask(port: int, path: str, host: str, *, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    """One request on a line of its own. Header names with `_` for `-`."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items())]
    if "Connection" not in headers:
        lines.append("Connection: close")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return _read(line)


def ask_socket(port: int, host: str, origin: str | None = None, path: str = "/_stcore/stream", **headers: str) -> int:
    """The status that a live connection's handshake is answered with: 101 is open."""
    more = {"Origin": origin} if origin else {}
    key = base64.b64encode(os.urandom(16)).decode()
    return ask(
        port,
        path,
        host,
        Connection="Upgrade",
        Upgrade="websocket",
        Sec_WebSocket_Version="13",
        Sec_WebSocket_Key=key,
        Sec_WebSocket_Protocol="streamlit",
        **more,
        **headers,
    ).status


def _read(line: socket.socket) -> Answer:
    data = bytearray()
    while b"\r\n\r\n" not in data:
        chunk = line.recv(65536)
        if not chunk:
            return Answer(0, {}, bytes(data))
        data += chunk
    raw, _, body = bytes(data).partition(b"\r\n\r\n")
    first, *rest = raw.decode("latin-1").split("\r\n")
    status = int(first.split()[1])
    head = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
    if status == 101:
        return Answer(status, head, b"")
    length = int(head.get("content-length", "0")) if "content-length" in head else None
    while length is None or len(body) < length:
        try:
            chunk = line.recv(65536)
        except TimeoutError:
            break
        if not chunk:
            break
        body += chunk
    return Answer(status, head, body)

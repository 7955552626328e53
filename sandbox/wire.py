"""Putting answers on the wire: whole, cut in half, or dripping. Their content is `answers.py`; breaking the line `cut.py`.

`at` is the moment AmoCRM's clock shows, for the answer's `Date`; None for an answer that does not tell it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from email.utils import formatdate
from http import HTTPStatus

from starlette.types import Message, Scope, Send

from sandbox.answers import Answer
from sandbox.cut import has_gone, write

DRIP_PIECE = 16
"""Bytes of a dripping answer sent at a time."""

BODILESS = (204, 304)
"""Statuses of which HTTP itself says that no body follows."""

Header = tuple[bytes, bytes]


def _headers(answer: Answer, request_id: str, at: float | None) -> list[Header]:
    """The headers without the end of the body."""
    headers = [(b"server", b"nginx"), (b"x-request-id", (request_id or secrets.token_hex(16)).encode())]
    if at is not None and "date" not in {name.lower() for name in answer.headers}:
        headers.insert(0, (b"date", formatdate(at, usegmt=True).encode()))
    if answer.content_type:
        headers.append((b"content-type", answer.content_type.encode()))
    return headers + [(name.lower().encode(), str(value).encode()) for name, value in answer.headers.items()]


def _start(answer: Answer, request_id: str, at: float | None) -> Message:
    headers = _headers(answer, request_id, at)
    if answer.status not in BODILESS:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


def _piece(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def send_whole(send: Send, answer: Answer, at: float | None, request_id: str = "") -> None:
    """Head and body, in good order."""
    await send(_start(answer, request_id, at))
    await send(_piece(b"" if answer.status in BODILESS else answer.body))


async def send_half(send: Send, answer: Answer, at: float | None, request_id: str) -> None:
    """A head that announces the whole length, and half of the body."""
    await send(_start(answer, request_id, at))
    await send(_piece(answer.body[: len(answer.body) // 2], more=True))


async def send_slowly(
    scope: Scope, send: Send, answer: Answer, at: float | None, request_id: str, pause_s: float, piece: int
) -> None:
    """The whole head, and the body in small pieces, a pause after every piece. Ends early if the client has gone."""
    await send(_start(answer, request_id, at))
    ends = range(piece, len(answer.body) + piece, piece)
    for end in ends:
        await asyncio.sleep(pause_s)
        if has_gone(scope):
            return
        await send(_piece(answer.body[end - piece : end], more=end < len(answer.body)))
    if not ends:
        await send(_piece(b""))


async def drip(
    scope: Scope, answer: Answer, at: float | None, request_id: str, *, where: str, pause_s: float, piece: int
) -> None:
    """Write an answer by hand, so that it drips where no server would let it. The caller ends the connection."""
    at_once, slowly, then = _parts(answer, at, request_id, where, piece)
    write(scope, at_once)
    for drop in slowly:
        await asyncio.sleep(pause_s)
        if has_gone(scope):
            return
        write(scope, drop)
    write(scope, then)


def _parts(
    answer: Answer, at: float | None, request_id: str, where: str, piece: int
) -> tuple[bytes, Iterator[bytes], bytes]:
    """The part that leaves at once, the part that drips, and the part that follows."""
    headers = [*_headers(answer, request_id, at), (b"connection", b"close")]
    if where == "chunked":
        headers.append((b"transfer-encoding", b"chunked"))
    elif where != "until_close":
        headers.append((b"content-length", str(len(answer.body)).encode()))
    first = f"HTTP/1.1 {answer.status} {_reason(answer.status)}\r\n".encode()
    lines = [b"%s: %s\r\n" % header for header in headers]
    head = first + b"".join(lines) + b"\r\n"
    if where == "status_line":
        return b"", _cut_up(first, piece), b"".join(lines) + b"\r\n" + answer.body
    if where == "headers":
        return first, iter(lines), b"\r\n" + answer.body
    drops = _cut_up(answer.body, piece)
    if where == "chunked":
        return head, (b"%x\r\n%s\r\n" % (len(drop), drop) for drop in drops), b"0\r\n\r\n"
    return head, drops, b""


def _cut_up(data: bytes, piece: int) -> Iterator[bytes]:
    return (data[start : start + piece] for start in range(0, len(data), piece))


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

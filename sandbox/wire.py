"""Putting answers on the wire: whole, cut in half, or dripping. What they say is `answers.py`; breaking the line `cut.py`."""

from __future__ import annotations

import asyncio
import secrets

from starlette.types import Message, Send

from sandbox.answers import Answer

DRIP_PIECE = 16
"""Bytes of a dripping answer sent at a time."""


def _start(answer: Answer, request_id: str) -> Message:
    headers = [(b"server", b"nginx"), (b"x-request-id", request_id.encode())]
    if answer.content_type:
        headers.append((b"content-type", answer.content_type.encode()))
    if answer.status != 204:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    headers += [(name.lower().encode(), str(value).encode()) for name, value in answer.headers.items()]
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


def _piece(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def send_whole(send: Send, answer: Answer, request_id: str = "") -> None:
    """Head and body, as they should be."""
    await send(_start(answer, request_id or secrets.token_hex(16)))
    await send(_piece(answer.body))


async def send_half(send: Send, answer: Answer, request_id: str) -> None:
    """The head announces the whole length; only half of it comes."""
    await send(_start(answer, request_id))
    await send(_piece(answer.body[: len(answer.body) // 2], more=True))


async def send_slowly(send: Send, answer: Answer, request_id: str, pause_s: float) -> None:
    """Whole, but in small pieces, each after a pause."""
    await send(_start(answer, request_id))
    ends = range(DRIP_PIECE, len(answer.body) + DRIP_PIECE, DRIP_PIECE)
    for end in ends:
        await asyncio.sleep(pause_s)
        await send(_piece(answer.body[end - DRIP_PIECE : end], more=end < len(answer.body)))
    if not ends:
        await send(_piece(b""))

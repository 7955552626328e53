"""The body of a request, read up to a length and a time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from desk.intake.bodies import LARGEST_BODY_BYTES
from desk.web.refused import Refused

__all__ = ["ARRIVAL_S", "LARGEST_BODY_BYTES", "beginning_of", "body_of"]

ARRIVAL_S = 10.0
"""Seconds until a body has come: 64 KB at 6.5 KB a second. A lead is smaller, and waits in the event loop alone, in no thread."""


async def body_of(request: Request) -> bytes:
    """Read the whole body. Raises `Refused` for a body too large or too slow, or if the sender has hung up."""
    body, code = await beginning_of(request)
    if code is not None:
        raise Refused(code)
    return body


async def beginning_of(request: Request, arrival_s: float | None = None) -> tuple[bytes, str | None]:
    """Read the body up to its limits of length and time; with an error code if the body is not complete."""
    body = bytearray()
    try:
        async with asyncio.timeout(ARRIVAL_S if arrival_s is None else arrival_s):
            async for chunk in request.stream():
                body += chunk[: LARGEST_BODY_BYTES + 1 - len(body)]
                if len(body) > LARGEST_BODY_BYTES:
                    return bytes(body[:LARGEST_BODY_BYTES]), "too_large_body"
    except ClientDisconnect:
        return bytes(body), "request_invalid"
    except TimeoutError:
        return bytes(body), "too_slow_body"
    return bytes(body), None

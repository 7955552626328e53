"""The body of a request, read no further than it may be long and no longer than it may take."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from desk.intake.bodies import LARGEST_BODY_BYTES
from desk.web.refused import Refused

__all__ = ["ARRIVAL_S", "LARGEST_BODY_BYTES", "beginning_of", "body_of"]

ARRIVAL_S = 10.0
"""Until a body has come: 64 KB at 6.5 KB a second. A lead has less than one, and waits in the event loop alone, in no thread."""


async def body_of(request: Request) -> bytes:
    """Read all of the body. Raises `Refused` if it is too large or too slow, or if its sender has hung up."""
    body, code = await beginning_of(request)
    if code is not None:
        raise Refused(code)
    return body


async def beginning_of(request: Request, arrival_s: float | None = None) -> tuple[bytes, str | None]:
    """Read the body as far as it came and may be long; with an error code if that is not all of it."""
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

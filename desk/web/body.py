"""The body of a request, read no further than it may be long and no longer than it may take."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from desk.intake.bodies import LARGEST_BODY_BYTES
from desk.web.answers import Refused

__all__ = ["ARRIVAL_S", "CLOSE", "LARGEST_BODY_BYTES", "beginning_of", "body_of"]

ARRIVAL_S = 10.0
"""Until a body has come: 64 KB at 6.5 KB a second. A lead has less than one, and waits in the event loop alone, in no thread."""

CLOSE = {"Connection": "close"}
"""With the answer to a slow body, of which some may still come."""


async def body_of(request: Request) -> bytes:
    """All of the body. Raises `Refused` where it is too large or too slow, or where whoever sends it has gone."""
    body, code = await beginning_of(request)
    match code:
        case "too_large_body":
            raise Refused(413, code)
        case "too_slow_body":
            raise Refused(408, code, headers=CLOSE)
        case str():
            raise Refused(400, code)
    return body


async def beginning_of(request: Request, arrival_s: float | None = None) -> tuple[bytes, str | None]:
    """The body as far as it came and may be long, and the error code where that is not all of it."""
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

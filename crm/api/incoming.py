"""The body of a request, read no further than it may be long."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from crm.api.answers import Refused
from crm.reception.bodies import LARGEST_BODY_BYTES

__all__ = ["LARGEST_BODY_BYTES", "beginning_of", "body_of"]


async def body_of(request: Request) -> bytes:
    """All of the body. Raises `Refused` where it is too large, or where whoever sends it has gone."""
    body, code = await beginning_of(request)
    if code:
        raise Refused(413 if code == "too_large_body" else 400, code)
    return body


async def beginning_of(request: Request) -> tuple[bytes, str | None]:
    """The body as far as it came and may be long, and the error code where that is not all of it."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk[: LARGEST_BODY_BYTES + 1 - len(body)]
            if len(body) > LARGEST_BODY_BYTES:
                return bytes(body[:LARGEST_BODY_BYTES]), "too_large_body"
    except ClientDisconnect:
        return bytes(body), "request_invalid"
    return bytes(body), None

"""The body of a request, read no further than it may be long."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from crm.api.answers import Refused

LARGEST_BODY_BYTES = 64 * 1024
"""A lead takes a few hundred bytes; its longest allowed message about 16 KB, in a form three times that."""


async def body_of(request: Request) -> bytes:
    """All of the body. Raises `Refused` where it is too large, or where whoever sends it has gone."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY_BYTES:
                raise Refused(413, "too_large_body")
    except ClientDisconnect:
        raise Refused(400, "request_invalid") from None
    return bytes(body)

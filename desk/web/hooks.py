"""AmoCRM's webhooks over HTTP. Answered with 200 whatever is in them: AmoCRM counts anything else against the desk and
switches the hooks off at last (sheet 7.1). Only a wrong secret gets what an address nobody serves gets.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from desk.desk import Desk
from desk.webhooks import LARGEST_BYTES

DRAINED_BYTES = 16 * 1024 * 1024
"""Read and dropped of a body that is too large: whoever is still sending does not hear an answer."""


def add(api: FastAPI, desk: Callable[[], Desk]) -> None:
    """The route under /amocrm/webhook."""

    @api.post("/amocrm/webhook/{secret}")
    async def hook(request: Request, secret: str) -> Response:
        webhooks = desk().webhooks
        if not await run_in_threadpool(webhooks.is_open, secret):
            raise HTTPException(404)
        body = await _body_of(request)
        if body is not None:
            await run_in_threadpool(webhooks.receive, body)
        return JSONResponse({"status": "ok"})


async def _body_of(request: Request) -> bytes | None:
    """The body, of one that is too large as much as tells so; None where whoever was sending has gone: it will come again."""
    body, size = bytearray(), 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            body += chunk[: LARGEST_BYTES + 1 - len(body)]
            if size > DRAINED_BYTES:
                break
    except ClientDisconnect:
        return None
    return bytes(body)

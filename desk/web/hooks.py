"""AmoCRM's webhooks over HTTP, all answered with 200 but for a wrong secret.

AmoCRM counts any other answer against the desk and switches the hooks off at last (sheet 7.1). A wrong secret gets the answer of
an address that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from desk.desk import Desk
from desk.web.answers import Done, json_answer
from desk.web.endpoint import endpoint
from desk.web.refused import Refused
from desk.webhooks import LARGEST_BYTES

DRAINED_BYTES = 16 * 1024 * 1024
"""Bytes read and dropped of a body that is too large: a sender hears no answer before the whole body is sent."""


def routes(desk: Callable[[], Desk]) -> list[Route]:
    """The route under /amocrm/webhook."""
    return [endpoint("POST", "/amocrm/webhook/{secret}", partial(hook, desk))]


async def hook(desk: Callable[[], Desk], request: Request) -> Response:
    """Put a hook on the disk."""
    webhooks = desk().webhooks
    if not await run_in_threadpool(webhooks.is_open, request.path_params["secret"]):
        raise Refused("no_such_address")
    body = await _body_of(request)
    if body is not None:
        await run_in_threadpool(webhooks.receive, body)
    return json_answer(Done("ok"))


async def _body_of(request: Request) -> bytes | None:
    """Read the body, of a too large body just enough to tell; None if AmoCRM hung up, and will send the hook again."""
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

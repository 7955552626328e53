"""The control routes, `/_sandbox/…`: how a test or a demo sees behind the counter and pulls the strings.

Requests here are outside the story: never limited, delayed, faulted or written into the ledger. Which function
answers what stands in `TABLE`; the functions are grouped by file: `observe.py` looks, `steer.py` changes the sandbox,
`keys.py` deals with codes, tokens and the integration, `people.py` does what people do at AmoCRM's own screens.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from sandbox.answers import JSON, Answer, Refusal
from sandbox.call import Call
from sandbox.config import BadConfig
from sandbox.control import keys, observe, people, steer
from sandbox.control.order import BadOrder, Order
from sandbox.faults import BadRule
from sandbox.world import World

PREFIX = "/_sandbox"
logger = logging.getLogger("sandbox")

TABLE: dict[tuple[str, str], Callable[[Order], Any]] = {
    ("GET", "state"): observe.state,
    ("GET", "ledger"): observe.ledger,
    ("GET", "entities"): observe.entities,
    ("GET", "config"): steer.read_config,
    ("PATCH", "config"): steer.change_config,
    ("GET", "faults"): steer.read_faults,
    ("POST", "faults"): steer.add_fault,
    ("DELETE", "faults"): steer.remove_faults,
    ("POST", "reset"): steer.reset,
    ("POST", "unblock"): steer.unblock,
    ("POST", "rename"): steer.rename,
    ("POST", "grant"): keys.grant,
    ("POST", "code"): keys.code,
    ("POST", "tokens/expire"): keys.expire,
    ("POST", "tokens/revoke"): keys.revoke,
    ("POST", "integration"): keys.change_integration,
    ("POST", "edit"): people.edit,
}
"""(method, first words of the path) → function. The rest of the path is `order.rest`."""


async def answer(world: World, request: Request, body: bytes) -> Answer:
    """Carry out a control request: JSON in, JSON out, 400 with a sentence for an unreadable request."""
    path = request.url.path.removeprefix(PREFIX).strip("/")
    call = Call(
        world=world,
        method=request.method,
        path=request.url.path,
        raw_query=request.url.query,
        headers={"content-type": JSON},
        body=body,
        base_url=f"{request.url.scheme}://{request.url.netloc}",
        peer="",
        port=request.scope["server"][1],
        seq=0,
        request_id="",
    )
    found = next(
        (key for key in TABLE if key[0] == request.method and (path == key[1] or path.startswith(f"{key[1]}/"))), None
    )
    if found is None:
        routes = sorted({f"{method} {PREFIX}/{name}" for method, name in TABLE})
        return _json(404, {"error": f"no such control: {request.method} {PREFIX}/{path}", "known": routes})
    try:
        order = Order(world, call, path.removeprefix(found[1]).strip("/"), _body(body))
        # Written out there too: a long ledger must not hold up the loop that stamps arrivals.
        return await world.in_store(lambda: _json(200, TABLE[found](order)))
    except (BadOrder, BadConfig, BadRule) as error:
        return _json(400, {"error": str(error)})
    except Refusal as refusal:
        return _json(400, {"error": "the edit was refused", "answer": json.loads(refusal.answer.body or b"null")})
    except Exception as error:
        logger.exception("control %s %s", request.method, path)
        return _json(500, {"error": repr(error)})


def _body(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        raise BadOrder("the body is not JSON") from None
    if not isinstance(data, dict):
        raise BadOrder("the body is a JSON object")
    return data


def _json(status: int, data: Any) -> Answer:
    return Answer(status, json.dumps(data, ensure_ascii=False).encode(), JSON)

"""One address under /api and one method, beside the function that answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.routing import Route


def endpoint(method: str, path: str, serve: Callable[..., Any]) -> Route:
    """Make a route for one method. `serve` takes a request; a plain function is run in a thread.

    Starlette would answer a HEAD along with a GET, which under /api may spend something: a code, a turn, a place in the queue.
    """
    route = Route(path, serve, methods=[method])
    route.methods = {method}
    return route

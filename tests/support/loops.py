"""An event loop of its own for a test of asynchronous code."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio


def in_a_loop(call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    """Run `call(*args)` on a new thread's event loop: a browser of an earlier test may keep the loop of the test's own thread."""
    with ThreadPoolExecutor(1) as another:
        return another.submit(anyio.run, call, *args).result()

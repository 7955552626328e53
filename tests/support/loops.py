"""An event loop of its own for a test of asynchronous code."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio


def in_a_loop(call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    """What `call(*args)` returns or raises, awaited on a new thread: a browser of an earlier test may keep this thread's loop."""
    with ThreadPoolExecutor(1) as another:
        return another.submit(anyio.run, call, *args).result()

"""An event loop of its own for a test of asynchronous code."""

from concurrent.futures import ThreadPoolExecutor

import anyio


def in_a_loop(call, *args):
    """What `call(*args)` returns or raises, awaited on a new thread: a browser of an earlier test may keep this thread's loop."""
    with ThreadPoolExecutor(1) as another:
        return another.submit(anyio.run, call, *args).result()

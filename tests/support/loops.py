"""An event loop of its own for a test of asynchronous code."""

from concurrent.futures import ThreadPoolExecutor

import anyio


def in_a_loop(call, *args):
    """Run `call(*args)` on a new thread's event loop: a browser of an earlier test may keep the loop of the test's own thread."""
    with ThreadPoolExecutor(1) as another:
        return another.submit(anyio.run, call, *args).result()

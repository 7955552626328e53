"""A run ends when the browser has been sent what it drew.

Streamlit collects what a run draws and sends it every few milliseconds. Where the next run begins before, it drops what it has
not sent, and counts on the new run to draw the same: a part of a page that runs by itself does not. On a busy machine numbers
vanished that way, fields kept what had been taken out of them, and a part within a dropped part left a white page.

Streamlit 1.67 has no such wait; `_browser_queue` is its own. `tests/ui/test_sent.py` notices when that changes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

LONGEST_S = 2.0
"""A browser that is slower than that is not waited for."""

LOOK_EVERY_S = 0.004

_inside = threading.local()


@contextmanager
def all_of_it() -> Iterator[None]:
    """Around everything a run draws. Inner ones leave the waiting to the outermost; a run that is cut short has none."""
    depth = getattr(_inside, "depth", 0)
    _inside.depth = depth + 1
    try:
        yield
    finally:
        _inside.depth = depth
    if not depth:
        wait()


def wait(longest_s: float = LONGEST_S) -> bool:
    """Wait until this session's browser has been sent everything; whether it has. No waiting where nobody is connected."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not runtime.exists():
        return False
    try:
        found = runtime.get_instance()._session_mgr.get_active_session_info(context.session_id)
        if found is None:
            return False
        loop, queue = found.session._event_loop, found.session._browser_queue
    except AttributeError:  # Streamlit has changed, or is a test's: the desk does without
        return False
    is_sent, is_over = threading.Event(), threading.Event()

    def look() -> None:  # on the loop that sends: what this run has drawn is in the queue before this is called
        if queue.is_empty():
            is_sent.set()
        elif not is_over.is_set():
            loop.call_later(LOOK_EVERY_S, look)

    loop.call_soon_threadsafe(look)
    is_sent.wait(longest_s)
    is_over.set()
    return is_sent.is_set()

"""Keep a run's drawing on its way to the browser, even if the next run begins before the sending.

Streamlit collects what a run draws and sends it every few milliseconds. Where the next run begins sooner, it drops what it has
not sent, and counts on the new run to draw the same: a part of a page that runs by itself does not. On a busy machine numbers
vanished that way, fields kept what had been taken out of them, what was no longer drawn stayed on the screen, and a part
within a dropped part left a white page. Sent in full and in order, as on an idle machine, all of that is right.

Streamlit 1.67 has no setting for it; `_clear_queue` is its own. `tests/ui/test_sent.py` notices when that changes.
"""

from __future__ import annotations

from streamlit.runtime.app_session import AppSession


def keep_all() -> None:
    """Forbid all sessions of the process to drop unsent drawing."""
    AppSession._clear_queue = _keep  # type: ignore[method-assign]


def _keep(self: AppSession, fragment_ids_this_run: list[str] | None = None) -> None:
    """Keep the unsent drawing. The next run's comes behind, not in its place."""
    self._browser_queue._delta_index_map.clear()

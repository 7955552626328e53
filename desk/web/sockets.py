"""Live connections that speak nonsense: closed in a word, and told in a line instead of a traceback.

Streamlit closes a connection whose message is none of its own, and writes a traceback of some twenty lines; for a text where
bytes belong it lets the server write one. Nobody learns anything from the second.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from desk.web.gate import App, Receive, Scope, Send

NOISY = "streamlit.web.server.starlette.starlette_websocket"
"""The logger of Streamlit's live connections."""

TOLD_AT_ONCE = 5
AGAIN_S = 60.0
"""So many lines of a kind are told in this time; the next one says how many were left out."""

NOT_A_TEXT = 1003
"""The close code for a kind of message that is not taken."""


class Sockets:
    """ASGI middleware: a text ends a live connection quietly. Streamlit's own messages are bytes."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        is_over = False

        async def take() -> Scope:
            nonlocal is_over
            message = await receive()
            if message["type"] == "websocket.receive" and message.get("bytes") is None and not is_over:
                is_over = True
                await send({"type": "websocket.close", "code": NOT_A_TEXT})
                log.info("a live connection sent a text and was closed")
                return {"type": "websocket.disconnect", "code": NOT_A_TEXT}
            return message

        async def tell(message: Scope) -> None:
            if not is_over:
                await send(message)

        await self._app(scope, take, tell)


class Calm(logging.Filter):
    """Lets a few lines of a kind through, without tracebacks, and counts the rest."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, at_once: int = TOLD_AT_ONCE, about: tuple[str, ...] = ("",)
    ) -> None:
        """`about`: the beginnings of lines that are looked at; all other lines pass."""
        super().__init__()
        self._clock, self._at_once, self._about = clock, at_once, about
        self._seen: dict[str, tuple[float, int]] = {}  # by kind: since when, how many

    def filter(self, record: logging.LogRecord) -> bool:
        kind = str(record.msg)
        if not kind.startswith(self._about):
            return True
        now = self._clock()
        since, count = self._seen.get(kind, (now, 0))
        left_out = max(0, count - self._at_once)
        if now - since >= AGAIN_S:
            since, count = now, 0
        else:
            left_out = 0
        self._seen[kind] = (since, count + 1)
        if count >= self._at_once:
            return False
        record.exc_info = record.exc_text = None
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} more)", ()
        return True


log = logging.getLogger(__name__)
calm = Calm()


def keep_calm() -> None:
    """Thin out Streamlit's lines about live connections, and our own."""
    for name in (NOISY, __name__):
        logger = logging.getLogger(name)
        if calm not in logger.filters:
            logger.addFilter(calm)

"""A receiver of webhooks: a real HTTP server that keeps what it got and answers as it is told."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from sandbox import brackets
from sandbox.process import wait_until


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def tree(self) -> dict[str, Any]:
        """The form as PHP reads it."""
        return brackets.parse(self.body)


class Receiver:
    """Listens on a free port. `status` is what it answers next; None: it never answers."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.received: list[Received] = []
        self.release = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                owner.received.append(Received(self.command, self.path, dict(self.headers), body))
                if owner.status is None:
                    owner.release.wait(120)
                    return
                self.send_response(owner.status)
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - the name the standard library calls

            def log_message(self, *args: Any) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/secret"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def wait_for(self, count: int) -> list[Received]:
        """The first `count` requests, once there are so many."""
        wait_until(lambda: len(self.received) >= count, deadline_s=15, what=f"{count} webhooks")
        return list(self.received)

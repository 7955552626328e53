"""Requests sent when due, like visitors, whether the former requests were answered or not."""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

Request = tuple[str, str, dict[str, str]]
"""Path, body, headers."""


def send(
    address: str,
    make: Callable[[int], Request],
    *,
    seconds: float,
    rate: int,
    connections: int,
    status: int,
    warm: int = 0,
) -> None:
    """Send `rate` requests a second, and print as JSON the time of each since it was due, and the count of answers but `status`.

    `make`: the request of a number. The first `warm` are sent before the seconds begin, and not timed.
    """
    host = urlsplit(address).netloc.replace("localhost", "127.0.0.1")
    todo: queue.Queue[tuple[float, int] | None] = queue.Queue()
    times_ms: list[float] = []
    failures: list[int] = []

    def work() -> None:
        connection = http.client.HTTPConnection(host, timeout=60)
        while (job := todo.get()) is not None:
            due, number = job
            connection.request("POST", *make(number))
            answer = connection.getresponse()
            answer.read()
            if number >= warm:
                times_ms.append((time.monotonic() - due) * 1000)
            if answer.status != status:
                failures.append(answer.status)

    senders = [threading.Thread(target=work) for _ in range(connections)]
    for sender in senders:
        sender.start()
    began = time.monotonic()
    for number in range(warm + int(seconds * rate)):
        due = began + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        todo.put((due, number))
    for _ in senders:
        todo.put(None)
    for sender in senders:
        sender.join()
    print(json.dumps({"times_ms": times_ms, "failures": len(failures)}))

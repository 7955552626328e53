"""Addresses of a host, within a time. The system's resolver may ask silent name servers for half a minute."""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import Future
from typing import Any

Address = tuple[Any, Any, int, str, Any]
"""An address as told by `socket.getaddrinfo`."""

_lock = threading.Lock()
_asked: dict[tuple[str, int, int], Future[list[Address]]] = {}


def addresses(host: str, port: int, family: int, within_s: float) -> list[Address]:
    """Every address to connect to, in the resolver's order.

    Raises `socket.gaierror` if there is no such name, `TimeoutError` if nobody has said so in time. Whoever asks while
    the same is being asked waits for that answer: a resolver that hangs holds one thread a name, however many call.
    """
    key = (host, port, family)
    with _lock:
        answer = _asked.get(key)
        if answer is None:
            answer = _asked[key] = Future()
            threading.Thread(target=_ask, args=(key, answer), name="resolver", daemon=True).start()
    return answer.result(within_s)


def _ask(key: tuple[str, int, int], answer: Future[list[Address]]) -> None:
    host, port, family = key
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    except BaseException as error:
        _forget(key)
        answer.set_exception(error)
    else:
        _forget(key)
        answer.set_result(found)


def _forget(key: tuple[str, int, int]) -> None:
    with _lock:
        _asked.pop(key, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_asked.clear)  # nobody in the child will answer those

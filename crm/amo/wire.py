"""The network under `requests`: one moment it does not tell of, and what its exceptions mean.

The moment is when the first byte of a request leaves this machine. Before it a write may be repeated; after it nobody
knows (sheet 4.5). The connection class here notes it, and asks a last time whether the request may leave.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError

from crm.errors import NetworkError, NoAnswer, NotSent

POOL_CONNECTIONS = 8
"""Kept connections to one host. The pace of seven a second never needs more."""

# At DEBUG urllib3 writes whole addresses, and a search for a contact has the phone in it.
logging.getLogger("urllib3").setLevel(logging.INFO)

_departed = threading.local()


class _Noting:
    """Mixed into urllib3's connections: asks before the first byte of a request leaves, and notes that it did."""

    sock: Any

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        if not getattr(_departed, "yes", False):
            getattr(_departed, "may_leave", _nothing)()
        _departed.yes = True
        super().send(data)  # type: ignore[misc]


class _Http(_Noting, HTTPConnection):
    pass


class _Https(_Noting, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class Adapter(HTTPAdapter):
    """requests' adapter over noting connections. It retries nothing by itself."""

    def __init__(self) -> None:
        super().__init__(pool_connections=2, pool_maxsize=POOL_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


def nothing_sent_yet(may_leave: Callable[[], object]) -> None:
    """Begin watching this thread's next request. `may_leave` is called when the line stands and nothing has left; what it
    raises ends the request unsent."""
    _departed.yes, _departed.may_leave = False, may_leave


def _nothing() -> None:
    return None


def error_of(error: requests.RequestException | HTTPError) -> NetworkError:
    """What a network exception of this thread's last request means: not sent, or sent and unanswered."""
    if getattr(_departed, "yes", False):
        return NoAnswer("too_slow" if isinstance(error, requests.Timeout) else "cut_off")
    if isinstance(error, requests.exceptions.SSLError):
        return NotSent("tls_failed")
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return NotSent("name_unknown" if isinstance(reason, NameResolutionError) else "unreachable")

"""An exchange over `requests`: two things the library does not do, and the meaning of its exceptions.

The library does not tell when the first byte of a request leaves this machine. Before it a write may be repeated; after it nobody
knows. The connections here note the moment, and ask a last time whether the request may leave. And the library has no end
for an exchange as a whole; these connections give their line to a `Deadline`, from looking the name up to the body's last byte.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util.connection import allowed_gai_family

from wire import resolver
from wire.deadline import Deadline
from wire.errors import NOT_FINAL, TOO_LARGE, Unanswered, Unsent, Unusable, WireError

POOL_CONNECTIONS = 8
"""Kept connections to one host. A pace of seven a second never needs more."""

CHUNK_BYTES = 64 * 1024

Params = Sequence[tuple[str, str | int]]
"""Query parameters, a name as often as needed."""

# At DEBUG urllib3 writes whole addresses, and a search for a contact has the phone in it.
logging.getLogger("urllib3").setLevel(logging.INFO)


class Bearer(AuthBase):
    """Puts an access token on a request. An auth object, because requests would prefer a `.netrc` to a header."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


NOBODY = Bearer(None)
"""The bearer of an anonymous request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request. `connect_s`: for each address tried; `silence_s`: between two bytes; `deadline_s`: for all of the exchange."""

    method: str
    url: str
    params: Params = field(default=(), repr=False)
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    auth: Bearer
    connect_s: float
    silence_s: float
    deadline_s: float
    largest_bytes: int


@dataclass(slots=True)
class Answer:
    """The answer so far; status 0 before the first line."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


class _Exchange(threading.local):
    """The current thread's exchange, for the connections below."""

    deadline: Deadline | None = None
    may_leave: Callable[[], object] | None = None
    has_left = False


_now = _Exchange()


class _Watched:
    """A mixin of urllib3's connections: asks before the first byte of a request leaves, notes its leaving, and gives
    the line to the deadline of the exchange it serves."""

    sock: Any
    timeout: Any
    _dns_host: str
    _is_connecting = False
    served: Deadline | None = None

    def connect(self) -> None:
        self._is_connecting = True  # what is said to a proxy on the way is not the request
        try:
            super().connect()  # type: ignore[misc]
        finally:
            self._is_connecting = False

    def request(self, *args: Any, **options: Any) -> None:
        self.served = _now.deadline
        if self.sock is not None and self.served is not None:
            self.served.watch(self.sock)  # a kept line
        super().request(*args, **options)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not self._is_connecting:
            if not _now.has_left and _now.may_leave is not None and _now.deadline is not None:
                with _now.deadline.paused():
                    _now.may_leave()
                if _now.deadline.has_struck:
                    raise Unsent("unreachable")
            _now.has_left = True
        super().send(data)  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        """Open a line to the first willing address: within the connect time-out each, and the deadline together."""
        host, port, limit_s = self._dns_host.strip("[]"), self.port, self.timeout  # type: ignore[attr-defined]
        try:
            host.encode("idna")
            found = resolver.addresses(host, port, allowed_gai_family(), self._within(limit_s))
        except UnicodeError:
            raise LocationParseError("a host, label empty or too long") from None
        except socket.gaierror as error:
            raise NameResolutionError(host, self, error) from error  # type: ignore[arg-type]
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "looking up the name timed out") from error
        failed: OSError | None = None
        for family, kind, protocol, _, address in found:
            line = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():  # type: ignore[attr-defined]
                    line.setsockopt(*option)
                line.settimeout(self._within(limit_s))
                if self.source_address:  # type: ignore[attr-defined]
                    line.bind(self.source_address)  # type: ignore[attr-defined]
                if _now.deadline is not None:
                    _now.deadline.watch(line)
                line.connect(address)
                line.settimeout(limit_s)
                return line
            except OSError as error:
                line.close()
                failed = error
        if isinstance(failed, TimeoutError):
            raise ConnectTimeoutError(self, "connecting timed out") from failed
        raise NewConnectionError(self, "no address took a connection") from failed  # type: ignore[arg-type]

    @staticmethod
    def _within(limit_s: Any) -> float:
        left_s = _now.deadline.left_s if _now.deadline is not None else float(limit_s)
        if left_s <= 0:
            raise TimeoutError
        return min(float(limit_s), left_s)


class _Http(_Watched, HTTPConnection):
    pass


class _Https(_Watched, HTTPSConnection):
    pass


class _Kept:
    """A mixin of urllib3's pools: a line goes back into the pool only after its release by the deadline."""

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and conn.served is not None and conn.served.let_go():
            conn.close()
        super()._put_conn(conn)  # type: ignore[misc]


class _HttpPool(_Kept, HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(_Kept, HTTPSConnectionPool):
    ConnectionCls = _Https


POOLS = {"http": _HttpPool, "https": _HttpsPool}


class Adapter(HTTPAdapter):
    """requests' adapter over watched connections, also to a proxy. Retries no request by itself."""

    def __init__(self) -> None:
        super().__init__(pool_connections=2, pool_maxsize=POOL_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager


class _Requests(requests.Session):
    """requests' session without redirects: following a redirect would read its whole body, however long, to no purpose."""

    def __init__(self) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, Adapter())

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Session:
    """Kept lines to a few hosts. Thread-safe; stores no cookie, follows no redirect, repeats no request."""

    def __init__(self, user_agent: str) -> None:
        self._requests = _Requests()
        self._requests.headers["User-Agent"] = user_agent
        self._requests.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def exchange(self, request: Request, answer: Answer, may_leave: Callable[[], object]) -> None:
        """Send a request and read its whole answer into `answer`, which holds the part that came in any case.

        `may_leave` is called when the line stands and nothing has left; what it raises ends the request unsent, and its
        time does not count. Raises a `WireError`.
        """
        deadline = _now.deadline = Deadline(request.deadline_s)
        _now.may_leave, _now.has_left = may_leave, False
        try:
            with self._requests.request(
                request.method,
                request.url,
                params=list(request.params),
                json=request.json,
                headers=request.headers,
                auth=request.auth,
                timeout=(request.connect_s, min(request.silence_s, request.deadline_s)),
                allow_redirects=False,  # a redirect could carry the token or the body to another host
                stream=True,
            ) as response:
                answer.status, answer.headers = response.status_code, response.headers
                if response.status_code < HTTPStatus.OK:
                    raise Unusable(NOT_FINAL)  # the answer proper follows, and must meet no other request
                answer.body = _read(response, request.largest_bytes)
                # A line that was shut down looks like one that has ended. What says that it is whole counts all the
                # same: this process may have been stopped, and the answer have come in time.
                if deadline.let_go() and not _is_whole(response):
                    raise Unanswered("too_slow")
        except (requests.RequestException, HTTPError) as error:
            raise _meaning_of(error) from None
        finally:
            deadline.let_go()
            _now.deadline = _now.may_leave = None

    def close(self) -> None:
        self._requests.close()


def _read(response: requests.Response, largest_bytes: int) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > largest_bytes:
            raise Unusable(TOO_LARGE)
        chunks.append(chunk)
    return b"".join(chunks)


def _is_whole(response: requests.Response) -> bool:
    """Whether an answer read to its end is complete by its own length, or its chunks."""
    return response.raw.chunked or response.raw.length_remaining == 0


def _meaning_of(error: requests.RequestException | HTTPError) -> WireError:
    """Translate a network exception of the current exchange: not sent, or sent and unanswered."""
    has_struck = _now.deadline is not None and _now.deadline.has_struck
    if _now.has_left:
        return Unanswered("too_slow" if has_struck or _is_silence(error) else "cut_off")
    if isinstance(error, requests.exceptions.SSLError) and not has_struck:
        return Unsent("tls_failed")
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return Unsent("name_unknown" if isinstance(reason, NameResolutionError) else "unreachable")


def _is_silence(error: BaseException | None) -> bool:
    """Whether a time-out is behind an exception, however often it was wrapped."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
            return True
        waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return False

"""The only door to AmoCRM: every request of the product leaves through `Door.request`.

    caller ─► pace ─► requests ─► answer read whole, within size and time ─► error or Reply
                 ▲________ a read is tried again (`retry`), a write never ________│
    every try is one line in the journal

Which account, which token and what the answer is good for are the caller's business.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from crm import answers, wire
from crm.errors import BrokenWord, DeskError, NoAnswer, NotSent
from crm.journal import OK, Journal, Line
from crm.limiter import Limiter
from crm.retry import pause_before_retry

CONNECT_TIMEOUT_S = 5.0
"""AmoCRM's own client waits as long (sheet 4.2)."""

READ_TIMEOUT_S = 20.0
"""Silence we bear while an answer is due; AmoCRM's own client allows 20 s in all."""

DEADLINE_S = 40.0
"""For everything from looking the name up to the last byte of the answer: what drips would never trip the read timeout."""

LARGEST_BYTES = 32 * 1024 * 1024
"""A page of 250 leads takes about 1 MB. Anything near this is not AmoCRM."""

LATE_S = 0.04
"""A request that leaves this long after its turn would arrive together with the next ones: a busy machine or a new line
has held it up, so it takes another turn."""

CHUNK_BYTES = 64 * 1024

USER_AGENT = "FitZone-LeadDesk/1.0"

Params = Sequence[tuple[str, str | int]]
"""Query parameters in AmoCRM's PHP bracket spelling, e.g. `("filter[id][]", 5)`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer. `data` is its JSON, None where there is no body (204 means an empty list)."""

    status: int
    data: Any = field(repr=False)
    request_id: str | None
    duration_s: float
    server_date: str | None = None


class Bearer(AuthBase):
    """Puts an access token on a request. An auth object, because requests would prefer a `.netrc` to a header."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


NOBODY = Bearer(None)
"""For the token endpoint, which wants no bearer."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, before it is sent.

    `operation` and `subject` go into the journal: ids only, never content. `error_of` reads the answer: status,
    content type and body in, the error it stands for out. `may_send`: asked when the turn has come, right before the first
    byte; where it says no, nothing is sent (`NotSent("too_late_to_send")`). `deadline_s`: for each try, however the other
    side spends it (`crm.deadline`); waiting for a turn does not count.
    """

    method: str
    url: str
    operation: str
    kind: str = "read"
    params: Params = field(default=(), repr=False)
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    subject: str | None = None
    live: bool = True
    deadline_s: float = DEADLINE_S
    error_of: Callable[[int, str, bytes], DeskError | None] = answers.error_of
    may_send: Callable[[], bool] | None = None
    tries: int | None = None  # of a read; None: as many as `retry` says

    @property
    def is_read(self) -> bool:
        return self.method == "GET"


class Door:
    """Sends calls. Thread-safe; one per process."""

    def __init__(self, limiter: Limiter, journal: Journal, *, wait: Callable[[float], object] | None = None) -> None:
        """`wait`: how to pass the time between two tries; tests hand in their own."""
        self._limiter, self._journal = limiter, journal
        self._wait = wait or threading.Event().wait
        self._session = wire.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def request(self, call: Call, auth: AuthBase) -> Reply:
        """Send a call and return its answer. A read costs up to `retry`'s number of requests, a write one.

        Raises a `DeskError`: `NotSent` and `NoAnswer` from the network, the rest from `answers`.
        """
        attempt = 1
        while True:
            try:
                return self._try(call, auth)
            except DeskError as error:
                error.operation = call.operation
                pause_s = (
                    pause_before_retry(error, attempt, live=call.live, chance=random.random())  # noqa: S311 - a jitter
                    if call.is_read and (call.tries is None or attempt < call.tries)
                    else None
                )
                if pause_s is None:
                    raise
            self._wait(pause_s)
            attempt += 1

    def close(self) -> None:
        self._session.close()

    def _try(self, call: Call, auth: AuthBase) -> Reply:
        turn = self._limiter.wait_turn(live=call.live)
        started = time.monotonic()
        answer = _Answer()

        def may_leave() -> None:
            if time.monotonic() - turn > LATE_S:
                self._limiter.wait_turn(live=call.live)
            if call.may_send is not None and not call.may_send():
                raise NotSent("too_late_to_send")

        try:
            self._exchange(call, auth, answer, may_leave)
            data = answer.data(call.error_of)
            return Reply(answer.status, data, answer.request_id, time.monotonic() - started, answer.server_date)
        except DeskError as error:
            error.status = error.status or answer.status or None
            error.request_id, error.server_date = answer.request_id, answer.server_date
            answer.result = error.code
            if error.code == "rate_limited":
                self._limiter.slow_down(error.retry_after_s)
            raise
        finally:
            self._journal.write(
                Line(
                    kind=call.kind,
                    operation=call.operation,
                    result=answer.result,
                    status=answer.status or None,
                    duration_ms=round((time.monotonic() - started) * 1000),
                    request_id=answer.request_id,
                    subject=call.subject,
                )
            )

    def _exchange(self, call: Call, auth: AuthBase, answer: _Answer, may_leave: Callable[[], object]) -> None:
        """Send one request and read its whole answer into `answer`, which holds what came even when not all did."""
        with wire.exchange(call.deadline_s, may_leave) as deadline:
            try:
                with self._session.request(
                    call.method,
                    call.url,
                    params=list(call.params),
                    json=call.json,
                    headers=call.headers,
                    auth=auth,
                    timeout=(CONNECT_TIMEOUT_S, min(READ_TIMEOUT_S, call.deadline_s)),
                    allow_redirects=False,  # a redirect could carry the token or the lead to another host
                    stream=True,
                ) as response:
                    answer.status = response.status_code
                    answer.content_type = response.headers.get("Content-Type", "")
                    answer.request_id = _safe_id(response.headers.get("X-Request-Id"))
                    answer.server_date = response.headers.get("Date")
                    answer.retry_after_s = _seconds(response.headers.get("Retry-After"))
                    if response.status_code < 200:
                        raise BrokenWord(
                            "unexpected_answer", retryable=False
                        )  # the answer proper follows, and must meet no other request
                    answer.body = _read(response)
                    # A line that was shut down looks like one that has ended. What says that it is whole counts all the
                    # same: this process may have been stopped, and the answer have come in time.
                    if deadline.let_go() and not wire.is_whole(response):
                        raise NoAnswer("too_slow")
            except (requests.RequestException, HTTPError) as error:
                raise wire.error_of(error) from None


@dataclass(slots=True)
class _Answer:
    """What has come back so far."""

    status: int = 0
    content_type: str = ""
    request_id: str | None = None
    retry_after_s: float | None = None
    server_date: str | None = None
    body: bytes = field(default=b"", repr=False)
    result: str = OK

    def data(self, error_of: Callable[[int, str, bytes], DeskError | None]) -> Any:
        """The JSON of a success, None where there is no body. Raises what any other answer stands for."""
        error = error_of(self.status, self.content_type, self.body)
        if error is not None:
            if error.retry_after_s is None:
                error.retry_after_s = self.retry_after_s
            raise error
        if self.status == 204 or not self.body.strip():
            return None
        data = answers.parse(self.body)
        if data is None:
            raise BrokenWord("garbled")
        return data


def _read(response: requests.Response) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > LARGEST_BYTES:
            raise BrokenWord("too_large")
        chunks.append(chunk)
    return b"".join(chunks)


def _safe_id(text: str | None) -> str | None:
    """A request id fit for a log: theirs to choose, so only plain characters are kept."""
    return re.sub(r"[^\w.\-]", "", text)[:100] or None if text else None


def _seconds(text: str | None) -> float | None:
    if not text or not re.fullmatch(r"\d{1,18}", text.strip()):
        return None
    return min(float(text), answers.LONGEST_RETRY_AFTER_S)

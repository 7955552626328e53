"""The only door to AmoCRM: every request of the product leaves through `Door.request`.

    caller ─► pace ─► wire ─► answer read whole, within size and time ─► error or Reply
                 ▲________ a read is tried again (`retry`), a write never ________│
    every try is one line in the journal

Which account, which token and what the answer is good for are the caller's business.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm import answers
from crm.errors import BrokenWord, DeskError, NoAnswer, NotSent
from crm.journal import OK, Journal, Line
from crm.limiter import Limiter
from crm.retry import pause_before_retry
from wire import NOT_FINAL, Answer, Bearer, Params, Request, Session, Unanswered, Unsent, Unusable

CONNECT_TIMEOUT_S = 5.0
"""AmoCRM's own client waits as long (sheet 4.2)."""

READ_TIMEOUT_S = 20.0
"""Silence we bear while an answer is due; AmoCRM's own client allows 20 s in all."""

DEADLINE_S = 40.0
"""From looking the name up to the last byte of the answer: a dripping answer would never trip the read timeout."""

LARGEST_BYTES = 32 * 1024 * 1024
"""A page of 250 leads takes about 1 MB. A body near the limit is not AmoCRM's."""

LATE_S = 0.04
"""The longest delay of a request after its turn: a later request would meet the next requests. A busy machine or a new line
has held the request up, which takes another turn."""

NO_CONTENT = 204
"""AmoCRM's status of an empty list (sheet 4.2)."""

USER_AGENT = "FitZone-LeadDesk/1.0"


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer. `data` is its JSON, None if there is no body (204 means an empty list)."""

    status: int
    data: Any = field(repr=False)
    request_id: str | None
    duration_s: float
    server_date: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request before its sending.

    `operation` and `subject` go into the journal: ids only, never content. `error_of` reads the answer: status,
    content type and body in, the error it stands for out. `may_send`: asked when the turn has come, right before the first
    byte; where it says no, nothing is sent (`NotSent("too_late_to_send")`). `deadline_s`: for each try, however the other
    side spends it (`wire.deadline`); waiting for a turn does not count.
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
    """Sends calls. Thread-safe; a process has a single door."""

    def __init__(self, limiter: Limiter, journal: Journal, *, wait: Callable[[float], object] | None = None) -> None:
        """`wait`: how to pass the time between two tries; tests hand in their own."""
        self._limiter, self._journal = limiter, journal
        self._wait = wait or threading.Event().wait
        self._session = Session(USER_AGENT)

    def request(self, call: Call, auth: Bearer) -> Reply:
        """Send a call and return its answer. A read costs up to `retry`'s number of requests, a write 1.

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

    def _try(self, call: Call, auth: Bearer) -> Reply:
        turn = self._limiter.wait_turn(live=call.live)
        started = time.monotonic()
        answer, result = Answer(), OK

        def may_leave() -> None:
            if time.monotonic() - turn > LATE_S:
                self._limiter.wait_turn(live=call.live)
            if call.may_send is not None and not call.may_send():
                raise NotSent("too_late_to_send")

        try:
            self._exchange(call, auth, answer, may_leave)
            data, took_s = _data_of(answer, call.error_of), time.monotonic() - started
            return Reply(answer.status, data, _request_id(answer), took_s, answer.headers.get("Date"))
        except DeskError as error:
            error.status = error.status or answer.status or None
            error.request_id, error.server_date = _request_id(answer), answer.headers.get("Date")
            result = error.code
            if error.code == "rate_limited":
                self._limiter.slow_down(error.retry_after_s)
            raise
        finally:
            self._journal.write(
                Line(
                    kind=call.kind,
                    operation=call.operation,
                    result=result,
                    status=answer.status or None,
                    duration_ms=round((time.monotonic() - started) * 1000),
                    request_id=_request_id(answer),
                    subject=call.subject,
                )
            )

    def _exchange(self, call: Call, auth: Bearer, answer: Answer, may_leave: Callable[[], object]) -> None:
        request = Request(
            method=call.method,
            url=call.url,
            params=call.params,
            json=call.json,
            headers=call.headers,
            auth=auth,
            connect_s=CONNECT_TIMEOUT_S,
            silence_s=READ_TIMEOUT_S,
            deadline_s=call.deadline_s,
            largest_bytes=LARGEST_BYTES,
        )
        try:
            self._session.exchange(request, answer, may_leave)
        except Unsent as error:
            raise NotSent(error.code) from None
        except Unanswered as error:
            raise NoAnswer(error.code) from None
        except Unusable as error:
            if error.code == NOT_FINAL:
                raise BrokenWord("unexpected_answer", retryable=False) from None
            raise BrokenWord(error.code) from None


def _data_of(answer: Answer, error_of: Callable[[int, str, bytes], DeskError | None]) -> Any:
    """The JSON of a success; None if there is no body. Raises the error any other answer stands for."""
    error = error_of(answer.status, answer.headers.get("Content-Type", ""), answer.body)
    if error is not None:
        if error.retry_after_s is None:
            error.retry_after_s = _seconds(answer.headers.get("Retry-After"))
        raise error
    if answer.status == NO_CONTENT or not answer.body.strip():
        return None
    data = answers.parse(answer.body)
    if data is None:
        raise BrokenWord("garbled")
    return data


def _request_id(answer: Answer) -> str | None:
    """AmoCRM's id of a request, fit for a log: theirs to choose, so only plain characters are kept."""
    text = answer.headers.get("X-Request-Id")
    return re.sub(r"[^\w.\-]", "", text)[:100] or None if text else None


def _seconds(text: str | None) -> float | None:
    if not text or not re.fullmatch(r"\d{1,18}", text.strip()):
        return None
    return min(float(text), answers.LONGEST_RETRY_AFTER_S)

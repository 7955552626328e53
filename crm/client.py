"""Calls in the name of a connected account: address and token in front, paging behind.

Who may be asked for the token, and what to do when it is refused, is `Tokens`' business; `crm.connection`
is one. The resource files beside this one use `Client` and nothing below it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partialmethod
from typing import Any, Protocol

from crm import answers
from crm.door import Bearer, Call, Door, Params, Reply
from crm.errors import BrokenWord, DeskError, NotLetIn, SaidNo
from crm.sizes import Sizes, fit, smaller
from crm.their_clock import TheirClock
from store import clock

PAGE_LIMIT = 250
"""Entities on a page: AmoCRM's greatest; more is silently cut (sheet 4.1)."""

NO_CONTENT = 204
"""AmoCRM's way to say that a list is empty (sheet 4.2)."""

TRIES_OF_LARGE = 2
"""Before a page is asked for in smaller ones (`sizes`)."""

TOO_LONG_ADDRESS = 414
"""The status for a list of ids that does not fit into an address (sheet 4.1, U)."""

PERSON_SWITCHED_OFF = "person_switched_off"
"""The code of a page, or a way to the sign-in, in the place of an answer: who connected was switched off in AmoCRM."""

MOST_PAGES = 10_000
"""More pages than any account has: a server that always names a next page does not hold us for ever."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the account it opens, e.g. `https://fitzone.amocrm.ru`."""

    account_url: str
    access: str = field(repr=False)


class Tokens(Protocol):
    """Where a client gets its token."""

    def current(self) -> Token:
        """A token that should work. Raises `SetupError("not_connected")` and the like where there is none."""

    def after_rejection(self, rejected: Token) -> Token:
        """Another token, after AmoCRM refused this one. Raises `NotLetIn` where there is no better one."""

    def worked(self, token: Token) -> None:
        """AmoCRM has accepted this token."""

    def address(self) -> str:
        """Where the account lives, as far as is known. No request, and no word about whether we are let in."""

    def kept_out(self, token: Token, code: str) -> None:
        """AmoCRM knows the token and keeps its person out: `code` says why. Another token would not help."""

    def moved(self, token: Token) -> Token | None:
        """The same token at the account's present address, after "not found"; None where the account has not moved."""


class Client:
    """AmoCRM's API for one account."""

    def __init__(self, door: Door, tokens: Tokens) -> None:
        self._door, self._tokens = door, tokens
        self.clock = TheirClock()
        self.sizes = Sizes()
        self.answer_s = 0.0
        """How long AmoCRM's last answer took; 0 before the first."""

    @property
    def account_url(self) -> str:
        """The address of the connected account. Raises where there is none."""
        return self._tokens.address()

    def their_time(self) -> float | None:
        """Unix seconds by AmoCRM's own clock now, from the `Date` of its answers; None if not known. No request."""
        now_s = time.monotonic()
        return self.clock.at(now_s, now_s)

    def skew_s(self) -> float | None:
        """Seconds by which this machine's clock is ahead of AmoCRM's, from the `Date` of its answers; None if not known."""
        ahead = self.clock.ahead_s(time.monotonic())
        return None if ahead is None else clock.unix() - time.monotonic() - sum(ahead) / 2

    def get(
        self, path: str, operation: str, params: Params = (), *, live: bool = True, tries: int | None = None
    ) -> Reply:
        return self._send("GET", path, operation, "read", params=params, live=live, tries=tries)

    def write(
        self,
        method: str,
        path: str,
        operation: str,
        body: Any,
        *,
        kind: str,
        subject: str | None = None,
        live: bool = True,
        may_send: Callable[[], bool] | None = None,
    ) -> Reply:
        """One write; `may_send` is asked right before it leaves."""
        return self._send(method, path, operation, kind, json=body, subject=subject, live=live, may_send=may_send)

    post = partialmethod(write, "POST")
    patch = partialmethod(write, "PATCH")
    delete = partialmethod(write, "DELETE")

    def pages(
        self, path: str, key: str, operation: str, params: Params = (), *, limit: int = PAGE_LIMIT, live: bool = True
    ) -> Iterator[list[dict[str, Any]]]:
        """Every page of a list, one request each, until AmoCRM names no next one.

        A page that repeats the one before it ends the walk with `BrokenWord("same_page")`: some lists ignore
        `page` and would be read for ever (sheet 4.4).
        """
        before: list[Any] = []
        page = 1
        while page < MOST_PAGES:
            data, page, limit = self.page(path, operation, params, page, limit, live=live)
            found = answers.items(data, key)
            ids = [item["id"] for item in found]
            if ids and ids == before:
                raise BrokenWord("same_page", operation=operation, retryable=False)
            if found:
                yield found
            if not answers.has_next(data):
                return
            before = ids
            page += 1

    def page(
        self, path: str, operation: str, params: Params, page: int, limit: int, *, live: bool, tries: int | None = None
    ) -> tuple[Any, int, int]:
        """One page of a list: its data, its number and its size. A smaller one that begins at the same place if AmoCRM
        cannot bring it; what worked is where the next question begins."""
        most, shrunk = self.sizes.most(operation), False
        page, limit = _same_place(page, limit, fit(limit, most))
        while True:
            less = smaller(limit)
            asked = [*params, ("page", page), ("limit", limit)]
            try:
                few = tries or (TRIES_OF_LARGE if less or shrunk else None)
                data = self.get(path, operation, asked, live=live, tries=few).data
            except DeskError as error:
                if less is None or not is_too_much(error, live=live):
                    raise
                page, limit = _same_place(page, limit, less)
                shrunk = True
                continue
            if shrunk:
                self.sizes.worked(operation, limit)
            return data, page, limit

    def first(self, path: str, key: str, operation: str, params: Params = (), **how: Any) -> list[dict[str, Any]]:
        """The first 250 of a list. One request, more if AmoCRM cannot bring so many at once. `how`: as for `page`."""
        found: list[dict[str, Any]] = []
        page, limit = 1, PAGE_LIMIT
        while True:
            data, page, limit = self.page(path, operation, params, page, limit, **how)
            some = answers.items(data, key)
            found += some
            if not some or page * limit >= PAGE_LIMIT or not answers.has_next(data):
                return found
            page += 1

    def _send(self, method: str, path: str, operation: str, kind: str, **rest: Any) -> Reply:
        token = self._tokens.current()
        call = Call(method, token.account_url + path, operation, kind, **rest)
        began_s = time.monotonic()
        try:
            reply = self._door.request(call, Bearer(token.access))
        except (NotLetIn, SaidNo) as error:
            if error.code == PERSON_SWITCHED_OFF:
                self._tokens.kept_out(token, error.code)
                raise
            # Neither was carried out, so even a write may go again: with a better token, or to the present address.
            better = self._better(token, error)
            if better is None:
                raise
            token = better
            reply = self._door.request(replace(call, url=token.account_url + path), Bearer(token.access))
        self._tokens.worked(token)
        came_s = time.monotonic()
        self.clock.hear(reply.server_date, max(began_s, came_s - reply.duration_s), came_s)
        self.answer_s = reply.duration_s
        if method == "GET" and reply.data is None and reply.status != NO_CONTENT:
            raise BrokenWord(
                "garbled", operation=operation, request_id=reply.request_id
            )  # nothing at all is no empty list
        return reply

    def _better(self, token: Token, error: DeskError) -> Token | None:
        if error.code == "token_rejected":
            return self._tokens.after_rejection(token)
        return self._tokens.moved(token) if error.code == "not_found" else None


def is_too_much(error: DeskError, *, live: bool = False) -> bool:
    """Whether AmoCRM was asked for more than it could bring. `live`: somebody waits, so what took long already is not tried
    again in another size."""
    if error.status == TOO_LONG_ADDRESS:
        return True
    return error.code in ("server_error", "too_large") or (error.code in ("too_slow", "cut_off") and not live)


def _same_place(page: int, limit: int, wanted: int) -> tuple[int, int]:
    """A page's number and size, in another size that divides this one: it begins at the same item."""
    return (page - 1) * (limit // wanted) + 1, wanted

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
from crm.door import NO_CONTENT, Call, Door, Reply
from crm.errors import BrokenWord, DeskError, NotLetIn, SaidNo
from crm.sizes import Sizes, fit, smaller
from wire import Bearer, Params, TheirClock

PAGE_LIMIT = 250
"""Entities on a page: AmoCRM's greatest; more is silently cut (sheet 4.1)."""

TRIES_OF_LARGE = 2
"""Before a page is asked for in smaller ones (`sizes`)."""

TOO_LONG_ADDRESS = 414
"""The status for a list of ids too long for an address (sheet 4.1, U)."""

PERSON_SWITCHED_OFF = "person_switched_off"
"""The code of a page, or a way to the sign-in, in the place of an answer: the person who connected was switched off."""

MOST_PAGES = 10_000
"""More pages than any account has: a server with an endless next page does not hold us for ever."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the account it opens, e.g. `https://fitzone.amocrm.ru`."""

    account_url: str
    access: str = field(repr=False)


class Tokens(Protocol):
    """A client's source of tokens."""

    def current(self) -> Token:
        """Return a usable token. Raises `SetupError("not_connected")` and the like."""

    def after_rejection(self, rejected: Token) -> Token:
        """Return another token after AmoCRM refused `rejected`. Raises `NotLetIn` if there is no better token."""

    def worked(self, token: Token) -> None:
        """Hear from the client that AmoCRM has accepted the token."""

    def kept_out(self, token: Token, code: str) -> None:
        """Hear that AmoCRM keeps the token's person out: `code` says why. Another token would not help."""

    def moved(self, token: Token) -> Token | None:
        """Return the token with the account's present address, after "not found"; None if the account has not moved."""


class Client:
    """AmoCRM's API for an account."""

    def __init__(self, door: Door, tokens: Tokens) -> None:
        self._door, self._tokens = door, tokens
        self.clock = TheirClock()
        self.sizes = Sizes()
        self.answer_s = 0.0
        """How long AmoCRM's last answer took; 0 before the first."""

    def their_time(self) -> float | None:
        """Unix seconds by AmoCRM's own clock now, from the `Date` of its answers; None if not known. No request."""
        now_s = time.monotonic()
        return self.clock.at(now_s, now_s)

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
        """Send a write; `may_send` is asked right before the request leaves."""
        return self._send(method, path, operation, kind, json=body, subject=subject, live=live, may_send=may_send)

    post = partialmethod(write, "POST")
    patch = partialmethod(write, "PATCH")
    delete = partialmethod(write, "DELETE")

    def make(
        self, path: str, operation: str, key: str, item: dict[str, Any], **how: Any
    ) -> tuple[dict[str, Any], str | None]:
        """Create one item; the item as AmoCRM tells it, and AmoCRM's id of the request. `how`: as for `write`."""
        reply = self.post(path, operation, [item], **how)
        made = answers.items(reply.data, key)
        if not made:
            raise BrokenWord("garbled", operation=operation, request_id=reply.request_id)
        return made[0], reply.request_id

    def pages(
        self, path: str, key: str, operation: str, params: Params = (), *, limit: int = PAGE_LIMIT, live: bool = True
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield every page of a list, a request each, until AmoCRM names no next page.

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
        """Return a page of a list: data, number and size. A smaller page from the same place if AmoCRM
        cannot bring the whole; the size that worked is where the next question begins."""
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
        """The first 250 of a list. 1 request, more if AmoCRM cannot bring so many at once. `how`: as for `page`."""
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
    """Whether AmoCRM was asked for too much at once. `live`: somebody waits, so a question that took long is not tried
    again in another size."""
    if error.status == TOO_LONG_ADDRESS:
        return True
    return error.code in ("server_error", "too_large") or (error.code in ("too_slow", "cut_off") and not live)


def _same_place(page: int, limit: int, wanted: int) -> tuple[int, int]:
    """Convert a page's number and size to a smaller size: the new page begins at the same item."""
    return (page - 1) * (limit // wanted) + 1, wanted

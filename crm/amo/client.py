"""Calls in the name of a connected account: address and token in front, paging behind.

Who may be asked for the token, and what to do when it is refused, is `Tokens`' business; `crm.connection`
is one. The resource files beside this one use `Client` and nothing below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partialmethod
from typing import Any, Protocol

from crm.amo import answers
from crm.amo.door import Bearer, Call, Door, Params, Reply
from crm.errors import BrokenWord, DeskError, NotLetIn, SaidNo

PAGE_LIMIT = 250
"""Entities on a page: AmoCRM's greatest; more is silently cut (sheet 4.1)."""

SMALLER = {250: 50, 50: 10}
"""A page that AmoCRM cannot bring in time is asked for in smaller ones (sheet 4.1: a 504 means "less")."""

TRIES_OF_LARGE = 2
"""Before a page is asked for in smaller ones."""

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

    def moved(self, token: Token) -> Token | None:
        """The same token at the account's present address, after "not found"; None where the account has not moved."""


class Client:
    """AmoCRM's API for one account."""

    def __init__(self, door: Door, tokens: Tokens) -> None:
        self._door, self._tokens = door, tokens
        self.answer_s = 0.0
        """How long AmoCRM's last answer took; 0 before the first."""

    @property
    def account_url(self) -> str:
        """The address of the connected account. Raises where there is none."""
        return self._tokens.address()

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
        still: Callable[[], bool] | None = None,
    ) -> Reply:
        """One write; `still` is asked right before it leaves."""
        return self._send(method, path, operation, kind, json=body, subject=subject, live=live, still=still)

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
        self, path: str, operation: str, params: Params, page: int, limit: int, *, live: bool
    ) -> tuple[Any, int, int]:
        """One page of a list: its data, its number and its size. A smaller one that begins at the same place where AmoCRM
        cannot bring it; whoever looks at a screen waits for no such tries."""
        while True:
            smaller = None if live else SMALLER.get(limit)
            asked = [*params, ("page", page), ("limit", limit)]
            try:
                tries = TRIES_OF_LARGE if smaller else None
                return self.get(path, operation, asked, live=live, tries=tries).data, page, limit
            except DeskError as error:
                if smaller is None or not is_too_much(error):
                    raise
            page, limit = (page - 1) * (limit // smaller) + 1, smaller

    def _send(self, method: str, path: str, operation: str, kind: str, **rest: Any) -> Reply:
        token = self._tokens.current()
        call = Call(method, token.account_url + path, operation, kind, **rest)
        try:
            reply = self._door.request(call, Bearer(token.access))
        except (NotLetIn, SaidNo) as error:
            # Neither was carried out, so even a write may go again: with a better token, or to the present address.
            better = self._better(token, error)
            if better is None:
                raise
            token = better
            reply = self._door.request(replace(call, url=token.account_url + path), Bearer(token.access))
        self._tokens.worked(token)
        self.answer_s = reply.duration_s
        return reply

    def _better(self, token: Token, error: DeskError) -> Token | None:
        if error.code == "token_rejected":
            return self._tokens.after_rejection(token)
        return self._tokens.moved(token) if error.code == "not_found" else None


def is_too_much(error: DeskError) -> bool:
    """Whether AmoCRM was asked for more than it could bring."""
    return error.code in ("server_error", "too_slow", "cut_off", "too_large")

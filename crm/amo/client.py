"""Calls in the name of a connected account: address and token in front, paging behind.

Who may be asked for the token, and what to do when it is refused, is `Tokens`' business; `crm.connection`
is one. The resource files beside this one use `Client` and nothing below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from crm.amo import answers
from crm.amo.door import Bearer, Call, Door, Params, Reply
from crm.errors import BrokenWord, NotLetIn

PAGE_LIMIT = 250
"""Entities on a page: AmoCRM's greatest; more is silently cut (sheet 4.1)."""

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


class Client:
    """AmoCRM's API for one account."""

    def __init__(self, door: Door, tokens: Tokens) -> None:
        self._door, self._tokens = door, tokens

    @property
    def account_url(self) -> str:
        """The address of the connected account. Raises where there is none."""
        return self._tokens.current().account_url

    def get(self, path: str, operation: str, params: Params = (), *, live: bool = True) -> Reply:
        return self._send("GET", path, operation, "read", params=params, live=live)

    def post(
        self, path: str, operation: str, body: Any, *, kind: str, subject: str | None = None, live: bool = True
    ) -> Reply:
        return self._send("POST", path, operation, kind, json=body, subject=subject, live=live)

    def pages(
        self, path: str, key: str, operation: str, params: Params = (), *, limit: int = PAGE_LIMIT, live: bool = True
    ) -> Iterator[list[dict[str, Any]]]:
        """Every page of a list, one request each, until AmoCRM names no next one.

        A page that repeats the one before it ends the walk with `BrokenWord("same_page")`: some lists ignore
        `page` and would be read for ever (sheet 4.4).
        """
        before: list[Any] = []
        for page in range(1, MOST_PAGES):
            data = self.get(path, operation, [*params, ("page", page), ("limit", limit)], live=live).data
            found = answers.items(data, key)
            ids = [item["id"] for item in found]
            if ids and ids == before:
                raise BrokenWord("same_page", operation=operation, retryable=False)
            if found:
                yield found
            if not answers.has_next(data):
                return
            before = ids

    def _send(self, method: str, path: str, operation: str, kind: str, **rest: Any) -> Reply:
        token = self._tokens.current()
        call = Call(method, token.account_url + path, operation, kind, **rest)
        try:
            return self._door.request(call, Bearer(token.access))
        except NotLetIn as error:
            if error.code != "token_rejected":
                raise
        # A 401 was not carried out, so even a write may go again with a better token.
        token = self._tokens.after_rejection(token)
        return self._door.request(replace(call, url=token.account_url + path), Bearer(token.access))

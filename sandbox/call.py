"""A request for the functions that answer: read, identified, and with the club in its hands.

How it got here is `journey.py`; what is answered is `answers.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlencode

from sandbox import brackets
from sandbox.answers import Refusal, problem
from sandbox.changes import Work
from sandbox.config import Config
from sandbox.store.database import Store

MOST_ITEMS = 250
"""Entities in one POST or PATCH (sheet 4.1, D)."""


class Sandbox(Protocol):
    """The sandbox, as far as a call needs to know: its switches, and the ports of the portal and of the account."""

    config: Config
    portal_port: int
    account_port: int


@dataclass
class Call:
    """A request. `headers` have lower-case names; `path_params` are the route's."""

    world: Sandbox
    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes
    base_url: str
    """Scheme, host and port in the client's spelling: the beginning of every `_links` (sheet 9 A)."""
    peer: str
    """The client's address."""
    port: int
    """The port of arrival: after a rename the account lives at another port."""
    seq: int
    """The ledger's number of this request."""
    request_id: str
    """The answer's X-Request-Id."""
    path_params: dict[str, Any] = field(default_factory=dict)
    client_id: str | None = None
    visits: list[str] = field(default_factory=list)
    """Addresses AmoCRM is to GET once the request is through: the integration's own redirect URI."""
    destination_resolves: bool = False
    """Whether the webhook destination in the body has an address; looked up before the work begins."""
    work: Work = field(init=False)

    @property
    def store(self) -> Store:
        """The club."""
        return self.work.store

    @cached_property
    def query(self) -> brackets.Tree:
        """The query string in PHP's reading."""
        return brackets.parse(self.raw_query)

    @cached_property
    def extras(self) -> set[str]:
        """The names in `with=`."""
        return set(brackets.scalars(self.query.get("with")))

    @property
    def content_type(self) -> str:
        """The body's media type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def form(self) -> brackets.Tree:
        """The body as a form, in either of the two encodings PHP reads."""
        if self.content_type == "multipart/form-data":
            head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
            parts = message_from_bytes(head + self.body, policy=HTTP).iter_parts()
            pairs = [
                (str(part.get_param("name", header="content-disposition")), str(part.get_content()).rstrip("\r\n"))
                for part in parts
            ]
            return brackets.parse(urlencode(pairs))
        return brackets.parse(self.body.decode("utf-8", "replace"))

    def filter(self, name: str) -> Any:
        """`filter[name]` of the query, None where there is none."""
        filters = self.query.get("filter")
        return filters.get(name) if isinstance(filters, dict) else None

    def data(self) -> Any:
        """The JSON body. Refuses the request if the body is missing (sheet 4.3) or not JSON."""
        if not self.body.strip():
            raise Refusal(problem(400, "Request data can not be empty"))
        try:
            data = json.loads(self.body, parse_constant=_no_such_constant)
            json.dumps(data, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            # U: the text of AmoCRM's framework (Mezzio) for an unreadable body.
            raise Refusal(problem(400, "Error when parsing JSON request body: Syntax error")) from None
        if data is None or data == [] or data == {}:
            raise Refusal(problem(400, "Request data can not be empty"))
        return data

    def object(self) -> dict[str, Any]:
        """The JSON body of a route that takes one object; a list with a single object, as some clients send, will do."""
        data = self.data()
        if isinstance(data, list) and len(data) == 1:
            data = data[0]
        if not isinstance(data, dict):
            raise Refusal(problem(400, "Request validation failed"))
        return data

    @property
    def api_domain(self) -> str:
        """The host that always knows where the account lives (sheet 3.7): the port the sandbox was started on."""
        return self._at(self.world.portal_port)

    @property
    def account_domain(self) -> str:
        """The account's own host, as bare as in `referer` (sheet 3.2)."""
        return self.world.config.claimed_domain or self._at(self.world.account_port)

    def _at(self, port: int) -> str:
        netloc = self.base_url.partition("://")[2]
        if port == self.port:
            return netloc
        return f"{netloc.rpartition(':')[0] or netloc}:{port}"

    def url(self, path: str, query: str = "") -> str:
        """An absolute address on the host the client used."""
        return f"{self.base_url}{path}" + (f"?{query}" if query else "")

    def link(self, path: str) -> dict[str, Any]:
        """`_links` of one thing."""
        return {"self": {"href": self.url(path)}}


def _no_such_constant(name: str) -> None:
    """PHP's JSON knows no NaN and no Infinity."""
    raise ValueError(name)

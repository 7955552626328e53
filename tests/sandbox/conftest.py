"""One sandbox process for all these tests, as new before each of them, and a client that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.process import Sandbox, start
from tests.sandbox.receiver import Receiver

LEADS = 60
NO_LIMIT = 1_000_000


@pytest.fixture(scope="session")
def process() -> Iterator[Sandbox]:
    """The process itself; tests take `box`."""
    box = start(leads=0)
    yield box
    box.stop()


@pytest.fixture
def box(process: Sandbox) -> Iterator[Sandbox]:
    """A sandbox as after a start: 60 leads, nobody connected, no limit in the way. It must not break inside."""
    process.reset(leads=LEADS)
    process.config(rps=NO_LIMIT)
    yield process
    assert process.complaints() == ""


class Api:
    """A client of the REST API with an admin's token. Paths are relative to /api/v4."""

    def __init__(self, box: Sandbox, access_token: str | None = None) -> None:
        self.base = f"{box.url}/api/v4/"
        self.session = box.session(access_token)

    def __call__(self, method: str, path: str, **given: Any) -> requests.Response:
        return self.session.request(method, self.base + path, timeout=30, **given)

    def get(self, path: str, **given: Any) -> requests.Response:
        """GET."""
        return self("GET", path, **given)

    def post(self, path: str, data: Any, **given: Any) -> requests.Response:
        """POST of JSON."""
        return self("POST", path, json=data, **given)

    def patch(self, path: str, data: Any) -> requests.Response:
        """PATCH of JSON."""
        return self("PATCH", path, json=data)

    def delete(self, path: str, data: Any = None) -> requests.Response:
        """DELETE."""
        return self("DELETE", path, json=data)

    def items(self, path: str) -> list[dict[str, Any]]:
        """What a list embeds; empty for 204."""
        answer = self.get(path)
        if answer.status_code == 204:
            return []
        assert answer.status_code == 200, answer.text
        (found,) = answer.json()["_embedded"].values()
        return found

    def ids(self, path: str) -> list[int]:
        """The ids a list embeds."""
        return [item["id"] for item in self.items(path)]

    def made(self, path: str, *things: dict[str, Any]) -> list[int]:
        """The ids of things created in one POST."""
        answer = self.post(path, list(things))
        assert answer.status_code in (200, 201), answer.text
        (created,) = answer.json()["_embedded"].values()
        return [item["id"] for item in created]

    def lead(self, **fields: Any) -> int:
        """The id of a new lead."""
        return self.made("leads", fields)[0]


@pytest.fixture
def api(box: Sandbox) -> Api:
    """A client with an admin's token."""
    return Api(box)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somewhere webhooks can be sent to."""
    with Receiver() as listening:
        yield listening


def errors(answer: requests.Response) -> list[tuple[str, str, str]]:
    """(request_id, code, path) of every validation error."""
    assert answer.status_code == 400, answer.text
    return [
        (entry.get("request_id", ""), error["code"], error["path"])
        for entry in answer.json()["validation-errors"]
        for error in entry["errors"]
    ]

"""Bodies that do not come, and whether anybody waits for them."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
import sqlalchemy as sa

from desk.desk import Desk
from desk.intake.form_draft import FormDraft
from desk.web import body
from desk.web.api import build
from store.tables import submissions
from tests.desk.web.conftest import INTAKE, no_hurry
from tests.support.loops import in_a_loop

SITE = "https://fit.example"


class Sender:
    """Somebody elsewhere who sends the beginning of a body and no more."""

    def __init__(self, desk: Desk, path: str = "/crm", beginning: bytes = b"", **headers: str) -> None:
        self._desk, self._beginning = desk, beginning
        named = {"host": "desk.example.com", "content-type": "application/json", **headers}
        self._scope = {
            "type": "http", "method": "POST", "path": path, "root_path": "", "query_string": b"", "scheme": "http",
            "http_version": "1.1", "client": ("203.0.113.9", 5), "server": ("desk.example.com", 443),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }  # fmt: skip
        self.was_asked_for_more = 0
        self.status, self.head, self.body = 0, {}, b""

    def send(self) -> Sender:
        in_a_loop(build(lambda: self._desk, no_hurry()), self._scope, self._receive, self._hear)
        return self

    async def _receive(self) -> dict[str, Any]:
        self.was_asked_for_more += 1
        if self.was_asked_for_more > 1:
            await anyio.sleep_forever()
        return {"type": "http.request", "body": self._beginning, "more_body": True}

    async def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.head = (
                message["status"],
                {name.decode(): value.decode() for name, value in message["headers"]},
            )
        self.body += message.get("body", b"")

    @property
    def code(self) -> str:
        return json.loads(self.body)["code"]


def kept(desk: Desk) -> list[tuple[str, str]]:
    with desk.store.read() as db:
        return [(row.outcome, row.reason) for row in db.execute(sa.select(submissions))]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body has to come in no time."""
    monkeypatch.setattr(body, "ARRIVAL_S", 0.05)


def test_a_slow_body_is_kept_as_far_as_it_came(desk, at_once):
    """408 in the intake's words for whoever shows a form's key, to the site's script too; the form's log has what came."""
    made = desk.intake.forms.add(FormDraft("Главная", "Сайт", (SITE,)))
    key = desk.intake.forms.new_key(made.id)
    beginning = '{"name": "Иван", "phone": "8 999 123-45-67", '.encode()
    told = Sender(desk, beginning=beginning, authorization=f"Bearer {key}", origin=SITE).send()
    assert (told.status, told.code) == (408, "too_slow_body")
    assert told.head["access-control-allow-origin"] == SITE
    assert told.head["connection"] == "close"
    (line,) = desk.intake.log.page()
    assert (line.outcome, line.phone) == ("refused", "8 999 123-45-67")


def test_a_slow_body_of_nobodys_leaves_nothing(desk, at_once):
    """Without a key that has come it is nobody's, and no trace is kept of it."""
    told = Sender(desk, beginning=b'{"phone": "8 999 123-45-67", ').send()
    assert (told.status, told.code) == (408, "too_slow_body")
    assert kept(desk) == []


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/crm", {"authorization": "Bearer wrong-key"}),
        ("/crm/in/wrong-key", {}),
        ("/crm/in/wrong-key", {"authorization": f"Bearer {INTAKE}"}),
    ],
    ids=["in the head", "in the address", "in the address beside a right one"],
)
def test_a_wrong_key_is_not_listened_to(desk, path, headers):
    """401 for a key in the head or the address that nobody has, before anything of the body is asked for."""
    told = Sender(desk, path, **headers).send()
    assert (told.status, told.code, told.was_asked_for_more) == (401, "api_key_wrong", 0)
    assert told.head["www-authenticate"] == "Bearer"
    assert kept(desk) == []


@pytest.mark.parametrize("shown", [{"authorization": f"Bearer {INTAKE}"}, {}], ids=["a right key", "no key"])
def test_who_may_be_somebody_is_listened_to(desk, shown, at_once):
    """With a right key in the head, or with none, which may stand in the body, the body is read."""
    assert Sender(desk, beginning=b"{", **shown).send().was_asked_for_more > 1

"""Every answer of the table, said by the sandbox over a socket to a real door and a real client."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from crm import account
from crm.client import Client, Token
from crm.door import Door
from crm.errors import BrokenWord, DeskError, NotLetIn
from desk.desk import Desk
from sandbox.process import Sandbox, running_sandbox
from tests.crm.said import HTML, PROBLEM, SAID, SIGN_IN, Said
from tests.support.desks import desk_for

ACCOUNT, COMPLEX = "/api/v4/account", "/api/v4/leads/complex"
TOKEN = "/oauth2/access_token"


class NoPace:
    """Lets everything out at once; keeps the pauses AmoCRM asked for."""

    def __init__(self) -> None:
        self.pauses: list[float | None] = []

    def wait_turn(self, *, live: bool) -> float:
        return time.monotonic()

    def slow_down(self, retry_after_s: float | None) -> None:
        self.pauses.append(retry_after_s)


class OneToken:
    """A token nobody renews: what is seen is the answer itself."""

    def __init__(self, token: Token) -> None:
        self.token, self.rejected = token, 0

    def current(self) -> Token:
        return self.token

    def kept_out(self, token: Token, code: str) -> None:
        return None

    def after_rejection(self, rejected: Token) -> Token:
        self.rejected += 1
        raise NotLetIn("token_rejected", status=401)

    def worked(self, token: Token) -> None:
        pass

    def moved(self, token: Token) -> Token | None:
        return None


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running_sandbox(leads=3, rps=100_000) as running:
        yield running


@pytest.fixture
def door(desk: Desk) -> Iterator[Door]:
    """A door of its own, so that no pause of one answer holds up the next."""
    opened = Door(NoPace(), desk.journal)  # type: ignore[arg-type]
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def desk(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("said")
    with desk_for(box, folder, AMOCRM_MAX_RPS="7") as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_wrong(box: Sandbox) -> Iterator[None]:
    yield
    box.clear_faults()


def say(box: Sandbox, said: Said, path: str) -> None:
    """Have the sandbox answer so, until it is told otherwise."""
    body = base64.b64encode(said.body).decode()
    box.fault("status", path=path, status=said.status, content_type=said.content_type, body_base64=body)


@pytest.mark.parametrize("said", SAID, ids=str)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_over_a_socket(box: Sandbox, door: Door, said: Said, method: str) -> None:
    """Reads and writes alike: the class and the code of the table, and nothing of the answer in the error's text."""
    tokens = OneToken(Token(box.url, "x"))
    client = Client(door, tokens)
    say(box, said, ACCOUNT if method == "GET" else COMPLEX)
    with pytest.raises(DeskError) as raised:
        if method == "GET":
            client.get(ACCOUNT, "account.get", tries=1)
        else:
            client.post(COMPLEX, "leads.create", [{"name": "x"}], kind="lead")
    error = raised.value
    assert (type(error), error.code) == (said.error, said.code)
    assert (tokens.rejected == 1) == (said.code == "token_rejected")
    assert not [word for word in ("nginx", "поддержк", "html", "Вход") if word in f"{error} {error!r} {error.args}"]


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [(200, "application/hal+json", b"\xff\xfe\x00"), (200, "application/hal+json", "{\"a\": \"я\"}".encode("cp1251")), (200, PROBLEM, b"[[["),
     (200, "", b"Z"), (201, HTML, b""), (200, "text/plain", b"OK"), (502, "\u00ff/x".encode("latin-1").decode("latin-1"), b"\x00" * 10)],
    ids=str,
)  # fmt: skip
def test_nonsense_is_told(box: Sandbox, door: Door, status: int, content_type: str, body: bytes) -> None:
    """Bytes of no alphabet, half a JSON, a word: an error of ours, never an exception of another kind."""
    say(box, Said(status, content_type, body, BrokenWord, "", waits=False), ACCOUNT)
    client = Client(door, OneToken(Token(box.url, "x")))
    with pytest.raises(BrokenWord):
        account.current(client)


def test_a_mark_before_the_data_is_no_fault(box: Sandbox, door: Door) -> None:
    """A success that begins with a byte order mark is read."""
    whole = box.session().get(box.url + ACCOUNT, timeout=30).content
    say(box, Said(200, "application/hal+json", b"\xef\xbb\xbf" + whole, BrokenWord, "", waits=False), ACCOUNT)
    assert account.current(Client(door, OneToken(Token(box.url, "x")))).name == "FitZone"


@pytest.mark.parametrize("how", ["page", "redirect"])
def test_a_switched_off_person_costs_no_refresh(box: Sandbox, desk: Desk, how: str) -> None:
    """While AmoCRM shows its sign-in instead of data no refresh token is spent, however often it is asked."""
    user = box.state()["users"][0]["id"]
    box.config(switched_off=how)
    since = box.last_seq()
    box.edit("user", id=user, fields={"is_active": False})
    try:
        for _ in range(5):
            with pytest.raises(NotLetIn) as raised:
                account.current(desk.client)
            assert raised.value.code == "person_switched_off"
    finally:
        box.edit("user", id=user, fields={"is_active": True})
    assert [entry for entry in box.ledger("request", since=since) if entry["path"] == TOKEN] == []
    desk.connection.refresh_now()  # asks whether the person is let in again, and spends nothing
    assert account.current(desk.client).name == "FitZone"
    assert [entry for entry in box.ledger("request", since=since) if entry["path"] == TOKEN] == []


def test_the_way_to_the_sign_in_is_not_gone(box: Sandbox, desk: Desk) -> None:
    """No token follows a redirect: the address it names hears nothing."""
    box.fault("status", path=ACCOUNT, status=302, headers={"Location": f"{box.url}/stolen"}, body=SIGN_IN.decode())
    since = box.last_seq()
    with pytest.raises(NotLetIn):
        account.current(desk.client)
    assert {entry["path"] for entry in box.ledger("request", since=since)} == {ACCOUNT}
    assert requests.get(f"{box.url}/stolen", timeout=30).status_code == 404
    box.clear_faults()
    desk.connection.refresh_now()

"""Requests that never come whole, more of them than the desk has file handles: nobody else notices, and nothing is left of them."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median

import pytest

from desk.web.connections import BODY_S, HEAD_S
from tests.proxies.asking import ask
from tests.proxies.test_no_evidence import INTAKE, NOWHERE
from tests.support.programs import RunningDesk, free_port, local_cookies, running_desk, until

FILES = 256
"""All the handles this desk may have; the machine itself gives thousands."""

HALVES = 300

MOST_LOGGED_BYTES = 4_000
"""Told of 300 connections; a traceback for each try to accept one was some hundred megabytes."""

MOST_GROWN_BYTES = 48 * 1024 * 1024
"""What the desk's memory may have grown by, its first page and lead included."""

PAGE_S, LEAD_S = 1.0, 0.5
"""How long a colleague's page and a customer's lead may take meanwhile."""

BODY = (
    "POST /api/crm HTTP/1.1\r\nHost: desk.example.com\r\nX-Forwarded-For: 203.0.113.{}\r\n"
    "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{{"
)
HEAD = "GET /api/crm/thanks HTTP/1.1\r\nHost: desk.example.com\r\nX-Forwarded-For: 203.0.113.{}\r\nX-Half"

KINDS = {
    "one address's bodies": lambda number: BODY.format(44),
    "everybody's bodies": lambda number: BODY.format(number % 200),
    "heads": lambda number: HEAD.format(number % 200),
    "nothing at all": lambda number: "",
}


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[RunningDesk, int]]:
    public = free_port()
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "INTAKE_API_KEY": INTAKE, "PUBLIC_LISTEN": str(public)}
    with running_desk(FILES, **NOWHERE, **settings) as running:
        yield running, public


def send_halves(stack: ExitStack, port: int, kind: str) -> list[socket.socket]:
    lines = []
    for number in range(HALVES):
        line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=BODY_S + 60))
        lines.append(line)
        with suppress(ConnectionError):  # turned away already
            line.sendall(KINDS[kind](number).encode())
    return lines


def page(running: RunningDesk) -> int:
    """What a colleague's browser on the machine gets."""
    cookie = "; ".join(f"{name}={value}" for name, value in local_cookies().items())
    return ask(running.port, "/", f"localhost:{running.port}", Cookie=cookie).status


def lead(port: int, number: int) -> int:
    """What the site gets for a customer's lead, from an address of its own."""
    return ask(
        port,
        "/api/crm",
        "desk.example.com",
        method="POST",
        body=b'{"name": "\xd0\x9f\xd1\x91\xd1\x82\xd1\x80", "phone": "+7916123%04d"}' % number,
        Content_Type="application/json",
        Authorization=f"Bearer {INTAKE}",
        X_Forwarded_For=f"198.51.100.{number}",
    ).status


def memory(running: RunningDesk) -> int:
    """Bytes in use."""
    return int(Path(f"/proc/{running.pid}/statm").read_text().split()[1]) * 4096


def handles(running: RunningDesk) -> int:
    return len(list(Path(f"/proc/{running.pid}/fd").iterdir()))


@pytest.mark.parametrize(
    ("kind", "is_public"),
    [("one address's bodies", False), ("heads", False), ("nothing at all", False), ("everybody's bodies", True)],
)
def test_nobody_else_notices(desk, kind, is_public):
    """Pages open and leads are accepted while they hang; then the desk has ended them all, and the log tells it in lines."""
    running, public = desk
    port = public if is_public else running.port
    assert (page(running), lead(port, 1)) == (200, 202)
    logged, used, opened = len(running.log()), memory(running), handles(running)
    with ExitStack() as stack:
        lines = send_halves(stack, port, kind)
        assert [page(running) for _ in range(3)] == [200] * 3
        assert [_lead_after_all(port, number) for number in range(2, 5)] == [202] * 3
        for line in lines:
            _hear_the_end(line)
    until(lambda: handles(running) <= opened + 8, "the desk to let go of its handles", HEAD_S + BODY_S + 60)
    told = running.log()[logged:]
    assert "Traceback" not in told
    assert len(told) < MOST_LOGGED_BYTES, told
    assert memory(running) - used < MOST_GROWN_BYTES


def _lead_after_all(port: int, number: int) -> int:
    """A site sends again what it was told to send a little later, as the limit for all may have been used up."""
    told: list[int] = []

    def is_taken() -> bool:
        told.append(lead(port, number))
        return told[-1] != 429

    until(is_taken, "the limit to have room")
    return told[-1]


def _hear_the_end(line: socket.socket) -> None:
    """Read until the desk ends the connection; a test that waits in vain fails by its timeout."""
    with suppress(ConnectionError):
        while line.recv(65536):
            pass


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["one address's bodies", "heads"])
def test_nobody_else_waits(desk, kind):
    """Meanwhile the usual page takes less than a second and the usual lead less than half of one."""
    running, _ = desk
    assert (page(running), lead(running.port, 1)) == (200, 202)
    pages_s, leads_s = [], []
    with ExitStack() as stack:
        send_halves(stack, running.port, kind)
        for number in range(2, 9):
            began = time.perf_counter()
            assert page(running) == 200
            opened = time.perf_counter()
            assert lead(running.port, number) == 202
            pages_s.append(opened - began)
            leads_s.append(time.perf_counter() - opened)
    assert median(pages_s) < PAGE_S, pages_s
    assert median(leads_s) < LEAD_S, leads_s

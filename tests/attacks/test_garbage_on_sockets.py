"""Garbage over live connections: each is closed, the log says so in a few lines, the desk goes on."""

from __future__ import annotations

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.proxies.test_no_evidence import NOWHERE
from tests.support.programs import local_cookies, running_desk, until

GARBAGE = (b"\xff" * 50, b"\x00", "text", "", b"\xff\xff\xff\xff\x0f" * 200, "\u0000")
ROUNDS = 10
MOST_LINES = 40
"""Told of sixty broken connections; a traceback for each would be some 1,300."""


def test_garbage_makes_no_noise():
    """Sixty connections that speak nonsense leave a handful of lines and not one traceback; a page is served afterwards."""
    with running_desk(**NOWHERE) as desk:
        before = desk.log().count("\n")
        for message in GARBAGE * ROUNDS:
            with connect(
                f"ws://localhost:{desk.port}/_stcore/stream",
                subprotocols=["streamlit"],
                origin=f"http://localhost:{desk.port}",
                additional_headers={"Cookie": "; ".join(f"{name}={value}" for name, value in local_cookies().items())},
                max_size=None,
            ) as line:
                line.send(message)
                _until_closed(line)
        until(desk.is_up, "the desk to answer")
        told = desk.log()
        assert "Traceback" not in told
        assert told.count("\n") - before < MOST_LINES


def _until_closed(line) -> None:
    try:
        while True:
            line.recv(10)
    except ConnectionClosed:
        pass

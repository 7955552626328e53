"""Live connections that speak nonsense: one line, no traceback, and the rest counted."""

import logging

from desk.web.sockets import AGAIN_S, NOT_A_TEXT, TOLD_AT_ONCE, Calm, Sockets
from tests.support.loops import in_a_loop


def record(text="Error deserializing back message"):
    try:
        raise ValueError(text)
    except ValueError as error:
        return logging.LogRecord("x", logging.WARNING, "", 1, text, (), (ValueError, error, error.__traceback__))


def test_the_log_stays_calm():
    """A few lines of a kind without tracebacks, then silence, then how many there were."""
    moment = [0.0]
    calm = Calm(lambda: moment[0])
    told = [one for one in (record() for _ in range(300)) if calm.filter(one)]
    assert len(told) == TOLD_AT_ONCE
    assert [one for one in told if one.exc_info or one.exc_text] == []
    moment[0] = AGAIN_S
    again = record()
    assert calm.filter(again)
    assert again.getMessage() == f"Error deserializing back message (and {300 - TOLD_AT_ONCE} more)"
    assert calm.filter(record("another kind"))


def test_other_lines_pass():
    """A log that is calm about some lines tells all the others, with their tracebacks."""
    calm = Calm(lambda: 0.0, at_once=1, about=("Invalid", "connection "))
    assert [calm.filter(record("connection closed")) for _ in range(3)] == [True, False, False]
    faults = [record("Exception in ASGI application") for _ in range(3)]
    assert all(map(calm.filter, faults))
    assert all(one.exc_info for one in faults)


def test_a_text_ends_the_connection():
    """What is no bytes is not handed on; the application hears that the line is over, and nothing is sent after that."""
    heard, sent = [], []

    async def app(scope, receive, send):
        heard.extend([await receive(), await receive()])
        await send({"type": "websocket.send", "bytes": b"late"})

    messages = iter([{"type": "websocket.receive", "bytes": b"x"}, {"type": "websocket.receive", "text": "x"}])

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    in_a_loop(Sockets(app), {"type": "websocket"}, receive, send)
    assert [one["type"] for one in heard] == ["websocket.receive", "websocket.disconnect"]
    assert sent == [{"type": "websocket.close", "code": NOT_A_TEXT}]

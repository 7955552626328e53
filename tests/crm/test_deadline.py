"""A request ends at its deadline, wherever the other side begins to drip."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from crm import account, door, oauth, resolver, wire
from crm.deadline import Deadline
from crm.door import NOBODY, Bearer, Call
from crm.errors import BrokenWord, DeskError, NoAnswer, NotSent
from desk.settings import PROJECT
from tests.crm.dripping import HANDSHAKE, OK, PLACES, TRAILERS, dripping
from tests.support.programs import until

INTEGRATION = oauth.Integration("id", "secret", "http://localhost/back")
GENEROUS_S = 30.0
"""For what ends after a second, on a machine that does many other things."""


def ask(desk, method, url, deadline_s, **more):
    return desk.door.request(Call(method, url, "any", deadline_s=deadline_s, tries=1, **more), NOBODY)


CALLS = {
    "GET": lambda desk, url, deadline_s: ask(desk, "GET", url, deadline_s),
    "POST": lambda desk, url, deadline_s: ask(desk, "POST", url, deadline_s, json={"name": "x"}),
    "token": lambda desk, url, deadline_s: oauth.refresh(desk.door, url, INTEGRATION, "a refresh token"),
}


def outcome(call):
    """What a call raised, and how long it took."""
    began = time.monotonic()
    try:
        call()
    except DeskError as error:
        return error, time.monotonic() - began
    return None, time.monotonic() - began


@pytest.mark.parametrize("kind", CALLS)
def test_a_drip_anywhere_ends_in_time(box, desk, monkeypatch, kind):
    """From no status line to the last chunk: too slow, an unknown outcome, and others are served meanwhile."""
    monkeypatch.setattr(oauth, "TOKEN_DEADLINE_S", 1.0)
    results = {}
    with ExitStack() as held:
        servers = {place: held.enter_context(dripping(*what)) for place, what in PLACES.items()}
        threads = [
            threading.Thread(
                target=lambda place=place, server=server: results.update(
                    {place: outcome(lambda: CALLS[kind](desk, server.url, 1.0))}
                )
            )
            for place, server in servers.items()
        ]
        for thread in threads:
            thread.start()
        assert account.current(desk.client).name == "FitZone"
        for thread in threads:
            thread.join(GENEROUS_S)
    told = {place: (type(error), getattr(error, "code", None)) for place, (error, _) in results.items()}
    assert told == dict.fromkeys(PLACES, (NoAnswer, "too_slow"))


@pytest.mark.alone
@pytest.mark.parametrize("place", PLACES)
def test_a_drip_ends_within_a_second_of_its_deadline(box, desk, place):
    """Not before the deadline, and at most a second after it."""
    with dripping(*PLACES[place]) as server:
        error, took_s = outcome(lambda: ask(desk, "POST", server.url, 2.0, json={"name": "x"}))
    assert error.code == "too_slow"
    assert 1.9 <= took_s <= 3.0


@pytest.mark.alone
def test_a_token_call_has_fifteen_seconds(box, desk):
    """The deadline of a token call, as it is set: a body of a known length that drips ends it with "too slow"."""
    with dripping(*PLACES["body with a length"]) as server:
        error, took_s = outcome(lambda: CALLS["token"](desk, server.url, None))
    assert error.code == "too_slow"
    assert abs(took_s - oauth.TOKEN_DEADLINE_S) <= 1


def test_an_answer_that_is_whole_counts(box, desk):
    """What goes on after its last chunk has been answered: at the deadline the answer is taken, not thrown away."""
    with dripping(*TRAILERS) as server:
        assert ask(desk, "POST", server.url, 1.0).data == {}


def test_an_answer_that_came_in_time_counts_for_who_stood_still(box, desk, monkeypatch):
    """The whole answer lies in this machine when the deadline strikes, and its process wakes up after that: it is read."""
    read = door._read

    def late(response):
        until(lambda: wire._now.deadline.has_struck, "the deadline")
        return read(response)

    monkeypatch.setattr(door, "_read", late)
    with dripping(OK + b'Content-Length: 9\r\n\r\n{"a": 12}', b"") as server:
        assert ask(desk, "POST", server.url, 0.5).data == {"a": 12}
    with dripping(OK + b"Connection: close\r\n\r\n{}", b"") as server, pytest.raises(NoAnswer) as raised:
        ask(desk, "POST", server.url, 0.5)
    assert raised.value.code == "too_slow"


def test_a_forked_child_has_a_watchman_of_its_own():
    """The thread that hangs up does not live on in a forked process; the child begins another one."""
    program = (
        "import os, sys, threading, time\npause = threading.Event()\nfrom crm.deadline import Deadline\nDeadline(60)\nchild = os.fork()\n"
        "if child:\n    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "deadline, end = Deadline(0.1), time.monotonic() + 30\n"
        "while not deadline.has_struck and time.monotonic() < end:\n    pause.wait(0.01)\n"
        "os._exit(0 if deadline.has_struck else 1)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=False, timeout=60).returncode == 0


def test_a_handshake_that_drips_has_sent_nothing(box, desk):
    """A TLS server that never gets to its end: the request has not left and may be repeated."""
    with dripping(*HANDSHAKE) as server:
        error, _ = outcome(lambda: ask(desk, "POST", f"https://{server.address}", 1.0))
    assert (type(error), error.code) == (NotSent, "unreachable")


def test_a_drip_behind_tls_ends_too(box, desk, monkeypatch, tmp_path):
    """The line under an encrypted answer is hung up on like any other."""
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with dripping(*PLACES["header value"], tls=context) as one, dripping(*PLACES["chunk"], tls=context) as two:
        for server in (one, two):
            error, took_s = outcome(lambda server=server: ask(desk, "POST", f"https://{server.address}", 1.0))
            assert (type(error), error.code) == (NoAnswer, "too_slow")
            assert took_s < GENEROUS_S


def test_a_body_nobody_takes_ends(box, desk):
    """A server that reads nothing: part of the request may have left, so the outcome is unknown."""
    with dripping(b"", b"", reads=False) as server:
        error, _ = outcome(lambda: ask(desk, "POST", server.url, 4.0, json={"name": "x" * 12_000_000}))
    assert (type(error), error.code) == (NoAnswer, "too_slow")


def test_a_line_nobody_takes_ends(box, desk):
    """Where no connection is accepted any more nothing has left, and the deadline counts before the connect time-out."""
    with socket.socket() as full, ExitStack() as held:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        error, took_s = outcome(lambda: ask(desk, "POST", f"http://127.0.0.1:{full.getsockname()[1]}", 1.0))
    assert (type(error), error.code) == (NotSent, "unreachable")
    assert took_s < GENEROUS_S


def test_a_name_server_that_is_silent_ends(box, desk, monkeypatch):
    """Looking the name up counts as well; many who ask for one name hold one thread of the resolver."""
    answer, asked = threading.Event(), []

    def silent(*what):
        asked.append(what)
        answer.wait(GENEROUS_S)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    for _ in range(3):
        error, _ = outcome(lambda: ask(desk, "POST", "http://silent.example", 0.5))
        assert (type(error), error.code) == (NotSent, "unreachable")
    assert len(asked) == 1
    answer.set()


def test_a_name_that_is_unknown_is_asked_again(monkeypatch):
    """An answer is not kept: the next one to ask asks anew."""
    asked = []

    def unknown(*what):
        asked.append(what)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            resolver.addresses("unknown.example", 80, socket.AF_INET, GENEROUS_S)
    assert len(asked) == 2


def test_a_kept_line_is_not_hung_up_on_for_an_earlier_call(box, desk):
    """A line that went back after an answer in time serves the next call beyond the first one's deadline."""
    bearer = Bearer(desk.connection.current().access)
    desk.door.request(Call("GET", f"{box.url}/api/v4/account", "any", deadline_s=1.0), bearer)
    box.fault("slow", path="/api/v4/account", delay_ms=2500, times=1)
    call = Call("GET", f"{box.url}/api/v4/account", "any", deadline_s=GENEROUS_S, tries=1)
    assert desk.door.request(call, bearer).status == 200


def test_the_time_of_waiting_for_a_turn_does_not_count(box, desk):
    """Whoever is asked whether the request may still leave takes their time; the answer has all of its own."""
    waited = []

    def slow_to_say():
        struck = Deadline(1.5)
        while not struck.has_struck:
            threading.Event().wait(0.05)
        waited.append(True)
        return True

    bearer = Bearer(desk.connection.current().access)
    call = Call("GET", f"{box.url}/api/v4/account", "any", deadline_s=1.0, tries=1, may_send=slow_to_say)
    assert desk.door.request(call, bearer).status == 200
    assert waited


def test_an_answer_before_the_answer_is_none(box, desk):
    """A 103 and what follows it belong together: it is no success, and the line serves nobody else."""
    with dripping(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", b"") as server:
        for _ in range(2):
            error, _ = outcome(lambda: ask(desk, "POST", server.url, 5.0))
            assert (type(error), error.code) == (BrokenWord, "unexpected_answer")
        assert server.asked == 2


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy"])
def test_a_request_through_a_proxy_has_left(box, desk, monkeypatch, name):
    """Cut behind a proxy of the environment, a request has left and is not called unsent; one cut at the tunnel is."""
    with dripping(b"", b"", cuts=True) as proxy:
        monkeypatch.setenv(name, proxy.url)
        url = f"{name.partition('_')[0]}://amocrm.example/api"
        error, _ = outcome(lambda: ask(desk, "POST", url, 5.0, json={"name": "x"}))
    told = (NoAnswer, "cut_off") if name == "http_proxy" else (NotSent, "unreachable")
    assert (type(error), error.code) == told


def test_a_proxy_that_drips_ends(box, desk, monkeypatch):
    """Before a tunnel stands nothing of the request has left."""
    with dripping(*PLACES["headers"]) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        error, _ = outcome(lambda: ask(desk, "POST", "https://amocrm.example/api", 1.0))
    assert (type(error), error.code) == (NotSent, "unreachable")


def self_signed(folder):
    """A certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dripping")])
    began = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(began)
        .not_valid_after(began + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "dripping.pem"
    plain = serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(text + made.public_bytes(serialization.Encoding.PEM))
    return path

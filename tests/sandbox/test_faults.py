"""Faults on demand: what the client sees, and what really happened."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.testing import Sandbox, SandboxError, wait_until
from tests.sandbox.conftest import LEADS, Api

COMPLEX = "/api/v4/leads/complex"


def create(api: Api) -> requests.Response:
    """A lead by the route that matters most."""
    return api.post("leads/complex", [{"name": "x"}])


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(("action", "made"), [("cut_before", 0), ("cut_after", 1)])
def test_cut_connection(box: Sandbox, api: Api, how: str, action: str, made: int) -> None:
    """The client sees its connection break either way; whether the lead exists only the ledger knows."""
    fault = box.fault(action, path=COMPLEX, times=1, how=how)
    with pytest.raises(requests.ConnectionError):
        create(api)
    assert fault.fired == 1
    assert box.count("leads") == LEADS + made
    (entry,) = box.ledger("request", path=COMPLEX)
    assert entry["status"] == "cut"
    assert entry["fault"]["action"] == action
    assert entry.get("lost_status") == (200 if made else None)
    assert create(api).status_code == 200


def raw_exchange(box: Sandbox, path: str) -> bytes | str:
    """Every byte the server sends for a GET, or "reset"."""
    parts = urlsplit(box.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            return "reset"
        return received


@pytest.mark.parametrize(("how", "seen"), [("close", b""), ("reset", "reset")])
def test_cut_is_a_real_end_of_the_connection(box: Sandbox, how: str, seen: bytes | str) -> None:
    """Not one byte of an answer: an orderly FIN, or an RST."""
    box.fault("cut_before", path="/api/v4/account", how=how)
    assert raw_exchange(box, "/api/v4/account") == seen


def test_truncated_answer_announces_more_than_it_brings(box: Sandbox, api: Api) -> None:
    """The whole length in the head, half of it in the body, then the end."""
    whole = api.get("account").content
    box.fault("truncate", path="/api/v4/account", times=1)
    with pytest.raises(requests.RequestException):
        api.get("account")
    box.fault("truncate", path="/api/v4/leads")
    answer = raw_exchange(box, "/api/v4/leads")
    assert isinstance(answer, bytes)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert 0 < len(body) == length // 2
    assert api.get("account").content == whole


@pytest.mark.parametrize(
    ("status", "html", "content_type", "words"),
    [
        (400, None, "application/problem+json", "Возникла системная ошибка"),
        (401, None, "application/problem+json", "Неверный логин"),
        (402, None, "application/problem+json", "Payment Required"),
        (403, None, "application/problem+json", "Invalid scope"),
        (403, True, "text/html; charset=UTF-8", "nginx"),
        (404, None, "application/problem+json", "Not Found"),
        (404, True, "text/html; charset=UTF-8", "nginx"),
        (429, None, "application/problem+json", "retry_after"),
        (500, None, "application/problem+json", "ErrInternalServer"),
        (500, True, "text/html; charset=UTF-8", "nginx"),
        (502, None, "text/html; charset=UTF-8", "Bad Gateway"),
        (504, None, "text/html; charset=UTF-8", "Gateway Time-out"),
        (504, False, "application/problem+json", "Gateway Time-out"),
        (418, None, None, ""),
    ],
)  # fmt: skip
def test_any_status_with_its_documented_body(
    box: Sandbox, api: Api, status: int, html: bool | None, content_type: str | None, words: str
) -> None:
    """JSON or page as AmoCRM sends it; the request is not carried out."""
    more = {} if html is None else {"html": html}
    box.fault("status", path=COMPLEX, status=status, **more)
    answer = create(api)
    assert (answer.status_code, answer.headers.get("Content-Type")) == (status, content_type)
    assert words in answer.text
    assert box.count("leads") == LEADS


def test_504_after_the_work_was_done(box: Sandbox, api: Api) -> None:
    """The page says time-out, the lead is there."""
    box.fault("status_after", path=COMPLEX, status=504)
    answer = create(api)
    assert answer.status_code == 504
    assert box.count("leads") == LEADS + 1
    assert box.ledger("change", entity="leads")[0]["request_seq"] == box.ledger("request", path=COMPLEX)[0]["seq"]


def test_own_body_headers_and_type(box: Sandbox, api: Api) -> None:
    """A rule may say exactly what is answered."""
    box.fault(
        "status", status=200, body='{"x":1}', content_type="application/json", headers={"X-Odd": "1"}, path="*/account"
    )
    answer = api.get("account")
    assert (answer.json(), answer.headers["Content-Type"], answer.headers["X-Odd"]) == (
        {"x": 1},
        "application/json",
        "1",
    )


@pytest.mark.parametrize(
    ("more", "content_type", "starts"),
    [
        ({}, "text/html; charset=UTF-8", "<html>"),
        ({"kind": "invalid_json"}, "application/hal+json", '{"_page":1'),
        ({"kind": "wrong_shape"}, "application/hal+json", '{"ok":[]}'),
    ],
)
def test_garbage_with_200(box: Sandbox, api: Api, more: dict[str, Any], content_type: str, starts: str) -> None:
    """A page, half a JSON, or JSON of another shape; the work was done all the same."""
    box.fault("garbage", path=COMPLEX, **more)
    answer = create(api)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.text.startswith(starts)
    assert box.count("leads") == LEADS + 1


def test_empty_200(box: Sandbox, api: Api) -> None:
    """Where 204 should be, or a body."""
    box.fault("empty_200", path="*/account")
    answer = api.get("account")
    assert (answer.status_code, answer.content) == (200, b"")


def test_slow_before_and_after(box: Sandbox, api: Api) -> None:
    """A client that gives up while the sandbox waits before the work: it is carried out nevertheless."""
    box.fault("slow", path=COMPLEX, delay_ms=300, delay_after_ms=100, times=1)
    create(api)
    (entry,) = box.ledger("request", path=COMPLEX)
    assert entry["duration_ms"] >= 400
    (change,) = box.ledger("change", entity="leads")
    assert change["at"] - entry["at"] >= 0.3


def test_a_client_that_hangs_up_does_not_stop_the_work(box: Sandbox, api: Api) -> None:
    """The outcome is unknown to the client, and known to the ledger."""
    box.fault("slow", path=COMPLEX, delay_ms=400, times=1)
    with pytest.raises(requests.ReadTimeout):
        api.session.post(f"{api.base}leads/complex", json=[{"name": "late"}], timeout=0.1)
    wait_until(lambda: box.count("leads") == LEADS + 1, what="the late lead")


def test_half_a_request_is_no_request(box: Sandbox) -> None:
    """A client that breaks off while sending its body leaves no trace."""
    parts = urlsplit(box.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(f"POST {COMPLEX} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[".encode())
    assert box.session().get(f"{box.url}/api/v4/account", timeout=10).status_code == 200
    assert [entry["path"] for entry in box.ledger("request")] == ["/api/v4/account"]


def test_drip(box: Sandbox, api: Api) -> None:
    """The answer comes whole, in small pieces and slowly."""
    whole = api.get("account").content
    box.fault("drip", path="*/account", delay_ms=2)
    assert api.get("account").content == whole
    assert box.ledger("request")[-1]["duration_ms"] >= len(whole) / 16 * 2 * 0.9


# ── Which requests a rule hits ──────────────────────────────────────────────────────────────────────────────────────


def test_rules_match_by_method_path_query_and_body(box: Sandbox, api: Api) -> None:
    """All conditions must hold; the first rule that fires is carried out."""
    box.fault("status", status=418, method="post", path="/api/v4/*", body_contains='"marker"')
    box.fault("status", status=503, query_contains="page=2")
    assert api.post("leads", [{"name": "marker"}]).status_code == 418
    assert api.post("leads", [{"name": "other"}]).status_code == 200
    assert api.get("leads?page=2&limit=1").status_code == 503
    assert api.get("leads?limit=1").status_code == 200


def test_skip_and_times(box: Sandbox, api: Api) -> None:
    """Two pass, three are hit, the rest pass."""
    fault = box.fault("status", status=503, path="*/account", skip=2, times=3)
    assert [api.get("account").status_code for _ in range(7)] == [200, 200, 503, 503, 503, 200, 200]
    assert fault.fired == 3
    fault.remove()
    assert box.control("GET", "faults") == []


def test_probability_is_seeded(box: Sandbox, api: Api) -> None:
    """The same seed hits the same requests."""

    def statuses() -> list[int]:
        fault = box.fault("status", status=503, probability=0.5, seed=3, path="*/account")
        found = [api.get("account").status_code for _ in range(30)]
        fault.remove()
        return found

    first = statuses()
    assert {200, 503} == set(first)
    assert statuses() == first


def test_faults_hit_the_token_endpoint_but_never_the_control(box: Sandbox) -> None:
    """A rule for everything leaves the strings in the test's hands."""
    box.fault("status", status=503)
    assert requests.post(f"{box.url}/oauth2/access_token", json={}, timeout=10).status_code == 503
    assert box.state()["faults"] == 1
    box.clear_faults()
    assert box.state()["faults"] == 0


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ({"action": "explode"}, "cut_before"),
        ({"action": "status"}, "status"),
        ({"action": "status", "status": 99}, "200 to 599"),
        ({"action": "cut_before", "time": 1}, "time"),
        ({"action": "cut_before", "match": {"patth": "*"}}, "match"),
        ({"action": "cut_before", "times": "x"}, "times"),
        ({"action": "cut_before", "how": "gently"}, "close or reset"),
        ({"action": "garbage", "kind": "x"}, "invalid_json"),
        ({"action": "slow", "delay_ms": "1"}, "delay_ms"),
    ],
)
def test_bad_rules_are_told_what_would_do(box: Sandbox, rule: dict[str, Any], word: str) -> None:
    """A misspelt rule is refused: it must not look like a fault that never came."""
    with pytest.raises(SandboxError, match=word):
        box.control("POST", "faults", rule)
    assert box.control("GET", "faults") == []

"""Faults on demand: what the client sees, and what really happened."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.process import Sandbox, SandboxError, wait_until
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
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
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
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(f"POST {COMPLEX} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[".encode())
    assert box.session().get(f"{box.url}/api/v4/account", timeout=60).status_code == 200
    assert [entry["path"] for entry in box.ledger("request")] == ["/api/v4/account"]


def test_drip(box: Sandbox, api: Api) -> None:
    """The answer comes whole, in small pieces and slowly."""
    whole = api.get("account").content
    box.fault("drip", path="*/account", delay_ms=2)
    assert api.get("account").content == whole
    assert box.ledger("request")[-1]["duration_ms"] >= len(whole) / 16 * 2 * 0.9


def line_by_line(box: Sandbox, path: str) -> tuple[bytes, list[bytes]]:
    """Every byte the server sends for a GET, and in which portions they came."""
    parts = urlsplit(box.url)
    head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {box.grant()['access_token']}\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(head.encode())
        portions = []
        while piece := connection.recv(65536):
            portions.append(piece)
        return b"".join(portions), portions


@pytest.mark.parametrize("where", ["until_close", "chunked", "headers", "status_line"])
def test_drip_before_and_beside_the_body(box: Sandbox, api: Api, where: str) -> None:
    """Status line, head, a body that ends with the line, one in chunks: whole in the end, and slow where it should be."""
    whole = api.get("account").content
    box.fault("drip", path="*/account", where=where, delay_ms=3, piece=100 if "line" not in where else 1)
    answer, portions = line_by_line(box, "/api/v4/account")
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"http/1.1 200 ok"
    assert (b"transfer-encoding: chunked" in lines) == (where == "chunked")
    assert any(line.startswith(b"content-length:") for line in lines) == (where in ("headers", "status_line"))
    assert len(portions) > 3
    assert box.ledger("request")[-1]["duration_ms"] >= 3 * 3
    assert whole == body or where == "chunked"
    assert api.get("account").content == whole  # as a client reads it


@pytest.mark.parametrize("where", ["body", "until_close", "chunked", "headers", "status_line"])
def test_a_drip_ends_when_the_client_leaves(box: Sandbox, where: str) -> None:
    """Nobody is dripped at for hours: the ledger has the end soon after the client hung up."""
    box.fault("drip", path="*/account", where=where, delay_ms=1000, piece=1)
    parts = urlsplit(box.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(f"GET /api/v4/account HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        assert connection.recv(1)
    wait_until(lambda: box.ledger("request")[-1]["duration_ms"], what="the end of the drip")


@pytest.mark.parametrize("kind", ["leads", "contacts", "tasks"])
def test_a_list_of_nothing(box: Sandbox, api: Api, kind: str) -> None:
    """200 with an empty list where AmoCRM would say 204, or have rows."""
    box.fault("garbage", kind="empty_list", path=f"/api/v4/{kind}")
    answer = api.get(f"{kind}?limit=5")
    assert answer.status_code == 200
    assert answer.json()["_embedded"] == {kind: []}


def test_other_rows_than_were_asked_for(box: Sandbox, api: Api) -> None:
    """A filter that was not applied, and of the rows it left none that was asked for; by its address, another one."""
    asked = api.ids("leads?limit=3&order[id]=desc")
    box.fault("garbage", kind="other_rows", path="/api/v4/leads*", method="GET")
    query = "&".join(f"filter[id][]={id_}" for id_ in asked)
    found = api.ids(f"leads?{query}&limit=250")
    assert len(found) == LEADS - 3
    assert not set(found) & set(asked)
    assert len(api.ids("leads?query=nobody&limit=10&with=contacts")) == 10
    other = api.get(f"leads/{asked[0]}").json()
    assert other["id"] not in asked


@pytest.mark.parametrize(
    ("path", "key"), [("leads", "contacts"), ("leads?filter[id]=1", "contacts"), ("tasks", "leads")]
)
def test_the_list_of_another_entity(box: Sandbox, api: Api, path: str, key: str) -> None:
    """Contacts for leads, with their own numbers."""
    box.fault("garbage", kind="other_entity", times=1)
    answer = api.get(path).json()
    assert list(answer["_embedded"]) == [key]
    assert {row["id"] for row in answer["_embedded"][key]} <= {row["id"] for row in box.entities(key)}


def test_a_write_is_done_though_its_answer_is_of_another_question(box: Sandbox, api: Api) -> None:
    """The lead is there; what came back is a list of others."""
    box.fault("garbage", kind="other_rows", path="/api/v4/leads", method="POST", times=1)
    answer = api.post("leads", [{"name": "x"}])
    assert "_page" in answer.json()
    assert box.count("leads") == LEADS + 1


def test_bytes_that_are_no_text(box: Sandbox, api: Api) -> None:
    """A body given byte by byte; an empty type is none at all; what HTTP gives no body has none."""
    box.fault("status", status=400, body_base64="//4A", content_type="", path="*/account", times=1)
    answer = api.get("account")
    assert (answer.status_code, answer.content, answer.headers.get("Content-Type")) == (400, b"\xff\xfe\x00", None)
    for status in (204, 304):
        box.fault("status", status=status, body="x", path="*/account", times=1)
        assert api.get("account").content == b""
    assert api.get("account").status_code == 200


def test_processed_and_reset(box: Sandbox, api: Api) -> None:
    """Commit, then RST: `cut_after` with `how` reset; the client hears of nothing, the lead is there."""
    box.fault("cut_after", path=COMPLEX, how="reset", times=1)
    with pytest.raises(requests.ConnectionError):
        create(api)
    assert box.count("leads") == LEADS + 1


@pytest.mark.parametrize(
    ("heavy", "limit", "status"), [(50, 51, 504), (50, 50, 200), (0, 250, 200), (50, None, 200), (50, 250, 504)]
)
def test_pages_that_are_too_heavy(box: Sandbox, api: Api, heavy: int, limit: int | None, status: int) -> None:
    """A GET with a greater `limit` is the front end's 504; writes and whole lists pass."""
    box.config(heavy_limit=heavy)
    answer = api.get("leads" + (f"?limit={limit}" if limit else ""))
    assert answer.status_code == status
    assert api.post("leads", [{"name": "x"}]).status_code == 200
    if status == 504:
        assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
        assert box.ledger("request", status=504)


@pytest.mark.parametrize("how", ["page", "redirect", "json"])
def test_a_person_who_was_switched_off(box: Sandbox, api: Api, how: str) -> None:
    """A page with 401 or a way to the sign-in on every call (sheet 0, I), though the token endpoint hands out pairs; then all is well."""
    pair = box.grant()
    box.config(switched_off=how)
    box.edit("user", id=box.state()["users"][0]["id"], fields={"is_active": False})
    renewed = requests.post(
        f"{box.url}/oauth2/access_token", timeout=30,
        json={"client_id": box.client_id, "client_secret": box.client_secret, "redirect_uri": box.redirect_uri,
              "grant_type": "refresh_token", "refresh_token": pair["refresh_token"]},
    )  # fmt: skip
    assert renewed.status_code == 200
    api.session.headers["Authorization"] = f"Bearer {renewed.json()['access_token']}"
    for path in ("account", "leads", "contacts?query=1"):
        answer = api.get(path, allow_redirects=False)
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        assert (answer.status_code, kind) == {
            "page": (401, "text/html"), "redirect": (302, ""), "json": (401, "application/problem+json"),
        }[how]  # fmt: skip
    assert ("Location" in answer.headers) == (how == "redirect")
    box.edit("user", id=box.state()["users"][0]["id"], fields={"is_active": True})
    assert api.get("account").status_code == 200


def test_an_account_that_may_not_write(box: Sandbox, api: Api) -> None:
    """Code 244 for every write of a card (sheet 0, I), whatever is in it; reads go on."""
    box.config(account_refuses=True)
    for path in ("leads/complex", "leads", "contacts"):
        answer = api.post(path, [{"name": "x"}])
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
        assert answer.json()["detail"] == "Код ошибки 244. Обратитесь в техническую поддержку."
    assert api.get("leads").status_code == 200
    assert box.count("leads") == LEADS
    box.config(account_refuses=False)
    assert create(api).status_code == 200


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
    assert requests.post(f"{box.url}/oauth2/access_token", json={}, timeout=60).status_code == 503
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
        ({"action": "drip", "where": "middle"}, "status_line"),
        ({"action": "drip", "piece": 0}, "at least 1"),
        ({"action": "status", "status": 400, "body_base64": "?"}, "base64"),
    ],
)
def test_bad_rules_are_told_what_would_do(box: Sandbox, rule: dict[str, Any], word: str) -> None:
    """A misspelt rule is refused: it must not look like a fault that never came."""
    with pytest.raises(SandboxError, match=word):
        box.control("POST", "faults", rule)
    assert box.control("GET", "faults") == []

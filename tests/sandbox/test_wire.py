"""Wire details that clients depend on: content types, empty bodies, links, methods, odd requests."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.process import Sandbox
from tests.sandbox.conftest import Api


def raw(box: Sandbox, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """A request as it is written, without a client library's help: (status, headers, body)."""
    connection = http.client.HTTPConnection(urlsplit(box.url).netloc, timeout=60)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def bearer(api: Api) -> dict[str, str]:
    """The token's header."""
    return {"Authorization": str(api.session.headers["Authorization"])}


def test_success_and_error_types_have_no_charset(api: Api) -> None:
    """`application/hal+json` and `application/problem+json`, to the letter."""
    assert api.get("account").headers["Content-Type"] == "application/hal+json"
    assert api.get("nowhere").headers["Content-Type"] == "application/problem+json"


def test_nothing_is_204_with_not_one_byte(box: Sandbox, api: Api) -> None:
    """An empty list and a missing lead have neither body nor content type nor length."""
    for path in ("/api/v4/leads?filter[id]=1", "/api/v4/leads/1", "/api/v4/contacts/1", "/api/v4/tasks/1"):
        status, headers, body = raw(box, "GET", path, **bearer(api))
        assert (status, body) == (204, b"")
        assert not {"content-type", "content-length", "transfer-encoding"} & headers.keys()


def test_missing_single_may_be_404(box: Sandbox, api: Api) -> None:
    """By switch an unknown lead is a JSON 404, which clients treat alike."""
    box.config(missing_single=404)
    answer = api.get("leads/1")
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


def test_json_is_compact_and_keeps_letters(api: Api) -> None:
    """UTF-8 as it is, no escapes, no blanks."""
    content = api.get("leads/pipelines").content
    assert "Неразобранное".encode() in content
    assert b": " not in content


def test_unknown_route_is_told_with_its_address(box: Sandbox, api: Api) -> None:
    """JSON 404 with method and whole address and an exclamation mark."""
    for method in ("GET", "DELETE"):
        answer = api(method, "xyz")
        assert answer.status_code == 404
        assert answer.json()["detail"] == f"Cannot {method} {box.url}/api/v4/xyz!"


def test_outside_the_api_it_is_a_page(box: Sandbox, api: Api) -> None:
    """AmoCRM's own page, which is how one knows that no controller was reached."""
    answer = api.session.post(f"{box.url}/ajax/tasks/multiple/delete/", data={"ID[]": 1}, timeout=60)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "бескрайний космос" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "leads/{lead}/notes/1", 405),
        ("DELETE", "leads/notes/1", 405),
        ("DELETE", "leads/{lead}", 405),
        ("DELETE", "contacts/1", 405),
        ("PUT", "leads", 405),
        ("DELETE", "calls/1", 404),
        ("GET", "notes", 404),
        ("GET", "leads/unsorted/form/x", 404),
        ("DELETE", "tasks/1", 403),
    ],
)
def test_wrong_methods(api: Api, method: str, path: str, status: int) -> None:
    """405 with an empty body where the address exists, JSON 404 where it does not, 403 for a task nobody may delete."""
    lead = api.lead(name="x")
    answer = api(method, path.format(lead=lead))
    assert answer.status_code == status
    if status == 405:
        assert answer.content == b""
        assert answer.headers["Allow"]
    if status == 403:
        assert answer.json()["detail"] == "Invalid scope"


def test_without_a_token_even_unknown_routes_are_401(box: Sandbox) -> None:
    """Whoever is not let in learns nothing about what exists."""
    assert requests.get(f"{box.url}/api/v4/nowhere", timeout=60).status_code == 401


def test_links_begin_with_the_address_the_client_used(box: Sandbox, api: Api) -> None:
    """Scheme, host and port come from the request, so a client by another name is linked to that name."""
    port = urlsplit(box.url).port
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", "amo.test"):
        _, _, body = raw(box, "GET", "/api/v4/leads?limit=1", Host=host, **bearer(api))
        data = json.loads(body)
        assert data["_links"]["self"]["href"].startswith(f"http://{host}/api/v4/leads?")
        assert data["_embedded"]["leads"][0]["_links"]["self"]["href"].startswith(f"http://{host}/api/v4/leads/")


def test_get_and_delete_may_have_bodies(box: Sandbox, api: Api) -> None:
    """The official library sends `[]` with GET, and unsubscribing is a DELETE with a body."""
    assert api("GET", "account", json=[]).status_code == 200
    hook = {"destination": "http://127.0.0.1:9/x", "settings": ["add_lead"]}
    api.post("webhooks", hook)
    assert api.delete("webhooks", {"destination": hook["destination"]}).status_code == 204


def test_connection_is_kept(box: Sandbox, api: Api) -> None:
    """Several requests travel on one connection, an error among them."""
    connection = http.client.HTTPConnection(urlsplit(box.url).netloc, timeout=60)
    sockets = set()
    for path in ("/api/v4/account", "/api/v4/xyz", "/api/v4/leads/1", "/api/v4/account"):
        connection.request("GET", path, headers=bearer(api))
        connection.getresponse().read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1
    assert None not in sockets


def test_head_answers_like_get_without_the_body(box: Sandbox, api: Api) -> None:
    """HEAD has the length of what GET would send."""
    status, headers, body = raw(box, "HEAD", "/api/v4/account", **bearer(api))
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) == len(api.get("account").content)


def test_every_answer_has_a_request_id_the_ledger_knows(box: Sandbox, api: Api) -> None:
    """X-Request-Id is what support asks for; here the ledger finds the request by it."""
    answer = api.get("nowhere")
    (entry,) = box.ledger("request", request_id=answer.headers["X-Request-Id"])
    assert (entry["path"], entry["status"]) == ("/api/v4/nowhere", 404)


@pytest.mark.parametrize("body", [b"", b"  ", b"[]", b"{}", b"null"])
def test_empty_body_is_told(box: Sandbox, api: Api, body: bytes) -> None:
    """`Request data can not be empty`."""
    status, _, content = raw(box, "POST", "/api/v4/leads", body, **bearer(api))
    assert (status, json.loads(content)["detail"]) == (400, "Request data can not be empty")


@pytest.mark.parametrize(
    "body", [b"{", b"nonsense", b'[{"name": NaN}]', b'[{"name": "\\ud800"}]', b"\xff\xfe", b"[" * 100_000]
)
def test_unreadable_body_is_400(box: Sandbox, api: Api, body: bytes) -> None:
    """What PHP could not read is refused, and nothing breaks."""
    status, headers, _ = raw(box, "POST", "/api/v4/leads", body, **bearer(api))
    assert (status, headers["content-type"]) == (400, "application/problem+json")


def test_too_long_an_address_is_nginxs_414(api: Api) -> None:
    """250 ids fit, a thousand do not."""
    assert api.get("leads?" + "&".join(f"filter%5Bid%5D%5B%5D={38473000 + at}" for at in range(250))).status_code == 200
    answer = api.get("leads?" + "&".join(f"filter%5Bid%5D%5B%5D={38473000 + at}" for at in range(1000)))
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (414, "text/html")


@pytest.mark.parametrize(
    "path",
    [
        "leads?page=99999999999999999999&limit=99999999999999999999",
        "leads?page=-1&limit=-5",
        "leads?page[]=1&limit[a]=b",
        "leads?filter=1&order=2&with[]=contacts",
        "leads?filter[id][a][b]=1",
        "leads?filter[created_at][from][]=1",
        "leads?filter[statuses]=1&filter[statuses][0]=2",
        "leads?query[]=x",
        "leads?query=%22*()+-AND",
        "leads?query=%00",
        "leads?filter[id]=99999999999999999999999",
        "leads/99999999999999999999999",
        "contacts?filter[name][]=%F0%9F%98%80",
        "events?filter[value_after][leads_statuses]=1",
        "events?filter[created_at]=1,2,3",
        "leads/notes?filter[note_type]=nothing",
        "%FF%FE",
    ],
)
def test_odd_questions_break_nothing(box: Sandbox, api: Api, path: str) -> None:
    """Whatever is asked, the answer is one a client knows, never a stack trace."""
    assert api.get(path).status_code in (200, 204, 404)


@pytest.mark.parametrize(
    "item",
    [
        {"price": 10**30},
        {"price": 1e400},
        {"name": "\u0000"},
        {"name": "x" * 100_000},
        {"custom_fields_values": {"a": 1}},
        {"custom_fields_values": [[1, 2]]},
        {"custom_fields_values": [{"field_id": True, "values": [{"value": {}}]}]},
        {"_embedded": {"tags": [None, 1, {}]}},
        {"_embedded": {"contacts": {"x": 1}}},
        {"_embedded": []},
        {"_embedded": "x"},
        {"responsible_user_id": [1]},
        {"request_id": {"a": 1}},
        {"loss_reason_id": {}},
    ],
)
def test_odd_items_break_nothing(box: Sandbox, api: Api, item: dict[str, Any]) -> None:
    """Nonsense in any property is accepted or refused as AmoCRM does both, never a stack trace."""
    body = json.dumps([item]).replace("Infinity", "1e999").encode()
    status, _, _ = raw(box, "POST", "/api/v4/leads", body, **bearer(api))
    assert status in (200, 400)
    for path in ("contacts", "companies", "leads/complex", "tasks", "leads/notes", "leads/unsorted/forms"):
        assert raw(box, "POST", f"/api/v4/{path}", body, **bearer(api))[0] in (200, 400)

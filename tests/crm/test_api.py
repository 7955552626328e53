"""The desk over HTTP: who may, what is refused where, what an answer looks like. No AmoCRM is needed for it."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from crm.api import LARGEST_BODY_BYTES
from crm.desk import Desk
from crm.routes import routes
from crm.settings import load

ADMIN, INTAKE = "admin-key-0123456789", "intake-key-0123456789"
LEAD = {
    "name": "Иван Иванов",
    "phone": "+7 (999) 123-45-67",
    "direction": "Йога",
    "message": "Хочу записаться на тренировку",
}
NOWHERE = {
    "AMOCRM_API_URL": "http://127.0.0.1:1",
    "AMOCRM_CLIENT_ID": "id-of-nobody",
    "AMOCRM_CLIENT_SECRET": "secret-of-nobody",
}


def open_desk(tmp_path, **settings):
    return Desk(load(NOWHERE | settings, tmp_path))


@pytest.fixture
def desk(tmp_path):
    opened = open_desk(tmp_path, ADMIN_API_KEY=ADMIN, INTAKE_API_KEY=INTAKE)
    yield opened
    opened.close()


@pytest.fixture
def local(desk):
    """A caller on this machine."""
    return client_of(desk)


@pytest.fixture
def remote(desk):
    """A caller from elsewhere."""
    return client_of(desk, peer="10.1.2.3", host="desk.example.com")


def client_of(desk, peer="127.0.0.1", host="localhost:8501"):
    app = Starlette(routes=routes(lambda: desk))
    return TestClient(app, base_url=f"http://{host}", client=(peer, 50000), follow_redirects=False)


def test_a_lead_is_accepted(local, desk):
    """202 with our id and the address to ask at; the lead is on the disk although AmoCRM is nowhere."""
    answer = local.post("/api/crm", json=LEAD)
    assert answer.status_code == 202
    body = answer.json()
    assert body["status"] == "accepted"
    assert body["status_url"] == f"http://localhost:8501/api/crm/{body['id']}"
    where = local.get(f"/api/crm/{body['id']}").json()
    assert (where["id"], where["status"]) == (body["id"], "queued")


def test_each_field_is_refused_by_itself(local, desk):
    """422 names every faulty field with a code and a sentence; nothing is accepted."""
    answer = local.post("/api/crm", json={"name": "<b>", "phone": "восемь", "direction": 5, "message": "x" * 5000})
    assert answer.status_code == 422
    errors = {error["field"]: error for error in answer.json()["errors"]}
    assert {field: error["code"] for field, error in errors.items()} == {
        "name": "markup", "phone": "phone_letters", "direction": "not_text", "message": "too_long",
    }  # fmt: skip
    assert errors["message"]["message"] == "Слишком длинно: не больше 4\u00a0000 символов."
    assert desk.outbox.deliver_due() == 0


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"", "application/json", 400, "json_broken"), (b"{", "application/json", 400, "json_broken"),
        (b"\xff\xfe", "application/json", 400, "json_broken"), (b"[" * 60000, "application/json", 400, "json_broken"),
        (b"[]", "application/json", 422, "object_wanted"), (b'"x"', "application/json", 422, "object_wanted"),
        (b"null", "application/json", 422, "object_wanted"), (b"{}", "text/plain", 415, "json_wanted"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "json_wanted"),
        (b" " * (LARGEST_BODY_BYTES + 1), "application/json", 413, "too_large_body"),
    ],
    ids=str,
)  # fmt: skip
def test_bodies_that_are_none(local, content, kind, status, code):
    """What is not a small JSON object gets its own answer and never a 500."""
    answer = local.post("/api/crm", content=content, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert answer.json()["remedy"]


def test_a_local_caller_needs_no_intake_key_and_a_remote_one_does(local, remote):
    """The landing page on another machine shows its key; a wrong one is refused."""
    assert local.post("/api/crm", json=LEAD).status_code == 202
    assert remote.post("/api/crm", json=LEAD).status_code == 401
    assert remote.post("/api/crm", json=LEAD, headers={"authorization": f"Bearer {ADMIN}"}).status_code == 401
    assert remote.post("/api/crm", json=LEAD, headers={"authorization": f"Bearer {INTAKE}"}).status_code == 202


def test_a_page_from_elsewhere_cannot_post_through_a_local_browser(local):
    """A local browser that a foreign page makes send a lead is a foreign caller."""
    assert local.post("/api/crm", json=LEAD, headers={"origin": "https://evil.example"}).status_code == 401


def test_without_keys_the_ways_in_are_shut(tmp_path):
    """No key set: /api/amocrm is shut for everybody, /api/crm for everybody from elsewhere."""
    desk = open_desk(tmp_path)
    local, remote = client_of(desk), client_of(desk, "10.1.2.3", "desk.example.com")
    for caller, method, path in (
        (local, "get", "/api/amocrm/auth"), (local, "get", "/api/amocrm/callback"), (local, "post", "/api/amocrm/callback"),
        (remote, "post", "/api/crm"), (remote, "get", "/api/crm/x"),
    ):  # fmt: skip
        answer = caller.request(method, path, headers={"authorization": "Bearer "})
        assert (answer.status_code, answer.json()["code"]) == (403, "api_shut")
    desk.close()


@pytest.mark.parametrize(
    ("method", "path"), [("get", "/api/amocrm/auth"), ("get", "/api/amocrm/callback"), ("post", "/api/amocrm/callback")]
)
def test_the_admin_key_guards_the_connection(local, method, path):
    """Even on this machine /api/amocrm wants its key, as a bearer."""
    assert local.request(method, path).status_code == 401
    assert local.request(method, path, headers={"authorization": f"Bearer {INTAKE}"}).status_code == 401
    assert local.request(method, path, headers={"authorization": f"Basic {ADMIN}"}).status_code == 401
    assert local.request(method, path, headers={"authorization": f"Bearer {ADMIN}"}).status_code != 401


def test_auth_gives_an_address_with_a_state(local):
    """{"auth_url"} leads to AmoCRM's consent page with a state of its own each time."""
    first, second = (
        local.get("/api/amocrm/auth", headers={"authorization": f"Bearer {ADMIN}"}).json()["auth_url"] for _ in range(2)
    )
    assert first.startswith("https://www.amocrm.ru/oauth?client_id=id-of-nobody&state=")
    assert first != second


def test_status_tells_no_secret(local):
    """Without a query the callback tells the connection's state, at least the contract's keys."""
    body = local.get("/api/amocrm/callback", headers={"authorization": f"Bearer {ADMIN}"}).json()
    assert body.keys() >= {"connected", "state", "account", "expires_at", "refreshed_at"}
    assert (body["connected"], body["state"]) == (False, "not_connected")


def test_refreshing_what_is_not_connected(local):
    """409 with the code and what to do."""
    answer = local.post("/api/amocrm/callback", headers={"authorization": f"Bearer {ADMIN}"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_connected")


@pytest.mark.parametrize("given", ["", 5, [], "x" * 5000])
def test_a_refresh_token_that_is_none(local, given):
    """An empty, endless or non-text refresh token is refused at its field and goes nowhere."""
    answer = local.post(
        "/api/amocrm/callback", json={"refresh_token": given}, headers={"authorization": f"Bearer {ADMIN}"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "refresh_token"


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("code=x&state=never-begun&referer=fitzone.amocrm.ru", "state_unknown"), ("code=x", "state_unknown"),
        ("code=&state=", "state_unknown"), ("error=access_denied&state=never-begun", "state_unknown"),
        (f"code={'x' * 5000}&state=y", "state_unknown"), ("code=x&state=%00%ff", "state_unknown"),
    ],
)  # fmt: skip
def test_a_callback_nobody_began(local, remote, query, result):
    """An answer that belongs to no begun connection leads back to the page, which says so; nothing is exchanged."""
    for caller in (local, remote):
        answer = caller.get(f"/api/amocrm/callback?{query}")
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/connection?result={result}"


def test_start_binds_the_state_to_the_browser(local):
    """The button's address sends the browser on with a cookie only the callback gets back."""
    answer = local.get("/connection/start")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("https://www.amocrm.ru/oauth?")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "path=/api/amocrm/callback" in cookie
    state = answer.headers["location"].partition("state=")[2]
    local.cookies.clear()
    other = local.get(f"/api/amocrm/callback?code=x&state={state}&referer=fitzone.amocrm.ru")
    assert other.headers["location"] == "/connection?result=state_of_another_browser"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/crm/unknown", 404), ("get", "/api/crm/" + "x" * 500, 404), ("get", "/api/crm/%00", 404),
        ("get", "/api/nothing", 404), ("delete", "/api/crm", 405), ("put", "/api/crm", 405), ("get", "/api/crm", 405),
    ],
)  # fmt: skip
def test_addresses_that_are_none(local, method, path, status):
    """Wrong addresses and methods are answered in words, as JSON."""
    answer = local.request(method, path)
    assert answer.status_code == status
    assert answer.json()["message"]


def test_openapi_describes_the_intake(local):
    """The description names the lead's fields and their limits."""
    schema = local.get("/api/openapi.json").json()["paths"]["/crm"]["post"]["requestBody"]["content"][
        "application/json"
    ]["schema"]
    assert schema["required"] == ["name", "phone"]
    assert set(schema["properties"]) == {"name", "phone", "direction", "source", "message"}


def test_health_and_readiness(local, desk):
    """Alive is alive; ready says what is red."""
    assert local.get("/healthz").json() == {"status": "ok"}
    answer = local.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "checks": {"database": "ok", "connection": "not_connected", "delivery": "stopped"},
    }

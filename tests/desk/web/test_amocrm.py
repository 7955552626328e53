"""The connection over HTTP: who may, what is refused where, what an answer looks like. No AmoCRM is needed for it."""

import pytest

from tests.desk.web.conftest import ADMIN, INTAKE, client_of, open_desk


def test_without_a_key_the_way_in_is_shut(tmp_path):
    """No ADMIN_API_KEY set: /api/amocrm is shut for everybody."""
    desk = open_desk(tmp_path)
    local = client_of(desk)
    for method, path in (("get", "auth"), ("get", "callback"), ("post", "callback")):
        answer = local.request(method, f"/api/amocrm/{path}", headers={"authorization": "Bearer "})
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


def test_health_and_readiness(local, desk):
    """Alive is alive; ready says what is red, and since when."""
    assert local.get("/healthz").json() == {"status": "ok"}
    answer = local.get("/readyz")
    assert answer.status_code == 503
    told = answer.json()
    assert told.keys() == {"ready", "checks", "since", "clock_jump"}
    assert told["ready"] is False
    red = {name: code for name, code in told["checks"].items() if code != "ok"}
    assert red == {"connection": "not_connected", "delivery": "stopped", "mirror": "empty"}
    assert told["checks"]["database"] == "ok"
    assert told["since"].keys() == red.keys()
    assert local.get("/readyz").json()["since"] == told["since"]

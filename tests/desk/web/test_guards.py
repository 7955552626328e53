"""What an admin's program and browser may do twice: a refresh by hand, and the address of a consent loaded again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from desk.connection import DOUBLE_PRESS, JUST_REFRESHED
from desk.desk import Desk
from sandbox.process import Sandbox, running_sandbox
from store import clock
from tests.crm.connection.conftest import token_calls
from tests.desk.web.conftest import ADMIN, client_of
from tests.support.desks import KEY, desk_for

ADDRESS = "/api/amocrm/callback"
BEARER = {"authorization": f"Bearer {ADMIN}"}
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def module_box() -> Iterator[Sandbox]:
    with running_sandbox(leads=5, rps=1000) as running:
        yield running


@pytest.fixture
def box(module_box: Sandbox) -> Sandbox:
    module_box.reset(leads=5)
    return module_box


@pytest.fixture
def open_desks(box, tmp_path, store_url):
    """Desks on one database, as processes would be."""
    more = {"DATABASE_URL": store_url, "SECRET_KEY": KEY, "ADMIN_API_KEY": ADMIN, "AMOCRM_MAX_RPS": "7"}
    with desk_for(box, tmp_path, **more) as one, desk_for(box, tmp_path, connected=False, **more) as other:
        yield one, other


@pytest.fixture
def desk(open_desks) -> Desk:
    return open_desks[0]


@pytest.fixture
def web(desk) -> TestClient:
    return client_of(desk)


def post(web, **body):
    return web.post(ADDRESS, headers=BEARER, json=body or None)


def test_a_program_that_loops_spends_one_key(web, box):
    """Twenty calls in a row refresh once; the others are told how long to wait, and that they may insist."""
    since = box.last_seq()
    answers = [post(web) for _ in range(20)]
    assert [answer.status_code for answer in answers] == [200, *[429] * 19]
    assert answers[1].json()["code"] == "refreshed_just_now"
    assert "confirm" in answers[1].json()["remedy"]
    assert 1 <= int(answers[1].headers["retry-after"]) <= JUST_REFRESHED.total_seconds()
    assert len(token_calls(box, since)) == 1


def test_who_insists_may_and_nobody_presses_twice(web, box):
    """`confirm` goes past the five minutes, and not past a double press."""
    since = box.last_seq()
    assert post(web).status_code == 200
    assert post(web, confirm=True).status_code == 429
    with clock.moved(DOUBLE_PRESS + SECOND):
        assert post(web).status_code == 429
        assert post(web, confirm=False).status_code == 429
        assert post(web, confirm=True).status_code == 200
    with clock.moved(DOUBLE_PRESS + JUST_REFRESHED + 2 * SECOND):
        assert post(web).status_code == 200
    assert len(token_calls(box, since)) == 3


@pytest.mark.parametrize("confirm", ["yes", 1, None, []])
def test_a_confirmation_that_is_none(web, box, confirm):
    """Only true and false are; nothing is spent on anything else."""
    since = box.last_seq()
    answer = post(web, confirm=confirm)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "confirm")
    assert token_calls(box, since) == []


def test_two_processes_refresh_once(open_desks, box):
    """The guard is in the database: called on both at once, over and over, one key is spent."""
    since, callers = box.last_seq(), [client_of(desk) for desk in open_desks]
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda number: post(callers[number % 2]).status_code, range(16)))
    assert set(codes) <= {200, 429}
    assert 200 in codes
    assert len(token_calls(box, since)) == 1


def test_after_a_failure_it_waits_ten_seconds(web, box):
    """An AmoCRM that is down is not asked by each call of a loop; who insists is let through."""
    box.fault("status", path="/oauth2/access_token", status=402)
    since = box.last_seq()
    codes = [post(web).status_code for _ in range(5)]
    assert codes[1:] == [429] * 4
    assert len(token_calls(box, since)) == 1
    post(web, confirm=True)
    assert len(token_calls(box, since)) == 2


# The address of a consent


@pytest.fixture
def consent(box, web):
    """A consent begun in this browser, and AmoCRM's answer to it."""
    state = parse_qs(urlsplit(web.get("/connection/start").headers["location"]).query)["state"][0]
    answer = box.approve(f"{box.url}/oauth?client_id={box.client_id}&state={state}")
    return urlsplit(answer).query


def result(web, query):
    answer = web.get(f"{ADDRESS}?{query}")
    assert answer.status_code == 303
    return answer.headers["location"].partition("result=")[2]


def test_the_very_answer_loaded_again_reads_as_connected(web, consent):
    """The browser that has just connected and loads the page again is told the same."""
    assert [result(web, consent) for _ in range(3)] == ["ok", "ok", "ok"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda query: "error=access_denied&state=x", "state_unknown"), (lambda query: "code=x&state=y", "state_unknown"),
        (lambda query: "code=x", "state_unknown"), (lambda query: "error=x", "state_unknown"),
        (lambda query: f"error=access_denied&{query}", "state_unknown"), (lambda query: f"error=x&{query}", "state_unknown"),
        (lambda query: query.replace("code=", "code=x"), "state_unknown"),
        (lambda query: query.replace("state=", "state=x"), "state_unknown"),
    ],
)  # fmt: skip
def test_nothing_else_reads_as_connected(web, desk, consent, change, told):
    """Made-up addresses, a denial, another code: none is "ok", however short a while ago somebody has connected."""
    assert result(web, consent) == "ok"
    assert result(web, change(consent)) == told
    assert desk.connection.status().connected


def test_another_browser_is_not_told(desk, web, consent):
    """Whoever got hold of the address alone learns nothing of it."""
    assert result(web, consent) == "ok"
    assert result(client_of(desk), consent) == "state_unknown"


def test_it_is_told_of_the_present_connection_alone(desk, web, box, consent):
    """After another connection, a disconnect or twenty minutes the same address is an old one."""
    assert result(web, consent) == "ok"
    with clock.moved(timedelta(minutes=20)):
        assert result(web, consent) == "state_unknown"
    desk.connection.adopt(box.grant()["refresh_token"])
    assert result(web, consent) == "state_unknown"


def test_after_a_disconnect_it_is_not_told(desk, web, consent):
    """A connection that was given up is none."""
    assert result(web, consent) == "ok"
    desk.disconnect()
    assert result(web, consent) == "state_unknown"


def test_a_failed_exchange_never_reads_as_connected(desk, web, box, consent):
    """The state is spent, the code was refused: loaded again it is no success, although the desk is connected otherwise."""
    box.fault("status", path="/oauth2/access_token", status=500, times=1)
    assert result(web, consent) == "server_error"
    assert result(web, consent) == "state_unknown"
    assert desk.connection.status().connected


def test_a_made_up_address_ends_no_consent_under_way(web, consent):
    """A page that leads the admin's browser to an address of its own does not take the cookie of a begun consent away."""
    assert result(web, "error=access_denied&state=x") == "state_unknown"
    assert result(web, consent) == "ok"

"""Pages of other origins and foreign names: what is for people and tests here is not for them."""

from __future__ import annotations

import pytest
import requests

from sandbox.process import Sandbox


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.test"}, {"Origin": "null"}, {"Origin": "http://localhost:1"}, {"Host": "rebind.evil"},
     {"Host": "localhost.evil.test"}, {"Host": "[::1"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/_sandbox/edit"), ("POST", "/_sandbox/grant"), ("GET", "/_sandbox/state"), ("POST", "/oauth")],
)
def test_strangers_press_no_button(box: Sandbox, headers, method, path):
    """Neither a page elsewhere through somebody's browser, nor a name that was made to point here."""
    before = box.count("leads")
    body = {"action": "delete", "entity": "leads", "id": 38473005}
    answer = requests.request(method, box.url + path, json=body, headers=headers, timeout=10)
    assert answer.status_code == 403
    assert "access_token" not in answer.text
    assert box.count("leads") == before


def test_its_own_pages_may(box: Sandbox):
    """The consent page posts to where it came from."""
    answer = requests.get(f"{box.url}/_sandbox/state", headers={"Origin": box.url}, timeout=10)
    assert answer.status_code == 200


def test_the_account_answers_as_amocrm_does(box: Sandbox):
    """What asks for a token is left alone: without one it is 401, whoever asks."""
    answer = requests.get(f"{box.url}/api/v4/account", headers={"Origin": "http://evil.test"}, timeout=10)
    assert answer.status_code == 401

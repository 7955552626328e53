"""A refresh whose answer is slow, cut, halved, HTML, a 500 or incomplete: what each leads to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from crm import account
from crm.errors import DeskError, NotLetIn
from desk.connection import needs_attention
from tests.crm.connection.conftest import token_calls
from tests.support.desks import KEY, desk_for

TOKEN = "/oauth2/access_token"

UNANSWERED = {
    "cut before": {"action": "cut_before"},
    "cut after": {"action": "cut_after"},
    "truncated": {"action": "truncate"},
    "html": {"action": "garbage"},
    "500": {"action": "status", "status": 500},
    "500 after": {"action": "status_after", "status": 500},
    "504 after": {"action": "status_after", "status": 504, "html": True},
    "no refresh token": {"action": "status_after", "status": 200, "body": json.dumps({"access_token": "a.b.c", "expires_in": 86400})},
    "empty": {"action": "empty_200"},
}  # fmt: skip
"""Answers after which nobody knows whether the token was spent."""


@pytest.mark.parametrize("name", UNANSWERED)
def test_the_working_key_stays_in_use(box, desk, at, name):
    """Whatever becomes of an early refresh, callers go on with the key that still works, and the page says "failing"."""
    box.config(refresh_mode="grace")
    token = desk.connection.current()
    box.fault(path=TOKEN, **UNANSWERED[name])
    at(desk, datetime.now(UTC) + timedelta(hours=22, minutes=5)).keep_alive()
    assert desk.connection.current() == token
    assert account.current(desk.client).name == "FitZone"
    status = desk.connection.status()
    assert (status.state, status.connected, status.failures) == ("failing", True, 1)
    assert status.unsure_since is not None
    assert status.next_attempt_at is not None


@pytest.mark.parametrize("mode", ["strict", "grace"])
@pytest.mark.parametrize("name", UNANSWERED)
def test_what_comes_after(box, desk, at, name, mode):
    """AmoCRM is asked whether the token still works: yes, and it is renewed; no, and one click is asked for. Never sent twice."""
    box.config(refresh_mode=mode)
    box.fault(path=TOKEN, times=1, **UNANSWERED[name])
    before = box.last_seq()
    with pytest.raises(DeskError):
        desk.connection.refresh_now()
    since = box.last_seq()
    spent = [event for event in box.ledger("token", since=before) if event["event"] == "spent"]
    later = at(desk, datetime.now(UTC) + timedelta(seconds=10))
    if mode == "strict" and spent:
        with pytest.raises(NotLetIn) as raised:
            later.refresh_now()
        assert raised.value.code == "refresh_lost"
        assert token_calls(box, since) == []
        later.keep_alive()
        assert token_calls(box, since) == []
    else:
        later.keep_alive()
        later.refresh_now() if later.status().failures else None
        assert desk.connection.status().state == "connected"
        assert {call["status"] for call in token_calls(box, since)} == {200}


@pytest.mark.parametrize("mode", ["strict", "grace"])
def test_an_amocrm_that_cannot_be_asked(box, desk, at, mode):
    """Where nobody answers the question, the token goes out once more: AmoCRM's promise holds, or its refusal tells."""
    box.config(refresh_mode=mode)
    box.fault("cut_after", path=TOKEN, times=1)
    box.fault("status", path="/oauth2/account/current/subdomain", status=404, body='{"detail": "Not Found"}')
    with pytest.raises(DeskError):
        desk.connection.refresh_now()
    later = at(desk, datetime.now(UTC) + timedelta(seconds=10))
    if mode == "grace":
        later.refresh_now()
        assert desk.connection.status().state == "connected"
    else:
        with pytest.raises(NotLetIn) as raised:
            later.refresh_now()
        assert raised.value.code == "refresh_lost"


def test_a_local_amocrm_that_names_real_hosts_is_asked_itself(box, desk, at, monkeypatch):
    """A token of a local imitation may say `api-b.amocrm.ru`: neither question nor secret leaves for there."""
    box.config(refresh_mode="grace")
    box.fault("cut_after", path=TOKEN, times=1)
    with pytest.raises(DeskError):
        desk.connection.refresh_now()
    monkeypatch.setattr("crm.oauth.claims_of", lambda token: {"api_domain": "api-b.amocrm.ru"})
    at(desk, datetime.now(UTC) + timedelta(seconds=10)).refresh_now()
    assert desk.connection.status().state == "connected"


def test_a_slow_answer_is_waited_for(box, desk):
    """An answer that takes seconds is an answer; nobody refreshes a second time meanwhile."""
    box.fault("slow", path=TOKEN, delay_ms=3000, times=1)
    since = box.last_seq()
    desk.connection.refresh_now()
    assert len(token_calls(box, since)) == 1
    assert desk.connection.status().state == "connected"


def test_too_early_for_another_try(box, desk):
    """After a failure nobody tries again before it is time; callers without a working key hear when that is."""
    box.fault("status", path=TOKEN, status=500)
    box.expire_tokens()
    since = box.last_seq()
    for _ in range(4):
        with pytest.raises(DeskError) as raised:
            account.current(desk.client)
    assert raised.value.code == "refresh_waiting"
    assert 0 < raised.value.retry_after_s <= 3
    assert len(token_calls(box, since)) == 1


def test_exhausted_after_ten_failures(box, desk, at):
    """Ten failures in a row: the word for it is another, and tries come once an hour. A success makes all well."""
    box.fault("status", path=TOKEN, status=429, times=10)
    moment = datetime.now(UTC) + timedelta(hours=22, minutes=5)
    for _ in range(10):
        at(desk, moment).keep_alive()
        moment = desk.connection.status().next_attempt_at + timedelta(seconds=1)
    status = desk.connection.status()
    assert (status.state, status.failures) == ("exhausted", 10)
    assert status.next_attempt_at - moment < timedelta(0)
    assert status.next_attempt_at - status.attempted_at == timedelta(hours=1)
    at(desk, moment).keep_alive()
    assert desk.connection.status().state == "connected"
    assert desk.connection.status().failures == 0


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda box: box.integration(client_secret="another-secret-entirely"), "client_secret_wrong"),
        (lambda box: box.integration(redirect_uri="http://localhost:8501/elsewhere"), "redirect_uri_wrong"),
        (lambda box: box.expire_tokens(refresh=True), "grant_expired"), (lambda box: box.revoke_tokens(), "grant_revoked"),
        (lambda box: box.fault("status", path=TOKEN, status=402), "unpaid"),
        (lambda box: box.fault("status", path=TOKEN, status=403), "rights_missing"),
        (lambda box: box.fault("status", path=TOKEN, status=403, html=True), "blocked"),
        (lambda box: box.fault("status", path=TOKEN, status=429), "rate_limited"),
    ],
)  # fmt: skip
def test_each_refusal_has_its_class(box, desk, break_it, code):
    """What AmoCRM says no for is what the admin reads, and what the journal of refreshes holds."""
    break_it(box)
    with pytest.raises(DeskError) as raised:
        desk.connection.refresh_now()
    assert raised.value.code == code
    assert desk.connection.timeline()[0].result == code


def test_a_repaired_setting_heals_by_itself(box, desk, tmp_path, store_url):
    """After the right secret is in the settings and the desk started anew, the connection goes on without a click."""

    box.integration(client_secret="the-new-secret-of-the-integration", keep_grants=True)
    with pytest.raises(DeskError):
        desk.connection.refresh_now()
    assert desk.connection.status().trouble == "client_secret_wrong"
    since = box.last_seq()
    right = {"AMOCRM_CLIENT_SECRET": "the-new-secret-of-the-integration"}
    with desk_for(box, tmp_path, connected=False, DATABASE_URL=store_url, SECRET_KEY=KEY, **right) as again:
        assert again.connection.status().trouble is None
        again.connection.refresh_now()
        assert again.connection.status().state == "connected"
    assert [call["status"] for call in token_calls(box, since)] == [200]


def test_a_moved_account_is_followed(box, desk):
    """The account lives at another address: AmoCRM is asked where, and the refresh goes there, once."""
    new_home = box.rename("fitzone-new")
    desk.connection.refresh_now()
    status = desk.connection.status()
    assert (status.state, status.moved) == ("connected", True)
    assert status.account_url == f"http://{new_home}"
    assert account.current(desk.client).subdomain == "fitzone-new"


def test_the_secret_does_not_follow_just_anybody(box, desk, monkeypatch):
    """An address outside AmoCRM's zones is not followed, whoever names it."""
    box.rename("fitzone-new")
    box.fault("status", path="/oauth2/account/current/subdomain", status=200, body='{"domain": "evil.example"}')
    with pytest.raises(DeskError):
        desk.connection.refresh_now()
    assert not desk.connection.status().moved


def test_a_wrong_clock_is_noticed(box, desk, at):
    """A clock that is an hour ahead of AmoCRM's is told with its remedy."""
    ahead = at(desk, datetime.now(UTC) + timedelta(hours=1))
    ahead.refresh_now()
    assert 3500 < desk.connection.status().clock_skew_s < 3700
    assert needs_attention(desk.connection.status())

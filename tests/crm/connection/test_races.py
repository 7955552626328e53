"""What goes on at the same time: two processes, a consent during a refresh, a frozen process, a full disk."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from crm import account
from crm.connection.grant import Grant
from crm.errors import DeskError, NotLetIn
from store import StoreError
from store.tables import grants
from tests.crm.connection.conftest import token_calls
from tests.support.desks import KEY, desk_for
from tests.support.programs import until

TOKEN = "/oauth2/access_token"


def consent(box, connection):
    answer = parse_qs(urlsplit(box.approve(connection.begin())).query)
    connection.finish(code=answer["code"][0], state=answer["state"][0], referer=answer["referer"][0])


def hanging_refresh(box, desk, **fault):
    """A refresh that AmoCRM answers late; the thread, and what it will raise."""
    box.fault("slow", path=TOKEN, body_contains="refresh_token", times=1, **fault)
    since, failures = box.last_seq(), []

    def refresh():
        try:
            desk.connection.refresh_now()
        except DeskError as error:
            failures.append(error.code)

    thread = threading.Thread(target=refresh)
    thread.start()
    until(lambda: [entry for entry in box.ledger("request", since=since) if entry["path"] == TOKEN], "the token call")
    return thread, failures


def test_each_process_refreshes_after_a_401_it_meets_later(box, desk, tmp_path, store_url):
    """A pair that came of a 401 and worked in one process is known to work in the other: the next 401 is renewed there too."""
    with desk_for(box, tmp_path, connected=False, DATABASE_URL=store_url, SECRET_KEY=KEY) as other:
        box.expire_tokens()
        account.current(desk.client)  # renewed and used by the first
        box.expire_tokens()
        assert account.current(other.client).name == "FitZone"
        assert other.connection.status().connected


@pytest.mark.parametrize("refused", [False, True])
def test_a_new_consent_beats_a_refresh_under_way(box, desk, refused):
    """Whatever the refresh of the old pair brings, the pair of the admin's new consent stays and has no trouble."""
    box.config(refresh_mode="grace")
    thread, _ = hanging_refresh(box, desk, delay_ms=2000)
    consent(box, desk.connection)
    pair = desk.connection.current()
    if refused:
        box.fault("status", path=TOKEN, status=401, times=1)
    thread.join()
    assert desk.connection.current() == pair
    status = desk.connection.status()
    assert (status.state, status.trouble, status.failures) == ("connected", None, 0)


def test_a_pair_that_cannot_be_stored_yet_is_kept(box, desk, monkeypatch):
    """The database refuses twice after AmoCRM gave out a pair: it is stored at the third try, and nothing is lost."""
    real, failures = Grant.store, []

    def store(self, *args, **values):
        if len(failures) < 2:
            failures.append(1)
            raise StoreError("database_unreachable")
        return real(self, *args, **values)

    monkeypatch.setattr(Grant, "store", store)
    monkeypatch.setattr("crm.connection.refresh.SAVE_AGAIN_S", 0.01)
    since = box.last_seq()
    desk.connection.refresh_now()
    assert len(token_calls(box, since)) == 1
    assert account.current(desk.client).name == "FitZone"


def test_a_pair_that_could_not_be_stored_at_all_is_stored_later(box, desk, monkeypatch):
    """The database was away for longer than anybody waits: the pair is still in hand and stored by whoever comes next."""
    real, broken = Grant.store, [True]

    def store(self, *args, **values):
        if broken:
            raise StoreError("database_unreachable")
        return real(self, *args, **values)

    monkeypatch.setattr(Grant, "store", store)
    monkeypatch.setattr("crm.connection.refresh.SAVE_FOR_S", 0.05)
    monkeypatch.setattr("crm.connection.refresh.SAVE_AGAIN_S", 0.01)
    since = box.last_seq()
    with pytest.raises(DeskError) as raised:
        desk.connection.refresh_now()
    assert raised.value.code == "database_unreachable"
    broken.clear()
    monkeypatch.setattr("crm.connection.refresh.SAVE_FOR_S", 20)
    desk.connection.refresh_now()
    assert [call["status"] for call in token_calls(box, since)] == [200]
    assert account.current(desk.client).name == "FitZone"


def test_a_frozen_holder_sends_nothing_and_adopts(box, desk, at, monkeypatch):
    """A process that was stopped after taking the lease finds it taken over: it sends no spent token and uses the new pair."""
    other = at(desk)

    def freeze(step):
        if step == "after the journal":
            with desk.store.write() as db:  # its lease is over long ago, and somebody else has refreshed
                db.execute(grants.update().values(lease_until=0.0))
            other.refresh_now()
            monkeypatch.setattr("crm.connection.grant.SEND_WITHIN_S", -1.0)

    since = box.last_seq()
    frozen = at(desk, watch=freeze)
    frozen.refresh_now()
    assert frozen.current() == other.current()
    assert [call["status"] for call in token_calls(box, since)] == [200]


def test_a_token_given_twice_is_sent_once(box, desk):
    """Somebody hands over the same refresh token twice, even at the same moment: AmoCRM sees it once."""
    token = box.grant()["refresh_token"]
    since, results, start = box.last_seq(), [], threading.Barrier(6)

    def adopt():
        start.wait()
        try:
            desk.connection.adopt(token)
            results.append("ok")
        except DeskError as error:
            results.append(error.code)

    threads = [threading.Thread(target=adopt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [*["grant_spent_here"] * 5, "ok"]
    assert len(token_calls(box, since)) == 1
    assert desk.connection.status().connected


def test_a_replayed_hook_during_an_expired_token(box, desk):
    """A signed "disabled" call sent again while the access token is merely over: the refresh token is asked, and lives."""
    from sandbox.oauth.tokens import revocation_signature

    box.expire_tokens()
    account_id = 31296422
    signature = revocation_signature(box.client_id, account_id, box.client_secret)
    assert not desk.connection.switched_off(box.client_id, str(account_id), signature)
    assert account.current(desk.client).name == "FitZone"


def test_an_account_that_moved_is_followed_by_any_call(box, desk):
    """ "Not found" at the old address makes the desk ask where the account lives, and go on there without a refresh."""
    home = box.rename("fitzone-new")
    since = box.last_seq()
    assert account.current(desk.client).subdomain == "fitzone-new"
    assert token_calls(box, since) == []
    assert desk.connection.status().account_url == f"http://{home}"


def test_settings_that_follow_a_move_keep_the_connection(box, desk, tmp_path, store_url):
    """Doing what the page advises, naming the new address in the settings, does not cost the connection."""
    home = box.rename("fitzone-new")
    account.current(desk.client)
    followed = {"AMOCRM_API_URL": f"http://{home}"}
    with desk_for(box, tmp_path, connected=False, DATABASE_URL=store_url, SECRET_KEY=KEY, **followed) as again:
        assert again.connection.status().connected
        assert account.current(again.client).subdomain == "fitzone-new"


def test_a_hiccup_while_learning_whose_account_it_is(box, desk):
    """AmoCRM does not say whose the pair is right after the consent: connected all the same, and told later."""
    box.fault("status", path="/api/v4/account", status=503, times=3)
    consent(box, desk.connection)
    assert desk.connection.status().connected
    box.clear_faults()
    with desk.store.write() as db:
        db.execute(grants.update().values(account_id=None, account_name=None))
    desk.connection.keep_alive()
    assert desk.connection.status().account_name == "FitZone"


def test_a_clock_that_was_ahead_leaves_no_year_of_silence(box, desk, at):
    """A refresh failed while the clock was a year ahead; with the right clock the next one is tried."""
    box.fault("status", path=TOKEN, status=402, times=1)
    with pytest.raises(NotLetIn):
        at(desk, datetime.now(UTC) + timedelta(days=365)).refresh_now()
    box.expire_tokens()
    assert account.current(desk.client).name == "FitZone"


def test_no_pause_is_longer_than_an_hour(box, desk):
    """A token call answered with 429 and a time in the next century: tried again within the hour."""
    box.fault("status", path=TOKEN, status=429, headers={"Retry-After": "4102444800"}, times=1)
    with pytest.raises(NotLetIn):
        desk.connection.refresh_now()
    assert desk.connection.status().next_attempt_at <= datetime.now(UTC) + timedelta(hours=1)

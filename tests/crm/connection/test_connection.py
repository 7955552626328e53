"""The connection: consent, exchange, what is stored, what renews it, what ends it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from crm import account
from crm.connection.consent import STATE_LIFE
from crm.errors import DeskError, NotLetIn, SetupError
from desk.connection import Connection
from desk.desk import vault_of
from store.tables import grants
from tests.support.desks import desk_for


def answer_of(callback):
    query = parse_qs(urlsplit(callback).query)
    return {name: query[name][0] for name in ("code", "state", "referer")}


def token_requests(box, since):
    return [entry for entry in box.ledger("request", since=since) if entry["path"].startswith("/oauth2/access_token")]


def test_the_whole_consent(box, unconnected):
    """Begin, allow, finish: connected, with the account's name, its person and a day to go."""
    callback = box.approve(unconnected.connection.begin())
    assert callback.startswith(box.redirect_uri)
    unconnected.connection.finish(**answer_of(callback))
    status = unconnected.connection.status()
    assert (status.connected, status.account_name, status.subdomain) == (True, "FitZone", "fitzone")
    assert status.connected_by == "Анна Ковалёва"
    assert timedelta(hours=23) < status.expires_at - datetime.now(UTC) <= timedelta(hours=24)


def test_denying_changes_nothing(box, connected):
    """A refusal on the consent page leaves the present connection as it is, and its state is spent."""
    query = parse_qs(urlsplit(box.deny(connected.connection.begin())).query)
    assert query["error"] == ["access_denied"]
    connected.connection.denied(query["state"][0])
    assert connected.connection.status().connected
    with pytest.raises(SetupError):
        connected.connection.denied(query["state"][0])


def test_a_state_works_once(box, unconnected):
    """The same answer twice is refused the second time, before anything is sent."""
    answer = answer_of(box.approve(unconnected.connection.begin()))
    unconnected.connection.finish(**answer)
    since = box.last_seq()
    with pytest.raises(SetupError) as raised:
        unconnected.connection.finish(**answer)
    assert raised.value.code == "state_unknown"
    assert token_requests(box, since) == []


def test_the_answer_may_reach_another_process(box, unconnected, tmp_path):
    """A state begun in one desk is finished by another on the same database, once."""
    answer = answer_of(box.approve(unconnected.connection.begin("cookie")))
    with desk_for(box, tmp_path, connected=False) as other:
        other.connection.finish(**answer, bound_to="cookie")
    assert unconnected.connection.status().connected
    with pytest.raises(SetupError):
        unconnected.connection.finish(**answer, bound_to="cookie")


def test_a_state_works_once_even_at_the_same_moment(box, unconnected):
    """Of eight identical answers that arrive together one is taken."""
    answer, results, start = answer_of(box.approve(unconnected.connection.begin())), [], threading.Barrier(8)

    def finish():
        start.wait()
        try:
            unconnected.connection.finish(**answer)
            results.append("ok")
        except DeskError as error:
            results.append(error.code)

    since = box.last_seq()
    threads = [threading.Thread(target=finish) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["ok", *["state_unknown"] * 7]
    assert len(token_requests(box, since)) == 1


def test_a_state_runs_out(box, unconnected):
    """After twenty minutes an answer is too late, and says so."""
    answer = answer_of(box.approve(unconnected.connection.begin()))
    later = _at(unconnected, datetime.now(UTC) + STATE_LIFE + timedelta(seconds=1))
    with pytest.raises(SetupError) as raised:
        later.finish(**answer)
    assert raised.value.code == "state_expired"


def test_a_state_is_bound_to_its_browser(box, unconnected):
    """An answer that another browser brings is refused."""
    answer = answer_of(box.approve(unconnected.connection.begin("cookie of the admin")))
    with pytest.raises(SetupError) as raised:
        unconnected.connection.finish(**answer, bound_to="cookie of somebody else")
    assert raised.value.code == "state_of_another_browser"


@pytest.mark.parametrize(
    "referer",
    [
        "evil.com",
        "amocrm.ru.evil.com",
        "evil.com/fitzone.amocrm.ru",
        "fitzoneamocrm.ru",
        "amocrm.ru",
        "a@evil.com",
        "[::1",
    ],
)
def test_the_secret_goes_to_amocrm_only(box, unconnected, referer):
    """A host outside AmoCRM's zones gets nothing, however it is spelled."""
    answer = answer_of(box.approve(unconnected.connection.begin()))
    since = box.last_seq()
    with pytest.raises(SetupError) as raised:
        unconnected.connection.finish(**answer | {"referer": referer})
    assert raised.value.code == "referer_unknown"
    assert token_requests(box, since) == []


def test_the_pair_survives_a_restart_and_is_not_readable(box, tmp_path):
    """A new process with the same key is connected without a request; the file holds no token in the clear."""
    with desk_for(box, tmp_path) as desk:
        token = desk.connection.current().access
    since = box.last_seq()
    with desk_for(box, tmp_path, connected=False) as again:
        assert again.connection.current().access == token
    assert box.ledger("request", since=since) == []
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.name != "secret.key")
    assert token.encode() not in stored
    assert token.split(".")[1].encode() not in stored


def test_an_expired_token_renews_itself(box, connected):
    """When the time has run out the next call refreshes first, with one token call, and goes through."""
    since = box.last_seq()
    late = _at(connected, datetime.now(UTC) + timedelta(hours=25))
    assert late.current().access
    assert len(token_requests(box, since)) == 1


def test_a_rejected_token_renews_itself(box, connected):
    """When AmoCRM refuses the token early, one refresh and the call goes through."""
    box.expire_tokens()
    since = box.last_seq()
    assert account.current(connected.client).name == "FitZone"
    assert len(token_requests(box, since)) == 1


def test_a_pair_that_was_never_used_does_not_end_the_connection(box, connected):
    """It came for a refused one, its process was killed, and it was too old when somebody used it: a minute later it is renewed."""
    box.expire_tokens()
    connected.connection.tokens.after_rejection(connected.connection.current())
    box.expire_tokens()
    with pytest.raises(NotLetIn) as raised:
        account.current(connected.client)
    assert raised.value.code == "token_rejected"
    with connected.store.write() as db:
        db.execute(grants.update().values(issued_at=datetime.now(UTC) - timedelta(minutes=2)))
    assert account.current(connected.client).name == "FitZone"


def test_threads_refresh_once(box, connected):
    """Thirty-two threads that find the token expired make one token call and all get through."""
    box.expire_tokens()
    box.config(refresh_mode="strict")
    since, failures, start = box.last_seq(), [], threading.Barrier(32)

    def ask():
        start.wait()
        try:
            token = connected.connection.tokens.after_rejection(old)
            assert token.access != old.access
        except Exception as error:
            failures.append(error)

    old = connected.connection.current()
    threads = [threading.Thread(target=ask) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(token_requests(box, since)) == 1


def test_a_failed_refresh_leaves_a_valid_token_in_use(box, connected):
    """While the access token is good, a token endpoint that is down hurts nobody."""
    token = connected.connection.current().access
    box.fault("status", path="/oauth2/access_token", status=500)
    almost = _at(connected, datetime.now(UTC) + timedelta(hours=23))
    almost.keep_alive()
    assert almost.current().access == token
    assert connected.connection.status().attempt_result == "server_error"
    assert connected.connection.status().connected


def test_the_background_refreshes_early_and_cools_down(box, connected):
    """Two hours before the end the keeper refreshes; after a failure it waits half a minute; with time left it does nothing."""
    since = box.last_seq()
    connected.connection.keep_alive()
    assert token_requests(box, since) == []
    box.fault("status", path="/oauth2/access_token", status=402, times=1)
    late = datetime.now(UTC) + timedelta(hours=22, minutes=30)
    _at(connected, late).keep_alive()
    _at(connected, late + timedelta(seconds=20)).keep_alive()
    assert len(token_requests(box, since)) == 1
    _at(connected, late + timedelta(seconds=40)).keep_alive()
    assert [entry["status"] for entry in token_requests(box, since)] == [402, 200]
    assert connected.connection.status().refreshed_at is not None


def test_a_revoked_grant_is_not_tried_again(box, connected):
    """A dead refresh token is sent once; afterwards every caller hears why, and nothing more is sent."""
    box.revoke_tokens()
    since = box.last_seq()
    for _ in range(3):
        with pytest.raises(NotLetIn) as raised:
            account.current(connected.client)
        assert raised.value.code in ("grant_revoked", "token_rejected")
    assert len(token_requests(box, since)) == 1
    assert connected.connection.status().trouble == "grant_revoked"
    assert connected.connection.status().state == "broken"


def test_connecting_again_heals(box, connected):
    """After a revoked grant a new consent connects, and the trouble is gone."""
    box.revoke_tokens()
    with pytest.raises(NotLetIn):
        connected.connection.refresh_now()
    connected.connection.finish(**answer_of(box.approve(connected.connection.begin())))
    assert connected.connection.status().connected
    assert account.current(connected.client).name == "FitZone"


def test_disconnecting_forgets_both_tokens(connected):
    """Afterwards nothing opens, and nobody is asked."""
    connected.connection.disconnect()
    assert connected.connection.status().state == "not_connected"
    with pytest.raises(SetupError) as raised:
        connected.connection.current()
    assert raised.value.code == "not_connected"


def test_another_account_in_the_settings_is_not_connected(box, tmp_path):
    """A grant of one account is not used for another one that the settings name now."""
    with desk_for(box, tmp_path):
        pass
    elsewhere = "http://127.0.0.1:1"
    with desk_for(box, tmp_path, connected=False, AMOCRM_API_URL=elsewhere) as moved:
        assert moved.connection.status().state == "not_connected"
        with pytest.raises(SetupError):
            moved.connection.current()


def test_a_long_lived_token(box, tmp_path):
    """It is used as it is, its end read from itself, never refreshed; when it is refused the page can say so."""
    token = box.grant(long_lived_days=30)["access_token"]
    with desk_for(box, tmp_path, connected=False, AMOCRM_ACCESS_TOKEN=token) as desk:
        status = desk.connection.status()
        assert (status.state, status.mode) == ("connected", "long_lived")
        assert timedelta(days=29) < status.expires_at - datetime.now(UTC) <= timedelta(days=30)
        assert account.current(desk.client).name == "FitZone"
        with pytest.raises(SetupError) as raised:
            desk.connection.refresh_now()
        assert raised.value.code == "long_lived_not_refreshed"
        box.revoke_tokens()
        since = box.last_seq()
        with pytest.raises(NotLetIn):
            account.current(desk.client)
        assert token_requests(box, since) == []
        assert desk.connection.status().trouble == "token_rejected"


def test_a_wrong_secret_key_is_said_so(box, tmp_path):
    """With another key the stored pair is not readable; that is an error with a remedy, and the pair stays stored."""
    with desk_for(box, tmp_path, SECRET_KEY="a" * 40):
        pass
    with pytest.raises(SetupError) as raised, desk_for(box, tmp_path, connected=False, SECRET_KEY="b" * 40):
        pass
    assert raised.value.code == "secret_key_wrong"
    with desk_for(box, tmp_path, connected=False, SECRET_KEY="a" * 40) as right:
        assert right.connection.current().access


def _at(desk, moment) -> Connection:
    """The same connection at another time."""
    return Connection(
        desk.store, vault_of(desk.settings), desk.door, desk.journal, desk.settings.amocrm, clock=lambda: moment
    )

"""A long-lived token that is refused or over: nobody sends it for nothing, and it heals by itself where it can."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from crm import account
from crm.errors import DeskError, NotLetIn
from desk.desk import Desk
from desk.lead import NewLead
from store import clock
from tests.support.desks import KEY, desk_for

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def token(box) -> str:
    return str(box.grant(long_lived_days=30)["access_token"])


@pytest.fixture
def desk(box, tmp_path, store_url, token) -> Iterator[Desk]:
    """A desk that lives by a long-lived token, on both databases."""
    more = {"DATABASE_URL": store_url, "SECRET_KEY": KEY, "AMOCRM_ACCESS_TOKEN": token}
    with desk_for(box, tmp_path, connected=False, **more) as opened:
        opened.connection.keep_alive()
        yield opened


def asked(box, since):
    return len(box.ledger("request", since=since))


def ask(desk):
    with suppress(DeskError):
        account.current(desk.client)


def everybody_asks(desk):
    """What all that goes on in the background asks for in a second, and an operator besides."""
    desk.connection.keep_alive()
    desk.mirror.look_after()
    desk.webhooks.keep()
    desk.outbox.deliver_due()
    ask(desk)


def test_a_refused_token_costs_four_requests_an_hour(box, desk):
    """Whoever asks how often: after 60, 300 and 900 seconds one request tries it; a lead in the queue waits without any."""
    desk.outbox.accept(NewLead("Ольга", "+79617773311", "Йога", "Сайт", ""), "api")
    box.fault("status", path="/api/v4/*", status=401)
    since, at = box.last_seq(), []
    for second in range(0, 3000, 20):
        with clock.moved(timedelta(seconds=second)):
            before = asked(box, since)
            everybody_asks(desk)
            at += [second] * (asked(box, since) - before)
    assert at == [0, 60, 360, 1260, 2160]
    status = desk.connection.status()
    assert (status.state, status.trouble, status.connected) == ("broken", "token_rejected", False)


def test_many_callers_in_one_moment_are_one_try(box, desk):
    """Threads that all hear of the refusal at once count as one, and one of them alone makes the next try."""
    box.fault("status", path="/api/v4/*", status=401)
    ask(desk)
    for minutes in (1, 6):
        with clock.moved(minutes * MINUTE + SECOND), ThreadPoolExecutor(8) as pool:
            since = box.last_seq()
            list(pool.map(lambda _: ask(desk), range(24)))
            assert asked(box, since) == 1


def test_two_processes_share_a_refusal(box, desk, tmp_path, store_url, token):
    """What one process has heard the other need not ask."""
    more = {"DATABASE_URL": store_url, "SECRET_KEY": KEY, "AMOCRM_ACCESS_TOKEN": token}
    with desk_for(box, tmp_path, connected=False, **more) as other:
        box.fault("status", path="/api/v4/*", status=401)
        ask(desk)
        since = box.last_seq()
        ask(other)
        assert asked(box, since) == 0
        with clock.moved(MINUTE + SECOND):
            ask(other)
            ask(desk)
        assert asked(box, since) == 1


def test_a_flap_heals_by_itself(box, desk):
    """The keeper's own try finds that AmoCRM takes the token again; the queue, which waits for that, goes on at once."""
    before = desk.connection.generation()
    box.fault("status", path="/api/v4/*", status=401)
    ask(desk)
    lead_id = desk.outbox.accept(NewLead("Ольга", "+79617773311", "Йога", "Сайт", ""), "api")
    desk.outbox.deliver_due()
    box.clear_faults()
    assert desk.connection.status().state == "broken"
    with clock.moved(MINUTE + SECOND):
        desk.connection.keep_alive()
        assert desk.connection.status().state == "connected"
        assert desk.connection.generation() != before
        desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == "delivered"


def test_a_new_token_ends_it_at_once(box, desk, tmp_path, store_url):
    """Another token in the settings is another matter: it is given out without a wait, and nothing of the former is believed."""
    box.fault("status", path="/api/v4/*", status=401, times=1)
    ask(desk)
    before = desk.connection.generation()
    new = box.grant(long_lived_days=30)["access_token"]
    more = {"DATABASE_URL": store_url, "SECRET_KEY": KEY, "AMOCRM_ACCESS_TOKEN": new}
    with desk_for(box, tmp_path, connected=False, **more) as again:
        assert again.connection.generation() != before
        assert again.connection.status().trouble is None
        assert account.current(again.client).name == "FitZone"
        assert again.connection.generation() != before


def test_a_token_that_is_over_is_not_sent(box, desk):
    """Its own end is known without a request; a clock that was wrong and is put right finds it working."""
    since = box.last_seq()
    with clock.moved(timedelta(days=31)):
        with pytest.raises(NotLetIn) as raised:
            desk.connection.current()
        assert raised.value.code == "long_lived_expired"
        everybody_asks(desk)
        assert asked(box, since) == 0
    assert account.current(desk.client).name == "FitZone"


def test_a_clock_set_back_does_not_lengthen_the_rest(box, desk):
    """A refusal written down by a clock that was ahead holds nobody up when it is right again."""
    box.fault("status", path="/api/v4/*", status=401, times=1)
    with clock.moved(timedelta(hours=5)):
        ask(desk)
    assert account.current(desk.client).name == "FitZone"
    assert desk.connection.status().state == "connected"


def test_pages_still_know_the_address(box, desk):
    """A link to a lead needs no token."""
    box.fault("status", path="/api/v4/*", status=401)
    ask(desk)
    assert desk.connection.status().account_url == box.url


def test_refusals_of_the_keeper_count_as_well(box, desk, tmp_path, store_url):
    """The very first question, whose the token is, is a try like any other."""
    dead = box.grant(long_lived_days=30)["access_token"]
    box.revoke_tokens()
    more = {"DATABASE_URL": store_url, "SECRET_KEY": KEY, "AMOCRM_ACCESS_TOKEN": dead}
    with desk_for(box, tmp_path, connected=False, **more) as again:
        since = box.last_seq()
        for _ in range(5):
            again.connection.keep_alive()
        assert asked(box, since) == 1
        assert again.connection.status().trouble == "token_rejected"
        assert again.connection.status().next_attempt_at > datetime.now(UTC)

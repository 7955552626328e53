"""Who connected AmoCRM is switched off there: told at once, nothing is sent for nothing, and over as soon as it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm import account
from crm.errors import NotLetIn
from desk.connection import may_renew_for_person, person_probe_s
from desk.delivery.decisions import NEEDS_DECISION
from desk.readiness import CONNECTION, look
from tests.crm.connection.conftest import token_calls

HOURS = timedelta(hours=1)


def switch(box, *, active, how="page"):
    """Switch the person who connected off in AmoCRM, or on again."""
    box.config(switched_off=how)
    for user in box.state()["users"]:
        box.edit("user", id=user["id"], fields={"is_active": active})


def asked(desk):
    """A call of the desk's, and the code of what came of it."""
    try:
        account.current(desk.client)
    except NotLetIn as error:
        return error.code
    return "ok"


@pytest.mark.parametrize("how", ["page", "redirect"])
def test_it_is_told_at_once_and_nothing_more_is_sent(box, desk, how):
    """One answer is enough: the status, readiness and every later call say so, without a request and without a refresh."""
    switch(box, active=False, how=how)
    assert asked(desk) == "person_switched_off"
    status = desk.connection.status()
    assert (status.state, status.trouble, status.connected) == ("broken", "person_switched_off", False)
    assert look(desk).of(CONNECTION).code == "person_switched_off"
    since = box.last_seq()
    assert {asked(desk) for _ in range(20)} == {"person_switched_off"}
    assert box.ledger("request", since=since) == []


def test_no_refresh_is_spent_for_it_however_long_it_lasts(box, desk, at):
    """Three days of keeping, an access token that runs out within them: at most one refresh an hour, none while the key works."""
    switch(box, active=False)
    assert asked(desk) == "person_switched_off"
    since, began = box.last_seq(), datetime.now(UTC)
    for hour in range(72):
        late = at(desk, began + hour * HOURS)
        late._person_looks, late._person_at_s = 1, 0.0  # its time to ask has come
        late.keep_alive()
    refreshes = token_calls(box, since)
    assert 1 <= len(refreshes) <= 72 - 22
    assert desk.connection.status().trouble == "person_switched_off"


@pytest.mark.parametrize(
    ("refreshed", "attempted", "may"),
    [(None, None, True), (59, None, False), (61, None, True), (61, 59, False), (120, 61, True), (-5, None, True)],
)
def test_a_pair_that_ran_out_is_renewed_once_an_hour(refreshed, attempted, may):
    """Minutes since the last refresh and the last try, in both of which a token may have been spent; a time ahead of us says nothing."""
    now = datetime.now(UTC)
    ago = [None if minutes is None else now - timedelta(minutes=minutes) for minutes in (refreshed, attempted)]
    assert may_renew_for_person(*ago, now) is may


def test_it_heals_by_itself(box, desk):
    """AmoCRM is asked a minute later, then after five, then each quarter of an hour; the answer ends it."""
    switch(box, active=False)
    assert asked(desk) == "person_switched_off"
    desk.connection.keep_alive()
    switch(box, active=True)
    assert asked(desk) == "person_switched_off"
    desk.connection._person_at_s = 0.0  # a minute has passed
    desk.connection.keep_alive()
    assert desk.connection.status().state == "connected"
    assert asked(desk) == "ok"
    assert [person_probe_s(looks) for looks in (1, 2, 3, 9)] == [60, 300, 900, 900]


def test_an_admin_asks_by_refreshing_by_hand(box, desk):
    """No refresh is spent: AmoCRM is asked whether the person is let in again, and the page hears what it says."""
    switch(box, active=False)
    assert asked(desk) == "person_switched_off"
    since = box.last_seq()
    with pytest.raises(NotLetIn, match="person_switched_off"):
        desk.connection.refresh_now(insists=True)
    switch(box, active=True)
    desk.connection.refresh_now(insists=True)
    assert token_calls(box, since) == []
    assert desk.connection.status().state == "connected"


def test_another_person_who_connects_ends_it(box, desk):
    """A new pair is not kept out for what the former one's person was."""
    switch(box, active=False)
    assert asked(desk) == "person_switched_off"
    pair = box.grant()
    switch(box, active=True)
    desk.connection.adopt(pair["refresh_token"])
    assert desk.connection.status().state == "connected"
    assert asked(desk) == "ok"


def test_leads_wait_and_go_on(box, desk):
    """The queue waits as for a dead key, asks nobody meanwhile, and delivers when the person is let in again."""
    from tests.desk.delivery.conftest import LEAD, make_due, row_of

    switch(box, active=False)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    since = box.last_seq()
    for _ in range(5):
        make_due(desk)
        desk.outbox.deliver_due()
    assert box.ledger("request", since=since) == []
    assert row_of(desk, lead_id)["state"] not in ("delivered", NEEDS_DECISION)
    switch(box, active=True)
    desk.connection.refresh_now(insists=True)
    make_due(desk)
    desk.outbox.deliver_due()
    assert row_of(desk, lead_id)["state"] == "delivered"

"""The subscription at AmoCRM: made by the desk, looked after, mended, moved, taken back."""

from __future__ import annotations

import base64

import pytest
import sqlalchemy as sa

from crm.errors import DeskError, NotLetIn, SetupError
from desk.webhooks.decisions import CARD_EVENTS, EVENTS
from store.tables import activity, facts, hook_misses
from tests.crm.said import PROBLEM, invalid
from tests.support.desks import desk_for
from tests.support.programs import until

OTHERS = "http://localhost:9/of-another-program"


@pytest.fixture
def desk(box, tmp_path):
    with desk_for(box, tmp_path, connected=False, AMOCRM_MAX_RPS="7") as opened:
        opened.connection.adopt(box.grant()["refresh_token"])
        yield opened


def subscriptions(box):
    return box.session().get(f"{box.url}/api/v4/webhooks", timeout=60)


def listed(box):
    answer = subscriptions(box)
    return answer.json()["_embedded"]["webhooks"] if answer.status_code == 200 else []


def ours(box):
    return [one for one in listed(box) if one["destination"] != OTHERS]


def due_again(desk):
    desk.webhooks._note(due_at=0.0)


def asked(box, since):
    return [(entry["method"], entry["path"]) for entry in box.ledger("request", since=since)]


def test_the_desk_subscribes_itself(box, desk):
    """For what the mirror holds, at its own address; after that nothing is asked until a check is due, which costs one request."""
    assert desk.webhooks.report().state == "off"
    desk.webhooks.keep()
    (made,) = ours(box)
    assert made["destination"].startswith("http://localhost:8501/api/amocrm/webhook/")
    assert sorted(made["settings"]) == sorted(EVENTS)
    assert desk.webhooks.are_on()
    assert desk.webhooks.report().state == "on"
    since = box.last_seq()
    desk.webhooks.keep()
    assert asked(box, since) == []
    due_again(desk)
    desk.webhooks.keep()
    assert asked(box, since) == [("GET", "/api/v4/webhooks")]
    assert len(ours(box)) == 1


def test_one_process_of_two_asks(box, desk, tmp_path):
    """A check that one desk has made or is making is not made by another on the same database."""
    desk.webhooks.keep()
    with desk_for(box, tmp_path, connected=False) as other:
        since = box.last_seq()
        other.webhooks.keep()
        assert asked(box, since) == []
        assert other.webhooks.are_on()


@pytest.mark.parametrize("event", ["switched off", "deleted", "incomplete"])
def test_what_was_changed_over_there_is_mended(box, desk, event):
    """Switched off by AmoCRM, deleted or reduced by somebody: the next check subscribes again; others' stay as they are."""
    box.session().post(f"{box.url}/api/v4/webhooks", json={"destination": OTHERS, "settings": ["add_task"]}, timeout=60)
    desk.webhooks.keep()
    (made,) = ours(box)
    if event == "switched off":
        box.edit("random", count=101)  # nobody listens at the desk's address
        until(lambda: ours(box)[0]["disabled"], "AmoCRM to switch it off")
    elif event == "deleted":
        box.session().delete(f"{box.url}/api/v4/webhooks", json={"destination": made["destination"]}, timeout=60)
    else:
        some = {"destination": made["destination"], "settings": ["add_lead"]}
        box.session().post(f"{box.url}/api/v4/webhooks", json=some, timeout=60)
    due_again(desk)
    desk.webhooks.keep()
    (after,) = ours(box)
    assert after["destination"] == made["destination"]
    assert not after["disabled"]
    assert sorted(after["settings"]) == sorted(EVENTS)
    assert [one["destination"] for one in listed(box)].count(OTHERS) == 1
    assert (desk.webhooks.report().mended_at is not None) == (event == "switched off")


def test_rotation_moves_the_subscription(box, desk):
    """The new address is subscribed, then the former is taken back; both secrets are open for now."""
    desk.webhooks.keep()
    former = ours(box)[0]["destination"]
    since = box.last_seq()
    desk.webhooks.rotate()
    asked_for = asked(box, since)
    (new,) = ours(box)
    assert new["destination"] != former
    assert [method for method, _ in asked_for] == ["GET", "POST", "DELETE"]
    assert all(desk.webhooks.is_open(address.rpartition("/")[2]) for address in (former, new["destination"]))
    assert desk.webhooks.report().former_until is not None


def test_a_rotation_amocrm_does_not_hear_of(box, desk):
    """The former address stays subscribed and open; the next check moves over."""
    desk.webhooks.keep()
    former = ours(box)[0]["destination"]
    box.fault("status", path="/api/v4/webhooks", method="POST", status=500, times=1)
    with pytest.raises(DeskError):
        desk.webhooks.rotate()
    assert ours(box)[0]["destination"] == former
    assert desk.webhooks.is_open(former.rpartition("/")[2])
    assert desk.webhooks.report().former_until is None
    due_again(desk)
    desk.webhooks.keep()
    assert ours(box)[0]["destination"] != former


def test_disconnecting_takes_it_back(box, desk):
    """While AmoCRM still lets us in; then there is nothing to call."""
    desk.webhooks.keep()
    desk.disconnect()
    assert ours(box) == []
    assert not desk.webhooks.are_on()
    assert not desk.connection.status().connected


def test_disconnecting_what_is_dead_already(box, desk):
    """AmoCRM cannot be told any more: the keys are forgotten all the same."""
    desk.webhooks.keep()
    box.fault("status", path="/api/v4/webhooks", status=500)
    desk.disconnect()
    assert not desk.connection.status().connected
    assert not desk.webhooks.are_on()


def test_without_the_right_to_it(box, desk):
    """A person who is no admin has connected the desk: it says so, tries again later, and everything else goes on."""
    box.config(admin_rights=False)
    desk.webhooks.keep()
    report = desk.webhooks.report()
    assert (report.state, report.reason) == ("refused", "rights_missing")
    assert not desk.webhooks.are_on()
    with pytest.raises(NotLetIn):
        desk.webhooks.subscribe_again()
    box.config(admin_rights=True)
    desk.webhooks.subscribe_again()
    assert desk.webhooks.report().state == "on"


def test_an_account_that_calls_of_no_tasks(box, desk):
    """AmoCRM refuses the whole for one event it does not know: the desk is called of leads and contacts, and of tasks once it can be."""
    refusal = base64.b64encode(invalid(("NotSupportedChoice", f"settings.{EVENTS.index('update_task')}"))).decode()
    box.fault(
        "status", path="/api/v4/webhooks", method="POST", body_contains="update_task", status=400, content_type=PROBLEM, body_base64=refusal
    )  # fmt: skip
    for _ in range(2):
        due_again(desk)
        desk.webhooks.keep()
        (made,) = ours(box)
        assert sorted(made["settings"]) == sorted(CARD_EVENTS)
        assert desk.webhooks.report().state == "on"
    box.clear_faults()
    due_again(desk)
    desk.webhooks.keep()
    (made,) = ours(box)
    assert sorted(made["settings"]) == sorted(EVENTS)


def test_without_a_public_address(box, tmp_path):
    """The desk says so and asks nothing of AmoCRM."""
    with desk_for(box, tmp_path, BASE_URL="https://10.1.2.3") as desk:
        since = box.last_seq()
        desk.webhooks.keep()
        report = desk.webhooks.report()
        assert (report.state, report.reason) == ("off", "hooks_no_address")
        with pytest.raises(SetupError):
            desk.webhooks.subscribe_again()
        with pytest.raises(SetupError):
            desk.webhooks.rotate()
        assert asked(box, since) == []


def test_a_host_amocrm_does_not_know_yet(box, desk):
    """A fresh name takes AmoCRM a minute: the desk tries again that soon."""
    box.fault(
        "status", path="/api/v4/webhooks", method="POST", times=1, status=400,
        body='{"validation-errors": [{"errors": [{"code": "x", "path": "destination.destination", "detail": "Invalid URL"}]}]}',
    )  # fmt: skip
    desk.webhooks.keep()
    report = desk.webhooks.report()
    assert (report.state, report.reason) == ("refused", "validation")
    assert (report.next_check_at - report.checked_at).total_seconds() == 60


def test_subscribed_and_yet_nothing_comes(box, desk):
    """Changes come that no call told of: the desk does not call that "on"."""
    desk.webhooks.keep()
    desk.mirror.rows.note_misses("leads", [1, 2, 3])
    report = desk.webhooks.report()
    assert (report.state, report.missed) == ("silent", 3)


def test_the_secret_is_nowhere_to_be_read(box, desk, caplog):
    """Not in the journal, the log, the notes of the desk or a report."""
    caplog.set_level("DEBUG", logger="crm")
    desk.webhooks.keep()
    desk.webhooks.rotate()
    box.fault("status", path="/api/v4/webhooks", status=500)
    due_again(desk)
    desk.webhooks.keep()
    secrets = [one.rpartition("/")[2] for one in desk.webhooks._addresses.current()[1:]]
    with desk.store.read() as db:
        told = [db.execute(sa.select(table)).all() for table in (activity, facts, hook_misses)]
    everything = f"{told}{caplog.text}{desk.webhooks.report()!r}"
    assert [secret for secret in secrets if secret in everything] == []

"""AmoCRM's clock, which a switch moves while the sandbox runs; the ledger, the limit and hooks keep to the true one."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from sandbox.process import Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.receiver import Receiver

HOUR_S = 3600
SLACK_S = 60
"""A busy machine's share: no shift below is as short."""


def dated(api: Api) -> float:
    """The `Date` of an answer, unix seconds."""
    return parsedate_to_datetime(api.get("account").headers["Date"]).timestamp()


def own_time(box: Sandbox) -> float:
    """The sandbox's own clock, as its ledger has it."""
    box.session().get(f"{box.url}/api/v4/account", timeout=30)
    return box.ledger("request")[-1]["at"]


@pytest.mark.parametrize("shift_s", [5 * HOUR_S, -5 * HOUR_S, 300 * 24 * HOUR_S])
def test_everything_amocrm_stamps_moves(box: Sandbox, api: Api, shift_s: int) -> None:
    """`Date`, `created_at`, `updated_at`, times of notes, tasks and events; back again when the switch is."""
    lead = api.lead(name="x")
    before = api.get(f"leads/{lead}").json()["created_at"]
    box.config(access_token_ttl_s=400 * 24 * HOUR_S, clock_shift_s=0)
    moved_api = Api(box)  # with a token that outlives the shift
    box.config(clock_shift_s=shift_s)
    moved = moved_api.lead(name="y")
    shown = moved_api.get(f"leads/{moved}").json()
    for stamp in (shown["created_at"], shown["updated_at"], dated(moved_api), box.state()["now"]):
        assert abs(stamp - before - shift_s) < SLACK_S
    moved_api.patch(f"leads/{lead}", {"price": 5})
    assert abs(moved_api.get(f"leads/{lead}").json()["updated_at"] - before - shift_s) < SLACK_S
    newest = moved_api.items(f"events?filter[entity]=lead&filter[entity_id]={moved}")[0]
    assert abs(newest["created_at"] - before - shift_s) < SLACK_S
    box.config(clock_shift_s=0)
    assert abs(dated(moved_api) - before) < SLACK_S


@pytest.mark.parametrize("shift_s", [5 * HOUR_S, -5 * HOUR_S])
def test_the_ledger_hooks_and_searches_do_not_move(box: Sandbox, api: Api, receiver: Receiver, shift_s: int) -> None:
    """What is written down keeps its order and its time; hooks leave and `query=` finds as before."""
    api.post("webhooks", {"destination": receiver.url, "settings": ["add_lead"]})
    before = own_time(box)
    box.config(clock_shift_s=shift_s)
    lead = api.lead(name="Передвинутая")
    assert [told.tree["leads"]["add"]["0"]["id"] for told in receiver.wait_for(1)] == [str(lead)]
    assert api.ids("leads?query=Передвинутая") == [lead]
    box.config(clock_shift_s=-shift_s)
    other = api.lead(name="Передвинутая")
    assert [told.tree["leads"]["add"]["0"]["id"] for told in receiver.wait_for(2)][1] == str(other)
    assert sorted(api.ids("leads?query=Передвинутая")) == [lead, other]
    moments = [entry["at"] for entry in box.ledger("request")]
    assert moments == sorted(moments)
    assert abs(moments[-1] - before) < SLACK_S


def test_the_limit_does_not_move(box: Sandbox, api: Api) -> None:
    """A clock set back lets nobody wait for hours, and one set forward forgets no request."""
    box.config(rps=1000, block_after=0, clock_shift_s=-5 * HOUR_S)
    assert {api.get("account").status_code for _ in range(20)} == {200}
    assert box.state()["ledger"]["answered_429"] == 0


def test_tokens_live_by_amocrms_clock(box: Sandbox, api: Api) -> None:
    """A day later a token of a day is dead, and alive again when the clock is set back."""
    box.config(clock_shift_s=25 * HOUR_S)
    assert api.get("account").status_code == 401
    box.config(clock_shift_s=0)
    assert api.get("account").status_code == 200


def test_a_clean_slate_has_the_right_time(box: Sandbox) -> None:
    """After a reset nothing is moved."""
    box.config(clock_shift_s=5 * HOUR_S)
    box.reset(leads=1)
    assert abs(box.state()["now"] - own_time(box)) < SLACK_S
    assert box.config()["clock_shift_s"] == 0


def test_an_answer_need_not_tell_the_time(box: Sandbox, api: Api) -> None:
    """No `Date` by switch, however an answer is sent; a rule's own one counts."""
    box.config(tells_time=False)
    assert "Date" not in api.get("account").headers
    for where in ("body", "chunked"):
        box.fault("drip", path="*/account", where=where, delay_ms=1, piece=500, times=1)
        assert "Date" not in api.get("account").headers
    box.config(tells_time=True)
    told = "Thu, 01 Jan 2015 00:00:00 GMT"
    box.fault("status", status=200, body="{}", headers={"Date": told}, path="*/account")
    assert api.get("account").headers["Date"] == told

"""Killed at every step of a delivery, for every kind of answer: afterwards the lead is in AmoCRM exactly once."""

from __future__ import annotations

import signal

import pytest

from desk.delivery import DELIVERED
from sandbox.process import running_sandbox
from tests.desk.delivery.conftest import CREATE, LEAD, added, make_due
from tests.support.desks import KEY, desk_for
from tests.support.programs import until
from tests.support.workers import Worker

WORKER = "tests.desk.delivery.worker"
NOTE = "/api/v4/leads/*/notes"

STEPS = (
    "taken", "looked up", "marked as sending", "answered", "lead written down", "note on its way", "note answered", "delivered",
)  # fmt: skip
ON_THE_WIRE = {
    "create on its way": (CREATE, "delay_ms"),
    "create carried out": (CREATE, "delay_after_ms"),
    "note on its way": (NOTE, "delay_ms"),
    "note carried out": (NOTE, "delay_after_ms"),
}
ANSWERS = {
    "429": {"action": "status", "status": 429},
    "402": {"action": "status", "status": 402},
    "500": {"action": "status", "status": 500},
    "504 after": {"action": "status_after", "status": 504, "html": True},
    "cut before": {"action": "cut_before"},
    "cut after": {"action": "cut_after"},
    "html": {"action": "garbage"},
    "html 404": {"action": "status", "status": 404, "html": True},
}


@pytest.fixture
def killed_desk(store_url, tmp_path):
    """A sandbox, a connected desk, an accepted lead."""
    with (
        running_sandbox(leads=1, rps=1000) as box,
        desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as desk,
    ):
        yield box, desk, desk.outbox.accept(LEAD, "api"), box.last_seq()


@pytest.mark.parametrize("step", STEPS)
def test_killed_at(killed_desk, store_url, tmp_path, step):
    """Between two steps of ours."""
    box, desk, lead_id, since = killed_desk
    worker = Worker(WORKER, box, store_url, tmp_path, "die", step)
    assert worker.process.wait(120) == -signal.SIGKILL
    worker.end()
    _one_of_everything(box, desk, lead_id, since)


@pytest.mark.parametrize("moment", ON_THE_WIRE)
def test_killed_on_the_wire(killed_desk, store_url, tmp_path, moment):
    """While a request is out: before AmoCRM has worked on it, and after."""
    box, desk, lead_id, since = killed_desk
    path, delay = ON_THE_WIRE[moment]
    box.fault("slow", path=path, **{delay: 20_000}, times=1)
    worker = Worker(WORKER, box, store_url, tmp_path, "deliver")
    entity = "leads" if path == CREATE else "notes"
    if delay == "delay_ms":
        until(lambda: [one for one in box.ledger("request", since=since) if one["fault"]], "the request")
        box.clear_faults()
    else:
        until(lambda: added(box, entity, since), "the change")
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait(120)
    worker.end()
    _one_of_everything(box, desk, lead_id, since)


@pytest.mark.parametrize("step", ["error in hand", "error written down"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_killed_with_an_answer_in_hand(killed_desk, store_url, tmp_path, answer, step):
    """Right after AmoCRM's answer, before and after it was written down."""
    box, desk, lead_id, since = killed_desk
    box.fault(path=CREATE, times=1, **ANSWERS[answer])
    worker = Worker(WORKER, box, store_url, tmp_path, "die", step)
    assert worker.process.wait(120) == -signal.SIGKILL
    worker.end()
    _one_of_everything(box, desk, lead_id, since)


def _one_of_everything(box, desk, lead_id, since):
    """Another process goes on, patiently: one lead, one contact, one note."""
    box.clear_faults()
    for _ in range(8):
        make_due(desk, older_by_s=200)
        desk.outbox.deliver_due()
        if desk.outbox.progress(lead_id).state == DELIVERED:
            break
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert [len(added(box, entity, since)) for entity in ("leads", "contacts", "notes")] == [1, 1, 1]

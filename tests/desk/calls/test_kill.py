"""Killed at every step an operator's call adds to a delivery: afterwards there is one lead, one note, one task."""

from __future__ import annotations

import signal

import pytest

from desk.calls.drafts import new_id
from desk.delivery import DELIVERED
from sandbox.process import running_sandbox
from tests.desk.calls.conftest import call
from tests.desk.calls.test_calls import SOON, added
from tests.desk.delivery.conftest import make_due
from tests.support.desks import KEY, desk_for
from tests.support.programs import until
from tests.support.workers import Worker

WORKER = "tests.desk.delivery.worker"
TASKS = "/api/v4/tasks"

STEPS = ("task on its way", "task answered", "delivered")
ON_THE_WIRE = {"not carried out": "delay_ms", "carried out": "delay_after_ms"}
ANSWERS = {"500": {"action": "status", "status": 500}, "cut after": {"action": "cut_after"}, "429": {"action": "status", "status": 429}}  # fmt: skip


@pytest.fixture
def killed_desk(store_url, tmp_path):
    """A sandbox, a connected desk, a saved call with a call-back."""
    with (
        running_sandbox(leads=1, rps=1000) as box,
        desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as desk,
    ):
        desk.calls.undo_s = 0.0
        yield box, desk, desk.calls.save(new_id(), call(SOON), "Анна").lead_id, box.last_seq()


@pytest.mark.parametrize("step", STEPS)
def test_killed_at(killed_desk, store_url, tmp_path, step):
    """Between two steps of ours."""
    box, desk, lead_id, since = killed_desk
    worker = Worker(WORKER, box, store_url, tmp_path, "die", step)
    assert worker.process.wait(120) == -signal.SIGKILL
    worker.end()
    _one_of_everything(box, desk, lead_id, since)


@pytest.mark.parametrize("moment", ON_THE_WIRE)
def test_killed_while_the_task_is_out(killed_desk, store_url, tmp_path, moment):
    """Before AmoCRM has worked on the task, and after."""
    box, desk, lead_id, since = killed_desk
    box.fault("slow", path=TASKS, **{ON_THE_WIRE[moment]: 20_000}, times=1)
    worker = Worker(WORKER, box, store_url, tmp_path, "deliver")
    if moment == "carried out":
        until(lambda: added(box, "tasks"), "the task")
    else:
        until(lambda: [one for one in box.ledger("request", since=since) if one["fault"]], "the request")
        box.clear_faults()
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait(120)
    worker.end()
    _one_of_everything(box, desk, lead_id, since)


@pytest.mark.parametrize("answer", ANSWERS)
def test_killed_with_an_answer_in_hand(killed_desk, store_url, tmp_path, answer):
    """Right after AmoCRM's answer to the task, before it was written down."""
    box, desk, lead_id, since = killed_desk
    box.fault(path=TASKS, times=1, **ANSWERS[answer])
    worker = Worker(WORKER, box, store_url, tmp_path, "die", "error in hand")
    assert worker.process.wait(120) == -signal.SIGKILL
    worker.end()
    _one_of_everything(box, desk, lead_id, since)


def _one_of_everything(box, desk, lead_id, since):
    """Another process goes on: one lead, one contact, one note, one task."""
    box.clear_faults()
    for _ in range(8):
        make_due(desk, older_by_s=200)
        desk.outbox.deliver_due()
        if desk.outbox.progress(lead_id).state == DELIVERED:
            break
    assert desk.outbox.progress(lead_id).state == DELIVERED
    made = {
        entity: box.ledger("change", since=since, entity=entity, change="added")
        for entity in ("leads", "contacts", "notes", "tasks")
    }
    assert {entity: len(rows) for entity, rows in made.items()} == dict.fromkeys(made, 1)

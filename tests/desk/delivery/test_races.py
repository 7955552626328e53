"""Two hands on one lead at the same moment: what the second one read before it waited does not count any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from desk.delivery import QUEUED, REFUSED, SENDING, UNKNOWN
from desk.delivery.decisions import DROPPED
from store.tables import deliveries
from tests.desk.delivery.conftest import CREATE, LEAD, Rows, make_due, row_of
from tests.support.programs import until


@contextmanager
def meanwhile(desk, do: Callable[[], Any], **values: Any):
    """`do` in a thread of its own while another transaction changes every delivery; its results, once both have ended."""
    results: list[Any] = []
    other = threading.Thread(target=lambda: results.append(do()))
    with desk.store.write() as db:
        db.execute(deliveries.update().values(**values))
        other.start()
        if not desk.store.is_sqlite:  # whose writers wait for their turn before they read anything
            until(lambda: _somebody_waits(desk), "the other one to wait")
    other.join(20)
    yield results


def _somebody_waits(desk) -> bool:
    activity = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with desk.store.read() as db:
        return bool(db.scalar(activity))


@pytest.fixture
def queue(desk):
    return Rows(desk.store, desk.connection.generation).queue


def test_replaying_takes_no_lead_out_of_a_workers_hands(box, desk):
    """Somebody sent a refused lead again and a worker has it out: replaying all leaves it alone, or it would be sent twice."""
    box.fault("status", path=CREATE, status=422, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    assert row_of(desk, lead_id)["state"] == REFUSED
    lease = row_of(desk, lead_id)["lease_number"] + 2
    with meanwhile(desk, lambda: desk.outbox.replay("Анна"), state=SENDING, lease_number=lease) as replayed:
        assert replayed == [0]
    assert (row_of(desk, lead_id)["state"], row_of(desk, lead_id)["lease_number"]) == (SENDING, lease)


def test_a_search_takes_no_lead_that_was_just_dropped(box, desk, queue):
    """Dropped while a search was about to take it: it stays dropped, and nobody sends it after all."""
    box.fault("cut_before", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    make_due(desk)
    assert row_of(desk, lead_id)["state"] == UNKNOWN
    with meanwhile(desk, lambda: queue.take_lost(10), state=DROPPED) as taken:
        assert taken == [[]]
    assert row_of(desk, lead_id)["lease_owner"] is None


def test_a_slow_worker_that_goes_on_is_not_half_rescued(desk, queue):
    """Its lease ran out and it marks the lead as sending at that moment: the lead is never left sending with no holder."""
    lead_id = desk.outbox.accept(LEAD, "api")
    assert queue.take() is not None
    with desk.store.write() as db:
        db.execute(deliveries.update().values(lease_until=0.0))
    with meanwhile(desk, queue.take, state=SENDING):
        pass
    queue.take()
    row = row_of(desk, lead_id)
    assert row["state"] in (QUEUED, UNKNOWN) or row["lease_owner"] is not None

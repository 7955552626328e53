"""Waits are intervals: outside of them, on either side, nothing waits."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from store import clock, waits


@pytest.mark.parametrize(
    ("now_s", "is_over", "left_s"),
    [
        (97.0, True, 0.0),
        (99.0, False, 60.0),
        (100.0, False, 60.0),
        (130.0, False, 30.0),
        (159.0, False, 1.0),
        (160.0, True, 0.0),
        (1e9, True, 0.0),
    ],
)
def test_a_wait_is_over_outside_its_interval(sqlite_store, now_s, is_over, left_s):
    """Well before it was written down, which means that the clock was set back, and from its end on."""
    assert waits.is_over(100.0, 160.0, now_s) is is_over
    is_over_there = sa.select(waits.over(sa.literal(100.0), sa.literal(160.0), now_s))
    with sqlite_store.read() as db:
        assert bool(db.scalar(is_over_there)) is is_over
    assert waits.left_s(100.0, 160.0, now_s) == left_s


def test_a_moved_clock_moves_all_times_and_comes_back():
    """Blocks are nested, and each takes back what it has moved."""
    before = datetime.now(UTC)
    with clock.moved(timedelta(days=2)):
        assert timedelta(days=1, hours=23) < clock.now() - before < timedelta(days=2, hours=1)
        with clock.moved(-timedelta(days=4)):
            assert clock.now() < before - timedelta(days=1)
    assert clock.now() - before < timedelta(hours=1)

"""Jumps of the clocks: what is one, and that it is kept once until it was made good."""

from __future__ import annotations

from datetime import timedelta

import pytest

from store import clock
from store.jumps import AMOCRM, DATABASE, KEPT, MACHINE, Jumps, Look, between

STILL = Look((1000.0, 1000.1), (1000.0, 1000.2), (990.0, 991.5))


@pytest.mark.parametrize(
    ("after", "wanted"),
    [
        (STILL, []),
        (Look((1000.4, 1000.5), (1000.1, 1000.3), (991.0, 992.4)), []),  # set right by and by, whole seconds
        (Look((1300.0, 1300.1), (1000.0, 1000.2), (990.0, 991.5)), [(MACHINE, 300)]),
        (Look((700.0, 700.1), (700.0, 700.2), (990.0, 991.5)), [(MACHINE, -300), (DATABASE, -300)]),
        (Look((1000.0, 1000.1), (1000.0, 1000.2), (690.0, 691.5)), [(AMOCRM, -298)]),
        (Look((1000.0, 1000.1), None, None), []),  # what is not known has not jumped
        (Look((1000.0, 1000.1), (1000.0, 1000.2), (950.0, 1030.0)), []),  # an answer that took long tells little
    ],
)
def test_what_is_a_jump(after, wanted):
    """Only what cannot be explained by the time a look took: the least it must have been."""
    assert [(name, round(by_s)) for name, by_s in between(STILL, after)] == wanted


def test_a_jump_is_kept_until_it_is_made_good(store):
    """Noted by two processes it is one; it is taken up once, and made good after that."""
    jumps, other = Jumps(store), Jumps(store)
    assert jumps.last() is None
    jumps.note([(MACHINE, 300.2)])
    other.note([(MACHINE, 299.9)])
    assert [(one.clock, one.by_s) for one in jumps.all()] == [(MACHINE, 300.2)]
    jumps.make_good()
    assert jumps.last().made_good_at is None  # nobody has taken it up
    assert [one.by_s for one in other.take_up()] == [300.2]
    assert jumps.take_up() == []
    jumps.make_good()
    assert jumps.last().made_good_at is not None


def test_the_same_jump_a_day_later_is_another(store):
    """And so is one back; only the newest are remembered."""
    jumps = Jumps(store)
    for day in range(KEPT + 3):
        with clock.moved(timedelta(days=day)):
            jumps.note([(MACHINE, 300.0 if day % 2 else -300.0)])
    assert len(jumps.all()) == KEPT
    assert jumps.last().by_s == -300.0

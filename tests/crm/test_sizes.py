"""Sizes of pages: which one comes next, and for how long it is kept to."""

from __future__ import annotations

import pytest

from crm import sizes
from crm.sizes import REMEMBER_ONE_S, REMEMBER_S, Sizes, fit, smaller


@pytest.mark.parametrize(
    ("limit", "most", "wanted"),
    [(250, 250, 250), (250, 50, 50), (100, 250, 100), (100, 50, 50), (7, 50, 7), (120, 50, 10), (120, 1, 1)],
)
def test_a_size_that_begins_pages_at_the_same_places(limit, most, wanted):
    """The greatest one that is allowed and divides the size asked for."""
    assert fit(limit, most) == wanted


def test_the_way_down():
    """From AmoCRM's greatest to one by one, and then no further."""
    assert [smaller(one) for one in (250, 100, 50, 10, 7, 1)] == [50, 50, 10, 1, 1, None]


def test_it_is_forgotten_after_a_while(monkeypatch):
    """A smaller size is kept to for ten minutes, one by one for a minute: AmoCRM may only have been away."""
    now = [0.0]
    monkeypatch.setattr(sizes.time, "monotonic", lambda: now[0])
    known = Sizes()
    known.worked("leads.list", 50)
    known.worked("contacts.list", 1)
    assert (known.most("leads.list"), known.most("contacts.list"), known.most("events.list")) == (50, 1, 250)
    assert known.shrunk() == {"leads.list": 50, "contacts.list": 1}
    now[0] = REMEMBER_ONE_S
    assert known.shrunk() == {"leads.list": 50}
    now[0] = REMEMBER_S
    assert known.shrunk() == {}

"""Turns: so many at a time, first come, first served, and given back whatever happens."""

from __future__ import annotations

import threading

import pytest

from ui.streamlit_gaps.turns import Turns


def test_they_come_in_their_order():
    """Whoever asked first comes on first, and never more than so many are in at once."""
    turns, inside, came, most = Turns(1), [], [], []
    asked = [threading.Event() for _ in range(5)]

    def person(number):
        asked[number].set()
        with turns.turn():
            inside.append(number)
            most.append(len(inside))
            came.append(number)
            inside.remove(number)

    with turns.turn():
        people = []
        for number in range(5):
            people.append(threading.Thread(target=person, args=(number,)))
            people[-1].start()
            assert asked[number].wait(120)
            while len(turns._waiting) <= number:
                pass
        assert came == []
    for one in people:
        one.join(120)
    assert came == [0, 1, 2, 3, 4]
    assert max(most) == 1


def test_a_failure_gives_the_turn_back():
    """After an error inside, the next one comes on."""
    turns = Turns(1)
    with pytest.raises(ValueError, match="inside"), turns.turn():
        raise ValueError("inside")
    with turns.turn():
        pass

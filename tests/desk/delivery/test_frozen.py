"""One of two desks on a database is stopped at random moments: the other goes on, and nothing is lost or doubled."""

from __future__ import annotations

import os

import pytest

from tests.desk.delivery import frozen

ROUNDS = 200 if os.environ.get("DESK_SOAK") else 3

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def test_a_stopped_desk_holds_nobody_up(store_url):
    """At each moment the other desk delivers on within ten seconds, and leads are accepted all the while."""
    result = frozen.run(store_url, rounds=ROUNDS, seed=1)
    print(result)
    assert result.rounds == ROUNDS
    assert (result.lost, result.doubled, result.unsettled) == ([], [], {})
    assert result.not_accepted == 0
    assert result.longest_gap_s <= 10
    assert result.longest_accept_s <= 10

"""Percentiles: one definition for every figure of the desk."""

import pytest

from desk.percentile import percentile, rank

TABLE = [
    # values, percent, percentile
    ([], 50, None),
    ([7.0], 50, 7.0),
    ([7.0], 95, 7.0),
    ([1.0, 9.0], 50, 1.0),
    ([1.0, 9.0], 95, 9.0),
    ([1.0, 2.0, 9.0], 50, 2.0),
    (range(1, 11), 90, 9),
    (range(1, 21), 95, 19),
    (range(1, 22), 95, 20),
    (range(1, 101), 50, 50),
    (range(1, 101), 95, 95),
    (range(1, 101), 100, 100),
]


@pytest.mark.parametrize(("values", "percent", "wanted"), TABLE)
def test_a_percentile_is_the_nearest_rank(values, percent, wanted):
    """The smallest value that so many per cent of the values do not exceed; None of no values."""
    assert percentile(values, percent) == wanted


@pytest.mark.parametrize("percent", [1, 50, 90, 95, 99, 100])
def test_so_many_per_cent_lie_within(percent):
    """Of any number of values at least so many per cent lie up to the rank, and fewer up to the one before."""
    for count in range(1, 400):
        place = rank(count, percent)
        assert (place + 1) * 100 >= count * percent
        assert place == 0 or place * 100 < count * percent

"""How things are shown."""

import pytest

from ui.frame.formats import masked


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+79991234567", "+7 999 ***-**-67"), ("8 (999) 123-45-67", "+7 999 ***-**-67"), ("+380445370222", "+380 4* *** **22"),
        ("8 999", "* *99"), ("восемь", "****мь"), ("", ""), ("12", "12"), ("x" * 100, "*" * 22 + "xx"),
    ],
)  # fmt: skip
def test_masked_phones(phone, shown):
    """Country, area and the last two digits are enough to tell callers apart; of what is no phone only the end is shown."""
    assert masked(phone) == shown

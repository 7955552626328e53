"""When a read is tried again, as a table."""

import pytest

from crm.errors import BrokenWord, NoAnswer, NotLetIn, NotSent, SaidNo
from crm.retry import BACKGROUND_ATTEMPTS, LIVE_ATTEMPTS, pause_before_retry

TABLE = [
    (NotSent("unreachable"), True), (NoAnswer("too_slow"), True), (NoAnswer("cut_off"), True),
    (NotLetIn("rate_limited", retry_after_s=2), True), (BrokenWord("server_error"), True), (BrokenWord("server_hiccup"), True),
    (NotLetIn("token_rejected"), False), (NotLetIn("unpaid", retryable=True), False), (NotLetIn("blocked"), False),
    (NotLetIn("rights_missing"), False), (BrokenWord("garbled"), False), (BrokenWord("filter_ignored"), False),
    (SaidNo("validation"), False), (SaidNo("not_found"), False),
]  # fmt: skip


@pytest.mark.parametrize(("error", "again"), TABLE, ids=lambda value: getattr(value, "code", value))
def test_what_is_tried_again(error, again):
    """Network failures, 429 and 5xx pass; what a second try cannot change does not."""
    assert (pause_before_retry(error, 1, live=True, chance=0.5) is not None) is again


def test_pauses_grow_and_end():
    """Each pause is about twice the last; a person waits for three tries, the background for six."""
    pauses = [pause_before_retry(NotSent("unreachable"), n, live=False, chance=0.5) for n in range(1, 7)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, None]
    assert pause_before_retry(NotSent("unreachable"), LIVE_ATTEMPTS, live=True, chance=0) is None
    assert pause_before_retry(NotSent("unreachable"), BACKGROUND_ATTEMPTS - 1, live=False, chance=0) is not None


def test_chance_spreads_the_pauses():
    """Many callers that failed together do not come back together."""
    assert pause_before_retry(NotSent("x"), 1, live=True, chance=0.0) == 0.25
    assert pause_before_retry(NotSent("x"), 1, live=True, chance=0.99) == pytest.approx(0.745)


def test_a_long_pause_is_told_to_people_and_waited_by_the_background():
    """After "come back in 300 s" somebody at a screen gets the error; background work goes on waiting its turn."""
    asked = NotLetIn("rate_limited", retry_after_s=300)
    assert pause_before_retry(asked, 1, live=True, chance=0.5) is None
    assert pause_before_retry(asked, 1, live=False, chance=0.5) == 0.0

"""What follows from what, for the grant: tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.connection import decisions
from crm.errors import BrokenWord, NoAnswer, NotLetIn, NotSent, SaidNo, SetupError
from desk.connection import by_hand_wait, warning_level

NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_pair_is_refreshed_about_two_hours_early():
    """Of a day's token the last two hours are left over, give or take ten minutes that differ from pair to pair."""
    due = [decisions.due_at(NOW, NOW + DAY, f"{number:012x}"[::-1]) for number in range(0, 65536, 997)]
    assert min(due) >= NOW + timedelta(hours=21, minutes=50)
    assert max(due) <= NOW + timedelta(hours=22)
    assert max(due) - min(due) > timedelta(minutes=8)


@given(st.integers(1, 10_000_000), st.text("0123456789abcdef", min_size=12, max_size=12))
def test_every_pair_is_refreshed_while_it_can_be_used(life_s, access_print):
    """However long a token lives, its refresh is due before its end and before anybody would have to wait for one."""
    expires_at = NOW + timedelta(seconds=life_s)
    due = decisions.due_at(NOW, expires_at, access_print)
    assert NOW <= due < expires_at
    assert decisions.is_usable(NOW, expires_at, due)


@pytest.mark.parametrize(
    ("life", "left", "usable"),
    [
        (DAY, DAY, True), (DAY, timedelta(seconds=61), True), (DAY, timedelta(seconds=59), False), (DAY, -DAY, False),
        (timedelta(seconds=60), timedelta(seconds=10), True), (timedelta(seconds=60), timedelta(seconds=2), False),
    ],
)  # fmt: skip
def test_when_a_token_may_be_sent(life, left, usable):
    """A minute before its end a token is over; for a short-lived one the last twentieth."""
    assert decisions.is_usable(NOW + left - life, NOW + left, NOW) is usable


@pytest.mark.parametrize(
    ("error", "unsure"),
    [
        (NotSent("unreachable"), False), (NotSent("tls_failed"), False), (NotSent("name_unknown"), False),
        (NoAnswer("cut_off"), True), (NoAnswer("too_slow"), True), (BrokenWord("server_error"), True),
        (BrokenWord("garbled"), True), (BrokenWord("token_answer_incomplete"), True), (BrokenWord("unexpected_answer"), True),
        (NotLetIn("grant_revoked"), False), (NotLetIn("rate_limited"), False), (NotLetIn("blocked"), False),
        (NotLetIn("unpaid"), False), (SetupError("client_secret_wrong"), False), (SaidNo("not_found"), False),
    ],
    ids=str,
)  # fmt: skip
def test_after_which_failures_nobody_knows(error, unsure):
    """Unsent and refused tokens are unspent; a call that left and brought no pair may have spent one."""
    assert decisions.is_unsure(error) is unsure


@pytest.mark.parametrize(
    ("error", "failures", "then"),
    [
        (NoAnswer("too_slow"), 9, "wait"), (NotSent("unreachable"), 9, "wait"), (NotLetIn("rate_limited"), 9, "wait"),
        (NotLetIn("blocked"), 9, "wait"), (NotLetIn("unpaid"), 9, "wait"), (NotLetIn("token_rejected"), 1, "lost"),
        (SaidNo("bad_request"), 1, "lost"), (SetupError("client_id_wrong"), 1, "lost"), (SaidNo("not_found"), 1, "send"),
        (BrokenWord("server_error"), 1, "wait"), (BrokenWord("server_error"), 2, "wait"), (BrokenWord("server_error"), 3, "send"),
    ],
    ids=str,
)  # fmt: skip
def test_what_follows_the_question_about_a_token(error, failures, then):
    """A refusal ends it; silence and passing trouble mean asking again; an AmoCRM that cannot be asked gets the token."""
    assert decisions.after_asking(error, failures) == then


def test_a_refusal_after_a_lost_answer_says_which_refresh_was_lost():
    """Sent unasked and refused: the call before had spent the token. Other failures stay what they are."""
    assert decisions.explained(NotLetIn("grant_revoked"), None, unsure=True).code == "refresh_lost"
    assert decisions.explained(NotLetIn("grant_revoked"), None).code == "grant_revoked"
    assert decisions.explained(NotSent("unreachable"), None, unsure=True).code == "unreachable"


@pytest.mark.parametrize("code", sorted(decisions.FATAL))
def test_fatal_failures_are_not_tried_again(code):
    """After them nothing happens by itself; by hand only those are worth a try that our settings may have caused."""
    assert decisions.next_attempt(NotLetIn(code), 1, NOW) is None
    assert not decisions.is_worth_trying(code, by_hand=False)
    assert decisions.is_worth_trying(code, by_hand=True) is (code not in decisions.GONE)


def test_pauses_grow_and_then_tries_become_rare():
    """Half a minute, a minute, two … half an hour, and from the tenth failure in a row once an hour."""
    pauses = [decisions.next_attempt(NotSent("unreachable"), number, NOW) - NOW for number in range(1, 13)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[8], pauses[9], pauses[11]) == (
        timedelta(seconds=30), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=1),
    )  # fmt: skip


def test_after_a_lost_answer_the_question_comes_soon():
    """The first time after three seconds; when it keeps happening, like any other failure."""
    lost = NoAnswer("cut_off")
    assert decisions.next_attempt(lost, 1, NOW) == NOW + timedelta(seconds=3)
    assert decisions.next_attempt(lost, 2, NOW) == NOW + timedelta(seconds=60)


def test_a_pause_amocrm_asks_for_is_kept():
    """A longer Retry-After wins; a block is left alone for an hour."""
    assert decisions.next_attempt(NotLetIn("rate_limited", retry_after_s=300), 1, NOW) == NOW + timedelta(seconds=300)
    assert decisions.next_attempt(NotLetIn("blocked"), 1, NOW) == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("trouble", "usable", "failures", "state"),
    [
        (None, True, 0, "connected"), (None, False, 0, "connected"), (None, True, 1, "failing"), (None, False, 1, "failing"),
        (None, True, 10, "exhausted"), (None, False, 10, "exhausted"), ("grant_revoked", True, 1, "failing"),
        ("grant_revoked", False, 1, "broken"), ("refresh_lost", False, 2, "broken"), ("switched_off", True, 0, "switched_off"),
        ("switched_off", False, 3, "switched_off"),
    ],
)  # fmt: skip
def test_one_word_for_a_pair(trouble, usable, failures, state):
    """What works is connected; what works and cannot be renewed is failing; what works no more is broken."""
    assert decisions.state_of(trouble=trouble, usable=usable, failures=failures) == state


@pytest.mark.parametrize(
    ("cause", "works", "age_s", "in_vain"),
    [
        ("rejected", False, 0, True), ("rejected", False, 59, True), ("rejected", False, 61, False), ("rejected", True, 1, False),
        ("early", False, 1, False), ("expired", False, 1, False), (None, False, 1, False), ("rejected", False, -3600, False),
    ],
)  # fmt: skip
def test_a_refresh_in_vain(cause, works, age_s, in_vain):
    """Two refused pairs in a row are not a matter of age, for a minute: one of which nobody saw a success may have been good."""
    assert decisions.refresh_would_repeat(cause, works, NOW - timedelta(seconds=age_s), NOW) is in_vain


@pytest.mark.parametrize(
    ("header", "skew"),
    [
        ("Sun, 08 Mar 2026 12:00:00 GMT", 0), ("Sun, 08 Mar 2026 11:00:00 GMT", 3600), ("Sun, 08 Mar 2026 12:10:00 GMT", -600),
        ("yesterday", None), ("", None), (None, None), ("Sun, 08 Mar 2026 12:00:00", None), ("9" * 400, None),
    ],
)  # fmt: skip
def test_how_far_our_clock_is_ahead(header, skew):
    """By the Date of an answer; by nothing where it is unreadable."""
    assert decisions.skew_s(header, NOW) == skew


@pytest.mark.parametrize(
    ("code", "skew", "explained"),
    [
        ("tls_failed", 7200, "clock_wrong"), ("grant_invalid", -400, "clock_wrong"), ("tls_failed", 10, "tls_failed"),
        ("tls_failed", None, "tls_failed"), ("grant_revoked", 7200, "grant_revoked"), ("server_error", 7200, "server_error"),
    ],
)  # fmt: skip
def test_a_wrong_clock_is_named(code, skew, explained):
    """What a wrong clock can look like is called by its cause; what has another cause keeps it."""
    assert decisions.explained(NotLetIn(code), skew).code == explained


@pytest.mark.parametrize(("left", "level"), [(31, None), (30, 30), (8, 30), (7, 7), (1.5, 7), (1, 1), (-1, 1)])
def test_warnings_for_a_long_lived_token(left, level):
    """Louder 30, 7 and 1 days ahead."""
    assert warning_level(NOW + timedelta(days=left), NOW) == level


@pytest.mark.parametrize(
    ("refreshed_s", "attempted_s", "failures", "insists", "wait_s"),
    [
        (None, 5, 0, False, 0), (5, 5, 0, False, 295), (299, 299, 0, False, 1), (300, 300, 0, False, 0),
        (5, 5, 0, True, 5), (10, 10, 0, True, 0), (-5, -5, 0, False, 0),
        (9000, 4, 1, False, 6), (9000, 10, 1, False, 0), (9000, 4, 1, True, 0), (9000, None, 1, False, 0),
    ],
)  # fmt: skip
def test_how_long_a_refresh_by_hand_waits(refreshed_s, attempted_s, failures, insists, wait_s):
    """Five minutes after a good one, ten seconds for somebody who insists; ten seconds after a failure, none for him."""
    at = [None if age_s is None else NOW - timedelta(seconds=age_s) for age_s in (refreshed_s, attempted_s)]
    wait = by_hand_wait(refreshed_at=at[0], attempted_at=at[1], failures=failures, insists=insists, now=NOW)
    assert wait == timedelta(seconds=wait_s)


@pytest.mark.parametrize(("refusals", "wait_s"), [(0, 60), (1, 60), (2, 300), (3, 900), (50, 900)])
def test_when_a_refused_long_lived_token_is_tried_again(refusals, wait_s):
    """After 60, 300, then every 900 seconds; outside of that interval, on either side, the refusal is no longer fresh."""
    until = decisions.next_probe(refusals, NOW)
    assert until == NOW + timedelta(seconds=wait_s)
    assert decisions.is_resting(NOW, until, NOW)
    assert not decisions.is_resting(NOW, until, until)
    assert not decisions.is_resting(NOW, until, NOW - timedelta(seconds=1))
    assert not decisions.is_resting(None, until, NOW)

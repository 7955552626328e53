"""How fast anybody may hand something in."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.intake.pace import (
    ALL_ASKING,
    ALL_STRANGERS,
    ALL_TAKING,
    ASKED,
    ASKING,
    ASKING_SHARE,
    MOST_SENDERS,
    PERSON,
    PROGRAM,
    SHARE,
    SITE_WIDE,
    STRANGER,
    TAKING,
    Bucket,
    Limits,
    Pace,
    Rule,
    after,
    before,
    own_limits,
    spend,
)

RULE = Rule("test", 3, 0.5)


@pytest.mark.parametrize(
    ("bucket", "now", "left", "wait_s"),
    [
        (None, 0, 2, 0), (Bucket(3, 0), 0, 2, 0), (Bucket(1, 0), 0, 0, 0), (Bucket(0, 0), 0, 0, 2), (Bucket(0, 0), 1, 0.5, 1),
        (Bucket(0, 0), 2, 0, 0), (Bucket(0.75, 10), 10, 0.75, 0.5), (Bucket(0, 0), 1000, 2, 0),
    ],
)  # fmt: skip
def test_spending(bucket, now, left, wait_s):
    """A token is spent, or the wait until there is one is told; a bucket fills up to its burst and no further."""
    assert spend(bucket, RULE, now) == (Bucket(left, now), wait_s)


@given(st.lists(st.floats(0, 5), max_size=200))
def test_never_more_than_burst_and_rate(gaps):
    """However the requests come, no more are let through than the burst and what has filled in since."""
    bucket, now, let_through = None, 0.0, 0
    for gap in gaps:
        now += gap
        bucket, wait_s = spend(bucket, RULE, now)
        let_through += not wait_s
        assert let_through <= RULE.burst + now * RULE.per_s + 1e-6


def paced():
    moment = [0.0]
    return Pace(lambda: moment[0]), moment


def test_a_persons_burst_and_what_comes_after():
    """Ten at once from one address, then one every three seconds; another address is not held up."""
    pace, moment = paced()
    assert [pace.wait_s((PERSON, "a")) for _ in range(10)] == [0.0] * 10
    assert pace.wait_s((PERSON, "a")) == pytest.approx(3)
    assert pace.wait_s((PERSON, "b")) == 0
    moment[0] = 3.01
    assert pace.wait_s((PERSON, "a")) == 0
    assert pace.wait_s((PERSON, "a")) > 0


def test_one_address_has_a_bucket_for_each_kind():
    """Somebody's browser does not use up what a program behind the same address may."""
    pace, _ = paced()
    for _ in range(11):
        pace.wait_s((PERSON, "a"))
    assert pace.wait_s((PROGRAM, "a")) == 0


def test_whoever_is_refused_takes_nothing_from_the_others():
    """One address far over its own limit leaves the common bucket full."""
    pace, _ = paced()
    for _ in range(1000):
        pace.wait_s((PERSON, "a"), (ALL_TAKING, ""))
    assert all(pace.wait_s((ALL_TAKING, "")) == 0 for _ in range(int(ALL_TAKING.burst) - 10))


def test_memory_is_bounded():
    """A hundred thousand addresses leave ten thousand buckets; whoever was just here is still remembered."""
    pace, _ = paced()
    for number in range(100_000):
        pace.wait_s((PERSON, str(number)))
    assert pace.size <= MOST_SENDERS
    for _ in range(9):
        pace.wait_s((PERSON, "99999"))
    assert pace.wait_s((PERSON, "99999")) > 0


def test_threads_share_a_bucket():
    """Sixteen threads at once get exactly the burst."""
    pace, _ = paced()
    let_through = []

    def ask():
        let_through.extend(pace.wait_s((PERSON, "a")) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert let_through.count(0.0) == PERSON.burst


STRANGERS = Limits(((STRANGER, "a"), (ALL_STRANGERS, "")))
OF_FORM, OF_ASKING = ((SHARE, "f"), (ALL_TAKING, "")), ((ASKING_SHARE, "f"), (ALL_ASKING, ""))


@pytest.mark.parametrize(
    ("what", "facts", "taken"),
    [
        (TAKING, {"form_id": "f", "has_key": True}, Limits(((PROGRAM, "a"),), OF_FORM)),
        (TAKING, {"form_id": "f", "has_key": True, "is_browser": True}, Limits(((PERSON, "a"),), OF_FORM)),
        (TAKING, {"form_id": "f", "has_key": True, "is_beside": True}, Limits((), OF_FORM)),
        (TAKING, {"form_id": "f"}, Limits(((PROGRAM, "a"),), OF_FORM)),
        (TAKING, {"has_key": True}, STRANGERS), (TAKING, {"has_key": True, "is_browser": True}, STRANGERS),
        (TAKING, {"has_key": True, "is_beside": True}, STRANGERS),
        (TAKING, {}, Limits(((PROGRAM, "a"),))), (TAKING, {"is_browser": True}, Limits(((PERSON, "a"),))),
        (TAKING, {"is_beside": True}, Limits()),
        (ASKED, {"form_id": "f", "has_key": True}, Limits(((ASKING, "a"),), OF_ASKING)),
        (ASKED, {"form_id": "f", "has_key": True, "is_browser": True}, Limits(((ASKING, "a"),), OF_ASKING)),
        (ASKED, {"has_key": True}, STRANGERS), (ASKED, {}, STRANGERS), (ASKED, {"is_beside": True}, STRANGERS),
    ],
    ids=str,
)  # fmt: skip
def test_whose_buckets_a_head_takes_from(what, facts, taken):
    """A form's key its form's, a wrong one the strangers' and no other; none yet no more than the sender's own."""
    assert (
        before(what, ["a"], **{"form_id": None, "has_key": False, "is_browser": False, "is_beside": False} | facts)
        == taken
    )


def test_whose_buckets_a_body_takes_from():
    """What the body's key says comes on top of the sender's own, which the head has taken."""
    assert after(["a"], form_id="f") == Limits((), OF_FORM)
    assert after(["a"], form_id=None) == STRANGERS


def test_the_site_around_a_home():
    """Of IPv6 eight homes' worth for the /48, whatever the rule."""
    (rule, home), (wider, site) = own_limits(PERSON, ["home", "site"])
    assert (rule, home, site) == (PERSON, "home", "site")
    assert (wider.burst, wider.per_s) == (PERSON.burst * SITE_WIDE, PERSON.per_s * SITE_WIDE)
    assert wider.name != rule.name


def test_a_share_comes_before_what_is_left_for_all():
    """A form takes of its share first; another form's is there when both the first one's and the rest are gone."""
    pace, _ = paced()
    first, other = Limits((), OF_FORM), Limits((), ((SHARE, "g"), (ALL_TAKING, "")))
    taken = [pace.keep(first) for _ in range(int(SHARE.burst + ALL_TAKING.burst))]
    assert taken == [0.0] * len(taken)
    assert pace.keep(first) == pytest.approx(min(1 / SHARE.per_s, 1 / ALL_TAKING.per_s))
    assert [pace.keep(other) for _ in range(int(SHARE.burst))] == [0.0] * int(SHARE.burst)
    assert pace.keep(other) > 0

"""Filters and addresses: what goes in comes out, and what is odd spoils nothing but itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk import attention as kinds
from desk.listing import Filter, Sort, from_json, from_query, to_json, to_query
from desk.listing.filters import COLUMNS, PERIODS, PRESETS, TEXTS, fingerprint
from desk.listing.search import parts_of, sought

IDS = st.integers(1, 10**12)
PRINTS = st.builds(fingerprint, st.text(max_size=20))
DAYS = st.dates(date(2000, 1, 1), date(2090, 1, 1))


def some(values):
    return st.lists(values, max_size=4, unique=True).map(tuple)


@st.composite
def filters(draw):
    """Any filter the page can make."""
    period = draw(st.sampled_from(PERIODS))
    days = sorted(draw(st.tuples(DAYS, DAYS))) if period == "own" else (None, None)
    return Filter(
        period=period,
        since=days[0],
        until=days[1],
        pipeline=draw(some(IDS)),
        stage=draw(some(st.tuples(IDS, IDS))),
        responsible=draw(some(st.integers(0, 10**9))),
        attention=draw(some(st.sampled_from(kinds.KINDS))),
        search=draw(st.text(max_size=20)),
        **{name: draw(some(PRINTS)) for name in TEXTS},
    )


@given(filters())
def test_an_address_brings_the_filter_back(chosen):
    """To an address and back is the same filter, without what was searched for; so is to the database and back."""
    again, faulty = from_query(to_query(chosen))
    plain = Filter(**{name: getattr(chosen, name) for name in Filter.__slots__ if name != "search"})
    assert (again, faulty) == (plain, [])
    assert from_json(to_json(chosen)) == plain


@given(filters(), st.text(min_size=1, max_size=12))
def test_what_is_searched_for_is_never_in_an_address(chosen, text):
    """The search changes nothing in the address, the saved view or the filter's repr."""
    other = Filter(**{name: getattr(chosen, name) for name in Filter.__slots__ if name != "search"}, search=text)
    assert to_query(other) == to_query(chosen)
    assert to_json(other) == to_json(chosen)
    assert repr(other) == repr(chosen)


PARAMETERS = ["period", "from", "to", "pipeline", "stage", "responsible", "source", "attention", "utm_source", "x"]


@given(st.dictionaries(st.sampled_from(PARAMETERS), st.lists(st.text(max_size=30), max_size=5)))
def test_no_address_breaks_anything(query):
    """Whatever stands in an address, there is a filter, and what it could not understand is named once."""
    chosen, faulty = from_query(query)
    assert isinstance(chosen, Filter)
    assert len(set(faulty)) == len(faulty)
    assert set(faulty) <= set(PARAMETERS) - {"x"}


@pytest.mark.parametrize(
    ("query", "kept", "faulty"),
    [
        ({"period": ["30"], "stage": ["1:2", "x"]}, Filter(period="30", stage=((1, 2),)), ["stage"]),
        ({"period": ["year"], "responsible": ["7"]}, Filter(responsible=(7,)), ["period"]),
        ({"period": ["own"]}, Filter(), ["period"]),
        ({"period": ["own"], "from": ["2026-02-30"], "pipeline": ["5"]}, Filter(pipeline=(5,)), ["from", "period"]),
        ({"from": ["2026-02-03"], "to": ["2026-02-01"]}, Filter(period="own", since=date(2026, 2, 1), until=date(2026, 2, 3)), []),
        ({"to": ["2026-02-01"]}, Filter(period="own", until=date(2026, 2, 1)), []),
        ({"source": ["none", "Сайт"]}, Filter(source=("none",)), ["source"]),
        ({"responsible": ["none"]}, Filter(responsible=(0,)), []),
        ({"attention": ["overdue", "late"]}, Filter(attention=("overdue",)), ["attention"]),
        ({"stage": ["1:2", "1:2"]}, Filter(stage=((1, 2),)), []),
        ({"stage": ["1", "1:", ":1", "-1:2", "1:2:3", "9" * 30 + ":1"]}, Filter(), ["stage"]),
        ({"pipeline": [str(one) for one in range(1, 200)]}, Filter(pipeline=tuple(range(1, 101))), ["pipeline"]),
        ({}, Filter(), []),
    ],
)  # fmt: skip
def test_a_malformed_value_leaves_the_rest(query, kept, faulty):
    """What cannot be understood is told by its name; every other value holds."""
    assert from_query(query) == (kept, faulty)


def test_days_are_the_clubs():
    """Seven days are today and the six before it on the club's clock, whole, whatever the hour in UTC."""
    zone = ZoneInfo("Europe/Moscow")
    late = datetime(2026, 3, 9, 21, 30, tzinfo=UTC)  # already the tenth in Moscow
    since, until = Filter(period="7").bounds(late, zone)
    assert datetime.fromtimestamp(since, zone) == datetime(2026, 3, 4, tzinfo=zone)
    assert datetime.fromtimestamp(until, zone) == datetime(2026, 3, 11, tzinfo=zone)
    since, until = Filter(period="yesterday").bounds(late, zone)
    assert datetime.fromtimestamp(since, zone) == datetime(2026, 3, 9, tzinfo=zone)
    assert until - since == 24 * 3600
    assert Filter().bounds(late, zone) == (None, None)
    assert set(PRESETS) < set(PERIODS)


def test_a_day_of_the_change_of_clocks_is_whole():
    """Where clocks change, the day has 23 or 25 hours and not 24."""
    zone = ZoneInfo("Europe/Berlin")
    day = date(2026, 3, 29)
    since, until = Filter(period="own", since=day, until=day).bounds(datetime(2026, 4, 1, tzinfo=UTC), zone)
    assert until - since == 23 * 3600


@pytest.mark.parametrize("text", ["", "name", "-name", "-created_at", "x", "--name", "-", "name desc"])
def test_an_order_is_one_of_the_columns(text):
    """Anything else is no order."""
    read = Sort.read(text)
    assert (read is not None) == (text.removeprefix("-") in COLUMNS)
    assert read is None or str(read) == text


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("8 (999) 123-45-67", (" +79991234567",)),
        ("+7 999 123 45 67", (" +79991234567",)),
        ("79991234567", (" +79991234567",)),
        ("9991234567", (" +79991234567",)),
        ("+7 999 123-45-67 доб. 12", (" +79991234567;ext=12",)),
        ("8 (999) 12", ("899912", " +799912")),
        ("7 999", ("7999",)),
        ("45-67", ("4567",)),
        ("456", ()),
        ("Иван", ()),
        ("99a91", ()),
        ("", ()),
    ],
)
def test_what_looks_like_a_phone(typed, parts):
    """Any spelling of a whole phone is that phone; four digits and more may be a part of one; letters are none."""
    assert parts_of(typed) == parts


@pytest.mark.parametrize(
    "typed",
    [
        "8 903 555-66-77 Вера",
        "Вера +7 (903) 555 66 77",
        "тел. 89035556677 (WhatsApp)",
        "восемь девятьсот три пятьсот пятьдесят пять шестьдесят шесть семьдесят семь",
    ],
)
def test_a_phone_among_words_is_that_phone(typed):
    """Whatever stands around it may be written otherwise in AmoCRM: the number decides."""
    assert sought(typed).phone == (" +79035556677",)
    assert sought(typed).digits == "9035556677"


def test_words_are_folded():
    """No case, ё as е, any spaces; nothing but spaces is no search."""
    assert [word for word, _ in sought("  АЛЁНА   ёжикова ").words] == ["алена", "ежикова"]
    assert sought("   ") is None
    assert sought("") is None

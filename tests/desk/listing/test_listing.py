"""The list against a plain filter over the same rows, on both databases."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import big_mirror
from crm.pipelines import LOST, WON
from desk import attention as kinds
from desk.listing import Filter, Listing, Sort
from desk.listing.filters import COLUMNS, NOT_GIVEN, PERIODS, TEXTS, fingerprint
from desk.listing.search import narrows, sought
from desk.mirror.rows import Rows
from sandbox.club import structure
from store.tables import leads, mirror_version
from tests.desk.listing.conftest import NOW, ZONE

PIPELINE, OTHER = list(structure.PIPELINES)[:2]
STAGES = [
    (pipeline, status)
    for pipeline, (_, _, working) in structure.PIPELINES.items()
    for status in (*(one[0] for one in working), WON, LOST)
]
SEARCHES = (
    "", "иван", "АЛЁНА Ежикова", "ежикова алена", "8 916 111-22-33", "+7 (903) 555-66-77", "9035", "6677", "8903555",
    "30000123", "0123", "йога сайт", "100%_", "<b>", "мамы", "' OR 1=1 --", "%", "_", "\\", "а", "💥",
)  # fmt: skip


def holds(row, chosen):
    """Whether a row is in a filter, said once more in plain words."""
    now = int(NOW.timestamp())
    if row["is_deleted"]:
        return False
    day = datetime.fromtimestamp(row["created_at"], ZONE).date()
    since, until = chosen.days(NOW.astimezone(ZONE).date())
    if (since and day < since) or (until and day > until):
        return False
    if chosen.pipeline and row["pipeline_id"] not in chosen.pipeline:
        return False
    if chosen.stage and (row["pipeline_id"], row["status_id"]) not in chosen.stage:
        return False
    if chosen.responsible and row["responsible_user_id"] not in chosen.responsible:
        return False
    if any(getattr(chosen, name) and fingerprint(row[name]) not in getattr(chosen, name) for name in TEXTS):
        return False
    why = {
        "no_task": row["closest_task_at"] is None,
        "overdue": row["closest_task_at"] is not None and row["closest_task_at"] < now,
        "untouched": row["updated_at"] < now - 3 * 24 * 3600,
        "no_phone": not row["phone"],
        "nobody": not row["responsible_user_id"],
        "no_source": not row["source"],
    }
    if chosen.attention and (row["status_id"] in (WON, LOST) or not any(why[kind] for kind in chosen.attention)):
        return False
    return is_found(row, chosen.search)


def is_found(row, text):
    """The search once more: by digits where there are only digits, else by every word."""
    folded = text.casefold().replace("ё", "е").split()
    digits = "".join(filter(str.isdecimal, text))
    if len(digits) >= 4 and not any(map(str.isalpha, text)):
        numbers = ["".join(filter(str.isdecimal, phone)) for phone in row["phones"].replace(";ext=", " ").split()]
        tail = digits[1:] if digits[0] in "78" and len(digits) == 11 else digits
        parts = [tail] if len(tail) == 10 else [digits]
        starts = [f"7{digits[1:]}"] if digits[0] == "8" else []
        by_phone = any(part in number for part in parts for number in numbers)
        return by_phone or any(number.startswith(starts[0]) for number in numbers if starts) or digits in row["search"]
    return all(word in row["contact_search"] or word in row["search"] or (word in row["phones"] and len(word) > 3 and word.isdecimal()) for word in folded)  # fmt: skip


@st.composite
def filters(draw):
    """Combinations that leave something of the club now and then."""

    def some(values, most=3):
        return draw(st.one_of(st.just(()), st.lists(st.sampled_from(values), max_size=most, unique=True).map(tuple)))

    period = draw(st.sampled_from(PERIODS))
    days = sorted(draw(st.tuples(*[st.dates(date(2025, 1, 1), date(2026, 3, 20))] * 2)))
    return Filter(
        period=period,
        since=days[0] if period == "own" else None,
        until=days[1] if period == "own" else None,
        pipeline=some([PIPELINE, OTHER, 1]),
        stage=some(STAGES, 6),
        responsible=some([0, *structure.MANAGERS]),
        source=some([fingerprint(text) for text in ("", "Сайт", "Звонок", "никогда не было")]),
        direction=some([fingerprint(text) for text in ("", "Йога", "Бокс", "Бассейн")]),
        utm_source=some([fingerprint(text) for text in ("", "yandex", "vk")]),
        attention=some(list(kinds.KINDS)),
        search=draw(st.sampled_from(SEARCHES)),
    )


@given(filters())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_filter_finds_what_a_plain_one_finds(listing, rows, chosen):
    """Count and whole list are those of the same filter said in Python."""
    expected = {row["id"] for row in rows if holds(row, chosen)}
    found = [row.id for some in listing.rows(chosen, Sort(), chunk=50) for row in some]
    assert set(found) == expected
    assert len(found) == len(expected) == listing.count(chosen)


@pytest.mark.parametrize("text", SEARCHES)
def test_each_search_finds_what_a_plain_one_finds(listing, rows, text):
    """Names in any case, phones in any spelling, numbers, and texts that mean something to a database."""
    expected = {row["id"] for row in rows if holds(row, Filter(search=text))}
    assert {row.id for row in listing.page(Filter(search=text), Sort(), limit=1000).rows} == expected


def test_the_second_phone_is_found(listing):
    """Any of a contact's numbers, in any spelling, with its extension or without."""
    for typed in ("8 (903) 555-66-77", "+79035556677", "903 555", "+7 903 555-66-77 доб. 12"):
        names = [row.contact_name for row in listing.page(Filter(search=typed), Sort()).rows]
        assert "Алёна Ёжикова" in names, typed


@pytest.mark.parametrize("typed", ["8 916 700-16-0", "8916700160", "916700160", "7001 60", "+7 916 700 16 0"])
def test_a_number_that_cannot_exist_is_found_by_its_digits(listing, typed):
    """However it is spelled in AmoCRM and in the search."""
    assert [row.phone for row in listing.page(Filter(search=typed), Sort()).rows] == ["8 916 700-16-0"]


@pytest.mark.parametrize(
    "text", ["Ежикова 8 903 555-66-77", "+7 (903) 555 66 77 алёна", "ежикова 903 555", "ежикова - 8 (903) 555"]
)
def test_a_name_and_a_phone_together(listing, text):
    """As one copies it out of a message: blanks inside the phone part nothing."""
    names = [row.contact_name for row in listing.page(Filter(search=text), Sort()).rows]
    assert "Алёна Ёжикова" in names
    assert listing.page(Filter(search=text.replace("555", "666")), Sort()).total == 0


def test_not_given_can_be_chosen(listing, rows):
    """Leads without a source are a choice like any other."""
    expected = {row["id"] for row in rows if not row["source"] and not row["is_deleted"]}
    assert expected
    assert {row.id for row in listing.page(Filter(source=("none",)), Sort(), limit=1000).rows} == expected
    assert "none" in listing.choices().texts["source"]


def key_of(row, column, reference):
    """What a list is sorted by, and whether it is empty."""
    stages = {key: place for place, key in enumerate(reference.stages)}
    people = dict(reference.people)
    match column:
        case "task":
            return row["closest_task_at"]
        case "stage":
            return stages.get((row["pipeline_id"], row["status_id"]))
        case "responsible":
            return people.get(row["responsible_user_id"])
        case "name":
            return row["contact_search"] or row["search"]
        case "price_rub":
            return row["price_kop"]
        case "created_at" | "updated_at" | "id":
            return row[column]
    return row[column] or None


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("descending", [True, False])
def test_an_order_is_of_the_whole_list(listing, rows, column, descending):
    """Pages one after another are the whole list in its order; what is empty comes last; no lead is there twice."""
    sort, reference = Sort(column, descending), listing.reference()
    pages = [listing.page(Filter(), sort, offset=offset, limit=170).rows for offset in range(0, 700, 170)]
    got = [row.id for page in pages for row in page]
    here = [row for row in rows if not row["is_deleted"]]
    assert sorted(got) == sorted(row["id"] for row in here)
    assert got == [row.id for some in listing.rows(Filter(), sort, chunk=64) for row in some]
    by_id = {row["id"]: row for row in here}
    keys = [key_of(by_id[one], column, reference) for one in got]
    given_ = [key for key in keys if key is not None]
    assert keys == given_ + [None] * (len(keys) - len(given_))
    assert given_ == sorted(given_, reverse=descending)


def test_a_long_list_is_whole_behind_its_remembered_beginning(club, rows, monkeypatch):
    """Pages behind the ids that are remembered come out as well, and one that lies across their end."""
    monkeypatch.setattr("desk.listing.listing.FIRST_IDS", 100)
    fresh = Listing(club, ZONE, lambda: NOW)
    got = [row.id for offset in range(0, 630, 70) for row in fresh.page(Filter(), Sort(), offset=offset, limit=70).rows]
    expected = sorted((row for row in rows if not row["is_deleted"]), key=lambda row: (-row["created_at"], -row["id"]))
    assert got == [row["id"] for row in expected]
    assert fresh.page(Filter(), Sort(), offset=140, limit=70).total == len(expected)


def test_what_changes_is_seen_and_what_does_not_is_remembered(store):
    """A page asked for twice is the same object until the mirror's version counts up; then it is what is there now."""
    from benchmarks.big_mirror import fill

    fill(store, leads=80, contacts=60, now=NOW.timestamp())
    listing = Listing(store, ZONE, lambda: NOW)
    before = listing.page(Filter(), Sort(), limit=10)
    assert listing.page(Filter(), Sort(), limit=10) is before
    with Rows(store).changing() as db:
        db.execute(leads.update().where(leads.c.id == before.rows[0].id).values(is_deleted=True))
        new_id = before.newest_id + 1
        row = dict(db.execute(sa.select(leads).where(leads.c.id == before.rows[1].id)).mappings().one())
        db.execute(leads.insert().values(row | {"id": new_id, "created_at": int(NOW.timestamp()), "source": "Новый"}))
    after = listing.page(Filter(), Sort(), limit=10)
    assert (after.rows[0].id, after.total, after.version) == (new_id, before.total, before.version + 1)
    assert before.rows[0].id not in [row.id for row in after.rows]
    assert listing.arrived(Filter(), before.newest_id) == 1
    assert listing.arrived(Filter(source=(fingerprint("Сайт"),)), before.newest_id) == 0


def test_a_text_nobody_has_chosen_from_a_list_is_found(store, monkeypatch):
    """A link names a source that came a moment ago, or one of more than there are choices: its leads are there all the same."""
    big_mirror.fill(store, leads=60, contacts=40)
    listing = Listing(store, ZONE)
    listing.choices()
    with store.write() as db:
        some = list(db.scalars(sa.select(leads.c.id).order_by(leads.c.id).limit(3)))
        db.execute(
            leads.update().where(leads.c.id.in_(some)).values(source="Новый", utm_campaign="я последняя", direction="")
        )
        db.execute(mirror_version.update().values(number=mirror_version.c.number + 1))
    monkeypatch.setattr("desk.listing.listing.MOST_CHOICES", 1)
    for chosen in (
        Filter(source=(fingerprint("Новый"),)),
        Filter(utm_campaign=(fingerprint("я последняя"),)),
        Filter(source=(fingerprint("Новый"),), direction=(NOT_GIVEN,)),
    ):
        assert (listing.count(chosen), listing.page(chosen, Sort()).total) == (3, 3)


def test_two_filters_never_share_an_answer(listing, rows):
    """Equal filters share what was read; any difference, the searched text included, has rows of its own."""
    mine, yours = Filter(search="иван"), Filter(search="мари")
    assert {row.id for row in listing.page(mine, Sort()).rows} != {row.id for row in listing.page(yours, Sort()).rows}
    assert listing.page(Filter(search="иван"), Sort()) is listing.page(mine, Sort())


def test_untouched_and_overdue_follow_the_clock(club):
    """What was fine a minute ago is overdue now, although nothing has changed in the mirror."""
    moment = [NOW]
    listing = Listing(club, ZONE, lambda: moment[0])
    before = listing.page(Filter(attention=("overdue",)), Sort()).total
    moment[0] = NOW.replace(day=28)
    assert listing.page(Filter(attention=("overdue",)), Sort()).total > before


def test_an_empty_mirror_is_an_empty_list(store):
    """No leads, no stages, nothing to choose from, no error."""
    listing = Listing(store, ZONE, lambda: NOW)
    page = listing.page(Filter(source=("0123456789",), search="x"), Sort("stage"))
    assert (page.total, page.rows, page.newest_id) == (0, (), 0)
    assert listing.choices().reference.stages == {}
    assert listing.card(1) is None
    with store.read() as db:
        assert db.scalar(sa.select(mirror_version.c.number)) is not None


def test_no_repr_tells_who_it_is(listing):
    """Names and phones stay out of what may end up in a log."""
    row = listing.page(Filter(search="8 903 555-66-77"), Sort()).rows[0]
    for text in (repr(row), repr(listing.card(row.id))):
        assert "Ёжикова" not in text
        assert "5556677" not in text


def test_lists_read_an_index_and_not_whole_rows(sqlite_store):
    """On SQLite whatever one filters, searches and sorts by is in one index; the rows, which are wide, are left alone."""
    from desk.listing.conditions import Conditions

    texts = {"source": {fingerprint("Сайт"): "Сайт"}}
    conditions = Conditions(is_sqlite=True, zone=ZONE, texts=texts)
    chosen = Filter(
        period="90", pipeline=(1,), stage=((1, 2),), responsible=(0,), source=(fingerprint("Сайт"),),
        attention=kinds.KINDS, search="иван 1234",
    )  # fmt: skip
    for filter_ in (Filter(), chosen, Filter(search="8 999 12")):
        for column in ("created_at", "name", "price_rub", "task", "source", "utm_campaign", "phone"):
            wanted = (
                sa.select(leads.c.id).where(*conditions.where(filter_, NOW)).order_by(*conditions.order(Sort(column)))
            )
            with sqlite_store.read() as db:
                text = wanted.compile(db.engine, compile_kwargs={"literal_binds": True})
                plan = " ".join(row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
            assert "COVERING INDEX" in plan, (column, plan)


@pytest.mark.parametrize(
    "text", ["алена ежикова", "8 916 111-22-33", "иван 30000123", "9035556677", "100%_скидка", "йога сайт"]
)
def test_typing_on_finds_what_asking_at_once_finds(club, rows, text):
    """After each letter the rows are those of the text as it stands, though they are looked for among those found before."""
    typing = Listing(club, ZONE, lambda: NOW)
    source = tuple(dict.fromkeys(fingerprint(row["source"]) for row in rows))[:2]
    for length in (*range(1, len(text) + 1), *range(len(text), 0, -3)):
        for chosen in (Filter(search=text[:length]), Filter(search=text[:length], source=source)):
            told = typing.page(chosen, Sort("name", False), limit=1000)
            at_once = [row.id for some in typing.rows(chosen, Sort("name", False)) for row in some]
            assert ([row.id for row in told.rows], told.total) == (at_once, len(at_once))


def test_a_search_is_looked_for_anew_when_the_mirror_has_changed(store):
    """What was found before a change is no ground to look on afterwards: a lead that has come since is found."""
    from benchmarks.big_mirror import fill

    fill(store, leads=80, contacts=60, now=NOW.timestamp())
    listing = Listing(store, ZONE, lambda: NOW)
    before = listing.page(Filter(search="и"), Sort())
    with Rows(store).changing() as db:
        row = dict(db.execute(sa.select(leads).where(leads.c.id == before.rows[0].id)).mappings().one())
        new = row | {"id": before.newest_id + 1, "contact_search": "ирина новая", "source": "Новый"}
        db.execute(leads.insert().values(new))
    assert [row.id for row in listing.page(Filter(search="ирина нов"), Sort()).rows] == [before.newest_id + 1]


@pytest.mark.parametrize(
    ("text", "known", "is_among"),
    [
        ("иван", "ива", True),
        ("иван петров", "иван", True),
        ("петров иван", "ив пет", True),
        ("иван", "иван", True),
        ("ива", "иван", False),
        ("иван", "петр", False),
        ("иван 91611", "иван 916", False),  # the longer one is looked for among phones, the shorter one is not
        ("иван 91611", "иван", True),
        ("9161112", "916111", False),
        ("+79161112233", "+7 (916) 111-22-33", True),
        ("89161112233", "916", False),
    ],
)
def test_what_is_among_what_was_found(text, known, is_among):
    """A longer word or one more finds some of what was found; what may be part of a phone only the same."""
    assert narrows(sought(text), sought(known)) is is_among

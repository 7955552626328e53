"""How much of what strangers send is kept."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from desk.intake import keeping
from desk.intake.intake import Intake
from desk.intake.keeping import BARE, CONTACT, DAY_BYTES, DAY_LINES, NOTHING, WHOLE, Used, kept_of, shortened
from desk.intake.log import ACCEPTED, DUPLICATE, FLAGGED, REFUSED, SHORT
from store import clock
from store.tables import submissions
from tests.desk.intake.conftest import LEAD

BOMB = {
    "name": "x",
    "phone": "not a phone",
    "message": "😀" * 4000,
    "utm_source": "😀" * 4000,
    "utm_medium": "😀" * 4000,
}


@pytest.mark.parametrize(
    ("used", "size", "facts", "how"),
    [
        (Used(), 1000, {}, WHOLE), (Used(), 1000, {"is_told": True}, WHOLE), (Used(), 1000, {"is_lead": True}, WHOLE),
        (Used(DAY_BYTES - 1000, 5), 1000, {}, WHOLE), (Used(DAY_BYTES - 999, 5), 1000, {}, CONTACT),
        (Used(DAY_BYTES - 999, 5), 1000, {"is_told": True}, CONTACT), (Used(DAY_BYTES - 999, 5), 1000, {"is_lead": True}, BARE),
        (Used(0, DAY_LINES), 1000, {}, NOTHING), (Used(0, DAY_LINES), 1000, {"is_told": True}, BARE),
        (Used(0, DAY_LINES), 1000, {"is_lead": True}, WHOLE), (Used(DAY_BYTES, DAY_LINES), 1, {"is_lead": True}, BARE),
        (Used(DAY_BYTES, DAY_LINES), 1, {}, NOTHING), (Used(DAY_BYTES, DAY_LINES), 1, {"is_told": True}, BARE),
        (Used(DAY_BYTES * 2, DAY_LINES - 1), 1, {}, CONTACT), (Used(DAY_BYTES, 0), 0, {}, WHOLE),
    ],
    ids=str,
)  # fmt: skip
def test_how_much_is_kept(used, size, facts, how):
    """All of it while there is room; then whom to call back; then what an id was told for, and of a lead always its line."""
    assert kept_of(used, size, **{"is_told": False} | facts) == how


@pytest.mark.parametrize(
    ("name", "longest"),
    [
        ("phone", 500), ("Телефон", 500), ("message", 16_000), ("Комментарий", 16_000), ("utm_source", 500), ("yclid", 500),
        ("page", 4096), ("COOKIES", 4096), ("name", 4000), ("Что угодно", 4000), ("answers[0][a]", 4000),
    ],
)  # fmt: skip
def test_each_value_is_kept_as_far_as_its_field_goes(name, longest):
    """What fits stays as it was, letters as letters; what is longer is cut there."""
    assert shortened({name: "ё" * longest}, {}) == {name: "ё" * longest}
    assert shortened({name: "ё" * 20_000}, {}) == {name: "ё" * longest}
    assert shortened({name: ["ё" * 20_000] * 3}, {}) == {name: ["ё" * longest] * 3}
    assert len(shortened({name: ["ё"] * 100}, {})[name]) == 50


def test_no_submission_is_more_than_can_come():
    """However often a long name is repeated inside of others, no more is kept than a body may be; what is short goes on fitting in."""
    said = {f"{'я' * 190}[{number}]": "x" for number in range(2000)} | {"x": "y"}
    kept = shortened(said, {})
    assert len(keeping.dumped(kept).encode()) <= keeping.LARGEST_BYTES
    assert kept["x"] == "y"
    assert len(keeping.fitting("\ufffd" * 64_000).encode()) <= keeping.LARGEST_BYTES


def kept(desk):
    with desk.store.read() as db:
        return db.execute(sa.select(submissions).order_by(submissions.c.at)).mappings().all()


def test_letters_take_the_room_they_came_in(desk, intake, form):
    """The body of the attack is a twelfth of what it was: marks are cut, no letter is spelled as six characters."""
    intake.take(form, BOMB)
    (line,) = kept(desk)
    assert len(line["body"].encode()) < 21_000
    assert json.loads(line["body"])["message"] == BOMB["message"]


def test_half_characters_and_nul_are_kept_on_any_database(desk, intake, form):
    """Half an emoji goes, NUL stays as JSON spells it."""
    intake.take(form, {"name": "a\ud83db\x00c", "phone": "x"})
    assert intake.log.page()[0].body["name"] == "ab\x00c"


def test_an_ordinary_refused_one_survives_whole(intake, form):
    """A phone, a name and the longest message, with marks, among two thousand long names: one press makes a lead of it."""
    said = {f"{'я' * 190}[{number}]": "x" for number in range(1900)}
    said |= {"name": "Иван Иванов", "message": "м" * 4000, "phone": "8 916 123-45-67"}
    intake.refuse(form, said, "form_paused")
    made = intake.accept_kept(intake.log.page()[0].id)
    assert made.outcome == ACCEPTED


def test_a_flood_fills_its_room_and_no_more(desk, intake, form, monkeypatch):
    """Of refused, doubled and flagged ones alike: first whole, then the phone and the name, then the line of what was told; another
    form and the next day are not affected; leads come in all the while."""
    monkeypatch.setattr(keeping, "DAY_BYTES", 20_000)
    monkeypatch.setattr(keeping, "DAY_LINES", 30)
    intake.take(form, LEAD)
    long = LEAD | {"message": "м" * 1000}
    for number in range(20):
        intake.refuse(form, long | {"phone": f"8 916 123-45-{number:02}"}, "form_paused", text="x" * 500)
        intake.take(form, long)
        intake.take(form, long | {"homepage": "x"})
    lines = kept(desk)
    size = sum(len((line[name] or "").encode()) for line in lines for name in ("body", "raw", "others"))
    assert size <= 20_000 + 30 * keeping.CONTACT_BYTES
    assert [line["outcome"] for line in lines].count(REFUSED) <= 30
    told = [line for line in lines if line["outcome"] in (DUPLICATE, FLAGGED)]
    assert len(told) == 40
    assert told[-1]["body"] is None
    short = [line for line in intake.log.page(limit=100) if line.is_short]
    assert short
    assert all(set(line.body) == {"phone", "name"} and line.is_open for line in short)
    assert intake.accept_kept(short[0].id).outcome == ACCEPTED
    assert intake.room_used(form.id).is_up
    assert intake.take(form, LEAD | {"phone": "8 916 555-55-55"}).outcome == ACCEPTED
    other = intake.forms.of("api")
    intake.refuse(other, long, "form_paused")
    assert intake.log.page(form_id="api")[0].body["message"] == long["message"]
    with clock.moved(timedelta(days=1)):
        intake.refuse(form, long, "form_paused")
        assert intake.log.page()[0].body["message"] == long["message"]


def test_another_process_begins_where_the_day_stands(desk, intake, form, monkeypatch):
    """What was kept before a start counts."""
    for _ in range(5):
        intake.refuse(form, LEAD, "form_paused")
    used = intake.room_used(form.id)
    again = Intake(desk.store, desk.outbox, desk.fields, desk.settings)
    assert (again.room_used(form.id), used.lines) == (used, 5)


def test_nobody_can_say_that_it_is_short(intake, form):
    """A field of that name is none of the sender's."""
    intake.refuse(form, LEAD | {SHORT: True, SHORT.upper(): True}, "form_paused")
    line = intake.log.page()[0]
    assert (line.is_short, set(line.body)) == (False, set(LEAD))

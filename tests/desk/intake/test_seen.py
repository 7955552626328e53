"""The names a form was seen to send, on both databases."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from desk.intake import seen as seen_module
from desk.intake.meanings import Seen
from desk.intake.seen import KEPT, MOST_NAMES, SeenNames
from store import clock
from store.tables import seen_names


def named(intake, form):
    return [(one.name, one.meaning) for one in intake.seen.of(form.id)]


def test_names_are_seen_and_no_values(desk, intake, form):
    """Of every submission, taken or refused, the names are kept with what they were taken for: the unknown ones first."""
    intake.take(form, {"Phone": "8 916 100-32-01", "Город": "Тверь", "key": "desk_x"})
    intake.take(form, {"Почта": "a@b.example"})
    assert named(intake, form) == [("Город", ""), ("Phone", "phone"), ("Почта", "email")]
    with desk.store.read() as db:
        stored = str(db.execute(sa.select(seen_names)).mappings().all())
    assert not [value for value in ("916", "Тверь", "a@b", "desk_x") if value in stored]


def test_a_name_that_says_something_is_not_kept(intake, form):
    """Somebody's phone or address that stands where a name belongs is no name."""
    intake.take(form, {"79161003201": "x", "a@b.example": "x", "x\x00": "y", "Город": "Тверь"})
    assert named(intake, form) == [("Город", "")]


def test_they_have_an_end(intake, form):
    """Anybody can make names up: of each form so many are kept, and the first stay."""
    intake.take(form, {"first": "x"})
    for begin in range(0, MOST_NAMES + 60, 40):
        intake.take(form, {f"name {begin + number}x": "y" for number in range(40)})
    assert len(named(intake, form)) == MOST_NAMES
    assert "first" in dict(named(intake, form))


def test_a_day_is_one_line(desk, form, monkeypatch):
    """The same name costs one write a day and process, and what it means now is told at once."""
    names, writes = SeenNames(desk.store), []
    write = desk.store.write
    monkeypatch.setattr(desk.store, "write", lambda **more: (writes.append(1), write(**more))[1])
    for _ in range(3):
        names.note(form.id, [Seen("x", "", 4)])
    assert len(writes) == 1
    names.note(form.id, [Seen("x", "phone", 0)])
    assert len(writes) == 2
    with clock.moved(timedelta(days=1, minutes=1)):
        names.note(form.id, [Seen("x", "phone", 0)])
    assert len(writes) == 3
    assert [(one.name, one.meaning, one.tier) for one in names.of(form.id)] == [("x", "phone", 0)]


def test_what_comes_no_more_is_forgotten(intake, form):
    """After ninety days without it a name is gone."""
    intake.take(form, {"x": "y"})
    with clock.moved(KEPT + timedelta(hours=1)):
        intake.prune()
    assert named(intake, form) == []


def test_a_database_that_is_away_costs_no_lead(intake, form, monkeypatch):
    """Names are written after the lead; whatever that meets, the lead is accepted."""
    from store import StoreError

    def fail(*_, **__):
        raise StoreError("database_unreachable")

    monkeypatch.setattr(seen_module.SeenNames, "note", fail)
    assert intake.take(form, {"phone": "8 916 100-32-02"}).outcome == "accepted"

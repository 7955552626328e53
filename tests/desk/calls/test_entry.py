"""What was typed, checked; what follows from it in AmoCRM."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from desk.calls.choice import ADD, Choice
from desk.calls.entry import moment_of, read, steps, suggested
from desk.calls.texts import filled
from desk.words import words
from tests.desk.calls.conftest import call

ZONE = ZoneInfo("Europe/Moscow")
NOON = datetime(2026, 3, 8, 9, tzinfo=UTC)  # 12:00 in the club
NIGHT = datetime(2026, 3, 8, 20, tzinfo=UTC)  # 23:00
GOOD = {"name": "Вера", "phone": "8 961 555-00-11"}


def test_the_least_that_has_to_be_said():
    """A name and a number; a call-back by whoever is free follows by itself."""
    entry, faults = read(GOOD, (), NOON, ZONE)
    assert faults == []
    assert (entry.lead.phone, entry.step, entry.step_at, entry.mine) == (
        "+79615550011", "call_back", datetime(2026, 3, 8, 10, tzinfo=UTC), False,
    )  # fmt: skip
    assert (entry.heard, entry.outcome, entry.choice) == ("not_asked", "talked", Choice())


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"step": "nothing"}, "reason", "missing"), ({"step": "nothing", "reason": "<b>"}, "reason", "markup"),
        ({"when": "own"}, "when", "no_moment"), ({"when": "own", "day": "2026-03-08", "time": "11:00"}, "when", "in_the_past"),
        ({"when": "own", "day": "завтра", "time": "11:00"}, "when", "no_moment"), ({"phone": ""}, "phone", "missing"),
        ({"name": ""}, "name", "missing"), ({"phone": "8 961 555-00-1"}, "phone", "phone_short"),
        ({"phone": "+7 (896) 155-50-01"}, "phone", "phone_mask"), ({"phone": "8 (300) 555-00-11"}, "phone", "phone_code"),
    ],
)  # fmt: skip
def test_what_has_to_be_mended(more, field, code):
    """Each fault at its field; nothing next needs a reason, another time has to be said and to lie ahead."""
    entry, faults = read({**GOOD, **more}, (), NOON, ZONE)
    assert entry is None
    assert [(fault.field, fault.code) for fault in faults] == [(field, code)]


@pytest.mark.parametrize("raw", [{"step": 5}, {"outcome": "x"}, {"heard": None}, {"choice": "add:x"}, {"choice": "same:"},
                                 {"stage": "1:2"}, {"consent": "yes"}, {"when": "x"}])  # fmt: skip
def test_what_no_form_can_send_does_no_harm(raw):
    """Values nobody offered are as if nothing had been said."""
    entry, _ = read({**GOOD, **raw}, (), NOON, ZONE)
    usual, _ = read(GOOD, (), NOON, ZONE)
    assert entry == usual


@pytest.mark.parametrize(
    ("when", "now", "local"),
    [
        ("quarter", NOON, "08 12:15"), ("hour", NOON, "08 13:00"), ("three_hours", NOON, "08 15:00"),
        ("evening", NOON, "08 18:00"), ("evening", NIGHT, "09 18:00"), ("morning", NOON, "09 10:00"), ("morning", NIGHT, "09 10:00"),
    ],
)  # fmt: skip
def test_when_is_that(when, now, local):
    """A word for a time, by the club's clock; never one that has passed."""
    assert f"{moment_of(when, now, ZONE).astimezone(ZONE):%d %H:%M}" == local
    assert moment_of(when, now, ZONE) > now


def test_nobody_is_called_at_night():
    """An hour from now, while people are awake."""
    assert (suggested(NOON, ZONE), suggested(NIGHT, ZONE)) == ("hour", "morning")


def test_what_is_to_be_done():
    """A new lead: lead, note, task. A known one: note, stage, task, and the call-back that was answered is done."""
    said = {"now": NOON, "zone": ZONE, "say": words("ru"), "operator": "Анна", "user_id": 7, "answers": None}
    plain = steps(call(NOON), **said)
    assert [kind for kind, _ in plain] == ["lead", "note", "task"]
    assert plain[1][1] is None
    assert plain[2][1]["responsible_user_id"] is None
    known = call(NOON, choice=Choice(ADD, amo_lead_id=5, stage=(1, 2)), mine=True, heard="friend", outcome="busy")
    done = steps(known, **said | {"answers": "a" * 32})
    assert [kind for kind, _ in done] == ["note", "stage", "task", "task_done"]
    assert "Друзья" in "\n".join(done[0][1]["lines"])
    assert (done[1][1], done[2][1]["responsible_user_id"]) == ({"pipeline_id": 1, "status_id": 2}, 7)
    nothing = steps(call(None, step="nothing", step_at=None, reason="Купил"), **said)
    assert [kind for kind, _ in nothing] == ["lead", "note"]
    assert nothing[1][1]["lines"] == ["Ничего: Купил"]


def test_blanks_are_filled_in_either_language():
    """What is known is filled in, the rest stays a blank; nothing else in braces is touched."""
    assert filled("{имя}, {name}, {телефон}, {x}", {"name": "Вера"}) == "Вера, Вера, …, {x}"

"""Idempotency keys on both databases: the same submission again is the same lead, and other content is a conflict."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest

from desk.intake.form_draft import FormDraft
from desk.intake.idempotency import KEY_KEPT
from desk.intake.log import ACCEPTED, REFUSED, REPEATED
from store.tables import accepted_leads, idempotency_keys
from tests.desk.intake.conftest import LEAD, age, rows


def test_the_same_key_gets_the_same_answer(desk, intake, form):
    """Repeated with an Idempotency-Key it is one lead; the form's key and the time passed do not count as content."""
    first = intake.take(form, LEAD, idempotency_key="a")
    again = intake.take(form, LEAD | {"key": "new", "fill_ms": 9000}, idempotency_key="a")
    assert (again.outcome, again.told_id) == (REPEATED, first.told_id)
    assert len(rows(desk, accepted_leads)) == 1
    other = intake.take(form, LEAD | {"phone": "8 999 123-45-68"}, idempotency_key="b")
    assert other.told_id != first.told_id


def test_the_same_key_with_other_content_is_a_conflict(desk, intake, form):
    """409's code; what was said is kept."""
    intake.take(form, LEAD, idempotency_key="a")
    taken = intake.take(form, LEAD | {"message": "Нет, вечером"}, idempotency_key="a")
    assert (taken.outcome, taken.code) == (REFUSED, "key_reused")
    assert intake.log.page()[0].body["message"] == "Нет, вечером"
    assert len(rows(desk, accepted_leads)) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"page": "https://fit.example/b?utm_source=vk"}, {"utm_source": "vk", "referrer": "https://ya.ru"}, {"homepage": ""},
        {"homepage": None}, {"phone": "8 (999) 123 45 67"}, {"name": " Иван  Иванов "}, {"unknown": 5}, {"consent": "off"},
    ],
    ids=str,
)  # fmt: skip
def test_what_browsers_and_pages_add_is_no_content(desk, intake, form, more):
    """The same key with the same content is one lead, wherever it is sent from and however it is spelled."""
    first = intake.take(form, LEAD, idempotency_key="a")
    again = intake.take(form, dict(reversed((LEAD | more).items())), idempotency_key="a")
    assert (again.outcome, again.told_id) == (REPEATED, first.told_id)


@pytest.mark.parametrize(
    "more", [{"consent": True}, {"message": ""}, {"direction": "Бокс"}, {"name": "Пётр"}], ids=lambda more: next(iter(more))
)  # fmt: skip
def test_what_a_person_said_is_content(intake, form, more):
    """Another wish, another person or another consent under a used key is a conflict."""
    intake.take(form, LEAD, idempotency_key="a")
    assert intake.take(form, LEAD | more, idempotency_key="a").code == "key_reused"


def test_a_key_of_the_desk_before_this_one_still_counts(desk, intake, form):
    """What was hashed in the former way is recognised when it comes again after an update."""
    first = intake.take(form, LEAD, idempotency_key="a")
    former = hashlib.sha256(json.dumps(dict(LEAD), sort_keys=True).encode()).hexdigest()
    with desk.store.write() as db:
        db.execute(idempotency_keys.update().values(body_hash=former))
    assert intake.take(form, LEAD, idempotency_key="a").told_id == first.told_id
    assert intake.take(form, LEAD | {"message": "Нет"}, idempotency_key="a").code == "key_reused"


def test_a_refused_one_does_not_use_its_key_up(intake, form):
    """Corrected and sent again with the same key it is accepted."""
    intake.take(form, LEAD | {"phone": "8"}, idempotency_key="a")
    assert intake.take(form, LEAD, idempotency_key="a").outcome == ACCEPTED


def test_keys_of_two_forms_are_two_keys(intake, form):
    """What one site sends under a key says nothing about another's."""
    other = intake.forms.add(FormDraft("Другая", duplicate_s=0))
    first = intake.take(form, LEAD, idempotency_key="a")
    assert intake.take(other, LEAD | {"message": ""}, idempotency_key="a").outcome == ACCEPTED
    assert intake.take(form, LEAD, idempotency_key="a").told_id == first.told_id


def test_keys_are_forgotten_after_two_days(desk, intake, form):
    """An old key is a new one, before and after it has been cleared away."""
    intake.take(form, LEAD, idempotency_key="a")
    age(desk, idempotency_keys, "made_at", KEY_KEPT + timedelta(minutes=1))
    assert intake.take(form, LEAD | {"phone": "8 999 123-45-68"}, idempotency_key="a").outcome == ACCEPTED
    age(desk, idempotency_keys, "made_at", KEY_KEPT + timedelta(minutes=1))
    intake.prune()
    assert rows(desk, idempotency_keys) == []

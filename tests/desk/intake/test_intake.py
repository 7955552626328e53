"""What becomes of a submission, on both databases: one transaction, and nothing said is lost."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from crm.errors import Declined
from desk.desk import Desk
from desk.intake.form_draft import FormDraft
from desk.intake.intake import KEPT
from desk.intake.log import ACCEPTED, DUPLICATE, FLAGGED, REFUSED, REPEATED
from desk.settings import load
from store.tables import accepted_leads, consents, deliveries, idempotency_keys, known_fields, submissions
from tests.desk.intake.conftest import LEAD, SITE, age, rows
from tests.desk.web.conftest import NOWHERE


def test_an_accepted_lead(desk, intake, form):
    """Lead, delivery, consent and log are written together; the source is the form's, the marks are AmoCRM's."""
    raw = LEAD | {
        "utm_source": "vk",
        "page": f"{SITE}/yoga",
        "consent": True,
        "consent_version": "7",
        "unknown": {"a": 1},
    }
    taken = intake.take(form, raw, ip="203.0.113.9")
    lead = rows(desk, accepted_leads)[0]
    assert (taken.outcome, taken.told_id) == (ACCEPTED, lead["id"])
    assert (lead["phone"], lead["source"], lead["origin"], lead["form_id"]) == ("+79991234567", "Сайт", "api", form.id)
    assert json.loads(lead["tracking"]) == {"UTM_SOURCE": "vk", "FROM": f"{SITE}/yoga"}
    assert [row["lead_id"] for row in rows(desk, deliveries)] == [lead["id"]]
    consent = rows(desk, consents)[0]
    assert (consent["text_version"], consent["ip"], consent["form"]) == ("7", "203.0.113.9", "Главная")
    line = intake.log.page()[0]
    assert (line.outcome, line.lead_id, line.body, line.name, line.ip) == (
        ACCEPTED,
        lead["id"],
        {},
        "Иван Иванов",
        "203.0.113.9",
    )


def test_its_own_source_wins(desk, intake, form):
    """A source the submission names is kept; without consent none is written down."""
    intake.take(form, LEAD | {"source": "Партнёр"})
    assert rows(desk, accepted_leads)[0]["source"] == "Партнёр"
    assert rows(desk, consents) == []


def test_a_faulty_one_is_refused_and_kept(desk, intake, form):
    """Each fault is told; what was said stays in the log as it was, and no lead is made."""
    taken = intake.take(form, LEAD | {"phone": "восемь", "name": ["x"], "key": "secret-key", "other": "x"})
    assert (taken.outcome, taken.code) == (REFUSED, "lead_invalid")
    assert {fault.field: fault.code for fault in taken.faults} == {"phone": "phone_none"}
    line = intake.log.page()[0]
    assert dict(line.faults) == {"phone": "phone_none"}
    assert line.body == {"phone": "восемь", "message": "Хочу утром", "name": ["x"], "other": "x"}
    assert rows(desk, accepted_leads) == rows(desk, deliveries) == []


@pytest.mark.parametrize("value", ["\ud800", "\x00", "x" * 100_000, 10**4000, float("inf")])
def test_whatever_it_says_can_be_kept(intake, form, value):
    """Lone surrogates, NUL, endless texts and numbers are refused in words and kept, cut where they are endless."""
    assert intake.take(form, {"name": value, "phone": value, "utm_source": value}).outcome == REFUSED
    assert intake.log.page()[0].is_open


def test_the_same_phone_again_is_the_same_lead(desk, intake, form):
    """In another spelling, with other words, without a key: no second lead; what was said is kept, and an id of its own told."""
    first = intake.take(form, LEAD)
    again = intake.take(form, LEAD | {"phone": "+7 999 123 45 67", "message": "Или вечером"}, idempotency_key="b")
    assert (again.outcome, again.lead_id) == (DUPLICATE, first.told_id)
    assert again.told_id != first.told_id
    line = intake.log.page()[0]
    assert (line.id, intake.progress(again.told_id).id) == (again.told_id, again.told_id)
    assert (line.lead_id, line.body["message"], line.is_open) == (first.told_id, "Или вечером", True)
    assert len(rows(desk, accepted_leads)) == len(rows(desk, deliveries)) == 1
    repeated = intake.take(form, LEAD | {"phone": "+7 999 123 45 67", "message": "Или вечером"}, idempotency_key="b")
    assert (repeated.outcome, repeated.told_id) == (REPEATED, again.told_id)
    assert intake.log.page()[0].lead_id == first.told_id


@pytest.mark.parametrize(
    ("change", "window_s", "past"),
    [
        ({"source": "Партнёр"}, 600, timedelta()), ({"phone": "8 999 123-45-68"}, 600, timedelta()), ({}, 0, timedelta()),
        ({}, 600, timedelta(seconds=601)),
    ],
    ids=["another source", "another phone", "no window", "later"],
)  # fmt: skip
def test_what_is_no_duplicate(desk, intake, change, window_s, past):
    """Another phone, another source, a form without a window, or after it: a lead of its own."""
    form = intake.forms.add(FormDraft("Форма", "Сайт", duplicate_s=window_s))
    intake.take(form, LEAD)
    age(desk, accepted_leads, "accepted_at", past)
    assert intake.take(form, LEAD | change).outcome == ACCEPTED
    assert len(rows(desk, accepted_leads)) == 2


def test_two_forms_are_no_duplicates(intake, form):
    """The same phone in another form says something else."""
    intake.take(form, LEAD)
    assert intake.take(intake.forms.add(FormDraft("Другая")), LEAD).outcome == ACCEPTED


@pytest.mark.parametrize("more", [{"homepage": "http://buy.example"}, {"fill_ms": 100}], ids=["trap", "too_fast"])
def test_a_programs_work_is_put_aside(desk, intake, form, more):
    """Its sender is told an id that is queued for ever; no lead is made; repeated with its key it gets that id again."""
    taken = intake.take(form, LEAD | more, idempotency_key="a")
    assert taken.outcome == FLAGGED
    assert rows(desk, accepted_leads) == []
    progress = intake.progress(taken.told_id)
    assert (progress.id, progress.state, progress.attempts) == (taken.told_id, "queued", 0)
    assert intake.take(form, LEAD | more, idempotency_key="a").told_id == taken.told_id
    assert intake.take(form, LEAD).outcome == ACCEPTED  # a person with that phone is not held up


def test_one_press_makes_a_lead_of_it(desk, intake, form):
    """What was flagged goes to AmoCRM after all, once, under the id its sender knows; the consent is as old as it was."""
    taken = intake.take(form, LEAD | {"homepage": "x", "consent": True}, ip="203.0.113.9")
    age(desk, submissions, "at", timedelta(days=2))
    made = intake.accept_kept(taken.told_id, by="Марина")
    assert made.outcome == ACCEPTED
    assert rows(desk, accepted_leads)[0]["entered_by"] == "Марина"
    assert intake.accept_kept(taken.told_id).told_id == made.told_id
    assert len(rows(desk, accepted_leads)) == 1
    assert intake.progress(taken.told_id).id == taken.told_id
    assert intake.progress(made.told_id).id == made.told_id
    consent = rows(desk, consents)[0]
    assert timedelta(days=1, hours=23) < datetime.now(UTC) - consent["given_at"] < timedelta(days=2, hours=1)
    line = intake.log.page()[0]
    assert (line.outcome, line.reason, line.body, line.lead_id) == (ACCEPTED, "trap", {}, made.told_id)


def test_a_duplicate_can_be_a_lead_of_its_own(desk, intake, form):
    """A person decides that the second one is another matter."""
    intake.take(form, LEAD)
    intake.take(form, LEAD | {"message": "Теперь для сына"})
    made = intake.accept_kept(intake.log.page()[0].id)
    assert {row["message"] for row in rows(desk, accepted_leads)} == {"Хочу утром", "Теперь для сына"}
    assert intake.log.one(intake.log.page(outcome=ACCEPTED)[0].id).lead_id == made.told_id


def test_a_refused_one_is_put_right(desk, intake, form):
    """Its faulty field corrected it is a lead; still faulty it is told so, and stays."""
    intake.take(form, LEAD | {"phone": "8 999"})
    kept = intake.log.page()[0].id
    still = intake.accept_kept(kept, {"phone": "спросить Олю"})
    assert (still.outcome, still.faults[0].code) == (REFUSED, "phone_none")
    assert intake.accept_kept(kept, {"phone": "8 999 123-45-67"}).outcome == ACCEPTED
    lead = rows(desk, accepted_leads)[0]
    assert (lead["phone"], lead["message"]) == ("+79991234567", "Хочу утром")


def test_pressed_by_two_people_at_once_it_is_one_lead(desk, intake, form):
    """Sixteen presses at the same moment make one lead, and all are told of it."""
    taken = intake.take(form, LEAD | {"homepage": "x"})
    told = together(16, lambda _: intake.accept_kept(taken.told_id).told_id)
    assert len(set(told)) == 1
    assert len(rows(desk, accepted_leads)) == 1


def test_what_is_gone_is_said_so(desk, intake, form):
    """A submission that is none, or whose words are not kept any more, cannot become a lead."""
    intake.refuse(form, None, "json_broken")
    for submission_id in ("none", intake.log.page()[0].id):
        with pytest.raises(Declined) as raised:
            intake.accept_kept(submission_id)
        assert raised.value.code == "submission_gone"


def test_an_id_that_is_none_is_nowhere(intake, form):
    """Neither an unknown id nor that of a line which was never told to anybody has a state."""
    intake.take(form, LEAD | {"phone": ""})
    assert intake.progress("0" * 32) is None
    assert intake.progress(intake.log.page()[0].id) is None


def test_after_ninety_days_only_the_lead_remains(desk, intake, form):
    """Refused, flagged, duplicate and repeated ones go; of an accepted one the sender's address goes."""
    intake.take(form, LEAD, ip="203.0.113.9", idempotency_key="a")
    intake.take(form, LEAD, ip="203.0.113.9", idempotency_key="a")
    intake.take(form, LEAD, ip="203.0.113.9")
    intake.take(form, {}, ip="203.0.113.9")
    intake.take(form, LEAD | {"homepage": "x"}, ip="203.0.113.9")
    intake.prune()
    assert intake.log.count() == 5
    age(desk, submissions, "at", KEPT + timedelta(hours=1))
    intake.prune()
    left = intake.log.page()
    assert [(line.outcome, line.ip) for line in left] == [(ACCEPTED, None)]
    assert len(rows(desk, accepted_leads)) == 1


def test_the_keeper_forgets_by_itself(desk, form):
    """The desk's round of keeping clears away what is too old, whatever becomes of the connection."""
    desk.intake.take(form, {})
    age(desk, submissions, "at", KEPT + timedelta(hours=1))
    desk.look_after()
    assert desk.intake.log.count() == 0


def test_the_log_is_filtered_and_counted(desk, intake, form):
    """Newest first, by form and outcome; per form how many of late and when the last was accepted and refused."""
    other = intake.forms.add(FormDraft("Другая"))
    for raw in (LEAD, LEAD, {}):
        intake.take(form, raw)
    intake.take(other, LEAD)
    assert [line.outcome for line in intake.log.page(form_id=form.id)] == [REFUSED, DUPLICATE, ACCEPTED]
    assert [line.form_id for line in intake.log.page(outcome=ACCEPTED)] == [other.id, form.id]
    assert intake.log.count(form_id=form.id, outcome=REFUSED) == 1
    assert len(intake.log.page(limit=2, offset=3)) == 1
    tally = intake.log.tallies()[form.id]
    assert tally.counts == {ACCEPTED: 1, DUPLICATE: 1, REFUSED: 1}
    assert tally.accepted_at < tally.refused_at
    age(desk, submissions, "at", timedelta(days=8))
    assert intake.log.tallies()[form.id].counts == {ACCEPTED: 0, DUPLICATE: 0, REFUSED: 0}


def test_nothing_private_shows_itself(intake, form):
    """No phone, name, message, address or key in a repr that could reach a log."""
    taken = intake.take(form, LEAD | {"phone": "8 999"}, ip="203.0.113.9", idempotency_key="key-of-somebody")
    everything = f"{taken} {intake.log.page()} {intake} {form}"
    assert not [private for private in ("8 999", "Иван", "утром", "203.0.113", "key-of") if private in everything]


def together(count, act):
    """What `act` returns in so many threads at the same moment."""
    start, found = threading.Barrier(count), []

    def run(number):
        start.wait()
        found.append(act(number))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == count
    return found


def test_equal_submissions_at_once_are_one_lead(desk, intake, form):
    """Sixteen threads with one Idempotency-Key get one id; sixteen without, with one phone, make one lead and get an id each."""
    assert len({taken.told_id for taken in together(16, lambda _: intake.take(form, LEAD, idempotency_key="a"))}) == 1
    other = LEAD | {"phone": "8 999 123-45-68"}
    taken = together(16, lambda _: intake.take(form, other))
    assert (len({one.lead_id for one in taken}), len({one.told_id for one in taken})) == (1, 16)
    assert len(rows(desk, accepted_leads)) == 2


def test_a_lead_that_fails_half_way_leaves_nothing(desk, intake, form, monkeypatch):
    """When the last row cannot be written, neither lead nor delivery nor key is there; sent again it is accepted."""
    from desk.intake import intake as module

    def fail(*_):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(module.Intake, "_note", fail)
        with pytest.raises(RuntimeError):
            intake.take(form, LEAD, idempotency_key="a")
    assert rows(desk, accepted_leads) == rows(desk, deliveries) == rows(desk, idempotency_keys) == []
    assert intake.take(form, LEAD, idempotency_key="a").outcome == ACCEPTED


# Senders as they are


def test_phone_alone_is_enough(desk, intake, form):
    """Nothing but a phone is wanted: no name, or a dash for one, is somebody without a name."""
    assert intake.take(form, {"Телефон": "8 999 123-45-67"}).outcome == ACCEPTED
    assert intake.take(form, {"phone": "8 999 123-45-68", "name": "-"}).outcome == ACCEPTED
    assert {row["name"] for row in rows(desk, accepted_leads)} == {""}


def test_a_moment_is_a_day_of_the_clubs(store_url, tmp_path):
    """In a club far to the east it is tomorrow already: when a lead is taken, when its faults are told, and when one is made of what was kept."""
    desk = Desk(load(NOWHERE | {"DATABASE_URL": store_url, "TIMEZONE": "Asia/Vladivostok"}, tmp_path))
    with closing(desk):
        with desk.store.write() as db:
            db.execute(known_fields.insert().values(
                entity="leads", field_id=500, position=0, name="День", type="date", choices="[]", is_api_only=False, seen_at=datetime.now(UTC),
            ))  # fmt: skip
        key, intake = desk.fields.add("leads", 500, "День"), desk.intake
        form = intake.forms.add(FormDraft("Строгая", required=(key,)))
        evening, beyond = {key: "2026-03-08T15:00:00Z"}, {key: int(datetime(2100, 12, 31, 15, tzinfo=UTC).timestamp())}
        assert intake.take(form, LEAD | evening).outcome == ACCEPTED
        assert [fault.code for fault in intake.take(form, LEAD | beyond).faults] == ["not_a_date"]
        refused = intake.log.page(limit=1)[0]
        assert [fault.field for fault in intake.faults(refused)] == [key]
        intake.refuse(form, LEAD | evening | {"phone": "8 916 100-00-01"}, "form_paused")
        intake.accept_kept(intake.log.page(limit=1)[0].id)
        assert [json.loads(row["extra"]) for row in rows(desk, accepted_leads)] == [{key: "2026-03-09"}] * 2


def test_an_owner_can_be_stricter(desk, intake):
    """A form that wants a name refuses a submission without one, keeps it, and one press makes a lead of it as it is."""
    form = intake.forms.add(FormDraft("Строгая", required=("name", "direction")))
    taken = intake.take(form, {"phone": "8 999 123-45-67", "name": "-", "direction": "Йога"})
    assert [(fault.field, fault.code) for fault in taken.faults] == [("name", "missing")]
    assert [fault.field for fault in intake.take(form, {"name": "Ира", "phone": "8 999 123-45-67"}).faults] == [
        "direction"
    ]
    said = {"name": "Ира", "phone": "8 999 123-45-67", "direction": "Йога"}
    assert intake.take(form, said).outcome == ACCEPTED
    for line in intake.log.page(outcome=REFUSED):
        assert intake.faults(line)
        assert intake.accept_kept(line.id).outcome == ACCEPTED


def test_what_was_refused_becomes_a_lead_with_the_phone_it_held(desk, intake, form):
    """A visitor's number with a digit missing is refused, and one press takes it as it was; one that is typed anew has to be right."""
    for text in ("8 999 123-45-6", "8 999 123"):
        assert intake.take(form, LEAD | {"phone": text}, is_visitor=True).outcome == REFUSED
    kept = [line.id for line in intake.log.page(outcome=REFUSED)]
    assert intake.accept_kept(kept[0], {"phone": "8 999 12"}).outcome == REFUSED
    assert intake.accept_kept(kept[0], {"phone": "8 999 123-45-67"}).outcome == ACCEPTED
    assert intake.accept_kept(kept[1], {"phone": "8 999 123-45-6", "name": "Иван"}).outcome == ACCEPTED
    assert {row["phone"] for row in rows(desk, accepted_leads)} == {"+79991234567", "8 999 123-45-6"}


def test_unknown_names_are_kept_and_noted_if_the_form_says_so(desk, intake):
    """In the log in any case, for ninety days; in the lead's note where the form wants it."""
    for number, noted in enumerate((False, True)):
        form = intake.forms.add(FormDraft(f"Форма {number}", note_unknown=noted))
        intake.take(form, {"phone": f"8 999 123-45-6{number}", "Город": "Тверь"})
        line = intake.log.page(form_id=form.id)[0]
        assert line.others == {"Город": "Тверь"}
        assert "Тверь" in {**intake.log.said(line).others, **intake.log.said(line).texts}.values()
        lead = next(row for row in rows(desk, accepted_leads) if row["form_id"] == form.id)
        assert ("Тверь" in lead["extra"]) is noted
    age(desk, submissions, "at", KEPT + timedelta(hours=1))
    intake.prune()
    assert {line.others.get("Город") for line in intake.log.page()} == {None}


def test_a_form_learns_from_what_it_kept(desk, intake, form):
    """A name taught afterwards is understood in what was refused before."""
    intake.take(form, {"Связь": "звоните 8 999 123-45-67", "text-1": "Ира"})
    kept = intake.log.page()[0]
    assert (kept.outcome, kept.phone) == (REFUSED, "")
    intake.forms.teach(form.id, "Связь", "phone")
    intake.forms.teach(form.id, "text-1", "name")
    line = intake.log.one(kept.id)
    assert (line.phone, line.name) == ("звоните 8 999 123-45-67", "Ира")
    assert intake.accept_kept(kept.id).outcome == ACCEPTED
    intake.forms.teach(form.id, "text-1", "")
    assert intake.forms.of(form.id).taught == {"Связь": "phone"}


def test_a_form_can_be_taught_so_much(intake, form):
    """Two hundred names, and the next one is told to be too many."""
    for number in range(200):
        intake.forms.teach(form.id, f"n{number}", "noted")
    with pytest.raises(Declined) as raised:
        intake.forms.teach(form.id, "one more", "noted")
    assert raised.value.code == "names_too_many"


def test_trying_out_sends_what_that_sender_sends(desk, intake):
    """A test lead goes through the names of its preset, and arrives with its name, its phone and its words."""
    from desk.intake.form_draft import ways_of
    from desk.intake.presets import PRESETS

    for preset in PRESETS:
        form = intake.forms.add(FormDraft(f"Форма {preset.id}", **ways_of(preset.id)))
        assert (
            intake.try_out(form.id, name="Проверка Формы", message=f"Проверка: {preset.id or 'код'}").outcome
            == ACCEPTED
        )
        lead = next(row for row in rows(desk, accepted_leads) if row["form_id"] == form.id)
        assert (lead["name"], lead["phone"]) == ("Проверка Формы", "+73000000000")
        assert f"Проверка: {preset.id or 'код'}" in lead["message"] + lead["extra"]

"""Drafts, saving once, taking back, call-backs, texts, figures: on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm.errors import Declined
from desk.calls.choice import ADD, OTHER, SAME, Choice
from desk.calls.drafts import MOST_CALLED, MOST_CALLED_OF_ALL, MOST_OPEN, new_id, operator_name
from desk.calls.texts import CONSENT, SCRIPT
from desk.delivery import DELIVERED, REFUSED
from desk.lead import NewLead
from desk.percentile import percentile
from store import tables
from store.tables import accepted_leads, consents, deliveries
from tests.desk.calls.conftest import LEAD, PHONE, call

SOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def added(box, entity):
    return box.ledger("change", entity=entity, change="added")


def known(box, desk, phone=PHONE):
    """A lead that is in AmoCRM already: (lead, contact)."""
    lead_id = desk.outbox.accept(NewLead("Вера Прежняя", phone), "api")
    desk.outbox.deliver_due()
    told = desk.outbox.progress(lead_id)
    return told.amo_lead_id, told.contact_id


def save(desk, entry, operator="Анна", draft_id=None):
    draft_id = draft_id or new_id()
    desk.calls.drafts.keep(draft_id, operator, {"phone": entry.lead.phone})
    return desk.calls.save(draft_id, entry, operator)


def test_a_draft_is_what_was_typed(desk):
    """Kept, changed, found again by its id and in its operator's list; another operator's list has it not."""
    first, second = new_id(), new_id()
    desk.calls.drafts.keep(first, "Анна", {"phone": "8 961", "consent": True})
    desk.calls.drafts.keep(first, "Анна", {"phone": "8 9615"})
    desk.calls.drafts.keep(second, "Анна", {"name": "Пётр"})
    desk.calls.drafts.keep(new_id(), "Борис", {"name": "Чужой"})
    assert [draft.values for draft in desk.calls.drafts.open_of("Анна")] == [{"phone": "8 9615"}, {"name": "Пётр"}]
    desk.calls.drafts.drop(second)
    assert desk.calls.drafts.get(second) is None
    assert desk.calls.drafts.get("nobody's") is None


def test_what_an_address_begins_displaces_nothing_typed(desk):
    """However many numbers come by addresses, all that somebody typed is offered; of the others the newest, within a bound."""
    drafts = desk.calls.drafts
    typed = [new_id() for _ in range(3)]
    for number, draft_id in enumerate(typed):
        drafts.keep(draft_id, "Анна", {"name": f"Настоящий {number}"})
    called = [drafts.begin_called("Анна", {"phone": f"+7999000{number:04}"}) for number in range(20)]
    offered = [draft.id for draft in drafts.open_of("Анна")]
    assert len(offered) == MOST_OPEN
    assert set(typed) <= set(offered)
    assert set(called[-5:]) <= set(offered)
    assert [draft_id for draft_id in called if drafts.get(draft_id)] == called[-MOST_CALLED:]


def test_a_called_draft_becomes_ones_own_by_typing(desk):
    """From the first key on it is a draft like any other, and the next calls leave it alone."""
    drafts = desk.calls.drafts
    called = drafts.begin_called("Анна", {"phone": "+79990000001"})
    drafts.keep(called, "Анна", {"phone": "+79990000001", "name": "Пётр"})
    for number in range(2 * MOST_CALLED):
        drafts.begin_called("Анна", {"phone": f"+7999000{number:04}"})
    assert called in [draft.id for draft in drafts.open_of("Анна")]


def test_calls_under_many_names_are_bounded(desk):
    """A cookie is anybody's to write: another name each time makes no more rows than all may have together."""
    drafts = desk.calls.drafts
    for number in range(MOST_CALLED_OF_ALL + 20):
        last = drafts.begin_called(f"Имя {number}", {"phone": "1"})
    with desk.store.read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(tables.drafts)) == MOST_CALLED_OF_ALL
    assert drafts.get(last)


@pytest.mark.parametrize(
    ("text", "name"),
    [("Анна", "Анна"), ("А\x00н", "Ан"), ("<b>А", "bА"), ("  А  Б ", "А Б"), ("\ud800А", "А"), ("я" * 500, "я" * 60)],
)
def test_an_operators_name_fits_anywhere(text, name):
    """Without what no database takes, without brackets, and no longer than a name."""
    assert operator_name(text) == name


def test_a_draft_is_saved_once(desk, box):
    """Whoever presses again gets the first lead; a draft that is saved is changed no more."""
    draft_id = new_id()
    first = save(desk, call(SOON), draft_id=draft_id)
    again = desk.calls.save(draft_id, call(SOON, NewLead("Другое Имя", PHONE)), "Борис")
    assert (again.lead_id, again.is_first) == (first.lead_id, False)
    assert desk.calls.drafts.keep(draft_id, "Анна", {"phone": "другой"}) is False
    assert desk.calls.drafts.open_of("Анна") == []
    assert desk.outbox.deliver_due() == 1
    assert len(added(box, "leads")) == 1


def test_presses_at_the_same_moment_are_one_lead(desk):
    """Eight threads save one draft at once."""
    draft_id, start, saved = new_id(), threading.Barrier(8), []
    desk.calls.drafts.keep(draft_id, "Анна", {"phone": PHONE})

    def press():
        start.wait()
        saved.append(desk.calls.save(draft_id, call(SOON), "Анна"))

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(saved) == 8
    assert len({one.lead_id for one in saved}) == 1
    assert sum(one.is_first for one in saved) == 1
    with desk.store.read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(accepted_leads)) == 1


def test_a_saved_call_is_taken_back(desk, box):
    """Before it leaves nothing of it stays and the draft is open again; saved once more it is one lead."""
    desk.calls.undo_s = 600.0
    draft_id = new_id()
    saved = save(desk, call(SOON, consented=True), draft_id=draft_id)
    assert desk.outbox.deliver_due() == 0
    draft = desk.calls.undo(saved.lead_id)
    assert (draft.id, draft.lead_id, draft.values) == (draft_id, None, {"phone": PHONE})
    assert desk.outbox.progress(saved.lead_id) is None
    with desk.store.read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(consents)) == 0
    with pytest.raises(Declined):
        desk.calls.undo(saved.lead_id)
    desk.calls.undo_s = 0.0
    assert desk.calls.save(draft_id, call(SOON), "Анна").is_first
    desk.outbox.deliver_due()
    assert len(added(box, "leads")) == 1


def test_what_has_left_is_not_taken_back(desk):
    """It is said so, and the call stays."""
    saved = save(desk, call(SOON))
    desk.outbox.deliver_due()
    with pytest.raises(Declined) as raised:
        desk.calls.undo(saved.lead_id)
    assert raised.value.code == "left_already"
    assert desk.calls.today("Анна")[0].lead_id == saved.lead_id


def test_a_call_arrives_with_its_task_and_consent(desk, box):
    """Lead, contact, note with the consent's version and who took it, task at the time agreed."""
    desk.calls.texts.write(CONSENT, "Вы согласны?", "Админ")
    saved = save(desk, call(SOON, consented=True, heard="friend"))
    desk.outbox.deliver_due()
    assert desk.outbox.progress(saved.lead_id).state == DELIVERED
    assert [len(added(box, entity)) for entity in ("leads", "contacts", "notes", "tasks")] == [1, 1, 1, 1]
    lead_id = desk.outbox.progress(saved.lead_id).amo_lead_id
    text = next(row["params"]["text"] for row in box.entities("notes") if row["entity_id"] == lead_id)
    assert "Хочу утром" in text
    assert "вслух: версия 1" in text
    assert "оператор: Анна" in text
    assert "Друзья" in text
    tasks = [row for row in box.entities("tasks") if row["entity_id"] == lead_id]
    assert [(row["text"][:11], row["complete_till"]) for row in tasks] == [("Перезвонить", int(SOON.timestamp()))]


def test_a_note_on_a_lead_that_is_there(desk, box):
    """Adding makes no lead and no contact: a note, the stage, the task. The contact's own fields stay."""
    lead_id, contact_id = known(box, desk)
    stage = next(row for row in box.entities("statuses") if row["id"] not in (142, 143) and row.get("type", 0) != 1)
    before = {entity: len(added(box, entity)) for entity in ("leads", "contacts", "notes", "tasks")}
    choice = Choice(ADD, amo_lead_id=lead_id, stage=(stage["pipeline_id"], stage["id"]))
    saved = save(desk, call(SOON, choice=choice))
    desk.outbox.deliver_due()
    told = desk.outbox.progress(saved.lead_id)
    assert (told.state, told.amo_lead_id) == (DELIVERED, lead_id)
    after = {entity: len(added(box, entity)) for entity in ("leads", "contacts", "notes", "tasks")}
    assert after == {**before, "notes": before["notes"] + 1, "tasks": before["tasks"] + 1}
    lead = next(row for row in box.entities("leads") if row["id"] == lead_id)
    assert (lead["pipeline_id"], lead["status_id"]) == (stage["pipeline_id"], stage["id"])
    contact = next(row for row in box.entities("contacts") if row["id"] == contact_id)
    assert contact["name"] == "Вера Прежняя"


def test_the_same_and_another_person(desk, box):
    """A new lead of the known contact makes no contact; another person on the number gets one of their own."""
    _, contact_id = known(box, desk)
    same = save(desk, call(SOON, choice=Choice(SAME, contact_id=contact_id)))
    desk.outbox.deliver_due()
    other = save(desk, call(SOON, NewLead("Пётр Другой", PHONE), choice=Choice(OTHER)))
    desk.outbox.deliver_due()
    assert desk.outbox.progress(same.lead_id).contact_id == contact_id
    assert desk.outbox.progress(other.lead_id).contact_id not in (None, contact_id)
    names = [row["name"] for row in box.entities("contacts") if "Вера" in row["name"] or "Другой" in row["name"]]
    assert sorted(names) == ["Вера Прежняя", "Пётр Другой"]


def test_a_note_for_a_lead_that_is_gone_goes_to_a_person(desk, box):
    """What was to be said of a lead that was thrown away meanwhile is not lost in silence."""
    saved = save(desk, call(SOON, choice=Choice(ADD, amo_lead_id=999_999_999)))
    desk.outbox.deliver_due()
    assert desk.outbox.progress(saved.lead_id).state == REFUSED


def test_call_backs_overdue_first(desk):
    """Mine and anyone's, the longest overdue first; another's not. Done, they are gone."""
    now = datetime.now(UTC)
    late = save(desk, call(now - timedelta(hours=1)))
    later = save(desk, call(now + timedelta(hours=1), NewLead("Пётр", "+79615550012"), mine=True))
    save(desk, call(now, NewLead("Чужой", "+79615550013"), mine=True), operator="Борис")
    save(desk, call(now, NewLead("Ничей", "+79615550014"), step="nothing", step_at=None, reason="x"))
    assert [one.lead_id for one in desk.calls.waiting("Анна")] == [late.lead_id, later.lead_id]
    assert desk.calls.late("Анна") == 1
    assert [one.name for one in desk.calls.waiting("")] == [LEAD.name]
    desk.calls.done(late.lead_id, "Анна")
    assert [one.lead_id for one in desk.calls.waiting("Анна")] == [later.lead_id]


@pytest.mark.parametrize("how", ["called", "not needed"])
def test_a_call_back_that_is_done_completes_its_task(desk, box, how):
    """By the call it led to, or by hand: the task in AmoCRM is completed, once."""
    first = save(desk, call(SOON))
    desk.outbox.deliver_due()
    if how == "called":
        draft_id = new_id()
        desk.calls.drafts.keep(draft_id, "Анна", {"phone": PHONE}, answers=first.lead_id)
        lead_id = desk.outbox.progress(first.lead_id).amo_lead_id
        desk.calls.save(
            draft_id,
            call(None, step="nothing", step_at=None, reason="Купил", choice=Choice(ADD, amo_lead_id=lead_id)),
            "Анна",
        )
    else:
        desk.calls.done(first.lead_id, "Анна")
        desk.calls.done(first.lead_id, "Анна")
    desk.outbox.deliver_due()
    assert desk.calls.waiting("Анна") == []
    assert desk.outbox.progress(first.lead_id).state == DELIVERED
    tasks = [row for row in box.entities("tasks") if row["text"].startswith("Перезвонить: Вера Звонкова")]
    assert [row["is_completed"] for row in tasks] == [1]


def test_taking_back_opens_the_call_back_again(desk):
    """A call that was taken back has not answered anybody."""
    first = save(desk, call(SOON))
    desk.outbox.deliver_due()
    desk.calls.undo_s = 600.0
    draft_id = new_id()
    desk.calls.drafts.keep(draft_id, "Анна", {"phone": PHONE}, answers=first.lead_id)
    answer = desk.calls.save(draft_id, call(SOON), "Анна")
    assert first.lead_id not in [one.lead_id for one in desk.calls.waiting("Анна")]
    desk.calls.undo(answer.lead_id)
    assert first.lead_id in [one.lead_id for one in desk.calls.waiting("Анна")]


def test_taking_back_does_not_open_what_another_has_answered(desk):
    """Two operators called the same person back: one who takes theirs back leaves the other's answer."""
    first = save(desk, call(SOON))
    desk.calls.undo_s = 600.0
    answers = []
    for operator in ("Анна", "Борис"):
        draft_id = new_id()
        desk.calls.drafts.keep(draft_id, operator, {"phone": PHONE}, answers=first.lead_id)
        answers.append(desk.calls.save(draft_id, call(SOON), operator))
    desk.calls.undo(answers[1].lead_id)
    assert first.lead_id not in [one.lead_id for one in desk.calls.waiting("Анна")]


def test_texts_have_versions(desk):
    """A changed text is a new version; the same once more is not; the kinds do not mix."""
    assert desk.calls.texts.newest(SCRIPT).body is None
    assert desk.calls.texts.write(SCRIPT, "Добрый день\r\n", "Админ").version == 1
    assert desk.calls.texts.write(SCRIPT, "Добрый день", "Админ").version == 1
    assert desk.calls.texts.write(SCRIPT, "Здравствуйте", "Админ").version == 2
    assert desk.calls.texts.newest(CONSENT).label == "0"


def test_figures(desk):
    """How fast, and how often nobody asked, for each operator."""
    save(desk, call(SOON))
    save(desk, call(SOON, NewLead("Пётр", "+79615550012"), heard="friend"))
    save(desk, call(SOON, NewLead("Олег", "+79615550013"), heard="maps"), operator="Борис")
    told = desk.calls.figures(timedelta(days=7))
    assert [(one.operator, one.count, one.not_asked) for one in told] == [("Анна", 2, 0.5), ("Борис", 1, 0.0)]
    assert told[0].p50_s is not None
    assert [one.name for one in desk.calls.today("Анна")] == ["Пётр", LEAD.name]
    assert desk.calls.last_source("Анна") == ""
    assert [percentile(range(1, 101), share) for share in (50, 95)] == [50, 95]
    assert percentile([], 50) is None


def test_old_drafts_are_forgotten(desk):
    """An open one after two weeks, a saved one after a day."""
    from store.tables import drafts

    draft_id = new_id()
    desk.calls.drafts.keep(draft_id, "Анна", {"phone": "8"})
    save(desk, call(SOON))
    with desk.store.write() as db:
        db.execute(drafts.update().values(changed_at=datetime.now(UTC) - timedelta(days=2)))
    desk.calls.prune()
    with desk.store.read() as db:
        assert list(db.scalars(sa.select(drafts.c.id))) == [draft_id]
        assert db.scalar(sa.select(sa.func.count()).select_from(deliveries)) == 1


def test_amocrm_is_asked_beside(desk, box):
    """What AmoCRM knows of a number comes into the mirror, and the newest note with it; when it is down that is said."""
    from tests.support.programs import until

    lead_id, contact_id = known(box, desk)
    save(desk, call(None, step="nothing", step_at=None, reason="x", choice=Choice(ADD, amo_lead_id=lead_id)))
    desk.outbox.deliver_due()
    until(lambda: desk.calls.ask(PHONE).state != "asking", "the answer")
    assert desk.calls.ask(PHONE).state == "answered"
    assert desk.calls.ask(PHONE).note is not None
    found = desk.calls.look(PHONE).exact
    assert [(one.contact_id, [lead.id for lead in one.leads]) for one in found] == [(contact_id, [lead_id])]
    box.fault("cut_before", path="/api/v4/*")
    until(lambda: desk.calls.ask("+79615550099").state != "asking", "the answer")
    assert desk.calls.ask("+79615550099").state == "failed"

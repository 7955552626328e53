"""The call desk's page: drafts, whose call it is, taking back, call-backs."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm.errors import NotSent
from desk.calls.drafts import new_id
from desk.calls.entry import CALL_FIELDS
from desk.calls.texts import CONSENT
from store import clock
from store.tables import consents, grants
from tests.desk.calls.conftest import PHONE, call, contact_row, lead_row, put, put_stages
from tests.pages.conftest import shown
from tests.pages.test_new_page import GOOD, created, fill, submit


@pytest.fixture
def known(desk):
    """Somebody with an open lead, in the mirror."""
    put_stages(desk.store, "Запрос", "Визит")
    put(desk.store, of_contacts=[(contact_row(1, PHONE), PHONE)], of_leads=[lead_row(11, 1)])


def test_a_draft_comes_back(desk, open_page):
    """What was typed stands there again for whoever opens the draft's address; its own names never get into it."""
    app = fill(open_page("new"), **GOOD).run()
    draft_id = app.query_params["draft"]
    assert set(app.query_params) == {"draft"}
    again = open_page("new")
    assert [button.label for button in again.button if "Ольга Новая" in button.label] == ["Продолжить: Ольга Новая"]
    again.button(key=f"new.draft_{draft_id}").click().run()
    assert {name: again.text_input(key=f"new.{name}").value for name in GOOD if name != "message"} == {
        name: text for name, text in GOOD.items() if name != "message"
    }
    assert again.text_area(key="new.message").value == GOOD["message"]
    submit(again)
    assert desk.calls.saved_as(draft_id) is not None
    assert desk.calls.drafts.open_of("") == []


def test_a_form_is_where_it_was_left(desk, open_page):
    """Another page and back: what was typed stands there, and is the same draft."""
    app = fill(open_page("new"), **GOOD).run()
    draft_id = app.query_params["draft"]
    app.switch_page("activity.py").run()
    app.switch_page("new.py").run()
    assert app.text_input(key="new.name").value == GOOD["name"]
    assert app.text_area(key="new.message").value == GOOD["message"]
    submit(app)
    assert desk.calls.saved_as(draft_id) is not None


def test_a_browser_that_has_not_heard_is_told_again(desk, open_page):
    """Streamlit may drop what a run said. What the browser then holds of the caller before is neither kept nor saved."""
    app = open_page("new")
    before = app.text_input(key="new.turn").value
    submit(fill(app, **GOOD))
    for _ in range(2):  # a look by itself, and a press
        assert app.text_input(key="new.name").value == ""
        fill(app, **GOOD, turn=before)
        app.run()
        assert app.text_input(key="new.name").value == ""
        fill(app, **GOOD, turn=before)
        submit(app)
    assert desk.calls.drafts.open_of("") == []
    assert len(desk.calls.today("")) == 1
    fill(app, name="Следующая").run()
    assert app.text_input(key="new.name").value == "Следующая"


def test_saved_can_be_taken_back(desk, box, open_page):
    """Nothing leaves before its time; taken back, the form is as it was."""
    app = submit(fill(open_page("new"), **GOOD))
    assert "Уйдёт в AmoCRM через" in shown(app)
    assert desk.outbox.deliver_due() == 0
    app.button(key="new.undo").click().run()
    assert "Возвращено в форму" in shown(app)
    assert app.text_input(key="new.name").value == GOOD["name"]
    assert created(box) == []


def test_taken_back_by_two_presses(desk, open_page):
    """The second one finds it done, and says nothing is broken."""
    app = submit(fill(open_page("new"), **GOOD))
    del app.session_state["new.last"]
    app.button(key="new.undo").click().run()
    assert "desk_failed" not in shown(app)


def test_a_known_number_is_shown_before_it_is_saved(desk, open_page, known):
    """A press that comes before the card only shows it; the next one adds to the open lead and takes the known name."""
    app = fill(open_page("new"), phone=PHONE)
    submit(app)
    assert "уже есть в AmoCRM" in shown(app)
    assert app.button(key="new.submit").label == "Добавить к сделке"
    assert app.text_input(key="new.name").placeholder == "Вера Звонкова"
    submit(app)
    assert not app.exception
    assert [one.kind for one in desk.calls.today("")] == ["add"]
    assert desk.calls.today("")[0].name == "Вера Звонкова"


def test_the_card_waits_for_no_token(desk, open_page, known, monkeypatch):
    """The access token ran out and AmoCRM answers nothing at all: the card with its link is there, before anybody was let go."""
    with desk.store.write() as db:
        past = {"issued_at": clock.now() - timedelta(days=2), "expires_at": clock.now() - timedelta(days=1)}
        db.execute(grants.update().values(**past))
    over = threading.Event()

    def dead(call, auth):
        over.wait()
        raise NotSent("unreachable")

    monkeypatch.setattr(desk.door, "request", dead)
    try:
        app = fill(open_page("new"), phone=PHONE).run()
        links = [element.proto.url for element in app.get("link_button")]
        assert links == [f"{desk.settings.amocrm_api_url}/leads/detail/11"]
    finally:
        over.set()


def test_whose_call_it_is(desk, open_page, known):
    """Each choice says on the button what saving will do; a stage is offered for the lead that is there."""
    app = fill(open_page("new"), phone=PHONE).run()
    assert app.selectbox(key="new.stage").options == ["Визит"]
    for number, label in ((2, "Сохранить новую сделку этого человека"), (3, "Сохранить как другого человека")):
        app.button(key=f"new.offer_{number}").click().run()
        assert app.button(key="new.submit").label == label
    submit(fill(app, name="Пётр Другой"))
    assert [one.kind for one in desk.calls.today("")] == ["other"]


def test_another_person_is_said_of_one_number(desk, open_page, known):
    """Chosen for a number, it is gone with that number: the next one that is known is that person again."""
    put(desk.store, of_contacts=[(contact_row(2, "+79035550042"), "+79035550042")], of_leads=[lead_row(12, 2)])
    app = fill(open_page("new"), phone=PHONE).run()
    app.button(key="new.offer_3").click().run()
    assert app.button(key="new.submit").label == "Сохранить как другого человека"
    fill(app, phone="+79035550042").run()
    assert app.button(key="new.submit").label == "Добавить к сделке"
    fill(app, phone=PHONE).run()
    assert app.button(key="new.submit").label == "Сохранить как другого человека"


def test_near_is_not_the_caller(desk, open_page, known):
    """A number like it changes nothing about saving; taken over, it is the number."""
    app = fill(open_page("new"), phone=f"{PHONE[:-1]}2").run()
    assert "Похожие номера" in shown(app)
    assert app.button(key="new.submit").label == "Сохранить"
    app.button(key="new.near_0").click().run()
    assert app.button(key="new.submit").label == "Добавить к сделке"


def test_nothing_next_needs_a_reason(desk, open_page):
    """Told at the field; what was typed stays."""
    app = fill(open_page("new"), **GOOD)
    app.radio(key="new.step").set_value("nothing").run()
    submit(app)
    assert "Заполните это поле" in shown(app)
    app.text_input(key="new.reason").set_value("Уже купил")
    submit(app)
    assert not app.exception
    assert desk.calls.waiting("") == []
    assert len(desk.calls.today("")) == 1


def test_a_call_back_opens_the_form(desk, open_page):
    """One press fills number and name; the call that is saved then has answered it."""
    saved = desk.calls.save("d" * 32, call(datetime.now(UTC) - timedelta(hours=1)), "")
    app = open_page("new")
    app.segmented_control(key="new.panel").set_value("back").run()
    assert "Просрочено" in shown(app)
    app.button(key=f"new.back_{saved.lead_id}").click().run()
    assert app.text_input(key="new.name").value == "Вера Звонкова"
    app.radio(key="new.step").set_value("nothing").run()
    app.text_input(key="new.reason").set_value("Купил")
    submit(app)
    assert desk.calls.waiting("") == []


def test_a_call_back_is_begun_once(desk, open_page):
    """Pressed again, here or after another caller, it goes on with what was begun."""
    saved = desk.calls.save("d" * 32, call(datetime.now(UTC) - timedelta(hours=1)), "")
    app = open_page("new")
    app.segmented_control(key="new.panel").set_value("back").run()
    app.button(key=f"new.back_{saved.lead_id}").click().run()
    fill(app, message="Перезвонить вечером").run()
    app.button(key=f"new.back_{saved.lead_id}").click().run()
    assert app.text_area(key="new.message").value == "Перезвонить вечером"
    app.button(key="new.next").click().run()
    app.button(key=f"new.back_{saved.lead_id}").click().run()
    assert app.text_area(key="new.message").value == "Перезвонить вечером"
    assert len(desk.calls.drafts.open_of("")) == 1


def test_the_number_of_an_address_keeps_its_plus(desk, open_page):
    """A telephone system that does not escape it sends a plus, which addresses read as a blank."""
    assert open_page("new", phone=" 375291234567").text_input(key="new.phone").value == "+375291234567"
    assert open_page("new", phone="8 961 123-45-67").text_input(key="new.phone").value == "8 961 123-45-67"


def test_nobody_writes_over_a_text_unseen(desk, open_page):
    """Who has not changed a text reads the newest; who has is told that somebody else was first, and keeps the words."""
    mine, yours = open_page("new"), open_page("new")
    yours.text_area(key="new.text_script").set_value("Текст Бориса")
    yours.button(key="new.texts_save").click().run()
    mine.text_area(key="new.text_consent").set_value("Согласие Анны").run()
    assert mine.text_area(key="new.text_script").value == "Текст Бориса"
    mine.button(key="new.texts_save").click().run()
    assert desk.calls.texts.newest("script").body == "Текст Бориса"
    assert desk.calls.texts.newest("consent").body == "Согласие Анны"

    yours.run()
    yours.text_area(key="new.text_script").set_value("Ещё раз Борис").run()
    mine.run()
    mine.text_area(key="new.text_script").set_value("Анна").run()
    yours.button(key="new.texts_save").click().run()
    mine.button(key="new.texts_save").click().run()
    assert "изменил кто-то другой" in shown(mine)
    assert mine.text_area(key="new.text_script").value == "Анна"
    assert desk.calls.texts.newest("script").body == "Ещё раз Борис"
    mine.button(key="new.texts_save").click().run()
    assert desk.calls.texts.newest("script").body == "Анна"


def test_an_empty_text_is_not_saved(desk, open_page):
    """It says so, and the text that counts stays."""
    app = open_page("new")
    app.text_area(key="new.text_script").set_value("  ")
    app.button(key="new.texts_save").click().run()
    assert "Пустой текст не сохранён" in shown(app)
    assert desk.calls.texts.newest("script").version == 0


def test_texts_are_changed_by_whoever_may(desk, open_page):
    """A new script is read by everybody, with the caller's data in it."""
    app = open_page("new")
    app.text_area(key="new.text_script").set_value("Привет, {имя}!")
    app.button(key="new.texts_save").click().run()
    assert "Тексты сохранены" in shown(app)
    fill(app, name="Ольга").run()
    assert "Привет, Ольга" in shown(app)


def test_what_the_form_asks_is_what_is_stored(desk, open_page):
    """Every field of a call has its widget; none is forgotten in a draft."""
    app = fill(open_page("new"), **GOOD)
    app.selectbox(key="new.when").set_value("own").run()
    drawn = {name for name in CALL_FIELDS if f"new.{name}" in app.session_state}
    assert drawn >= set(CALL_FIELDS) - {"reason", "choice", "stage", "consent_text"}


def kept(desk, **values):
    """A draft somebody has left, with a name and a number."""
    draft_id = new_id()
    desk.calls.drafts.keep(draft_id, "", {"name": "Ольга", "phone": GOOD["phone"], **values})
    return draft_id


def added(desk, *kinds):
    """Fields of these types on the form: their keys."""
    first = {field.type: field for field in desk.fields.known("leads")}
    return [desk.fields.add("leads", first[kind].id, first[kind].name) for kind in kinds]


@pytest.mark.parametrize("way", ["by its address", "by its button"])
def test_a_draft_with_a_day_that_has_passed(desk, open_page, way):
    """It opens, with all that was typed; saving asks for another time."""
    draft_id = kept(desk, when="own", day="2020-01-02", time="10:00:00")
    if way == "by its address":
        app = open_page("new", draft=draft_id)
    else:
        app = open_page("new").button(key=f"new.draft_{draft_id}").click().run()
    assert app.text_input(key="new.name").value == "Ольга"
    assert app.date_input(key="new.day").value == date(2020, 1, 2)
    assert "прошло" in shown(submit(app))
    assert app.text_input(key="new.name").value == "Ольга"


@pytest.mark.parametrize("value", [True, "словами", "2020-01-02", 7, ["Утро"]])
def test_a_draft_older_than_the_type_of_a_field(desk, open_page, value):
    """A field that was of another type when the draft was typed begins empty at worst; the draft opens."""
    keys = added(desk, "numeric", "textarea", "url", "date", "checkbox", "select", "multiselect")
    draft_id = kept(desk, **dict.fromkeys(keys, value))
    for app in (
        open_page("new", draft=draft_id),
        open_page("new").button(key=f"new.draft_{draft_id}").click().run(),
    ):
        assert app.text_input(key="new.name").value == "Ольга"
        assert app.button(key="new.submit")


def test_a_date_of_long_ago(desk, open_page):
    """A birthday can be said, and comes back with its draft."""
    (key,) = added(desk, "date")
    app = fill(open_page("new"), **GOOD)
    assert app.date_input(key=f"new.{key}").min == date(1900, 1, 1)
    app.date_input(key=f"new.{key}").set_value(date(1985, 5, 1)).run()
    again = open_page("new", draft=app.query_params["draft"])
    assert again.date_input(key=f"new.{key}").value == date(1985, 5, 1)


def test_several_choices(desk, open_page):
    """A field of several is asked for as that, comes back with its draft, and is saved."""
    (key,) = added(desk, "multiselect")
    app = fill(open_page("new"), **GOOD)
    app.multiselect(key=f"new.{key}").set_value(["Утро", "Вечер"]).run()
    again = open_page("new", draft=app.query_params["draft"])
    assert again.multiselect(key=f"new.{key}").value == ["Утро", "Вечер"]
    submit(again)
    assert not again.exception
    assert len(desk.calls.today("")) == 1


def test_two_tabs_with_other_words(desk, open_page):
    """What the first tab saved is saved; what the second one has typed more stands there still, and says so."""
    first = fill(open_page("new"), **GOOD).run()
    second = open_page("new", draft=first.query_params["draft"])
    submit(first)
    submit(fill(second, message="И ещё плавание"))
    assert "сохранён в другой вкладке" in shown(second)
    assert second.text_area(key="new.message").value == "И ещё плавание"
    assert [draft.values["message"] for draft in desk.calls.drafts.open_of("")] == ["И ещё плавание"]
    assert len(desk.calls.today("")) == 1
    submit(second)
    assert len(desk.calls.today("")) == 2


def test_two_tabs_with_the_same_words(desk, open_page):
    """The second press finds it saved: one lead, an empty form."""
    first = fill(open_page("new"), **GOOD).run()
    second = open_page("new", draft=first.query_params["draft"])
    submit(first)
    submit(second)
    assert second.text_input(key="new.name").value == ""
    assert len(desk.calls.today("")) == 1
    assert desk.calls.drafts.open_of("") == []


def test_a_draft_is_taken_up_as_it_is_now(desk, open_page):
    """What another tab has typed since the button was drawn is not overwritten; what it has saved is not opened again."""
    draft_id = kept(desk, message="Сначала")
    app = open_page("new")
    desk.calls.drafts.keep(draft_id, "", {"name": "Ольга", "phone": GOOD["phone"], "message": "Потом"})
    app.button(key=f"new.draft_{draft_id}").click().run()
    assert app.text_area(key="new.message").value == "Потом"
    app = open_page("new")
    desk.calls.save(draft_id, call(datetime.now(UTC)), "")
    app.button(key=f"new.draft_{draft_id}").click().run()
    assert app.text_input(key="new.name").value == ""
    assert "уже сохранён" in shown(app)


def test_the_consent_is_to_the_text_that_was_read_out(desk, open_page):
    """A text that changes after it was shown is not what was agreed to; the draft remembers which one was."""
    app = fill(open_page("new"), **GOOD).run()
    desk.calls.texts.write(CONSENT, "Совсем другие слова", "Админ")
    app.checkbox(key="new.consent").check().run()
    submit(open_page("new", draft=app.query_params["draft"]))
    with desk.store.read() as db:
        assert db.scalars(sa.select(consents.c.text_version)).all() == ["0"]


@pytest.mark.parametrize("name", ["Вера 🌸", "=Вера", "<b>Вера</b>", "Вера " * 100])
def test_a_known_name_that_could_not_be_typed(desk, open_page, name):
    """What AmoCRM calls the caller never keeps a call from being saved."""
    put_stages(desk.store, "Запрос")
    put(desk.store, of_contacts=[(contact_row(1, PHONE, name), PHONE)], of_leads=[lead_row(11, 1)])
    submit(fill(open_page("new"), phone=PHONE).run())
    assert [one.kind for one in desk.calls.today("")] == ["add"]


def test_a_stage_is_for_the_lead_it_was_chosen_for(desk, open_page, known):
    """Another number, another lead in the same pipeline: nobody has said where that one goes."""
    other = "+79615550077"
    put(desk.store, of_contacts=[(contact_row(2, other), other)], of_leads=[lead_row(22, 2)])
    app = fill(open_page("new"), phone=PHONE).run()
    app.selectbox(key="new.stage").select("Визит").run()
    fill(app, phone=other).run()
    assert app.selectbox(key="new.stage").value is None

"""The fields page: is what the desk needs there, choose another, create, ask for one more."""

from __future__ import annotations

import pytest
import requests

from tests.pages.conftest import shown


@pytest.fixture
def app(desk, open_page):
    return open_page("fields")


def remove_in_amocrm(box, field_id):
    token = box.grant()["access_token"]
    answer = requests.delete(
        f"{box.url}/api/v4/leads/custom_fields/{field_id}", headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    assert answer.status_code == 204


def test_all_is_well(app):
    """Each purpose names its field, that it exists and its type."""
    assert shown(app).count("Есть, тип текст") == 3
    assert "Есть, тип телефон или почта" in shown(app)
    assert app.selectbox(key="fields.direction").value == 264913


def test_a_field_that_is_gone_is_named_and_made_anew(desk, box, open_page):
    """A missing field is said so by its number; one click makes one in AmoCRM and uses it."""
    remove_in_amocrm(box, 264915)
    app = open_page("fields")
    app.button(key="fields.refresh").click().run()
    assert "Поля 264915 нет в аккаунте" in shown(app)
    app.button(key="fields.create.source").click().run()
    assert "Поле создано в AmoCRM и выбрано" in app.success[0].value
    made = next(mapped for mapped in desk.fields.mapping() if mapped.key == "source")
    assert (made.verdict, made.field.name, made.field.type) == ("ok", "Источник", "text")
    assert made.field_id != 264915


def test_another_choice_holds_without_a_restart(app, desk, box, open_page):
    """A field chosen is used for the next lead, survives a reload, and can be taken back."""
    other = next(field for field in desk.fields.known("leads") if field.type == "textarea")
    app.selectbox(key="fields.direction").set_value(other.id).run()
    assert "действует уже сейчас" in app.success[0].value
    again = open_page("fields")
    assert again.selectbox(key="fields.direction").value == other.id
    again.button(key="fields.reset.direction").click().run()
    assert again.selectbox(key="fields.direction").value == 264913


def test_a_wrong_type_is_said_so(box, tmp_path, open_page):
    """A number in the settings that belongs to a field of another type is named with that type."""
    from desk.desk import install
    from tests.support.desks import desk_for

    with desk_for(box, tmp_path, AMOCRM_FIELD_PHONE="264931") as desk:
        install(desk)
        app = open_page("fields")
        install(None)
    assert "Поле 264931 не того типа: число" in shown(app)


def test_one_more_field_and_away_again(app, desk):
    """An added field is listed with the name it has over HTTP, and can be removed."""
    app.selectbox(key="fields.add.which").set_value(("leads", 264939))
    app.text_input(key="fields.add.label").set_value("Цель тренировок")
    app.button(key="fields.add.submit").click().run()
    assert [mapped.label for mapped in desk.fields.added()] == ["Цель тренировок"]
    assert "`lead_264939`" in shown(app)
    app.button(key="fields.remove.lead_264939").click().run()
    assert desk.fields.added() == []


@pytest.mark.parametrize("label", ["a\x00b", "\u202e", "a\u200bb"])
def test_a_bad_title_is_refused(app, desk, label):
    """A title that is endless or unprintable is refused in words; nothing is added."""
    app.selectbox(key="fields.add.which").set_value(("leads", 264939))
    app.text_input(key="fields.add.label").set_value(label)
    app.button(key="fields.add.submit").click().run()
    assert not app.exception
    assert "Название не подходит" in app.error[0].value
    assert desk.fields.added() == []


def test_creating_without_rights_is_told(desk, box, open_page):
    """When AmoCRM refuses the new field, the page says why and what to do, and stays whole."""
    remove_in_amocrm(box, 264915)
    desk.fields.refresh(desk.client)
    box.fault("status", path="/api/v4/leads/custom_fields", method="POST", status=403)
    app = open_page("fields")
    app.button(key="fields.create.source").click().run()
    assert "Не хватает прав (403)" in app.error[0].value
    assert app.selectbox(key="fields.direction").value == 264913


def test_opening_costs_nothing_when_fields_are_known(desk, box, open_page):
    """The page reads the desk's own store; only the button asks AmoCRM, with two requests."""
    app = open_page("fields")
    before = box.last_seq()
    app.run()
    assert box.ledger("request", since=before) == []
    app.button(key="fields.refresh").click().run()
    assert len(box.ledger("request", since=before)) == 2

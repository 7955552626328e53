"""The deliveries page: what moves, what waits for a person, and what the person decides."""

from __future__ import annotations

import json

import pytest

from desk.delivery import DELIVERED, NEEDS_DECISION, UNKNOWN
from desk.lead import NewLead
from store.tables import deliveries
from tests.pages.conftest import shown

LEAD = NewLead("Вера Доставкина", "+79615550011", "Йога", "Сайт", "Хочу утром")
CREATE = "/api/v4/leads/complex"


def as_anna(app):
    """Somebody has said who they are."""
    return app.text_input(key="frame.person").set_value("Анна").run()


def refused(desk, box, *, path="custom_fields_values.1.values.0.value"):
    problem = {"status": 400, "detail": "x", "validation-errors": [
        {"request_id": "0", "errors": [{"code": "NotSupportedChoice", "path": path, "detail": "y"}]}]}  # fmt: skip
    box.fault("status", path=CREATE, status=400, body=json.dumps(problem), times=2)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    return lead_id


def undecided(desk, box):
    """Nobody knows, and the searches are over."""
    box.fault("cut_before", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    with desk.store.write() as db:
        db.execute(deliveries.update().values(state=NEEDS_DECISION, looked_s=120.0))
    return lead_id


def test_empty(desk, open_page):
    """Nothing on its way: the page says so, and nothing waits for a person."""
    app = open_page("deliveries")
    assert not app.exception
    assert not app.error
    assert "Здесь пусто" in shown(app)
    assert "Ждут вашего решения" not in shown(app)


def test_what_waits_says_why(desk, box, open_page):
    """The queue waits: the reason, since when and what is next; the table shows the lead."""
    box.fault("status", path=CREATE, status=402)
    desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    app = open_page("deliveries")
    assert "Очередь ждёт" in app.warning[0].value
    assert "не оплачен" in app.warning[0].value
    table = app.dataframe[0].value
    assert table["name"].tolist() == [LEAD.name]
    assert table["state"].tolist() == ["Ждёт отправки"]


def test_a_fault_of_the_desks_own_is_told_as_one(desk, open_page, monkeypatch):
    """The desk stumbles over a lead: the page says that it is ours, what to do, and does not blame AmoCRM."""
    monkeypatch.setattr(desk.fields, "layout", lambda: {}["layout"])
    desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    app = open_page("deliveries")
    assert "споткнулся сам стол" in app.error[0].value
    assert "это ошибка программы, а не AmoCRM" in app.dataframe[0].value["why"].tolist()[0]


def test_a_decision_needs_a_name(desk, box, open_page):
    """Without a name no decision can be pressed, and the page says where to write it."""
    lead_id = undecided(desk, box)
    app = open_page("deliveries")
    assert "Впишите слева своё имя" in shown(app)
    assert app.button(key=f"deliveries.drop.{lead_id}").disabled
    assert not as_anna(app).button(key=f"deliveries.drop.{lead_id}").disabled


def test_send_again(desk, box, open_page):
    """A person says that it is not there: AmoCRM is searched, as the page says, then it is sent, once; the history names the person."""
    lead_id = undecided(desk, box)
    app = as_anna(open_page("deliveries"))
    app.button(key=f"deliveries.again.{lead_id}").click().run()
    assert "Если его там нет, он отправится сам" in app.success[0].value
    assert desk.outbox.progress(lead_id).state == UNKNOWN
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    app.query_params["lead"] = lead_id
    app.run()
    assert "отправить ещё раз · Анна" in app.dataframe[-1].value["result"].tolist()


def test_it_exists(desk, box, open_page):
    """A person names the lead by the address it has in AmoCRM; only its note is put, no second lead is made."""
    box.fault("cut_after", path=CREATE, times=1)
    lead_id = desk.outbox.accept(LEAD, "api")
    desk.outbox.deliver_due()
    with desk.store.write() as db:
        db.execute(deliveries.update().values(state=NEEDS_DECISION))
    there = box.entities("leads")[0]["id"]
    app = as_anna(open_page("deliveries"))
    app.text_input(key=f"deliveries.amo_id.{lead_id}").set_value(f"{box.url}/leads/detail/{there}")
    app.button(key=f"deliveries.exists.{lead_id}").click().run()
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).amo_lead_id == there
    assert desk.outbox.progress(lead_id).state == DELIVERED


@pytest.mark.parametrize("text", ["", "нет", "0", "999999999999999999999", "-5", "<b>"])
def test_a_number_that_is_none(desk, box, open_page, text):
    """What names no lead of AmoCRM is refused in words, and the lead waits on."""
    lead_id = undecided(desk, box)
    app = as_anna(open_page("deliveries"))
    app.text_input(key=f"deliveries.amo_id.{lead_id}").set_value(text)
    app.button(key=f"deliveries.exists.{lead_id}").click().run()
    assert not app.exception
    assert "Сделки с таким номером" in app.error[0].value
    assert desk.outbox.progress(lead_id).state == NEEDS_DECISION


def test_look_again_and_drop(desk, box, open_page):
    """Searching again makes it unknown once more; dropping ends it; taken back, it is searched for, as beside the button."""
    lead_id = undecided(desk, box)
    app = as_anna(open_page("deliveries"))
    app.button(key=f"deliveries.look.{lead_id}").click().run()
    assert desk.outbox.progress(lead_id).state == UNKNOWN
    app.query_params["lead"] = lead_id
    app.run()
    app.button(key=f"deliveries.drop.{lead_id}.whole").click().run()
    assert desk.outbox.progress(lead_id).state == "dropped"
    assert any("Сначала стол поищет его в AmoCRM" in one.value for one in app.caption)
    app.button(key=f"deliveries.again.{lead_id}.whole").click().run()
    assert desk.outbox.progress(lead_id).state == UNKNOWN


def test_the_faulty_field_is_open_for_repair(desk, box, open_page):
    """The refused value stands in its field with AmoCRM's word; corrected, the lead arrives once."""
    lead_id = refused(desk, box)
    app = as_anna(open_page("deliveries"))
    assert "AmoCRM не приняла это значение" in shown(app)
    field = app.text_input(key=f"deliveries.direction.{lead_id}")
    assert field.value == "Йога"
    field.set_value("Бокс")
    app.button(key=f"deliveries.repaired.{lead_id}").click().run()
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).state == DELIVERED
    assert box.entities("leads")[0]["custom_fields"]["264913"][0]["value"] == "Бокс"


def test_a_repair_that_is_none(desk, box, open_page):
    """A repair is checked like any lead: the fault stands at its field, and nothing is sent."""
    lead_id = refused(desk, box)
    app = as_anna(open_page("deliveries"))
    app.text_input(key=f"deliveries.phone.{lead_id}").set_value("восемь")
    app.button(key=f"deliveries.repaired.{lead_id}").click().run()
    assert "Здесь нет номера телефона" in shown(app)
    assert desk.outbox.progress(lead_id).state == "refused"


def test_replay_all(desk, box, open_page):
    """One press retries everything that waits for a person."""
    lead_id = refused(desk, box)
    app = as_anna(open_page("deliveries"))
    app.button(key="deliveries.all.replay").click().run()
    assert desk.outbox.progress(lead_id).state == "queued"


def test_the_story_of_a_lead(desk, open_page):
    """What was said, how long it took, and every try."""
    lead_id = desk.outbox.accept(LEAD, "desk", entered_by="Пётр")
    desk.outbox.deliver_due()
    app = open_page("deliveries")
    app.query_params["lead"] = lead_id
    app.run()
    text = shown(app)
    for part in ("Вера Доставкина", "Хочу утром", "Пётр", "В AmoCRM"):
        assert part in text
    assert app.dataframe[-1].value["step"].tolist() == ["Примечание", "Создание лида", "Поиск контакта"]


def test_a_lead_nobody_knows(desk, open_page):
    """An id in the address that is none of ours: a sentence, no traceback."""
    app = open_page("deliveries")
    app.query_params["lead"] = "../../etc"
    app.run()
    assert not app.exception
    assert "Такого лида здесь нет" in shown(app)


def test_every_page_tells_what_waits(desk, box, open_page):
    """The sidebar counts the leads that wait for a person, with the right plural."""
    refused(desk, box)
    app = open_page("leads")
    assert any("1 лид ждёт решения" in str(link.label) for link in app.sidebar.get("page_link"))

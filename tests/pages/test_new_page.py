"""The new-lead page: faults at their fields, one press one lead, the card."""

from __future__ import annotations

import pytest

from tests.pages.conftest import shown

GOOD = {
    "phone": "8 (961) 555-10-20",
    "name": "Ольга Новая",
    "direction": "Йога",
    "source": "Звонок",
    "message": "Утром",
}


@pytest.fixture(autouse=True)
def leaves_at_once(desk):
    """Nobody takes anything back here: what is saved may leave."""
    desk.calls.undo_s = 0.0


@pytest.fixture
def app(desk, open_page):
    return open_page("new")


def fill(app, **texts):
    for name, text in texts.items():
        widget = app.text_area if name == "message" else app.text_input
        widget(key=f"new.{name}").set_value(text)
    return app


def submit(app):
    return app.button(key="new.submit").click().run()


def created(box):
    """What has been created in AmoCRM since the reset."""
    return box.ledger("change", entity="leads", change="added")


def test_a_lead_is_accepted_delivered_and_shown(app, desk, box):
    """After the press the form is empty and the card has the lead; once delivered it has the time and the link."""
    submit(fill(app, **GOOD))
    assert not app.exception
    assert "Сохранено. Передаём в AmoCRM" in shown(app)
    assert all(app.text_input(key=f"new.{name}").value == "" for name in ("phone", "name", "direction"))
    assert app.text_input(key="new.source").value == "Звонок"  # the next one most likely comes the same way
    assert desk.outbox.deliver_due() == 1
    app.run()
    assert "В AmoCRM за" in app.success[0].value
    assert "Ольга Новая" in shown(app)
    assert "+7 961 555-10-20" in shown(app)
    assert app.link_button[0].url.startswith(f"{box.url}/leads/detail/")
    assert len(created(box)) == 1


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("phone", "", "Заполните это поле"), ("phone", "восемь", "нет номера телефона"), ("phone", "8999", "Не хватает цифр: в номере 4 цифры"), ("phone", "+7 916 123-45-6", "в номере 10 цифр, а нужно 11"),
        ("phone", "9" * 30, "Лишние цифры: в номере 30 цифр"), ("phone", "8" * 200, "Лишние цифры"), ("phone", "8 (300) 123-45-67", "Такого номера не бывает"),
        ("phone", "+7 (891) 612-34-56", "последняя цифра не поместилась"), ("phone", "🙂", "нет номера телефона"), ("name", "", "Заполните это поле"), ("name", "<b>x</b>", "Знаки < и >"),
        ("name", "=HYPERLINK(1)", "не может начинаться"), ("name", "x" * 500, "Слишком длинно"),
        ("direction", "<script>", "Знаки < и >"), ("source", "+SUM(1)", "не может начинаться"),
        ("direction", "x" * 500, "Слишком длинно"), ("message", "x" * 5000, "Слишком длинно"),
    ],
)  # fmt: skip
def test_faults_stand_at_their_fields(app, desk, box, field, text, words):
    """Each fault is told under its field; what was typed stays there; nothing is accepted or sent."""
    submit(fill(app, **GOOD | {field: text}))
    assert not app.exception
    assert words in shown(app)
    kept = app.text_area(key="new.message") if field == "message" else app.text_input(key=f"new.{field}")
    assert kept.value == text
    other = "name" if field != "name" else "phone"
    assert app.text_input(key=f"new.{other}").value == GOOD[other]
    assert desk.outbox.deliver_due() == 0
    assert created(box) == []


@pytest.mark.parametrize("text", ["Иван 💥", "Иван\x07", "🩷 Аня", "-", "1"])
def test_what_costs_nobody_a_call(app, desk, box, text):
    """Pictures, unseen marks, and a dash for whoever gives no name: the call is saved."""
    submit(fill(app, **GOOD | {"name": text}))
    assert desk.outbox.deliver_due() == 1
    assert len(created(box)) == 1


def test_a_number_is_told_faulty_while_it_is_typed(app):
    """What no further digit mends is said at once, what lacks digits as soon as the operator has gone on."""
    fill(app, phone="8 (300) 123-45-67").run()
    assert "Такого номера не бывает" in shown(app)
    fill(app, phone="8 916 123-45-6").run()
    assert "Не хватает цифр" not in shown(app)
    fill(app, name="Вера").run()
    assert "Не хватает цифр: в номере 10 цифр, а нужно 11" in shown(app)
    fill(app, phone="8 916 123-45-67").run()
    assert "Не хватает цифр" not in shown(app)


def test_a_name_in_another_layout_is_offered(app):
    """It is right after one press, and stays as it was typed without it."""
    fill(app, **GOOD | {"name": "Bdfy"}).run()
    assert app.text_input(key="new.name").value == "Bdfy"
    app.button(key="new.name_offer").click().run()
    assert app.text_input(key="new.name").value == "Иван"
    assert app.text_input(key="new.phone").value == GOOD["phone"]
    assert not [button for button in app.button if button.key == "new.name_offer"]


def test_a_mended_field_is_not_blamed_any_more(app):
    """What was put right no longer says that it is wrong; the fault that is left still does."""
    submit(fill(app, **GOOD | {"phone": "8999", "name": "=1"}))
    fill(app, phone=GOOD["phone"]).run()
    assert "Не хватает цифр" not in shown(app)
    assert "не может начинаться" in shown(app)
    assert "Ещё не сохранено" in shown(app)
    fill(app, name=GOOD["name"]).run()
    assert "не может начинаться" not in shown(app)
    assert "Ещё не сохранено" not in shown(app)


def test_the_same_press_twice_is_one_lead(app, desk, box):
    """A second arrival of the same form within seconds is the first one."""
    submit(fill(app, **GOOD))
    submit(fill(app, **GOOD))
    assert desk.outbox.deliver_due() == 1
    assert len(created(box)) == 1


def test_another_lead_right_after_is_another_lead(app, desk, box):
    """The next caller with another phone is not mistaken for a double press."""
    submit(fill(app, **GOOD))
    submit(fill(app, **GOOD | {"phone": "8 961 555 10 21"}))
    assert desk.outbox.deliver_due() == 2


@pytest.mark.parametrize("text", ["**жирный** [ссылка](https://evil)", "$x$ :material/home:", "`code` ~~x~~"])
def test_what_was_typed_is_shown_letter_by_letter(app, desk, text):
    """No direction typed in is taken for markup on the card."""
    submit(fill(app, **GOOD | {"message": text}))
    assert not app.exception


def test_saving_works_with_amocrm_down(box, desk, open_page):
    """The lead is accepted and waits; the card says what AmoCRM's trouble is."""
    box.fault("cut_before", path="/api/v4/*")
    app = open_page("new")
    submit(fill(app, **GOOD))
    desk.outbox.deliver_due()
    app.run()
    assert "Сохранено у нас, в AmoCRM уйдёт само" in app.warning[0].value


def test_unknown_is_not_sent_again(box, desk, open_page):
    """When the line is cut after AmoCRM took the lead, the card says so and no second one is made."""
    box.fault("cut_after", path="/api/v4/leads/complex", times=1)
    app = open_page("new")
    submit(fill(app, **GOOD))
    desk.outbox.deliver_due()
    app.run()
    assert "ищем лид там сами" in app.warning[0].value
    assert desk.outbox.deliver_due() == 0
    assert len(created(box)) == 1


def test_what_amocrm_refuses_is_told(box, desk, open_page):
    """A validation error names where; the lead stays with us."""
    problem = '{"title":"Bad Request","status":400,"detail":"x","validation-errors":[{"request_id":"0","errors":[{"code":"NotSupportedChoice","path":"custom_fields_values.0.values.0.value","detail":"y"}]}]}'
    box.fault("status", path="/api/v4/leads/complex", status=400, body=problem)
    app = open_page("new")
    submit(fill(app, **GOOD))
    desk.outbox.deliver_due()
    app.run()
    assert "AmoCRM не приняла содержание" in app.error[0].value
    assert "Телефон: NotSupportedChoice" in shown(app)


def test_an_added_field_is_asked_for_and_sent(desk, box, open_page):
    """A field the admin added appears in the form by its type and goes to AmoCRM, without any code."""
    text = next(field for field in desk.fields.known("leads") if field.type == "textarea")
    choice = next(field for field in desk.fields.known("leads") if field.type == "select")
    keys = [desk.fields.add("leads", field.id, field.name) for field in (text, choice)]
    app = open_page("new")
    fill(app, **GOOD)
    app.text_input(key=f"new.{keys[0]}").set_value("Похудеть")
    app.selectbox(key=f"new.{keys[1]}").select(choice.choices[1])
    submit(app)
    assert desk.outbox.deliver_due() == 1
    lead = box.entities("leads")[0]
    assert lead["custom_fields"][str(text.id)][0]["value"] == "Похудеть"
    assert str(choice.id) in lead["custom_fields"]

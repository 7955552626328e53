"""The forms page: forms and keys, a test lead, the log, and leads made of what was none at first."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm.reception import API
from crm.reception.drafts import FormDraft
from crm.reception.forms import KEY_PREFIX
from crm.reception.log import OUTCOMES
from crm.reception.reception import NOBODYS_PHONE
from crm.reception.signs import SIGNS
from crm.store.tables import accepted_leads
from crm.words import words
from tests.pages.conftest import shown
from ui.form_drawers import OVERLAP_DAYS

LEAD = {"name": "Ольга Новая", "phone": "8 (961) 555-10-20", "message": "Утром"}


@pytest.fixture
def app(desk, open_page):
    return open_page("forms")


@pytest.fixture
def form(desk):
    return desk.reception.forms.add(FormDraft("Главная", "Сайт", ("https://fit.example",)))


def press(app, key):
    return app.button(key=f"forms.{key}").click().run()


def close(app):
    """What dismissing the drawer does."""
    from ui import form_drawers

    for key in (form_drawers.OPEN, form_drawers.FRESH, form_drawers.FAULTS, form_drawers.REVOKING):
        if key in app.session_state:
            del app.session_state[key]
    return app.run()


def fill(app, **values):
    for name, value in values.items():
        widget = app.text_area if name == "origins" else app.text_input
        widget(key=f"forms.{name}").set_value(value)
    return app


def codes(app):
    return [block.value for block in app.code]


def leads(desk):
    with desk.store.read() as db:
        return list(db.execute(sa.select(accepted_leads)).mappings())


def test_empty(app):
    """A new desk has the built-in form, and says how to begin and where submissions will be."""
    assert not app.exception
    text = shown(app)
    assert "ключ INTAKE_API_KEY и программы на этом компьютере" in text
    assert "Нажмите «Новая форма»" in text
    assert "Заявок ещё не было" in text
    assert not app.dataframe


@pytest.mark.parametrize("language", ["ru", "en"])
def test_what_is_put_together_has_words(language):
    """Outcomes, signs and overlaps are named by keys that are made of them."""
    keys = [f"forms-outcome-{outcome}" for outcome in OUTCOMES] + [f"forms-sign-{sign}" for sign in SIGNS]
    keys += [f"forms-key-overlap-{days}" for days in OVERLAP_DAYS]
    keys += [f"forms-count-{outcome}" for outcome in OUTCOMES if outcome != "repeated"]
    assert not [key for key in keys if not words(language).has(key)]


def test_a_form_is_made_and_its_key_shown_once(app, desk):
    """Filled in, it is there with a key that works; the key is on the screen until the drawer closes, then nowhere."""
    press(app, "new")
    fill(app, name="Главная", source="Сайт", origins="fit.example\nhttps://фитнес.рф/yoga")
    press(app, "save")
    form = desk.reception.forms.all()[0]
    assert (form.name, form.origins) == ("Главная", ("https://fit.example", "https://xn--e1afprck.xn--p1ai"))
    [key] = codes(app)
    assert key.startswith(KEY_PREFIX)
    assert desk.reception.forms.keyholder(key).form.id == form.id
    assert "показывается один раз" in shown(app)
    close(app)
    assert codes(app) == []
    assert "Сайт · fit\\.example · фитнес\\.рф · 1 действующий ключ" in shown(app)
    press(app, f"keys.{form.id}")
    assert codes(app) == []
    assert f"`…{key[-4:]}`" in shown(app)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "Заполните это поле"), ("name", "<b>", "Знаки < и >"), ("name", "api", "Такое название уже есть"),
        ("source", "=1", "не может начинаться"), ("origins", "кто-то!", "адреса сайтов"), ("thanks_url", "thanks", "http:// или https://"),
    ],
)  # fmt: skip
def test_faults_stand_at_their_fields(app, desk, field, value, words):
    """What cannot be is told under its field, what was typed stays, and no form is made."""
    press(app, "new")
    fill(app, **{"name": "Форма"} | {field: value})
    press(app, "save")
    assert not app.exception
    assert words in shown(app)
    widget = app.text_area if field == "origins" else app.text_input
    assert widget(key=f"forms.{field}").value == value
    assert len(desk.reception.forms.all()) == 1


def test_a_form_is_changed(desk, form, open_page):
    """The drawer begins with what the form is; saved, it is in effect, and the page says so."""
    app = open_page("forms")
    press(app, f"edit.{form.id}")
    assert app.text_area(key="forms.origins").value == "https://fit.example"
    app.number_input(key="forms.duplicate_min").set_value(0)
    fill(app, name="Акция", thanks_url="https://fit.example/ok")
    press(app, "save")
    changed = desk.reception.forms.of(form.id)
    assert (changed.name, changed.thanks_url, changed.duplicate_s) == ("Акция", "https://fit.example/ok", 0)
    assert "уже действует" in app.success[0].value


def test_paused_and_resumed(desk, form, open_page):
    """One press each, said with what it means."""
    app = open_page("forms")
    press(app, f"pause.{form.id}")
    assert "сайту отказывают, а присланное хранится" in app.success[0].value
    assert not desk.reception.forms.of(form.id).is_active
    assert "На паузе" in shown(app)
    press(app, f"resume.{form.id}")
    assert desk.reception.forms.of(form.id).is_active


def test_a_key_takes_over_with_an_overlap(desk, form, open_page):
    """A week unless another length is chosen; both keys are listed with their ends."""
    old = desk.reception.forms.new_key(form.id)
    app = open_page("forms")
    press(app, f"keys.{form.id}")
    assert app.selectbox(key="forms.overlap").value == 7
    app.selectbox(key="forms.overlap").set_value(30)
    press(app, "make_key")
    new, former = desk.reception.forms.keys(form.id)
    assert codes(app)[0].endswith(new.hint)
    assert former.hint == old[-4:]
    assert former.ends_at - new.created_at == timedelta(days=30)
    assert "действует до" in shown(app)


def test_revoking_asks_first(desk, form, open_page):
    """The first press asks, "cancel" leaves all as it was, the second press ends the key."""
    key = desk.reception.forms.new_key(form.id)
    key_id = desk.reception.forms.keys(form.id)[0].id
    app = open_page("forms")
    press(app, f"keys.{form.id}")
    press(app, f"revoke.{key_id}")
    assert f"Отозвать ключ …{key[-4:]}?" in app.warning[0].value
    press(app, "revoke_no")
    assert desk.reception.forms.keyholder(key).works
    press(app, f"revoke.{key_id}")
    press(app, "revoke_yes")
    assert not desk.reception.forms.keyholder(key).works
    assert "кончился" in shown(app)


def test_the_code_for_the_site(desk, form, open_page):
    """Ready to be pasted, with the desk's address; the key is in it only right after it was made."""
    app = open_page("forms")
    press(app, f"code.{form.id}")
    scripted, plain = codes(app)
    assert 'action="http://localhost:8501/api/crm"' in plain
    assert 'value="FORM_KEY"' in plain
    assert scripted.startswith(plain)
    assert "Idempotency-Key" in scripted
    assert "впишите ключ формы" in shown(app)
    assert "Задайте BASE_URL" in shown(app)
    close(app)
    press(app, f"keys.{form.id}")
    press(app, "make_key")
    key = codes(app)[0]
    press(app, "to_code")
    assert all(f'value="{key}"' in code for code in codes(app))


def test_a_test_lead_goes_the_real_way(desk, box, form, open_page):
    """Accepted, delivered, and in AmoCRM with a name and a note that say what it is; pressed again it is another one."""
    app = open_page("forms")
    press(app, f"test.{form.id}")
    assert "Проверочная заявка принята" in shown(app)
    links = [link.query_string for link in app.page_link]
    assert f"lead={leads(desk)[0]['id']}" in links
    desk.outbox.deliver_due()
    app.run()
    assert "В AmoCRM за" in shown(app)
    lead = leads(desk)[0]
    assert (lead["phone"], lead["source"], lead["form_id"]) == (NOBODYS_PHONE, "Сайт", form.id)
    assert "Это проверка формы «Главная»" in lead["message"]
    assert len(box.ledger("change", entity="leads", change="added")) == 1
    press(app, f"test.{form.id}")
    assert len(leads(desk)) == 2


def test_a_test_lead_of_a_paused_form_is_refused(desk, form, open_page):
    """The page says why, as the site would be told."""
    desk.reception.forms.pause(form.id)
    app = open_page("forms")
    press(app, f"test.{form.id}")
    assert "Проверочная заявка не принята" in app.error[0].value
    assert "сейчас ничего не принимает" in app.error[0].value


def test_numbers_of_a_form(desk, form, open_page):
    """How many of each outcome of late, and when the last was accepted and refused."""
    for raw in (LEAD, LEAD, LEAD | {"phone": "8"}, LEAD | {"phone": "89615551021", "homepage": "x"}):
        desk.reception.take(form, raw)
    app = open_page("forms")
    assert {metric.label: metric.value for metric in app.metric} == {
        "Принято": "1",
        "Повторов": "1",
        "Отказов": "1",
        "Роботов": "1",
    }
    assert "Последняя принята: " in shown(app)
    assert "Последний отказ: " in shown(app)


def test_the_log_masks_phones_and_filters(desk, form, open_page):
    """Every submission, the newest first, by outcome and form; no whole phone in the list."""
    desk.reception.take(form, LEAD)
    desk.reception.take(desk.reception.forms.of(API), LEAD | {"phone": "8 99 1"})
    app = open_page("forms")
    table = app.dataframe[0].value
    assert list(table["outcome"]) == ["✗ Отклонена", "✓ Принята"]
    assert list(table["form"]) == ["API", "Главная"]
    assert list(table["phone"]) == ["* *9 1", "+7 961 ***-**-20"]
    assert not [text for text in ("5551020", "555-10-20", "8 99 1") if text in table.to_string()]
    assert "Телефон: Не хватает цифр: в номере 4 цифры" in table["reason"][0]
    app.pills(key="forms.outcome").set_value("accepted").run()
    assert list(app.dataframe[0].value["name"]) == ["Ольга Новая"]
    app.selectbox(key="forms.form_filter").set_value(API).run()
    assert "Таких заявок нет" in shown(app)


def opened(open_page, submission_id):
    """The page with one submission open, as choosing its row does."""
    app = open_page("forms")
    app.session_state["forms.open"] = ("submission", submission_id)
    return app.run()


def test_an_accepted_one_opened(desk, form, open_page):
    """All that was said, the whole phone, marks and consent; nothing to press."""
    desk.reception.take(
        form, LEAD | {"utm_source": "vk", "consent": True, "consent_version": "2026-01"}, ip="203.0.113.9"
    )
    text = shown(app := opened(open_page, desk.reception.log.page()[0].id))
    for said in (
        "Ольга Новая",
        "+7 961 555-10-20",
        "Утром",
        "vk",
        "Дано, версия текста: 2026-01",
        "203.0.113.9",
        "Главная",
    ):
        assert said in text
    assert not [button for button in app.button if button.key == "forms.accept"]


@pytest.mark.parametrize("kind", ["flagged", "duplicate", "refused"])
def test_one_press_makes_a_lead(desk, form, open_page, kind):
    """What was put aside, a duplicate or refused for another reason than its fields becomes a lead, once."""
    match kind:
        case "flagged":
            desk.reception.take(form, LEAD | {"homepage": "x"})
        case "duplicate":
            desk.reception.take(form, LEAD)
            desk.reception.take(form, LEAD | {"message": "Вечером"})
        case _:
            desk.reception.refuse(form, LEAD, "key_ended")
    before = len(leads(desk))
    app = opened(open_page, desk.reception.log.page()[0].id)
    assert "+7 961 555-10-20" in shown(app)
    press(app, "accept")
    assert not app.exception
    assert "Лид принят и уходит в AmoCRM" in app.success[0].value
    assert len(leads(desk)) == before + 1
    assert app.dataframe[0].value["reason"][0] == "принята вручную"


def test_a_refused_one_is_put_right(desk, form, open_page):
    """Its faulty field is open with what is wrong; still wrong it stays, right it is a lead."""
    desk.reception.take(form, LEAD | {"phone": "8 961"})
    submission_id = desk.reception.log.page()[0].id
    app = opened(open_page, submission_id)
    phone = f"forms.repair.{submission_id}.phone"
    assert "Не хватает цифр" in shown(app)
    assert app.text_input(key=phone).value == "8 961"
    app.text_input(key=phone).set_value("восемь")
    press(app, "accept")
    assert "нет номера телефона" in shown(app)
    assert leads(desk) == []
    app.text_input(key=phone).set_value("8 961 555 10 20")
    press(app, "accept")
    assert "Лид принят" in app.success[0].value
    assert leads(desk)[0]["message"] == "Утром"


@pytest.mark.parametrize("text", ["**жирный** [ссылка](https://evil)", "$x$ :material/home:", "`code`"])
def test_what_was_sent_is_shown_letter_by_letter(desk, form, open_page, text):
    """No message is taken for markup, in the list or opened."""
    desk.reception.take(form, LEAD | {"name": text, "message": text})
    app = opened(open_page, desk.reception.log.page()[0].id)
    assert not app.exception
    assert not [part for part in app.markdown if text in part.value]


def test_a_submission_that_is_gone(desk, open_page):
    """Opened after it was cleared away it says so."""
    assert "уже не хранится" in shown(opened(open_page, "0" * 32))


def test_a_row_chosen_opens_its_submission(desk, form, open_page):
    """The table tells a row; the page knows which submission stood there."""
    from ui import submissions_view

    desk.reception.take(form, LEAD)
    app = open_page("forms")
    assert app.session_state[submissions_view.SHOWN] == [desk.reception.log.page()[0].id]

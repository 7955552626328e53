"""The forms page: forms and keys, a test lead, the log, and leads made of what was none at first."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from desk.intake import API, keeping, salvage
from desk.intake.form_draft import FormDraft, ways_of
from desk.intake.forms import KEY_PREFIX
from desk.intake.intake import NOBODYS_PHONE
from desk.intake.log import OUTCOMES
from desk.intake.presets import PRESETS
from desk.intake.signs import SIGNS
from desk.words import words
from store.tables import accepted_leads
from tests.pages.conftest import shown
from ui.forms.drawers import OVERLAP_DAYS
from ui.frame import formats

LEAD = {"name": "Ольга Новая", "phone": "8 (961) 555-10-20", "message": "Утром"}


@pytest.fixture
def app(desk, open_page):
    return open_page("forms")


@pytest.fixture
def form(desk):
    return desk.intake.forms.add(FormDraft("Главная", "Сайт", ("https://fit.example",)))


def press(app, key):
    return app.button(key=f"forms.{key}").click().run()


def close(app):
    """What dismissing the drawer does."""
    from ui.forms import drawers

    for key in (drawers.OPEN, drawers.FRESH, drawers.FAULTS, drawers.REVOKING):
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
    form = desk.intake.forms.all()[0]
    assert (form.name, form.origins) == ("Главная", ("https://fit.example", "https://xn--e1afprck.xn--p1ai"))
    [key] = codes(app)
    assert key.startswith(KEY_PREFIX)
    assert desk.intake.forms.keyholder(key).form.id == form.id
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
    assert len(desk.intake.forms.all()) == 1


def test_a_form_is_changed(desk, form, open_page):
    """The drawer begins with what the form is; saved, it is in effect, and the page says so."""
    app = open_page("forms")
    press(app, f"edit.{form.id}")
    assert app.text_area(key="forms.origins").value == "https://fit.example"
    app.number_input(key="forms.duplicate_min").set_value(0)
    fill(app, name="Акция", thanks_url="https://fit.example/ok")
    press(app, "save")
    changed = desk.intake.forms.of(form.id)
    assert (changed.name, changed.thanks_url, changed.duplicate_s) == ("Акция", "https://fit.example/ok", 0)
    assert "уже действует" in app.success[0].value


def test_paused_and_resumed(desk, form, open_page):
    """One press each, said with what it means."""
    app = open_page("forms")
    press(app, f"pause.{form.id}")
    assert "сайту отказывают, а присланное хранится" in app.success[0].value
    assert not desk.intake.forms.of(form.id).is_active
    assert "На паузе" in shown(app)
    press(app, f"resume.{form.id}")
    assert desk.intake.forms.of(form.id).is_active


def test_a_key_takes_over_with_an_overlap(desk, form, open_page):
    """A week unless another length is chosen; both keys are listed with their ends."""
    old = desk.intake.forms.new_key(form.id)
    app = open_page("forms")
    press(app, f"keys.{form.id}")
    assert app.selectbox(key="forms.overlap").value == 7
    app.selectbox(key="forms.overlap").set_value(30)
    press(app, "make_key")
    new, former = desk.intake.forms.keys(form.id)
    assert codes(app)[0].endswith(new.hint)
    assert former.hint == old[-4:]
    assert former.ends_at - new.created_at == timedelta(days=30)
    assert "действует до" in shown(app)


def test_revoking_asks_first(desk, form, open_page):
    """The first press asks, "cancel" leaves all as it was, the second press ends the key."""
    key = desk.intake.forms.new_key(form.id)
    key_id = desk.intake.forms.keys(form.id)[0].id
    app = open_page("forms")
    press(app, f"keys.{form.id}")
    press(app, f"revoke.{key_id}")
    assert f"Отозвать ключ …{formats.plain(key[-4:])}?" in app.warning[0].value  # a key may have a - in it
    press(app, "revoke_no")
    assert desk.intake.forms.keyholder(key).works
    press(app, f"revoke.{key_id}")
    press(app, "revoke_yes")
    assert not desk.intake.forms.keyholder(key).works
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
    desk.intake.forms.pause(form.id)
    app = open_page("forms")
    press(app, f"test.{form.id}")
    assert "Проверочная заявка не принята" in app.error[0].value
    assert "сейчас ничего не принимает" in app.error[0].value


def test_numbers_of_a_form(desk, form, open_page):
    """How many of each outcome of late, and when the last was accepted and refused."""
    for raw in (LEAD, LEAD, LEAD | {"phone": "8"}, LEAD | {"phone": "89615551021", "homepage": "x"}):
        desk.intake.take(form, raw)
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
    desk.intake.take(form, LEAD)
    desk.intake.take(desk.intake.forms.of(API), LEAD | {"phone": "8 99 1"})
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
    desk.intake.take(form, LEAD | {"utm_source": "vk", "consent": True, "consent_version": "2026-01"}, ip="203.0.113.9")
    text = shown(app := opened(open_page, desk.intake.log.page()[0].id))
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
            desk.intake.take(form, LEAD | {"homepage": "x"})
        case "duplicate":
            desk.intake.take(form, LEAD)
            desk.intake.take(form, LEAD | {"message": "Вечером"})
        case _:
            desk.intake.refuse(form, LEAD, "key_ended")
    before = len(leads(desk))
    app = opened(open_page, desk.intake.log.page()[0].id)
    assert "+7 961 555-10-20" in shown(app)
    press(app, "accept")
    assert not app.exception
    assert "Лид принят и уходит в AmoCRM" in app.success[0].value
    assert len(leads(desk)) == before + 1
    assert app.dataframe[0].value["reason"][0] == "принята вручную"


def test_a_duplicate_shows_the_way_of_its_first_lead(desk, form, open_page):
    """Its sender was told a number of its own; the club's people see which lead counts."""
    first = desk.intake.take(form, LEAD)
    again = desk.intake.take(form, LEAD | {"message": "Вечером"})
    app = opened(open_page, again.told_id)
    links = [link.query_string for link in app.page_link]
    assert f"lead={first.told_id}" in links
    assert f"lead={again.told_id}" not in links


def test_a_flood_is_told_of(desk, form, open_page, monkeypatch):
    """When a form's room for the day is used up its card says so, and so does a submission of which only the phone was kept."""
    monkeypatch.setattr(keeping, "DAY_BYTES", 1)
    desk.intake.refuse(form, LEAD, "form_paused")
    app = opened(open_page, desk.intake.log.page()[0].id)
    assert "сохранены только телефон и имя" in shown(app)
    assert "сохраняются только телефон и имя" in shown(app)


def test_a_refused_one_is_put_right(desk, form, open_page):
    """Its faulty field is open with what is wrong; still wrong it stays, right it is a lead."""
    desk.intake.take(form, LEAD | {"phone": "8 961"})
    submission_id = desk.intake.log.page()[0].id
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
    desk.intake.take(form, LEAD | {"name": text, "message": text})
    app = opened(open_page, desk.intake.log.page()[0].id)
    assert not app.exception
    assert not [part for part in app.markdown if text in part.value]


def test_a_submission_that_is_gone(desk, open_page):
    """Opened after it was cleared away it says so."""
    assert "уже не хранится" in shown(opened(open_page, "0" * 32))


def test_a_row_chosen_opens_its_submission(desk, form, open_page):
    """The table tells a row; the page knows which submission stood there."""
    from ui.forms import log

    desk.intake.take(form, LEAD)
    app = open_page("forms")
    assert app.session_state[log.SHOWN] == [desk.intake.log.page()[0].id]


# Senders as they are


def test_a_form_for_a_service(app, desk):
    """Chosen when a form is made, a preset sets it up; the drawer then says what the service has to be told, with the key in the address."""
    press(app, "new")
    app.selectbox(key="forms.preset").set_value("tilda")
    fill(app, name="Тильда", source="Сайт")
    press(app, "save")
    form = desk.intake.forms.all()[0]
    assert (form.preset, form.answer, form.key_in_address, form.note_unknown) == ("tilda", "plain", True, True)
    [key] = codes(app)
    press(app, "to_code")
    assert codes(app) == [f"{desk.settings.base_url}/api/crm/in/{key}"]
    assert "Настройки сайта → Формы → Webhook" in shown(app)
    close(app)
    press(app, f"code.{form.id}")
    assert key not in shown(app)
    assert codes(app) == [f"{desk.settings.base_url}/api/crm/in/FORM_KEY"]


@pytest.mark.parametrize("preset", [preset.id for preset in PRESETS if preset.id])
def test_every_service_is_told_where_to_put_the_address(app, desk, preset):
    """Each preset's drawer shows the address and its own steps."""
    form = desk.intake.forms.add(FormDraft("Форма", **ways_of(preset)))
    app.run()
    press(app, f"code.{form.id}")
    assert not app.exception
    assert words("ru")(f"preset-{preset}-steps").splitlines()[0] in shown(app)


def test_its_ways_are_edited(app, desk, form):
    """An owner changes how a form answers, what it wants, and its word; another preset sets it up anew, and what it was taught stays."""
    desk.intake.forms.teach(form.id, "x", "name")
    app.run()
    press(app, f"edit.{form.id}")
    app.radio(key="forms.answer").set_value("plain")
    app.checkbox(key="forms.key_in_address").set_value(True)
    app.multiselect(key="forms.required").set_value(["name"])
    press(app, "save")
    now = desk.intake.forms.of(form.id)
    assert (now.answer, now.key_in_address, now.note_unknown, now.required) == ("plain", True, False, ("name",))
    press(app, f"edit.{form.id}")
    app.selectbox(key="forms.preset").set_value("vk")
    press(app, "save")
    press(app, f"edit.{form.id}")
    app.text_input(key="forms.code_word").set_value("a1b2c3d4")
    press(app, "save")
    now = desk.intake.forms.of(form.id)
    assert (now.preset, now.note_unknown, now.required, now.code, now.taught) == (
        "vk",
        True,
        ("name",),
        "a1b2c3d4",
        {"x": "name"},
    )


def test_names_are_mapped_with_one_press(app, desk, form):
    """The names that came stand there with what each is taken for, the unknown first; choosing another meaning holds at once."""
    app.run()
    press(app, f"names.{form.id}")
    assert "Ещё ничего не приходило" in shown(app)
    close(app)
    desk.intake.take(form, {"Phone": "8 961 555-10-20", "text-463": "Ольга", "Город": "Тверь"})
    press(app, f"names.{form.id}")
    assert "незнакомых полей: 2" in shown(app)
    boxes = {box.label: box for box in app.selectbox if box.key and box.key.startswith("forms.named.")}
    assert list(boxes) == ["text\\-463", "Город", "Phone"]
    boxes["text\\-463"].set_value("name").run()
    assert desk.intake.forms.of(form.id).taught == {"text-463": "name"}
    assert "незнакомых полей: 1" in shown(app)
    desk.intake.take(desk.intake.forms.of(form.id), {"Phone": "8 961 555-10-21", "text-463": "Ольга"})
    assert {lead["name"] for lead in leads(desk)} == {"", "Ольга"}


def test_what_nobody_could_read_is_shown_and_taken(app, desk, form):
    """A body that is no JSON stands in the drawer as it came, with the phone it held; one press makes a lead of it."""
    text = '{"Имя": "Лом", "phone": "8 961 555-10-22",}'
    desk.intake.refuse(form, salvage.saved(text), "json_broken", text=text)
    app.session_state["forms.open"] = ("submission", desk.intake.log.page()[0].id)
    app.run()
    assert not app.exception
    assert text in codes(app)
    assert "+7 961 555-10-22" in shown(app)
    press(app, "accept")
    assert [(lead["name"], lead["phone"]) for lead in leads(desk)] == [("Лом", "+79615551022")]


def test_only_an_email_came(app, desk, form):
    """What is known of the person stands there; with a phone filled in it becomes a lead that has it in its note."""
    desk.intake.take(form, {"name": "Эля", "email": "only@example.ru"})
    line = desk.intake.log.page()[0]
    app.session_state["forms.open"] = ("submission", line.id)
    app.run()
    assert "only@example.ru" in shown(app)
    assert "Впишите телефон" in shown(app)
    app.text_input(key=f"forms.repair.{line.id}.phone").set_value("8 961 555-10-23")
    press(app, "accept")
    [lead] = leads(desk)
    assert (lead["phone"], "only@example.ru" in lead["extra"]) == ("+79615551023", True)

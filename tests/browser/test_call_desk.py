"""The call desk in a real browser: by keyboard alone, nothing lost, nothing doubled, for everybody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import requests
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from desk.calls import entry
from sandbox.process import Sandbox, running_sandbox
from tests.browser.test_story import entities, key, open_page
from tests.oracle.run import ADMIN, _connect
from tests.support.desks import settings_for
from tests.support.programs import LOCAL, RunningDesk, until

pytestmark = [pytest.mark.browser, pytest.mark.alone]  # keys pressed at a person's pace

FIELDS = ("phone", "name", "direction", "source")
KNOWN = "+79617770001"
"""The number of a contact that is in AmoCRM before anything begins."""

MOST_PRESSES = 40
"""Of keys beyond the text itself, for a whole call."""


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running_sandbox(leads=5, rps=1000) as running:
        yield running


@pytest.fixture(scope="module")
def desk(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A connected desk whose mirror has been filled, with one person it knows."""
    running = RunningDesk(tmp_path_factory.mktemp("call-desk"), settings_for(box, ADMIN_API_KEY=ADMIN))
    running.start()
    try:
        _connect(running)
        body = {"name": "Вера Известная", "phone": KNOWN, "direction": "Йога"}
        requests.post(f"{running.url}/api/crm", json=body, headers=LOCAL, timeout=60)
        until(lambda: rows(running, f"SELECT 1 FROM leads WHERE phone = '{KNOWN}'"), "the known person", 60)
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def all_goes_well(box: Sandbox) -> None:
    box.clear_faults()


def rows(desk: RunningDesk, sql: str) -> list:
    engine = sa.create_engine(desk.database_url)
    try:
        with engine.connect() as db:
            return list(db.execute(sa.text(sql)).all())
    finally:
        engine.dispose()


def leads_of(desk: RunningDesk, name: str) -> list:
    return rows(desk, f"SELECT id FROM accepted_leads WHERE name = '{name}'")


def begin(page: Page, desk: RunningDesk, path: str = "/new") -> None:
    open_page(page, desk, path)
    expect(key(page, "new.phone").get_by_role("textbox")).to_be_focused()


def field(page: Page, name: str):
    return key(page, f"new.{name}").get_by_role("textbox")


def type_in(page: Page, *texts: str) -> None:
    for text in texts:
        page.keyboard.type(text)
        page.keyboard.press("Tab")


def is_kept(desk: RunningDesk, text: str) -> None:
    until(lambda: rows(desk, f"SELECT 1 FROM drafts WHERE body LIKE '%{text}%' AND lead_id IS NULL"), "the draft")


class Presses:
    """A keyboard that counts."""

    def __init__(self, page: Page) -> None:
        self._page, self.count = page, 0

    def press(self, *keys: str) -> None:
        for one in keys:
            self._page.keyboard.press(one)
            self.count += 1


def test_a_whole_call_by_keyboard(page: Page, desk: RunningDesk, box: Sandbox):
    """From the number to the task in AmoCRM without a mouse, in few presses; the cursor is ready for the next caller."""
    begin(page, desk)
    hands = Presses(page)
    for text in ("8 (961) 555-77-11", "Клара Клавишная", "Йога", "Звонок", "Хочет утром"):
        page.keyboard.type(text)
        hands.press("Tab")
    expect(key(page, "new.heard").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("Друзья")
    hands.press("Enter", "Tab", "Tab")
    expect(key(page, "new.step").get_by_role("radio").first).to_be_focused()
    hands.press("ArrowRight")
    expect(key(page, "new.step").get_by_role("radio").nth(1)).to_be_checked()
    hands.press("Control+Enter")
    expect(page.get_by_text("Сохранено. Уйдёт в AmoCRM")).to_be_visible()
    expect(field(page, "phone")).to_be_focused()
    expect(field(page, "phone")).to_have_value("")
    assert hands.count < MOST_PRESSES
    expect(page.get_by_text(re.compile(r"^В AmoCRM за \d+,\d с"))).to_be_visible()
    until(lambda: [row for row in entities(box.url, "tasks") if "Клара Клавишная" in row["text"]], "the task")
    assert [row["text"][:5] for row in entities(box.url, "tasks") if "Клара Клавишная" in row["text"]] == ["Визит"]
    assert any("Друзья" in row["params"].get("text", "") for row in entities(box.url, "notes"))


def test_who_is_calling_is_seen_before_saving(page: Page, desk: RunningDesk, box: Sandbox):
    """The number of another person's contact: its card comes while typing, another person is one key away, and the
    contact that was there is not overwritten."""
    begin(page, desk)
    page.keyboard.type("8 961 77")
    expect(page.get_by_text("Начинаются так же")).to_be_visible()
    page.keyboard.type("7 00 01")
    expect(page.get_by_text("Вера Известная").first).to_be_visible()
    expect(key(page, "new.submit").get_by_text("Добавить к сделке")).to_be_visible()
    page.keyboard.press("Alt+3")
    expect(key(page, "new.submit").get_by_text("Сохранить как другого человека")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("Пётр Посторонний")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Сохранено. Уйдёт в AmoCRM")).to_be_visible()
    until(
        lambda: [row for row in entities(box.url, "contacts") if row["name"] == "Пётр Посторонний"],
        "the new contact",
        40,
    )
    assert [row["name"] for row in entities(box.url, "contacts") if "Известная" in row["name"]] == ["Вера Известная"]


def test_a_reload_loses_nothing(page: Page, desk: RunningDesk):
    """In the middle of a word; the address holds an id and nothing of the caller."""
    begin(page, desk)
    type_in(page, "8 961 555 77 21", "Роза Перезагрузкина")
    page.keyboard.type("Пила")
    is_kept(desk, "Пила")
    page.reload()
    expect(field(page, "phone")).to_have_value("8 961 555 77 21")
    expect(field(page, "name")).to_have_value("Роза Перезагрузкина")
    expect(field(page, "direction")).to_have_value("Пила")
    assert re.fullmatch(r"draft=[0-9a-f]{32}", page.url.partition("?")[2])
    key(page, "new.clear").get_by_role("button").click()
    expect(field(page, "phone")).to_have_value("")


def test_a_restart_loses_nothing(page: Page, desk: RunningDesk):
    """The server is killed while somebody types and started again: what was typed meanwhile is there, and saved once."""
    begin(page, desk)
    type_in(page, "8 961 555 77 31", "Галина Рестартова")
    is_kept(desk, "Рестартова")
    page.keyboard.type("Пилатес")
    desk.kill()
    expect(field(page, "direction")).to_be_disabled()
    desk.start()
    expect(field(page, "direction")).to_be_enabled()
    expect(field(page, "direction")).to_be_focused()
    expect(field(page, "direction")).to_have_value("Пилатес")
    expect(field(page, "name")).to_have_value("Галина Рестартова")
    page.keyboard.type(" вечером")
    is_kept(desk, "Пилатес вечером")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Сохранено. Уйдёт в AmoCRM")).to_be_visible()
    said = rows(desk, "SELECT direction FROM accepted_leads WHERE name = 'Галина Рестартова'")
    assert said == [("Пилатес вечером",)]


def test_another_language_keeps_what_was_chosen(page: Page, desk: RunningDesk):
    """In the middle of a call: what is saved is what was chosen, in whichever words."""
    begin(page, desk)
    type_in(page, "8 961 555 77 51", "Лена Двуязычная")
    key(page, "new.outcome").get_by_role("combobox").click()
    page.get_by_role("option").nth(2).click()
    key(page, "new.when").get_by_role("combobox").click()
    page.get_by_role("option").nth(1).click()
    page.get_by_role("radio", name="English").click(force=True)
    expect(page.get_by_text("Save", exact=True)).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Лена Двуязычная").first).to_be_visible()
    until(lambda: leads_of(desk, "Лена Двуязычная"), "the lead")
    ((body,),) = rows(desk, "SELECT body FROM drafts WHERE body LIKE '%Двуязычная%'")
    assert (json.loads(body)["outcome"], json.loads(body)["when"]) == (entry.OUTCOMES[2], entry.WHEN[1])


def test_opening_takes_the_cursor_from_nobody(page: Page, desk: RunningDesk):
    """A server that was started anew opens the page once more: whoever goes on typing goes on in that field."""
    begin(page, desk)
    field(page, "direction").focus()
    page.evaluate("window.callDesk.focus('new-phone', true)")
    expect(field(page, "direction")).to_be_focused()
    page.evaluate("window.callDesk.focus('new-phone', false)")
    expect(field(page, "phone")).to_be_focused()


def test_what_is_typed_for_the_next_caller_outlives_a_restart(page: Page, desk: RunningDesk):
    """The address still names a saved draft: the form is emptied where it still holds that, and only there."""
    begin(page, desk)
    type_in(page, "8 961 555 77 35", "Лида Сохранёнова")
    is_kept(desk, "Сохранёнова")
    page.wait_for_url("**draft=**")
    address = page.url
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Сохранено. Уйдёт в AmoCRM")).to_be_visible()
    page.goto(address)
    expect(page.get_by_text("Лида Сохранёнова", exact=True).first).to_be_visible()
    expect(field(page, "name")).to_have_value("")
    type_in(page, "8 961 555 77 36", "Мира Следующая")
    is_kept(desk, "Следующая")
    assert len(leads_of(desk, "Лида Сохранёнова")) == 1
    key(page, "new.clear").get_by_role("button").click()


def test_two_tabs_are_one_lead(page: Page, desk: RunningDesk):
    """The same draft in two tabs, saved in both: one lead, and the second is told so."""
    begin(page, desk)
    type_in(page, "8 961 555 77 41", "Нина Двухвкладкина")
    is_kept(desk, "Двухвкладкина")
    page.wait_for_url("**draft=**")
    other = page.context.new_page()
    open_page(other, desk, page.url.removeprefix(desk.url))
    expect(field(other, "name")).to_have_value("Нина Двухвкладкина")
    for tab in (page, other):
        tab.bring_to_front()
        field(tab, "name").press("Control+Enter")
        expect(tab.get_by_text("Нина Двухвкладкина", exact=True).first).to_be_visible()
        expect(field(tab, "name")).to_have_value("")
    assert len(leads_of(desk, "Нина Двухвкладкина")) == 1


def test_two_callers_are_two_drafts(page: Page, desk: RunningDesk):
    """The next caller gets an empty form; the first one waits under their name."""
    begin(page, desk)
    type_in(page, "8 961 555 77 51", "Анна Первая")
    page.keyboard.press("Alt+N")
    expect(field(page, "name")).to_have_value("")
    page.get_by_role("button", name="Продолжить: Анна Первая").first.click()
    expect(field(page, "name")).to_have_value("Анна Первая")
    expect(field(page, "phone")).to_have_value("8 961 555 77 51")
    key(page, "new.clear").get_by_role("button").click()


def test_a_double_enter_is_one_lead(page: Page, desk: RunningDesk):
    """Enter twice at once, and once more a moment later."""
    begin(page, desk)
    type_in(page, "8 961 555 77 61")
    page.keyboard.type("Дважды Двойнова")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Дважды Двойнова", exact=True).first).to_be_visible()
    page.keyboard.press("Enter")
    expect(field(page, "name")).to_have_value("")
    assert len(leads_of(desk, "Дважды Двойнова")) == 1


def test_saved_with_amocrm_down_and_taken_back(page: Page, desk: RunningDesk, box: Sandbox):
    """Saving needs no AmoCRM; taken back, everything stands in the form again and nothing has left."""
    box.fault("cut_before", path="/api/v4/*")
    begin(page, desk)
    type_in(page, "8 961 555 77 71", "Ульяна Отменова")
    expect(page.get_by_text("сама AmoCRM не ответила")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Сохранено. Уйдёт в AmoCRM")).to_be_visible()
    expect(key(page, "new.undo").get_by_role("button")).to_be_visible()
    page.keyboard.press("Alt+Z")
    expect(field(page, "name")).to_have_value("Ульяна Отменова")
    expect(page.get_by_text("Возвращено в форму")).to_be_visible()
    assert leads_of(desk, "Ульяна Отменова") == []
    page.keyboard.press("Escape")
    expect(field(page, "phone")).to_have_value("8 961 555 77 71")
    key(page, "new.clear").get_by_role("button").click()


def test_a_telephony_opens_the_form(page: Page, desk: RunningDesk):
    """The number is in the form and nowhere in the browser's addresses."""
    page.goto(f"{desk.url}/new?phone=%2B79617770001&source=VK")
    expect(field(page, "phone")).to_have_value(KNOWN)
    expect(field(page, "source")).to_have_value("VK")
    expect(page.get_by_text("Вера Известная").first).to_be_visible()
    assert re.fullmatch(r"draft=[0-9a-f]{32}", page.url.partition("?")[2])
    assert page.evaluate("performance.getEntriesByType('navigation')[0].name").count("7770001") == 0
    key(page, "new.clear").get_by_role("button").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_for_anybody(page: Page, desk: RunningDesk, scheme: str):
    """axe-core finds nothing serious in the form, with a known caller on the card."""
    page.emulate_media(color_scheme=scheme)
    begin(page, desk)
    page.keyboard.type(KNOWN)
    expect(page.get_by_text("AmoCRM подтвердила")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    found = Axe().run(page, {"include": [[".st-key-new-desk"], [".st-key-new-drafts"]]}).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in serious] == []


def test_on_a_phone(page: Page, desk: RunningDesk):
    """390 pixels: who is calling and the number are in sight together, and so is what came of saving; nothing sticks out."""
    page.set_viewport_size({"width": 390, "height": 844})
    begin(page, desk)
    page.keyboard.type(KNOWN)
    name = key(page, "new.whose").get_by_text("Вера Известная").first
    expect(name).to_be_in_viewport()
    expect(field(page, "phone")).to_be_in_viewport()
    expect(key(page, "new.submit").get_by_role("button")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Сохранено. Уйдёт в AmoCRM")).to_be_in_viewport()
    expect(key(page, "new.undo").get_by_role("button")).to_be_visible()
    page.keyboard.press("Alt+Z")
    expect(field(page, "phone")).to_have_value(KNOWN)
    key(page, "new.clear").get_by_role("button").click()

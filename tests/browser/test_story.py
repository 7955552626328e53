"""The whole story on the running product, in a real browser: what a new user does in the first ten minutes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.support.programs import RunningDesk, running_desk, until

pytestmark = pytest.mark.browser

ADMIN_KEY = "admin-key-of-the-story"


@pytest.fixture(scope="module")
def desk() -> Iterator[RunningDesk]:
    """The demo, as `make run` starts it."""
    with running_desk(ADMIN_API_KEY=ADMIN_KEY) as running:
        until(lambda: connection(running)["connected"], "the demo to connect by itself", 60)
        yield running


@pytest.fixture
def amo(desk: RunningDesk) -> str:
    """The address of the demo's AmoCRM, connected whatever the test before this one did."""
    if not connection(desk)["connected"]:
        reconnect(desk)
    return connection(desk)["account"]["url"]


def reconnect(desk: RunningDesk) -> None:
    """What the admin's browser does, without a browser."""
    begun = requests.get(f"{desk.url}/api/amocrm/auth", headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=60)
    client_id, state = parse_qs(urlsplit(begun.json()["auth_url"]).query).values()
    form = {"client_id": client_id[0], "state": state[0], "decision": "allow"}
    requests.post(begun.json()["auth_url"].partition("?")[0], data=form, timeout=60)


def connection(desk: RunningDesk) -> dict:
    answer = requests.get(
        f"{desk.url}/api/amocrm/callback", headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=60
    )
    return answer.json()


def entities(amo: str, table: str) -> list[dict]:
    return requests.get(f"{amo}/_sandbox/entities/{table}", timeout=60).json()["rows"]


def open_page(page: Page, desk: RunningDesk, path: str) -> None:
    page.goto(desk.url + path)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def key(page: Page, name: str):
    """A widget by its key."""
    return page.locator(f".st-key-{re.sub(r'[^0-9A-Za-z_]', '-', name)}")


def test_the_demo_opens_connected(page: Page, desk: RunningDesk, amo: str):
    """The first page shows the demo's leads, a banner that says so, and "connected"."""
    open_page(page, desk, "/")
    expect(page.get_by_text("Демонстрация")).to_be_visible()
    expect(page.get_by_test_id("stSidebar").get_by_text("Подключено")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^[\d\u00a0]+ лид"))).to_be_visible()


def test_disconnect_deny_and_connect_again(page: Page, desk: RunningDesk, amo: str):
    """Disconnecting asks first; denying on the consent page says so clearly; allowing connects, and says who did."""
    open_page(page, desk, "/connection")
    key(page, "connection.disconnect").get_by_role("button").click()
    key(page, "connection.disconnect_yes").get_by_role("button").click()
    expect(page.get_by_text("Отключено. Лиды из форм по-прежнему принимаются")).to_be_visible()
    assert connection(desk)["connected"] is False

    denied = _press(page, "Отказать")
    expect(denied.get_by_text("Доступ не разрешён: на странице AmoCRM нажали отказ.")).to_be_visible()
    assert connection(desk)["connected"] is False
    denied.close()

    allowed = _press(page, "Разрешить")
    expect(allowed.get_by_text("AmoCRM подключена.")).to_be_visible()
    expect(allowed.get_by_text("FitZone", exact=True)).to_be_visible()
    expect(allowed.get_by_text(re.compile(r"^23:5\d:\d\d$"))).to_be_visible()
    status = connection(desk)
    assert status["connected"] is True
    assert status["connected_by"]


def _press(page: Page, button: str) -> Page:
    """Press the connect button, and on AmoCRM's page the one named; the page one ends on."""
    link = key(page, "connection.connect").get_by_role("link")
    with page.context.expect_page() as opened:
        link.click()
    consent = opened.value
    consent.get_by_role("button", name=button).click()
    expect(consent).to_have_url(re.compile(r"/connection\?result="))
    return consent


def test_refresh_now(page: Page, desk: RunningDesk, amo: str):
    """The button gets a new key at once and says so."""
    open_page(page, desk, "/connection")
    before = connection(desk)["refreshed_at"]
    key(page, "connection.refresh_open").get_by_role("button").click()
    expect(page.get_by_text("тратит одноразовый ключ")).to_be_visible()
    key(page, "connection.refresh").get_by_role("button").click()
    expect(page.get_by_text("Ключ обновлён.")).to_be_visible()
    assert connection(desk)["refreshed_at"] != before


def test_a_lead_by_keyboard_alone(page: Page, desk: RunningDesk, amo: str):
    """Typed without a mouse, the lead is in AmoCRM exactly once, with contact, fields and note, and in the table."""
    before = {lead["id"] for lead in entities(amo, "leads")}
    open_page(page, desk, "/new")
    expect(key(page, "new.phone").get_by_role("textbox")).to_be_focused()
    for text in ("8 (961) 777-33-11", "Клавдия Клавиатурная", "Йога", "Звонок"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.type("Хочет утром")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"^В AmoCRM за \d+,\d с"))).to_be_visible()
    expect(key(page, "new.phone").get_by_role("textbox")).to_be_focused()
    expect(key(page, "new.phone").get_by_role("textbox")).to_have_value("")

    made = [lead for lead in entities(amo, "leads") if lead["id"] not in before]
    assert len(made) == 1
    values = {field: value[0]["value"] for field, value in made[0]["custom_fields"].items()}
    assert values.items() >= {"264911": "+79617773311", "264913": "Йога", "264915": "Звонок"}.items()
    linked = [link for link in entities(amo, "links") if link["from_id"] == made[0]["id"]]
    contacts = [contact for contact in entities(amo, "contacts") if contact["id"] == linked[0]["to_id"]]
    assert [contact["name"] for contact in contacts] == ["Клавдия Клавиатурная"]
    assert contacts[0]["custom_fields"]["264911"][0]["value"] == "+79617773311"
    notes = [note for note in entities(amo, "notes") if note["entity_id"] == made[0]["id"]]
    assert [note["params"]["text"] for note in notes] == ["Хочет утром"]

    open_page(page, desk, "/")
    key(page, "leads.search").get_by_role("searchbox").fill("961 777 33 11")
    expect(page.get_by_text("1 лид", exact=True)).to_be_visible()


def test_a_double_press_is_one_lead(page: Page, desk: RunningDesk, amo: str):
    """Enter pressed twice at once makes one lead."""
    before = len(entities(amo, "leads"))
    open_page(page, desk, "/new")
    expect(key(page, "new.phone").get_by_role("textbox")).to_be_focused()
    page.keyboard.type("8 961 777 33 12")
    page.keyboard.press("Tab")
    page.keyboard.type("Дважды Нажатый")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^В AmoCRM за"))).to_be_visible()
    assert len(entities(amo, "leads")) == before + 1


def test_faults_stand_under_their_fields(page: Page, desk: RunningDesk, amo: str):
    """A phone of letters and a name of markup are refused where they are; what was typed stays; nothing is sent."""
    before = len(entities(amo, "leads"))
    open_page(page, desk, "/new")
    key(page, "new.phone").get_by_role("textbox").fill("восемь девятьсот")
    key(page, "new.name").get_by_role("textbox").fill("<b>Иван</b>")
    key(page, "new.message").get_by_role("textbox").fill("Перезвонить")
    key(page, "new.submit").get_by_role("button").click()
    expect(page.get_by_text("Здесь нет номера телефона.")).to_be_visible()
    expect(page.get_by_text("Знаки < и > здесь не нужны")).to_be_visible()
    expect(key(page, "new.name").get_by_role("textbox")).to_have_value("<b>Иван</b>")
    expect(key(page, "new.message").get_by_role("textbox")).to_have_value("Перезвонить")
    assert len(entities(amo, "leads")) == before


def test_the_language_is_one_persons_own(page: Page, desk: RunningDesk, amo: str):
    """English by the switch, kept over a reload; another visitor still reads Russian."""
    open_page(page, desk, "/connection")
    page.get_by_test_id("stSidebar").get_by_text("English").click()
    expect(page.get_by_role("heading", name="Connection")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Connection")).to_be_visible()
    other = page.context.browser.new_context(locale="en-US").new_page()
    open_page(other, desk, "/connection")
    expect(other.get_by_role("heading", name="Подключение")).to_be_visible()
    other.context.close()

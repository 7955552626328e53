"""The list of leads in a real browser: its address, saved views, the card, and what happens when a new lead comes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from benchmarks.big_mirror import fill
from desk.listing import Filter, Listing, Sort
from desk.listing.filters import fingerprint
from desk.mirror.rows import Rows
from store import Store
from store.tables import leads
from tests.support.programs import RunningDesk, browser_cookies, running_desk

pytestmark = pytest.mark.browser

NOWHERE = {"AMOCRM_API_URL": "http://127.0.0.1:1", "AMOCRM_CLIENT_ID": "id-of-nobody", "AMOCRM_CLIENT_SECRET": "secret-of-nobody"}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Iterator[Store]:
    """A mirror of three hundred leads, which the desk shares."""
    opened = Store(f"sqlite:///{tmp_path_factory.mktemp('list')}/desk.db")
    opened.upgrade()
    fill(opened, leads=300, contacts=200)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def desk(store) -> Iterator[RunningDesk]:
    with running_desk(DATABASE_URL=str(store.url), **NOWHERE) as running:
        yield running


def open_page(page: Page, desk: RunningDesk, path: str) -> None:
    page.goto(desk.url + path)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(count(page)).to_be_visible()


def key(page: Page, name: str):
    return page.locator(f".st-key-{re.sub(r'[^0-9A-Za-z_]', '-', name)}")


def count(page: Page):
    return page.get_by_text(re.compile(r"^[\d\u00a0]+ лид(а|ов)?$"))


def arrive(store: Store, name: str) -> int:
    """A new lead is in the mirror; its number."""
    with Rows(store).changing() as db:
        newest = db.execute(sa.select(leads).order_by(leads.c.id.desc()).limit(1)).mappings().one()
        row = dict(newest) | {"id": newest["id"] + 1, "contact_name": name, "contact_search": name.casefold()}
        db.execute(leads.insert().values(row | {"created_at": newest["created_at"] + 1, "is_deleted": False}))
    return row["id"]


def total(store: Store) -> str:
    with store.read() as db:
        return str(db.scalar(sa.select(sa.func.count()).select_from(leads).where(leads.c.is_deleted.is_(False))))


class SlowLine:
    """The line to the browser. While it is held the browser hears nothing, and goes on saying what it knows."""

    def __init__(self, page: Page) -> None:
        self._page, self._held, self._said, self._waiting = page, False, 0, []
        page.route_web_socket(re.compile("_stcore/stream"), self._carry)

    def _carry(self, browser) -> None:
        server = browser.connect_to_server()

        def up(message):
            self._said += 1
            server.send(message)

        def down(message):
            if self._held:
                self._waiting.append(lambda: browser.send(message))
            else:
                browser.send(message)

        browser.on_message(up)
        server.on_message(down)

    def hold(self) -> None:
        self._held, self._said = True, 0

    def let_go(self, after: int) -> None:
        """Once the browser has said so much without having heard anything."""
        while self._said < after:
            self._page.evaluate("new Promise(requestAnimationFrame)")
        self._held = False
        for send in self._waiting:
            send()


def test_filters_survive_a_reload(page: Page, desk, store):
    """What is chosen stands in the address by its fingerprint; the same after a reload; a period leaves it alone."""
    open_page(page, desk, "/")
    key(page, "leads.source").get_by_role("combobox").click()
    page.get_by_role("option", name="Сайт", exact=True).click()
    expect(page).to_have_url(re.compile(rf"\?source={fingerprint('Сайт')}$"))
    shown = count(page).inner_text()
    assert shown.split()[0] != total(store)
    page.keyboard.press("Escape")
    page.reload()
    expect(key(page, "leads.source").get_by_text("Сайт")).to_be_visible()
    expect(count(page)).to_have_text(shown)
    key(page, "leads.period").get_by_role("combobox").click()
    page.get_by_role("option", name="90 дней", exact=True).click()
    expect(page).to_have_url(re.compile(rf"source={fingerprint('Сайт')}.*period=90|period=90.*source="))
    expect(key(page, "leads.source").get_by_text("Сайт")).to_be_visible()


def test_a_view_is_saved_and_opened_by_its_address(page: Page, desk):
    """Saved under a name from what is on the screen; another visitor opens it by its address and sees the same."""
    open_page(page, desk, f"/?source={fingerprint('Звонок')}&sort=name")
    shown = count(page).inner_text()
    page.get_by_role("button", name="Виды").click()
    key(page, "leads.view_name").get_by_role("textbox").fill("Звонки")
    key(page, "leads.view_save").get_by_role("button").click()
    expect(page).to_have_url(re.compile(r"\?view=[0-9a-f]{12}$"))
    context = page.context.browser.new_context(locale="ru-RU")
    context.add_cookies(browser_cookies())
    other = context.new_page()
    other.goto(page.url)
    expect(count(other)).to_have_text(shown)
    expect(key(other, "leads.source").get_by_text("Звонок")).to_be_visible()
    other.context.close()


def test_a_new_lead_appears_by_itself(page: Page, desk, store):
    """On the first page it comes into the list in place: what was typed and where one had scrolled stay."""
    open_page(page, desk, "/")
    search = key(page, "leads.search").get_by_role("searchbox")
    search.press_sequentially("прил")
    expect(page.get_by_text("не подходит ни один лид")).to_be_visible()
    arrive(store, "Прилетела Сама")
    expect(page.get_by_text("1 лид", exact=True)).to_be_visible()
    search.press_sequentially("етела")
    expect(search).to_have_value("прилетела")
    expect(page.get_by_text("1 лид", exact=True)).to_be_visible()
    assert "?" not in page.url


def test_a_new_lead_waits_where_it_would_disturb(page: Page, desk, store):
    """On a later page, or with a card open, nothing moves; a note says how many have come, and shows them when pressed."""
    open_page(page, desk, "/?page=2")
    before = count(page).inner_text()
    arrive(store, "Ждёт Терпеливо")
    note = page.get_by_role("button", name="1 новый лид — показать")
    expect(note).to_be_visible()
    expect(count(page)).to_have_text(before)
    note.click()
    expect(count(page)).to_have_text(re.compile(f"^{total(store)} "))
    expect(page).to_have_url(re.compile(r"/$"))


@pytest.mark.parametrize("press", ["arrived", "clear", "heading"])
def test_what_is_pressed_holds_on_a_slow_line(page: Page, desk, store, press):
    """The browser tells the former filter, order and page several times before it hears of the new one: the new one stands."""
    line = SlowLine(page)
    source = fingerprint("Сайт")
    open_page(page, desk, "/?page=2" if press == "arrived" else f"/?source={source}&page=2")
    if press == "arrived":
        arrive(store, "Нажата Медленно")
        button = page.get_by_role("button", name="1 новый лид — показать")
        expect(button).to_be_visible()
    elif press == "clear":
        button = key(page, "leads.clear").get_by_role("button")
        expect(button).to_be_visible()
    else:
        expect(page.get_by_test_id("stDataFrame").first.locator("canvas").first).to_be_visible()
        box = page.get_by_test_id("stDataFrame").first.bounding_box()
    line.hold()
    if press == "heading":
        page.mouse.click(box["x"] + 200, box["y"] + 17)
    else:
        button.click()
    line.let_go(after=5)
    expect(page).to_have_url(re.compile(rf"\?source={source}&sort=name$" if press == "heading" else "/$"))
    if press != "heading":
        expect(count(page)).to_have_text(re.compile(f"^{total(store)} "))
        expect(key(page, "leads.source").get_by_text("Сайт")).to_have_count(0)
    arrive(store, "Приходит Потом")  # on the first page, where it comes by itself
    expect(count(page)).to_have_text(re.compile(f"^{total(store)} " if press != "heading" else r"^\d+ "))
    expect(page).to_have_url(re.compile(rf"\?source={source}&sort=name$" if press == "heading" else "/$"))


def test_another_language_changes_words_and_nothing_else(page: Page, desk):
    """Period, order and columns are what they were, in the address and on the screen."""
    query = f"?period=90&source={fingerprint('Сайт')}&sort=name&columns=name%2Cphone"
    open_page(page, desk, f"/{query}")
    shown = count(page).inner_text().split()[0]
    page.get_by_role("radio", name="English").click(force=True)
    expect(key(page, "leads.period.1").get_by_role("combobox")).to_have_value("90 days")
    expect(page.get_by_text(f"{shown} leads", exact=True)).to_be_visible()
    told = parse_qs(urlsplit(page.url).query)
    assert told == {"period": ["90"], "source": [fingerprint("Сайт")], "sort": ["name"], "columns": ["name,phone"]}
    page.get_by_role("radio", name="Русский").click(force=True)
    expect(key(page, "leads.period.2").get_by_role("combobox")).to_have_value("90 дней")
    assert parse_qs(urlsplit(page.url).query) == told


def test_a_card_has_its_address_and_stays_open(page: Page, desk, store):
    """Opened by its address, it is there while leads come, and gone from the address when it is shut."""
    lead_id = arrive(store, "Карточкина Вера")
    open_page(page, desk, f"/?lead={lead_id}")
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("Карточкина Вера")).to_be_visible()
    arrive(store, "Пришёл Позже")
    expect(page.get_by_text("1 новый лид — показать")).to_be_attached()
    expect(drawer.get_by_text("Карточкина Вера")).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/$"))


def test_a_row_opens_its_card_and_a_heading_sorts(page: Page, desk):
    """The mark before a row opens the card of that lead; a heading sorts the whole list, again the other way round."""
    open_page(page, desk, "/")
    grid = page.get_by_test_id("stDataFrame").first
    expect(grid.locator("canvas").first).to_be_visible()
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 200, box["y"] + 17)
    expect(page).to_have_url(re.compile(r"\?sort=name$"))
    open_page(page, desk, "/")
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 16, box["y"] + 35 + 17)
    expect(page).to_have_url(re.compile(r"\?lead=\d+$"))
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1360])
def test_the_page_never_scrolls_sideways(page: Page, desk, width):
    """Neither on a phone nor at a desk does the page itself scroll sideways; at a desk the table does not either."""
    page.set_viewport_size({"width": width, "height": 844})
    open_page(page, desk, "/")
    expect(page.get_by_test_id("stDataFrame").first.locator("canvas").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    inner = page.locator(".dvn-scroller").first
    assert width == 390 or inner.evaluate("scroller => scroller.scrollWidth <= scroller.clientWidth")


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_file_is_what_the_filter_left(page: Page, desk, store, tmp_path, kind):
    """Chosen, asked for, made beside the page, fetched: the leads of the filter, all of them, in the order of the screen."""
    open_page(page, desk, f"/?source={fingerprint('Сайт')}&sort=name&columns=name,id")
    shown = int(re.sub(r"\D", "", count(page).inner_text()))
    page.get_by_role("button", name="Выгрузить").click()
    key(page, f"leads.export_{kind}").get_by_role("button").click()
    button = key(page, "leads.export_file").get_by_role("button")
    expect(button).to_contain_text(f"{shown} лид")
    with page.expect_download() as fetched:
        button.click()
    assert re.fullmatch(rf"Лиды \d{{4}}-\d\d-\d\d \d\d-\d\d\.{kind}", fetched.value.suggested_filename)
    file = tmp_path / f"leads.{kind}"
    fetched.value.save_as(file)
    if kind == "csv":
        rows = [row for row in csv.reader(file.read_text("utf-8-sig").splitlines(), delimiter=";") if row]
    else:
        rows = [list(row) for row in openpyxl.load_workbook(file, read_only=True).active.values]
    assert rows[0][:2] == ["Имя", "Номер"]
    wanted = Listing(store, ZoneInfo("Europe/Moscow")).rows(Filter(source=(fingerprint("Сайт"),)), Sort("name", False))
    assert [int(row[1]) for row in rows[1:]] == [lead.id for some in wanted for lead in some]
    assert len(rows) - 1 == shown


def test_the_table_has_no_file_of_its_own(page: Page, desk):
    """Streamlit's own button would give away a page of texts as they are, formulas among them, and tell nobody of it."""
    open_page(page, desk, "/")
    page.get_by_test_id("stDataFrame").hover()
    expect(page.get_by_test_id("stElementToolbar").first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Download"))).to_have_count(0)

"""The snippet on somebody's site, in a real browser: another origin, with and without scripts, allowed and not."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from desk.intake import Forms, snippet
from desk.intake.form_draft import FormDraft
from desk.settings import Settings
from desk.words import words
from store import Store
from tests.browser.conftest import open_line
from tests.browser.test_first_visitor import NOWHERE
from tests.support.programs import RunningDesk, running_desk

pytestmark = pytest.mark.browser


class Site:
    """A site of one page, on a port of its own: another origin than the desk and than any other site."""

    def __init__(self) -> None:
        site = self
        self.html = ""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(site.html.encode())

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def desk() -> Iterator[RunningDesk]:
    """A desk whose AmoCRM is gone: leads are accepted all the same."""
    with running_desk(**NOWHERE) as running:
        yield running


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    """The form's own site, and another one."""
    opened = [Site(), Site()]
    yield opened
    for site in opened:
        site.close()


@pytest.fixture
def log(desk: RunningDesk, sites: list[Site]):
    """A form that allows the first of the sites; both have its snippet. What the desk's log then says, newest first."""
    store = Store(f"sqlite:///{desk.folder}/desk.db")
    forms = Forms(store, Settings())
    form = forms.add(FormDraft("Главная", "Сайт", (sites[0].origin,), least_fill_s=0.0))
    key, say = forms.new_key(form.id), words("ru")
    for site in sites:
        site.html = f'<!doctype html><html lang="ru"><body>{snippet.scripted(say, desk.url, key=key)}</body></html>'
    # Another process has made the form: the running desk has to notice.
    until_noticed(desk, key)

    from desk.intake import SubmissionLog

    yield lambda: [line for line in SubmissionLog(store).page(form_id=form.id) if line.reason != "lead_invalid"]
    store.close()


def until_noticed(desk: RunningDesk, key: str) -> None:
    from tests.support.programs import until

    def noticed() -> bool:
        answer = requests.get(f"{desk.url}/api/crm/{'0' * 32}", headers={"Authorization": f"Bearer {key}"}, timeout=60)
        return answer.status_code == 404

    until(noticed, "the desk to notice the new form")


def fill(page: Page, **texts: str) -> None:
    for name, text in ({"name": "Ольга Новая", "phone": "8 (961) 555-10-20", "message": "Утром"} | texts).items():
        page.locator(f"[name={name}]").fill(text)
    page.locator("[name=consent]").check()


def send(page: Page) -> None:
    page.get_by_role("button", name="Отправить").click()


def test_a_lead_from_another_origin(page: Page, sites, log):
    """The visitor stays where they are and is thanked; the lead has the marks, the consent and the form's source."""
    page.goto(f"{sites[0].origin}/yoga?utm_source=yandex&yclid=77&id=5#price")
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_have_text("Спасибо, заявка принята")
    expect(page.locator("[name=phone]")).to_have_value("")
    assert page.url.startswith(sites[0].origin)
    line = log()[0]
    assert (line.outcome, line.name, line.phone) == ("accepted", "Ольга Новая", "+79615551020")


def test_marks_of_the_first_page_come_along(page: Page, sites, desk, log):
    """Whoever comes by an advertisement and opens the form on another page of the site is still known to come by it."""
    page.goto(f"{sites[0].origin}/?utm_source=vk&utm_campaign=spring")
    page.goto(f"{sites[0].origin}/contacts")
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_have_text("Спасибо, заявка принята")
    store = Store(f"sqlite:///{desk.folder}/desk.db")
    from desk.intake import SubmissionLog

    said = SubmissionLog(store).said(log()[0])
    store.close()
    assert said.tracking["UTM_SOURCE"] == "vk"
    assert said.tracking["UTM_CAMPAIGN"] == "spring"
    assert said.consent.form == "Главная"


def test_faults_stand_at_their_fields(page: Page, sites, log):
    """What is wrong is told at the field in words; put right and sent again it is accepted."""
    page.goto(sites[0].origin)
    fill(page, phone="8 961")
    send(page)
    expect(page.locator("label", has_text="Телефон").locator("small")).to_contain_text("Не хватает цифр")
    expect(page.locator("[name=phone]")).to_be_focused()
    expect(page.locator("[name=phone]")).to_have_attribute("aria-invalid", "true")
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_have_text("Спасибо, заявка принята")
    expect(page.locator("small")).to_have_count(0)
    assert [line.outcome for line in log()] == ["accepted"]


def test_a_lost_answer_makes_no_second_lead(page: Page, sites, log):
    """The line breaks after the desk has accepted; the visitor is told to press again, and it is the same lead."""
    page.goto(sites[0].origin)
    fill(page)
    lost = []

    def lose(route) -> None:
        if not lost:
            lost.append(route.fetch())  # the desk has taken it
            route.abort()
        else:
            route.continue_()

    page.route("**/api/crm", lambda route: route.continue_() if route.request.method == "OPTIONS" else lose(route))
    send(page)
    expect(page.get_by_role("status")).to_contain_text("Проверьте связь и нажмите ещё раз")
    expect(page.locator("[name=name]")).to_have_value("Ольга Новая")
    send(page)
    expect(page.get_by_role("status")).to_have_text("Спасибо, заявка принята")
    assert sorted(line.outcome for line in log()) in (["accepted"], ["accepted", "repeated"])


def test_another_sites_page_is_refused(page: Page, sites, log):
    """Its script cannot send; the browser keeps the answer from it, and no lead is made."""
    page.goto(sites[1].origin)
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_contain_text("Не получилось отправить")
    assert log() == []


def test_without_scripts(browser: Browser, sites, log):
    """A browser that runs no script is led to the page that thanks; another site's visitors read why not."""
    context = browser.new_context(java_script_enabled=False, locale="ru-RU")
    page = context.new_page()
    page.goto(f"{sites[0].origin}/yoga")
    fill(page)
    send(page)
    expect(page.get_by_role("heading", name="Спасибо, заявка принята")).to_be_visible()
    assert page.url.endswith("/api/crm/thanks")
    page.goto(sites[1].origin)
    fill(page)
    send(page)
    expect(page.get_by_role("heading", name=re.compile("Страницам этого сайта нельзя"))).to_be_visible()
    context.close()
    assert [(line.outcome, line.reason) for line in log()] == [("refused", "origin_not_allowed"), ("accepted", None)]


def test_a_plain_form_tells_its_marks(page: Page, sites, desk, log):
    """The form without the large script leads to the thanks, and the marks of the first page arrive at another origin."""
    whole = sites[0].html
    sites[0].html = whole[: whole.rindex("<script>")]
    page.goto(f"{sites[0].origin}/?utm_source=vk&utm_campaign=spring")
    page.goto(f"{sites[0].origin}/contacts")
    fill(page)
    send(page)
    expect(page.get_by_role("heading", name="Спасибо, заявка принята")).to_be_visible()
    from desk.intake import SubmissionLog

    store = Store(f"sqlite:///{desk.folder}/desk.db")
    said = SubmissionLog(store).said(log()[0])
    store.close()
    assert {name: said.tracking[name] for name in ("UTM_SOURCE", "UTM_CAMPAIGN")} == {
        "UTM_SOURCE": "vk",
        "UTM_CAMPAIGN": "spring",
    }


def test_the_way_back_keeps_what_was_typed(page: Page, sites, log):
    """From the page that names the faults one press leads back to the form as it was left."""
    page.goto(f"{sites[0].origin}/yoga")
    page.evaluate(
        "document.querySelector('form').outerHTML = document.querySelector('form').outerHTML"
    )  # its script is off
    fill(page, phone="8 961")
    send(page)
    expect(page.get_by_text("Не хватает цифр")).to_be_visible()
    page.get_by_role("button", name="Вернуться к форме").click()
    expect(page.locator("[name=name]")).to_have_value("Ольга Новая")
    expect(page.locator("[name=phone]")).to_have_value("8 961")


def test_the_trap_is_out_of_sight(page: Page, sites, log):
    """People neither see the trap nor reach it by Tab; filled in by a program it is thanked like anybody and put aside."""
    page.goto(sites[0].origin)
    trap = page.locator("[name=homepage]")
    assert trap.bounding_box()["x"] < 0
    assert trap.get_attribute("tabindex") == "-1"
    fill(page)
    trap.evaluate("field => { field.value = 'http://buy.example' }")
    send(page)
    expect(page.get_by_role("status")).to_have_text("Спасибо, заявка принята")
    assert [(line.outcome, line.reason) for line in log()] == [("flagged", "trap")]


def test_a_chosen_row_opens_the_submission(page: Page, desk, sites, log):
    """On the desk's page a click on a line of the log opens it with the whole phone; closed and clicked it opens again."""
    page.goto(sites[0].origin)
    fill(page, phone="8 961 555-10-33")
    send(page)
    expect(page.get_by_role("status")).to_have_text("Спасибо, заявка принята")
    page.goto(f"{desk.url}/forms")
    table = page.get_by_test_id("stDataFrame")
    for _ in range(2):
        drawer = open_line(page, table)
        expect(drawer.get_by_text("+7 961 555-10-33")).to_be_visible()
        drawer.get_by_role("button", name="Close").click()
        expect(drawer).to_have_count(0)

"""One hostile account and one hostile set of submissions, on every page, card, drawer, story and chart.

Nothing but the desk's own origin is asked for anything, no script runs, no link of theirs lives, and every text is read as
it was typed.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from desk.calls.drafts import new_id
from desk.calls.texts import CONSENT, SCRIPT
from desk.desk import Desk
from desk.intake.form_draft import FormDraft
from desk.lead import NewLead
from desk.settings import load
from sandbox.process import running_sandbox
from store import clock
from store.tables import known_phones, leads, submissions
from tests.browser.conftest import PATIENCE_MS, open_line
from tests.desk.calls.conftest import call
from tests.support.desks import settings_for
from tests.support.programs import RunningDesk, until

pytestmark = pytest.mark.browser

ADMIN = "admin-key-0123456789"
PHONE = "+79617770002"

EVIL = (
    "Злой ![](http://evil.test/p.png) www.evil.test http://evil.test/in a@evil.test [вход](http://evil.test/) "
    "<img src=//evil.test/i onerror=window.ran=1> :material/home: :smile: :red[x] $x^2$ -> &lt;b&gt; **ж** `c` | # 1."
)
"""For texts that nobody checks: the account's own, UTM marks, messages, names of views and forms."""

NAME = "Пётр www.evil.test http://evil.test/in a@evil.test :smile: &lt;i&gt; **ж**"
"""For names: the intake takes no brackets in them."""

BAD = """() => {
  const found = []
  for (const one of document.querySelectorAll('a[href]'))
    if (new URL(one.href, location).hostname.match(/evil/) || /^(mailto|xmpp|javascript|data|tel):/.test(one.href)) found.push('link ' + one.href)
  for (const one of document.querySelectorAll('img, iframe, object, embed, video'))
    if ((one.src || '').includes('evil')) found.push('picture ' + one.outerHTML.slice(0, 90))
  for (const one of document.querySelectorAll('.katex, [data-testid=stMarkdownContainer] :is(del, em)')) found.push('drawn ' + one.outerHTML.slice(0, 90))
  if (window.ran) found.push('a script ran')
  return found
}"""


def read(text: str) -> str:
    """A text as somebody reads it: without what nobody sees."""
    return " ".join(text.replace("\u2060", "").split())


def poison(path: Path) -> None:
    """Every text of the account becomes theirs; each kind keeps telling its members apart."""
    with closing(sqlite3.connect(path)) as box, box:
        for table in ("leads", "contacts", "users", "pipelines", "statuses", "loss_reasons", "custom_fields", "tags"):
            box.execute(f"UPDATE {table} SET name = ? || ' ' || id", (EVIL,))
        box.execute("UPDATE tasks SET text = ?", (EVIL,))
        for number, told in box.execute("SELECT id, custom_fields FROM leads").fetchall():
            fields = json.loads(told or "{}")
            for key, values in fields.items():
                for value in values:
                    if key != "264911" and isinstance(value.get("value"), str):
                        value["value"] = f"{EVIL} {number % 5}"
            box.execute("UPDATE leads SET custom_fields = ? WHERE id = ?", (json.dumps(fields), number))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk connected to their account, after they have filled in the site's form."""
    folder = tmp_path_factory.mktemp("hostile")
    with running_sandbox(leads=80, rps=1000, db=folder / "amocrm.db"):
        pass
    poison(folder / "amocrm.db")
    with running_sandbox(leads=80, rps=1000, db=folder / "amocrm.db") as box:
        running = RunningDesk(
            folder, settings_for(box, ADMIN_API_KEY=ADMIN, DATABASE_URL=f"sqlite:///{folder}/desk.db")
        )
        running.start()
        try:
            requests.post(
                f"{running.url}/api/amocrm/callback",
                json={"refresh_token": box.grant()["refresh_token"]},
                headers={"Authorization": f"Bearer {ADMIN}"},
                timeout=30,
            ).raise_for_status()
            shared = Desk(
                load({**settings_for(box), "DATABASE_URL": running.database_url, "SECRET_KEY": "k" * 40}, folder)
            )
            fill(shared, running)
            until(lambda: shared.mirror.status().state == "following", "the mirror", 120)
            running.shared = shared  # type: ignore[attr-defined]
            yield running
            shared.close()
        finally:
            running.stop()


def fill(shared: Desk, running: RunningDesk) -> None:
    """What strangers and colleagues have left in the desk itself."""
    form = shared.intake.forms.add(FormDraft(EVIL, EVIL[:100], ("https://fit.example",)))
    key = shared.intake.forms.new_key(form.id)
    marks = dict.fromkeys(("utm_source", "utm_medium", "utm_campaign", "utm_term", "referrer"), EVIL[:240])
    for number, lead in enumerate(
        (
            {"name": NAME, "phone": "+79161110001"},
            {"name": NAME, "phone": "+79161110002", "homepage": "http://evil.test"},
            {"name": "<b>", "phone": "нет"},
            {"name": NAME, "phone": "+79161110001"},
        )
    ):
        body = (
            {"message": EVIL, "page": "https://fit.example/?utm_content=" + "![](http://evil.test/q.png)"}
            | marks
            | lead
        )
        answer = requests.post(
            f"{running.url}/api/crm", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=20
        )
        assert answer.status_code in (202, 422), (number, answer.text)
    for shared_view in (True, False):
        shared.views.save(EVIL[:60], {}, "", shared=shared_view)
    shared.calls.drafts.keep(new_id(), "", {"name": EVIL, "phone": "8 961"})
    for kind in (SCRIPT, CONSENT):
        shared.calls.texts.write(kind, EVIL, NAME)
    due = clock.now() - timedelta(hours=1)
    for number in range(2):
        draft = new_id()
        shared.calls.drafts.keep(draft, "", {"phone": PHONE})
        lead = NewLead(NAME, f"+7961777000{number + 2}", direction=NAME, source=NAME, message=EVIL)
        shared.calls.save(draft, call(due, lead, mine=bool(number)), "")


@pytest.fixture
def foreign(page: Page, desk: RunningDesk) -> Iterator[list[str]]:
    """Every address that is not the desk's own and that the browser asks for; none by the end, and no dialog either."""
    asked: list[str] = []
    own = urlsplit(desk.url).netloc
    page.on("request", lambda one: asked.append(one.url) if urlsplit(one.url).netloc not in (own, "") else None)
    page.on("dialog", lambda one: (asked.append(f"dialog {one.message}"), one.dismiss()))
    yield asked
    assert asked == []


def open_page(page: Page, desk: RunningDesk, path: str) -> None:
    page.goto(desk.url + path)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)


def settle(page: Page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def check(page: Page, *texts: str, inside: str = "body") -> None:
    """Nothing of theirs lives, and these of their texts are read as they were typed."""
    for text in texts:
        page.wait_for_function(
            "([inside, text]) => [...document.querySelectorAll(inside)]"
            ".some(one => one.innerText.replace(/\\u2060/g, '').split(/\\s+/).join(' ').includes(text))",
            arg=[inside, read(text)],
            timeout=PATIENCE_MS,
        )
    assert page.evaluate(BAD) == []


def key(page: Page, name: str):
    return page.locator(f".st-key-{re.sub(r'[^0-9A-Za-z_]', '-', name)}")


def hover_over(page: Page, chart) -> None:
    """The mouse over a chart: its tooltips are drawn."""
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    for step in range(1, 6):
        page.mouse.move(box["x"] + box["width"] * step / 6, box["y"] + box["height"] * step / 6)
        check(page)


def test_the_list_and_its_filters(page: Page, desk: RunningDesk, foreign):
    """Table, filters, saved views."""
    open_page(page, desk, "/")
    expect(page.get_by_test_id("stDataFrame").first.locator("canvas").first).to_be_visible()
    page.get_by_role("button", name="Виды").click()
    check(page, EVIL[:60])
    page.keyboard.press("Escape")
    for name in ("source", "responsible", "stage"):
        key(page, f"leads.{name}").get_by_role("combobox").click()
        check(page)
        page.keyboard.press("Escape")


def test_a_card(page: Page, desk: RunningDesk, foreign):
    """Each kind of lead: open, lost, one that came through the desk."""
    with desk.shared.store.read() as db:
        ids = [
            *db.scalars(sa.select(leads.c.id).limit(2)),
            *db.scalars(sa.select(leads.c.id).where(leads.c.status_id == 143).limit(1)),
        ]
    for lead_id in ids:
        open_page(page, desk, f"/?lead={lead_id}")
        check(page, EVIL, inside="[role=dialog]")


def test_the_call_desk(page: Page, desk: RunningDesk, foreign):
    """Who is calling, drafts, script, call-backs, today."""
    open_page(page, desk, "/new")
    check(page, EVIL[:40])
    phone = key(page, "new.phone").get_by_role("textbox")
    expect(phone).to_be_focused()
    with desk.shared.store.read() as db:
        phone.press_sequentially(db.scalar(sa.select(known_phones.c.phone).limit(1)))
    page.keyboard.press("Tab")
    check(page, EVIL, inside=".st-key-new-whose, .st-key-new-caller")
    settle(page)
    for panel in ("Перезвонить", "Сегодня", "Скрипт"):
        key(page, "new.panel").get_by_text(re.compile(panel)).click()
        settle(page)
        check(page, EVIL if panel == "Скрипт" else NAME)
    key(page, "new.clear").get_by_role("button").click()


def test_deliveries_and_a_story(page: Page, desk: RunningDesk, foreign):
    """The queue, and each lead's way with every text it carries."""
    open_page(page, desk, "/deliveries")
    check(page)
    with desk.shared.store.read() as db:
        ids = db.scalars(sa.select(submissions.c.lead_id).where(submissions.c.lead_id.is_not(None))).all()
    for lead_id in dict.fromkeys(ids):
        open_page(page, desk, f"/deliveries?lead={lead_id}")
        check(page, NAME)


def test_forms_and_submissions(page: Page, desk: RunningDesk, foreign):
    """Cards, every drawer of a form, every submission."""
    open_page(page, desk, "/forms")
    check(page, EVIL)
    for name in ("Ключи", "Код", "Изменить"):
        page.get_by_role("button", name=re.compile(name)).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        settle(page)
        check(page, EVIL[:60], inside="[role=dialog]")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    table = page.get_by_test_id("stDataFrame").last
    for row in range(4):
        open_line(page, table, row)
        settle(page)
        check(page, EVIL[:200], inside="[role=dialog]") if row != 1 else check(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_overview(page: Page, desk: RunningDesk, foreign):
    """Every chart, its tooltips, its table, and the tabs of the funnels."""
    open_page(page, desk, "/overview?overview.period=90")
    check(page)
    expect(page.get_by_role("heading", name="Требуют внимания")).to_be_visible()
    charts = page.get_by_role("img")
    expect(charts.nth(5)).to_be_attached()
    for place in range(charts.count()):
        hover_over(page, charts.nth(place))
    unfold(page)
    check(page, EVIL[:60], inside="td")
    for tab in page.get_by_role("tab").all():
        check(page, EVIL, inside="[role=tab]")
        tab.click()
        unfold(page)
        check(page)


def unfold(page: Page) -> None:
    """Every table under a chart that can be seen."""
    for folded in page.get_by_test_id("stExpander").all():
        if folded.is_visible() and folded.locator("details[open]").count() == 0:
            folded.locator("summary").click()
    settle(page)


@pytest.mark.parametrize("path", ["/connection", "/fields", "/activity"])
def test_the_rest(page: Page, desk: RunningDesk, foreign, path):
    """The account's name, its fields, the journal."""
    open_page(page, desk, path)
    check(page)
    for choice in page.get_by_role("combobox").all()[:3]:
        choice.click()
        check(page)
        page.keyboard.press("Escape")


@pytest.mark.parametrize(
    "query", ["phone=", "draft=", "lead=", "view=", "result=", "source=", "sort=", "overview.period="]
)
def test_an_address_of_theirs(page: Page, desk: RunningDesk, foreign, query):
    """Whatever stands in an address is no markup either, and no page fails over a letter that is none."""
    from urllib.parse import quote

    for path in ("/", "/new", "/deliveries", "/connection", "/overview"):
        if path == "/new" and query == "phone=":
            continue
        open_page(page, desk, f"{path}?{query}{quote(EVIL)}%00")
        check(page)
        expect(page.get_by_text("по нашей вине")).to_have_count(0)

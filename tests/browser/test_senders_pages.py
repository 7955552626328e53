"""Each preset's own form on somebody's site, in a real browser: from another origin into AmoCRM; and a visitor who missed a digit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from desk.intake import Forms, presets, snippet
from desk.intake.form_draft import FormDraft, ways_of
from desk.settings import Settings
from desk.words import words
from sandbox.process import Sandbox, running_sandbox
from store import Store
from tests.browser.test_landing_page import Site, until_noticed
from tests.desk.web.conftest import ADMIN
from tests.support.desks import settings_for
from tests.support.programs import RunningDesk, running_desk, until

pytestmark = pytest.mark.browser

PAGES = Path(__file__).parent.parent / "senders" / "pages"

ARRIVING_S = 120.0
"""How long one lead may take into AmoCRM on a loaded machine."""

FIELDS = {
    "name": "[data-is=name],[name=Name],[name=your-name],[name='form_fields[name]'],[name='wpforms[fields][0][first]']",
    "phone": "[type=tel]",
    "message": "textarea",
}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running_sandbox(leads=5, rps=1000) as running:
        yield running


@pytest.fixture(scope="module")
def desk(box: Sandbox) -> Iterator[RunningDesk]:
    with running_desk(**settings_for(box, ADMIN_API_KEY=ADMIN)) as running:
        requests.post(
            f"{running.url}/api/amocrm/callback",
            json={"refresh_token": box.grant()["refresh_token"]},
            headers={"Authorization": f"Bearer {ADMIN}"},
            timeout=60,
        ).raise_for_status()
        yield running


@pytest.fixture
def site() -> Iterator[Site]:
    opened = Site()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def forms(desk: RunningDesk) -> Iterator[Forms]:
    store = Store(desk.database_url)
    yield Forms(store, Settings())
    store.close()


def made(forms: Forms, desk: RunningDesk, site: Site, preset: str) -> str:
    """A form of a preset that allows the site; its key, when the running desk knows it."""
    form = forms.add(
        FormDraft(f"Форма {preset} {site.origin}", "", (site.origin,), least_fill_s=0.0, **ways_of(preset))
    )
    key = forms.new_key(form.id)
    until_noticed(desk, key)
    return key


@pytest.mark.parametrize(
    ("number", "preset"), list(enumerate(presets.BY_ID)), ids=[one or "own" for one in presets.BY_ID]
)
def test_each_presets_own_form_reaches_amocrm(page: Page, site, desk, box, forms, number, preset):
    """Filled in on another origin and sent with its own button, it stands in AmoCRM with its person, its phone and what was said."""
    key = made(forms, desk, site, preset)
    address = presets.address(desk.url, presets.of(preset).key_in_address, key)
    html = (PAGES / f"{preset or 'own'}.html").read_text()
    bearer = "" if presets.of(preset).key_in_address else f', "Authorization": "Bearer {key}"'
    site.html = f'<!doctype html><html lang="ru"><meta charset="utf-8"><body>{html}</body></html>'.replace(
        "{ADDRESS}", address
    ).replace("{BEARER}", bearer)
    phone = f"+7916300{number:04d}"
    page.goto(f"{site.origin}/yoga")
    for what, text in (("name", "Ольга"), ("phone", phone), ("message", "Хочу утром")):
        page.locator(FIELDS[what]).first.fill(text)
    page.get_by_role("button", name="Отправить").click()
    if page.locator("[role=status]").count():
        expect(page.locator("[role=status]")).to_have_text("Отправлено")
    else:
        expect(page.get_by_role("heading", name="Спасибо, заявка принята")).to_be_visible()
    person = until(lambda: _person(box, phone), "the lead in AmoCRM", ARRIVING_S)
    assert person["name"] == "Ольга"
    until(lambda: "Хочу утром" in _notes(box, person["id"]), "what was said in its note", ARRIVING_S)


def _person(box: Sandbox, phone: str):
    return next((row for row in box.entities("contacts", limit=1000) if phone in str(row["custom_fields"])), None)


def _notes(box: Sandbox, contact_id: int) -> str:
    leads = {row["from_id"] for row in box.entities("links", limit=1000) if row["to_id"] == contact_id}
    return "\n".join(
        row["params"].get("text", "") for row in box.entities("notes", limit=1000) if row["entity_id"] in leads
    )


def test_a_visitor_with_a_digit_missing(page: Page, site, desk, box, forms):
    """They read at the field what is wrong and are not thanked; with the digit it is one lead, and the log keeps the first try."""
    key = made(forms, desk, site, presets.OWN)
    site.html = f'<!doctype html><html lang="ru"><body>{snippet.scripted(words("ru"), desk.url, key=key)}</body></html>'
    page.goto(site.origin)
    for name, text in (("name", "Ольга Цифрова"), ("phone", "8 916 301-00-0")):
        page.locator(f"[name={name}]").fill(text)
    page.locator("[name=consent]").check()
    page.get_by_role("button", name="Отправить").click()
    fault = page.locator("label", has_text="Телефон").locator("small")
    expect(fault).to_contain_text("Не хватает")
    expect(page.locator("[name=phone]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[name=phone]")).to_have_value("8 916 301-00-0")
    expect(page.get_by_role("status")).to_have_text("")
    page.locator("[name=phone]").fill("8 916 301-00-01")
    page.get_by_role("button", name="Отправить").click()
    expect(page.get_by_role("status")).to_have_text("Спасибо, заявка принята")
    until(lambda: _person(box, "+79163010001"), "the lead in AmoCRM", ARRIVING_S)


def test_a_visitor_without_scripts_and_with_a_digit_missing(page: Page, site, desk, forms):
    """The page that answers names the field and what is wrong with it, thanks nobody, and leads back to the form as it was."""
    key = made(forms, desk, site, presets.OWN)
    site.html = f'<!doctype html><html lang="ru"><body>{snippet.plain(words("ru"), desk.url, key=key)}</body></html>'
    page.goto(site.origin)
    for name, text in (("name", "Ольга Цифрова"), ("phone", "8 916 301-00-0")):
        page.locator(f"[name={name}]").fill(text)
    page.locator("[name=consent]").check()
    page.get_by_role("button", name="Отправить").click()
    expect(page.get_by_text("Не хватает")).to_be_visible()
    expect(page.get_by_text("Спасибо")).to_have_count(0)
    page.get_by_role("button", name="Вернуться к форме").click()
    expect(page.locator("[name=phone]")).to_have_value("8 916 301-00-0")


def test_a_page_that_hides_where_it_is(page: Page, site, desk, forms):
    """A page with no-referrer sends `Origin: null`: its visitor reads that, and the form's log keeps what was said."""
    key = made(forms, desk, site, presets.OWN)
    plain = snippet.plain(words("ru"), desk.url, key=key)
    site.html = (
        f'<!doctype html><html lang="ru"><meta name="referrer" content="no-referrer"><body>{plain}</body></html>'
    )
    page.goto(site.origin)
    for name, text in (("name", "Нора Безадресная"), ("phone", "8 916 302-00-01")):
        page.locator(f"[name={name}]").fill(text)
    page.locator("[name=consent]").check()
    page.get_by_role("button", name="Отправить").click()
    expect(page.get_by_role("heading", name="Браузер скрыл, с какого сайта отправлено")).to_be_visible()
    store = Store(desk.database_url)
    from desk.intake import SubmissionLog

    [line] = [one for one in SubmissionLog(store).page() if one.reason == "origin_null"]
    assert (line.name, line.is_open) == ("Нора Безадресная", True)
    store.close()

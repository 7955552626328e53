"""The overview in a real browser: it opens with its numbers, a period outlives a reload, a phone shows it whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.programs import RunningDesk, running_desk

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk() -> Iterator[RunningDesk]:
    """The demo, as `make run` starts it."""
    with running_desk() as running:
        yield running


def key(page: Page, name: str):
    """A widget by its key."""
    return page.locator(f".st-key-{re.sub(r'[^0-9A-Za-z_]', '-', name)}")


def leads(page: Page):
    return page.get_by_test_id("stMetric").first.get_by_test_id("stMetricValue")


def test_numbers_period_and_phone(page: Page, desk: RunningDesk):
    """Numbers and charts are there; the period goes into the address and survives a reload; on a phone nothing is cut off."""
    page.goto(f"{desk.url}/overview")
    expect(page.get_by_text("По состоянию на")).to_be_visible()
    expect(leads(page)).to_have_text(re.compile(r"\d"))
    expect(page.get_by_role("img", name="Лиды по времени")).to_be_visible()

    key(page, "overview.period").get_by_text("90 дней", exact=True).click()
    expect(page).to_have_url(re.compile(r"/overview\?overview\.period=90$"))
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.reload()
    expect(key(page, "overview.period").get_by_role("radio", name="90 дней")).to_be_checked()
    expect(page).to_have_url(re.compile(r"overview\.period=90$"))

    key(page, "overview-trend-how").get_by_role("button").click()
    expect(page.get_by_text("Столбцы — выбранный период")).to_be_visible()
    page.keyboard.press("Escape")

    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("heading", name="Требуют внимания")).to_be_visible()
    main = page.get_by_test_id("stMain")
    assert main.evaluate("part => part.scrollWidth <= part.clientWidth")

"""A real browser for what only a browser can show."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.support import browsers
from tests.support.programs import browser_cookies

FAILURES = Path(__file__).parent / "failures"

PATIENCE_MS = 60_000
"""How long a page may take on a loaded machine before a test gives up on it."""

CLICKS = 4
"""How often a line is clicked before it is taken for one that does not open."""

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium, or a skip that says what is missing."""
    if browsers.program() is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        running = browsers.launch(playwright)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh visitor whose browser has proved to be on this machine. A failing test leaves a picture of what it saw."""
    context = browser.new_context(locale="ru-RU", viewport={"width": 1360, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    context.add_cookies(browser_cookies())
    opened = context.new_page()
    yield opened
    if request.node.stash.get(FAILED, False):
        FAILURES.mkdir(exist_ok=True)
        opened.screenshot(path=FAILURES / f"{request.node.name}.png", full_page=True)
    context.close()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, object]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


def open_line(page: Page, table: Locator, line: int = 0) -> Locator:
    """Click the box of a line of a table that opens a drawer, and wait for the drawer.

    A table is one picture that the browser paints again while the page around it still moves: a click in that moment hits
    nothing. A person clicks once more then, and so does this.
    """
    drawer = page.get_by_role("dialog")
    for _ in range(CLICKS):
        table.locator(".dvn-scroller").click(position={"x": 12, "y": 52 + 35 * line})
        with suppress(PlaywrightTimeoutError):
            drawer.wait_for(timeout=PATIENCE_MS / CLICKS)
            return drawer
    raise AssertionError(f"line {line} did not open after {CLICKS} clicks")

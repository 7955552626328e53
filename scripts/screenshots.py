"""`make screenshots`: the README's pictures, taken from the running product.

With `--all FOLDER` every page in both languages, light and dark, wide and phone width: to look through before
a release.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

from desk.settings import PROJECT
from ui.frame.frame import SCREENS

PICTURES = PROJECT / "docs" / "pictures"
WIDE, PHONE = (1360, 860), (390, 844)
TALL = (1360, 1000)
"""The overview: its first chart whole."""

START_S = 60

SUBMISSIONS = (
    {"name": "Ольга Смирнова", "phone": "8 912 555-10-20", "direction": "Йога"},
    {"name": "Пётр", "phone": "8 999 1"},
    {"name": "Анна-Мария Котова", "phone": "+7 905 222-33-44", "direction": "Пилатес"},
    {"name": "Ольга Смирнова", "phone": "+7 (912) 555-10-20", "message": "И ещё: можно вечером?"},
    {"name": "Best Prices", "phone": "8 901 000-00-01", "homepage": "https://buy.example"},
    {"name": "Екатерина Белова", "phone": "8 911 777-88-99", "direction": "Бассейн"},
)
"""Submissions of a site: leads, a phone too short, a repetition, a bot's."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", metavar="FOLDER", type=Path, help="every page in every form, into this folder")
    folder = parser.parse_args().all
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"],
        )
        if folder is None:
            for screen in SCREENS:
                size = TALL if screen.name == "overview" else WIDE
                picture(browser, address, screen.path, PICTURES / f"{screen.name}.png", size=size)
        else:
            everything(browser, address, folder)
        browser.close()


def everything(browser: Browser, address: str, folder: Path) -> None:
    for screen in SCREENS:
        for scheme in ("light", "dark"):
            for name, size in (("wide", WIDE), ("phone", PHONE)):
                path = folder / f"{screen.name}-{scheme}-{name}.png"
                picture(browser, address, screen.path, path, scheme=scheme, size=size)
        picture(browser, address, screen.path, folder / f"{screen.name}-en.png", language="en")


def picture(
    browser: Browser,
    address: str,
    path: str,
    target: Path,
    *,
    scheme: str = "light",
    size: tuple[int, int] = WIDE,
    language: str = "ru",
) -> None:
    """Take the picture of a page, with its form filled in."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="ru-RU",
        device_scale_factor=1,
    )
    context.add_cookies([{"name": "desk_language", "value": language, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/{path}")
    settle(page)
    if path == "new":
        type_a_lead(page)
    if path == "overview":
        page.get_by_test_id("stMetric").first.wait_for(timeout=START_S * 1000)
        settle(page)
    if path == "deliveries":
        page.locator(".st-key-deliveries-group button").nth(2).click()
        page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
        settle(page)
    if path == "forms" and not page.locator("canvas").count():
        hand_leads_in(page, address)
    target.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target, full_page=size == PHONE)
    context.close()


def settle(page: Page) -> None:
    """Until the page has run and its tables and charts are painted."""
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=START_S * 1000
    )
    expect(page.get_by_test_id("stSkeleton").filter(visible=True)).to_have_count(0, timeout=START_S * 1000)
    tables = page.get_by_test_id("stDataFrame").filter(visible=True)
    if tables.count():
        tables.first.locator("canvas").first.wait_for()
    if charts := page.get_by_test_id("stEChartsChart").filter(visible=True).all():
        for chart in charts:
            chart.locator("canvas, svg").first.wait_for(timeout=START_S * 1000)
        page.wait_for_timeout(1500)  # they grow; there is no sign of the end
    page.wait_for_timeout(600)  # the fade-in of Streamlit's elements; there is no sign of its end


def type_a_lead(page: Page) -> None:
    """Type a lead by keyboard, for a picture with its card."""
    expect(page.locator(".st-key-new-phone input")).to_be_focused()
    for text in ("8 (961) 204-31-77", "Марина Весенняя", "Пилатес", "Звонок"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.type("Хочет заниматься по утрам, перезвонить до шести")
    page.keyboard.press("Control+Enter")
    page.get_by_text(re.compile("^(В AmoCRM за|In AmoCRM after)")).wait_for()
    page.wait_for_timeout(600)


def hand_leads_in(page: Page, address: str) -> None:
    """Make a form of the site and hand submissions in, for a picture with their fates."""
    page.locator(".st-key-forms-new button").click()
    for name, text in (("name", "Главная страница"), ("source", "Сайт"), ("origins", "https://fit.ru")):
        page.locator(f".st-key-forms-{name}").get_by_role("textbox").fill(text)
    page.locator(".st-key-forms-save button").click()
    key = page.locator("[data-testid=stCode] code").inner_text().strip()
    for more in SUBMISSIONS:
        requests.post(f"{address}/api/crm", json=more, headers={"Authorization": f"Bearer {key}"}, timeout=START_S)
    page.reload()
    settle(page)


@contextmanager
def demo() -> Iterator[str]:
    """The desk as started by `make run`, with a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        environ = {name: text for name, text in os.environ.items() if not name.startswith(("AMOCRM_", "STREAMLIT_"))}
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(port)],
            cwd=PROJECT,
            env=environ | {"DATABASE_URL": f"sqlite:///{folder}/desk.db"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://localhost:{port}"
            _wait(lambda: requests.get(f"{address}/readyz", timeout=2).ok)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def _wait(ready: Callable[[], bool]) -> None:
    import time

    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            if ready():
                return
        except requests.RequestException:
            pass
        time.sleep(0.2)
    sys.exit("the desk did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()

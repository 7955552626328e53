"""Every address, opened as the very first visit to a freshly started server: the frame and its checks are in force."""

from __future__ import annotations

import json
import socket

import pytest
import requests
from playwright.sync_api import Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from desk.settings import PROJECT
from desk.words import words
from tests.support.programs import RunningDesk, local_cookies, running_desk
from ui.frame.frame import SCREENS

pytestmark = pytest.mark.browser

NOWHERE = {
    "AMOCRM_API_URL": "http://127.0.0.1:1",
    "AMOCRM_CLIENT_ID": "id-of-nobody",
    "AMOCRM_CLIENT_SECRET": "secret-of-nobody",
}


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_deep_link_as_first_visit(page: Page, screen):
    """The page stands in the frame: its heading, the menu, the connection's state, the language switch; no bare page."""
    with running_desk(**NOWHERE) as desk:
        page.goto(f"{desk.url}/{screen.path}")
        expect(page.get_by_role("heading", name=words("ru")(f"{screen.name}-title"), exact=True)).to_be_visible()
        sidebar = page.get_by_test_id("stSidebar")
        expect(sidebar.get_by_text("Не подключено")).to_be_visible()
        expect(sidebar.get_by_text("English")).to_be_visible()
        for other in SCREENS:
            title = words("ru")(f"{other.name}-title")
            expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name=title)).to_be_visible()
        expect(page.get_by_text("navigation", exact=True)).to_have_count(0)


@pytest.fixture(scope="module")
def desk():
    with running_desk(**NOWHERE) as running:
        yield running


STRANGERS = {
    "another name": {"Host": "desk.example.com"},
    "behind a proxy": {"X-Forwarded-For": "203.0.113.9"},
    "a page from elsewhere": {"Origin": "https://evil.example"},
}


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize(
    "path", [*(f"/{screen.path}" for screen in SCREENS), "/connection/start", "/navigation", "/_stcore/health"]
)
def test_strangers_see_no_page(desk: RunningDesk, path: str, headers: dict):
    """Whoever is not this machine's own browser gets the page that says how to open the desk, at every address."""
    answer = requests.get(desk.url + path, headers=headers, timeout=60, allow_redirects=False)
    assert answer.status_code == 403
    assert f"ssh -L {desk.port}:localhost:{desk.port}" in answer.text
    assert "Lead Desk" in answer.text


def test_the_refusal_speaks_the_visitors_language(desk: RunningDesk):
    """Russian by default, English where the browser asks for it."""
    strange = {"Host": "desk.example.com"}
    assert "только на своём компьютере" in requests.get(desk.url, headers=strange, timeout=60).text
    english = requests.get(desk.url, headers=strange | {"Accept-Language": "en-GB,en;q=0.9"}, timeout=60).text
    assert "only be opened on its own computer" in english


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
def test_strangers_get_no_live_connection(desk: RunningDesk, headers: dict):
    """The websocket that carries the pages' content is refused like the pages."""
    address = f"ws://{headers.get('Host', f'localhost:{desk.port}')}/_stcore/stream"
    extra = {name: text for name, text in headers.items() if name not in ("Host", "Origin")}
    line = socket.create_connection(("127.0.0.1", desk.port))
    with pytest.raises(InvalidStatus) as raised:
        connect(address, sock=line, additional_headers=extra, origin=headers.get("Origin"))
    assert raised.value.response.status_code == 403


def test_it_binds_to_this_machine_only(desk: RunningDesk):
    """The port answers on loopback and on no other address of this machine."""
    import psutil

    listening = [
        connection.laddr.ip
        for process in psutil.process_iter()
        for connection in _connections(process)
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == desk.port
    ]
    assert listening == ["127.0.0.1"]


def _connections(process):
    import psutil

    try:
        return process.net_connections(kind="tcp")
    except psutil.Error:
        return []


def test_nothing_is_sent_to_streamlits_makers(desk: RunningDesk):
    """The page's configuration has usage statistics off."""
    host_config = requests.get(f"{desk.url}/_stcore/host-config", cookies=local_cookies(), timeout=60)
    assert host_config.ok
    assert "gatherUsageStats = false" in (PROJECT / ".streamlit" / "config.toml").read_text()
    assert json.loads(host_config.text)["allowedOrigins"] == []

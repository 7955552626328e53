"""A page of another origin, in the browser of whoever has the desk open: it frames nothing, writes nothing, moves nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests.support.programs import RunningDesk, running_desk

pytestmark = pytest.mark.browser

NOWHERE = {"AMOCRM_API_URL": "http://127.0.0.1:1", "AMOCRM_CLIENT_ID": "id-of-nobody", "AMOCRM_CLIENT_SECRET": "secret-of-nobody"}  # fmt: skip


@pytest.fixture(scope="module", params=["code", "open"])
def desk(request: pytest.FixtureRequest) -> Iterator[RunningDesk]:
    """With the browser's cookie, and without anybody having to show one."""
    with running_desk(**NOWHERE, LOCAL_ACCESS=request.param) as running:
        yield running


def visit(page: Page, content: str, origin: str = "http://localhost:1") -> None:
    """Their page. On another port of the same machine by default: as near as another origin can be."""
    page.route(f"{origin}/**", lambda route: route.fulfill(body=content, content_type="text/html"))
    page.goto(f"{origin}/")


def drafts(desk: RunningDesk) -> int:
    engine = sa.create_engine(desk.database_url)
    try:
        with engine.connect() as db:
            return db.scalar(sa.text("SELECT count(*) FROM drafts")) or 0
    finally:
        engine.dispose()


@pytest.mark.parametrize("origin", ["http://localhost:1", "http://evil.test"])
def test_nobody_frames_the_desk(page: Page, desk: RunningDesk, origin: str):
    """A frame of any page stays empty."""
    visit(page, f'<iframe src="{desk.url}/connection?embed=true"></iframe>', origin)
    expect(page.locator("iframe")).to_be_attached()
    page.wait_for_load_state("load")
    frame = page.frames[-1]
    assert "stApp" not in frame.content()


def test_pictures_and_frames_begin_no_call(page: Page, desk: RunningDesk):
    """Eight pictures, a frame, a script, a style sheet and a link of the screen pop leave no draft."""
    call = f"{desk.url}/new?phone=%2B7999000000"
    visit(
        page,
        "".join(f'<img src="{call}{number}">' for number in range(8))
        + f'<iframe src="{call}8"></iframe><script src="{call}9"></script><link rel="stylesheet" href="{call}7">'
        f'<a href="{call}6">go</a>',
    )
    page.wait_for_load_state("load")
    page.evaluate("call => Promise.allSettled([fetch(call, {mode: 'no-cors', credentials: 'include'})])", call + "5")
    page.get_by_text("go").click()
    page.wait_for_url("**/new")
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    assert drafts(desk) == 0


def test_messages_move_nothing(page: Page, desk: RunningDesk):
    """What a page that opened the desk sends it as messages changes no link and hides no menu."""
    visit(page, f"<a href='{desk.url}/' target='_blank' rel='opener'>go</a>")
    with page.expect_popup() as opened:
        page.get_by_text("go").click()
    popup = opened.value
    expect(popup.get_by_test_id("stSidebarNav")).to_be_visible()
    assert popup.evaluate("window.opener") is None
    for kind in ("SET_PAGE_LINK_BASE_URL", "SET_SIDEBAR_NAV_VISIBILITY"):
        popup.evaluate(
            "kind => window.postMessage({stCommVersion: 1, type: kind, pageLinkBaseUrl: 'https://evil.test', hidden: true}, '*')",
            kind,
        )
    links = popup.get_by_test_id("stSidebarNav").get_by_role("link")
    expect(links.first).to_be_visible()
    assert [
        link for link in links.evaluate_all("all => all.map(one => one.href)") if not link.startswith(desk.url)
    ] == []


def test_another_ports_script_reads_and_connects_to_nothing(page: Page, desk: RunningDesk):
    """Neither by fetch nor by a live connection, although the browser would send the cookie along."""
    visit(page, "<h1>theirs</h1>")
    told = page.evaluate(
        """async ([http, ws]) => {
          const got = await fetch(http, {credentials: 'include'}).then(a => a.text(), () => 'refused')
          const line = await new Promise(done => {
            const socket = new WebSocket(ws, ['streamlit'])
            socket.onopen = () => done('open'); socket.onerror = () => done('refused')
          })
          return [got, line]
        }""",
        [f"{desk.url}/_stcore/host-config", f"ws://localhost:{desk.port}/_stcore/stream"],
    )
    assert told == ["refused", "refused"]

"""Addresses that another site's page makes a browser ask for: none of them changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from desk.desk import Desk
from desk.web.screen_pop import OPERATOR_COOKIE, ScreenPop
from store.tables import drafts
from tests.desk.web.conftest import open_desk

CALL = "/new?phone=%2B79990000001&source=VK"

OPENED = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = open_desk(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def browser(desk: Desk) -> TestClient:
    page = Route("/{path:path}", lambda _: PlainTextResponse("page"))
    app = Starlette(routes=[page], middleware=[Middleware(ScreenPop, desk=lambda: desk)])
    return TestClient(app, base_url="http://localhost:8501", follow_redirects=False)


def kept(desk: Desk) -> list:
    with desk.store.read() as db:
        return db.execute(sa.select(drafts.c.operator, drafts.c.body)).all()


@pytest.mark.parametrize(
    "headers", [OPENED, OPENED | {"sec-fetch-site": "same-origin"}, {}, {"referer": "http://localhost:8501/"}], ids=str
)
def test_a_telephonys_call_is_kept(desk, browser, headers):
    """Opened by itself or by a page of the desk, the number goes into a draft and out of the address."""
    answer = browser.get(CALL, headers=headers)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/new?draft=")
    assert len(kept(desk)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        {"sec-fetch-site": "none"}, {"sec-fetch-site": "None"}, {"sec-fetch-site": ""},
        {"referer": "https://evil.example/"}, {"referer": "http://localhost:3000/"},
    ],
    ids=str,
)  # fmt: skip
def test_another_page_begins_nothing(desk, browser, headers):
    """By a picture, a frame, a script or a link: nothing is written, and the number is out of the address all the same."""
    answer = browser.get(CALL, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/new")
    assert kept(desk) == []


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "OPTIONS"])
def test_only_a_get_opens_a_page(desk, browser, method):
    """Whatever else is sent to the address writes nothing."""
    answer = browser.request(method, CALL, headers=OPENED)
    assert answer.headers["location"] == "/new"
    assert kept(desk) == []


@pytest.mark.parametrize("cookie", ["%00", "%ED%A0%80", "%D0%9E%D0%BB%D1%8F", "x" * 5000, "%00" * 300, "<b>"])
def test_whoever_it_is_says_they_are(desk, browser, cookie):
    """A cookie of anybody's making is a name of at most sixty letters that any database takes."""
    answer = browser.get(
        "/new?phone=%00%2B7%0A999&source=%ED%A0%80x%00", headers=OPENED | {"cookie": f"{OPERATOR_COOKIE}={cookie}"}
    )
    assert answer.headers["location"].startswith("/new?draft=")
    ((operator, body),) = kept(desk)
    assert "\x00" not in operator + body
    assert len(operator) <= 60


def test_a_database_that_is_away_takes_no_number_with_it(desk, browser, caplog):
    """The form opens empty, the number is neither in the address nor in the log."""
    with desk.store.write() as db:
        db.execute(sa.text("ALTER TABLE drafts RENAME TO away"))
    answer = browser.get(CALL, headers=OPENED)
    assert (answer.status_code, answer.headers["location"]) == (303, "/new")
    assert "7999" not in caplog.text


def test_a_flood_of_calls_stays_within_a_bound(desk, browser):
    """Three hundred addresses opened in a row leave eight drafts."""
    for number in range(300):
        browser.get(f"/new?phone=%2B7999{number:07}", headers=OPENED)
    assert len(kept(desk)) == 8

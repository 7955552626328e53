"""The leads page: period, filters, pages, and what each costs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from crm import leads, phones
from tests.pages.conftest import shown
from ui.leads_view import stage_names


@pytest.fixture
def app(desk, open_page):
    """The page with the leads of 180 days."""
    app = open_page("leads")
    return app.segmented_control(key="leads.period").set_value("180").run()


def rows(app):
    return app.dataframe[0].value


def count(app):
    return int(re.search(r"\*\*([\d\u00a0]+)\*\* лид", shown(app)).group(1).replace("\u00a0", ""))


def stage_of(desk, row):
    """The key of a row's stage, as the filter knows it."""
    names = stage_names(leads.reference(desk.client).stages)
    return next(key for key, name in names.items() if name == row["stage"])


def test_it_shows_what_the_club_has(app, desk, box):
    """All leads of the period, newest first, fifty a page, with phone, stage and the link into AmoCRM."""
    table = rows(app)
    first = datetime.now(desk.settings.zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=179)
    real = [
        lead for lead in box.entities("leads") if lead["created_at"] >= first.timestamp() and not lead["is_deleted"]
    ]
    assert count(app) == len(real) > 300
    assert len(table) == 50
    assert table["created_at"].is_monotonic_decreasing
    assert table["url"].str.match(rf"^{box.url}/leads/detail/\d+$").all()
    assert table["phone"].str.startswith("+7 ").mean() > 0.9
    assert (table["stage"] != "").all()


def test_filters_ask_nothing(app, desk, box):
    """Search, stage and source work on what was read: not one request more."""
    stage = stage_of(desk, rows(app)[rows(app)["source"] == "Сайт"].iloc[0])
    before = box.last_seq()
    app.multiselect(key="leads.source").select("Сайт").run()
    assert set(rows(app)["source"]) == {"Сайт"}
    everything = count(app)
    app.multiselect(key="leads.stage").set_value([stage]).run()
    assert set(rows(app)["stage"]) == {rows(app).iloc[0]["stage"]}
    assert count(app) <= everything
    app.text_input(key="leads.search").set_value("а").run()
    assert [entry for entry in box.ledger("request", since=before) if entry["path"].startswith("/api")] == []


def test_search_by_any_spelling_of_a_phone(app):
    """8 and +7 with any punctuation find the same one person."""
    phone = rows(app).iloc[0]["phone"]
    digits = phones.normalise(phone)[2:]
    for typed in (phone, f"8{digits}", f"8 ({digits[:3]}) {digits[3:6]}-{digits[6:8]}-{digits[8:]}", f"+7{digits}"):
        app.text_input(key="leads.search").set_value(typed).run()
        assert set(rows(app)["phone"]) == {phone}


def test_search_by_name_and_by_number(app):
    """Words in any order and case, ё as е, and the lead's number."""
    row = rows(app).iloc[3]
    app.text_input(key="leads.search").set_value(" ".join(reversed(row["name"].upper().split()))).run()
    assert row["name"] in set(rows(app)["name"])
    number = row["url"].rsplit("/", 1)[1]
    app.text_input(key="leads.search").set_value(number).run()
    assert rows(app)["url"].tolist() == [row["url"]]


@pytest.mark.parametrize("text", ["(", "[", "*", "\\", "<b>", "=1+1", "💥", "%", "' OR 1=1 --", "x" * 100])
def test_odd_searches_find_nothing_and_break_nothing(app, text):
    """Any text may be searched for; finding nothing says so and offers to clear the filters."""
    app.text_input(key="leads.search").set_value(text).run()
    assert not app.exception
    assert not app.dataframe
    assert "не подходит ни один лид" in app.info[-1].value
    app.button(key="leads.clear").click().run()
    assert len(rows(app)) == 50


def test_an_empty_period_says_what_to_do(desk, box, open_page):
    """No leads at all is not an error: it says so and what to do."""
    box.reset(leads=0)
    desk.connection.adopt(box.grant()["refresh_token"])
    app = open_page("leads")
    assert not app.error
    assert "лидов не было" in app.info[-1].value
    assert "По состоянию на" in shown(app)


def test_the_period_is_what_is_asked_for(desk, box, open_page):
    """Today means since midnight on the club's clock."""
    app = open_page("leads")
    app.segmented_control(key="leads.period").set_value("today").run()
    zone = desk.settings.zone
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    expected = [lead for lead in box.entities("leads") if lead["created_at"] >= midnight.timestamp()]
    assert count(app) == len(expected) if expected else "лидов не было" in app.info[-1].value


def test_own_range(app, box, desk):
    """Two days chosen in the calendar are those two days, whole."""
    zone = desk.settings.zone
    app.segmented_control(key="leads.period").set_value("own").run()
    until = datetime.now(zone).date() - timedelta(days=3)
    since = until - timedelta(days=4)
    app.date_input(key="leads.range").set_value((since, until)).run()
    days = [datetime.fromtimestamp(lead["created_at"], UTC).astimezone(zone).date() for lead in box.entities("leads")]
    assert count(app) == sum(since <= day <= until for day in days)


def test_the_cost_is_as_stated(desk, box, open_page):
    """A period of up to 250 leads: four requests the first time, two when stages and people are known, none within a minute."""
    before = box.last_seq()
    app = open_page("leads")
    assert len(box.ledger("request", since=before)) == 4
    app.run()
    assert len(box.ledger("request", since=before)) == 4
    app.segmented_control(key="leads.period").set_value("today").run()
    assert len(box.ledger("request", since=before)) in (5, 6)  # a day without leads needs no contacts


def test_ignored_filters_are_noticed(desk, box, open_page):
    """When AmoCRM ignores the period and sends everything, the page says so instead of counting it."""
    body = {"_page": 1, "_links": {}, "_embedded": {"leads": [{"id": 1, "created_at": 1}]}}
    box.fault("status", path="/api/v4/leads", status=200, body=json.dumps(body))
    app = open_page("leads")
    assert "не применила фильтр" in app.error[0].value

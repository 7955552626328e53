"""The club: what it is made of, and whether one would believe it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import phonenumbers
import pytest

from sandbox.club import habits, people, structure
from sandbox.process import Sandbox
from tests.sandbox.conftest import Api

NOW = 1_760_000_000
"""A Thursday morning in Moscow."""

MANY = 3000


@pytest.fixture(scope="module")
def club(process: Sandbox) -> dict[str, list[dict[str, Any]]]:
    """Every row of a club of 3,000 leads."""
    process.reset(leads=MANY, seed=1, now=NOW)
    return {
        table: process.entities(table, limit=100_000)
        for table in ("leads", "contacts", "links", "events", "tasks", "notes")
    }


def field(row: dict[str, Any], field_id: int) -> str | None:
    """The first value of a card's field."""
    values = (row["custom_fields"] or {}).get(str(field_id))
    return values[0]["value"] if values else None


def test_field_ids_are_those_the_desk_is_set_to(api: Api) -> None:
    """Lead fields 264911, 264913 and 264915 are texts; 264911 of a contact is its phone."""
    leads = {item["id"]: item for item in api.items("leads/custom_fields?limit=250")}
    assert [(leads[id_]["name"], leads[id_]["type"]) for id_ in (264911, 264913, 264915)] == [
        ("Телефон", "text"),
        ("Направление", "text"),
        ("Источник", "text"),
    ]
    contacts = {item["id"]: item for item in api.items("contacts/custom_fields?limit=250")}
    assert (contacts[264911]["code"], contacts[264911]["type"]) == ("PHONE", "multitext")
    assert {"EMAIL", "POSITION"} <= {item["code"] for item in contacts.values()}


def test_tracking_fields_have_their_codes(api: Api) -> None:
    """All nineteen marks of the sheet are `tracking_data` fields of leads."""
    tracking = api.items("leads/custom_fields?limit=250&filter[type][]=tracking_data")
    assert {item["code"] for item in tracking} == set(structure.TRACKING_CODES)
    assert len(tracking) == 19


def test_status_means_nothing_without_its_pipeline(api: Api) -> None:
    """Both pipelines have an incoming stage and 142 and 143, so a status is known only with its pipeline."""
    pipelines = api.items("leads/pipelines")
    assert len(pipelines) == 2
    for pipeline in pipelines:
        statuses = pipeline["_embedded"]["statuses"]
        assert [status["id"] for status in statuses if status["type"] == 1] == [statuses[0]["id"]]
        assert [status["id"] for status in statuses[-2:]] == [142, 143]
        assert len(statuses) > 5


def test_leads_lie_within_half_a_year(club: dict[str, list[dict[str, Any]]]) -> None:
    """180 days back and not a second ahead."""
    created = [row["created_at"] for row in club["leads"]]
    assert len(created) == MANY
    assert NOW - 180 * 86400 <= min(created) <= max(created) < NOW
    assert all(row["updated_at"] <= NOW for row in club["leads"])


def test_shares_of_sources_are_as_meant(club: dict[str, list[dict[str, Any]]]) -> None:
    """The site leads, nothing comes from Instagram, and every source is within a few per cent of its share."""
    counted = Counter(field(row, structure.SOURCE_FIELD) for row in club["leads"])
    del counted[None]
    assert set(counted) == set(habits.SOURCES)
    for source, share in habits.SOURCES.items():
        assert abs(100 * counted[source] / counted.total() - share) < 4


def test_calls_come_while_the_desk_is_manned(club: dict[str, list[dict[str, Any]]]) -> None:
    """Nobody calls or walks in at night; forms are filled in late in the evening too."""
    hours: dict[str, Counter[int]] = {"Звонок": Counter(), "Сайт": Counter()}
    for row in club["leads"]:
        source = field(row, structure.SOURCE_FIELD)
        if source in hours:
            moscow = datetime.fromtimestamp(row["created_at"], UTC) + timedelta(hours=3)
            hours[source][moscow.hour] += 1
    assert sum(hours["Звонок"][hour] for hour in range(7)) <= 3
    assert sum(hours["Сайт"][hour] for hour in (19, 20, 21)) > sum(hours["Сайт"][hour] for hour in (5, 6, 7))


def test_older_leads_stand_further_along(club: dict[str, list[dict[str, Any]]]) -> None:
    """Most leads older than two months are won or lost; most of the last two days are not."""

    def closed_share(rows: list[dict[str, Any]]) -> float:
        return sum(row["status_id"] in (142, 143) for row in rows) / len(rows)

    old = [row for row in club["leads"] if row["created_at"] < NOW - 60 * 86400]
    new = [row for row in club["leads"] if row["created_at"] > NOW - 2 * 86400]
    assert closed_share(old) > 0.85
    assert closed_share(new) < 0.35
    assert all((row["closed_at"] is None) == (row["status_id"] not in (142, 143)) for row in club["leads"])


def test_reasons_for_losing_are_partly_missing(club: dict[str, list[dict[str, Any]]]) -> None:
    """Lost leads mostly say why, some do not, and no other lead has a reason."""
    lost = [row for row in club["leads"] if row["status_id"] == 143]
    without = [row for row in lost if row["loss_reason_id"] is None]
    assert 0.15 < len(without) / len(lost) < 0.45
    assert all(row["loss_reason_id"] is None for row in club["leads"] if row["status_id"] != 143)


def test_events_tell_the_same_story_as_the_leads(club: dict[str, list[dict[str, Any]]]) -> None:
    """The last stage change of a lead is to where it stands, and no change is older than the lead."""
    leads = {row["id"]: row for row in club["leads"]}
    last: dict[int, dict[str, Any]] = {}
    for event in sorted(club["events"], key=lambda event: event["created_at"]):
        if event["type"] == "lead_status_changed":
            assert event["created_at"] >= leads[event["entity_id"]]["created_at"]
            last[event["entity_id"]] = event["value_after"][0]["lead_status"]
    assert len(last) > MANY / 2
    for lead_id, stage in last.items():
        assert stage == {"id": leads[lead_id]["status_id"], "pipeline_id": leads[lead_id]["pipeline_id"]}


def test_phones_are_valid_and_belong_to_nobody(club: dict[str, list[dict[str, Any]]]) -> None:
    """Every phone passes the library's check, is of a code no operator holds, and some are spelt oddly."""
    spelt = [field(row, structure.CONTACT_PHONE_FIELD) for row in club["contacts"]]
    for phone in spelt:
        number = phonenumbers.parse(phone, "RU")
        assert phonenumbers.is_valid_number(number), phone
        assert str(number.national_number)[:3] in people.UNHELD_CODES
    plain = [phone for phone in spelt if phone and phone.startswith("+7") and phone[1:].isdecimal()]
    assert 0.6 < len(plain) / len(spelt) < 0.95


def test_names_agree_in_gender(club: dict[str, list[dict[str, Any]]]) -> None:
    """A woman's surname has a woman's ending."""
    for row in club["contacts"]:
        if row["last_name"]:
            assert row["last_name"].endswith(("а", "ая")) == (row["first_name"] in people.WOMEN), row["name"]


def test_some_people_come_back_and_some_leave_no_card(club: dict[str, list[dict[str, Any]]]) -> None:
    """There are contacts with several leads, and leads without a contact."""
    links = [row for row in club["links"] if (row["from_type"], row["to_type"]) == ("leads", "contacts")]
    per_contact = Counter(row["to_id"] for row in links)
    assert sum(count > 1 for count in per_contact.values()) > 50
    assert 10 < MANY - len({row["from_id"] for row in links}) < MANY * 0.1


def test_closest_task_is_the_open_one(club: dict[str, list[dict[str, Any]]]) -> None:
    """`closest_task_at` of a lead is the deadline of its open task, and null without one."""
    open_tasks = {row["entity_id"]: row["complete_till"] for row in club["tasks"] if not row["is_completed"]}
    assert open_tasks
    for row in club["leads"]:
        assert row["closest_task_at"] == open_tasks.get(row["id"])


def test_small_club_and_empty_club_work(box: Sandbox) -> None:
    """One lead and no lead at all are clubs too."""
    for count in (1, 0):
        box.reset(leads=count)
        assert box.count("leads") == count
        assert json.dumps(box.state())

"""Random edits do their deeds, and the truth about them is AmoCRM's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.process import Sandbox, SandboxError, running_sandbox
from tests.support.edits import DEEDS, TELLING, Edits
from tests.support.truth import Truth, ten

NOW = 1_760_000_000


@pytest.fixture(scope="module")
def process() -> Iterator[Sandbox]:
    with running_sandbox(leads=0, rps=1_000_000) as running:
        yield running


@pytest.fixture
def box(process: Sandbox) -> Sandbox:
    process.reset(leads=15, seed=3, now=NOW)
    process.config(rps=1_000_000)
    return process


def api_list(box: Sandbox, path: str) -> list[dict]:
    """A whole list, as read by a client."""
    session, found, url = box.session(), list[dict](), f"{box.url}/api/v4/{path}"
    while url:
        answer = session.get(url, timeout=60)
        if answer.status_code == 204:
            return found
        data = answer.json()
        (rows,) = data["_embedded"].values()
        found += rows
        url = data["_links"].get("next", {}).get("href")
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_the_truth_is_what_the_api_says(box: Sandbox, seed: int) -> None:
    """After every kind of edit the rows agree with AmoCRM's answers: leads, contacts, main contacts, tasks, fields."""
    edits = Edits(box, seed)
    edits.run(150)
    truth = Truth(box)
    leads = {row["id"]: row for row in api_list(box, "leads?limit=250&with=contacts")}
    people = {row["id"]: row for row in api_list(box, "contacts?limit=250")}
    assert set(truth.leads) == set(leads), edits
    assert set(truth.people) == set(people), edits
    for id_, lead in truth.leads.items():
        told = leads[id_]
        linked = {one["id"]: one["is_main"] for one in told["_embedded"]["contacts"] if one["id"] in people}
        assert {one.id for one in lead.people} == set(linked), (id_, str(edits))
        if any(linked.values()):
            assert lead.main is not None
            assert linked[lead.main.id], (id_, str(edits))
        assert told["closest_task_at"] == (lead.tasks[0] if lead.tasks else None), (id_, str(edits))
        same = ("name", "price", "pipeline_id", "status_id", "created_at", "updated_at", "closed_at", "loss_reason_id")
        assert [told[key] for key in same] == [getattr(lead, key) for key in same], (id_, str(edits))
        fields = {one["field_id"]: one["values"][0]["value"] for one in told["custom_fields_values"] or []}
        assert (fields.get(264913, ""), fields.get(264915, "")) == (lead.direction, lead.source), (id_, str(edits))
    for id_, person in truth.people.items():
        values = [one["values"] for one in people[id_]["custom_fields_values"] or [] if one["field_code"] == "PHONE"]
        assert [value["value"] for value in (values or [[]])[0]] == list(person.phones), (id_, str(edits))


def test_the_same_seed_does_the_same(box: Sandbox) -> None:
    """The same line by line, so that a failure can be made again."""
    lines = []
    for _ in range(2):
        box.reset(leads=15, seed=3, now=NOW)
        box.config(rps=1_000_000)
        edits = Edits(box, 9)
        edits.now = NOW
        edits.run(40)
        lines.append(edits.done)
    assert lines[0] == lines[1]


def test_every_kind_of_edit_comes(box: Sandbox) -> None:
    """Every kind of edit comes within some hundreds; left-out kinds do not come."""
    edits = Edits(box, 4, without={"contact into the bin", "note"})
    edits.run(320)
    kinds = Counter(line.partition(":")[0] for line in edits.done)
    assert set(DEEDS) - set(kinds) <= {"contact into the bin", "note", "contact restored"}
    assert not kinds["note"]
    with pytest.raises(AssertionError, match="typo"):
        Edits(box, 1, without={"typo"})


@pytest.mark.parametrize("how", sorted(TELLING))
def test_every_way_of_telling_is_one(box: Sandbox, how: str) -> None:
    """The sandbox takes the switches, and the next way begins with its usual ones."""
    edits = Edits(box, 1)
    edits.telling(how)
    config = box.config()
    assert {key: config[key] for key in TELLING[how]} == TELLING[how]
    edits.telling("told")
    assert box.config()["hook_lose"] == 0


def test_reckoning_by_hand(box: Sandbox) -> None:
    """A lead with two contacts, kopecks and two tasks, written out."""
    session = box.session()

    def made(path: str, data: dict) -> int:
        (rows,) = session.post(f"{box.url}/api/v4/{path}", json=[data], timeout=60).json()["_embedded"].values()
        return rows[0]["id"]

    def person(name: str, phone: str) -> int:
        return made(
            "contacts", {"name": name, "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": phone}]}]}
        )

    box.config(minor_units="price")
    first, second = person("Алёна", "8 (907) 111-22-33"), person("Борис", "+7 907 444-55-66 доб. 7")
    lead = made("leads", {
        "name": "Заявка", "price": 1999.5, "created_at": NOW - 100, "updated_at": NOW - 100,
        "_embedded": {"contacts": [{"id": first}, {"id": second, "is_main": True}]},
    })  # fmt: skip
    for due in (NOW + 50, NOW - 50):
        made("tasks", {"text": "x", "complete_till": due, "entity_type": "leads", "entity_id": lead})
    truth = Truth(box)
    found = truth.leads[lead]
    assert (found.shown_name, found.roubles, found.tasks) == ("Борис", 2000, (NOW - 50, NOW + 50))
    assert found.reasons(NOW) == {"overdue", "no_source"}
    assert found.reasons(NOW + 4 * 24 * 3600) == {"overdue", "no_source", "untouched"}
    assert [each.id for each in truth.with_phone("+7 (907) 111 22 33")] == [lead]
    assert [each.id for each in truth.with_words("алена заявка")] == [lead]
    assert truth.with_words("Алёна Борис нет") == []
    assert lead in {each.id for each in truth.created(NOW - 100, NOW - 99)}
    assert truth.split("source", [found]) == {"": (1, 0)}
    session.patch(f"{box.url}/api/v4/leads/{lead}", json={"status_id": 142, "closed_at": NOW - 10}, timeout=60)
    truth = Truth(box)
    assert [each.id for each in truth.closed(142, NOW - 10, NOW - 9)] == [lead]
    assert truth.leads[lead].reasons(NOW) == set()


def test_merging(box: Sandbox) -> None:
    """The remaining card has the other card's contacts, tasks and notes; the other card is in the bin; the log says so."""
    session = box.session()
    ids = [row["id"] for row in box.entities("leads") if not row["is_deleted"]][:2]
    before = Truth(box)
    for lead, due in zip(ids, (NOW + 5, NOW + 4), strict=True):
        task = {"text": "x", "complete_till": due, "entity_type": "leads", "entity_id": lead}
        session.post(f"{box.url}/api/v4/tasks", json=[task], timeout=60)
    box.edit("merge", id=ids[0], other=ids[1])
    truth = Truth(box)
    assert set(before.leads) - set(truth.leads) == {ids[1]}
    people = [{one.id for one in before.leads[lead].people} for lead in ids]
    assert {one.id for one in truth.leads[ids[0]].people} == people[0] | people[1]
    assert {NOW + 4, NOW + 5} <= set(truth.leads[ids[0]].tasks)
    (event,) = api_list(box, f"events?filter[type]=entity_merged&filter[entity]=lead&filter[entity_id]={ids[0]}")
    assert event["value_after"] == [{"link": {"entity": {"type": "lead", "id": ids[1]}}}]
    with pytest.raises(SandboxError, match="no other leads"):
        box.edit("merge", id=ids[0], other=ids[0])


@pytest.mark.parametrize(("phone", "digits"), [
    ("+7 (907) 111-22-33", "9071112233"), ("89071112233", "9071112233"), ("907 111", ""), ("", ""), ("٩٠٧١١١٢٢٣٣", ""),
])  # fmt: skip
def test_ten_digits(phone: str, digits: str) -> None:
    """A number is its last ten digits; fewer, or digits of another alphabet, are none."""
    assert ten(phone) == digits

"""Tasks of AmoCRM on the leads: made, done, put off, taken over and deleted, by round, by hint and at night."""

from __future__ import annotations

import pytest
import requests
import sqlalchemy as sa

from crm.errors import BrokenWord
from desk.mirror import tasks as room
from desk.mirror import walks
from store.tables import leads, mirror_walks, tasks
from tests.desk.mirror.conftest import round_of, settle


def ask(box, method, path, body):
    answer = box.session().request(method, f"{box.url}/api/v4/{path}", json=body, timeout=60)
    assert answer.ok, answer.text
    return answer.json()


def add(box, entity_id, due, kind="leads", **more):
    body = [{"text": "x", "complete_till": due, "entity_type": kind, "entity_id": entity_id, **more}]
    return ask(box, "POST", "tasks", body)["_embedded"]["tasks"][0]["id"]


def erase(box, task_id):
    url, data = f"{box.url}/private/notes/edit2.php", {"ID": task_id, "ACTION": "TASK_DELETE"}
    assert requests.post(url, data=data, headers=dict(box.session().headers), timeout=60).ok


def shown(desk):
    with desk.store.read() as db:
        rows = db.execute(sa.select(leads.c.id, leads.c.closest_task_at).where(leads.c.is_deleted.is_(False)))
        return {row.id: row.closest_task_at for row in rows}


def told(box):
    """Computed from the sandbox's tasks, by hand."""
    found = {row["id"]: None for row in box.entities("leads") if not row["is_deleted"]}
    for row in box.entities("tasks"):
        is_open = not row["is_deleted"] and not row["is_completed"] and row["entity_type"] == "leads"
        if is_open and row["entity_id"] in found:
            known = found[row["entity_id"]]
            found[row["entity_id"]] = min(row["complete_till"], known or row["complete_till"])
    return found


def free_lead(box):
    """A lead without an open task."""
    return next(one for one, at in told(box).items() if at is None)


def test_made_put_off_taken_over_and_done(few, small):
    """Each is on the lead after one round, of one request, although the lead's own time has not moved."""
    lead, other = free_lead(few), next(one for one, at in told(few).items() if at)
    before = few.entities("leads", lead)[0]["updated_at"]
    task = add(few, lead, 2_000_000_000)
    later = add(few, lead, 2_000_000_500)
    since = few.last_seq()
    round_of(small, walks.TASKS)
    asked = few.ledger("request", since=since)
    assert [entry["path"] for entry in asked] == ["/api/v4/tasks"]
    assert few.entities("leads", lead)[0]["updated_at"] == before
    assert shown(small)[lead] == 2_000_000_000
    for body, here, there in (
        ({"complete_till": 2_000_000_900}, 2_000_000_500, None),
        ({"entity_id": other, "entity_type": "leads", "complete_till": 5}, 2_000_000_500, 5),
        ({"is_completed": True, "result": {"text": "ok"}}, 2_000_000_500, told(few)[other]),
    ):
        ask(few, "PATCH", f"tasks/{task}", body)
        round_of(small, walks.TASKS)
        assert shown(small)[lead] == here
        if there is not None:
            assert shown(small)[other] == there
    ask(few, "PATCH", f"tasks/{later}", {"is_completed": True, "result": {"text": "ok"}})
    round_of(small, walks.TASKS)
    assert shown(small) == told(few)


def test_a_contacts_task_is_not_the_leads(few, small):
    """A task of the lead's contact does not count for the lead, as AmoCRM does not count it either."""
    lead = free_lead(few)
    person = next(link["to_id"] for link in few.entities("links") if link["from_id"] == lead)
    add(few, person, 2_000_000_000, "contacts")
    round_of(small)
    assert shown(small)[lead] is None
    assert ask(few, "GET", f"leads/{lead}", None)["closest_task_at"] is None


def test_hinted_at(few, small):
    """What a hook names is fetched; one that was deleted is proved gone and no longer counts."""
    lead = free_lead(few)
    task = add(few, lead, 2_000_000_000)
    small.mirror.hint(tasks=[task])
    small.mirror.look_after()
    assert shown(small)[lead] == 2_000_000_000
    erase(few, task)
    round_of(small, walks.TASKS)
    assert shown(small)[lead] == 2_000_000_000  # no list tells of it
    small.mirror.hint(tasks=[task])
    small.mirror.look_after()
    assert shown(small)[lead] is None


def test_the_night_finds_what_was_deleted_and_what_has_an_old_time(few, small):
    """Deleted without a hook, and made with a time of long ago: neither moves anything a round could see."""
    lead = free_lead(few)
    gone = add(few, lead, 2_000_000_000)
    round_of(small, walks.TASKS)
    erase(few, gone)
    other = free_lead(few)
    add(few, other, 1_900_000_000, created_at=1_600_000_000, updated_at=1_600_000_000)
    small.mirror.recount()
    small.mirror.look_after()
    settle(small)
    assert shown(small) == told(few)


def test_the_first_reading_goes_on_where_it_was(few, small, monkeypatch):
    """Some pages a look; a stop costs none of them; until all are here AmoCRM's own word for a lead's next task counts."""
    monkeypatch.setattr(room, "PAGES_AT_ONCE", 1)
    monkeypatch.setattr("desk.mirror.collections.PAGE_LIMIT", 10)
    with small.store.write() as db:
        db.execute(tasks.delete())
        db.execute(mirror_walks.delete().where(mirror_walks.c.name == walks.TASKS))
    lead = free_lead(few)
    for at in range(1_700_000_000, 1_700_000_040):
        add(few, lead, 2_000_000_000, created_at=at, updated_at=at)
    before, looks = shown(small), 0
    while not small.mirror.walks.of(walks.TASKS).is_whole:
        since = int((small.mirror.walks.of(walks.TASKS).cursor or {}).get("since", 0))
        small.mirror.look_after()
        cursor = small.mirror.walks.of(walks.TASKS).cursor
        assert cursor["since"] > since
        now = shown(small)
        assert now.pop(lead) in (
            before[lead],
            2_000_000_000,
        )  # AmoCRM's own word, if a round has read the lead meanwhile
        assert now == {one: at for one, at in before.items() if one != lead}
        looks += 1
    assert looks > 4
    round_of(small)
    assert shown(small) == told(few)
    with small.store.read() as db:
        here = set(db.scalars(sa.select(tasks.c.id)))
    assert here == {row["id"] for row in few.entities("tasks") if not row["is_deleted"] and not row["is_completed"]}


def test_a_filter_that_is_not_understood(few, small, monkeypatch):
    """An AmoCRM that answers with everything is not believed: the round fails, and says why."""
    monkeypatch.setattr("desk.mirror.collections._changed", lambda kind, since: [])
    with small.store.write() as db:
        db.execute(
            mirror_walks.update().where(mirror_walks.c.name == walks.TASKS).values(cursor='{"since": 4000000000}')
        )
    with pytest.raises(BrokenWord, match="filter_ignored"):
        small.mirror._follow.tasks.round()


def test_a_lead_whose_next_task_differs_hurries_the_round(few, small):
    """A lead that is read for another reason tells of another next task than the desk knows: tasks are read at once."""
    lead = free_lead(few)
    add(few, lead, 2_000_000_000)
    small.mirror.hint(leads=[lead])
    small.mirror.look_after()
    small.mirror.look_after()
    assert shown(small)[lead] == 2_000_000_000

"""The nightly round compares everything: it mends what no round by time can see, yields, and goes on after a stop."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm import walk
from desk.mirror import walks
from store import clock
from store.tables import leads, mirror_walks
from tests.desk.mirror.conftest import differences, hinted, mirror, round_of, settle


def patch(box, path, body):
    answer = box.session().request("PATCH", f"{box.url}/api/v4/{path}", json=body, timeout=60)
    assert answer.ok, answer.text


def set_back(box, lead_id, price):
    """A change that sets `updated_at` back, as imports make it."""
    now = box.entities("leads", lead_id)[0]["updated_at"]
    patch(box, f"leads/{lead_id}", {"price": price, "updated_at": now - 30 * 86_400})


def link_another(box, lead_id):
    """Make another contact the main one, which moves no `updated_at` of the lead; which contact."""
    linked = {link["to_id"] for link in box.entities("links") if link["from_id"] == lead_id}
    other = next(row["id"] for row in box.entities("contacts") if row["id"] not in linked and not row["is_deleted"])
    body = [{"to_entity_id": other, "to_entity_type": "contacts", "metadata": {"is_main": True}}]
    answer = box.session().post(f"{box.url}/api/v4/leads/{lead_id}/link", json=body, timeout=60)
    assert answer.ok, answer.text
    return other


def test_a_time_that_was_set_back_by_hook(few, small):
    """The hook names the lead, AmoCRM is asked, and its word counts although its time is older than ours."""
    lead_id = few.entities("leads", limit=1)[0]["id"]
    set_back(few, lead_id, 424_242)
    hinted(small, leads=[lead_id])
    assert differences(small, few) == {}


def test_what_no_round_sees_the_night_mends(few, small):
    """A time set back, another main contact, a contact that came back unseen: "Compare now" mends them all."""
    quiet = sorted((row for row in few.entities("leads") if not row["is_deleted"]), key=lambda row: row["updated_at"])
    one, two = (row["id"] for row in quiet[:2])
    set_back(few, one, 424_242)
    linked = link_another(few, two)
    others = [
        row for lead_id, row in mirror(small).items() if lead_id not in (one, two) and row["contact_id"] != linked
    ]
    three = next(row for row in others if row["contact_id"] and row["contact"])["contact_id"]
    with small.mirror.rows.keeping() as db:
        small.mirror.rows.bin_contacts(db, [three], small.mirror.version())
        db.execute(leads.update().where(leads.c.contact_id == three).values(contact_name="", phones="", phone=""))
    theirs = {row["id"] for row in few.entities("leads") if mirror(small).get(row["id"], {}).get("contact_id") == three}
    round_of(small)
    assert {one, two} <= set(differences(small, few)) <= {one, two} | theirs
    small.mirror.recount()
    assert small.mirror.status().comparing == 0
    small.mirror.look_after()
    settle(small)
    assert differences(small, few) == {}
    status = small.mirror.status()
    assert (status.comparing, status.compared) == (None, 60)
    assert status.compared_mended >= 3
    assert status.compared_at is not None


def test_as_many_missing_as_too_many(few, small):
    """The numbers are equal and the leads are not: what is too much goes, and the count after that finds what is missing."""
    lost = few.entities("leads", limit=1)[0]["id"]
    with small.store.write() as db:
        db.execute(leads.update().where(leads.c.id == lost).values(id=424_242))
    small.mirror.recount()
    small.mirror.look_after()
    settle(small)
    with small.store.write() as db:
        db.execute(mirror_walks.update().where(mirror_walks.c.name == "count").values(whole_at=None))
    small.mirror.look_after()
    assert differences(small, few) == {}


def test_it_goes_on_where_it_was_stopped(box, filled):
    """Stopped after its first list, it asks for no lead again, whatever hour it is then."""
    round_of(filled)
    filled.mirror.recount()
    filled.mirror.look_after()
    first = filled.mirror.walks.of(walks.NIGHT).cursor
    assert first["leads"] == 250
    since = box.last_seq()
    settle(filled)
    asked = [entry["query"] for entry in box.ledger("request", since=since) if entry["path"] == "/api/v4/leads"]
    assert len(asked) == 3  # 650 of 900 are left
    assert not any(f"={first['last']}&" in query for query in asked)
    assert filled.mirror.status().compared == 900


def test_hints_go_first(few, small):
    """Between two lists what people hint at is fetched."""
    small.mirror.recount()
    lead_id = few.entities("leads", limit=1)[0]["id"]
    few.edit("update", "leads", id=lead_id, fields={"price": 31_415})
    since = few.last_seq()
    hinted(small, leads=[lead_id])
    first = few.ledger("request", since=since)[0]
    assert str(lead_id) in first["query"]
    assert mirror(small)[lead_id]["price"] == 31_415


@pytest.mark.parametrize("name", [walks.COUNT, walks.NIGHT])
def test_a_desk_that_is_off_at_night(few, small, name):
    """What is due once a day is done when a day is over, whatever hour it is; and not again before the next."""
    small.mirror.recount()
    small.mirror.look_after()
    settle(small)
    before = small.mirror.walks.of(name).as_of
    hour = clock.now(small.settings.zone).hour
    nearly_a_day = timedelta(hours=14 if (hour + 20) % 24 in range(2, 7) else 20)  # and no hour of the night
    with clock.moved(nearly_a_day):
        small.mirror.look_after()
        assert small.mirror.walks.of(name).as_of == before or name == walks.NIGHT
    with clock.moved(nearly_a_day + timedelta(days=1)):
        for _ in range(4):
            small.mirror.look_after()
        settle(small)
        assert small.mirror.walks.of(name).as_of > before


def test_a_change_that_crosses_it(few, small, monkeypatch):
    """A lead that is changed and hinted at while the nightly round's question is out is not set back by its answer."""
    lead_id = few.entities("leads", limit=1)[0]["id"]
    plain, done = walk.by_ids, []

    def slow(client, kind, ids, **how):
        found = plain(client, kind, ids, **how)
        if kind is walk.LEADS and len(list(ids)) > 1 and not done:
            done.append(1)
            few.edit("update", "leads", id=lead_id, fields={"price": 27_182})
            hinted_now = plain(client, kind, [lead_id])
            small.mirror.keep(hinted_now, [], small.mirror.version())
        return found

    monkeypatch.setattr(walk, "by_ids", slow)
    small.mirror.recount()
    small.mirror.look_after()
    settle(small)
    small.mirror.look_after()
    assert done
    assert differences(small, few) == {}

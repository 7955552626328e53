"""An AmoCRM that brings little at once, or nothing of one kind: smaller pages, and what is missing is said."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from crm.errors import BrokenWord
from desk.mirror import walks
from store.tables import leads
from tests.desk.mirror.conftest import differences, fill, hinted, mirror, round_of, settle


def brings(desk, monkeypatch, most, *paths):
    """From now on AmoCRM answers 504 to a GET whose `limit` is greater than this. What was asked of it."""
    plain, asked = desk.client.get, []

    def get(path, operation, params=(), **rest):
        limit = int(dict(params).get("limit", 0))
        asked.append((path, limit, urlencode(params)))
        if limit > most and (not paths or path in paths):
            raise BrokenWord("server_error", status=504)
        return plain(path, operation, params, **rest)

    monkeypatch.setattr(desk.client, "get", get)
    return asked


@pytest.mark.parametrize("most", [50, 10, 1])
def test_everything_comes_in_whatever_size(few, store_url, tmp_path, monkeypatch, most):
    """The first reading, the rounds, the bin, the log, the count, the nightly round and a hint."""
    from tests.desk.mirror.conftest import unpace
    from tests.support.desks import KEY, desk_for

    with desk_for(few, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as desk:
        unpace(desk, monkeypatch)
        monkeypatch.setattr(desk.door, "_wait", lambda pause_s: None)
        brings(desk, monkeypatch, most)
        fill(desk)
        few.edit("random", count=40, seed=most)
        with desk.store.write() as db:
            lost = db.scalars(sa.select(leads.c.id).limit(2)).all()
            db.execute(leads.delete().where(leads.c.id.in_(lost)))
        round_of(desk)
        desk.mirror.recount()
        desk.mirror.look_after()
        settle(desk, 400)
        hinted(desk, leads=[row["id"] for row in few.entities("leads", limit=60)])
        assert differences(desk, few) == {}
        assert desk.mirror.status().failing == {}
        assert desk.mirror.status().shrunk["leads.list"] == most


def test_a_size_that_works_is_where_the_next_question_begins(box, filled, monkeypatch):
    """After one page was too much, the next ones are asked for in the size that worked, and a list of ids says how many they are."""
    round_of(filled)
    asked = brings(filled, monkeypatch, 50)
    ids = [row["id"] for row in box.entities("leads", limit=130)]
    hinted(filled, leads=ids)
    assert [limit for path, limit, _ in asked if path == "/api/v4/leads"] == [130, 50, 50, 30]
    asked.clear()
    hinted(filled, leads=ids[:60])
    assert [limit for path, limit, _ in asked if path == "/api/v4/leads"] == [50, 10]


def test_no_contact_comes_at_all(few, store_url, tmp_path, monkeypatch):
    """Contacts are answered with 504 in every size: leads come, rounds go on, and how many people are missing is said; then they come."""
    from tests.desk.mirror.conftest import unpace
    from tests.support.desks import KEY, desk_for

    with desk_for(few, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as desk:
        unpace(desk, monkeypatch)
        monkeypatch.setattr(desk.door, "_wait", lambda pause_s: None)
        few.fault("status", path="/api/v4/contacts", status=504, html=True)
        fill(desk)
        lead_id = few.entities("leads", limit=1)[0]["id"]
        few.edit("update", "leads", id=lead_id, fields={"price": 16_180})
        few.edit("delete", "leads", id=few.entities("leads", limit=2)[1]["id"])
        for name in (walks.LEADS, walks.CONTACTS, walks.BIN, walks.CONTACTS_BIN):
            round_of(desk, name)
        status = desk.mirror.status()
        assert status.state == "following"
        assert mirror(desk)[lead_id]["price"] == 16_180
        assert len(mirror(desk)) == 59
        assert status.contacts_missing > 40
        assert status.contacts_reason == "server_error"
        assert set(status.failing) <= {walks.CONTACTS, walks.CONTACTS_BIN}
        few.clear_faults()
        round_of(desk)
        assert differences(desk, few) == {}
        assert (desk.mirror.status().contacts_missing, desk.mirror.status().failing) == (0, {})


def test_an_address_that_is_too_long(few, small, monkeypatch):
    """AmoCRM's front end refuses a long list of ids: it is asked for in shorter ones."""
    plain = small.client.get

    def get(path, operation, params=(), **rest):
        if len(urlencode(params)) > 600:
            raise BrokenWord("unexpected_answer", status=414, retryable=False)
        return plain(path, operation, params, **rest)

    monkeypatch.setattr(small.client, "get", get)
    few.edit("random", count=30, seed=3)
    hinted(small, leads=[row["id"] for row in few.entities("leads")])
    assert differences(small, few) == {}


def test_somebody_looks_at_a_screen(few, small, monkeypatch):
    """The question for a caller is asked in a smaller size too, at once."""
    brings(small, monkeypatch, 10)
    monkeypatch.setattr(small.door, "_wait", lambda pause_s: None)
    phone = next(phone for row in mirror(small).values() for phone in row["phones"] if phone.startswith("+7"))
    asked = small.calls._inquiries._read(phone)
    assert asked is None or asked[0]
    assert small.client.sizes.shrunk()["contacts.search"] == 10

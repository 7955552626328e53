"""What AmoCRM does not bring is gone only when that is proved; what it shows again comes back."""

from __future__ import annotations

import json
from contextlib import nullcontext

import pytest
import sqlalchemy as sa

from crm import walk
from crm.errors import BrokenWord
from store.tables import contacts, hook_misses
from tests.desk.mirror.conftest import differences, hinted, mirror, round_of, settle

BY_ID = "filter%5Bid%5D"


def whole(box, kind="leads"):
    """A list of everything, as AmoCRM answers where it does not know a filter."""
    told = box.session().get(f"{box.url}/api/v4/{kind}", params={"limit": 250, "with": "contacts"}, timeout=60)
    return told.text


WRONG = {
    "everything instead": lambda box: {"action": "status", "status": 200, "body": whole(box)},
    "nothing": lambda box: {"action": "status", "status": 200, "body": json.dumps({"_embedded": {"leads": []}})},
    "no content": lambda box: {"action": "status", "status": 204},
    "an empty 200": lambda box: {"action": "empty_200"},
    "a page of the way": lambda box: {"action": "status", "status": 404, "html": True},
    "another shape": lambda box: {"action": "garbage", "kind": "wrong_shape"},
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("times", [1, 2])
def test_a_wrong_answer_about_an_id_throws_nothing_away(few, small, wrong, times):
    """Once or twice in a row AmoCRM answers the question for one lead with something else: the lead stays."""
    lead_id = few.entities("leads", limit=1)[0]["id"]
    rule = WRONG[wrong](few)
    few.fault(rule.pop("action"), path="/api/v4/leads", query_contains=BY_ID, times=times, **rule)
    hinted(small, leads=[lead_id])
    assert lead_id in mirror(small)
    for _ in range(3):
        small.mirror._fetch_again_at = 0.0
        hinted(small, leads=[lead_id])
    assert differences(small, few) == {}


@pytest.mark.parametrize("kind", ["leads", "contacts"])
def test_a_bin_that_is_none(few, small, kind):
    """AmoCRM does not know the word for the bin and lists everything: nothing is thrown away."""
    few.fault("status", path=f"/api/v4/{kind}", query_contains="only_deleted", status=200, body=whole(few, kind))
    round_of(small)
    assert differences(small, few) == {}


def test_a_bin_that_is_none_and_an_answer_that_is_empty(few, small):
    """Both at once, for the leads the bin seems to hold: each lead is looked for by its own address."""
    body = json.loads(whole(few))
    body["_embedded"]["leads"] = body["_embedded"]["leads"][:3]
    few.fault("status", path="/api/v4/leads", query_contains="only_deleted&filter%5Bupdated_at", status=200, body=json.dumps(body))  # fmt: skip
    few.fault("status", path="/api/v4/leads", query_contains=f"with=contacts&{BY_ID}", status=204)
    hinted(small, leads=[lead["id"] for lead in body["_embedded"]["leads"]])
    assert differences(small, few) == {}


@pytest.mark.parametrize("missing", [204, 404])
def test_what_is_gone_is_gone(few, small, missing):
    """By a hook for one, for many, and without the bin: what AmoCRM says twice is believed."""
    few.config(missing_single=missing)
    some = [row["id"] for row in few.entities("leads", limit=14)]
    for lead_id in some:
        few.edit("delete", "leads", id=lead_id)
    few.fault("status", path="/api/v4/leads", query_contains="only_deleted", status=204)  # gone from the bin as well
    hinted(small, leads=some[:1])
    assert len(mirror(small)) == 59
    hinted(small, leads=some)
    assert differences(small, few) == {}


def test_a_deletion_costs_two_requests(few, small):
    """By id, and the bin by id."""
    lead_id = few.entities("leads", limit=1)[0]["id"]
    few.edit("delete", "leads", id=lead_id)
    since = few.last_seq()
    hinted(small, leads=[lead_id])
    assert len(few.ledger("request", since=since)) == 2
    assert lead_id not in mirror(small)


@pytest.mark.parametrize("how", ["hook", "round", "night"])
def test_what_was_called_gone_comes_back(few, small, how):
    """A lead that is deleted here and that AmoCRM shows: by a hook, by the round after its restore, by the night at the latest."""
    lead_id = few.entities("leads", limit=1)[0]["id"]
    if how == "round":
        few.edit("delete", "leads", id=lead_id)
        hinted(small, leads=[lead_id])
        few.edit("restore", "leads", id=lead_id)
    else:
        with small.mirror.rows.keeping() as db:
            small.mirror.rows.bin_leads(db, [lead_id], small.mirror.rows.version())
    assert lead_id not in mirror(small)
    if how == "hook":
        hinted(small, leads=[lead_id])
    elif how == "round":
        round_of(small)
    else:
        small.mirror.recount()
        small.mirror.look_after()
        settle(small)
    assert differences(small, few) == {}


def test_an_old_answer_does_not_bring_back_what_was_thrown_away(few, small):
    """Two questions at once: the one that left first comes last, and knows nothing of the deletion."""
    lead_id = few.entities("leads", limit=1)[0]["id"]
    asked = small.mirror.version()
    before = walk.by_ids(small.client, walk.LEADS, [lead_id])
    few.edit("delete", "leads", id=lead_id)
    hinted(small, leads=[lead_id])
    small.mirror.keep(before, [], asked)
    assert lead_id not in mirror(small)
    small.mirror.look_after()
    assert differences(small, few) == {}


def test_an_old_answer_does_not_undo_a_newer_one(few, small):
    """The same for a change, also where nobody knows when the answer was asked for: AmoCRM is asked again."""
    lead_id = few.entities("leads", limit=1)[0]["id"]
    for asked in (small.mirror.version(), None):
        before = walk.by_ids(small.client, walk.LEADS, [lead_id])
        few.edit("update", "leads", id=lead_id, fields={"price": 11_000 if asked else 12_000})
        hinted(small, leads=[lead_id])
        small.mirror.keep(before, [], asked)
        assert differences(small, few) == {}
        small.mirror.look_after()
        assert differences(small, few) == {}


def test_a_contact_that_did_not_come_once(few, small):
    """A contact hinted at is answered with nothing, once: name and phone stay; one that is gone leaves its leads."""
    lead = next(row for row in mirror(small).values() if row["contact_id"])
    person = lead["contact_id"]
    few.fault("status", path="/api/v4/contacts", query_contains=BY_ID, times=1, status=204)
    hinted(small, contacts=[person])
    assert differences(small, few) == {}
    few.edit("delete", "contacts", id=person)
    hinted(small, contacts=[person])
    assert differences(small, few) == {}


def test_somebody_nobody_has_is_asked_for_once(few, small):
    """A contact a lead names and AmoCRM has not: noted as gone, and not asked for with every round."""
    with small.store.write() as db:
        some = list(db.scalars(sa.select(contacts.c.id).limit(1)))
        db.execute(contacts.delete().where(contacts.c.id.in_(some)))
    few.edit("delete", "contacts", id=some[0])
    hinted(small, contacts=some)
    since = few.last_seq()
    round_of(small)
    asked = [one for one in few.ledger("request", since=since) if one["path"] == "/api/v4/contacts" and BY_ID in one["query"]]  # fmt: skip
    assert asked == []


def test_more_than_was_asked_for_is_an_error(few, small):
    """A list with other ids in it is no answer to a question for some."""
    few.fault("status", path="/api/v4/leads", query_contains=BY_ID, status=200, body=whole(few))
    with pytest.raises(BrokenWord) as raised:
        walk.by_ids(small.client, walk.LEADS, [few.entities("leads", limit=1)[0]["id"]])
    assert raised.value.code == "filter_ignored"


def test_lost_hooks_of_every_kind_are_counted(few, small):
    """With webhooks on, a deletion, a changed and a deleted contact that no hook told are misses like a changed lead."""
    small.mirror.listen(lambda: nullcontext({}), lambda: True)
    changed, deleted = (row["id"] for row in few.entities("leads", limit=2))
    people = [row["id"] for row in few.entities("contacts", limit=2)]
    few.edit("update", "leads", id=changed, fields={"price": 1})
    few.edit("delete", "leads", id=deleted)
    few.edit("update", "contacts", id=people[0], fields={"name": "Другая"})
    few.edit("delete", "contacts", id=people[1])
    round_of(small)
    with small.store.read() as db:
        told = {tuple(row) for row in db.execute(sa.select(hook_misses.c.entity, hook_misses.c.entity_id))}
    assert {("leads", changed), ("leads", deleted), ("contacts", people[0]), ("contacts", people[1])} <= told
    round_of(small)
    with small.store.read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(hook_misses)) == len(told)


def test_a_first_reading_that_cannot_begin(box, desk):
    """Stages do not come, so nothing is read: that is told as a failure with its reason, and not as "begins by itself"."""
    box.fault("status", path="/api/v4/leads/pipelines*", status=403)
    desk.mirror.look_after()
    status = desk.mirror.status()
    assert (status.state, status.reason) == ("failed", "rights_missing")
    assert status.next_try is not None

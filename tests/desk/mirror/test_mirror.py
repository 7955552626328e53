"""The mirror equals AmoCRM: after the fill, after edits, deletions, restores, stops and lies."""

from __future__ import annotations

import json
import random
from collections import Counter
from contextlib import nullcontext
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from crm.errors import BrokenWord
from crm.walk import LEADS
from desk import phones
from desk.listing import Filter, Sort
from desk.mirror import collections, walks
from desk.mirror import count as count_room
from desk.mirror import fill as fill_room
from desk.mirror.mirror import CHOSEN_FIELDS
from store.tables import contacts, hook_misses, known_phones, leads, stage_changes
from tests.desk.mirror.conftest import differences, fill, mirror, round_of


def test_the_first_fill(box, desk):
    """Every lead with its contact's name and phones, its fields and stage; as many requests as pages and batches need."""
    desk.mirror._follow.reference()
    since = box.last_seq()
    fill(desk)
    assert differences(desk, box) == {}
    paths = [entry["path"] for entry in box.ledger("request", since=since)]
    assert paths.count("/api/v4/contacts") <= 6
    assert desk.mirror.status().read == 900


def test_a_fill_that_is_stopped_goes_on_where_it_was(box, desk, monkeypatch):
    """Stopped in the middle, it asks for no page again that is kept, and ends with everything."""
    monkeypatch.setattr(fill_room, "AT_FIRST", 1)
    monkeypatch.setattr(fill_room, "SPARE", 0)
    desk.mirror._follow.reference()
    asked = []
    desk.mirror._fill.run(lambda: len(asked) < 3 and not asked.append(1))
    before = desk.mirror.status()
    assert before.state == "filling"
    assert 0 < before.read < 900
    since = box.last_seq()
    fill(desk)
    assert differences(desk, box) == {}
    pages = [entry["query"] for entry in box.ledger("request", since=since) if entry["path"] == "/api/v4/leads"]
    assert not any("page=1&" in query and "order%5Bid%5D" in query for query in pages)


def test_what_is_made_while_filling_is_here_too(box, desk):
    """New leads shift the pages; none is lost, none is twice."""
    desk.mirror._follow.reference()
    rounds = []

    def go_on():
        rounds.append(1)
        if len(rounds) in (2, 3, 4):
            box.edit("random", count=5, seed=len(rounds))
        return True

    desk.mirror._fill.run(go_on)
    round_of(desk)
    assert differences(desk, box) == {}


def test_what_is_thrown_away_while_filling_costs_nobody_a_lead(box, desk):
    """A deletion shifts the pages the other way, and one lead may slip through: the count notices and mends it."""
    desk.mirror._follow.reference()
    rounds = []

    def go_on():
        rounds.append(1)
        if len(rounds) == 3:
            for row in box.entities("leads", limit=4):
                box.edit("delete", "leads", id=row["id"])
        return True

    desk.mirror._fill.run(go_on)
    round_of(desk)
    desk.mirror.look_after()
    assert differences(desk, box) == {}
    assert desk.mirror.status().theirs is not None


@pytest.mark.parametrize("seed", range(4))
def test_random_edits_are_followed(box, filled, seed):
    """Whatever people do at AmoCRM's screen, one round later the mirror equals it."""
    box.edit("random", count=60, seed=seed)
    round_of(filled)
    assert differences(filled, box) == {}


def test_deletions_and_restores(box, filled):
    """Thrown away leads and contacts vanish with the next look into the bin; restored ones come back."""
    rows = box.entities("leads", limit=6)
    person = next(link["to_id"] for link in box.entities("links") if link["to_type"] == "contacts")
    for row in rows:
        box.edit("delete", "leads", id=row["id"])
    box.edit("delete", "contacts", id=person)
    round_of(filled)
    assert differences(filled, box) == {}
    for row in rows[:3]:
        box.edit("restore", "leads", id=row["id"])
    box.edit("restore", "contacts", id=person)
    round_of(filled)
    assert differences(filled, box) == {}


def test_ten_changes_cost_two_requests(box, filled):
    """Ten leads changed: one request finds them, one looks at the contacts."""
    round_of(filled)
    rng = random.Random(1)
    for row in rng.sample(box.entities("leads"), 10):
        box.edit("update", "leads", id=row["id"], fields={"price": rng.randrange(90_000)})
    since = box.last_seq()
    round_of(filled, walks.LEADS, walks.CONTACTS)
    assert len(box.ledger("request", since=since)) == 2
    assert differences(filled, box) == {}


def test_a_hint_is_fetched(box, filled):
    """Somebody says that a lead changed: that one is read, and its new contact with it."""
    row = box.entities("leads", limit=1)[0]
    box.edit("update", "leads", id=row["id"], fields={"name": "Подсказанный"})
    round_of(filled, walks.EVENTS)
    since = box.last_seq()
    filled.mirror.hint(leads=[row["id"]])
    filled.mirror.look_after()
    assert mirror(filled)[row["id"]]["name"] == "Подсказанный"
    assert len(box.ledger("request", since=since)) == 1


def test_a_hint_at_what_is_gone(box, filled):
    """A lead that is not in the normal list any more is not shown any more."""
    row = box.entities("leads", limit=1)[0]
    box.edit("delete", "leads", id=row["id"])
    filled.mirror.hint(leads=[row["id"], 999_999_999])
    filled.mirror.look_after()
    assert differences(filled, box) == {}


def test_stage_history(box, filled):
    """Every move is kept once, with AmoCRM's own time, whether it was seen by comparing or told by AmoCRM's log."""
    row = next(row for row in box.entities("leads") if row["status_id"] == 60456934)
    for status in (60456938, 60456942):
        box.edit("move", "leads", id=row["id"], status_id=status)
    round_of(filled)
    round_of(filled)
    with filled.store.read() as db:
        moves = db.execute(
            sa.select(stage_changes.c.to_status_id)
            .where(stage_changes.c.lead_id == row["id"])
            .order_by(stage_changes.c.at, stage_changes.c.id)
        ).scalars()
        assert list(moves)[-2:] == [60456938, 60456942]
        told = db.execute(sa.select(sa.func.count(), sa.func.count(sa.distinct(stage_changes.c.event_id)))).one()
    events = [event for event in box.entities("events") if event["type"] == "lead_status_changed"]
    assert told == (len(events), len(events))


def test_the_count_finds_what_is_missing_and_what_is_too_much(box, filled):
    """Three leads lost here and two that AmoCRM does not have: the counts differ, the stretches are read anew."""
    lost = [row["id"] for row in random.Random(2).sample(box.entities("leads"), 3)]
    with filled.store.write() as db:
        db.execute(leads.delete().where(leads.c.id.in_(lost)))
    result = filled.mirror.count_now()
    assert result["theirs"] == 900
    assert result["ours"] == 897
    assert result["mended"] == 3
    assert differences(filled, box) == {}
    since = box.last_seq()
    assert filled.mirror.count_now()["mended"] == 0
    stages = {(row["pipeline_id"], row["id"]) for row in box.entities("statuses")}
    assert len(box.ledger("request", since=since)) == 1 + len(stages)


def test_the_count_is_of_each_stage(box, filled):
    """A lead in another stage here than there: the totals are equal, two stages differ, are told and mended."""
    moved = min((row for row in box.entities("leads") if not row["is_deleted"]), key=lambda row: row["updated_at"])
    before = (moved["pipeline_id"], moved["status_id"])
    with filled.store.write() as db:
        db.execute(leads.update().where(leads.c.id == moved["id"]).values(status_id=143 if before[1] != 143 else 142))
    there = Counter((row["pipeline_id"], row["status_id"]) for row in box.entities("leads") if not row["is_deleted"])
    after = (before[0], 143 if before[1] != 143 else 142)
    result = filled.mirror.count_now()
    assert result["theirs"] == result["ours"] == 900
    first, *others = result["stages"]
    assert [*others] == []  # mending the first has mended the other
    assert tuple(first[:2]) in (before, after)
    assert first[2] == there[tuple(first[:2])] == first[3] + (1 if tuple(first[:2]) == before else -1)
    assert differences(filled, box) == {}
    assert filled.mirror.status().stages == (tuple(first),)
    assert filled.mirror.count_now()["stages"] == []


def test_an_amocrm_that_does_not_count_by_stage(box, filled, monkeypatch):
    """One that does not understand the filter has counted all leads; that stages could not be compared is told."""
    monkeypatch.setattr("crm.leads.in_stage", lambda stage: [])
    result = filled.mirror.count_now()
    assert (result["theirs"], result["ours"], result["stages_reason"]) == (900, 900, "filter_ignored")
    assert filled.mirror.status().stages_reason == "filter_ignored"
    assert filled.mirror.status().theirs == 900


def test_the_count_throws_away_nothing_that_is_there(box, filled, monkeypatch):
    """A stretch is read anew, and a lead slips through between two of its pages: it is looked for before it is taken for gone."""
    plain = count_room.created_between
    lost, slipped = random.Random(4).sample(sorted(mirror(filled)), 2)
    with filled.store.write() as db:
        db.execute(leads.delete().where(leads.c.id == lost))
    monkeypatch.setattr(
        count_room,
        "created_between",
        lambda *about, **how: [[one for one in page if one["id"] != slipped] for page in plain(*about, **how)],
    )
    monkeypatch.setattr(count_room, "DEEPEST", 0)
    filled.mirror.count_now()
    assert differences(filled, box) == {}


def test_somebody_asks_for_the_count(box, filled):
    """By day, long before its night: the keeper counts at its next look, and both numbers are in the status."""
    round_of(filled)
    filled.mirror.count_now()
    since = box.last_seq()
    filled.mirror.recount()
    assert box.ledger("request", since=since) == []
    assert filled.mirror.status().counted_at is None
    filled.mirror.look_after()
    status = filled.mirror.status()
    assert (status.theirs, status.ours, status.mended) == (900, 900, 0)
    assert status.counted_at is not None


def test_a_page_that_is_too_much_is_asked_for_in_smaller_ones(box, desk):
    """AmoCRM answers 504 to pages of 250 leads: fifty at a time it works, and nothing is missing."""
    box.fault("status", path="/api/v4/leads", query_contains="limit=250", status=504, html=True)
    desk.mirror._follow.reference()
    desk.mirror._fill.run(lambda: True)
    box.clear_faults()
    round_of(desk)
    assert differences(desk, box) == {}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v4/leads", "updated_at%5D%5Bfrom%5D="),
        ("/api/v4/contacts", "updated_at%5D%5Bfrom%5D="),
        ("/api/v4/contacts", "filter%5Bid%5D"),
        ("/api/v4/events", "filter%5Btype%5D"),
        ("/api/v4/leads", "filter%5Bcreated_at%5D"),
    ],
)
def test_no_reading_asks_for_more_than_amocrm_brings(box, desk, monkeypatch, path, query):
    """Whatever AmoCRM cannot bring by 250 comes in smaller pages, in the first reading and in every round after it."""
    plain = desk.client.get

    def slow(asked_path, operation, params=(), **rest):
        ids = sum(name == "filter[id][]" for name, _ in params)
        if asked_path == path and query in urlencode(params) and (ids or dict(params)["limit"]) > 50:
            raise BrokenWord("server_error", status=504)
        return plain(asked_path, operation, params, **rest)

    monkeypatch.setattr(desk.client, "get", slow)
    fill(desk)
    box.edit("random", count=200, seed=5)
    lost = box.entities("leads", limit=2)
    with desk.store.write() as db:
        db.execute(leads.delete().where(leads.c.id.in_([row["id"] for row in lost])))
    round_of(desk)
    desk.mirror.count_now()
    assert {name: walk.reason for name, walk in desk.mirror.walks.all().items() if walk.reason} == {}
    assert differences(desk, box) == {}


def test_a_count_of_pages_without_an_end_ends(box, filled, monkeypatch):
    """AmoCRM that does not know `page` always has one more: the count gives up."""
    plain = filled.client.get

    def first_page(path, operation, params=(), **rest):
        return plain(path, operation, [pair for pair in params if pair[0] != "page"], **rest)

    monkeypatch.setattr(filled.client, "get", first_page)
    with pytest.raises(BrokenWord) as raised:
        filled.mirror.count_now()
    assert raised.value.code == "same_page"


def test_an_ignored_filter_is_not_believed(box, filled):
    """AmoCRM that does not know the filter answers with everything: an error, never wrong numbers."""
    whole = box.session().get(f"{box.url}/api/v4/leads", params={"limit": 250, "with": "contacts"}, timeout=60).text
    box.fault("status", path="/api/v4/leads", query_contains="filter%5Bupdated_at%5D", status=200, body=whole)
    with pytest.raises(BrokenWord) as raised:
        list(collections.changed_since(filled.client, LEADS, 2_000_000_000))
    assert raised.value.code == "filter_ignored"


def test_pages_that_are_all_the_same_are_not_read_for_ever(box, desk):
    """AmoCRM that does not know `page` answers with the first one each time."""
    desk.mirror._follow.reference()
    whole = box.session().get(f"{box.url}/api/v4/leads", params={"limit": 250, "with": "contacts"}, timeout=60).text
    box.fault("status", path="/api/v4/leads", query_contains="order%5Bid%5D", status=200, body=whole)
    with pytest.raises(BrokenWord) as raised:
        desk.mirror._fill.run(lambda: True)
    assert raised.value.code == "same_page"


def test_another_order_than_asked_for_is_read_all_the_same(box, desk, monkeypatch):
    """Pages that come in AmoCRM's own order may shift either way: everything is read, and counted at once."""
    plain = desk.client.get

    def without_order(path, operation, params=(), **rest):
        return plain(path, operation, [pair for pair in params if not pair[0].startswith("order")], **rest)

    monkeypatch.setattr(desk.client, "get", without_order)
    fill(desk)
    round_of(desk)
    box.edit("random", count=30, seed=3)
    round_of(desk)
    assert differences(desk, box) == {}
    assert desk.mirror.status().theirs is not None


def listed(box):
    """A lead as AmoCRM's list has it."""
    answer = box.session().get(f"{box.url}/api/v4/leads", params={"limit": 1, "with": "contacts"}, timeout=60)
    return answer.json()["_embedded"]["leads"][0]


def told_instead(box, query, lead):
    """From now on AmoCRM answers lists of leads that are asked for with `query` by this one."""
    body = json.dumps({"_embedded": {"leads": [lead]}})
    box.fault("status", path="/api/v4/leads", query_contains=query, status=200, body=body)


def test_another_spelling_of_numbers_is_the_same_lead(box, filled):
    """Ids, times and money as texts, and nothing of a name: a lead like any other, thrown away by nobody."""
    names = ("id", "updated_at", "created_at", "closed_at", "pipeline_id", "status_id", "responsible_user_id")
    row, before = listed(box), mirror(filled)
    spelled = {name: str(row[name]) if row[name] is not None else None for name in names}
    told_instead(box, "filter%5Bid%5D", row | spelled | {"price": "54321.00", "name": None})
    filled.mirror.hint(leads=[row["id"]])
    filled.mirror.look_after()
    after = mirror(filled)
    assert after.keys() == before.keys()
    assert after[row["id"]] == before[row["id"]] | {"price": 54321, "name": ""}


def test_a_lead_no_database_would_keep(box, filled):
    """Half an emoji, a zero byte, a price beyond all numbers, a task for ever, contacts that are none: kept as well as it goes."""
    odd = {
        "name": "Анна \ud83d",
        "price": 10**30,
        "closest_task_at": 2**50,
        "closed_at": "вчера",
        "loss_reason_id": {"id": 1},
        "custom_fields_values": [{"field_id": 264915, "values": [{"value": "са\x00йт\udc00"}]}],
        "_embedded": {"contacts": [None, {}, {"id": None}]},
    }
    lead_id = (row := listed(box))["id"]
    told_instead(box, "filter%5Bid%5D", row | odd)
    filled.mirror.hint(leads=[lead_id])
    filled.mirror.look_after()
    kept = mirror(filled)[lead_id]
    assert (kept["name"], kept["source"], kept["price"], kept["closed"]) == ("Анна \ufffd", "сайт\ufffd", 0, None)
    with filled.store.read() as db:
        task_at = db.scalar(sa.select(leads.c.closest_task_at).where(leads.c.id == lead_id))
    assert task_at is None or task_at < 2**40  # its tasks are AmoCRM's tasks, and not its own word for them
    assert filled.listing.page(Filter(), Sort("task", True), limit=1).rows


def test_whatever_breaks_a_round_is_told_and_tried_later(box, filled, monkeypatch):
    """An error nobody thought of stops neither the other rounds nor the reading of what is hinted at."""
    lead_id = box.entities("leads", limit=1)[0]["id"]
    box.edit("update", "leads", id=lead_id, fields={"price": 33_333})
    monkeypatch.setattr(filled.mirror._follow, "reference", lambda: 1 / 0)
    filled.mirror.hint(leads=[lead_id])
    round_of(filled)
    filled.mirror.look_after()
    assert mirror(filled)[lead_id]["price"] == 33_333
    assert filled.mirror.walks.of(walks.REFERENCE).reason == "desk_failed"


def test_every_round_is_told_and_no_value_is(box, filled, monkeypatch, caplog):
    """Whoever listens hears of each reading and of what it broke off with; the log names places in the code and no value."""
    heard = []
    filled.mirror._told = lambda name, error: heard.append((name, type(error).__name__ if error else None))

    def stumble():
        raise ValueError("+79161234567 Анна")

    monkeypatch.setattr(filled.mirror._follow, "contacts", stumble)
    round_of(filled)
    box.fault("status", path="/api/v4/events", status=503)
    monkeypatch.setattr(filled.door, "_wait", lambda pause_s: None)
    round_of(filled, walks.EVENTS)
    assert {("mirror.leads", None), ("mirror.contacts", "ValueError"), ("mirror.events", "BrokenWord")} <= set(heard)
    status = filled.mirror.status()
    assert status.failing == {walks.CONTACTS: "desk_failed", walks.EVENTS: "server_error"}
    assert walks.LEADS in status.succeeded
    assert "test_mirror.py" in caplog.text
    assert "stumble" in caplog.text
    assert "7916" not in caplog.text
    assert "Анна" not in caplog.text


def test_a_block_is_not_made_worse_by_hints(box, filled):
    """What is hinted at while AmoCRM lets nobody in is asked for again and again, but ever more seldom, and then is there."""
    lead_id = box.entities("leads", limit=1)[0]["id"]
    box.edit("update", "leads", id=lead_id, fields={"price": 44_444})
    round_of(filled, walks.REFERENCE)
    box.fault("status", path="/api/v4/*", status=403, html=True)
    filled.mirror.hint(leads=[lead_id])
    since = box.last_seq()
    filled.mirror.look_after()
    first = filled.mirror._fetch_again_at
    filled.mirror._fetch_again_at = first + 600  # however slow this machine is, it is not due before
    for _ in range(20):
        filled.mirror.look_after()
    assert len(box.ledger("request", since=since)) == 1
    filled.mirror._fetch_again_at = 0.0
    filled.mirror.look_after()
    assert filled.mirror._fetch_again_at > first
    box.clear_faults()
    filled.mirror._fetch_again_at = 0.0
    filled.mirror.look_after()
    assert mirror(filled)[lead_id]["price"] == 44_444


def test_a_failed_round_shows_old_numbers_with_their_time(box, filled):
    """AmoCRM is down: what is here stays, says as of when, and why there is nothing newer; then it goes on by itself."""
    before = mirror(filled)
    box.fault("status", path="/api/v4/*", status=503)
    box.edit("random", count=10, seed=9)
    round_of(filled, walks.LEADS)
    status = filled.mirror.status()
    assert mirror(filled) == before
    assert status.reason == "server_error"
    assert status.as_of is not None
    box.clear_faults()
    round_of(filled)
    assert differences(filled, box) == {}
    assert filled.mirror.status().reason is None


def test_another_field_means_other_values_without_reading(box, filled):
    """A new choice on the fields page shows in every lead at once; AmoCRM is not asked."""
    round_of(filled)
    other = next(field for field in filled.fields.known("leads") if field.type == "textarea")
    filled.fields.choose("direction", other.id)
    since = box.last_seq()
    filled.mirror.look_after()
    assert box.ledger("request", since=since) == []
    told = {row["direction"] for row in mirror(filled).values()}
    wanted = {
        row["custom_fields"].get(str(other.id), [{"value": ""}])[0]["value"]
        for row in box.entities("leads")
        if row["custom_fields"]
    } | {""}
    assert told <= wanted


def test_another_account_starts_anew(box, filled):
    """What was read of one account is not shown for another."""
    from desk.mirror.mirror import ACCOUNT

    filled.store.remember(ACCOUNT, "1")
    filled.mirror._recognise_account()
    assert mirror(filled) == {}
    assert filled.mirror.status().state == "empty"
    fill(filled)
    assert differences(filled, box) == {}


def test_the_phonebook_is_filled_too(box, filled):
    """Whose phone it is, is known for every contact that has one."""
    with filled.store.read() as db:
        people = db.scalar(sa.select(sa.func.count()).select_from(contacts))
        with_phone = db.scalar(sa.select(sa.func.count(sa.distinct(known_phones.c.contact_id))))
    assert people > 500
    assert with_phone > 0.9 * people


def test_phones_among_words_are_found(box, filled):
    """A contact is known by every number its field holds, whatever stands around them; by a number that cannot exist by none."""
    rows = [
        (9001, "8 (916) 100-16-01 Мария"), (9002, "+7 916 100-16-02, 8 903 100-16-02"), (9003, "тел. 8-916-100-16-03"),
        (9004, "89161001604 (моб.)"), (9005, "89161001605;89031001605"), (9006, "+7 916 100-16-0"), (9007, "89161001606 доб. 12"),
    ]  # fmt: skip
    people = [
        {"id": one, "name": "Имя", "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": said}]}], "updated_at": 1}
        for one, said in rows
    ]  # fmt: skip
    filled.mirror.keep([], people)
    known = {
        "+79161001601": 9001, "8 916 100-16-02": 9002, "8 903 100 16 02": 9002, "79161001603": 9003, "9161001604": 9004, "89161001605": 9005,
        "8 (903) 100-16-05 Пётр": 9005, "8 916 100-16-06": 9007,
    }  # fmt: skip
    for typed, contact_id in known.items():
        assert contact_id in {row[0] for row in _holders(filled, typed)}, typed
    assert _holders(filled, "+7 916 100-16-0") == []


def test_a_copy_read_by_a_former_reader_is_read_again(box, filled):
    """After an update those are found whose numbers were not understood before, without a request."""
    with filled.store.write() as db:
        told = ["8 (916) 100-16-01 Мария", "+79160000000"]
        row = {"id": 9001, "name": "Мария", "phones": json.dumps(told), "responsible_user_id": 1, "updated_at": 5}
        db.execute(contacts.insert().values(**row, is_deleted=False))
    filled.store.remember(CHOSEN_FIELDS, "as an older desk wrote it")
    since = box.last_seq()
    filled.mirror._recognise_account()
    assert box.ledger("request", since=since) == []
    assert [row[0] for row in _holders(filled, "89161001601")] == [9001]
    with filled.store.read() as db:
        assert json.loads(db.scalar(sa.select(contacts.c.phones).where(contacts.c.id == 9001))) == [
            "+79161001601",
            "+79160000000",
        ]


def _holders(desk, typed):
    wanted = sa.select(known_phones.c.contact_id).where(known_phones.c.phone.in_(phones.all_of(typed)))
    with desk.store.read() as db:
        return db.execute(wanted).all()


def test_one_process_keeps_the_mirror(box, filled, store_url, tmp_path):
    """Two desks on one database: one reads, the other shows what is there; when the first ends the second goes on."""
    from desk.mirror.walks import Walks
    from store.tables import mirror_walks

    with filled.store.write() as db:
        db.execute(mirror_walks.update().where(mirror_walks.c.name == "keeper").values(lease_owner="elsewhere|1|1"))
    other = Walks(filled.store)
    assert not other.keep()
    with filled.store.write() as db:
        db.execute(mirror_walks.update().where(mirror_walks.c.name == "keeper").values(lease_until=0.0))
    assert other.keep()


def test_a_hint_to_another_process_hurries_the_keeper(box, filled):
    """The process that delivered a lead need not be the one that keeps the mirror."""
    from desk.mirror import Mirror

    round_of(filled)
    row = box.entities("leads", limit=1)[0]
    box.edit("update", "leads", id=row["id"], fields={"name": "Из другого процесса"})
    assert walks.LEADS not in filled.mirror.walks.due()
    Mirror(filled.store, filled.client, filled.connection, filled.fields, filled.settings).hint(leads=[row["id"]])
    assert walks.LEADS in filled.mirror.walks.due()
    filled.mirror.look_after()
    with filled.store.read() as db:
        assert db.scalar(sa.select(leads.c.name).where(leads.c.id == row["id"])) == "Из другого процесса"


def test_what_no_hook_told_is_counted(box, filled):
    """With webhooks on, a change that only a round has found is a miss; one that was hinted at is none."""
    filled.mirror.listen(lambda: nullcontext({}), lambda: True)
    told, untold = [row["id"] for row in box.entities("leads", limit=2)]
    for lead_id in (told, untold):
        box.edit("update", "leads", id=lead_id, fields={"price": 77_000})
    filled.mirror._hinted[("leads", told)] = float("inf")
    round_of(filled)
    with filled.store.read() as db:
        assert list(db.scalars(sa.select(hook_misses.c.entity_id))) == [untold]

"""From a change at AmoCRM's screen to the desk's mirror, over real sockets, with hooks that are lost, doubled, late and false."""

from __future__ import annotations

import signal

import pytest
import requests
import sqlalchemy as sa

from desk.lead import NewLead
from sandbox import brackets
from store.tables import hooks
from tests.desk.mirror.conftest import fill, mirror, truth
from tests.desk.webhooks.conftest import called, no_rounds
from tests.support.programs import until
from tests.support.workers import Worker


def arrived(box, since):
    return [entry for entry in box.ledger("hook", since=since) if entry["outcome"] == "delivered"]


def is_equal(desk, box):
    return mirror(desk) == truth(box)


def post(desk, body, secret=None):
    address = desk.webhooks._addresses.current()[1]
    return requests.post(address if secret is None else f"{address.rpartition('/')[0]}/{secret}", data=body, timeout=60)


def test_a_change_is_here_by_its_hook_alone(box, live):
    """Changed, moved, made, thrown away, restored, and a contact renamed: each without any round.

    How long it takes is measured by `benchmarks.hooks`: here the machine may be busy.
    """
    lead, other = (row["id"] for row in box.entities("leads", limit=2))
    person = next(link["to_id"] for link in box.entities("links") if link["from_id"] == lead and link["is_main"])
    edits = [
        lambda: box.edit("update", "leads", id=lead, fields={"price": 77_001}),
        lambda: box.edit("move", "leads", id=lead, status_id=142),
        lambda: box.edit("create", "leads", fields={"name": "Новый"}),
        lambda: box.edit("delete", "leads", id=other),
        lambda: box.edit("restore", "leads", id=other),
        lambda: box.edit("update", "contacts", id=person, fields={"name": "Переименована"}),
    ]
    for edit in edits:
        edit()
        until(lambda: is_equal(live, box), "the mirror to know")
    report = live.webhooks.report()
    assert (report.state, report.missed, report.bad) == ("on", 0, 0)
    assert report.lag.own is not None


def test_a_task_is_here_by_its_hook_alone(box, live):
    """Made, put off, done, and deleted, each without any round: the lead's next task follows."""
    until(lambda: not box.count("deliveries"), "earlier hooks")
    live.mirror.walks.hurry("tasks")  # all open tasks once
    live.mirror.wake()
    until(lambda: live.mirror.walks.of("tasks").is_whole, "the open tasks")
    no_rounds(live)
    lead = next(row["id"] for row in box.entities("leads") if not row["is_deleted"] and row["closest_task_at"] is None)

    def next_task():
        return live.listing.card(lead).closest_task_at

    def ask(method, path, data):
        answer = box.session().request(method, f"{box.url}/api/v4/{path}", json=data, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    task = {"text": "x", "complete_till": 2_000_000_000, "entity_type": "leads", "entity_id": lead}
    ids = [ask("POST", "tasks", [task])["_embedded"]["tasks"][0]["id"] for _ in range(2)]
    until(lambda: next_task() == 2_000_000_000, "the task to be here")
    ask("PATCH", f"tasks/{ids[0]}", {"complete_till": 1_900_000_000})
    until(lambda: next_task() == 1_900_000_000, "it to be sooner")
    ask("PATCH", f"tasks/{ids[0]}", {"is_completed": True, "result": {"text": "ok"}})
    until(lambda: next_task() == 2_000_000_000, "it to be done")
    url, data = f"{box.url}/private/notes/edit2.php", {"ID": ids[1], "ACTION": "TASK_DELETE"}
    assert requests.post(url, data=data, headers=dict(box.session().headers), timeout=10).ok
    until(lambda: next_task() is None, "the other to be gone")


@pytest.mark.alone
def test_ten_changed_leads_cost_three_requests(box, live):
    """Ten hooks in a row are one look at the leads, or two where they straddle one, and a look at new contacts."""
    since = box.last_seq()
    for row in box.entities("leads", limit=10):
        box.edit("update", "leads", id=row["id"], fields={"price": 55_000})
    until(lambda: is_equal(live, box), "the mirror to know")
    until(lambda: live.webhooks.report().received == 10, "all hooks")
    asked = [entry["path"] for entry in box.ledger("request", since=since) if entry["path"].startswith("/api/v4/")]
    assert len(asked) <= 3


@pytest.mark.parametrize("seed", [1, 2])
def test_lost_doubled_and_reordered(box, live, seed):
    """Whatever happens to the hooks, after one round the mirror equals AmoCRM."""
    box.config(hook_lose=0.3, hook_duplicate=0.4, hook_reorder=True, hook_seed=seed)
    box.edit("random", count=40, seed=seed)
    until(lambda: not box.count("deliveries"), "the last hook")
    live.mirror.refresh()
    until(lambda: is_equal(live, box), "the round to find what was lost")
    with live.store.read() as db:
        assert not db.scalar(sa.select(sa.func.count()).select_from(hooks).where(hooks.c.state == "bad"))


def test_hooks_while_the_desk_was_away(box, desk, listener):
    """AmoCRM repeats what met nobody; when the desk is back, the repetition brings it up to date."""
    fill(desk)
    desk.webhooks.keep()
    no_rounds(desk)
    box.config(hook_time_scale=0.01)
    box.edit("update", "leads", id=box.entities("leads", limit=1)[0]["id"], fields={"price": 4_711})
    with called(desk, listener):
        until(lambda: desk.webhooks.report().received, "the hook to come again")
    desk.mirror.look_after()
    assert is_equal(desk, box)


FALSE = [
    (brackets.build({"leads": {"delete": [{"id": 1}]}, "account": {"id": 1, "subdomain": "evil"}}), "another_account"),
    (b"\x00\xff\x13\x37", "not_a_hook"), (b"", "not_a_hook"), (b"leads" + b"[x]" * 500 + b"=1", "too_deep"),
    (b"y" * 3_000_000, "too_large"),
]  # fmt: skip


def test_what_is_not_believed(desk, listener, box):
    """Another account's, junk, too deep, giant: answered with 200, put aside with its reason, nothing fetched."""
    since = box.last_seq()
    with called(desk, listener):
        for body, reason in FALSE:
            assert post(desk, body).status_code == 200
            assert desk.webhooks.report().bad_reason == reason
    report = desk.webhooks.report()
    assert (report.received, report.bad) == (len(FALSE), len(FALSE))
    with desk.webhooks.taken() as told:
        assert told == {}
    assert box.ledger("request", since=since) == []


def test_killed_between_storing_and_fetching(box, desk, store_url, tmp_path, listener):
    """What one process took and died with, the next one fetches."""
    fill(desk)
    desk.webhooks.keep()
    lead = box.entities("leads", limit=1)[0]["id"]
    with called(desk, listener):
        since = box.last_seq()
        box.edit("update", "leads", id=lead, fields={"price": 31_337})
        until(lambda: arrived(box, since), "the hook")
    no_rounds(desk)
    desk.mirror.walks.let_go()
    worker = Worker("tests.desk.webhooks.worker", box, store_url, tmp_path)
    assert worker.process.wait(120) == -signal.SIGKILL
    worker.end()
    assert not is_equal(desk, box)
    until(lambda: desk.mirror.look_after() or is_equal(desk, box), "another process to fetch it")


def test_another_process_got_the_hook(box, live):
    """The keeper of the mirror sees at its next look what somebody else has put into the inbox."""
    live.webhooks._wake = lambda: None
    lead = box.entities("leads", limit=1)[0]["id"]
    box.edit("update", "leads", id=lead, fields={"price": 99_001})
    until(lambda: is_equal(live, box), "the mirror to know")


def test_our_own_lead_needs_no_hook(box, live):
    """What the desk has put into AmoCRM itself is in the mirror at once."""
    box.config(hook_hold=True)
    accepted = live.outbox.accept(NewLead("Аня", "+79991234567", "Йога"), "desk")
    live.outbox.deliver_due()
    lead_id = live.outbox.progress(accepted).amo_lead_id
    until(lambda: lead_id in mirror(live), "our own lead", 5)


def test_rotation_while_hooks_come(box, live):
    """A hook that is under way to the former address is still taken."""
    lead = box.entities("leads", limit=1)[0]["id"]
    former = live.webhooks._addresses.current()[1]
    live.webhooks.rotate()
    body = brackets.build({"leads": {"update": [{"id": lead}]}, "account": {"id": 31_296_422}})
    box.config(hook_hold=True)
    box.edit("update", "leads", id=lead, fields={"price": 12_012})
    assert requests.post(former, data=body, timeout=60).status_code == 200
    until(lambda: is_equal(live, box), "the mirror to know")
    assert post(live, body, "wrong").status_code == 404

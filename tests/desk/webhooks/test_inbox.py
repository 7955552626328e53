"""The stored calls: nothing is lost between the storing and the fetching, and nothing is fetched in vain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm.errors import NoAnswer, SaidNo
from desk.webhooks.bodies import HookContent
from desk.webhooks.inbox import KEEP, Inbox
from store.tables import hook_misses, hooks

LEADS = HookContent({"leads": [1, 2]}, 1_700_000_000, 7, "fit")
DELETED = HookContent({"leads": [1]}, None, 7, "fit")


@pytest.fixture
def inbox(store):
    return Inbox(store, lambda: datetime.now(UTC).timestamp())


def states(store):
    with store.read() as db:
        return list(db.scalars(sa.select(hooks.c.state).order_by(hooks.c.id)))


def test_what_is_new_is_handed_out_once(store, inbox):
    """Ids of several calls together; when the block has ended nothing is left, and the bodies are gone."""
    inbox.put(b"a", LEADS)
    inbox.put(b"b", HookContent({"leads": [3], "contacts": [9]}))
    with inbox.taken() as told:
        assert told == {"leads": {1, 2, 3}, "contacts": {9}}
    with inbox.taken() as told:
        assert told == {}
    assert states(store) == ["done", "done"]
    with store.read() as db:
        assert db.scalars(sa.select(hooks.c.body)).all() == [None, None]


def test_what_could_not_be_fetched_stays_new(inbox):
    """AmoCRM did not answer: the next look hands it out again."""
    inbox.put(b"a", LEADS)
    with pytest.raises(NoAnswer), inbox.taken():
        raise NoAnswer("timeout")
    with inbox.taken() as told:
        assert told == {"leads": {1, 2}}


def test_what_amocrm_refuses_is_put_aside(store, inbox):
    """It would be refused for ever, and hold up everything behind it."""
    inbox.put(b"a", LEADS)
    with pytest.raises(SaidNo), inbox.taken():
        raise SaidNo("bad_request")
    assert states(store) == ["bad"]


def test_what_comes_while_others_are_fetched_is_not_marked(store, inbox):
    """Only what was handed out is dealt with."""
    inbox.put(b"a", LEADS)
    with inbox.taken():
        inbox.put(b"b", HookContent({"leads": [5]}))
    assert states(store) == ["done", "new"]


def test_the_same_again(store, inbox):
    """While the first waits, and after it was fetched; a second deletion, which looks like the first, is fetched."""
    assert [inbox.put(b"a", LEADS), inbox.put(b"a", LEADS)] == ["new", "again"]
    assert [inbox.put(b"d", DELETED), inbox.put(b"d", DELETED)] == ["new", "again"]
    with inbox.taken():
        pass
    assert [inbox.put(b"a", LEADS), inbox.put(b"d", DELETED)] == ["again", "new"]


def test_the_same_in_the_same_second(inbox):
    """A body may come again for another change of its second, so it is only spared when that second was over."""
    now = HookContent({"leads": [1]}, int(datetime.now(UTC).timestamp()), 7, "fit")
    inbox.put(b"a", now)
    with inbox.taken():
        pass
    assert inbox.put(b"a", now) == "new"


def test_junk_is_kept_with_its_reason(store, inbox):
    """Any bytes fit into any database; another account's are not kept."""
    inbox.put_bad(b"\x00\xff\xfe" + b"x" * 100_000, "not_a_hook")
    inbox.put_bad("секрет".encode(), "another_account", keep=False)
    with store.read() as db:
        rows = db.execute(sa.select(hooks.c.body, hooks.c.reason, hooks.c.state).order_by(hooks.c.id)).all()
    assert rows[0].body.startswith("\\x00\\xff\\xfex")
    assert len(rows[0].body) <= 2000
    assert rows[1] == (None, "another_account", "bad")


def test_a_hook_that_tells_nothing_of_ours(store, inbox):
    """Stored, counted, nothing to fetch."""
    assert inbox.put(b"t", HookContent({}, None, 7, "fit")) == "done"


def test_late_is_not_lost(store, inbox):
    """A change that a round found first is no miss when its hook comes after all; an old miss, and another lead's, stay."""
    now = datetime.now(UTC)
    missed = [(now, 1), (now, 8), (now - timedelta(hours=1), 2)]
    with store.write() as db:
        db.execute(hook_misses.insert(), [{"at": at, "entity": "leads", "entity_id": one} for at, one in missed])
    inbox.put(b"a", LEADS)
    with store.read() as db:
        assert sorted(db.scalars(sa.select(hook_misses.c.entity_id))) == [2, 8]


def test_old_ones_are_forgotten(store, inbox):
    """What was dealt with goes; what is still new stays, however old."""
    inbox.put(b"a", LEADS)
    inbox.put_bad(b"b", "not_a_hook")
    with store.write() as db:
        db.execute(hooks.update().values(received_at=datetime.now(UTC) - KEEP - timedelta(days=1)))
    inbox.prune()
    assert states(store) == ["new"]

"""The benchmarks' club: whole, the same every time, and as the mirror's own tables want it."""

from __future__ import annotations

import sqlalchemy as sa

from benchmarks import big_mirror
from desk.mirror import status
from desk.mirror.walks import Walks
from store.jumps import Jumps
from store.tables import contacts, leads, stage_changes

NOW = 1_795_000_000


def test_it_is_filled_and_following(store):
    """As many leads and contacts as asked for, within two years, each stage change of a lead that is there."""
    big_mirror.fill(store, leads=300, contacts=200, now=NOW)
    with store.read() as db:
        rows = db.execute(sa.select(leads)).mappings().all()
        known = set(db.scalars(sa.select(contacts.c.id)))
        moved = set(db.scalars(sa.select(stage_changes.c.lead_id)))
    assert len(rows) == 300
    assert len(known) == 200
    assert {row["contact_id"] for row in rows} - {None} <= known
    assert moved <= {row["id"] for row in rows}
    assert all(NOW - big_mirror.SPAN_S <= row["created_at"] <= NOW for row in rows)
    assert status.read(store, Walks(store), Jumps(store)).as_of is not None


def test_it_is_the_same_every_time(tmp_path):
    """The same seed and moment make the same rows; another seed makes others."""
    from store import Store

    told = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        store = Store(f"sqlite:///{tmp_path}/{name}.db")
        store.upgrade()
        big_mirror.fill(store, leads=50, contacts=20, seed=seed, now=NOW)
        with store.read() as db:
            told.append(db.execute(sa.select(leads)).all())
        store.close()
    assert told[0] == told[1] != told[2]

"""Each move from stage to stage stands in the history once, in whatever order the lead's rows and AmoCRM's log come."""

from __future__ import annotations

import itertools
import random

import pytest
import sqlalchemy as sa

from desk.mirror.rows import Rows
from desk.mirror.shape import FieldIds
from store.tables import stage_changes

FIELD_IDS = FieldIds(phone=1, direction=2, source=3, contact_phone=4, marker=None, utm={})
NOON = 1_790_000_000
A, B, C, D = 101, 102, 103, 104


def row(status, at):
    return {"id": 7, "pipeline_id": 1, "status_id": status, "updated_at": at, "created_at": NOON - 1000}


def event(number, before, after, at):
    return {
        "lead_id": 7, "at": at, "event_id": f"e{number}",
        "from_pipeline_id": 1, "from_status_id": before, "to_pipeline_id": 1, "to_status_id": after,
    }  # fmt: skip


class Club:
    """What the mirror does with one lead."""

    def __init__(self, store):
        self.store, self.rows = store, Rows(store)

    def read(self, status, at, now=None):
        asked = self.rows.version()
        with self.rows.keeping() as db:
            return self.rows.keep_leads(db, [row(status, at)], FIELD_IDS, asked, now or at)

    def log(self, *events):
        with self.rows.keeping() as db:
            self.rows.keep_events(db, events)

    def listed(self):
        """What the card lists: (from, to), oldest first."""
        with self.store.read() as db:
            rows = db.execute(sa.select(stage_changes).order_by(stage_changes.c.at, stage_changes.c.id)).mappings()
            return [(one["from_status_id"], one["to_status_id"], one["event_id"] is not None) for one in rows]


ONE = event(1, A, B, NOON + 10)
TWO = event(2, B, C, NOON + 40)

STEPS = {
    "row of one": lambda club: club.read(B, NOON + 12),
    "row of two": lambda club: club.read(C, NOON + 41),
    "log of one": lambda club: club.log(ONE),
    "log of both": lambda club: club.log(ONE, TWO),
}


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids=" · ".join)
def test_whatever_comes_first(sqlite_store, order):
    """Rows before the log, after it, between its pages, or never read in between: two moves, each once, as the log tells them."""
    club = Club(sqlite_store)
    club.read(A, NOON)
    latest = A
    for name in order:
        if name == "row of one" and latest == C:
            continue  # AmoCRM never tells an older state after a newer one
        STEPS[name](club)
        latest = {"row of one": B, "row of two": C}.get(name, latest)
        assert len(club.listed()) <= 2
    assert club.listed() == [(A, B, True), (B, C, True)]


def test_a_later_change_of_a_moved_lead(store):
    """The log was read because of another lead; the row comes later, with the time of a change after the move."""
    club = Club(store)
    club.read(A, NOON)
    club.log(ONE)
    kept = club.read(B, NOON + 300)
    assert kept.moved == ()
    assert club.listed() == [(A, B, True)]


def test_what_the_log_has_not_told_yet_stands_there(store):
    """A move seen by comparing is listed at once, and the log's word takes its place."""
    club = Club(store)
    club.read(A, NOON)
    assert club.read(B, NOON + 12).moved == (7,)
    assert club.listed() == [(A, B, False)]
    club.log(event(9, C, D, NOON - 500))  # another move, of long ago
    assert club.listed() == [(C, D, True), (A, B, False)]
    club.log(ONE)
    assert club.listed() == [(C, D, True), (A, B, True)]


def test_the_same_way_twice_is_two_moves(store):
    """There, back, and there again an hour later: the second time is none that the log has told already."""
    club = Club(store)
    club.read(A, NOON)
    club.log(ONE, event(3, B, A, NOON + 100))
    club.read(A, NOON + 100)
    club.read(B, NOON + 3700)
    assert club.listed() == [(A, B, True), (B, A, True), (A, B, False)]


def test_what_was_doubled_before_is_cleaned_up(store):
    """Rows of an earlier version know no span; the nightly round takes away those the log has told."""
    club = Club(store)
    club.log(ONE)
    with store.write() as db:
        db.execute(stage_changes.insert().values(ONE | {"event_id": None, "at": NOON + 300}))
    assert club.rows.settle_moves() == 1
    assert club.listed() == [(A, B, True)]


@pytest.mark.parametrize("seed", range(40))
def test_against_an_independent_truth(sqlite_store, seed):
    """Random moves, rows read now and then, the log read late and with overlap: at the end the truth, and never more than it."""
    rng, club = random.Random(seed), Club(sqlite_store)
    truth, state, changed, told, at = [], A, NOON, 0, NOON
    club.read(A, NOON)
    for _ in range(60):
        at += rng.choice((0, 1, 3, 30, 400))
        match rng.choice(("move", "change", "read", "read", "log")):
            case "move":
                other = rng.choice([status for status in (A, B, C, D) if status != state])
                truth.append(event(len(truth), state, other, at))
                state, changed = other, at
            case "change":
                changed = at
            case "read":
                club.read(state, changed, at)
            case "log":
                until = rng.randrange(told, len(truth) + 1)  # it lags
                club.log(*truth[max(0, told - 2) : until])
                told = until
        assert len(club.listed()) <= len(truth)
    club.read(state, changed, at)
    club.log(*truth)
    wanted = sorted((one["from_status_id"], one["to_status_id"], True) for one in truth)
    assert sorted(club.listed()) == wanted

"""Who may know what became of a lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from desk.delivery import DELIVERED, QUEUED, Progress
from desk.intake.fates import LONGEST_USUAL, TOLD_FOR, USUAL, Told, bare, may_know, seems_delivered
from desk.intake.log import ACCEPTED, DUPLICATE, FLAGGED, REFUSED, REPEATED, is_told

NOW = datetime(2026, 3, 8, tzinfo=UTC)
OLD = NOW - TOLD_FOR
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("told", "is_program", "may"),
    [
        (None, False, False), (None, True, False),
        (Told("f", NOW), False, True), (Told("f", NOW), True, True),
        (Told("g", NOW), False, False), (Told("g", NOW), True, False),
        (Told(None, NOW), False, False), (Told(None, NOW), True, False),
        (Told("f", OLD + timedelta(seconds=1)), False, True), (Told("f", OLD), False, False), (Told("f", OLD), True, True),
    ],
)  # fmt: skip
def test_who_may_know(told, is_program, may):
    """What came through one's own form; with a key of a page as long as what made no lead is remembered, a program always."""
    assert may_know(told, "f", NOW, is_program=is_program) is may


def lead(state=DELIVERED, took=SECOND):
    """The lead that was accepted a minute before `NOW`."""
    began = NOW - 60 * SECOND
    there = began + took if state == DELIVERED else None
    return Progress("1", state, began, there, there, None, 77, 78, 3)


OWN, AGAIN, ASIDE = Told("f", NOW), Told("f", NOW, False, "1"), Told("f", NOW, False)


@pytest.mark.parametrize(
    ("told", "first", "paused_since", "after", "is_delivered"),
    [
        (OWN, lead(QUEUED), None, 999 * SECOND, False), (OWN, lead(), None, 0 * SECOND, True), (OWN, lead("refused"), None, 999 * SECOND, False),
        (OWN, None, None, 999 * SECOND, False), (OWN, lead(), NOW - SECOND, SECOND, True),
        (AGAIN, lead(), None, 0 * SECOND, False), (AGAIN, lead(), None, SECOND, True), (AGAIN, lead(QUEUED), None, 999 * SECOND, False),
        (AGAIN, lead(took=50 * SECOND), None, LONGEST_USUAL - SECOND, False), (AGAIN, lead(took=50 * SECOND), None, LONGEST_USUAL, True),
        (AGAIN, lead(took=90 * SECOND), None, 29 * SECOND, False), (AGAIN, lead(took=90 * SECOND), None, 30 * SECOND, True),
        (AGAIN, lead(), NOW, 999 * SECOND, False), (AGAIN, lead(), NOW - 999 * SECOND, 999 * SECOND, False),
        (AGAIN, lead(), NOW + 2 * SECOND, 999 * SECOND, True), (AGAIN, None, None, 999 * SECOND, False),
        (ASIDE, None, None, 0 * SECOND, False), (ASIDE, None, None, USUAL, True), (ASIDE, None, NOW, 999 * SECOND, False),
        (ASIDE, None, NOW + USUAL + SECOND, 999 * SECOND, True),
    ],
)  # fmt: skip
def test_what_seems_to_be_in_amocrm(told, first, paused_since, after, is_delivered):
    """What is no lead of its own arrives as one would: not at once, not before the first, and not while the queue waits."""
    assert seems_delivered(told, first, paused_since, NOW + after) is is_delivered


@pytest.mark.parametrize("is_delivered", [False, True])
def test_all_that_a_page_is_told(is_delivered):
    """That it was accepted, and whether it is in AmoCRM."""
    progress = bare("x", OWN.at, is_delivered=is_delivered)
    assert (progress.id, progress.state, progress.accepted_at) == ("x", DELIVERED if is_delivered else QUEUED, NOW)
    assert (progress.settled_at, progress.reason, progress.amo_lead_id, progress.attempts) == (None, None, None, 0)


@pytest.mark.parametrize(
    ("outcome", "reason", "told"),
    [
        (FLAGGED, "trap", True), (DUPLICATE, None, True), (ACCEPTED, "trap", True), (ACCEPTED, "too_fast", True),
        (ACCEPTED, "duplicate", True), (ACCEPTED, None, False), (ACCEPTED, "form_paused", False), (REFUSED, "form_paused", False),
        (REPEATED, None, False),
    ],
)  # fmt: skip
def test_which_lines_have_been_told(outcome, reason, told):
    """Those that were answered like a lead without being one, also when a person has made one of them since."""
    assert is_told(outcome, reason) is told

"""Who may know what became of a lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm.reception.fates import TOLD_FOR, Told, as_accepted, may_know
from crm.reception.log import ACCEPTED, DUPLICATE, FLAGGED, REFUSED, REPEATED, is_told

NOW = datetime(2026, 3, 8, tzinfo=UTC)
OLD = NOW - TOLD_FOR


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


def test_all_that_a_page_is_told():
    """That it was accepted, and when."""
    progress = as_accepted("x", Told("f", NOW))
    assert (progress.id, progress.state, progress.accepted_at) == ("x", "accepted", NOW)
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

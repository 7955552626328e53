"""What follows from what, for a delivery: tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import BrokenWord, NoAnswer, NotLetIn, NotSent, OwnFault, Refusal, SaidNo, SetupError
from desk.delivery import decisions
from desk.delivery.decisions import (
    CONTACT,
    LEAD,
    NEEDS_DECISION,
    NOBODY_KNOWS,
    NOT_DONE,
    NOTE,
    QUEUED,
    REFUSED,
    SAID_NO,
    SEARCH,
    TASK_DONE,
    UNKNOWN,
    Situation,
)
from store import StoreError


def refused(*paths):
    return SaidNo("validation", refusals=tuple(Refusal(path, "NotSupportedChoice") for path in paths))


TABLE = [
    # error, its fate as a write, after the creating step: state, whole queue
    (NotSent("unreachable"), NOT_DONE, QUEUED, True), (NotSent("name_unknown"), NOT_DONE, QUEUED, True),
    (NotSent("tls_failed"), NOT_DONE, QUEUED, True), (NotSent("too_late_to_send"), NOT_DONE, QUEUED, False),
    (NoAnswer("cut_off"), NOBODY_KNOWS, UNKNOWN, False), (NoAnswer("too_slow"), NOBODY_KNOWS, UNKNOWN, False),
    (NotLetIn("rate_limited", status=429, retry_after_s=5.0), NOT_DONE, QUEUED, True),
    (BrokenWord("server_error", status=500), NOBODY_KNOWS, UNKNOWN, False),
    (BrokenWord("server_error", status=504), NOBODY_KNOWS, UNKNOWN, False),
    (NotLetIn("unpaid", status=402), NOT_DONE, QUEUED, True),
    (BrokenWord("not_routed", status=404), NOT_DONE, QUEUED, False),
    (BrokenWord("server_hiccup", status=400), NOBODY_KNOWS, UNKNOWN, False),
    (SaidNo("lead_deleted", status=400), SAID_NO, REFUSED, False),
    (refused("custom_fields_values.1.values.0.value"), SAID_NO, QUEUED, False), (refused("name"), SAID_NO, REFUSED, False),
    (SaidNo("too_many_items", status=422), SAID_NO, REFUSED, False),
    (SaidNo("bad_request", status=400), SAID_NO, REFUSED, False),
    (NotLetIn("token_rejected", status=401), NOT_DONE, QUEUED, True), (NotLetIn("grant_revoked"), NOT_DONE, QUEUED, True),
    (NotLetIn("switched_off"), NOT_DONE, QUEUED, True), (SetupError("not_connected"), NOT_DONE, QUEUED, True),
    (NotLetIn("blocked", status=403), NOT_DONE, QUEUED, True), (NotLetIn("rights_missing", status=403), NOT_DONE, QUEUED, True),
    (BrokenWord("garbled", status=200), NOBODY_KNOWS, UNKNOWN, False),
    (BrokenWord("unexpected_answer", status=418), NOBODY_KNOWS, UNKNOWN, False),
]  # fmt: skip


@pytest.mark.parametrize(("error", "fate", "state", "whole"), TABLE, ids=lambda value: str(value))
def test_after_the_creating_step(error, fate, state, whole):
    """What each answer says about the request, what becomes of the lead, and whether everybody waits."""
    assert decisions.fate_of(error) == fate
    follows = decisions.after(error, Situation(LEAD), 0.5)
    assert (follows.state, follows.whole_queue) == (state, whole)


@pytest.mark.parametrize("step", [CONTACT, NOTE, SEARCH])
@pytest.mark.parametrize(("error", "fate", "state", "whole"), TABLE, ids=lambda value: str(value))
def test_no_other_step_makes_a_lead_unknown(step, error, fate, state, whole):
    """Only the creating request can leave a lead of which nobody knows; a refused reading is tried again."""
    follows = decisions.after(error, Situation(step), 0.5)
    assert follows.state in ({QUEUED, REFUSED} if step == NOTE else {QUEUED})
    assert follows.whole_queue is whole


@pytest.mark.parametrize(
    ("begun_in", "is_there", "may_be_there", "todo", "what"),
    [
        (None, True, True, [NOTE], decisions.GO_ON), (1, True, False, [NOTE], decisions.GO_ON),
        (1, False, True, [LEAD], decisions.GO_ON), (1, False, False, [LEAD, NOTE], decisions.GO_ON),
        (2, False, False, [LEAD, NOTE], decisions.REQUEUE), (2, False, True, [LEAD, NOTE], decisions.TO_PERSON),
        (2, True, False, [NOTE], decisions.TO_PERSON), (2, True, False, [NOTE, TASK_DONE], decisions.TO_PERSON),
        (2, True, True, [LEAD], decisions.TO_PERSON), (2, True, False, [TASK_DONE], decisions.GO_ON),
        (2, True, False, [], decisions.GO_ON),
    ],
)  # fmt: skip
def test_a_lead_that_was_begun_in_another_account(begun_in, is_there, may_be_there, todo, what):
    """Account 1 is connected: what surely is nowhere begins anew, what is or may be elsewhere goes to a person."""
    assert decisions.in_account(begun_in, 1, is_there=is_there, may_be_there=may_be_there, todo=todo) == what


@pytest.mark.parametrize("code", ["rights_missing", "account_refuses", "unexpected_answer"])
def test_rights_that_only_one_lead_lacks(code):
    """Others got through after the first refusal, so the second one of the same lead is the lead's own; else it is everybody's."""
    error, again = NotLetIn(code, status=403), Situation(LEAD, last_reason=code)
    assert decisions.after(error, replace(again, others_got_through=True), 0.5).state == REFUSED
    assert (decisions.after(error, again, 0.5).state, decisions.after(error, again, 0.5).whole_queue) == (QUEUED, True)


@pytest.mark.parametrize(
    ("error", "at", "forget"),
    [
        (refused("_embedded.contacts.0.id"), Situation(LEAD, contact_was_known=True), "contact"),
        (refused("_embedded.contacts.0.id"), Situation(LEAD), None),
        (refused("_embedded.contacts.0.id"), Situation(LEAD, contact_was_known=True, last_reason="validation"), None),
        (refused("custom_fields_values.2.field_id"), Situation(LEAD), "fields"),
        (refused("_embedded.contacts.0.custom_fields_values.0.field_code"), Situation(LEAD), "fields"),
        (refused("custom_fields_values.2.field_id"), Situation(LEAD, last_reason="validation"), None),
        (refused("custom_fields_values.2.field_id", "name"), Situation(LEAD), None),
        (refused("custom_fields_values.2.values.0.value"), Situation(LEAD), "fields"),
        (refused("custom_fields_values.2.values.0.value"), Situation(LEAD, last_reason="validation"), None),
        (SaidNo("validation", refusals=(Refusal("custom_fields_values.2.values.0.value", "InvalidType"),)), Situation(LEAD), "fields"),
        (SaidNo("validation", refusals=(Refusal("custom_fields_values.2.values.0.value", "InvalidType"),)), Situation(LEAD, last_reason="validation"), None),
    ],
    ids=str,
)  # fmt: skip
def test_what_we_believed_wrongly_is_asked_anew_once(error, at, forget):
    """A contact that is gone, a field that is gone: forgotten and tried once more; everything else goes to a person."""
    follows = decisions.after(error, at, 0.5)
    assert follows.forget == forget
    assert follows.state == (QUEUED if forget else REFUSED)


def test_a_day_of_own_failures_goes_to_a_person():
    """Twenty-four hours of pauses of its own end with a person; pauses of everybody's are none of them."""
    old = Situation(NOTE, failures=40, trying_s=24 * 3600.0)
    assert decisions.after(BrokenWord("server_error"), old, 0.5).state == NEEDS_DECISION
    assert decisions.after(NotSent("unreachable"), old, 0.5).state == QUEUED
    assert decisions.after(BrokenWord("server_error"), Situation(NOTE, failures=40), 0.5).state == QUEUED


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_a_quarter_of_an_hour(failures, chance):
    """Each pause is about twice the last, spread by a quarter around it, and never longer than the longest."""
    pause = decisions.pause_s(failures, chance)
    wanted = min(2.0 * 2 ** (failures - 1), 900.0)
    assert 0.75 * wanted <= pause <= 1.25 * wanted


@pytest.mark.parametrize(
    ("error", "pauses"),
    [
        (NotSent("unreachable"), [2, 4, 8, 15, 30, 60, 60]), (NotLetIn("unpaid"), [30, 60, 120, 300, 300]),
        (NotLetIn("blocked"), [900, 900]), (NotLetIn("rights_missing"), [60, 300, 900, 900]),
        (NotLetIn("token_rejected"), [60, 300, 900, 900]),
        (NotLetIn("account_refuses"), [60, 300, 900, 900]), (NotLetIn("person_switched_off"), [5, 5]),
        (NotLetIn("unexpected_answer"), [60, 300, 900, 900]), (SetupError("redirected"), [60, 300, 900, 900]),
        (NotLetIn("grant_revoked"), [5, 5]), (SetupError("not_connected"), [5, 5]), (NotLetIn("rate_limited"), [2, 2]),
        (NotLetIn("rate_limited", retry_after_s=300.0), [300, 300]),
        (NotLetIn("refresh_waiting", retry_after_s=25.0), [25, 25]),
    ],
    ids=str,
)  # fmt: skip
def test_how_long_everybody_waits(error, pauses):
    """Short where looking costs nothing, longer where knocking harms; what AmoCRM asked for is kept."""
    assert [decisions.queue_pause(error, number) for number in range(1, len(pauses) + 1)] == pauses


@pytest.mark.parametrize(
    ("found", "alike", "since_s", "sends", "reason", "what"),
    [
        ([7], [], 1, 1, "cut_off", "found"), ([9, 7], [], 1, 2, "cut_off", "found"), ([], [5], 1, 1, "cut_off", "found"),
        ([], [5, 6], 1, 1, "cut_off", "person"), ([], [], 1, 1, "cut_off", "look again"),
        ([], [], 119, 1, "server_error", "look again"), ([], [], 121, 1, "server_error", "send again"),
        ([], [], 16, 1, "server_hiccup", "send again"), ([], [], 14, 1, "server_hiccup", "look again"),
        ([], [], 121, 5, "cut_off", "person"), ([], [], 121, 1, "worker_died", "send again"),
    ],
)  # fmt: skip
def test_what_a_search_leads_to(found, alike, since_s, sends, reason, what):
    """Found goes on; absent is looked for again until patience ends and then sent; what cannot be told goes to a person."""
    verdict = decisions.after_look(found, alike, since_s=since_s, sends=sends, reason=reason)
    assert verdict.what == what
    if found:
        assert verdict.lead_id == min(found)


@pytest.mark.parametrize(
    ("since_s", "reason", "what"),
    [(121.0, "cut_off", "look again"), (20.0, "server_hiccup", "look again"), (1801.0, "cut_off", "send again")],
)
def test_a_lagging_index_is_given_more_time(since_s, reason, what):
    """Where only AmoCRM's full text could be asked, absence is believed half an hour later."""
    assert decisions.after_look([], [], since_s=since_s, sends=1, reason=reason, by_list=False).what == what


def test_what_nobody_could_look_for_goes_to_a_person():
    """No marker and no list to be believed: nothing was looked at, so nothing is sent."""
    verdict = decisions.after_look([], [], since_s=1801.0, sends=1, reason="cut_off", by_list=False, has_marker=False)
    assert verdict.what == "person"


@pytest.mark.parametrize(
    ("pause_s", "by_clock_s", "by_process_s", "waited_s"),
    [
        (30, 30, 30, 30), (30, 31, 31, 30), (30, 3 * 3600, 1, 1), (30, -3 * 3600, 31, 30), (30, -5, 4, 4), (30, 12, None, 12),
        (30, 30 * 3600, None, 30), (30, -300, None, 0), (-1.7e9, 5, 5, 0),
    ],
)  # fmt: skip
def test_how_much_of_a_pause_was_waited_for(pause_s, by_clock_s, by_process_s, waited_s):
    """The clock that cannot jump is believed where there is one; never more than the pause, whatever jumped, and never less than nothing."""
    assert decisions.waited(pause_s, by_clock_s, by_process_s) == waited_s


DAY_S, NOON = 86_400.0, 1_700_000_000.0


@pytest.mark.parametrize(
    ("sent_s", "now_s", "theirs_s", "ahead_s", "is_last"),
    [
        (NOON, NOON + 60, None, 0, False), (NOON, NOON + 60, NOON, 0, True), (NOON + 300, NOON + 360, NOON, 300, False),
        (NOON + 2 * DAY_S, NOON + 60, NOON, 0, False), (NOON + 2 * DAY_S, NOON + 60, None, 0, True),
        (NOON, NOON + 2 * DAY_S, None, 2 * DAY_S, False), (NOON - 2 * DAY_S, NOON + 60, None, 0, False),
        (NOON + 2 * DAY_S, NOON - 2 * DAY_S, NOON, -2 * DAY_S, True), (NOON - 2 * DAY_S, NOON - 2 * DAY_S, None, 0, True),
        (NOON + 2 * DAY_S, NOON + 2 * DAY_S, None, 0, True), (0.0, NOON, None, 0, False), (NOON, 60.0, NOON, 60 - NOON, True),
    ],
)  # fmt: skip
def test_the_time_that_is_searched_has_the_request_in_it(sent_s, now_s, theirs_s, ahead_s, is_last):
    """Sent at noon by AmoCRM's clock, whatever ours said then and says now; where nobody knew that clock, before absence is believed."""
    since = decisions.searched_from(sent_s, now_s, theirs_s=theirs_s, ahead_s=ahead_s, is_last=is_last)
    assert 0 <= since <= NOON - decisions.SLACK_S < NOON < decisions.searched_to(sent_s, now_s, ahead_s=ahead_s)


@pytest.mark.parametrize(
    ("reason", "since_s", "is_last"),
    [("cut_off", 119.0, False), ("cut_off", 119.6, True), ("cut_off", 500.0, True), ("server_hiccup", 14.0, False), ("server_hiccup", 15.0, True)],
)  # fmt: skip
def test_a_look_that_may_end_in_sending_asks_everything(reason, since_s, is_last):
    """No look leads to sending again that was not a last one."""
    assert decisions.is_last_look(since_s, reason) is is_last
    verdict = decisions.after_look([], [], since_s=since_s, sends=1, reason=reason)
    assert (verdict.what == "send again") is is_last


@pytest.mark.parametrize(
    ("error", "failures", "trying_s", "stumbles", "pause_s"),
    [
        (BrokenWord("server_error"), 1, 0, 0, 10), (BrokenWord("server_error"), 2, 10, 0, 20), (BrokenWord("server_error"), 50, 3000, 0, 60),
        (BrokenWord("server_error"), 2000, 24 * 3600, 0, None), (NotSent("unreachable"), 50, 24 * 3600, 0, 10),
        (NotLetIn("unpaid"), 3, 0, 0, 10), (OwnFault("desk_failed"), 9, 300, 9, 60), (OwnFault("desk_failed"), 10, 360, 10, None),
    ],
    ids=str,
)  # fmt: skip
def test_after_a_search_that_failed(error, failures, trying_s, stumbles, pause_s):
    """Ever less often, up to once a minute; a day of pauses, or ten stumbles, end with a person; what all meet ends nothing."""
    assert decisions.after_failed_look(error, failures, trying_s, stumbles) == pause_s


@pytest.mark.parametrize(
    ("step", "has_left", "stumbles", "state"),
    [(CONTACT, False, 1, QUEUED), (CONTACT, False, 9, QUEUED), (CONTACT, False, 10, NEEDS_DECISION), (LEAD, True, 10, UNKNOWN),
     (LEAD, False, 1, QUEUED), (LEAD, False, 10, NEEDS_DECISION), (NOTE, True, 1, QUEUED), (NOTE, True, 10, NEEDS_DECISION)],
)  # fmt: skip
def test_after_something_nobody_foresaw(step, has_left, stumbles, state):
    """Tried again with pauses that grow, then a person; a creating request that may have left is searched for, however often."""
    at = Situation(step, failures=stumbles, stumbles=stumbles, has_left=has_left)
    follows = decisions.after(OwnFault("desk_failed"), at, 0.5)
    assert (follows.state, follows.whole_queue) == (state, False)


@pytest.mark.parametrize(
    ("error", "code"),
    [(ValueError("x"), "desk_failed"), (MemoryError(), "desk_failed"), (StoreError("database_unreachable"), "database_failed"), (SaidNo("not_found"), "not_found")],
    ids=str,
)  # fmt: skip
def test_whatever_was_raised_has_a_code(error, code):
    """The desk's own errors keep theirs."""
    assert decisions.as_fault(error).code == code


def test_beliefs_that_change_each_time_are_not_asked_for_without_a_pause():
    """An AmoCRM that denies now the contact and now a field: the second time there is a pause, and in the end a refusal."""
    again = Situation(LEAD, failures=2, contact_was_known=True, last_reason="validation")
    gone = SaidNo("not_found", status=404)
    assert decisions.after(gone, again, 0.5) == decisions.Next(QUEUED, 4.0, forget="contact")
    assert decisions.after(gone, replace(again, trying_s=24 * 3600.0), 0.5).state == REFUSED


def test_looks_are_spread_over_the_patience():
    """Six looks between two seconds and two minutes; the last one comes when patience is at its end."""
    since, times = 2.0, [2.0]
    while since < decisions.PATIENCE_S:
        since += decisions.next_look(since)
        times.append(since)
    assert times == list(decisions.LOOKS_S)


def test_every_strange_failure_has_words():
    """Whatever code we know of, there are words for it in both languages."""
    from desk.words import LANGUAGES, words

    assert [
        code for code in decisions.KNOWN for language in LANGUAGES if not words(language).has(f"error-{code}")
    ] == []

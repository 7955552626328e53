"""What follows from what, for a delivery. Pure: facts and the time in, a decision out.

what an answer says about a write               fate_of
what becomes of a lead after a failed step      after
how long the whole queue waits                  queue_pause
when AmoCRM is searched for a lead again        next_look
what a search has shown                         after_look
what becomes of it where another account is     in_account
connected by now
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from crm.errors import BrokenWord, DeskError, NoAnswer, NotLetIn, NotSent, Refusal, SetupError

QUEUED, SENDING, DELIVERED = "queued", "sending", "delivered"
UNKNOWN, NEEDS_DECISION, REFUSED, DROPPED = "unknown", "needs_decision", "refused", "dropped"

STATES = (QUEUED, SENDING, UNKNOWN, NEEDS_DECISION, REFUSED, DELIVERED, DROPPED)
FOR_PEOPLE = (NEEDS_DECISION, REFUSED)
"""States in which nothing happens before a person has acted."""

SETTLED = (DELIVERED, NEEDS_DECISION, REFUSED, DROPPED)

CONTACT, LEAD, NOTE, SEARCH = "contact", "lead", "note", "search"
"""Steps: looking the contact up, creating the lead, putting the note, searching for a lead of unknown fate."""

STAGE, TASK, TASK_DONE = "stage", "task", "task_done"
"""More steps, of what an operator was told on the phone: moving a lead, putting a task, completing an earlier one."""

WRITES = (LEAD, NOTE, STAGE, TASK, TASK_DONE)

ANOTHER_ACCOUNT = "another_account"
"""The reason of a lead that is, or may be, in an account which is not the connected one."""

GO_ON, BEGIN_ANEW, TO_PERSON = "go on", "begin anew", "to a person"
"""What `in_account` decides."""

NOT_DONE, NOBODY_KNOWS, SAID_NO = "not done", "nobody knows", "said no"
"""What an error says about the request it ended: certainly not carried out, perhaps carried out, refused."""

FIRST_PAUSE_S = 2.0
"""Before the second try of a lead; each further pause is twice as long."""

LONGEST_PAUSE_S = 900.0
"""Between two tries, however many there were."""

SPREAD = 0.5
"""Pauses vary by this share around their length, so that leads that failed together do not return together."""

HORIZON = timedelta(hours=24)
"""A lead that has failed by itself for so long goes to a person. Time in which the whole queue waits does not count."""

NETWORK_PAUSES_S = (2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""While AmoCRM cannot be reached: looking costs nothing, and nobody should wait long once it is back."""

UNPAID_PAUSES_S = (30.0, 60.0, 120.0, 300.0)
"""A 402 on a paid account lasts about nine minutes at night (sheet 4.1)."""

BLOCKED_PAUSE_S = 900.0
"""A block lasts until AmoCRM's support lifts it; knocking makes it no better (sheet 4.1)."""

LOCKED_OUT_PAUSE_S = 5.0
"""While there is no usable key: asking our own connection costs no request. A new grant ends the wait at once."""

RIGHTS_PAUSES_S = (60.0, 300.0, 900.0)

LOOKS_S = (2.0, 6.0, 15.0, 30.0, 60.0, 90.0, 120.0)
"""When AmoCRM is searched for a lead of unknown fate, counted from the end of the request. Patient, because its search
may lag and a request may be carried out after its line was cut."""

PATIENCE_S = LOOKS_S[-1]
"""Not found this long after the request ended: it was not carried out, and may be sent again."""

INDEX_PATIENCE_S = 1800.0
"""The same where AmoCRM's list could not be believed and only its full text was asked: an index may lag for long."""

HICCUP_PATIENCE_S = 15.0
"""The same where AmoCRM itself said "a system error, please repeat" (sheet 4.3)."""

MOST_SENDS = 5
"""Creating requests of unknown fate for one lead. After so many a person should look what AmoCRM has against it."""

KNOWN = frozenset(
    {
        "unreachable", "name_unknown", "tls_failed", "too_late_to_send", "cut_off", "too_slow", "rate_limited", "unpaid",
        "blocked", "rights_missing", "token_rejected", "server_error", "server_hiccup", "not_routed", "garbled",
        "validation", "bad_request", "too_many_items", "not_found", "lead_deleted", "filter_ignored", "same_page",
        "not_connected", "integration_missing", "worker_died", "secret_key_wrong", "long_lived_expired",
        "grant_revoked", "grant_expired", "grant_invalid", "client_id_wrong", "client_secret_wrong", "client_not_allowed",
        "account_refuses", "person_switched_off", "redirected", "request_too_large", "too_many_links",
        "redirect_uri_wrong", "account_wrong", "account_gone", "refresh_lost", "refresh_stuck", "refresh_waiting",
        "switched_off", "clock_wrong", "token_answer_incomplete", ANOTHER_ACCOUNT,
    }
)  # fmt: skip
"""Failures we have thought of. Any other is told to a person as strange, whatever becomes of the lead."""

PERHAPS_ITS_OWN = frozenset({"rights_missing", "account_refuses", "unexpected_answer"})
"""Refusals of writing that seem to meet everybody, and are one lead's own if others got through meanwhile. That a read succeeds
says nothing about them."""

LONG_REFUSALS = PERHAPS_ITS_OWN | {"person_switched_off", "redirected"}
"""Refusals that only a person mends, in AmoCRM or here; each look at them costs a request."""

DEFINITION = re.compile(r"(_embedded\.contacts\.\d+\.)?custom_fields_values\.\d+\.field_(id|code)")
CHOICE = re.compile(r"(_embedded\.contacts\.\d+\.)?custom_fields_values\.\d+\.values\.\d+\.(value|enum_(id|code))")
CONTACT_ID = re.compile(r"_embedded\.contacts\.\d+(\.id)?")


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when a step of a lead has failed."""

    step: str
    failures: int = 1  # of its own in a row, this one included
    failing_for: timedelta = timedelta()
    last_reason: str | None = None  # of the try before this one
    contact_was_known: bool = False
    others_got_through: bool = False  # this step succeeded for another lead since it last failed for this one
    own_lead: bool = True  # a lead of our making, and not one that was there before


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a lead.

    `pause_s`: until it is looked at again. `whole_queue`: all leads wait, and this failure is not the lead's own.
    `forget`: what we believed of AmoCRM and have to ask anew before the next try: "contact" or "fields".
    """

    state: str
    pause_s: float = 0.0
    whole_queue: bool = False
    forget: str | None = None


def fate_of(error: DeskError) -> str:
    """What an error says about a write: `NOT_DONE`, `NOBODY_KNOWS` or `SAID_NO`."""
    if isinstance(error, NotSent | NotLetIn | SetupError) or error.code == "not_routed":
        return NOT_DONE
    if isinstance(error, NoAnswer | BrokenWord):
        return NOBODY_KNOWS
    return SAID_NO


def is_everybodys(error: DeskError) -> bool:
    """Whether the failure would meet every other lead as well: no way to AmoCRM, no key, no payment, no rights, too fast."""
    return isinstance(error, NotSent | NotLetIn | SetupError) and error.code != "too_late_to_send"


def is_thrown_away(error: DeskError) -> bool:
    """Whether something was refused because its lead is in the bin, or was merged into another one."""
    paths = {refusal.path for refusal in error.refusals}
    return error.code in ("lead_deleted", "not_found") or paths == {"entity_id"}


def is_strange(code: str) -> bool:
    """Whether a failure is one that nobody has thought of."""
    return code not in KNOWN


def after(error: DeskError, at: Situation, chance: float) -> Next:
    """What follows when a step has failed. `chance`: a random number in [0, 1)."""
    if error.code in PERHAPS_ITS_OWN and at.last_reason == error.code and at.others_got_through:
        return Next(REFUSED)  # others may: it is something about this lead
    if is_everybodys(error):
        return Next(QUEUED, whole_queue=True)
    if at.step == LEAD and fate_of(error) == NOBODY_KNOWS:
        return Next(UNKNOWN, LOOKS_S[0])
    denied = (
        at.step != LEAD and at.own_lead and is_thrown_away(error)
    )  # a lead of ours that is there: it will be seen yet
    if at.step in WRITES and fate_of(error) == SAID_NO and not denied:
        return _after_no(error, at)
    if at.failing_for >= HORIZON:
        return Next(NEEDS_DECISION)
    return Next(QUEUED, max(pause_s(at.failures, chance), error.retry_after_s or 0.0))


def _after_no(error: DeskError, at: Situation) -> Next:
    """A refusal is final, unless it comes of something we believed and AmoCRM has changed since; that is tried once."""
    paths = [refusal.path for refusal in error.refusals]
    if at.last_reason != error.code and at.step == LEAD:
        if at.contact_was_known and (any(CONTACT_ID.fullmatch(path) for path in paths) or error.code == "not_found"):
            return Next(QUEUED, forget="contact")
        if paths and all(map(_is_outdated, error.refusals)):
            return Next(QUEUED, forget="fields")
    return Next(REFUSED)


def _is_outdated(refusal: Refusal) -> bool:
    """Whether a field, or one of its choices, may have gone from the account since we read them."""
    is_choice = CHOICE.fullmatch(refusal.path) is not None and refusal.code == "NotSupportedChoice"
    return is_choice or DEFINITION.fullmatch(refusal.path) is not None


def pause_s(failures: int, chance: float) -> float:
    """Seconds before a lead's next try after its `failures`-th own failure in a row."""
    return min(FIRST_PAUSE_S * 2 ** min(failures - 1, 20), LONGEST_PAUSE_S) * (1 - SPREAD / 2 + SPREAD * chance)


def queue_pause(error: DeskError, failures: int) -> float:
    """Seconds until one lead tries for all. `failures`: tries for all in a row that failed, this one included."""
    if isinstance(error, NotSent):
        pauses: Sequence[float] = NETWORK_PAUSES_S
    elif error.code == "rate_limited":
        pauses = (FIRST_PAUSE_S,)
    elif error.code == "unpaid":
        pauses = UNPAID_PAUSES_S
    elif error.code == "blocked":
        pauses = (BLOCKED_PAUSE_S,)
    elif error.code in LONG_REFUSALS:
        pauses = RIGHTS_PAUSES_S
    else:
        pauses = (LOCKED_OUT_PAUSE_S,)
    return max(pauses[min(failures, len(pauses)) - 1], error.retry_after_s or 0.0)


def in_account(
    begun_in: int | None, present: int | None, *, is_there: bool, may_be_there: bool, todo: Collection[str]
) -> str:
    """What becomes of a lead begun in account `begun_in` while `present` is the connected one; both AmoCRM's numbers.

    `begun_in` None: written by a desk that did not keep it, and taken for the present one. `is_there`: its number in AmoCRM is
    known, be it ours or one that was there before. `may_be_there`: a creating request left and nobody knows. `todo`: kinds of steps
    that are not done.
    """
    if begun_in in (None, present) or not todo:
        return GO_ON
    if may_be_there:
        return TO_PERSON
    if not is_there:
        return BEGIN_ANEW  # at most its contact was looked up
    # Completing a task is about the task, and whoever does it looks in which account that is.
    return GO_ON if set(todo) == {TASK_DONE} else TO_PERSON


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a search for a lead of unknown fate leads to: "found", "look again", "send again" or "person".

    `lead_id`: the one found. `candidates`: what a person may choose from.
    """

    what: str
    lead_id: int | None = None
    candidates: tuple[int, ...] = ()


def after_look(
    found: Sequence[int],
    alike: Sequence[int],
    *,
    since_s: float,
    sends: int,
    reason: str | None,
    by_list: bool = True,
    has_marker: bool = True,
) -> Verdict:
    """What a whole search has shown.

    `found`: leads that carry our marker. `alike`: leads without any marker of ours and with the same phone and name,
    made in the time in question; only looked for where the request could carry no marker. `since_s`: from the end of the
    request to the search. `sends`: creating requests so far. `reason`: how the last one ended. `by_list`: whether the list of
    that time was read to its end, which shows what was just written. `has_marker`: whether full text could find it.
    """
    if found:
        return Verdict("found", min(found))  # more than one: an older one of ours arrived after all; the first is meant
    if len(alike) == 1:
        return Verdict("found", alike[0])
    if alike:
        return Verdict("person", candidates=tuple(alike))
    settled_s = HICCUP_PATIENCE_S if reason == "server_hiccup" else PATIENCE_S
    if since_s < (settled_s if by_list else INDEX_PATIENCE_S):
        return Verdict("look again")
    has_looked = by_list or has_marker
    return Verdict("send again" if has_looked and sends < MOST_SENDS else "person")


def next_look(since_s: float) -> float:
    """Seconds until AmoCRM is searched again, `since_s` seconds after the request ended."""
    return next((look - since_s for look in LOOKS_S if look > since_s + 1.0), LOOKS_S[-1] / 4)

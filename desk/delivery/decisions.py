"""Decisions about a delivery. Pure: facts and the time in, a decision out.

what an answer says about a write               fate_of
what becomes of a lead after a failed step      after
how long the whole queue waits                  queue_pause
how much of a wait was really waited for        waited
which leads of AmoCRM are read in a search      searched_from, searched_to
when AmoCRM is searched for a lead again        next_look
what a search has shown                         after_look
what becomes of a lead after a failed search    after_failed_look
what becomes of a lead of a former account      in_account
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from crm.errors import BrokenWord, Declined, DeskError, NoAnswer, NotLetIn, NotSent, OwnFault, Refusal, SetupError
from store import StoreError

QUEUED, SENDING, DELIVERED = "queued", "sending", "delivered"
UNKNOWN, NEEDS_DECISION, REFUSED, DROPPED = "unknown", "needs_decision", "refused", "dropped"

STATES = (QUEUED, SENDING, UNKNOWN, NEEDS_DECISION, REFUSED, DELIVERED, DROPPED)
FOR_PEOPLE = (NEEDS_DECISION, REFUSED)
"""States without progress before a person has acted."""

SETTLED = (DELIVERED, NEEDS_DECISION, REFUSED, DROPPED)

CONTACT, LEAD, NOTE, SEARCH = "contact", "lead", "note", "search"
"""Steps: looking the contact up, creating the lead, putting the note, searching for a lead of unknown fate."""

STAGE, TASK, TASK_DONE = "stage", "task", "task_done"
"""Further steps, agreed with the client on the phone: moving a lead, putting a task, completing an earlier task."""

WRITES = (LEAD, NOTE, STAGE, TASK, TASK_DONE)

ANOTHER_ACCOUNT = "another_account"
"""The reason of a lead in an account other than the connected account, for certain or perhaps."""

DESK_FAILED, DATABASE_FAILED = "desk_failed", "database_failed"
"""Reasons without a rule: a fault of our own, and a fault of the database under us."""

OWN_FAULTS = (DESK_FAILED, DATABASE_FAILED)

GO_ON, REQUEUE, TO_PERSON = "go on", "requeue", "to a person"
"""Results of `in_account`."""

NOT_DONE, NOBODY_KNOWS, SAID_NO = "not done", "nobody knows", "said no"
"""Fates of a request that ended in an error: certainly not carried out, perhaps carried out, refused."""

FIRST_PAUSE_S = 2.0
"""Before the second try of a lead; each further pause is twice as long."""

LONGEST_PAUSE_S = 900.0
"""Between two tries, however many there were."""

SPREAD = 0.5
"""Share by which pauses vary around their length, so that leads failing together do not return together."""

HORIZON_S = 24 * 3600.0
"""Sum of a lead's pauses for its own failures, after which the lead goes to a person. Pauses of the whole queue, and the time
in which no desk ran, are none of its own."""

MOST_STUMBLES = 10
"""Unforeseen failures in a row before a person is told, a quarter of an hour after the first. A database that restarts is
back by then, and our own bug is not mended by waiting for the day to end."""

NETWORK_PAUSES_S = (2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Pauses while AmoCRM cannot be reached: a look is free, and no lead should wait long once AmoCRM is back."""

UNPAID_PAUSES_S = (30.0, 60.0, 120.0, 300.0)
"""A 402 on a paid account lasts about nine minutes at night (sheet 4.1)."""

BLOCKED_PAUSE_S = 900.0
"""A block lasts until AmoCRM's support lifts the block; knocking makes matters no better (sheet 4.1)."""

LOCKED_OUT_PAUSE_S = 5.0
"""Pause without a usable key: asking our own connection costs no request. A new grant ends the wait at once."""

RIGHTS_PAUSES_S = (60.0, 300.0, 900.0)
"""Pauses while AmoCRM refuses rights, or a token only a person can change. A new grant or token ends the wait at once."""

LOOKS_S = (2.0, 6.0, 15.0, 30.0, 60.0, 90.0, 120.0)
"""Times of the searches for a lead of unknown fate, counted from the end of the request. Patient, because AmoCRM's search
may lag and a request may be carried out after its line was cut."""

PATIENCE_S = LOOKS_S[-1]
"""Time after the end of a request without a trace of the lead: the request was not carried out, and may be sent again."""

INDEX_PATIENCE_S = 1800.0
"""As `PATIENCE_S`, if AmoCRM's list could not be believed and only its full text was asked: an index may lag for long."""

HICCUP_PATIENCE_S = 15.0
"""As `PATIENCE_S`, if AmoCRM itself said "a system error, please repeat" (sheet 4.3)."""

SEARCH_PAUSES_S = (10.0, 20.0, 40.0, 60.0)
"""Pauses after an unfinished search: its lead holds up later leads of the same phone, and all lost leads share a search."""

NEAR_S = 0.5
"""Difference below which two waits are equally long: both are sums of clock readings."""

HOLD_PHONE_S = 600.0
"""Time for which a lead of unknown fate holds up later leads of its phone. By then AmoCRM's own search, which those ask, shows the
contact that may have been made with it."""

SLACK_S = 600.0
"""Margin around the time of a request: AmoCRM's clock and ours differ, and AmoCRM may have worked on the request a while."""

WIDE_S = 3 * 86_400.0
"""As `SLACK_S`, if AmoCRM's clock was not known when the request left, and ours may have been wrong by days."""

MOST_SENDS = 5
"""Creating requests of unknown fate for a lead. After so many a person should look into the lead's trouble with AmoCRM."""

KNOWN = frozenset(
    {
        "unreachable", "name_unknown", "tls_failed", "too_late_to_send", "no_turn", "cut_off", "too_slow", "rate_limited", "unpaid",
        "blocked", "rights_missing", "token_rejected", "server_error", "server_hiccup", "not_routed", "garbled",
        "validation", "bad_request", "too_many_items", "not_found", "lead_deleted", "filter_ignored", "same_page",
        "not_connected", "integration_missing", "worker_died", "secret_key_wrong", "long_lived_expired",
        "grant_revoked", "grant_expired", "grant_invalid", "client_id_wrong", "client_secret_wrong", "client_not_allowed",
        "account_refuses", "person_switched_off", "redirected", "request_too_large", "too_many_links",
        "redirect_uri_wrong", "account_wrong", "account_gone", "refresh_lost", "refresh_stuck", "refresh_waiting",
        "switched_off", "clock_wrong", "token_answer_incomplete", ANOTHER_ACCOUNT, DESK_FAILED, DATABASE_FAILED,
    }
)  # fmt: skip
"""Failures with a rule of their own. Any further failure is told to a person as strange, besides its effect on the lead."""

PERHAPS_ITS_OWN = frozenset({"rights_missing", "account_refuses", "unexpected_answer"})
"""Refusals of writing that seem to affect the whole queue, and are a lead's own if other leads got through meanwhile. That a read
succeeds says nothing about them."""

LONG_REFUSALS = PERHAPS_ITS_OWN | {"redirected"}
"""Refusals only a person can mend, in AmoCRM or here; each look costs a request."""

DEFINITION = re.compile(r"(_embedded\.contacts\.\d+\.)?custom_fields_values\.\d+\.field_(id|code)")
CHOICE = re.compile(r"(_embedded\.contacts\.\d+\.)?custom_fields_values\.\d+\.values\.\d+\.(value|enum_(id|code))")
CONTACT_ID = re.compile(r"_embedded\.contacts\.\d+(\.id)?")


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts known when a step of a lead has failed."""

    step: str
    failures: int = 1  # of its own in a row, this one included
    trying_s: float = 0.0  # pauses it got for them
    stumbles: int = 0  # the last of them in a row that nobody foresaw, this one included
    last_reason: str | None = None  # of the try before this one
    contact_was_known: bool = False
    others_got_through: bool = False  # this step succeeded for another lead since it last failed for this one
    own_lead: bool = True  # a lead of our making, and not one that was there before
    has_left: bool = True  # the step's request may have left


@dataclass(frozen=True, slots=True)
class Next:
    """The next state of a lead after a failed step.

    `pause_s`: until it is looked at again. `whole_queue`: all leads wait, and this failure is not the lead's own.
    `forget`: what we believed of AmoCRM and have to ask anew before the next try: "contact" or "fields".
    """

    state: str
    pause_s: float = 0.0
    whole_queue: bool = False
    forget: str | None = None


def as_fault(error: Exception) -> DeskError:
    """Turn any exception into an error of the desk's own tree."""
    if isinstance(error, DeskError):
        return error
    return OwnFault(DATABASE_FAILED if isinstance(error, StoreError | SQLAlchemyError) else DESK_FAILED)


def fate_of(error: DeskError) -> str:
    """The fate of a write that ended in an error: `NOT_DONE`, `NOBODY_KNOWS` or `SAID_NO`."""
    if isinstance(error, NotSent | NotLetIn | SetupError | Declined) or error.code == "not_routed":
        return NOT_DONE
    if isinstance(error, NoAnswer | BrokenWord | OwnFault):
        return NOBODY_KNOWS
    return SAID_NO


def affects_whole_queue(error: DeskError) -> bool:
    """Whether a failure would meet all leads alike: no way to AmoCRM, no key, no payment, no rights, too fast."""
    return isinstance(error, NotSent | NotLetIn | SetupError | Declined) and error.code != "too_late_to_send"


def is_thrown_away(error: DeskError) -> bool:
    """Whether a refusal is about a lead in the bin, or merged into a different lead."""
    paths = {refusal.path for refusal in error.refusals}
    return error.code in ("lead_deleted", "not_found") or paths == {"entity_id"}


def is_strange(code: str) -> bool:
    """Whether a failure has no rule of its own."""
    return code not in KNOWN


def after(error: DeskError, at: Situation, chance: float) -> Next:
    """Decide the next state of a lead after a failed step. `chance`: a random number in [0, 1)."""
    if error.code in PERHAPS_ITS_OWN and at.last_reason == error.code and at.others_got_through:
        return Next(REFUSED)  # others may: it is something about this lead
    if affects_whole_queue(error):
        return Next(QUEUED, whole_queue=True)
    if at.step == LEAD and at.has_left and fate_of(error) == NOBODY_KNOWS:
        return Next(UNKNOWN, LOOKS_S[0])
    denied = (
        at.step != LEAD and at.own_lead and is_thrown_away(error)
    )  # a lead of ours that is there: it will be seen yet
    if at.step in WRITES and fate_of(error) == SAID_NO and not denied:
        return _after_no(error, at, chance)
    if is_hopeless(at.trying_s, at.stumbles):
        return Next(NEEDS_DECISION)
    return Next(QUEUED, max(pause_s(at.failures, chance), error.retry_after_s or 0.0))


def is_hopeless(trying_s: float, stumbles: int) -> bool:
    """Whether a person has to look at a lead, after too long a time of own failures or too many unforeseen failures."""
    return trying_s >= HORIZON_S or stumbles >= MOST_STUMBLES


def _after_no(error: DeskError, at: Situation, chance: float) -> Next:
    """Decide about a refusal: final, unless AmoCRM may have changed since we read its fields; then the lead is tried once more.

    An AmoCRM that finds a new fault each time is not asked without a pause, nor for ever.
    """
    paths = [refusal.path for refusal in error.refusals]
    if at.last_reason != error.code and at.step == LEAD and not is_hopeless(at.trying_s, at.stumbles):
        wait_s = 0.0 if at.failures == 1 else pause_s(at.failures, chance)
        if at.contact_was_known and (any(CONTACT_ID.fullmatch(path) for path in paths) or error.code == "not_found"):
            return Next(QUEUED, wait_s, forget="contact")
        if paths and all(map(_is_outdated, error.refusals)):
            return Next(QUEUED, wait_s, forget="fields")
    return Next(REFUSED)


def _is_outdated(refusal: Refusal) -> bool:
    """Whether a field may have gone from the account since we read the fields, or have a new type or new choices by now."""
    return any(part.fullmatch(refusal.path) for part in (DEFINITION, CHOICE))


def pause_s(failures: int, chance: float) -> float:
    """Seconds before a lead's next try after its `failures`-th own failure in a row."""
    return min(FIRST_PAUSE_S * 2 ** min(failures - 1, 20), LONGEST_PAUSE_S) * (1 - SPREAD / 2 + SPREAD * chance)


def queue_pause(error: DeskError, failures: int) -> float:
    """Seconds until a lead tries for all. `failures`: failed tries for all in a row, the present included."""
    if isinstance(error, NotSent):
        pauses: Sequence[float] = NETWORK_PAUSES_S
    elif error.code == "rate_limited":
        pauses = (FIRST_PAUSE_S,)
    elif error.code == "unpaid":
        pauses = UNPAID_PAUSES_S
    elif error.code == "blocked":
        pauses = (BLOCKED_PAUSE_S,)
    elif error.code in LONG_REFUSALS or error.code == "token_rejected":
        pauses = RIGHTS_PAUSES_S
    else:
        pauses = (LOCKED_OUT_PAUSE_S,)
    return max(pauses[min(failures, len(pauses)) - 1], error.retry_after_s or 0.0)


def in_account(
    begun_in: int | None, present: int | None, *, is_there: bool, may_be_there: bool, todo: Collection[str]
) -> str:
    """Decide about a lead begun in account `begun_in` while `present` is connected; both AmoCRM's numbers.

    `begun_in` None: written by a desk that did not keep it, and taken for the present one. `is_there`: its number in AmoCRM is
    known, be it ours or one that was there before. `may_be_there`: a creating request left and nobody knows. `todo`: kinds of steps
    that are not done.
    """
    if begun_in in (None, present) or not todo:
        return GO_ON
    if may_be_there:
        return TO_PERSON
    if not is_there:
        return REQUEUE  # at most its contact was looked up
    # Completing a task is about the task, and whoever does it looks in which account that is.
    return GO_ON if set(todo) == {TASK_DONE} else TO_PERSON


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a search for a lead of unknown fate: "found", "look again", "send again" or "person".

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
    """Decide about a lead after a whole search.

    `found`: leads that carry our marker. `alike`: leads without any marker of ours and with the same phone and name,
    made in the time in question; only looked for where the request could carry no marker. `since_s`: waited for it since
    the request ended. `sends`: creating requests so far. `reason`: how the last one ended. `by_list`: whether the list of
    that time was read to its end, which shows what was just written. `has_marker`: whether full text could find it.
    """
    if found:
        return Verdict("found", min(found))  # more than one: an older one of ours arrived after all; the first is meant
    if len(alike) == 1:
        return Verdict("found", alike[0])
    if alike:
        return Verdict("person", candidates=tuple(alike))
    if since_s + NEAR_S < (_patience_s(reason) if by_list else INDEX_PATIENCE_S):
        return Verdict("look again")
    has_looked = by_list or has_marker
    return Verdict("send again" if has_looked and sends < MOST_SENDS else "person")


def is_last_look(since_s: float, reason: str | None) -> bool:
    """Whether a look may end in sending again, so that list and full text both have to be asked. As for `after_look`."""
    return since_s + NEAR_S >= _patience_s(reason)


def _patience_s(reason: str | None) -> float:
    return HICCUP_PATIENCE_S if reason == "server_hiccup" else PATIENCE_S


def waited(pause_s: float, by_clock_s: float, by_process_s: float | None) -> float:
    """The seconds of a pause that were really waited for, and never more than the pause itself.

    `by_clock_s`: since it was written down, by a clock that may have jumped. `by_process_s`: the same by a clock that cannot, which
    is believed alone; None if another process has written it down, or this one before it was started again.
    """
    return max(0.0, min(pause_s, by_clock_s if by_process_s is None else by_process_s))


def searched_from(sent_s: float, now_s: float, *, theirs_s: float | None, ahead_s: float, is_last: bool) -> float:
    """Begin of the part of AmoCRM's list read for a request sent at `sent_s`, in unix seconds of AmoCRM's clock.

    `sent_s` and `now_s` are of our clock, which may have been wrong then or be wrong now; `ahead_s`: by how much it is ahead of AmoCRM's.
    `theirs_s`: when the request left by AmoCRM's clock; None if that was not known. Before absence is believed, days are read then.
    """
    candidates = [sent_s - ahead_s, now_s - ahead_s, *([] if theirs_s is None else [theirs_s])]
    return max(0.0, min(candidates) - (WIDE_S if is_last and theirs_s is None else SLACK_S))


def searched_to(sent_s: float, now_s: float, *, ahead_s: float) -> float:
    """End of the part of AmoCRM's list read for a request. Wide: AmoCRM's future is empty, and a wrong clock must hide no lead."""
    return max(sent_s, now_s, now_s - ahead_s) + WIDE_S


def after_failed_look(error: DeskError, failures: int, trying_s: float, stumbles: int) -> float | None:
    """Seconds until AmoCRM is searched again after a failed search; None: a person has to look.

    `failures`: searches in a row that failed, this one included. `trying_s`: the pauses they led to.
    """
    if affects_whole_queue(error):
        return SEARCH_PAUSES_S[0]  # the queue's own pause comes first
    if is_hopeless(trying_s, stumbles):
        return None
    return SEARCH_PAUSES_S[min(failures, len(SEARCH_PAUSES_S)) - 1]


def next_look(since_s: float) -> float:
    """Seconds until AmoCRM is searched again, `since_s` seconds after the request ended."""
    return next((look - since_s for look in LOOKS_S if look > since_s + 1.0), LOOKS_S[-1] / 4)

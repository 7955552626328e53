"""An operator's entry: the typed values, checked, and the following steps in AmoCRM. Pure.

raw values of the form ─► read ─► Entry ─► steps ─► what the outbox has to do
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm import tasks
from desk import lead as lead_rules
from desk import phones
from desk.calls.choice import ADD, Choice
from desk.delivery.decisions import LEAD, NOTE, STAGE, TASK, TASK_DONE
from desk.fields import Mapped
from desk.lead import FieldFault, NewLead
from desk.words import Words

OUTCOMES = ("talked", "busy", "no_answer", "wrong_number", "refused")
NOT_ASKED = "not_asked"
HEARD = (NOT_ASKED, "friend", "search", "maps", "social", "street", "ad", "was_member", "other")
"""Ways in which callers heard of us. "Not asked" is an answer of its own, and is counted."""

CALL_BACK, VISIT, TRIAL, NOTHING = "call_back", "visit", "trial", "nothing"
NEXT = (CALL_BACK, VISIT, TRIAL, NOTHING)

WHEN = ("quarter", "hour", "three_hours", "evening", "morning", "own")
"""Times of the next step, in the words of people. All but "own" lie ahead, at any time of day."""

SPANS = {"quarter": timedelta(minutes=15), "hour": timedelta(hours=1), "three_hours": timedelta(hours=3)}
EVENING, MORNING = time(18), time(10)
OPENS, CLOSES = time(8), time(20)
"""Hours between which a call-back in an hour is polite."""

ME, ANYONE = "me", "anyone"

LONGEST_REASON = 250
LONGEST_VERSION = 9  # digits

CALL_FIELDS = (
    "outcome",
    "heard",
    "step",
    "when",
    "day",
    "time",
    "who",
    "reason",
    "consent",
    "choice",
    "stage",
    "consent_text",
)
"""Fields of the form besides the fields of a lead."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A call, fit to be saved. `step_at` None: no next step. `mine`: the next step is the operator's own.

    `consent_text`: the version that was read out; "" for the one that counts when it is saved.
    """

    lead: NewLead
    choice: Choice
    outcome: str
    heard: str
    step: str
    step_at: datetime | None
    mine: bool
    reason: str
    consented: bool
    consent_text: str = ""


def read(
    raw: Mapping[str, Any], added: Sequence[Mapped], now: datetime, zone: ZoneInfo
) -> tuple[Entry | None, list[FieldFault]]:
    """Check the values of the form; return the entry, or every fault. A missing value is as the form begins."""
    said = dict(raw)
    lead, faults = lead_rules.read(said, added, strict=lead_rules.every_field(added), zone=zone)
    step = _one_of(said, "step", NEXT)
    at, more = _moment(said, step, now, zone)
    faults += more
    reason = (
        lead_rules.label(said, "reason", LONGEST_REASON, faults, required=step == NOTHING) if step == NOTHING else ""
    )
    if lead is None or faults:
        return None, faults
    entry = Entry(
        lead=lead,
        choice=Choice.of(str(said.get("choice") or ""), str(said.get("stage") or "")),
        outcome=_one_of(said, "outcome", OUTCOMES),
        heard=_one_of(said, "heard", HEARD),
        step=step,
        step_at=at,
        mine=said.get("who") == ME,
        reason=reason,
        consented=said.get("consent") is True,
        consent_text=_version(said.get("consent_text")),
    )
    return entry, []


def suggested(now: datetime, zone: ZoneInfo) -> str:
    """Suggest a time for the call-back: in an hour while people are awake, else tomorrow morning."""
    return "hour" if OPENS <= now.astimezone(zone).time() < CLOSES else "morning"


def moment_of(when: str, now: datetime, zone: ZoneInfo, day: date | None = None, at: time | None = None) -> datetime:
    """Convert a choice ("hour", "evening", …) to a moment: ahead of us, but for "own", which may be past. `day`, `at`: of "own"."""
    local = now.astimezone(zone)
    if when in SPANS:
        return now + SPANS[when]
    if when == "own" and day is not None and at is not None:
        return datetime.combine(day, at, zone)
    if when == "evening" and local.time() < EVENING:
        return datetime.combine(local.date(), EVENING, zone)
    return datetime.combine(local.date() + timedelta(days=1), EVENING if when == "evening" else MORNING, zone)


def steps(
    entry: Entry, *, now: datetime, zone: ZoneInfo, say: Words, operator: str, user_id: int | None, answers: str | None
) -> list[tuple[str, Any]]:
    """List the steps in AmoCRM, in order.

    `user_id`: the operator's in AmoCRM. `answers`: the entry called back for.
    """
    todo: list[tuple[str, Any]] = []
    lines = _lines(entry, say)
    if entry.choice.kind == ADD:
        todo.append((NOTE, {"lines": [_heading(entry, now, zone, say, operator), *lines]}))
        if entry.choice.stage is not None:
            pipeline_id, status_id = entry.choice.stage
            todo.append((STAGE, {"pipeline_id": pipeline_id, "status_id": status_id}))
    else:
        todo += [(LEAD, None), (NOTE, {"lines": lines} if lines else None)]
    if entry.step_at is not None:
        todo.append((TASK, _task(entry, say, operator, user_id)))
    if answers is not None:
        todo.append((TASK_DONE, {"of": answers, "text": say(f"call-outcome-{entry.outcome}")}))
    return todo


def named(entry: Entry, name: str) -> Entry:
    """The same call under an already known name."""
    return replace(entry, lead=replace(entry.lead, name=name))


def _moment(
    raw: Mapping[str, Any], step: str, now: datetime, zone: ZoneInfo
) -> tuple[datetime | None, list[FieldFault]]:
    """The next step's moment, None for no step; an unknown `when` counts as the suggested one."""
    if step == NOTHING:
        return None, []
    when = raw.get("when")
    if when not in WHEN:
        when = suggested(now, zone)
    if when != "own":
        return moment_of(when, now, zone), []
    try:
        day, at = date.fromisoformat(str(raw.get("day") or "")), time.fromisoformat(str(raw.get("time") or ""))
    except ValueError:
        return None, [FieldFault("when", "no_moment")]
    moment = moment_of("own", now, zone, day, at)
    return (moment, []) if moment > now else (None, [FieldFault("when", "in_the_past")])


def _one_of(raw: Mapping[str, Any], name: str, choices: Sequence[str]) -> str:
    value = raw.get(name)
    return value if isinstance(value, str) and value in choices else choices[0]


def _version(value: object) -> str:
    return value if isinstance(value, str) and value.isdecimal() and len(value) < LONGEST_VERSION else ""


def _lines(entry: Entry, say: Words) -> list[str]:
    """Lines of the note for answers without a field in AmoCRM. Usual answers are left out."""
    told = []
    if entry.outcome != OUTCOMES[0]:
        told.append(say("note-value", label=say("call-outcome"), value=say(f"call-outcome-{entry.outcome}")))
    if entry.heard != NOT_ASKED:
        told.append(say("note-value", label=say("call-heard"), value=say(f"call-heard-{entry.heard}")))
    if entry.reason:
        told.append(say("note-value", label=say("call-step-nothing"), value=entry.reason))
    return told


def _heading(entry: Entry, now: datetime, zone: ZoneInfo, say: Words, operator: str) -> str:
    return say(
        "call-note",
        time=f"{now.astimezone(zone):%d.%m.%Y %H:%M}",
        name=entry.lead.name or say("nameless"),
        phone=phones.display(entry.lead.phone),
        operator=operator or "—",
    )


def _task(entry: Entry, say: Words, operator: str, user_id: int | None) -> dict[str, Any]:
    assert entry.step_at is not None  # noqa: S101 - asked by `steps`
    text = say(
        f"call-task-{entry.step}",
        name=entry.lead.name or say("nameless"),
        phone=phones.display(entry.lead.phone),
        who=operator if entry.mine and operator else say("call-who-anyone"),
    )
    return {
        "text": text,
        "complete_till": int(entry.step_at.timestamp()),
        "task_type_id": tasks.CALL if entry.step == CALL_BACK else tasks.MEETING,
        "responsible_user_id": user_id if entry.mine else None,
    }

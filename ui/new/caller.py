"""Who is calling: the card beside the form, and whose call it is.

What the card shows is what saving does: a number nobody has looked at yet is shown first, and saved by the next press.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from desk import lead as lead_rules
from desk import phones
from desk.calls.asking import ANSWERED, ASKING, FAILED, Asked
from desk.calls.entry import ADD, OTHER, SAME
from desk.calls.lookup import KnownLead, Look, Person, open_stages
from desk.desk import the_desk
from store import clock
from ui.frame import formats
from ui.frame.frame import fragment
from ui.frame.parts import lead_link, moment, zone
from ui.frame.words import error_words, language, say
from ui.streamlit_gaps import handover

SHOWN = "new.shown"
"""What the card has shown last: a `Shown`."""

CHOICE, STAGE = "new.choice", "new.stage"

ANSWER_EVERY_S = 0.4
"""How often the screen looks whether AmoCRM has answered."""

LEADS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """What stood on the card for a number as typed: whom it may be, and what saving would do."""

    text: str
    look: Look
    code: str
    asked: Asked | None = None
    is_warning: bool = False


# What the form asks the card


def look_up(text: str) -> None:
    """Look up what stands in the phone field. A few small reads; AmoCRM is asked beside."""
    before = st.session_state.get(SHOWN)
    found = the_desk().calls.look(text) if text else Look(None)
    asked = the_desk().calls.ask(found.phone, *found.others) if found.phone else None
    warned = isinstance(before, Shown) and before.text == text and before.is_warning
    st.session_state[SHOWN] = Shown(text, found, _code(found), asked, warned)


def choice_shown(raw: Mapping[str, Any]) -> str:
    """What the card said would be done, for the number that stands in the form; "" where it said nothing."""
    shown = _shown(raw)
    return shown.code if shown else ""


def known_name(raw: Mapping[str, Any]) -> str:
    """The name of the person the card has shown and the operator has chosen."""
    shown = _shown(raw)
    person = _of_code(shown.look, shown.code) if shown else None
    return lead_rules.fit_name(person.name) if person else ""


def must_look_first(raw: Mapping[str, Any]) -> bool:
    """Whether the number is known and nobody has seen that yet: then the first press only shows it."""
    text = str(raw.get("phone") or "")
    if _shown(raw) is not None or not text:
        return False
    found = the_desk().calls.look(text)
    if not found.exact:
        return False
    st.session_state[SHOWN] = Shown(text, found, _code(found), is_warning=True)
    return True


def _shown(raw: Mapping[str, Any]) -> Shown | None:
    shown = st.session_state.get(SHOWN)
    return shown if isinstance(shown, Shown) and shown.text == str(raw.get("phone") or "") else None


def _code(found: Look) -> str:
    """What was chosen, where it still is on offer; else a note on the open lead, else a new lead of the person."""
    chosen = str(st.session_state.get(CHOICE) or "")
    offered = [code for code, _ in _offers(found)]
    return chosen if chosen in offered else next(iter(offered), "")


def _offers(found: Look) -> Iterator[tuple[str, Person | None]]:
    """What may be done for a number that is known, the likeliest first."""
    for person in found.exact:
        if person.open_lead is not None:
            yield f"{ADD}:{person.open_lead.id}", person
        if person.contact_id is not None:
            yield f"{SAME}:{person.contact_id}", person
    if found.exact:
        yield f"{OTHER}:{found.phone}", None  # said of this number, so it is gone with it


def _of_code(found: Look, code: str) -> Person | None:
    return next((person for offered, person in _offers(found) if offered == code), None)


# Drawing


def caller(keep: Callable[[], None], take_number: Callable[[str], None], stage_given: str | None) -> None:
    """The card of the number in the form, where there is anything to show.

    `keep`: called when something was chosen; `take_number`: when it was one of the near numbers.
    """
    shown = st.session_state.get(SHOWN)
    is_there = isinstance(shown, Shown) and bool(shown.look.phone or shown.look.near)
    with st.container(border=is_there, key="new.whose", gap="xsmall"):
        whose, source = st.container(gap="xsmall"), st.container()
    if not isinstance(shown, Shown) or not is_there:
        return
    with whose:
        if shown.is_warning:
            st.warning(say("caller-look-first"), icon=":material/visibility:")
        if shown.look.exact:
            _exact(shown, keep, stage_given)
        elif shown.look.phone:
            st.markdown(
                f":material/person_add: **{say('caller-unknown' if _is_sure(shown) else 'caller-not-known-yet')}**"
            )
        if shown.look.near:
            words = "caller-near" if shown.look.phone else "caller-beginning"
            _near(shown.look.near, take_number, "caller-near-too" if shown.look.exact else words)
    with source:
        _source(shown)


def _exact(shown: Shown, keep: Callable[[], None], stage_given: str | None) -> None:
    for person in shown.look.exact:
        name, phone = formats.plain(person.name or say("nameless")), formats.plain(phones.display(person.phone))
        st.markdown(f":material/person: **{name}** · {phone}")
        for lead in person.leads[:LEADS_SHOWN]:
            _lead(lead)
        if len(person.leads) > LEADS_SHOWN:
            st.caption(say("caller-more", count=len(person.leads) - LEADS_SHOWN))
        if not person.leads:
            st.caption(say("caller-no-leads"))
    if shown.asked is not None and shown.asked.note is not None:
        text, at = shown.asked.note
        st.caption(say("caller-note", time=moment(datetime.fromtimestamp(at, UTC))))
        st.text(text[:400])
    st.markdown(say("caller-whose"))
    several = len(shown.look.exact) > 1
    for number, (code, whose) in enumerate(_offers(shown.look), 1):
        label = say(f"caller-offer-{code.partition(':')[0]}", id=code.partition(":")[2])
        st.button(
            f"{label} · {formats.plain(whose.name)}" if several and whose else label,
            key=f"new.offer_{number}",
            type="primary" if code == shown.code else "secondary",
            icon=":material/radio_button_checked:" if code == shown.code else ":material/radio_button_unchecked:",
            shortcut=f"Alt+{number}" if number < 10 else None,
            width="stretch",
            on_click=_choose,
            args=(code, keep),
        )
    if shown.code.startswith(ADD):
        _stage(shown, keep, stage_given)


def _stage(shown: Shown, keep: Callable[[], None], given: str | None) -> None:
    """Where the lead goes, if it goes anywhere."""
    person = _of_code(shown.look, shown.code)
    lead = person.open_lead if person else None
    if lead is None:
        return
    names = {
        f"{lead.id}:{lead.pipeline_id}:{status_id}": name
        for status_id, name in open_stages(the_desk().store, lead.pipeline_id)
        if status_id != lead.status_id
    }
    codes = list(names)
    if st.session_state.get(STAGE) not in names:
        st.session_state.pop(STAGE, None)
    st.selectbox(
        say("caller-stage"),
        codes,
        index=codes.index(given) if given in names else None,
        format_func=lambda code: names.get(code, code),
        placeholder=say("caller-stage-same", stage=lead.stage or "—"),
        key=STAGE,
        on_change=keep,
    )


def _lead(lead: KnownLead) -> None:
    """One lead in two lines: where it is, whose, when something happened, what is to be done."""
    told = [lead.direction, lead.owner, say("caller-changed", ago=_ago(lead.updated_at))]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        color = "blue" if lead.is_open else "gray"
        st.badge(formats.plain(lead.stage or say("caller-no-stage")), color=color)  # type: ignore[arg-type]
        if the_desk().connection.status().connected and (address := lead_link(lead.id)):
            st.link_button(str(lead.id), address, icon=":material/open_in_new:", type="tertiary")
    st.caption(" · ".join(formats.plain(part) for part in told if part))
    if lead.closest_task_at is not None:
        due = datetime.fromtimestamp(lead.closest_task_at, UTC)
        key = "caller-task-late" if due < clock.now() else "caller-task"
        st.markdown(f":orange[:material/task_alt: {say(key, time=moment(due))}]")


def _near(near: Sequence[Person], take_number: Callable[[str], None], words: str) -> None:
    st.markdown(say(words))
    for place, person in enumerate(near):
        stage = person.open_lead.stage if person.open_lead else ""
        label = " · ".join(filter(None, [person.name or say("nameless"), phones.display(person.phone), stage]))
        st.button(
            formats.plain(label),
            key=f"new.near_{place}",
            type="tertiary",
            icon=":material/contact_phone:",
            on_click=take_number,
            args=(phones.display(person.phone),),
            help=say("caller-take"),
        )


def _is_sure(shown: Shown) -> bool:
    """Whether somebody has looked who would know the number: AmoCRM, or a copy of it that was read to its end."""
    has_answered = shown.asked is not None and shown.asked.state == ANSWERED
    return has_answered or the_desk().mirror.status().state in ("following", "stale")


def _source(shown: Shown) -> None:
    """Whose word this is, and how fresh."""
    status = the_desk().mirror.status()
    as_of = formats.time_of_day(status.as_of, language(), zone()) if status.as_of else "—"
    if shown.asked is None:
        st.caption(say("caller-typing", time=as_of))
    elif shown.asked.state == ASKING:
        _waiting((shown.look.phone or "", *shown.look.others))
    elif shown.asked.state == FAILED:
        what, _ = error_words(shown.asked.reason or "unreachable")
        st.caption(f":material/cloud_off: {say('caller-failed', time=as_of)} {what}")
    elif shown.asked.state == ANSWERED:
        st.caption(f":material/cloud_done: {say('caller-answered')}")


@fragment(is_inner=True, run_every=ANSWER_EVERY_S)
def _waiting(numbers: tuple[str, ...]) -> None:
    """AmoCRM has been asked; the screen is drawn again when it has answered, and the browser has heard of all before."""
    st.caption(f":material/sync: {say('caller-asking')}")
    if not handover.is_drawing() and handover.waiting() is None and the_desk().calls.ask(*numbers).state != ASKING:
        st.rerun()


def _choose(code: str, keep: Callable[[], None]) -> None:
    st.session_state[CHOICE] = code
    keep()


def _ago(unix_s: int) -> str:
    return formats.ago(datetime.fromtimestamp(unix_s, UTC), language())

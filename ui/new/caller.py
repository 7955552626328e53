"""The card beside the form: the caller, and the choice of the call's owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from desk import phones
from desk.calls.asking import ANSWERED, ASKING, FAILED
from desk.calls.choice import ADD, Offer, offers, stage_code
from desk.calls.lookup import KnownLead, Person
from desk.desk import the_desk
from store import clock
from ui.frame import formats
from ui.frame.frame import fragment
from ui.frame.parts import lead_link, moment, zone
from ui.frame.words import error_words, language, say
from ui.new.draft import choose, given_stage, keep, take_number
from ui.new.shown import Shown, on_card
from ui.streamlit_gaps import handover

STAGE = "new.stage"
"""The new stage of the chosen lead, as written by `stage_code`."""

ANSWER_EVERY_S = 0.4
"""How often the screen looks whether AmoCRM has answered."""

LEADS_SHOWN = 3


def caller() -> None:
    """The card of the number in the form; empty without anything to show."""
    shown = on_card()
    is_there = shown is not None and bool(shown.found.phone or shown.found.near)
    with st.container(border=is_there, key="new.whose", gap="xsmall"):
        whose, source = st.container(gap="xsmall"), st.container()
    if shown is None or not is_there:
        return
    with whose:
        if shown.is_warning:
            st.warning(say("caller-look-first"), icon=":material/visibility:")
        if shown.found.exact:
            _exact(shown)
        elif shown.found.phone:
            st.markdown(
                f":material/person_add: **{say('caller-unknown' if _is_sure(shown) else 'caller-not-known-yet')}**"
            )
        if shown.found.near:
            words = "caller-near" if shown.found.phone else "caller-beginning"
            _near(shown.found.near, "caller-near-too" if shown.found.exact else words)
    with source:
        _source(shown)


def _exact(shown: Shown) -> None:
    """The people with the very number, and the choice among the offers."""
    for person in shown.found.exact:
        name, phone = formats.plain(person.name or say("nameless")), formats.plain(phones.display(person.phone))
        st.markdown(f":material/person: **{name}** · {phone}")
        for lead in person.leads[:LEADS_SHOWN]:
            _lead(lead)
        if len(person.leads) > LEADS_SHOWN:
            st.caption(say("caller-more", count=len(person.leads) - LEADS_SHOWN))
        if not person.leads:
            st.caption(say("caller-no-leads"))
    if shown.inquiry is not None and shown.inquiry.note is not None:
        text, at = shown.inquiry.note
        st.caption(say("caller-note", time=moment(datetime.fromtimestamp(at, UTC))))
        st.text(text[:400])
    _offers(shown)
    if shown.offer and shown.offer.choice.kind == ADD:
        _stage(shown.offer)


def _offers(shown: Shown) -> None:
    """A button for each offer; the selected offer is marked."""
    st.markdown(say("caller-whose"))
    several = len(shown.found.exact) > 1
    for number, offer in enumerate(offers(shown.found), 1):
        label = say(f"caller-offer-{offer.choice.kind}", id=str(offer.choice.amo_lead_id))
        is_selected = shown.offer is not None and offer.code == shown.offer.code
        st.button(
            f"{label} · {formats.plain(offer.person.name)}" if several and offer.person else label,
            key=f"new.offer_{number}",
            type="primary" if is_selected else "secondary",
            icon=":material/radio_button_checked:" if is_selected else ":material/radio_button_unchecked:",
            shortcut=f"Alt+{number}" if number < 10 else None,
            width="stretch",
            on_click=choose,
            args=(offer.code,),
        )


def _stage(offer: Offer) -> None:
    """The choice of a stage for the offer's lead; by itself the lead stays in its stage."""
    lead = offer.person.open_lead if offer.person else None
    if lead is None:
        return
    names = {
        stage_code(lead, status_id): name
        for status_id, name in the_desk().calls.open_stages(lead.pipeline_id)
        if status_id != lead.status_id
    }
    codes, begun_with = list(names), given_stage()
    if st.session_state.get(STAGE) not in names:
        st.session_state.pop(STAGE, None)
    st.selectbox(
        say("caller-stage"),
        codes,
        index=codes.index(begun_with) if begun_with in names else None,
        format_func=lambda code: names.get(code, code),
        placeholder=say("caller-stage-same", stage=lead.stage or "—"),
        key=STAGE,
        on_change=keep,
    )


def _lead(lead: KnownLead) -> None:
    """A lead in two lines: stage, direction, owner, last change, next task."""
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


def _near(near: Sequence[Person], words: str) -> None:
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
    """Whether the answer is certain: from AmoCRM, or from a copy of AmoCRM read to its end."""
    has_answered = shown.inquiry is not None and shown.inquiry.state == ANSWERED
    return has_answered or the_desk().mirror.status().state in ("following", "stale")


def _source(shown: Shown) -> None:
    """The source of the answer, and its age."""
    status = the_desk().mirror.status()
    as_of = formats.time_of_day(status.as_of, language(), zone()) if status.as_of else "—"
    if shown.inquiry is None:
        st.caption(say("caller-typing", time=as_of))
    elif shown.inquiry.state == ASKING:
        _waiting((shown.found.phone or "", *shown.found.others))
    elif shown.inquiry.state == FAILED:
        what, _ = error_words(shown.inquiry.reason or "unreachable")
        st.caption(f":material/cloud_off: {say('caller-failed', time=as_of)} {what}")
    elif shown.inquiry.state == ANSWERED:
        st.caption(f":material/cloud_done: {say('caller-answered')}")


@fragment(is_inner=True, run_every=ANSWER_EVERY_S)
def _waiting(numbers: tuple[str, ...]) -> None:
    """Wait for AmoCRM's answer, then draw the screen again, once the browser has heard of everything before."""
    st.caption(f":material/sync: {say('caller-asking')}")
    if not handover.is_drawing() and handover.waiting() is None and the_desk().calls.ask(*numbers).state != ASKING:
        st.rerun()


def _ago(unix_s: int) -> str:
    return formats.ago(datetime.fromtimestamp(unix_s, UTC), language())

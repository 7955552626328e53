"""The form of the call desk: its fields in the order of a conversation, its buttons, the drafts above."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import streamlit as st

from desk import phones
from desk.calls import Draft, entry
from desk.calls.choice import NEW
from desk.desk import the_desk
from desk.field_values import CHOICE_TYPES, DAY_TYPES, MOMENT, SEVERAL
from desk.fields import Mapped
from desk.lead import FieldFault
from desk.reading import names
from store import clock
from ui.frame import formats
from ui.frame.parts import faults_of, zone
from ui.frame.person import person
from ui.frame.words import say
from ui.new.draft import (
    agree,
    at_hand,
    clear,
    faults_left,
    given,
    is_begun,
    keep,
    start,
    submit,
    take_name,
    take_up,
    typed,
)
from ui.new.shown import known_name, look_up, offer_shown
from ui.new.values import FIRST_DAY, LAST_DAY, added_fields
from ui.streamlit_gaps import scripts

STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-new-save) {
  position: sticky; bottom: 0; z-index: 5; padding: 0.5rem 0; backdrop-filter: blur(14px);
}
/* Streamlit's own small print is too pale to be read by everybody. */
.st-key-new-desk kbd, .st-key-new-drafts kbd { opacity: 1; color: inherit }
.st-key-new-desk [data-testid="stCaptionContainer"] { color: inherit; opacity: 0.85 }
.st-key-new-turn { display: none }
.st-key-new-figures table { font-size: 0.8rem }
.st-key-new-figures :is(th, td) { padding: 0.25rem 0.4rem }
@media (max-width: 640px) {
  .st-key-new-drafts { flex-wrap: nowrap; overflow-x: auto }
  .st-key-new-form :is(input, textarea) { scroll-margin: 40vh 0 6rem } /* what is focused is between card and button */
  .st-key-new-drafts > * { flex-shrink: 0 }
  .st-key-new-desk kbd, .st-key-new-drafts kbd { display: none } /* no keyboard, no shortcuts */
  /* One column: who is calling stays in sight above the form, the panels are below it. */
  .st-key-new-desk [data-testid="stColumn"]:has(.st-key-new-caller),
  .st-key-new-desk [data-testid="stColumn"]:has(.st-key-new-caller) > [data-testid="stVerticalBlock"] { display: contents }
  .st-key-new-desk [data-testid="stLayoutWrapper"]:has(> .st-key-new-caller) {
    order: -1; width: 100%; position: sticky; top: 3.5rem; z-index: 6; max-height: 30vh; overflow-y: auto;
    backdrop-filter: blur(14px);
  }
  .st-key-new-desk [data-testid="stLayoutWrapper"]:has(> .st-key-new-panels) { order: 1; width: 100% }
}
</style>"""

AT_ONCE = ("phone_long", "phone_long_bare", "phone_mask", "phone_code")
"""Faults of a number beyond mending by further digits: told while a person types."""

FORM_ORDER = ("phone", "name", "direction", "source")

CSS_UNSAFE = re.compile(r"[^0-9A-Za-z_]")


def phone() -> None:
    """The number, first of all, with an immediate look-up."""
    st.text_input(
        say("new-phone"),
        given("phone") or "",
        type="phone",
        placeholder="8 999 123-45-67",
        autocomplete="off",
        live="200ms",
        key="new.phone",
        on_change=keep,
    )
    with st.container(key="new.phone_says"):  # what comes and goes here moves no other field
        faults_of("phone", _phone_faults())
    look_up(str(st.session_state.get("new.phone") or ""))


def _phone_faults() -> list[FieldFault]:
    """Faults of the number: found at the last saving, or plain already, or told once the operator has gone on."""
    left = [fault for fault in faults_left() if fault.field == "phone"]
    typed_in = typed()
    phone = phones.read(typed_in.get("phone"))
    is_plain = phone.why in AT_ONCE or (phone.verdict != phones.NONE and bool(typed_in.get("name")))
    return left or ([FieldFault("phone", phone.why, phone.digits)] if phone.is_in_doubt and is_plain else [])


def fields() -> None:
    """Every other field, in the order of a conversation."""
    faults = faults_left()
    _text("name", placeholder=known_name(typed()))
    with st.container(key="new.name_says"):
        _name_offer()
    left, right = st.columns(2)
    with left:
        _text("direction", placeholder=say("new-direction-hint"))
    with right:
        _text("source", placeholder=say("new-source-hint"))
    for mapped in added_fields():
        _added(mapped)
        faults_of(mapped.key, faults)
    st.text_area(say("new-message"), given("message") or "", height=80, key="new.message", on_change=keep)
    faults_of("message", faults)
    _agreed(faults)
    _submit()


def _name_offer() -> None:
    """An offer of the name in the other keyboard layout. Only the operator takes the offer."""
    offered = names.offered(str(st.session_state.get("new.name") or ""))
    if offered is not None:
        st.button(
            say("new-name-offer", name=formats.plain(offered)),
            key="new.name_offer",
            type="tertiary",
            icon=":material/keyboard:",
            on_click=take_name,
            args=(offered,),
        )


def _agreed(faults: Sequence[FieldFault]) -> None:
    """The source, the outcome, the next step, the consent."""
    left, right = st.columns(2)
    with left:
        _choice(st.selectbox, "heard", entry.HEARD, "call-heard")
    with right:
        _choice(st.selectbox, "outcome", entry.OUTCOMES, "call-outcome")
    _choice(st.radio, "step", entry.NEXT, "call-step", horizontal=True)
    if st.session_state["new.step"] == entry.NOTHING:
        _text("reason", placeholder=say("call-reason-hint"), label="call-reason")
    else:
        left, right = st.columns(2)
        with left:
            _choice(st.selectbox, "when", entry.WHEN, "call-when")
        with right:
            _choice(st.radio, "who", (entry.ANYONE, entry.ME), "call-who", horizontal=True)
        if st.session_state["new.when"] == "own":
            left, right = st.columns(2)
            left.date_input(
                say("call-day"),
                given("day"),
                min_value=_first_day(),
                format="DD.MM.YYYY",
                key="new.day",
                on_change=keep,
            )
            right.time_input(say("call-time"), given("time"), step=900, key="new.time", on_change=keep)
        faults_of("when", faults)
    st.checkbox(
        say("call-consent"),
        bool(given("consent")),
        key="new.consent",
        on_change=agree,
        help=say("call-consent-help"),
    )


def _first_day() -> date:
    """The first day to choose: today by the club's clock, or an old draft's day, refused at saving if past."""
    today = clock.now().astimezone(zone()).date()
    stands = given("day") or st.session_state.get("new.day")
    return min(today, stands) if isinstance(stands, date) else today


def _submit() -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="new.save"):
        values = typed()
        offer = offer_shown(values)
        kind = offer.choice.kind if offer else NEW
        is_pressed = st.button(
            say(f"call-save-{kind}"),
            type="primary",
            icon=":material/send:",
            key="new.submit",
            shortcut="Ctrl+Enter",
            on_click=submit,
        )
        if is_pressed:
            is_heard, at_hand().is_press_heard = at_hand().is_press_heard, False
            if not is_heard:
                submit()
                st.rerun()
        if is_begun(values):
            st.button(say("new-clear"), key="new.clear", type="tertiary", icon=":material/backspace:", on_click=clear)


def drafts() -> None:
    """Buttons of the open drafts, and of the next call."""
    here = at_hand().draft_id
    waiting = [draft for draft in the_desk().calls.drafts.open_of(person()) if draft.id != here]
    with st.container(horizontal=True, vertical_alignment="center", key="new.drafts"):
        st.button(say("new-next"), key="new.next", icon=":material/add_call:", shortcut="Alt+N", on_click=start)
        for draft in waiting:
            st.button(
                say("new-draft", who=_label(draft)),
                key=f"new.draft_{draft.id}",
                icon=":material/phone_paused:",
                on_click=take_up,
                args=(draft.id,),
            )


def _label(draft: Draft) -> str:
    """The label of a draft: the name, else the phone, else the message."""
    typed_in = [str(draft.values.get(name) or "").strip() for name in ("name", "phone", "message")]
    return formats.plain(next(filter(None, typed_in), "…")[:40])


def keys() -> None:
    """Keys of the page, besides Streamlit's own."""
    st.html(STYLE)
    scripts.run(scripts.CALL_DESK)


def cursor() -> None:
    """Put the cursor into the first faulty field, else the phone: on opening the page, after saving, with a new draft."""
    faulty = {fault.field for fault in at_hand().faults}
    name = next((name for name in (*FORM_ORDER, *sorted(faulty)) if name in faulty), "phone")
    count = at_hand().cursor_moves
    scripts.run(scripts.FOCUS, place=f"new-{CSS_UNSAFE.sub('-', name)}", opening=int(not count), count=count)


def _text(name: str, *, placeholder: str = "", label: str | None = None) -> None:
    st.text_input(
        say(label or f"new-{name}"),
        given(name) or "",
        placeholder=placeholder,
        autocomplete="off",
        key=f"new.{name}",
        on_change=keep,
    )
    faults_of(name, faults_left())


def _choice(widget: Callable[..., Any], name: str, options: Sequence[str], words: str, **more: Any) -> None:
    begun_with = given(name)
    begins = {"index": options.index(begun_with)} if begun_with in options else {}
    widget(
        say(words),
        options,
        format_func=lambda code: say(f"{words}-{code}"),
        key=f"new.{name}",
        on_change=keep,
        **begins,
        **more,
    )


def _added(mapped: Mapped) -> None:
    """The input of a field the admin has added, by its type in AmoCRM."""
    key, label = f"new.{mapped.key}", formats.plain(mapped.label or mapped.key)
    kind = mapped.field.type if mapped.field else "text"
    begun_with = given(mapped.key)
    if mapped.field and kind in CHOICE_TYPES:
        index = mapped.field.choices.index(begun_with) if begun_with in mapped.field.choices else None
        st.selectbox(label, mapped.field.choices, index=index, placeholder=say("any-choice"), key=key, on_change=keep)
    elif mapped.field and kind == SEVERAL:
        st.multiselect(
            label,
            mapped.field.choices,
            default=begun_with or None,
            placeholder=say("any-choice"),
            key=key,
            on_change=keep,
        )
    elif kind == "checkbox":
        st.checkbox(label, bool(begun_with), key=key, on_change=keep)
    elif kind in DAY_TYPES:
        st.date_input(
            label,
            value=begun_with,
            min_value=FIRST_DAY,
            max_value=LAST_DAY,
            format="DD.MM.YYYY",
            key=key,
            on_change=keep,
        )
    else:
        hint = say("new-moment-hint") if kind == MOMENT else None
        st.text_input(label, begun_with or "", autocomplete="off", placeholder=hint, key=key, on_change=keep)

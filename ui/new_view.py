"""The parts of the new-lead page: taking the form in, the added fields, the card of the lead just entered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date

import streamlit as st

from crm import intake, leads, phones
from crm.delivery import DELIVERED, REFUSED, UNKNOWN, Progress
from crm.desk import the_desk
from crm.fields import CHOICE_TYPES, Mapped
from crm.intake import FieldFault, NewLead
from ui import formats
from ui.frame import fragment
from ui.parts import facts, faults_of
from ui.words import error_words, language, say

FAULTS = "new.faults"
COUNT = "new.count"
LAST = "new.last"
"""What this session entered last: (lead, our id, when)."""

SAME_PRESS_S = 5.0
"""The same lead entered again this soon is one press that arrived twice: a double Enter, a double click."""

CARD_EVERY_S = 0.5


def submit() -> None:
    """Take the form in: the lead is on the disk and the form empty, or each fault stands under its field."""
    added = the_desk().fields.added()
    raw = {name: st.session_state.get(f"new.{name}", "") for name in intake.OWN_FIELDS}
    raw |= {mapped.key: _extra_text(st.session_state.get(f"new.{mapped.key}")) for mapped in added}
    lead, faults = intake.read(raw, added)
    st.session_state[FAULTS] = faults
    st.session_state[COUNT] = st.session_state.get(COUNT, 0) + 1
    if lead is None:
        return
    if not _is_same_press(lead):
        lead_id = the_desk().outbox.accept(lead, "desk")
        st.session_state[LAST] = (lead, lead_id, time.monotonic())
    for name in (*intake.OWN_FIELDS, *(mapped.key for mapped in added)):
        empty = st.session_state.get(f"new.{name}")
        st.session_state[f"new.{name}"] = "" if isinstance(empty, str) else False if isinstance(empty, bool) else None


def added_fields(faults: Sequence[FieldFault]) -> None:
    """One input for each field the admin has added, by its type in AmoCRM."""
    for mapped in the_desk().fields.added():
        _input(mapped)
        faults_of(mapped.key, faults)


@fragment(run_every=CARD_EVERY_S)
def _live_card() -> None:
    _card()


def card() -> None:
    """The lead just entered and where it is. Looks again by itself until it has arrived."""
    if LAST not in st.session_state:
        st.info(say("new-empty"), icon=":material/keyboard:")
        return
    progress = _progress()
    if progress is None or progress.is_settled:
        _card()
    else:
        _live_card()


def _card() -> None:
    lead, _, _ = st.session_state[LAST]
    progress = _progress()
    if progress is None:
        return
    with st.container(border=True):
        _headline(progress)
        facts(
            (label, value)
            for label, value in (
                (say("new-name"), lead.name),
                (say("new-phone"), phones.display(lead.phone)),
                (say("new-direction"), lead.direction),
                (say("new-source"), lead.source),
            )
            if value
        )
        if progress.amo_lead_id is not None:
            address = leads.lead_address(the_desk().client.account_url, progress.amo_lead_id)
            st.link_button(say("new-open", id=str(progress.amo_lead_id)), address, icon=":material/open_in_new:")


def _headline(progress: Progress) -> None:
    if progress.state == DELIVERED:
        the_desk().recent.forget()
        st.success(
            say("new-delivered", seconds=formats.seconds(progress.took_s or 0.0, language())),
            icon=":material/check_circle:",
        )
    elif progress.state == REFUSED:
        st.error(say("new-refused"), icon=":material/error:")
        for path, code in progress.refusals:
            st.text(f"{path}: {code}")
    elif progress.state == UNKNOWN:
        st.warning(say("new-unknown"), icon=":material/help:")
    elif progress.reason:
        what, remedy = error_words(progress.reason)
        st.warning(f"**{say('new-waiting')}** {what} {remedy}", icon=":material/schedule:")
    else:
        st.info(say("new-accepted"), icon="spinner")


def _progress() -> Progress | None:
    return the_desk().outbox.progress(st.session_state[LAST][1])


def _is_same_press(lead: NewLead) -> bool:
    last = st.session_state.get(LAST)
    return last is not None and last[0] == lead and time.monotonic() - last[2] < SAME_PRESS_S


def _input(mapped: Mapped) -> None:
    key, label = f"new.{mapped.key}", mapped.label or mapped.key
    label = formats.plain(label)
    kind = mapped.field.type if mapped.field else "text"
    if mapped.field and kind in CHOICE_TYPES:
        st.selectbox(label, mapped.field.choices, index=None, placeholder=say("any-choice"), key=key)
    elif kind == "checkbox":
        st.checkbox(label, key=key)
    elif kind == "date":
        st.date_input(label, value=None, format="DD.MM.YYYY", key=key)
    else:
        st.text_input(label, autocomplete="off", key=key)


def _extra_text(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value

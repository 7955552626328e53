"""Decisions of a person about a lead: confirm, send again, search again, drop, repair."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from desk import lead as lead_rules
from desk.delivery import report
from desk.desk import the_desk
from desk.lead import NewLead
from ui.frame import formats
from ui.frame.frame import attempt
from ui.frame.parts import faults_of
from ui.frame.person import person
from ui.frame.words import say

FAULTS = "deliveries.faults"


def decide_about_unknown(found: report.Story, key: str) -> None:
    """Buttons for a lead possibly in AmoCRM: link the lead there, send again, search again, drop."""
    lead_id, outbox = found.progress.id, the_desk().outbox
    exists, again, look, drop = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    with exists:
        if found.candidates:
            st.selectbox(
                say("deliveries-which"), [str(one) for one in found.candidates], key=f"deliveries.amo_id.{key}"
            )
        else:
            st.text_input(
                say("deliveries-amo-id"),
                key=f"deliveries.amo_id.{key}",
                placeholder="38473001",
                help=say("deliveries-amo-id-help"),
                max_chars=200,
            )
        decision("exists", key, say("deliveries-exists"), ":material/check:", lambda: _link_existing(lead_id, key))
    with again:
        send_again(found, key, say("deliveries-send-again"), ":material/send:")
    with look:
        decision(
            "look", key, say("deliveries-look-again"), ":material/search:", _in_my_name(outbox.look_again, lead_id)
        )
    with drop:
        decision("drop", key, say("deliveries-drop"), ":material/delete:", _in_my_name(the_desk().outbox.drop, lead_id))


def send_again(found: report.Story, key: str, label: str, icon: str) -> None:
    """The button for sending a lead again.

    A lead that may be in AmoCRM is searched for first, and both the button and its answer say so.
    """
    done = "deliveries-decided-search" if found.may_be_there else "deliveries-decided-done"
    decision("again", key, label, icon, _in_my_name(the_desk().outbox.send_again, found.progress.id), done=done)
    if found.may_be_there:
        st.caption(say("deliveries-send-again-risk"))


def repair(found: report.Story, key: str) -> None:
    """A form with the lead's fields; AmoCRM's complaint stands at each faulty field."""
    lead, lead_id = found.lead, found.progress.id
    faulty = {name: code for _, code, name in found.progress.refusals}
    for path, code, name in found.progress.refusals:
        if name not in lead_rules.OWN_FIELDS:
            st.text(say("deliveries-refused-at", path=path, code=code))
    with st.form(f"deliveries.repair.{key}", border=False):
        left, right = st.columns(2)
        for name, column in (("name", left), ("phone", right), ("direction", left), ("source", right), ("message", st)):
            with column.container():
                _field(name, getattr(lead, name), key, faulty.get(name))
                faults_of(name, st.session_state.get(f"{FAULTS}.{lead_id}", []))
        st.form_submit_button(
            say("deliveries-repair"),
            type="primary",
            icon=":material/build:",
            key=f"deliveries.repaired.{key}",
            disabled=not person(),
            on_click=_repaired,
            args=(lead, lead_id, key),
        )
    decision("drop", key, say("deliveries-drop"), ":material/delete:", _in_my_name(the_desk().outbox.drop, lead_id))


def _field(name: str, value: str, key: str, refusal: str | None) -> None:
    draw = st.text_area if name == "message" else st.text_input
    draw(say(f"new-{name}"), value=value, key=f"deliveries.{name}.{key}")
    if refusal:
        st.markdown(f":red[:material/error: {say('deliveries-refused-field', code=formats.plain(refusal))}]")


def _repaired(lead: NewLead, lead_id: str, key: str) -> None:
    # What the added fields say is kept as it is: a field that is another one by now must not keep the rest from being mended.
    raw: dict[str, object] = {name: st.session_state[f"deliveries.{name}.{key}"] for name in lead_rules.OWN_FIELDS}
    changed = {
        name for name in lead_rules.OWN_FIELDS if raw[name] != getattr(lead, name)
    }  # the rest was taken as it is
    fresh, faults = lead_rules.read(raw, strict=changed, zone=the_desk().settings.zone)
    st.session_state[f"{FAULTS}.{lead_id}"] = faults
    if fresh is not None:
        whole = NewLead(
            fresh.name, fresh.phone, fresh.direction, fresh.source, fresh.message, lead.extra, lead.tracking, lead.said
        )
        attempt(lambda: the_desk().outbox.repair(lead_id, whole, person()), "deliveries-decided-done")


def _link_existing(lead_id: str, key: str) -> None:
    """Link the lead to the number in the input.

    Read at the press: the number may have been typed a moment before.
    """
    text = str(st.session_state.get(f"deliveries.amo_id.{key}") or "").strip().rpartition("/")[2]
    number = int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0
    the_desk().outbox.exists(lead_id, number, person())


def decision(
    what: str, key: str, label: str, icon: str, action: Callable[[], object], *, done: str = "deliveries-decided-done"
) -> None:
    """A button for a decision, disabled for an unnamed person: decisions are carried out in a person's name."""
    st.button(
        label,
        icon=icon,
        key=f"deliveries.{what}.{key}",
        disabled=not person(),
        on_click=attempt,
        args=(action, done),
        width="stretch",
    )


def _in_my_name(decide: Callable[[str, str], object], lead_id: str) -> Callable[[], object]:
    """Bind a decision to a lead, and to the person at the screen at the moment of the press."""
    return lambda: decide(lead_id, person())

"""The draft in the form: the session's memory of the call being typed, and the callbacks that change it.

begin ─► the widgets ─► typed ─► keep (each field that is left) ─► submit ─► an empty form
           ▲                                                          │
           └──── start, take_up, take_number, clear ◄──── undo ◄──────┘
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from desk.calls import entry
from desk.calls.drafts import new_id
from desk.desk import the_desk
from desk.lead import FieldFault
from store import clock
from ui.frame.frame import attempt, say_declined, say_notice
from ui.frame.parts import zone
from ui.frame.person import person
from ui.frame.words import say
from ui.new.shown import CHOICE, known_name, must_look_first, offer_shown
from ui.new.values import TEXTS, added_fields, empty_form, field_names, to_store, to_widget
from ui.streamlit_gaps import handover

AT_HAND = "new.at_hand"
"""The session's memory of its form: an `AtHand`."""

LAST = "new.last"
"""The session's last saved call: a `LastCall`. Gone after an undo."""

CONSENT_TEXT = "new.consent_text"
"""The version of the consent's text the caller has agreed to. No widget's key; kept with the draft."""

TOLD_TOGETHER = {"when": ("when", "day", "time", "step"), "reason": ("reason", "step")}
"""Faults mended by a change of any of several fields."""

DRAFT_ID = re.compile(r"[0-9a-f]{32}")

SAME_PRESS_S = 5.0
"""Time in which a repeated call is the same press, arrived twice: a double Enter, a double click."""


@dataclass(frozen=True, slots=True)
class LastCall:
    """A saved call: the values as typed, our id of the lead, the time of saving in monotonic seconds."""

    values: Mapping[str, Any] = field(repr=False)
    lead_id: str
    saved_at_s: float


@dataclass(slots=True)
class AtHand:
    """The session's memory of the form, besides its widgets.

    `draft_id`: the draft in the form; "" before the first.
    `answers`: the entry whose call-back this call is.
    `given`: the values the fields began with; None once the session has put others in.
    `kept`: the draft and the values that the store has got last.
    `is_saved_elsewhere`: the draft has been saved in another tab.
    `faults`, `refused`: the faults found at the last saving, and the values they were found in.
    `cursor_moves`: counts what moves the cursor: saving, another draft.
    `is_press_heard`: the callback has heard this press. A session that has just begun anew calls none.
    `unheard`: a call that was saved without the browser hearing of it. If the browser still holds that call, the form is
    emptied; what is for the next caller already stays.
    `read_out`: the version of the consent's text that was shown last.
    """

    draft_id: str = ""
    answers: str | None = None
    given: Mapping[str, Any] | None = field(default=None, repr=False)
    kept: tuple[str, Mapping[str, Any]] | None = field(default=None, repr=False)
    is_saved_elsewhere: bool = False
    faults: list[FieldFault] = field(default_factory=list)
    refused: Mapping[str, Any] = field(default_factory=dict, repr=False)
    cursor_moves: int = 0
    is_press_heard: bool = False
    unheard: LastCall | None = None
    read_out: str = ""

    def hold(self, draft_id: str, answers: str | None = None) -> None:
        """Take a different draft into the form."""
        self.draft_id, self.answers = draft_id, answers


def at_hand() -> AtHand:
    """The session's memory of the form. Not before `begin`."""
    remembered: AtHand = st.session_state[AT_HAND]
    return remembered


def last_call() -> LastCall | None:
    """The session's last saved call; None before the first, and after an undo."""
    return st.session_state.get(LAST)


# The draft in the form


def begin() -> None:
    """Fill the form in a session's first run: with the address's draft, else empty.

    Back from another page, the form is as it was left. The fields only begin with what is in the store; what the browser
    still holds after the server was started anew is newer and stays.
    """
    if AT_HAND in st.session_state and "new.phone" in st.session_state:
        return
    handover.forget()
    remembered = st.session_state.get(AT_HAND, AtHand())
    named = st.query_params.get("draft", remembered.draft_id)
    stored = the_desk().calls.drafts.get(named) if DRAFT_ID.fullmatch(named) else None
    if stored is not None and stored.lead_id is None:
        remembered.hold(stored.id, stored.answers)
        remembered.given = {**empty_form(), **stored.values}
        for key in (CHOICE, CONSENT_TEXT):
            st.session_state[key] = stored.values.get(key.removeprefix("new."), "")
    else:
        remembered.given = {**empty_form(), "phone": _dialled(st.query_params.get("phone", ""))}
        remembered.hold(new_id())
        if stored is not None:  # saved, and the server ended before the browser heard of it
            st.session_state[LAST] = remembered.unheard = LastCall(
                dict(stored.values), str(stored.lead_id), time.monotonic()
            )
    st.session_state[AT_HAND] = remembered


def _dialled(phone: str) -> str:
    """The number of an address. In addresses an unescaped plus is a blank."""
    return f"+{phone[1:]}" if phone[:1] == " " and phone[1:2].isdigit() else phone


def start(values: Mapping[str, Any] | None = None, *, answers: str | None = None) -> None:
    """Empty the form for the next caller, in a callback; the present values are kept as a draft."""
    keep()
    at_hand().hold(new_id(), answers)
    _fill({**empty_form(), **(values or {})})


def take_up(draft_id: str) -> None:
    """Put a different draft into the form, in a callback.

    Read anew: another tab may have changed or saved it.
    """
    keep()
    draft = the_desk().calls.drafts.get(draft_id)
    if draft is None or draft.lead_id is not None:
        say_declined("draft_gone")
        return
    at_hand().hold(draft.id, draft.answers)
    _fill({**empty_form(), **draft.values})


def keep() -> None:
    """Put the values of the form into the store, if they have changed: as each field is left."""
    form, values = at_hand(), typed()
    if form.kept == (form.draft_id, values) or not is_begun(values):
        return
    is_open = the_desk().calls.drafts.keep(form.draft_id, person(), values, form.answers)
    form.kept, form.is_saved_elsewhere = (form.draft_id, values), not is_open


def keep_drawn() -> None:
    """Keep the fields after their drawing, and name the draft in the address, which never holds more."""
    form = at_hand()
    unheard, form.unheard = form.unheard, None
    if unheard is not None and unheard.values == typed():
        _fill(empty_form())
        st.rerun()
    keep()
    st.query_params.pop("phone", None)
    named = form.draft_id if form.kept is not None and form.kept[0] == form.draft_id else None
    if st.query_params.get("draft") != named:
        if named:
            st.query_params["draft"] = named
        else:
            st.query_params.pop("draft", None)
    if named and form.is_saved_elsewhere:
        st.warning(say("new-saved-elsewhere"), icon=":material/tab_duplicate:")


def typed() -> dict[str, Any]:
    """The values of the form, as they go into the store."""
    stands = handover.waiting() or st.session_state
    values = {name: to_store(stands.get(f"new.{name}")) for name in field_names()}
    return {name: value for name, value in values.items() if value not in (None, "", [])}


def is_begun(values: Mapping[str, Any]) -> bool:
    """Whether the form holds anything typed, to be lost."""
    extras = [mapped.key for mapped in added_fields()]
    return any(values.get(name) for name in (*TEXTS, *extras) if name != "source")


def given(name: str) -> Any:
    """The first value of a field; the browser's own value and later typing come before it."""
    values = at_hand().given
    return None if values is None else to_widget(name, values.get(name))


def given_stage() -> str | None:
    """The stage left in a draft, if the session began with the draft."""
    return (at_hand().given or {}).get("stage")


def faults_left() -> list[FieldFault]:
    """Faults found at the last saving, in fields unchanged since."""
    form = at_hand()
    now = typed() if form.faults else {}
    return [
        fault
        for fault in form.faults
        if all(form.refused.get(name) == now.get(name) for name in TOLD_TOGETHER.get(fault.field, (fault.field,)))
    ]


def _fill(values: Mapping[str, Any]) -> None:
    """Put values into the widgets, in the next run."""
    handover.put({f"new.{name}": to_widget(name, value) for name, value in values.items()})
    form = at_hand()
    form.faults, form.given = [], None
    form.cursor_moves += 1


# Saving and taking back


def submit() -> None:
    """Save the form: the call is on the disk and the form empty, or each fault stands under its field."""
    form, values = at_hand(), typed()
    form.is_press_heard = True
    if must_look_first(values):
        form.faults = []
        keep()
        return
    offer = offer_shown(values)
    raw = {**values, "choice": offer.code if offer else "", "name": values.get("name") or known_name(values)}
    read, faults = entry.read(raw, added_fields(), clock.now(), zone())
    form.faults, form.refused = faults, values
    form.cursor_moves += 1
    if read is None:
        keep()
        return
    if not _is_same_press(raw):
        keep()
        saved = the_desk().calls.save(form.draft_id, read, person())
        if not saved.is_first and _is_more_than_saved():
            _part_from_saved()
            return
        st.session_state[LAST] = LastCall(raw, saved.lead_id, time.monotonic())
    form.hold(new_id())
    _fill(empty_form())


def _is_more_than_saved() -> bool:
    """Whether the form holds other values than the draft saved by a different tab."""
    before = the_desk().calls.drafts.get(at_hand().draft_id)
    return before is not None and dict(before.values) != typed()


def _part_from_saved() -> None:
    """Keep the form as a draft of its own: its values are not the saved values."""
    at_hand().hold(new_id())
    keep()
    say_declined("saved_otherwise")


def _is_same_press(raw: Mapping[str, Any]) -> bool:
    last = last_call()
    return last is not None and last.values == raw and time.monotonic() - last.saved_at_s < SAME_PRESS_S


def undo() -> None:
    """Take the call saved last back into the form, in a callback."""
    last = last_call()
    if last is not None:  # None: pressed twice, and the first press has done it
        attempt(lambda: _take_back(last), "new-undone")


def _take_back(last: LastCall) -> None:
    draft = the_desk().calls.undo(last.lead_id)
    st.session_state.pop(LAST)
    if draft is not None:
        take_up(draft.id)


def take_number(number: str) -> None:
    """Put a new number into the form, in a callback; every other field stays."""
    _fill({**empty_form(), **typed(), "phone": number})
    keep()


def take_name(name: str) -> None:
    """Put a new name into the form, in a callback; every other field stays."""
    _fill({**empty_form(), **typed(), "name": name})
    keep()


def choose(code: str) -> None:
    """Choose an offer of the caller's card, in a callback."""
    st.session_state[CHOICE] = code
    keep()


def agree() -> None:
    """Note the version of the consent's text, in the callback of its checkbox.

    The text that was on the screen to be read out is the text agreed to, whoever changes it meanwhile.
    """
    st.session_state[CONSENT_TEXT] = at_hand().read_out if st.session_state["new.consent"] else ""
    keep()


def clear() -> None:
    """Empty the form by hand, in a callback, and drop its draft."""
    form = at_hand()
    the_desk().calls.drafts.drop(form.draft_id)
    form.hold(new_id())
    _fill(empty_form())
    say_notice("new-cleared")

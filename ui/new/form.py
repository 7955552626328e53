"""The form of the call desk: which draft is at hand, its fields, saving it once, taking it back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from datetime import time as day_time
from typing import Any

import streamlit as st

from desk import lead as lead_rules
from desk import phones
from desk.calls import Draft, entry
from desk.calls.drafts import new_id
from desk.desk import the_desk
from desk.field_values import CHOICE_TYPES, DAY_TYPES, MOMENT, SEVERAL
from desk.fields import Mapped
from desk.lead import FieldFault
from desk.reading import names
from store import clock
from ui.frame import formats
from ui.frame.frame import attempt, say_error, say_notice
from ui.frame.parts import faults_of, zone
from ui.frame.person import person
from ui.frame.words import say
from ui.new.caller import choice_shown, known_name, look_up, must_look_first
from ui.streamlit_gaps import handover, scripts

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

FAULTS, REFUSED = "new.faults", "new.refused"
"""What was found faulty when it was to be saved, and what stood in the form then."""

TOLD_TOGETHER = {"when": ("when", "day", "time", "step"), "reason": ("reason", "step")}
"""Faults that another field can mend as well."""

COUNT = "new.count"
"""Counts what moves the cursor: saving, another draft."""

LAST = "new.last"
"""What this session entered last: (what was typed, our id, when)."""

DRAFT, GIVEN, KEPT = "new.draft", "new.given", "new.kept"
"""The draft at hand; what its fields began with, where the session began with it; what of it is in the store."""

ELSEWHERE = "new.elsewhere"
"""Whether the draft at hand has been saved in another tab."""

ANSWERS = "new.answers"
"""The entry whose call-back this call is."""

ADDED = "new.added"
ADDED_FRESH_S = 1.0

UNHEARD = "new.unheard"
"""A call that was saved without the browser hearing of it. Where the browser still holds it the form is emptied; what is
for the next caller already stays."""

READ_OUT = "new.read_out"
"""The version of the consent's text that was shown last."""

PRESSED = "new.pressed"
"""Whether this press has been heard by the callback. A session that has just begun anew calls none."""

FIRST_DAY, LAST_DAY = date(lead_rules.FIRST_YEAR, 1, 1), date(lead_rules.LAST_YEAR, 12, 31)
"""What a date may be: by itself Streamlit offers ten years, and nobody in a club is that young."""

AT_ONCE = ("phone_long", "phone_long_bare", "phone_mask", "phone_code")
"""Faults of a number that no further digit mends: they are told while it is typed."""

FORM_ORDER = ("phone", "name", "direction", "source")
TEXTS = (*lead_rules.OWN_FIELDS, "reason")
DRAFT_ID = re.compile(r"[0-9a-f]{32}")
CSS_UNSAFE = re.compile(r"[^0-9A-Za-z_]")

SAME_PRESS_S = 5.0
"""The same call entered again this soon is one press that arrived twice: a double Enter, a double click."""


# Which draft


def begin() -> None:
    """In a session's first run: the draft the address names, else an empty one. Back from another page: where it was left.

    The fields only begin with what is in the store; what the browser still holds after the server was started anew is
    newer and stays.
    """
    if DRAFT in st.session_state and "new.phone" in st.session_state:
        return
    handover.forget()
    named = st.query_params.get("draft", st.session_state.get(DRAFT, ""))
    kept = the_desk().calls.drafts.get(named) if DRAFT_ID.fullmatch(named) else None
    if kept is not None and kept.lead_id is None:
        st.session_state[DRAFT], st.session_state[GIVEN] = kept.id, {**_empty(), **kept.values}
        st.session_state[ANSWERS] = kept.answers
        for name in ("choice", "consent_text"):  # these have no widget
            st.session_state[f"new.{name}"] = kept.values.get(name, "")
        return
    given = {**_empty(), "phone": _dialled(st.query_params.get("phone", ""))}
    st.session_state[DRAFT], st.session_state[GIVEN] = new_id(), given
    st.session_state[ANSWERS] = None
    if kept is not None:  # saved, and the server ended before the browser heard of it
        st.session_state[LAST] = st.session_state[UNHEARD] = (dict(kept.values), kept.lead_id, time.monotonic())


def _dialled(phone: str) -> str:
    """The number of an address. In addresses a plus that nobody has escaped is a blank."""
    return f"+{phone[1:]}" if phone[:1] == " " and phone[1:2].isdigit() else phone


def start(values: Mapping[str, Any] | None = None, *, answers: str | None = None) -> None:
    """For callbacks: an empty form for the next caller; what stands in this one is kept as a draft."""
    keep()
    st.session_state[DRAFT], st.session_state[ANSWERS] = new_id(), answers
    _show({**_empty(), **(values or {})})


def take_up(draft_id: str) -> None:
    """For callbacks: another draft comes into the form, as it is now: another tab may have changed or saved it."""
    keep()
    draft = the_desk().calls.drafts.get(draft_id)
    if draft is None or draft.lead_id is not None:
        say_error("draft_gone")
        return
    st.session_state[DRAFT], st.session_state[ANSWERS] = draft.id, draft.answers
    _show({**_empty(), **draft.values})


def keep() -> None:
    """Put what stands in the form into the store, where it changed: as each field is left."""
    values = typed()
    draft_id = st.session_state[DRAFT]
    if st.session_state.get(KEPT) == (draft_id, values) or not _is_begun(values):
        return
    is_open = the_desk().calls.drafts.keep(draft_id, person(), values, st.session_state.get(ANSWERS))
    st.session_state[KEPT], st.session_state[ELSEWHERE] = (draft_id, values), not is_open


def keep_shown() -> None:
    """After the fields were drawn: keep them, and name the draft in the address, which never holds more than that."""
    unheard = st.session_state.pop(UNHEARD, None)
    if unheard is not None and unheard[0] == typed():
        _show(_empty())
        st.rerun()
    keep()
    st.query_params.pop("phone", None)
    draft_id = st.session_state[DRAFT]
    wanted = draft_id if st.session_state.get(KEPT, ("",))[0] == draft_id else None
    if st.query_params.get("draft") != wanted:
        if wanted:
            st.query_params["draft"] = wanted
        else:
            st.query_params.pop("draft", None)
    if wanted and st.session_state.get(ELSEWHERE):
        st.warning(say("new-saved-elsewhere"), icon=":material/tab_duplicate:")


def typed() -> dict[str, Any]:
    """What stands in the form, as it goes into the store."""
    names = (*lead_rules.OWN_FIELDS, *entry.CALL_FIELDS, *(mapped.key for mapped in _added_fields()))
    stands = handover.waiting() or st.session_state
    found = {name: _plain(stands.get(f"new.{name}")) for name in names}
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def faults_left() -> list[FieldFault]:
    """What was found faulty and has not been changed since."""
    found: list[FieldFault] = st.session_state.get(FAULTS) or []
    then, now = st.session_state.get(REFUSED, {}), typed() if found else {}
    return [
        fault
        for fault in found
        if all(then.get(name) == now.get(name) for name in TOLD_TOGETHER.get(fault.field, (fault.field,)))
    ]


def _is_begun(values: Mapping[str, Any]) -> bool:
    """Whether somebody has typed anything that would be lost."""
    extras = [mapped.key for mapped in _added_fields()]
    return any(values.get(name) for name in (*TEXTS, *extras) if name != "source")


def _empty() -> dict[str, Any]:
    """How the form begins."""
    added = {mapped.key: _nothing(mapped) for mapped in _added_fields()}
    return {
        **dict.fromkeys(TEXTS, ""),
        **added,
        "source": the_desk().calls.last_source(person()),
        "outcome": entry.OUTCOMES[0],
        "heard": entry.NOT_ASKED,
        "step": entry.CALL_BACK,
        "when": entry.suggested(clock.now(), zone()),
        "day": None,
        "time": None,
        "who": entry.ANYONE,
        "consent": False,
        "consent_text": "",
        "choice": "",
        "stage": None,
    }


def _show(values: Mapping[str, Any]) -> None:
    """Into the widgets, in the next run."""
    handover.put({f"new.{name}": _shown(name, value) for name, value in values.items()})
    st.session_state[FAULTS] = []
    st.session_state.pop(GIVEN, None)
    st.session_state[COUNT] = st.session_state.get(COUNT, 0) + 1


def _nothing(mapped: Mapped) -> Any:
    kind = mapped.field.type if mapped.field else "text"
    if kind == SEVERAL:
        return []
    return False if kind == "checkbox" else None if kind in (*CHOICE_TYPES, *DAY_TYPES) else ""


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | day_time) else value


def _shown(name: str, value: Any) -> Any:
    """A stored value as its widget wants it. A field may have changed its type in AmoCRM since the value was typed."""
    mapped = next((mapped for mapped in _added_fields() if mapped.key == name), None)
    kind = mapped.field.type if mapped and mapped.field else None
    if kind == "checkbox":
        return value is True
    if mapped and mapped.field and kind == SEVERAL:
        return [one for one in value if one in mapped.field.choices] if isinstance(value, list) else []
    if not isinstance(value, str):
        return value if mapped is None else _nothing(mapped)
    try:
        if name == "day" or kind in DAY_TYPES:
            found = date.fromisoformat(value)
            return found if FIRST_DAY <= found <= LAST_DAY else None
        return day_time.fromisoformat(value) if name == "time" else value
    except ValueError:
        return None


def _given(name: str) -> Any:
    """What a field began with; the browser's own value and whatever was typed since come before it."""
    given = st.session_state.get(GIVEN)
    return None if given is None else _shown(name, given.get(name))


def given_stage() -> str | None:
    """The stage a draft was left with, where the session began with it."""
    return (st.session_state.get(GIVEN) or {}).get("stage")


# Saving and taking back


def submit() -> None:
    """Take the form in: the call is on the disk and the form empty, or each fault stands under its field."""
    st.session_state[PRESSED] = True
    desk, raw = the_desk(), typed()
    if must_look_first(raw):
        st.session_state[FAULTS] = []
        keep()
        return
    raw["choice"] = choice_shown(raw)
    raw["name"] = raw.get("name") or known_name(raw)
    read, faults = entry.read(raw, _added_fields(), clock.now(), zone())
    st.session_state[FAULTS], st.session_state[REFUSED] = faults, typed()
    st.session_state[COUNT] = st.session_state.get(COUNT, 0) + 1
    if read is None:
        keep()
        return
    if not _is_same_press(raw):
        keep()
        saved = desk.calls.save(st.session_state[DRAFT], read, person())
        if not saved.is_first and _is_more_than_saved():
            _part_from_saved()
            return
        st.session_state[LAST] = (raw, saved.lead_id, time.monotonic())
    st.session_state[DRAFT], st.session_state[ANSWERS] = new_id(), None
    _show(_empty())


def _is_more_than_saved() -> bool:
    """Whether other words stand here than those the draft was saved with in another tab."""
    before = the_desk().calls.drafts.get(st.session_state[DRAFT])
    return before is not None and dict(before.values) != typed()


def _part_from_saved() -> None:
    """What stands here is not what was saved: it stays, as a draft of its own."""
    st.session_state[DRAFT], st.session_state[ANSWERS] = new_id(), None
    keep()
    say_error("saved_otherwise")


def undo() -> None:
    """For callbacks: what was saved last comes back into the form."""

    if LAST not in st.session_state:
        return  # pressed twice: the first press has done it

    def take_back() -> None:
        draft = the_desk().calls.undo(st.session_state[LAST][1])
        st.session_state.pop(LAST)
        if draft is not None:
            take_up(draft.id)

    attempt(take_back, "new-undone")


def take_number(number: str) -> None:
    """For callbacks: another number into the form, everything else stays."""
    _show({**_empty(), **typed(), "phone": number})
    keep()


def take_name(name: str) -> None:
    """For callbacks: another name into the form, everything else stays."""
    _show({**_empty(), **typed(), "name": name})
    keep()


def clear() -> None:
    """For callbacks: the form is emptied by hand, and nothing of it stays."""
    the_desk().calls.drafts.drop(st.session_state[DRAFT])
    st.session_state[DRAFT], st.session_state[ANSWERS] = new_id(), None
    _show(_empty())
    say_notice("new-cleared")


def _is_same_press(raw: Mapping[str, Any]) -> bool:
    last = st.session_state.get(LAST)
    return last is not None and last[0] == raw and time.monotonic() - last[2] < SAME_PRESS_S


# Drawing


def _added_fields() -> tuple[Mapped, ...]:
    """The fields the admin has added. One run asks a dozen times and they change a few times a year."""
    known = st.session_state.get(ADDED)
    if known is None or time.monotonic() - known[0] > ADDED_FRESH_S:
        known = (time.monotonic(), tuple(the_desk().fields.added()))
        st.session_state[ADDED] = known
    added: tuple[Mapped, ...] = known[1]
    return added


def phone() -> None:
    """The number, first of all; it is looked up at once."""
    st.text_input(
        say("new-phone"),
        _given("phone") or "",
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
    """What is wrong with the number: found when it was to be saved, or plain already, or once the operator has gone on."""
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
    for mapped in _added_fields():
        _added(mapped)
        faults_of(mapped.key, faults)
    st.text_area(say("new-message"), _given("message") or "", height=80, key="new.message", on_change=keep)
    faults_of("message", faults)
    _agreed(faults)
    _submit()


def _name_offer() -> None:
    """The name as it would be in the other keyboard layout. It is offered, and only the operator takes it."""
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
    """How they heard of us, how the call ended, what comes next, the consent."""
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
                _given("day"),
                min_value=_first_day(),
                format="DD.MM.YYYY",
                key="new.day",
                on_change=keep,
            )
            right.time_input(say("call-time"), _given("time"), step=900, key="new.time", on_change=keep)
        faults_of("when", faults)
    st.checkbox(
        say("call-consent"),
        bool(_given("consent")),
        key="new.consent",
        on_change=_consented,
        help=say("call-consent-help"),
    )


def _consented() -> None:
    """The text that was on the screen to be read out is the one agreed to, whoever changes it meanwhile."""
    st.session_state["new.consent_text"] = st.session_state.get(READ_OUT, "") if st.session_state["new.consent"] else ""
    keep()


def _first_day() -> date:
    """Today by the club's clock; of a draft that was left earlier the day it has, which saving then finds has passed."""
    today = clock.now().astimezone(zone()).date()
    stands = _given("day") or st.session_state.get("new.day")
    return min(today, stands) if isinstance(stands, date) else today


def _submit() -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="new.save"):
        kind = choice_shown(typed()).partition(":")[0] or entry.NEW
        is_pressed = st.button(
            say(f"call-save-{kind}"),
            type="primary",
            icon=":material/send:",
            key="new.submit",
            shortcut="Ctrl+Enter",
            on_click=submit,
        )
        if is_pressed and not st.session_state.pop(PRESSED, False):
            submit()
            st.rerun()
        if _is_begun(typed()):
            st.button(say("new-clear"), key="new.clear", type="tertiary", icon=":material/backspace:", on_click=clear)


def drafts() -> None:
    """Callers who are not saved yet, and a place for the next one."""
    here = st.session_state[DRAFT]
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
    """A draft by what was typed: the name, else the phone."""
    typed_in = [str(draft.values.get(name) or "").strip() for name in ("name", "phone", "message")]
    return formats.plain(next(filter(None, typed_in), "…")[:40])


def keys() -> None:
    """What the keyboard does here besides what Streamlit knows."""
    st.html(STYLE)
    scripts.run(scripts.CALL_DESK)


def cursor() -> None:
    """Into the first faulty field from above, else the phone: on opening the page, after saving, with another draft."""
    faulty = {fault.field for fault in st.session_state.get(FAULTS, [])}
    name = next((name for name in (*FORM_ORDER, *sorted(faulty)) if name in faulty), "phone")
    count = st.session_state.get(COUNT, 0)
    scripts.run(scripts.FOCUS, place=f"new-{CSS_UNSAFE.sub('-', name)}", opening=int(not count), count=count)


def _text(name: str, *, placeholder: str = "", label: str | None = None) -> None:
    st.text_input(
        say(label or f"new-{name}"),
        _given(name) or "",
        placeholder=placeholder,
        autocomplete="off",
        key=f"new.{name}",
        on_change=keep,
    )
    faults_of(name, faults_left())


def _choice(widget: Callable[..., Any], name: str, options: Sequence[str], words: str, **more: Any) -> None:
    given = _given(name)
    begins = {"index": options.index(given)} if given in options else {}
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
    given = _given(mapped.key)
    if mapped.field and kind in CHOICE_TYPES:
        index = mapped.field.choices.index(given) if given in mapped.field.choices else None
        st.selectbox(label, mapped.field.choices, index=index, placeholder=say("any-choice"), key=key, on_change=keep)
    elif mapped.field and kind == SEVERAL:
        st.multiselect(
            label, mapped.field.choices, default=given or None, placeholder=say("any-choice"), key=key, on_change=keep
        )
    elif kind == "checkbox":
        st.checkbox(label, bool(given), key=key, on_change=keep)
    elif kind in DAY_TYPES:
        st.date_input(
            label,
            value=given,
            min_value=FIRST_DAY,
            max_value=LAST_DAY,
            format="DD.MM.YYYY",
            key=key,
            on_change=keep,
        )
    else:
        hint = say("new-moment-hint") if kind == MOMENT else None
        st.text_input(label, given or "", autocomplete="off", placeholder=hint, key=key, on_change=keep)

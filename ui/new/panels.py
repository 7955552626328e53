"""The panels beside the form: the script, the call-backs, today's entries and their speed."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from crm.errors import Declined
from desk import phones
from desk.calls import CallBack, Figures, Made
from desk.calls.texts import BLANKS, CONSENT, LONGEST, SCRIPT, filled
from desk.delivery import DELIVERED, FOR_PEOPLE, QUEUED, UNKNOWN
from desk.desk import the_desk
from store import clock
from ui.frame import formats
from ui.frame.frame import attempt
from ui.frame.parts import moment, zone
from ui.frame.person import person
from ui.frame.words import error_words, language, say
from ui.new.draft import at_hand, start, take_up, typed

PANEL = "new.panel"
PANELS = ("script", "back", "today")

BEGUN = "new.texts_begun"
"""The texts as of the beginning of their changing here."""

BACK_SHOWN = 12

WEEK = timedelta(days=7)
"""The time the figures are told for."""

ICONS = {DELIVERED: "green", QUEUED: "blue", UNKNOWN: "orange"}


def panels() -> None:
    """The chosen panel: the script, the call-backs, or today's entries."""
    late = the_desk().calls.late(person())
    chosen = st.segmented_control(
        say("panel"),
        PANELS,
        default=PANELS[0],
        format_func=lambda code: say(f"panel-{code}", late=late),
        key=PANEL,
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
    {"script": _script, "back": _back, "today": _today}[chosen or PANELS[0]]()


def _script() -> None:
    """The questions and the words of the consent, filled with the known values."""
    known = typed()
    values = {**{blank: str(known.get(blank) or "") for blank in BLANKS}, "operator": person()}
    texts = {kind: the_desk().calls.texts.newest(kind) for kind in (SCRIPT, CONSENT)}
    bodies = {kind: text.body or say(f"call-{kind}-text") for kind, text in texts.items()}
    with st.container(border=True, key="new.script"):
        for line in filled(bodies[SCRIPT], values).splitlines():
            st.markdown(formats.plain(line) if line.strip() else "&nbsp;")
        at_hand().read_out = texts[CONSENT].label
        st.caption(say("call-consent-read", version=formats.plain(texts[CONSENT].label)))
        st.markdown(f"> {formats.plain(filled(bodies[CONSENT], values))}")
    with st.expander(say("call-texts-edit"), icon=":material/edit:"):
        st.caption(say("call-texts-help", blanks=", ".join(f"{{{say(f'call-blank-{blank}')}}}" for blank in BLANKS)))
        for kind in (SCRIPT, CONSENT):
            _text(kind, bodies[kind])
        st.button(say("call-texts-save"), key="new.texts_save", icon=":material/save:", on_click=_save_texts)


def _text(kind: str, body: str) -> None:
    """A text to be changed. Untouched, the text follows the changes of colleagues."""
    key, begun = f"new.text_{kind}", st.session_state.setdefault(BEGUN, {})
    if st.session_state.get(key) == begun.get(kind) != body:
        st.session_state[key] = body
    if st.session_state.get(key, body) == body:
        begun[kind] = body
    st.text_area(say(f"call-{kind}"), body, height=180, max_chars=LONGEST, key=key)


def _save_texts() -> None:
    """Save the texts changed here; save none if any is empty, or was changed by a colleague meanwhile."""

    def save() -> None:
        begun = st.session_state[BEGUN]
        changed = {kind: str(st.session_state[f"new.text_{kind}"]) for kind in (SCRIPT, CONSENT)}
        changed = {kind: body for kind, body in changed.items() if body != begun[kind]}
        for kind, body in changed.items():
            if not body.strip():
                raise Declined("text_empty")
            newest = the_desk().calls.texts.newest(kind).body
            if (newest or say(f"call-{kind}-text")) != begun[kind]:
                begun[kind] = newest or begun[kind]
                raise Declined("text_changed")
        for kind, body in changed.items():
            begun[kind] = the_desk().calls.texts.write(kind, body, person()).body
            st.session_state[f"new.text_{kind}"] = begun[kind]

    attempt(save, "call-texts-saved")


def _back() -> None:
    """The call-backs; a key opens the form with the number."""
    waiting = the_desk().calls.waiting(person())
    if not waiting:
        st.info(say("back-none"), icon=":material/done_all:")
    now = clock.now()
    for place, one in enumerate(waiting[:BACK_SHOWN]):
        with st.container(border=True):
            late = one.is_late(now)
            when = say("back-late" if late else "back-due", time=moment(one.due_at))
            st.markdown(
                f"**{formats.plain(one.name or say('nameless'))}** · {formats.plain(phones.display(one.phone))}"
            )
            st.caption(f":{'red' if late else 'gray'}[{when}] · {_whose(one)}")
            if one.message:
                st.text(one.message[:200])
            with st.container(horizontal=True):
                st.button(
                    say("back-call"),
                    key=f"new.back_{one.lead_id}",
                    type="primary" if place == 0 else "secondary",
                    icon=":material/call:",
                    shortcut="Alt+B" if place == 0 else None,
                    on_click=_call_back,
                    args=(one,),
                )
                st.button(
                    say("back-done"),
                    key=f"new.done_{one.lead_id}",
                    type="tertiary",
                    on_click=_done,
                    args=(one.lead_id,),
                )
    if len(waiting) > BACK_SHOWN:
        st.caption(say("back-more", count=len(waiting) - BACK_SHOWN))


def _whose(one: CallBack) -> str:
    return formats.plain(one.whose) if one.whose else say("call-who-anyone")


def _call_back(one: CallBack) -> None:
    """Resume the draft of a call-back, if any, else start a new draft."""
    if at_hand().answers == one.lead_id:
        return
    begun = [draft.id for draft in the_desk().calls.drafts.open_of(person()) if draft.answers == one.lead_id]
    if begun:
        take_up(begun[0])
        return
    values = {"phone": phones.display(one.phone), "name": one.name, "direction": one.direction}
    start(values, answers=one.lead_id)


def _done(lead_id: str) -> None:
    attempt(lambda: the_desk().calls.done(lead_id, person()), "back-is-done")


def _today() -> None:
    """The operator's entries with their states, and the figures of all operators of the week."""
    made = the_desk().calls.today(person())
    if not made:
        st.info(say("today-none"), icon=":material/today:")
    for one in made[:BACK_SHOWN]:
        _entry(one)
    if len(made) > BACK_SHOWN:
        st.caption(say("back-more", count=len(made) - BACK_SHOWN))
    if told := the_desk().calls.figures(WEEK):
        _figures(told)


def _entry(one: Made) -> None:
    with st.container(border=True):
        st.markdown(f"**{formats.plain(one.name or say('nameless'))}** · {formats.plain(phones.display(one.phone))}")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            color = "red" if one.state in FOR_PEOPLE else ICONS.get(one.state, "gray")
            st.badge(say(f"delivery-state-{one.state}"), color=color)  # type: ignore[arg-type]
            took = formats.seconds(one.took_s, language())
            st.caption(say("today-line", time=formats.time_of_day(one.saved_at, language(), zone()), seconds=took))
        if one.reason and one.state != DELIVERED:
            st.caption(error_words(one.reason)[0])
        if one.state in FOR_PEOPLE:
            st.page_link(
                "deliveries.py",
                label=say("today-repair"),
                icon=":material/build:",
                query_params={"lead": one.lead_id},
            )


def _figures(told: list[Figures]) -> None:
    """The figures as a plain table, fit for reading aloud."""
    st.caption(say("figures-title"))
    head = [say(f"figures-{name}") for name in ("operator", "count", "p50", "p95", "not_asked")]
    rows = [
        [
            formats.plain(one.operator or say("figures-nobody")),
            str(one.count),
            formats.seconds(one.p50_s, language()) if one.p50_s is not None else "—",
            formats.seconds(one.p95_s, language()) if one.p95_s is not None else "—",
            f"{one.not_asked:.0%}",
        ]
        for one in told
    ]
    lines = [head, ["---"] * len(head), *rows]
    with st.container(key="new.figures"):
        st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))

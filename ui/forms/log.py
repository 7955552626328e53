"""The log on the forms page: its filters, its lines, and an opened submission, with a way to make a lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from desk import phones
from desk.desk import the_desk
from desk.intake import Form, Submission
from desk.intake.log import ACCEPTED, DUPLICATE, FLAGGED, OUTCOMES, REFUSED, REPEATED, Said
from desk.intake.signs import SIGNS
from desk.lead import OWN_FIELDS, FieldFault
from ui.forms import drawers
from ui.frame import formats
from ui.frame.frame import fragment, say_notice
from ui.frame.parts import facts, faults_of, moment, zone
from ui.frame.person import person
from ui.frame.words import error_words, say

PER_PAGE = 50
LIVE_EVERY_S = 5.0
MOST_ROWS, ROW_PX = 16, 35

SHOWN = "forms.shown"
"""The ids of the lines on the screen, in their order: the table tells which row was chosen, not which submission."""

SIGN = {ACCEPTED: "✓", DUPLICATE: "=", REPEATED: "=", REFUSED: "✗", FLAGGED: "?"}
BADGES = {
    ACCEPTED: ("green", ":material/check_circle:"),
    DUPLICATE: ("blue", ":material/content_copy:"),
    REPEATED: ("gray", ":material/repeat:"),
    REFUSED: ("red", ":material/block:"),
    FLAGGED: ("orange", ":material/smart_toy:"),
}


def choose(forms: Sequence[Form]) -> tuple[str | None, str | None]:
    """The form and the outcome to look at; None for all."""
    names = {form.id: form.name for form in forms}
    left, right = st.columns([3, 1])
    outcome = left.pills(
        say("forms-log-outcome"),
        OUTCOMES,
        format_func=lambda one: say(f"forms-outcome-{one}"),
        key="forms.outcome",
        bind="query-params",
        wrap=True,
    )
    form_id = right.selectbox(
        say("forms-log-form"),
        list(names),
        index=None,
        format_func=names.__getitem__,
        placeholder=say("any"),
        key="forms.form_filter",
    )
    return form_id, outcome


def lines(form_id: str | None, outcome: str | None, names: Mapping[str, str]) -> None:
    """The newest lines; new lines appear by themselves, unless a submission is open."""
    log = the_desk().intake.log
    count = log.count(form_id=form_id, outcome=outcome)
    if not count:
        st.info(say("forms-log-none-found"), icon=":material/inbox:")
        return
    page = 1
    if count > PER_PAGE:
        page = st.pagination(-(-count // PER_PAGE), key="forms.page")
    (_table if drawers.is_open() else _live_table)(form_id, outcome, names, page)


@fragment(run_every=LIVE_EVERY_S)
def _live_table(form_id: str | None, outcome: str | None, names: Mapping[str, str], page: int) -> None:
    if drawers.is_open():
        st.rerun()  # a row was chosen: the drawer is the page's, not this part's
    _table(form_id, outcome, names, page)


def _table(form_id: str | None, outcome: str | None, names: Mapping[str, str], page: int) -> None:
    found = the_desk().intake.log.page(form_id=form_id, outcome=outcome, limit=PER_PAGE, offset=(page - 1) * PER_PAGE)
    st.session_state[SHOWN] = [line.id for line in found]
    frame = pd.DataFrame(
        {
            "at": [line.at.astimezone(zone()).replace(tzinfo=None) for line in found],
            "outcome": [f"{SIGN[line.outcome]} {say(f'forms-outcome-{line.outcome}')}" for line in found],
            "form": [names.get(line.form_id, "") for line in found],
            "name": [line.name for line in found],
            "phone": [formats.masked(line.phone) for line in found],
            "reason": [_reason(line) for line in found],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=min(len(frame) + 1, MOST_ROWS) * ROW_PX + 3,
        alt=say("forms-log"),
        key="forms.log",
        on_select=_choose_line,
        selection_mode="single-row",
        column_config={
            "at": st.column_config.DatetimeColumn(say("activity-at"), format="DD.MM HH:mm:ss", width=120),
            "outcome": st.column_config.TextColumn(say("forms-log-outcome"), width=150),
            "form": st.column_config.TextColumn(say("forms-log-form"), width=150),
            "name": st.column_config.TextColumn(say("new-name"), width=160),
            "phone": st.column_config.TextColumn(say("new-phone"), width=135),
            "reason": st.column_config.TextColumn(say("forms-log-reason"), width="large"),
        },
    )
    st.caption(say("forms-log-open"))


def _choose_line() -> None:
    """Open the submission of the chosen row."""
    rows = st.session_state["forms.log"]["selection"]["rows"]
    shown = st.session_state.get(SHOWN, [])
    if rows and rows[0] < len(shown):
        drawers.open_submission(shown[rows[0]])


def _reason(line: Submission) -> str:
    """The reason of a refusal in a sentence; for an accepted submission, whether a person made the lead."""
    if line.outcome == ACCEPTED:
        return say("forms-reason-by_hand") if line.reason else ""
    if line.reason in SIGNS:
        return say(f"forms-sign-{line.reason}")
    if line.faults:
        digits = phones.read(line.phone).digits
        return " · ".join(f"{_label(name)}: {say(f'field-{code}', limit=digits)}" for name, code in line.faults)
    return error_words(line.reason)[0] if line.reason else ""


# One submission


def submission(submission_id: str) -> None:
    """A submission: its content, its sender and its result; a button to make a lead, if possible."""
    intake = the_desk().intake
    line = intake.log.one(submission_id)
    if line is None:
        st.info(say("forms-submission-gone"), icon=":material/history:")
        return
    color, icon = BADGES[line.outcome]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(say(f"forms-outcome-{line.outcome}"), color=color, icon=icon)  # type: ignore[arg-type]
        st.caption(moment(line.at), width="content")
    st.markdown(_why(line))
    if line.is_short:
        st.caption(say("forms-submission-short"))
    said = intake.log.said(line)
    _as_it_came(line)
    if line.outcome == DUPLICATE:
        _lead_link(line)
    if not line.is_open:
        _facts(line, said)
        _lead_link(line)
    elif faults := st.session_state.get(drawers.FAULTS) or intake.faults(line):
        _repair(line, said, faults)
    else:
        _facts(line, said)
        st.button(
            say("forms-submission-accept"),
            type="primary",
            icon=":material/check:",
            key="forms.accept",
            on_click=_accept,
            args=(line.id,),
        )


def _as_it_came(line: Submission) -> None:
    """The unreadable body."""
    if line.raw:
        with st.expander(say("forms-submission-raw")):
            st.code(line.raw, language=None, wrap_lines=True)


def _why(line: Submission) -> str:
    """The result of a submission and the reason, in whole sentences."""
    match line.outcome:
        case "accepted":
            return say("forms-by-hand-why") if line.reason else ""
        case "duplicate":
            return say("forms-duplicate-why")
        case "repeated":
            return say("forms-repeated-why")
        case "flagged":
            return say(f"forms-sign-{line.reason}")
    what, remedy = error_words(line.reason or "lead_invalid")
    return what if line.faults else f"{what} {remedy}"


def _facts(line: Submission, said: Said) -> None:
    texts = {**said.texts, "phone": phones.display(said.texts.get("phone", ""))}
    forms = {form.id: form.name for form in the_desk().intake.forms.all()}
    pairs = [(formats.plain(_label(name)), text) for name, text in texts.items() if text]
    pairs += [(formats.plain(code), text) for code, text in said.tracking.items()]
    if said.consent is not None:
        given = say("forms-submission-consent-given", version=said.consent.text_version or "—")
        pairs.append((say("forms-submission-consent"), f"{given} · {moment(said.consent.given_at)}"))
    pairs += [(say("forms-log-form"), forms.get(line.form_id, "—"))]
    pairs += [(say("forms-submission-ip"), line.ip)] if line.ip else []
    facts(pairs)
    facts((formats.plain(label), text) for label, text in said.others.items())
    if not said.texts and not line.is_open:
        st.caption(say("forms-submission-gone"))


def _lead_link(line: Submission) -> None:
    """To its lead's way into AmoCRM."""
    if line.lead_id and the_desk().outbox.progress(line.lead_id) is not None:
        st.page_link(
            "deliveries.py",
            label=say("forms-delivery"),
            icon=":material/outbox:",
            query_params={"lead": line.lead_id},
        )


def _repair(line: Submission, said: Said, faults: Sequence[FieldFault]) -> None:
    """The fields of a submission to be put right, each with its fault."""
    if said.others:
        st.caption(say("forms-submission-held"))
        facts((formats.plain(label), text) for label, text in said.others.items())
    if not said.texts.get("phone"):
        st.info(say("forms-submission-no-phone"), icon=":material/call:")
    names = list(dict.fromkeys([*OWN_FIELDS, *(fault.field for fault in faults)]))
    with st.form("forms.repair_form", border=False, enter_to_submit=False):
        for name in names:
            make = st.text_area if name == "message" else st.text_input
            make(formats.plain(_label(name)), value=said.texts.get(name, ""), key=f"forms.repair.{line.id}.{name}")
            faults_of(name, faults)
        st.form_submit_button(
            say("forms-submission-accept"),
            type="primary",
            icon=":material/check:",
            key="forms.accept",
            on_click=_accept,
            args=(line.id, names),
        )


def _accept(submission_id: str, names: Sequence[str] = ()) -> None:
    """Make a lead of a submission; the remaining faults stand at their fields."""
    changes = {name: st.session_state.get(f"forms.repair.{submission_id}.{name}") for name in names}
    taken = the_desk().intake.accept_kept(submission_id, changes, by=person() or None)
    st.session_state[drawers.FAULTS] = list(taken.faults)
    if taken.outcome == ACCEPTED:
        drawers.close()
        say_notice("forms-submission-accepted")


def _label(name: str) -> str:
    """The title of a field: the desk's own by a word, an added field by its label."""
    if name in OWN_FIELDS:
        return say(f"new-{name}")
    added = {mapped.key: mapped.label or name for mapped in the_desk().fields.added()}
    return added.get(name, name)

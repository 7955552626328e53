"""The parts of the deliveries page: the queue as a whole, what waits for a person, the table, one lead's story."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import streamlit as st

from crm.leads import lead_address
from desk import lead as lead_rules
from desk import phones
from desk.delivery import DELIVERED, DROPPED, NEEDS_DECISION, QUEUED, REFUSED, SENDING, UNKNOWN, Progress, report
from desk.delivery.decisions import ANOTHER_ACCOUNT, OWN_FAULTS
from desk.desk import the_desk
from desk.lead import NewLead
from store import clock
from ui.frame import formats
from ui.frame.frame import attempt, fragment
from ui.frame.parts import facts, faults_of, moment, zone
from ui.frame.person import person
from ui.frame.words import error_words, language, say

LIVE_EVERY_S = 3.0
CARDS = 10
"""Leads that wait for a person, drawn at once; the rest follows as these are dealt with."""

PAGE_ROWS, ROW_PX = 100, 35

METRIC_PX = 164
"""Two side by side on a phone."""

GROUPS = {
    "waiting": (QUEUED, SENDING, UNKNOWN),
    "people": (NEEDS_DECISION, REFUSED),
    "delivered": (DELIVERED,),
    "dropped": (DROPPED,),
}
"""What the table is filtered by."""

SIGNS = {
    QUEUED: ("blue", ":material/schedule:"),
    SENDING: ("blue", ":material/sync:"),
    UNKNOWN: ("orange", ":material/help:"),
    NEEDS_DECISION: ("red", ":material/gavel:"),
    REFUSED: ("red", ":material/block:"),
    DELIVERED: ("green", ":material/check_circle:"),
    DROPPED: ("gray", ":material/delete:"),
}
"""How a state looks besides its word."""

FAULTS = "deliveries.faults"


@fragment(run_every=LIVE_EVERY_S)
def state_of_the_queue() -> None:
    """Whether it moves, how much is on its way, and how long leads take."""
    store = the_desk().store
    pause, counts, times = report.pause(store), report.counts(store), report.times(store)
    if pause is not None:
        what, remedy = error_words(pause.reason)
        since = say("deliveries-paused-since", time=moment(pause.since), next=_in(pause.until))
        st.warning(f"**{say('deliveries-paused')}** {what} {remedy}\n\n{since}", icon=":material/pause_circle:")
    if strange := report.strange(store):
        st.error(say("deliveries-strange", codes=formats.plain(", ".join(strange))), icon=":material/report:")
    if report.own_faults(store):
        st.error(say("deliveries-own-fault"), icon=":material/bug_report:")
    if the_desk().outbox.has_died:
        st.error(say("deliveries-stopped"), icon=":material/error:")
    how = say("deliveries-times-help", count=times.count)
    with st.container(horizontal=True, gap="small"):
        for group in ("waiting", "people"):
            number = sum(counts.get(state, 0) for state in GROUPS[group])
            st.metric(say(f"deliveries-group-{group}"), number, width=METRIC_PX)
        st.metric(say("deliveries-p50"), _seconds(times.p50_s), help=how, width=METRIC_PX)
        st.metric(say("deliveries-p95"), _seconds(times.p95_s), help=how, width=METRIC_PX)


def waiting_for_people() -> None:
    """Every lead that a person has to decide about, with what can be done."""
    entries = report.entries(the_desk().store, GROUPS["people"], limit=CARDS)
    if not entries:
        return
    st.subheader(say("deliveries-people"), anchor=False)
    if not person():
        st.info(say("deliveries-say-name"), icon=":material/badge:")
    _replay()
    for entry in entries:
        with st.container(border=True):
            _card(entry.progress.id)


def choose_states() -> Sequence[str]:
    """Which leads the table shows."""
    st.subheader(say("deliveries-all"), anchor=False)
    group = st.segmented_control(
        say("deliveries-show"),
        list(GROUPS),
        default="waiting",
        required=True,
        format_func=lambda name: say(f"deliveries-group-{name}"),
        key="deliveries.group",
        bind="query-params",
        label_visibility="collapsed",
    )
    return GROUPS[str(group)]


@fragment(run_every=LIVE_EVERY_S)
def table(states: Sequence[str]) -> None:
    """The leads in these states, the newest first. A click on one opens its story."""
    entries = report.entries(the_desk().store, states, limit=PAGE_ROWS)
    if not entries:
        st.info(say("deliveries-none"), icon=":material/inbox:")
        return
    frame = pd.DataFrame(
        {
            "at": [entry.progress.accepted_at.astimezone(zone()).replace(tzinfo=None) for entry in entries],
            "name": [entry.name or say("nameless") for entry in entries],
            "phone": [phones.display(entry.phone) for entry in entries],
            "state": [say(f"delivery-state-{entry.progress.state}") for entry in entries],
            "why": [_why_short(entry.progress) for entry in entries],
            "next": [_next_short(entry.progress) for entry in entries],
            "attempts": [entry.progress.attempts for entry in entries],
            "amo": [_address(entry.progress) for entry in entries],
        }
    )
    picked = st.dataframe(
        frame,
        hide_index=True,
        height=(min(len(frame), 12) + 1) * ROW_PX + 3,
        alt=say("deliveries-all"),
        on_select="rerun",
        selection_mode="single-row",
        key=f"deliveries.table.{'-'.join(states)}",
        column_config={
            "at": st.column_config.DatetimeColumn(say("deliveries-accepted"), format="DD.MM HH:mm:ss", width=120),
            "name": st.column_config.TextColumn(say("leads-name"), width=130),
            "phone": st.column_config.TextColumn(say("leads-phone"), width=130),
            "state": st.column_config.TextColumn(say("deliveries-state"), width=120),
            "why": st.column_config.TextColumn(say("deliveries-why"), width=165),
            "next": st.column_config.TextColumn(say("deliveries-next"), width=100),
            "attempts": st.column_config.NumberColumn(say("deliveries-attempts"), width=75),
            "amo": st.column_config.LinkColumn(say("leads-link"), display_text=say("open"), width=75),
        },
    )
    rows = picked.selection.rows
    if rows and rows[0] < len(entries) and st.query_params.get("lead") != entries[rows[0]].progress.id:
        st.query_params["lead"] = entries[rows[0]].progress.id
        st.rerun()


def story(lead_id: str) -> None:
    """Everything about one lead."""
    st.subheader(say("deliveries-story"), anchor=False)
    if report.progress(the_desk().store, lead_id) is None:
        st.info(say("deliveries-unknown-lead"), icon=":material/search_off:")
        return
    with st.container(border=True):
        _card(lead_id, whole=True)


def _card(lead_id: str, *, whole: bool = False) -> None:
    """One lead: what it is, where it stands, what can be done; `whole`: with every try."""
    found = report.story(the_desk().store, lead_id)
    if found is None:
        return
    progress, lead = found.progress, found.lead
    color, icon = SIGNS[progress.state]
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.badge(say(f"delivery-state-{progress.state}"), color=color, icon=icon)  # type: ignore[arg-type]
        st.markdown(f"**{formats.plain(lead.name or say('nameless'))}** · {formats.plain(phones.display(lead.phone))}")
        _explain(found)
    with right:
        _facts(found)
    key = f"{lead_id}.whole" if whole else lead_id
    if progress.state in (UNKNOWN, NEEDS_DECISION):
        _decisions(found, key)
    elif progress.state == REFUSED:
        _repair(found, key)
    elif progress.state == DROPPED:
        _again(found, key, say("deliveries-take-back"), ":material/undo:")
    if whole:
        _history(found.tried)


def _explain(found: report.Story) -> None:
    """Why it stands where it stands, and what happens by itself."""
    progress = found.progress
    is_elsewhere = progress.state == NEEDS_DECISION and progress.reason == ANOTHER_ACCOUNT
    has_remedy = progress.state in (QUEUED, REFUSED) or is_elsewhere or progress.reason in OWN_FAULTS
    if progress.reason and progress.state != DELIVERED:
        what, remedy = error_words(progress.reason)
        st.markdown(f"{what} {remedy if has_remedy else ''}")
    if progress.state == UNKNOWN:
        st.markdown(say("deliveries-looking", time=moment(found.sent_at), looks=found.looks, next=_in(progress.due_at)))
    elif is_elsewhere:
        pass  # its remedy has said all there is
    elif progress.state == NEEDS_DECISION and found.candidates:
        st.markdown(say("deliveries-alike"))
    elif progress.state == NEEDS_DECISION and found.sent_at is not None:
        st.markdown(say("deliveries-not-found", sends=found.sends))
    elif progress.state == QUEUED and progress.due_at is not None:
        st.caption(say("deliveries-next-try", next=_in(progress.due_at)))
    if found.lead.message and progress.state != REFUSED:  # a refused one has it in its form
        st.caption(say("new-message"))
        st.text(found.lead.message)


def _facts(found: report.Story) -> None:
    progress, consent = found.progress, found.consent
    took = progress.took_s
    pairs = (
        (say("deliveries-accepted"), moment(progress.accepted_at)),
        (say("deliveries-origin"), found.entered_by or say(f"deliveries-origin-{found.origin}")),
        (say("new-direction"), found.lead.direction),
        (say("new-source"), found.lead.source),
        (say("deliveries-took"), _seconds(took) if took is not None else ""),
        (say("deliveries-consent"), consent and say("deliveries-consent-given", version=consent.text_version or "—", time=moment(consent.given_at), form=consent.form, ip=consent.ip or "—")),
        (say("deliveries-decided"), found.decided_by),
    )  # fmt: skip
    facts((label, str(value)) for label, value in pairs if value)
    if address := _address(progress):
        st.link_button(say("new-open", id=str(progress.amo_lead_id)), address, icon=":material/open_in_new:")


def _decisions(found: report.Story, key: str) -> None:
    """It exists, send it again, search again, drop it."""
    lead_id = found.progress.id
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
        _button("exists", key, say("deliveries-exists"), ":material/check:", lambda: _it_exists(lead_id, key))
    with again:
        _again(found, key, say("deliveries-send-again"), ":material/send:")
    with look:
        _button("look", key, say("deliveries-look-again"), ":material/search:", _outbox("look_again", lead_id))
    with drop:
        _button("drop", key, say("deliveries-drop"), ":material/delete:", _outbox("drop", lead_id))


def _again(found: report.Story, key: str, label: str, icon: str) -> None:
    """Send it after all; one that may be in AmoCRM is searched for first, and both the button and its answer say so."""
    done = "deliveries-decided-search" if found.may_be_there else "deliveries-decided-done"
    _button("again", key, label, icon, _outbox("send_again", found.progress.id), done=done)
    if found.may_be_there:
        st.caption(say("deliveries-send-again-risk"))


def _repair(found: report.Story, key: str) -> None:
    """The lead's fields open for repair, the faulty ones marked with what AmoCRM says."""
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
    _button("drop", key, say("deliveries-drop"), ":material/delete:", _outbox("drop", lead_id))


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


def _replay() -> None:
    """All of them at once, or those since a day."""
    everything, since, day = st.columns([2, 2, 3], vertical_alignment="bottom")
    with everything:
        _button("all", "replay", say("deliveries-replay-all"), ":material/replay:", lambda: _replay_since(None))
    day.date_input(
        say("deliveries-since"),
        value=clock.now(zone()).date(),
        format="DD.MM.YYYY",
        key="deliveries.since",
        label_visibility="collapsed",
    )
    with since:
        _button(
            "since",
            "replay",
            say("deliveries-replay-since"),
            ":material/event_repeat:",
            lambda: _replay_since(st.session_state["deliveries.since"]),
        )


def _replay_since(day: object) -> None:
    begins = datetime.combine(day, time.min, zone()).astimezone(UTC) if isinstance(day, date) else None
    the_desk().outbox.replay(person(), begins)


def _history(tried: Sequence[report.Tried]) -> None:
    """Every try of every step, the newest first."""
    if not tried:
        st.caption(say("deliveries-not-tried"))
        return
    frame = pd.DataFrame(
        {
            "at": [one.at.astimezone(zone()).replace(tzinfo=None) for one in tried],
            "step": [say(f"delivery-step-{one.step}") for one in tried],
            "result": [_result(one) for one in tried],
            "status": pd.array([one.status for one in tried], dtype="Int64"),
            "duration_ms": pd.array([one.duration_ms for one in tried], dtype="Int64"),
            "request_id": [one.request_id or "" for one in tried],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="—",
        alt=say("deliveries-story"),
        column_config={
            "at": st.column_config.DatetimeColumn(say("activity-at"), format="DD.MM HH:mm:ss", width=120),
            "step": st.column_config.TextColumn(say("deliveries-step")),
            "result": st.column_config.TextColumn(say("activity-result"), width="large"),
            "status": st.column_config.NumberColumn("HTTP", format="%d", width="small"),
            "duration_ms": st.column_config.NumberColumn(say("activity-duration"), format="%d", width="small"),
            "request_id": st.column_config.TextColumn(say("activity-request")),
        },
    )


def _button(
    what: str, key: str, label: str, icon: str, action: Callable[[], object], *, done: str = "deliveries-decided-done"
) -> None:
    """A decision: carried out in the name of whoever sits here, so only where that is known."""
    st.button(
        label,
        icon=icon,
        key=f"deliveries.{what}.{key}",
        disabled=not person(),
        on_click=attempt,
        args=(action, done),
        width="stretch",
    )


def _outbox(what: str, lead_id: str) -> Callable[[], object]:
    return lambda: getattr(the_desk().outbox, what)(lead_id, person())


def _it_exists(lead_id: str, key: str) -> None:
    """The number as it stands in the input now: it may have been typed in the moment before the press."""
    text = str(st.session_state.get(f"deliveries.amo_id.{key}") or "").strip().rpartition("/")[2]
    number = int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0
    the_desk().outbox.exists(lead_id, number, person())


def _result(one: report.Tried) -> str:
    if one.by:
        return f"{say(f'delivery-did-{one.result}'.replace(' ', '-'))} · {one.by}"
    if one.result in report.FINE:
        return f"✓ {say(f'delivery-result-{one.result}'.replace(' ', '-'))}"
    return f"✗ {error_words(one.result)[0]}"


def _why_short(progress: Progress) -> str:
    return error_words(progress.reason)[0] if progress.reason and progress.state != DELIVERED else ""


def _next_short(progress: Progress) -> str:
    return _in(progress.due_at) if progress.state in (QUEUED, UNKNOWN) else ""


def _in(when: datetime | None) -> str:
    """ "через 5 минут", or "now"."""
    left = when - clock.now() if when is not None else timedelta()
    return formats.ago(when, language()) if when is not None and left > timedelta(seconds=1) else say("deliveries-now")


def _address(progress: Progress) -> str | None:
    status = the_desk().connection.status()
    is_here = progress.account_id in (None, status.account_id)  # of another account no address is known
    if progress.amo_lead_id is None or status.account_url is None or not is_here:
        return None
    return lead_address(status.account_url, progress.amo_lead_id)


def _seconds(span_s: float | None) -> str:
    if span_s is None:
        return "—"
    if span_s < 60:
        return say("seconds", seconds=formats.seconds(span_s, language()))
    return formats.lasting(timedelta(seconds=span_s), language())

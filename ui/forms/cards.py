"""The cards of the forms page: a form, its recent figures, its actions, and a test lead's way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from desk.delivery import DELIVERED
from desk.desk import the_desk
from desk.intake import API, Form, FormKey, Tally, presets
from desk.intake.form_draft import site_of
from desk.intake.log import OUTCOMES, REFUSED
from store import clock
from ui.forms import drawers
from ui.frame import formats
from ui.frame.frame import attempt, fragment
from ui.frame.parts import lead_link
from ui.frame.words import error_words, language, say

TESTED = "forms.tested"
"""The result of this session's last test lead: (form id, result)."""

TEST_EVERY_S = 0.5

COUNTED = tuple(outcome for outcome in OUTCOMES if outcome != "repeated")
"""Outcomes counted on a card. A repetition says little about a form."""


def card(form: Form, keys: Sequence[FormKey], tally: Tally | None) -> None:
    """The card of a form. Its numbers are of the last seven days."""
    with st.container(border=True, key=f"forms.card.{form.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(formats.plain(form.name), anchor=False, width="content")
            if form.is_active:
                st.badge(say("forms-active"), color="green", icon=":material/check_circle:")
            else:
                st.badge(say("forms-paused"), color="orange", icon=":material/pause_circle:")
        about, numbers = st.columns([3, 2], gap="large") if tally else (st.container(), None)
        with about:
            st.caption("  \n".join([*_about(form, keys), *_last(tally)]))
            if form.id != API and not any(key.works(clock.now()) for key in keys):
                st.markdown(f":orange[:material/key_off: {say('forms-no-key')}]")
        if tally and the_desk().intake.room_used(form.id).is_up:
            st.markdown(f":orange[:material/inventory_2: {say('forms-room-up')}]")
        if numbers and tally:
            with numbers:
                _numbers(tally)
        _actions(form)
        if (tested := st.session_state.get(TESTED)) and tested[0] == form.id:
            _tested()


def _about(form: Form, keys: Sequence[FormKey]) -> list[str]:
    """A line or two about the form: its service, its source, its sites, its keys."""
    working = sum(key.works(clock.now()) for key in keys)
    facts = [formats.plain(form.source)] if form.source else []
    facts += [formats.plain(site_of(origin).removeprefix("https://")) for origin in form.origins]
    facts += [say("forms-keys-count", count=working)] if working else []
    lines = [say("forms-builtin")] if form.id == API else []
    lines += [say(f"forms-preset-{form.preset}")] if form.preset != presets.OWN else []
    lines += [" · ".join(facts)] if facts else []
    return lines if form.origins or form.preset != presets.OWN else [*lines, say("forms-no-site")]


def _last(tally: Tally | None) -> list[str]:
    """The times of the last accepted and the last refused submission."""
    if tally is None:
        return [say("forms-never")]
    times = {"forms-last-accepted": tally.accepted_at, "forms-last-refused": tally.refused_at}
    return [say(key, time=formats.ago(time, language())) for key, time in times.items() if time is not None]


def _numbers(tally: Tally) -> None:
    """How many of each outcome in the last seven days."""
    st.caption(say("forms-week"))
    with st.container(horizontal=True):
        for outcome in COUNTED:
            st.metric(say(f"forms-count-{outcome}"), tally.counts.get(outcome, 0), width="content")


def _actions(form: Form) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            say("forms-test"),
            icon=":material/science:",
            key=f"forms.test.{form.id}",
            help=say("forms-test-help"),
            on_click=_test,
            args=(form,),
        )
        for name, (_, icon) in drawers.OF_A_FORM.items():
            st.button(
                drawers.title_of(name, form),
                icon=icon,
                key=f"forms.{name}.{form.id}",
                on_click=drawers.open_of,
                args=(name, form),
            )
        if form.is_active:
            st.button(
                say("forms-pause"),
                icon=":material/pause:",
                key=f"forms.pause.{form.id}",
                on_click=attempt,
                args=(partial(the_desk().intake.forms.pause, form.id), "forms-pause-done"),
            )
        else:
            st.button(
                say("forms-resume"),
                icon=":material/play_arrow:",
                key=f"forms.resume.{form.id}",
                on_click=attempt,
                args=(partial(the_desk().intake.forms.resume, form.id), "forms-resume-done"),
            )


def _test(form: Form) -> None:
    message = say("forms-test-message", form=form.name)
    taken = the_desk().intake.try_out(form.id, name=say("forms-test-name"), message=message)
    st.session_state[TESTED] = (form.id, taken)


def _tested() -> None:
    """The way of the test lead; looks again by itself until the lead has arrived."""
    _, taken = st.session_state[TESTED]
    if taken.outcome == REFUSED:
        st.error(f"**{say('forms-test-refused')}** {' '.join(error_words(taken.code))}", icon=":material/error:")
        return
    progress = the_desk().intake.progress(taken.told_id)
    (_test_state if progress is None or progress.is_settled else _live_test_state)()


@fragment(run_every=TEST_EVERY_S)
def _live_test_state() -> None:
    _test_state()


def _test_state() -> None:
    _, taken = st.session_state[TESTED]
    desk = the_desk()
    progress = desk.intake.progress(taken.told_id)
    if progress is None:
        return
    if progress.state == DELIVERED:
        seconds = formats.seconds(progress.took_s or 0.0, language())
        state, icon = say("new-delivered", seconds=seconds), ":material/check_circle:"
    elif progress.reason:
        state, icon = " ".join(error_words(progress.reason)), ":material/schedule:"
    else:
        state, icon = say("new-accepted"), ":material/schedule:"
    st.success(f"**{say('forms-test-accepted')}** {state}", icon=icon)
    with st.container(horizontal=True, vertical_alignment="center"):
        if progress.amo_lead_id is not None and (address := lead_link(progress.amo_lead_id)):
            st.link_button(say("new-open", id=str(progress.amo_lead_id)), address, icon=":material/open_in_new:")
        st.page_link(
            "deliveries.py", label=say("forms-delivery"), icon=":material/outbox:", query_params={"lead": taken.told_id}
        )

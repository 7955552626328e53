"""The drawers beside the forms page: a form to fill in or change, its keys, its code for the site.

The open drawer is kept in the session, so that it stays open while something in it is pressed. The key of a form is
there in plain text only between its making and the closing of the drawer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from desk.desk import the_desk
from desk.intake import API, Form, FormKey, form_draft, presets, snippet
from desk.intake.form_draft import DUPLICATE_S, LEAST_FILL_S, LONGEST_DUPLICATE_S, LONGEST_FILL_S, site_of
from desk.lead import FieldFault
from desk.settings import is_loopback
from desk.words import words
from store import clock
from ui.forms import names
from ui.frame import formats
from ui.frame.frame import attempt, guard
from ui.frame.parts import faults_of, moment
from ui.frame.words import say

OPEN = "forms.open"
"""The open drawer and its object: (name, id)."""

FRESH = "forms.fresh"
"""A freshly made key: (form id, key)."""

FAULTS = "forms.faults"
REVOKING = "forms.revoking"

OF_A_FORM = {
    "code": ("forms-code", ":material/code:"),
    "names": ("forms-names", ":material/match_case:"),
    "keys": ("forms-keys", ":material/key:"),
    "edit": ("forms-edit", ":material/edit:"),
}
"""The drawers a form has, with their words and icons."""

CHOSEN = "forms.log"
"""The table of the log: the row of the open submission is marked until the drawer closes."""

WIDTH_PX = 640

OVERLAP_DAYS = (0, 1, 7, 30)
USUAL_OVERLAP_DAYS = 7
"""A week: long enough to find the person for changing the site."""


def open_new() -> None:
    _fill(None)
    _open("new", "")


def open_of(name: str, form: Form) -> None:
    if name == "edit":
        _fill(form)
    _open(name, form.id)


def open_submission(submission_id: str) -> None:
    _open("submission", submission_id)


def is_open() -> bool:
    return OPEN in st.session_state


def close() -> None:
    for key in (OPEN, FRESH, FAULTS, REVOKING):
        st.session_state.pop(key, None)
    if CHOSEN in st.session_state:
        st.session_state[CHOSEN] = {"selection": {"rows": [], "columns": [], "cells": []}}


def show(submission: Callable[[str], None]) -> None:
    """Draw the open drawer, if any. `submission`: draws a submission of the log, by its id."""
    if OPEN not in st.session_state:
        return
    name, of = st.session_state[OPEN]
    match name:
        case "submission":
            _open_panel(say("forms-submission"), lambda: submission(of))
        case "new":
            _open_panel(say("forms-new"), lambda: _form(None))
        case _:
            draw = {"edit": _form, "keys": _keys, "code": _code, "names": names.show}[name]
            form = the_desk().intake.forms.of(of)
            _open_panel(f"{formats.plain(form.name)} · {title_of(name, form)}", lambda: draw(form))


def title_of(name: str, form: Form) -> str:
    """The title of a form's drawer: a service is connected, a site gets code."""
    return say("forms-connect" if name == "code" and form.preset != presets.OWN else OF_A_FORM[name][0])


def _open_panel(title: str, draw: Callable[[], None]) -> None:
    """Show a dialog at the right edge; rerun the page if another drawer, or none, is open by now."""
    now_open = st.session_state[OPEN]

    def inside() -> None:
        if st.session_state.get(OPEN) != now_open:
            st.rerun()  # closed from within, or another one is to open
        with guard():
            draw()

    st.dialog(title, width=WIDTH_PX, position="right", on_dismiss=close)(inside)()


def _open(name: str, of: str) -> None:
    close()
    st.session_state[OPEN] = (name, of)


# A form to fill in or change


def _form(form: Form | None) -> None:
    """The inputs of a form; of a new form if `form` is None."""
    faults = st.session_state.get(FAULTS, [])
    with st.form("forms.form", border=False, enter_to_submit=False):
        _naming(form, faults)
        _site(form, faults)
        _limits()
        if form is not None:
            _ways(form, faults)
        st.form_submit_button(
            say("forms-make" if form is None else "forms-save"),
            type="primary",
            icon=":material/check:",
            key="forms.save",
            on_click=_save,
            args=(form.id if form else None,),
        )


def _naming(form: Form | None, faults: list[FieldFault]) -> None:
    """Preset, name and source of a form. The form of the API has no preset."""
    if form is None or form.id != API:
        st.selectbox(
            say("forms-preset"),
            list(presets.BY_ID),
            format_func=lambda one: say(f"forms-preset-{one or 'code'}"),
            help=say("forms-preset-help"),
            key="forms.preset",
        )
    st.text_input(
        say("forms-name"), placeholder=say("forms-name-hint"), max_chars=form_draft.LONGEST_NAME, key="forms.name"
    )
    faults_of("name", faults)
    st.text_input(
        say("forms-source"), placeholder=say("forms-source-hint"), help=say("forms-source-help"), key="forms.source"
    )
    faults_of("source", faults)


def _site(form: Form | None, faults: list[FieldFault]) -> None:
    """The sites a form stands on, and the page shown after sending."""
    st.text_area(
        say("forms-origins"),
        placeholder="https://fit.ru",
        help=say("forms-origins-help"),
        height=80,
        key="forms.origins",
    )
    faults_of("origins", faults)
    settings_sites = the_desk().settings.intake_allowed_origins
    if form is not None and form.id == API and settings_sites:
        st.caption(say("forms-origins-settings", sites=formats.plain(", ".join(map(site_of, settings_sites)))))
    st.text_input(
        say("forms-thanks_url"),
        placeholder="https://fit.ru/thanks",
        help=say("forms-thanks_url-help"),
        key="forms.thanks_url",
    )
    faults_of("thanks_url", faults)


def _limits() -> None:
    """The span of time in which a repeated lead is a duplicate, and the fastest filling in of a person."""
    left, right = st.columns(2, vertical_alignment="bottom")
    left.number_input(
        say("forms-duplicate_min"),
        0,
        LONGEST_DUPLICATE_S // 60,
        step=1,
        help=say("forms-duplicate_min-help"),
        key="forms.duplicate_min",
    )
    right.number_input(
        say("forms-least_fill_s"),
        0.0,
        LONGEST_FILL_S,
        step=0.5,
        format="%.1f",
        help=say("forms-least_fill_s-help"),
        key="forms.least_fill_s",
    )


def _ways(form: Form, faults: list[FieldFault]) -> None:
    """The answer to the sender, strictness, and unknown fields: set by a preset, open to changes by the owner."""
    st.radio(
        say("forms-answer"),
        presets.ANSWERS,
        format_func=lambda one: say(f"forms-answer-{one}"),
        help=say("forms-answer-help"),
        key="forms.answer",
    )
    st.checkbox(say("forms-key_in_address"), help=say("forms-key_in_address-help"), key="forms.key_in_address")
    st.checkbox(say("forms-note_unknown"), help=say("forms-note_unknown-help"), key="forms.note_unknown")
    st.multiselect(
        say("forms-required"),
        names.fields(),
        format_func=names.word,
        placeholder=say("new-phone"),
        help=say("forms-required-help"),
        key="forms.required",
    )
    if presets.of(form.preset).wants_code:
        st.text_input(say("forms-word"), help=say("forms-word-help"), key="forms.code_word")
        faults_of("code", faults)


def _fill(form: Form | None) -> None:
    """Fill the inputs with a form's values; with the usual values for a new form."""
    own = [one for one in form.origins if one not in the_desk().settings.intake_allowed_origins] if form else []
    values = {
        "name": form.name if form else "",
        "source": form.source if form else "",
        "origins": "\n".join(map(site_of, own)),
        "thanks_url": form.thanks_url if form else "",
        "duplicate_min": (form.duplicate_s if form else DUPLICATE_S) // 60,
        "least_fill_s": form.least_fill_s if form else LEAST_FILL_S,
        "preset": form.preset if form else presets.OWN,
        "answer": form.answer if form else presets.AS_JSON,
        "key_in_address": bool(form and form.key_in_address),
        "note_unknown": bool(form and form.note_unknown),
        "required": list(form.required) if form else [],
        "code_word": form.code if form else "",
    }
    st.session_state.update({f"forms.{name}": value for name, value in values.items()})


def _save(form_id: str | None) -> None:
    """Save the inputs, or show each fault at its field. A new form has its first key at once."""
    forms = the_desk().intake.forms
    raw = {name: st.session_state.get(f"forms.{name}") for name in ("name", "source", "origins", "thanks_url")}
    raw["duplicate_s"] = (st.session_state.get("forms.duplicate_min") or 0) * 60
    raw["least_fill_s"] = st.session_state.get("forms.least_fill_s") or 0.0
    raw |= _said_of_ways(form_id)
    draft, faults = form_draft.read(raw, [form.name for form in forms.all() if form.id != form_id])
    st.session_state[FAULTS] = faults
    if draft is None:
        return
    if form_id is not None:
        close()
        attempt(lambda: forms.change(form_id, draft), "forms-saved")
        return
    made = forms.add(draft)
    _open("keys", made.id)
    st.session_state[FRESH] = (made.id, forms.new_key(made.id))


def _said_of_ways(form_id: str | None) -> dict[str, Any]:
    """The inputs of `_ways`; the preset's values for a new form, and for a form with a changed preset."""
    chosen = st.session_state.get("forms.preset") or presets.OWN
    if form_id is None or (form_id != API and the_desk().intake.forms.of(form_id).preset != chosen):
        return form_draft.ways_of(chosen) | {"required": st.session_state.get("forms.required") if form_id else []}
    names = ("answer", "key_in_address", "note_unknown", "required")
    said = {name: st.session_state.get(f"forms.{name}") for name in names}
    return said | {"preset": chosen if form_id != API else presets.OWN, "code": st.session_state.get("forms.code_word")}


def _keys(form: Form) -> None:
    """The keys of a form: a freshly made key, the list, a button for a new key."""
    _fresh(form)
    keys = the_desk().intake.forms.keys(form.id)
    if not keys:
        st.info(say("forms-key-none"), icon=":material/key:")
    for key in keys:
        _key(key)
    with st.container(border=True):
        st.markdown(f"**{say('forms-key-new')}**")
        if keys:
            st.selectbox(
                say("forms-key-overlap"),
                OVERLAP_DAYS,
                index=OVERLAP_DAYS.index(USUAL_OVERLAP_DAYS),
                format_func=lambda days: say(f"forms-key-overlap-{days}"),
                help=say("forms-key-overlap-help"),
                key="forms.overlap",
            )
        st.button(
            say("forms-key-make"), icon=":material/add:", key="forms.make_key", on_click=_make_key, args=(form.id,)
        )


def _fresh(form: Form) -> None:
    """Show a freshly made key, this once."""
    fresh = st.session_state.get(FRESH)
    if not fresh or fresh[0] != form.id:
        return
    with st.container(border=True):
        st.success(say("forms-key-once"), icon=":material/key:")
        st.code(fresh[1], language=None, wrap_lines=True)
        st.button(
            title_of("code", form),
            icon=":material/code:",
            key="forms.to_code",
            on_click=_turn_to,
            args=("code", form.id),
        )


def _key(key: FormKey) -> None:
    """A key with its state, and the button to revoke the key."""
    now = clock.now()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"`…{key.hint}`", width="content")
        st.caption(say("forms-key-created", time=moment(key.created_at)), width="content")
        if not key.works(now):
            st.badge(say("forms-key-ended", time=moment(key.ends_at)), color="gray", icon=":material/key_off:")
            return
        if key.ends_at is None:
            st.badge(say("forms-key-works"), color="green", icon=":material/check_circle:")
        else:
            st.badge(say("forms-key-until", time=moment(key.ends_at)), color="orange", icon=":material/schedule:")
        st.button(say("forms-key-revoke"), key=f"forms.revoke.{key.id}", on_click=_ask_revoke, args=(key.id,))
    if st.session_state.get(REVOKING) == key.id:
        st.warning(say("forms-key-revoke-sure", hint=formats.plain(key.hint)), icon=":material/warning:")
        with st.container(horizontal=True):
            st.button(say("forms-key-revoke"), type="primary", key="forms.revoke_yes", on_click=_revoke, args=(key.id,))
            st.button(say("cancel"), key="forms.revoke_no", on_click=_ask_revoke, args=(None,))


def _make_key(form_id: str) -> None:
    overlap = timedelta(days=st.session_state.get("forms.overlap") or 0)
    st.session_state[FRESH] = (form_id, the_desk().intake.forms.new_key(form_id, overlap))


def _ask_revoke(key_id: int | None) -> None:
    st.session_state[REVOKING] = key_id


def _revoke(key_id: int) -> None:
    the_desk().intake.forms.revoke(key_id)
    _ask_revoke(None)


def _turn_to(name: str, form_id: str) -> None:
    """Turn to a different drawer of the same form; a freshly made key comes along."""
    st.session_state[OPEN] = (name, form_id)


# The code for the site


def _code(form: Form) -> None:
    """The code to paste into the site, with the freshly made key, if any, in place."""
    fresh = st.session_state.get(FRESH)
    key = fresh[1] if fresh and fresh[0] == form.id else snippet.PLACEHOLDER
    base_url = the_desk().settings.base_url
    if form.preset != presets.OWN:
        _connect(form, key, base_url)
        return
    st.markdown(say("forms-code-intro"))
    if key == snippet.PLACEHOLDER:
        st.info(say("forms-code-key", placeholder=snippet.PLACEHOLDER), icon=":material/key:")
    if not form.origins:
        st.warning(say("forms-no-site"), icon=":material/public_off:")
    if is_loopback(urlsplit(base_url).hostname or ""):
        st.warning(say("forms-code-local", address=formats.plain(base_url)), icon=":material/public_off:")
    speak = words(the_desk().settings.ui_language)
    for tab, make in zip(
        st.tabs([say("forms-code-script"), say("forms-code-plain")]), (snippet.scripted, snippet.plain), strict=True
    ):
        tab.caption(say("forms-code-marks-plain" if make is snippet.plain else "forms-code-marks-script"))
        tab.code(make(speak, base_url, key=key, thanks_url=form.thanks_url), language="html", wrap_lines=True)


def _connect(form: Form, key: str, base_url: str) -> None:
    """Instructions for a service: the address, and the place to put the address."""
    st.markdown(f"**{say('forms-connect-address')}**")
    st.code(presets.address(base_url, form.key_in_address, key), language=None, wrap_lines=True)
    if key == snippet.PLACEHOLDER:
        st.info(say("forms-connect-key", placeholder=snippet.PLACEHOLDER), icon=":material/key:")
    if is_loopback(urlsplit(base_url).hostname or ""):
        st.warning(say("forms-connect-local", address=formats.plain(base_url)), icon=":material/public_off:")
    st.markdown(say(f"preset-{form.preset}-steps"))
    if form.key_in_address:
        st.caption(say("forms-connect-secret"))

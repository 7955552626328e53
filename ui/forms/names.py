"""The drawer for teaching a form the meanings of names: the names received, their meanings, a press to change them."""

from __future__ import annotations

import hashlib
from functools import partial

import streamlit as st

from desk.desk import the_desk
from desk.intake import Form, SeenName, known_names, names
from desk.lead import OWN_FIELDS
from ui.frame import formats
from ui.frame.frame import attempt
from ui.frame.parts import moment
from ui.frame.words import say

BY_ITSELF = ""
"""The choice for the desk's own guess at a name."""

SPECIAL = (*known_names.PARTS.values(), "email", "consent", "page", known_names.NOTED, known_names.IGNORED)
"""Meanings besides the fields of a lead."""


def show(form: Form) -> None:
    """List all received names, the unknown names first."""
    form = the_desk().intake.forms.of(form.id)
    seen = the_desk().intake.seen.of(form.id)
    st.markdown(say("forms-names-intro"))
    if not seen:
        st.info(say("forms-names-none"), icon=":material/inbox:")
        return
    if unknown := sum(not one.meaning and one.name not in form.taught for one in seen):
        st.caption(f":orange[:material/help: {say('forms-names-unknown', count=unknown)}]")
    for one in seen:
        _row(form, one)


def fields() -> list[str]:
    """Fields a form may require, besides the phone."""
    return [name for name in OWN_FIELDS if name != "phone"] + [mapped.key for mapped in the_desk().fields.added()]


def word(meaning: str) -> str:
    """The word for a meaning."""
    if not meaning:
        return say("forms-name-nothing")
    if meaning in OWN_FIELDS:
        return say(f"new-{meaning}")
    if meaning in SPECIAL:
        return say(f"forms-name-{meaning}")
    if meaning in known_names.CHANNELS:
        return known_names.CHANNELS[meaning]
    return {mapped.key: mapped.label or mapped.key for mapped in the_desk().fields.added()}.get(meaning, meaning)


def _row(form: Form, one: SeenName) -> None:
    key = f"forms.named.{form.id}.{hashlib.sha256(one.name.encode()).hexdigest()[:12]}"
    choices = [BY_ITSELF, *OWN_FIELDS, *(mapped.key for mapped in the_desk().fields.added()), *SPECIAL]
    taught = form.taught.get(one.name, BY_ITSELF)
    choices += [taught] if taught not in choices else []
    st.session_state.setdefault(key, taught)
    st.selectbox(
        formats.plain(one.name),
        choices,
        format_func=partial(_choice, one),
        help=say("forms-names-last", time=moment(one.seen_at)),
        key=key,
        on_change=_teach,
        args=(form.id, one.name, key),
    )


def _choice(one: SeenName, meaning: str) -> str:
    if meaning == BY_ITSELF:
        return say("forms-name-auto", meaning=word(names.meaning_of(one.name) or one.meaning))
    return word(meaning)


def _teach(form_id: str, name: str, key: str) -> None:
    meaning = st.session_state.get(key) or ""
    attempt(partial(the_desk().intake.forms.teach, form_id, name, meaning), "forms-name-taught")

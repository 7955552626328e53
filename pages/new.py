"""New lead: what an operator types while the caller is talking."""

import streamlit as st

from ui import new_view as view
from ui.parts import faults_of, focus
from ui.words import say

form, card = st.columns([3, 2], gap="large")
faults = st.session_state.get(view.FAULTS, [])

with form, st.form("new.form", enter_to_submit=True):
    st.text_input(say("new-phone"), type="phone", placeholder="8 999 123-45-67", autocomplete="off", key="new.phone")
    faults_of("phone", faults)
    st.text_input(say("new-name"), autocomplete="off", key="new.name")
    faults_of("name", faults)
    left, right = st.columns(2)
    with left:
        st.text_input(
            say("new-direction"), placeholder=say("new-direction-hint"), autocomplete="off", key="new.direction"
        )
        faults_of("direction", faults)
    with right:
        st.text_input(say("new-source"), placeholder=say("new-source-hint"), autocomplete="off", key="new.source")
        faults_of("source", faults)
    view.added_fields(faults)
    st.text_area(say("new-message"), height=100, key="new.message")
    faults_of("message", faults)
    # No shortcut on the button: in the message Ctrl+Enter submits the form already, and the button's own shortcut
    # would submit it a moment earlier, without the message's last words.
    st.form_submit_button(
        say("new-submit"),
        type="primary",
        icon=":material/send:",
        key="new.submit",
        on_click=view.submit,
    )
    st.caption(say("new-keys"))

focus(f"new.{faults[0].field}" if faults else "new.phone", st.session_state.get(view.COUNT, 0))

with card:
    view.card()

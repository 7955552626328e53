"""New lead: the form of a call, filled in while the caller is talking."""

import streamlit as st

from ui.frame.frame import fragment, notice
from ui.frame.words import say
from ui.new import draft, form
from ui.new.caller import caller
from ui.new.panels import panels
from ui.new.saved_call import saved
from ui.streamlit_gaps import handover

draft.begin()
form.keys()


@fragment()
def desk() -> None:
    """The whole screen runs without the frame: a key pressed costs as little as can be."""
    with st.container():
        notice()
    handover.settle()
    form.drafts()
    with st.container(key="new.desk"):
        left, right = st.columns([3, 2], gap="large")
    typing = left.container(key="new.form")
    with typing:
        form.phone()
    beside = right.container(key="new.caller")
    with beside:  # before the other fields: it is what the operator waits for
        caller()
    with typing:
        form.fields()
        draft.keep_drawn()
        handover.confirm(say("new-turn"))
    with beside:  # after them: whoever sees "saved" may type at once, and nothing empties a field any more
        saved()
    with right, st.container(key="new.panels"):
        panels()
    form.cursor()


desk()

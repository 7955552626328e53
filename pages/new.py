"""New lead: what an operator types while the caller is talking."""

import streamlit as st

from ui.frame.frame import fragment, notice
from ui.frame.words import say
from ui.new import form as view
from ui.new.caller import caller
from ui.new.panels import panels
from ui.new.saved_call import saved
from ui.streamlit_gaps import handover

view.begin()
view.keys()


@fragment()
def desk() -> None:
    """The whole screen runs without the frame: a key pressed costs as little as can be."""
    with st.container():
        notice()
    handover.settle()
    view.drafts()
    with st.container(key="new.desk"):
        form, side = st.columns([3, 2], gap="large")
    here = form.container(key="new.form")
    with here:
        view.phone()
    beside = side.container(key="new.caller")
    with beside:  # before the other fields: it is what the operator waits for
        caller(view.keep, view.take_number, view.given_stage())
    with here:
        view.fields()
        view.keep_shown()
        handover.confirm(say("new-turn"))
    with beside:  # after them: whoever sees "saved" may type at once, and nothing empties a field any more
        saved()
    with side, st.container(key="new.panels"):
        panels(view.typed())
    view.cursor()


desk()

"""Site forms: the senders over HTTP, their keys and code, and the log of submissions."""

import streamlit as st

from desk.desk import the_desk
from ui.forms import cards as view
from ui.forms import drawers, log
from ui.frame.words import say

intake = the_desk().intake
forms = intake.forms.all()
tallies = intake.log.tallies()

st.caption(say("forms-intro"))
st.button(say("forms-new"), type="primary", icon=":material/add:", key="forms.new", on_click=drawers.open_new)
for form in forms:
    view.card(form, intake.forms.keys(form.id), tallies.get(form.id))
if len(forms) == 1:
    st.info(say("forms-none"), icon=":material/lightbulb:")

st.subheader(say("forms-log"), anchor=False, help=say("forms-log-help"))
if tallies:
    log.lines(*log.choose(forms), {form.id: form.name for form in forms})
else:
    st.info(say("forms-log-none"), icon=":material/inbox:")

drawers.show(log.submission)

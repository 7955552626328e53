"""Connection: the desk's way into AmoCRM, and the remedies for a lost connection."""

import streamlit as st

from desk.desk import the_desk
from ui.connection import hooks, mirror
from ui.connection import state as view
from ui.frame import health
from ui.frame.words import say

connection = the_desk().connection
status = connection.status()

view.result_of_consent()
view.remember_drawn(status)
left, right = st.columns([3, 2], gap="large")

with left:
    view.state()
    view.account(status)

with right, st.container(border=True):
    st.subheader(say("connection-actions"), anchor=False)
    if status.mode == "long_lived":
        st.info(say("connection-long-lived"), icon=":material/key:")
    else:
        view.connect_button(status)
        if status.state != "not_connected":
            view.refresh_button(status)
            view.disconnect_button()
        view.paste_code()

if status.state != "not_connected":
    hooks.card()
    mirror.card()

health.card()
view.timeline(connection.timeline())
view.advice()

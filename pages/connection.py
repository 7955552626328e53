"""Connection: how the desk is let into AmoCRM, and what to do when it is not."""

import streamlit as st

from crm.desk import the_desk
from ui import connection_view as view
from ui import health_view, hooks_view, mirror_view
from ui.words import say

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
    hooks_view.card()
    mirror_view.card()

health_view.card()
view.timeline(connection.timeline())
view.advice()

"""Deliveries: what is on its way to AmoCRM, what waits for a person, and what to do about it."""

import streamlit as st

from ui import deliveries as view

view.state_of_the_queue()
view.waiting_for_people()
chosen = view.choose_states()
view.table(chosen)

if lead_id := st.query_params.get("lead"):
    view.story(lead_id)

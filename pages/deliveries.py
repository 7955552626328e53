"""Deliveries: leads on their way to AmoCRM, leads waiting for a person, and the decisions about them."""

import streamlit as st

from ui.deliveries import card, people, queue

queue.state_of_the_queue()
people.waiting_for_people()
queue.table(queue.choose_states())

if lead_id := st.query_params.get("lead"):
    card.story(lead_id)

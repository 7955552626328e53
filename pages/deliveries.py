"""Deliveries: what is on its way to AmoCRM, what waits for a person, and what to do about it."""

import streamlit as st

from ui.deliveries import card, people, queue

queue.state_of_the_queue()
people.waiting_for_people()
queue.table(queue.choose_states())

if lead_id := st.query_params.get("lead"):
    card.story(lead_id)

"""Fields: the account's fields and their purposes."""

import streamlit as st

from desk.desk import the_desk
from desk.fields import ENTITIES
from ui import fields as view
from ui.frame.parts import as_of
from ui.frame.words import say

fields = the_desk().fields

st.caption(say("fields-intro"))
view.reread()
mapping = fields.mapping()

for mapped in mapping:
    if not mapped.is_added:
        view.own(mapped, fields.known(mapped.entity))
view.marker()

st.subheader(say("fields-added"), anchor=False, help=say("fields-added-help"))
for mapped in mapping:
    if mapped.is_added:
        view.added(mapped)
view.add(mapping, fields.known())

with st.expander(say("fields-all"), icon=":material/list:"):
    for entity in ENTITIES:
        view.everything(entity, fields.known(entity))
if seen_at := fields.seen_at():
    as_of(seen_at)

"""The name of the person at the screen. No sign-in, only a name, told in entries and decisions.

Like the language it is one person's own: in the session, and in a cookie for the next visit.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

import streamlit as st

from desk.calls.drafts import LONGEST_NAME, operator_name
from ui.frame.words import say
from ui.streamlit_gaps import scripts

NAME = "frame.person"
COOKIE = "desk_person"
COOKIE_S = 365 * 24 * 3600


def person() -> str:
    """The name of the person at the screen; "" before a name was given."""
    if NAME not in st.session_state:
        remembered = st.context.cookies.get(COOKIE)
        st.session_state[NAME] = operator_name(unquote(remembered)) if isinstance(remembered, str) else ""
    return operator_name(str(st.session_state[NAME] or ""))


def ask_name() -> None:
    """The input for the name in the sidebar, and the cookie for the next visit."""
    name = person()
    st.text_input(
        say("person"),
        placeholder=say("person-hint"),
        max_chars=LONGEST_NAME,
        autocomplete="name",
        key=NAME,
        help=say("person-help"),
    )
    scripts.run(scripts.KEEP_COOKIE, name=COOKIE, value=quote(name), seconds=COOKIE_S)

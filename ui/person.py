"""Who sits here. No sign-in, only a name: so that others can see who entered and who decided.

Like the language it is one person's own: in the session, and in a cookie for the next visit.
"""

from __future__ import annotations

import json
import unicodedata
from urllib.parse import quote, unquote

import streamlit as st

from ui.words import say

NAME = "frame.person"
COOKIE = "desk_person"
COOKIE_S = 365 * 24 * 3600
LONGEST = 60


def person() -> str:
    """The name of whoever sits here; "" where nobody has said it."""
    if NAME not in st.session_state:
        remembered = st.context.cookies.get(COOKIE)
        st.session_state[NAME] = _clean(unquote(remembered)) if isinstance(remembered, str) else ""
    return _clean(str(st.session_state[NAME] or ""))


def ask_name() -> None:
    """The input in the sidebar, and the cookie that outlives the session."""
    name = person()
    st.text_input(
        say("person"),
        placeholder=say("person-hint"),
        max_chars=LONGEST,
        autocomplete="name",
        key=NAME,
        help=say("person-help"),
    )
    value = json.dumps(quote(name))  # percent signs and plain letters only: nothing a page could take for a script
    st.html(
        f"<script>document.cookie='{COOKIE}='+{value}+';path=/;max-age={COOKIE_S};samesite=lax'</script>",
        unsafe_allow_javascript=True,
    )


def _clean(name: str) -> str:
    plain = "".join(char for char in unicodedata.normalize("NFC", name) if char.isprintable() and char not in "<>")
    return " ".join(plain.split())[:LONGEST]

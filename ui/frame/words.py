"""Words in the language of the person at the screen.

The choice is one person's: it lives in the session, and in a cookie so that a reload or tomorrow's visit
remembers it. Nobody else's screen changes.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from desk.desk import the_desk
from desk.words import LANGUAGES, words
from ui.frame import formats
from ui.streamlit_gaps import scripts

CHOICE = "frame.language"
"""The key of the switch in the sidebar."""

COOKIE = "desk_language"
COOKIE_S = 365 * 24 * 3600


def language() -> str:
    """The language of the session: chosen in the session, remembered by the browser, or the club's."""
    if chosen := st.session_state.get(CHOICE):
        return str(chosen)
    if CHOICE not in st.session_state:
        remembered = st.context.cookies.get(COOKIE)
        st.session_state[CHOICE] = remembered if remembered in LANGUAGES else the_desk().settings.ui_language
    return str(st.session_state[CHOICE] or the_desk().settings.ui_language)


def say(key: str, **values: Any) -> str:
    """The sentence of a key in the session's language."""
    return words(language())(key, **values)


def error_words(code: str) -> tuple[str, str]:
    """The meaning and the remedy of an error code."""
    return words(language()).error(code if has_error_words(code) else formats.plain(code))


def has_error_words(code: str) -> bool:
    """Whether a code has words of ours."""
    return words(language()).has(f"error-{code}")


def _keep_what_is_chosen() -> None:
    """Write the chosen values of widgets anew, in the callback of the language's switch.

    The browser tells a choice by its words, and in the other language there are none like them.
    """
    for key, value in st.session_state.items():
        if isinstance(value, str | list):
            st.session_state[key] = value


def switch() -> None:
    """The switch of the language, and the cookie for the next visit."""
    chosen = language()
    st.segmented_control(
        say("language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key=CHOICE,
        required=True,
        width="stretch",
        on_change=_keep_what_is_chosen,
    )
    scripts.run(scripts.KEEP_COOKIE, name=COOKIE, value=chosen, seconds=COOKIE_S)

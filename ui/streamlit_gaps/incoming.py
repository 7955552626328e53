"""The browser's parameters and texts, made fit before any page's reading.

A NUL in a text is no letter of anybody's and PostgreSQL takes none; an address is as long as whoever wrote it likes.
"""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

LONGEST_PARAMETER = 500
"""Longest value of an address, in characters; ours are ids, dates and fingerprints."""

MOST_VALUES = 200
"""Most values of a parameter: a filter may name many people, and no account has more on a screen."""


def make_fit() -> None:
    """Clean the address and the widgets' texts, at the beginning of a run, before the first widget."""
    for name in list(st.query_params):
        given = st.query_params.get_all(name)
        fit = [_fit(value)[:LONGEST_PARAMETER] for value in given[:MOST_VALUES]]
        if fit != given:
            st.query_params[name] = fit
    for key, value in st.session_state.items():
        if isinstance(value, str) and "\x00" in value:
            with suppress(StreamlitAPIException):  # a part that runs alone may not change what stands outside it
                st.session_state[key] = _fit(value)


def _fit(text: str) -> str:
    """Without NUL, and without halves of characters, which are in no encoding."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")

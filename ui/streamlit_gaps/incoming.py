"""What a browser hands over, made fit before any page reads it: the address's parameters and the texts of inputs.

A NUL in a text is no letter of anybody's and PostgreSQL takes none; an address is as long as whoever wrote it likes.
"""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

LONGEST_PARAMETER = 500
"""Characters of one value in an address; ours are ids, dates and fingerprints."""

MOST_VALUES = 200
"""Of one parameter: a filter may name many people, and no account has more than that on one screen."""


def make_fit() -> None:
    """To be called as a run begins, of a page or of a part of it, before the first widget."""
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

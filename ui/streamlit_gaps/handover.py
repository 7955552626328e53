"""Values set by callbacks, held until confirmed by the browser.

Streamlit says once what a run has set. Where the next run begins before that was sent, it is dropped, and the browser's
next message brings back what stood in the fields before. So each handing over has a name of its own, which goes to the
browser after the fields, in a widget nobody sees; the browser tells it with everything it says from then on. Until it does,
its fields are not believed and are set again.

    put() in a callback ─► settle() before the widgets ─► confirm() after them ─► the browser's next message ─► settle()
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import streamlit as st

WIDGET = "new.turn"
"""The key of the invisible widget.

Its text comes from the browser, except in a run that no message of the browser's began: so nothing on this page
begins such a run while `waiting()`.
"""

PENDING, DRAWING = "new.pending", "new.drawing"


class _Pending:
    """Values on their way to the browser, by widget; whether a run has drawn all of the widgets."""

    __slots__ = ("drawn", "name", "values")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.name, self.values, self.drawn = uuid.uuid4().hex[:8], dict(values), False


def put(values: Mapping[str, Any]) -> None:
    """Put values into the widgets of the given keys. The next run shows them; callable at any time."""
    st.session_state[PENDING] = _Pending(values)


def waiting() -> Mapping[str, Any] | None:
    """Values the browser has not confirmed yet, by key; the values in its widgets are older. None if all are confirmed."""
    pending: _Pending | None = st.session_state.get(PENDING)
    if pending is None or (pending.drawn and st.session_state.get(WIDGET) == pending.name):
        return None
    return pending.values


def is_drawing() -> bool:
    """Whether the run is between `settle` and `confirm`: the run must not end before the browser is told all."""
    return bool(st.session_state.get(DRAWING))


def settle() -> None:
    """Set the unconfirmed values, before the widgets are drawn."""
    st.session_state[DRAWING] = True
    values = waiting()
    if values is None:
        st.session_state.pop(PENDING, None)
        return
    for key, value in values.items():
        st.session_state[key] = value
    st.session_state[WIDGET] = st.session_state[PENDING].name


def confirm(label: str) -> None:
    """Draw the invisible widget after the last of the widgets. `label`: for people with a screen reader."""
    st.session_state[DRAWING] = False
    st.text_input(label, key=WIDGET, label_visibility="collapsed")
    if PENDING in st.session_state:
        st.session_state[PENDING].drawn = True


def forget() -> None:
    """Forget the values on their way: their widgets have gone."""
    st.session_state.pop(PENDING, None)

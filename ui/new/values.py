"""The values of the form: empty, as kept in the store, as wanted by widgets."""

from __future__ import annotations

import time
from datetime import date
from datetime import time as day_time
from typing import Any

import streamlit as st

from desk import lead as lead_rules
from desk.calls import entry
from desk.desk import the_desk
from desk.field_values import CHOICE_TYPES, DAY_TYPES, SEVERAL
from desk.fields import Mapped
from store import clock
from ui.frame.parts import zone
from ui.frame.person import person

FIRST_DAY, LAST_DAY = date(lead_rules.FIRST_YEAR, 1, 1), date(lead_rules.LAST_YEAR, 12, 31)
"""The range of a date: by itself Streamlit offers ten years, too few for a birthday."""

TEXTS = (*lead_rules.OWN_FIELDS, "reason")
"""Fields with a text for a value."""

ADDED = "new.added"
"""The fields added by the admin, and the time of reading: (monotonic seconds, fields)."""

ADDED_FRESH_S = 1.0
"""Time in which the added fields count as fresh: read a dozen times a run, changed a few times a year."""


def added_fields() -> tuple[Mapped, ...]:
    """The fields the admin has added."""
    known = st.session_state.get(ADDED)
    if known is None or time.monotonic() - known[0] > ADDED_FRESH_S:
        known = (time.monotonic(), tuple(the_desk().fields.added()))
        st.session_state[ADDED] = known
    added: tuple[Mapped, ...] = known[1]
    return added


def field_names() -> tuple[str, ...]:
    """The names of all fields of the form."""
    return (*lead_rules.OWN_FIELDS, *entry.CALL_FIELDS, *(mapped.key for mapped in added_fields()))


def empty_form() -> dict[str, Any]:
    """The values of an untouched form."""
    added = {mapped.key: _empty(mapped) for mapped in added_fields()}
    return {
        **dict.fromkeys(TEXTS, ""),
        **added,
        "source": the_desk().calls.last_source(person()),
        "outcome": entry.OUTCOMES[0],
        "heard": entry.NOT_ASKED,
        "step": entry.CALL_BACK,
        "when": entry.suggested(clock.now(), zone()),
        "day": None,
        "time": None,
        "who": entry.ANYONE,
        "consent": False,
        "consent_text": "",
        "choice": "",
        "stage": None,
    }


def to_store(value: object) -> object:
    """A widget's value as kept in the store: days and times as ISO text."""
    return value.isoformat() if isinstance(value, date | day_time) else value


def to_widget(name: str, value: Any) -> Any:
    """A stored value as wanted by its widget. A field may have changed its type in AmoCRM meanwhile."""
    mapped = next((mapped for mapped in added_fields() if mapped.key == name), None)
    kind = mapped.field.type if mapped and mapped.field else None
    if kind == "checkbox":
        return value is True
    if mapped and mapped.field and kind == SEVERAL:
        return [choice for choice in value if choice in mapped.field.choices] if isinstance(value, list) else []
    if not isinstance(value, str):
        return value if mapped is None else _empty(mapped)
    try:
        if name == "day" or kind in DAY_TYPES:
            day = date.fromisoformat(value)
            return day if FIRST_DAY <= day <= LAST_DAY else None
        return day_time.fromisoformat(value) if name == "time" else value
    except ValueError:
        return None


def _empty(mapped: Mapped) -> Any:
    """The value of an untouched added field."""
    kind = mapped.field.type if mapped.field else "text"
    if kind == SEVERAL:
        return []
    return False if kind == "checkbox" else None if kind in (*CHOICE_TYPES, *DAY_TYPES) else ""

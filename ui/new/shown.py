"""The look-up of the typed number, as shown on the caller's card. Kept in the session.

Saving does what the card says: a known number nobody has seen on the card yet is shown first, and saved by the next press.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from desk.calls.asking import Inquiry
from desk.calls.choice import Offer, offers, selected
from desk.calls.lookup import LookupResult
from desk.desk import the_desk

SHOWN = "new.shown"
"""The content of the card as drawn last: a `Shown`."""

CHOICE = "new.choice"
"""The code of the offer the operator has chosen. No widget's key; kept with the draft."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The content of the card for a number as typed.

    `offer`: the offer that saving would carry out. `is_warning`: the card was shown instead of saving.
    """

    text: str
    found: LookupResult
    offer: Offer | None = None
    inquiry: Inquiry | None = None
    is_warning: bool = False


def look_up(text: str) -> None:
    """Look up the text of the phone field for the card. A few small reads; AmoCRM is asked in the background."""
    before = on_card()
    calls = the_desk().calls
    found = calls.look(text) if text else LookupResult(None)
    inquiry = calls.ask(found.phone, *found.others) if found.phone else None
    is_warning = before is not None and before.text == text and before.is_warning
    st.session_state[SHOWN] = Shown(text, found, _selected(found), inquiry, is_warning)


def on_card() -> Shown | None:
    """The content of the card as drawn last; None before the first look-up."""
    shown = st.session_state.get(SHOWN)
    return shown if isinstance(shown, Shown) else None


def offer_shown(typed: Mapping[str, Any]) -> Offer | None:
    """The offer selected on the card; None before the card has shown the typed number."""
    shown = _for_number_of(typed)
    return shown.offer if shown else None


def known_name(typed: Mapping[str, Any]) -> str:
    """The name of the person the card has shown and the operator has chosen; "" without a person."""
    offer = offer_shown(typed)
    return offer.known_name if offer else ""


def must_look_first(typed: Mapping[str, Any]) -> bool:
    """Whether the number is known and not yet shown on the card. The card then shows it, with a warning."""
    text = str(typed.get("phone") or "")
    if _for_number_of(typed) is not None or not text:
        return False
    found = the_desk().calls.look(text)
    if not found.must_be_shown:
        return False
    st.session_state[SHOWN] = Shown(text, found, _selected(found), is_warning=True)
    return True


def _for_number_of(typed: Mapping[str, Any]) -> Shown | None:
    shown = on_card()
    return shown if shown and shown.text == str(typed.get("phone") or "") else None


def _selected(found: LookupResult) -> Offer | None:
    return selected(offers(found), str(st.session_state.get(CHOICE) or ""))

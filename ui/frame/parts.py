"""Small parts shared by several screens: states of a page, faults under fields, "as of"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from crm.leads import lead_address
from desk.desk import the_desk
from desk.lead import FieldFault
from ui.frame import formats
from ui.frame.words import language, say


def zone() -> ZoneInfo:
    """The club's time zone."""
    return the_desk().settings.zone


def moment(time: datetime | None) -> str:
    return formats.moment(time, language(), zone())


def lead_link(lead_id: int) -> str | None:
    """The address of a lead's page in AmoCRM; None as long as no account is known.

    Read from the database: a card must be there at once, whatever AmoCRM and the token do.
    """
    account_url = the_desk().connection.status().account_url
    return lead_address(account_url, lead_id) if account_url else None


def as_of(time: datetime) -> None:
    """When the numbers above were true."""
    st.caption(say("as-of", time=formats.time_of_day(time, language(), zone())))


def faults_of(field: str, faults: Iterable[FieldFault]) -> None:
    """Faults of a field, right under the field, not by colour alone."""
    for fault in faults:
        if fault.field == field:
            st.markdown(f":red[:material/error: {say(f'field-{fault.code}', limit=fault.limit or 0)}]")


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """A short list of labelled facts. The values may be any person's text."""
    for label, value in pairs:
        left, right = st.columns([1, 2], vertical_alignment="center")
        left.caption(label)
        right.text(value)


def countdown(until: datetime, now: datetime) -> str:
    return formats.countdown(max(until - now, timedelta()))

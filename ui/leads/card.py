"""A lead's card: the person, the stage, the history, and the delivery of a lead that came through the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from crm.pipelines import LOST
from desk import phones
from desk.desk import the_desk
from desk.listing import Card, Reference
from store import clock
from ui.frame import formats
from ui.frame.frame import guard
from ui.frame.parts import facts, lead_link, moment
from ui.frame.words import language, say
from ui.leads.table import person_name, rubles


def open_card(lead_id: int, closed: Callable[..., None]) -> None:
    """Open the drawer at the right. `closed`: the callback of its closing."""

    @st.dialog(say("leads-card", id=str(lead_id)), width="medium", position="right", on_dismiss=closed)
    def drawer() -> None:
        with guard():
            _card(lead_id)

    drawer()


def _card(lead_id: int) -> None:
    desk = the_desk()
    found, reference = desk.listing.card(lead_id), desk.listing.reference()
    if found is None:
        st.info(say("leads-card-unknown"), icon=":material/search_off:")
        return
    st.subheader(formats.plain(found.contact_name or found.name), anchor=False)
    if found.is_deleted:
        st.warning(say("leads-card-deleted"), icon=":material/delete:")
    for phone in found.phones:
        st.code(phones.display(phone), language=None)
    if not found.phones:
        st.caption(say("leads-no-phone"))
    if address := lead_link(lead_id):
        st.link_button(say("new-open", id=str(lead_id)), address, icon=":material/open_in_new:")
    _others(found)
    facts((label, value) for label, value in _facts(found, reference) if value)
    _history(found, reference)
    _delivery(found)


def _others(found: Card) -> None:
    """The other contacts of the lead with their phones."""
    if not found.others:
        return
    st.markdown(f"**{say('leads-others')}**")
    for person in found.others:
        st.markdown(formats.plain(person.name or say("nameless")))
        for phone in person.phones:
            st.code(phones.display(phone), language=None)
        if not person.phones:
            st.caption(say("leads-no-phone"))


def _facts(found: Card, reference: Reference) -> list[tuple[str, str]]:
    stage = reference.stages.get(found.stage)
    lost = found.stage[1] == LOST
    reason = reference.loss_reasons.get(found.loss_reason_id or 0) or say("unknown")
    return [
        (say("leads-column-stage"), stage.full_name if stage else f"#{found.stage[1]}"),
        (say("leads-loss-reason"), reason if lost else ""),
        (say("leads-column-responsible"), person_name(found.responsible_user_id, reference)),
        (say("leads-column-task"), _task(found)),
        (say("leads-column-price_rub"), rubles(found.price_kop, language())),
        (say("leads-column-direction"), found.direction or say("unknown")),
        (say("leads-column-source"), found.source or say("unknown")),
        *((say(f"leads-column-{name}"), text) for name, text in found.utm.items()),
        (say("leads-lead-name"), found.name if found.contact_name else ""),
        (say("leads-column-created_at"), _at(found.created_at)),
        (say("leads-column-updated_at"), _at(found.updated_at)),
        (say("leads-closed"), _at(found.closed_at) if found.closed_at else ""),
    ]


def _task(found: Card) -> str:
    if found.closest_task_at is None:
        return say("leads-no-task")
    late = found.closed_at is None and found.closest_task_at < clock.now().timestamp()
    return say("leads-task-late", time=_at(found.closest_task_at)) if late else _at(found.closest_task_at)


def _history(found: Card, reference: Reference) -> None:
    """The newest first."""
    st.markdown(f"**{say('leads-history')}**")
    if not found.history:
        back_to = the_desk().mirror.status().history_back_to
        st.caption(say("leads-history-none") if back_to is None else say("leads-history-from", time=moment(back_to)))
        return
    names = {key: stage.full_name for key, stage in reference.stages.items()}
    for change in reversed(found.history):
        after = names.get(change.to_stage, f"#{change.to_stage[1]}")
        before = names.get(change.from_stage, f"#{change.from_stage[1]}") if change.from_stage else ""
        st.text(f"{_at(change.at)}   {before} → {after}" if before else f"{_at(change.at)}   {after}")


def _delivery(found: Card) -> None:
    own = found.delivery
    if own is None:
        return
    st.markdown(f"**{say('leads-own')}**")
    consent = own.consent_at and say(
        "leads-consent-given",
        version=own.consent_version or "—",
        time=moment(own.consent_at),
        form=own.consent_form or "—",
    )
    pairs = (
        (say("deliveries-state"), say(f"delivery-state-{own.state}")),
        (say("deliveries-accepted"), moment(own.accepted_at)),
        (say("leads-delivered"), moment(own.delivered_at) if own.delivered_at else ""),
        (say("deliveries-origin"), own.entered_by or say(f"deliveries-origin-{own.origin}")),
        (say("new-message"), own.message),
        (say("deliveries-consent"), consent or say("leads-consent-none")),
    )
    facts((label, value) for label, value in pairs if value)
    st.page_link(
        "deliveries.py", label=say("leads-to-delivery"), icon=":material/outbox:", query_params={"lead": own.id}
    )


def _at(time_s: int) -> str:
    return moment(datetime.fromtimestamp(time_s, UTC))

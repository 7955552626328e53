"""The parts of the fields page: a row for each purpose, the added fields, the account's own list."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from crm.custom_fields import Field
from desk.desk import the_desk
from desk.fields import ENTRY_TYPES, LONGEST_LABEL, Mapped
from desk.words import words
from ui.frame import formats
from ui.frame.frame import attempt, say_notice
from ui.frame.words import language, say

VERDICTS = {
    "ok": ("green", ":material/check_circle:"),
    "missing": ("red", ":material/error:"),
    "wrong_type": ("orange", ":material/warning:"),
}


def reread() -> None:
    """Ask AmoCRM for its fields: by the button, and by itself before the first answer."""
    desk = the_desk()
    asked = st.button(say("fields-reread"), icon=":material/refresh:", key="fields.refresh")
    if asked or desk.fields.seen_at() is None:
        with st.spinner(say("fields-reading")):
            desk.fields.refresh(desk.client)
            desk.fields.ensure_marker(desk.client)
    if asked:
        st.success(say("fields-read"), icon=":material/check_circle:")


def marker() -> None:
    """Whether the account has the field for our own id of a lead."""
    state = the_desk().fields.marker_state()
    color, icon = {"ok": ("green", ":material/check_circle:"), "refused": ("orange", ":material/warning:")}.get(
        state, ("gray", ":material/hourglass_empty:")
    )
    with st.container(border=True):
        st.markdown(f"**{say('fields-marker')}**")
        st.badge(say(f"fields-marker-{state}"), color=color, icon=icon)  # type: ignore[arg-type]
        st.caption(say("fields-marker-help"))


def own(mapped: Mapped, known: Sequence[Field]) -> None:
    """A purpose of the desk: its field, whether the field fits, a different choice, a new field."""
    with st.container(border=True):
        about, choice, action = st.columns([3, 4, 2], vertical_alignment="bottom")
        with about:
            st.markdown(f"**{say(f'field-of-{mapped.key}')}**")
            verdict(mapped)
        suitable = [field for field in known if field.type in mapped.types]
        with choice:
            st.selectbox(
                say(f"fields-entity-{mapped.entity}"),
                [field.id for field in suitable],
                index=next((place for place, field in enumerate(suitable) if field.id == mapped.field_id), None),
                format_func={field.id: name_of(field) for field in suitable}.__getitem__,
                placeholder=say("fields-choose"),
                key=f"fields.{mapped.key}",
                on_change=_choose,
                args=(mapped.key,),
            )
        with action:
            if mapped.verdict != "ok" and mapped.entity == "leads":
                st.button(
                    say("fields-create"),
                    icon=":material/add:",
                    key=f"fields.create.{mapped.key}",
                    on_click=_create,
                    args=(mapped.key,),
                    help=say("fields-create-help"),
                    width="stretch",
                )
            elif mapped.chosen:
                st.button(
                    say("fields-reset"),
                    icon=":material/undo:",
                    key=f"fields.reset.{mapped.key}",
                    on_click=_reset,
                    args=(mapped.key,),
                    width="stretch",
                )


def verdict(mapped: Mapped) -> None:
    """Whether the field in use is right, in words, colour and sign."""
    color, icon = VERDICTS[mapped.verdict]
    what = say(
        f"fields-verdict-{mapped.verdict}",
        id=str(mapped.field_id),
        type=formats.plain(type_name(mapped.field.type)) if mapped.field else "",
    )
    st.badge(what, color=color, icon=icon)  # type: ignore[arg-type]


def added(mapped: Mapped) -> None:
    about, state, action = st.columns([3, 4, 2], vertical_alignment="center")
    about.markdown(f"**{formats.plain(mapped.label or '')}**")
    about.caption(f"`{mapped.key}`")
    with state:
        verdict(mapped)
    action.button(
        say("fields-remove"),
        icon=":material/delete:",
        key=f"fields.remove.{mapped.key}",
        on_click=_reset,
        args=(mapped.key,),
        width="stretch",
    )


def add(mapping: Sequence[Mapped], known: Sequence[Field]) -> None:
    """Add a field to the form and to the HTTP API."""
    taken = {(mapped.entity, mapped.field_id) for mapped in mapping}
    free = [
        field
        for field in known
        if (field.entity, field.id) not in taken and field.type in ENTRY_TYPES and not field.is_api_only
    ]
    with st.form("fields.add", clear_on_submit=True):
        which, label, action = st.columns([4, 3, 2], vertical_alignment="bottom")
        which.selectbox(
            say("fields-add-which"),
            [(field.entity, field.id) for field in free],
            index=None,
            format_func={
                (field.entity, field.id): f"{say(f'fields-entity-{field.entity}')}: {name_of(field)}" for field in free
            }.__getitem__,
            placeholder=say("fields-choose"),
            key="fields.add.which",
        )
        label.text_input(
            say("fields-add-label"),
            placeholder=say("fields-add-label-hint"),
            max_chars=LONGEST_LABEL,
            key="fields.add.label",
        )
        action.form_submit_button(say("fields-add"), icon=":material/add:", key="fields.add.submit", on_click=_add)


def everything(entity: str, known: Sequence[Field]) -> None:
    st.markdown(f"**{say(f'fields-entity-{entity}')}**")
    frame = pd.DataFrame(
        [(field.id, field.name, type_name(field.type), field.code or "", ", ".join(field.choices)) for field in known],
        columns=[say(f"fields-column-{name}") for name in ("id", "name", "type", "code", "choices")],
    )
    st.dataframe(
        frame,
        hide_index=True,
        column_config={say("fields-column-id"): st.column_config.NumberColumn(format="%d")},
    )


def name_of(field: Field) -> str:
    return f"{field.name} · {type_name(field.type)} · {field.id}"


def type_name(kind: str) -> str:
    """The word for AmoCRM's type; an unknown type by its code."""
    return say(f"fields-type-{kind}") if words(language()).has(f"fields-type-{kind}") else kind


def _choose(key: str) -> None:
    field_id = st.session_state.get(f"fields.{key}")
    if field_id is not None:
        attempt(lambda: the_desk().fields.choose(key, field_id), "fields-chosen")
        _settle(key)


def _create(key: str) -> None:
    desk = the_desk()
    attempt(lambda: desk.fields.create(desk.client, key, say(f"field-of-{key}")), "fields-created")
    _settle(key)


def _reset(key: str) -> None:
    attempt(lambda: the_desk().fields.remove(key), "fields-chosen")
    _settle(key)


def _settle(key: str) -> None:
    """Set the choice to the stored field, after any press, and have the leads read with the field."""
    the_desk().mirror.wake()
    for mapped in the_desk().fields.mapping():
        if mapped.key == key and not mapped.is_added:
            st.session_state[f"fields.{key}"] = mapped.field_id if mapped.verdict == "ok" else None


def _add() -> None:
    which, label = st.session_state.get("fields.add.which"), str(st.session_state.get("fields.add.label") or "")
    known = {(field.entity, field.id): field.name for field in the_desk().fields.known()}
    if which not in known:
        say_notice("fields-choose-first")
    else:
        entity, field_id = which
        title = label.strip() or known[which][:LONGEST_LABEL]
        attempt(lambda: the_desk().fields.add(entity, field_id, title), "fields-chosen")

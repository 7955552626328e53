"""The parts of the connection page: state, countdown, account, and what an admin can do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from crm.connection import Status
from crm.desk import the_desk
from ui import formats
from ui.frame import attempt, forget_notice, fragment
from ui.parts import countdown, facts, moment
from ui.words import error_words, language, say

START = "/connection/start"
"""Makes a state for this browser alone and sends it to AmoCRM; see `crm.api`."""

LONGEST_CODE = 4096


def result_of_consent() -> None:
    """What came of AmoCRM's consent page; it leads back here with a word in the address."""
    result = st.query_params.get("result")
    if result == "ok":
        st.success(say("connection-done"), icon=":material/check_circle:")
    elif result is not None:
        what, remedy = error_words(result)
        st.error(f"**{what}**\n\n{remedy}", icon=":material/error:")


def state(status: Status) -> None:
    """One word with its colour and sign, and the remedy where something is wrong."""
    if status.state == "connected":
        st.success(f"**{say('connection-state-connected')}**", icon=":material/check_circle:")
        _time_left()
    elif status.state == "not_connected":
        st.warning(
            f"**{say('connection-state-not_connected')}**\n\n{say('connection-how')}", icon=":material/link_off:"
        )
    else:
        what, remedy = error_words(status.trouble or "unknown")
        st.error(f"**{what}**\n\n{remedy}", icon=":material/error:")


def account(status: Status) -> None:
    """Whose account, connected by whom and when, and how the last refresh went."""
    if status.state == "not_connected":
        return
    refreshed = moment(status.refreshed_at) if status.refreshed_at else say("connection-not-yet")
    facts(
        (
            (say("connection-account"), status.account_name or "—"),
            (say("connection-address"), status.account_url or "—"),
            (say("connection-by"), status.connected_by or "—"),
            (say("connection-at"), moment(status.connected_at)),
            (say("connection-refreshed"), refreshed),
            (say("connection-attempt"), _attempt(status)),
        )
    )


def connect_button(status: Status) -> None:
    again = status.state != "not_connected"
    st.link_button(
        say("connection-reconnect" if again else "connection-connect"),
        START,
        type="secondary" if again else "primary",
        icon=":material/link:",
        key="connection.connect",
        width="stretch",
        help=say("connection-connect-help"),
    )


def refresh_button() -> None:
    st.button(
        say("connection-refresh"),
        icon=":material/autorenew:",
        key="connection.refresh",
        width="stretch",
        on_click=_act,
        args=(the_desk().connection.refresh_now, "connection-refreshed-now"),
    )


def disconnect_button() -> None:
    if st.button(
        say("connection-disconnect"), icon=":material/link_off:", key="connection.disconnect", width="stretch"
    ):
        st.dialog(say("connection-disconnect-sure"))(_confirm_disconnect)()


def paste_code() -> None:
    """For a desk AmoCRM's redirect cannot reach: the code from the integration's "Keys" window."""
    with (
        st.expander(say("connection-paste"), icon=":material/content_paste:"),
        st.form("connection.paste", border=False),
    ):
        st.caption(say("connection-paste-help"))
        st.text_input(
            say("connection-code"), type="password", autocomplete="off", max_chars=LONGEST_CODE, key="connection.code"
        )
        st.form_submit_button(say("connection-use-code"), key="connection.use_code", on_click=_use_code)


def advice() -> None:
    """What an admin needs to set up the integration, copied from the settings."""
    settings = the_desk().settings
    with st.expander(say("connection-setup"), icon=":material/help:"):
        st.markdown(say("connection-setup-steps"))
        st.code(settings.amocrm_redirect_uri, language=None)


@fragment(run_every=1.0)
def _time_left() -> None:
    """Counts down by itself, and notices a refresh made elsewhere."""
    status = the_desk().connection.status()
    if status.expires_at is not None:
        st.metric(say("connection-left"), countdown(status.expires_at, datetime.now(UTC)))
        st.caption(say("connection-expires", time=moment(status.expires_at)))


def _confirm_disconnect() -> None:
    st.write(say("connection-disconnect-effect"))
    yes, no = st.columns(2)
    if yes.button(say("connection-disconnect"), type="primary", key="connection.disconnect_yes", width="stretch"):
        _act(the_desk().connection.disconnect, "connection-disconnected")
        st.rerun()
    if no.button(say("cancel"), key="connection.disconnect_no", width="stretch"):
        st.rerun()


def _act(action: Callable[[], object], notice: str) -> None:
    st.query_params.clear()  # what came of an earlier consent is history now
    attempt(action, notice)
    forget_notice(the_desk().connection.status().trouble)  # the page's first lines tell that already


def _use_code() -> None:
    code = str(st.session_state.get("connection.code") or "").strip()
    st.session_state["connection.code"] = ""
    if code:
        _act(lambda: the_desk().connection.paste_code(code), "connection-done")


def _attempt(status: Status) -> str:
    if status.attempted_at is None:
        return "—"
    result = say("ok") if status.attempt_result == "ok" else error_words(status.attempt_result or "unknown")[0]
    return f"{moment(status.attempted_at)} · {result} · {formats.ago(status.attempted_at, language())}"

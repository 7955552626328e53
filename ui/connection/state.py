"""The parts of the connection page: the state and the next step, the account, the timeline, the actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pandas as pd
import streamlit as st

from crm.connection import Status
from crm.errors import DeskError
from desk.connection import Refresh, warn_days
from desk.desk import the_desk
from desk.web.consent_cookie import RESULT_COOKIE
from store import clock
from ui.frame import formats
from ui.frame.frame import NOTICE, attempt, forget_notice, fragment, say_error, say_notice
from ui.frame.parts import countdown, facts, moment, zone
from ui.frame.words import error_words, has_error_words, language, say

START = "/connection/start"
"""The address for connecting: makes a state for the browser and goes on to AmoCRM; see `desk.web.routes`."""

LONGEST_CODE = 4096
CODE_LIFE = timedelta(minutes=20)
"""How long AmoCRM's authorization code lives (sheet 3.2)."""

CODE_SEEN = "connection.code_seen"
DRAWN = "connection.drawn"

CLOCK_SHOWN_S = 300.0
"""An error of the clock, in seconds, worth a warning."""


def result_of_consent() -> None:
    """Results of AmoCRM's consent page, by the word in the address. Any person could write such an address.

    So only words of ours are told: "ok" where it is true, what failed where our own answer to this browser said so. The
    address is clean afterwards.
    """
    result = st.query_params.get("result")
    if result is None:
        return
    if result == "ok" and the_desk().connection.status().connected:
        the_desk().watch.now()  # the sidebar tells at once what has changed
        say_notice("connection-done")
    elif st.context.cookies.get(RESULT_COOKIE) == result and has_error_words(result):
        say_error(result)
    st.query_params.clear()
    st.rerun()


@fragment(run_every=1.0)
def state() -> None:
    """The state in a word with colour and sign, the time left, the next step and when, the remedy if needed.

    Counts down by itself, and notices a refresh made elsewhere.
    """
    status = the_desk().connection.status()
    _draw_anew_when_changed(status)
    word = f"**{say(f'connection-state-{status.state}')}.**"
    match status.state:
        case "connected":
            st.success(f"{word} {_next(status)}", icon=":material/check_circle:")
        case "not_connected":
            st.warning(f"{word}\n\n{say('connection-how')}", icon=":material/link_off:")
        case "failing" | "exhausted" if status.usable:
            st.warning(f"{word}\n\n{_why(status)}\n\n{_next(status)}", icon=":material/warning:")
        case _:
            st.error(f"{word}\n\n{_why(status)}\n\n{_next(status)}", icon=":material/error:")
    if status.usable and status.expires_at is not None:
        st.metric(say("connection-left"), _left(status.expires_at))
        st.caption(say("connection-expires", time=moment(status.expires_at)))
    _warnings(status)


def remember_drawn(status: Status) -> None:
    """Remember the state shown by the page as a whole."""
    st.session_state[DRAWN] = _story(status)


def _draw_anew_when_changed(status: Status) -> None:
    """Draw the whole page anew if a tab, or AmoCRM, has changed the connection."""
    if st.session_state.get(DRAWN) != _story(status):
        st.session_state[DRAWN] = _story(status)
        st.rerun()


def _story(status: Status) -> tuple[object, ...]:
    return (status.state, status.account_url, status.connected_at, status.attempted_at, status.account_name)


def account(status: Status) -> None:
    """The account, its connection by whom and when, and the result of the last refresh."""
    if status.state == "not_connected":
        return
    refreshed = moment(status.refreshed_at) if status.refreshed_at else say("connection-not-yet")
    facts(
        (
            (say("connection-account"), status.account_name or "—"),
            (say("connection-address"), status.account_url or "—"),
            (say("connection-by"), status.connected_by or "—"),
            (say("connection-at"), moment(status.connected_at)),
            *(() if status.mode == "long_lived" else ((say("connection-refreshed"), refreshed),)),
            *(() if status.mode == "long_lived" else ((say("connection-attempt"), _attempt(status)),)),
        )
    )


def timeline(refreshes: Sequence[Refresh]) -> None:
    """The last refreshes with fingerprints, never tokens."""
    if not refreshes:
        return
    st.subheader(say("connection-timeline"), anchor=False, help=say("connection-timeline-help"))
    frame = pd.DataFrame(
        {
            "at": [refresh.started_at.astimezone(zone()).replace(tzinfo=None) for refresh in refreshes],
            "cause": [say(f"connection-cause-{refresh.cause}") for refresh in refreshes],
            "result": [_result(refresh) for refresh in refreshes],
            "took": [_took(refresh) for refresh in refreshes],
            "prints": [f"{refresh.old_print or '—'} → {refresh.new_print or '—'}" for refresh in refreshes],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        alt=say("connection-timeline"),
        column_config={
            "at": st.column_config.DatetimeColumn(say("activity-at"), format="DD.MM HH:mm:ss", width=120),
            "cause": st.column_config.TextColumn(say("connection-cause"), width="medium"),
            "result": st.column_config.TextColumn(say("activity-result"), width="large"),
            "took": st.column_config.TextColumn(say("activity-duration"), width="small"),
            "prints": st.column_config.TextColumn(say("connection-prints"), width=240),
        },
    )


def connect_button(status: Status) -> None:
    again = status.state != "not_connected"
    st.link_button(
        say("connection-reconnect" if again else "connection-connect"),
        START,
        type="secondary" if status.connected else "primary",
        icon=":material/link:",
        key="connection.connect",
        width="stretch",
        help=say("connection-connect-help"),
    )


def refresh_button(status: Status) -> None:
    """A popover with the price of a refresh and the time of the last refresh, around the button."""
    with st.popover(
        say("connection-refresh"), icon=":material/autorenew:", key="connection.refresh_open", width="stretch"
    ):
        st.write(say("connection-refresh-sure"))
        if status.refreshed_at is not None:
            st.caption(say("connection-refresh-last", ago=formats.ago(status.refreshed_at, language())))
        st.button(say("connection-refresh-yes"), key="connection.refresh", width="stretch", on_click=_refresh)


def disconnect_button() -> None:
    if st.button(
        say("connection-disconnect"), icon=":material/link_off:", key="connection.disconnect", width="stretch"
    ):
        st.dialog(say("connection-disconnect-sure"))(_confirm_disconnect)()


def paste_code() -> None:
    """For a desk AmoCRM's redirect cannot reach: the code from the integration's "Keys" window, with its countdown."""
    opened = st.expander(
        say("connection-paste"), icon=":material/content_paste:", key="connection.paste", on_change="rerun"
    )
    if not opened.open:
        st.session_state.pop(CODE_SEEN, None)
        return
    with opened:
        st.caption(say("connection-paste-help"))
        _code_countdown()
        with st.form("connection.paste_form", border=False):
            st.text_input(
                say("connection-code"),
                type="password",
                autocomplete="off",
                max_chars=LONGEST_CODE,
                key="connection.code",
            )
            st.form_submit_button(say("connection-use-code"), key="connection.use_code", on_click=_use_code)


def advice() -> None:
    """Settings for the integration, ready for copying."""
    settings = the_desk().settings
    with st.expander(say("connection-setup"), icon=":material/help:"):
        st.markdown(say("connection-setup-steps"))
        st.code(settings.amocrm_redirect_uri, language=None)
        st.markdown(say("connection-setup-hook"))
        st.code(f"{settings.base_url}/api/amocrm/disabled", language=None)


@fragment(run_every=1.0)
def _code_countdown() -> None:
    """Counts from when the field was opened: AmoCRM shows its code at about the same time."""
    seen = st.session_state.setdefault(CODE_SEEN, clock.now())
    left = seen + CODE_LIFE - clock.now()
    if left > timedelta():
        st.caption(f":material/timer: {say('connection-code-left', left=formats.countdown(left)[2:])}")
    else:
        st.warning(say("connection-code-old"), icon=":material/timer_off:")


def _confirm_disconnect() -> None:
    st.write(say("connection-disconnect-effect"))
    yes, no = st.columns(2)
    if yes.button(say("connection-disconnect"), type="primary", key="connection.disconnect_yes", width="stretch"):
        _act(the_desk().disconnect, "connection-disconnected")
        st.rerun()
    if no.button(say("cancel"), key="connection.disconnect_no", width="stretch"):
        st.rerun()


def _refresh() -> None:
    """Refresh the key for a person who has read the price. A second press finds the key fresh, and spends no token."""
    _act(lambda: the_desk().connection.refresh_now(insists=True), "connection-refreshed-now")
    told = st.session_state.get(NOTICE)
    if isinstance(told, DeskError) and told.code == "refreshed_just_now":
        say_notice("connection-just-refreshed")


def _act(action: Callable[[], object], notice: str) -> None:
    st.query_params.clear()  # what came of an earlier consent is history now
    attempt(action, notice)
    status = the_desk().connection.status()
    forget_notice(status.trouble or status.attempt_result)  # the page's first lines tell that already


def _use_code() -> None:
    code = str(st.session_state.get("connection.code") or "").strip()
    st.session_state["connection.code"] = ""
    if code:
        _act(lambda: the_desk().connection.paste_code(code), "connection-done")


def _why(status: Status) -> str:
    """The trouble and the remedy; for a refresh cut off in the middle, its details."""
    what, remedy = error_words(status.trouble or status.attempt_result or "unknown")
    if status.trouble == "refresh_lost" and status.unsure_since is not None:
        lost = next(
            (line.old_print for line in the_desk().connection.timeline() if line.started_at == status.unsure_since),
            None,
        )
        what = say("connection-lost", time=moment(status.unsure_since), print=lost or "—")
    return f"{what} {remedy}"


def _next(status: Status) -> str:
    """The next automatic step, and when."""
    if status.next_attempt_at is None:
        return ""
    key = "connection-next-refresh" if status.state == "connected" else "connection-next-attempt"
    left = status.next_attempt_at - clock.now()
    if left <= timedelta():
        return say("connection-next-now")
    return say(key, time=moment(status.next_attempt_at), left=formats.lasting(left, language()))


def _left(until: datetime) -> str:
    """The time left: hours, minutes, seconds; from three days on in days."""
    left = until - clock.now()
    return formats.lasting(left, language()) if left > timedelta(days=3) else countdown(until, clock.now())


def _warnings(status: Status) -> None:
    if (days := warn_days(status)) is not None and status.usable:
        draw = st.error if days <= 1 else st.warning
        draw(say("connection-long-lived-ends", days=days), icon=":material/event_busy:")
    if status.clock_skew_s is not None and abs(status.clock_skew_s) > CLOCK_SHOWN_S:
        what, remedy = error_words("clock_wrong")
        off = formats.lasting(timedelta(seconds=abs(status.clock_skew_s)), language())
        st.warning(f"{what} ({off}) {remedy}", icon=":material/schedule:")
    if status.moved:
        st.info(say("connection-moved", address=formats.plain(status.account_url or "")), icon=":material/moving:")


def _attempt(status: Status) -> str:
    if status.attempted_at is None:
        return "—"
    result = say("ok") if status.attempt_result == "ok" else error_words(status.attempt_result or "unknown")[0]
    return f"{moment(status.attempted_at)} · {result} · {formats.ago(status.attempted_at, language())}"


def _result(refresh: Refresh) -> str:
    if refresh.result == "ok":
        return f"✓ {say('ok')}"
    if refresh.result is None:
        return f"… {say('connection-under-way')}"
    return f"✗ {error_words(refresh.result)[0]}"


def _took(refresh: Refresh) -> str:
    if refresh.ended_at is None or refresh.ended_at == refresh.started_at or refresh.result == "cut_off_by_stop":
        return "—"
    return f"{(refresh.ended_at - refresh.started_at).total_seconds() * 1000:.0f}"

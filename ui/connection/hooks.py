"""The card of AmoCRM's webhooks on the connection page: on, off and why, delays, losses, actions."""

from __future__ import annotations

import streamlit as st

from desk.desk import the_desk
from desk.webhooks import REASONS, Report
from store import clock
from ui.frame import formats
from ui.frame.frame import attempt, fragment
from ui.frame.parts import facts, moment
from ui.frame.words import error_words, language, say

LIVE_EVERY_S = 5.0

SIGNS = {
    "on": ("green", ":material/check_circle:"),
    "off": ("gray", ":material/do_not_disturb_on:"),
    "refused": ("orange", ":material/warning:"),
    "silent": ("orange", ":material/hearing_disabled:"),
}
"""How a state looks besides its word."""


def card() -> None:
    """The whole card."""
    with st.container(border=True):
        _story()
        if the_desk().webhooks.report().state != "off":
            _buttons()


@fragment(run_every=LIVE_EVERY_S)
def _story() -> None:
    """The state in a word with its colour, its consequence, the figures of the last day."""
    report = the_desk().webhooks.report()
    color, icon = SIGNS[report.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(say("hooks-title"), anchor=False, help=say("hooks-help"), width="content")
        st.badge(say(f"hooks-state-{report.state}"), color=color, icon=icon)  # type: ignore[arg-type]
    st.write(_what_it_means(report))
    if report.state != "off":
        _figures(report)


def _what_it_means(report: Report) -> str:
    if report.state in ("off", "refused") and report.reason:
        what, remedy = error_words(report.reason)
        again = ""
        if report.state == "refused" and report.next_check_at and report.next_check_at > clock.now():
            again = say("hooks-next", time=moment(report.next_check_at))
        return " ".join(part for part in (what, remedy, say("hooks-polling"), again) if part)
    return say(f"hooks-means-{report.state}")


def _figures(report: Report) -> None:
    last, late, lost = st.columns(3)
    shown = formats.ago(report.last_at, language()) if report.last_at else say("hooks-none-yet")
    last.metric(say("hooks-last"), shown, help=moment(report.last_at))
    late.metric(say("hooks-lag"), _pair(report.lag.whole), help=say("hooks-lag-help", own=_pair(report.lag.own)))
    lost.metric(say("hooks-missed"), report.missed, help=say("hooks-missed-help"))
    bad = f" · {_why_bad(report.bad_reason)}" if report.bad else ""
    rows = [
        (
            say("hooks-received"),
            say("hooks-counts", received=report.received, again=report.again, bad=report.bad) + bad,
        ),
        (say("hooks-checked"), moment(report.checked_at)),
    ]
    if report.mended_at:
        rows.append((say("hooks-mended"), moment(report.mended_at)))
    if report.former_until:
        rows.append((say("hooks-former"), moment(report.former_until)))
    facts(rows)


def _buttons() -> None:
    again, rotate = st.columns(2)
    again.button(
        say("hooks-subscribe"),
        icon=":material/sync:",
        key="connection.hooks_subscribe",
        width="stretch",
        help=say("hooks-subscribe-help"),
        on_click=lambda: attempt(the_desk().webhooks.subscribe_again, "hooks-subscribed"),
    )
    rotate.button(
        say("hooks-rotate"),
        icon=":material/key:",
        key="connection.hooks_rotate",
        width="stretch",
        help=say("hooks-rotate-help"),
        on_click=lambda: attempt(the_desk().webhooks.rotate, "hooks-rotated"),
    )


def _why_bad(reason: str | None) -> str:
    return say(f"hooks-bad-{reason if reason in REASONS else 'other'}")


def _pair(times: tuple[float, float] | None) -> str:
    """Median and 95th percentile."""
    if times is None:
        return "—"
    return say("hooks-seconds", p50=formats.seconds(times[0], language()), p95=formats.seconds(times[1], language()))

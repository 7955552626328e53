"""The parts of the overview: how true the numbers are, then each kind of figure with its definition beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import time
from typing import Any

import pandas as pd
import streamlit as st
from babel.dates import format_date, get_day_names
from babel.numbers import format_percent

from crm.leads import lead_address
from desk.attention import KINDS, UNTOUCHED_DAYS
from desk.desk import the_desk
from desk.mirror import MirrorStatus
from desk.reports import DAY_MIN, WITHIN_MIN, Ask, ClubHours, Column, Funnel, Overview, Slice, Span, WaitingLead
from ui.frame import formats
from ui.frame.frame import attempt, fragment
from ui.frame.parts import as_of, moment, zone
from ui.frame.words import error_words, language, say
from ui.overview import charts, choices
from ui.overview.charts import Bar

FILLING_EVERY_S, NEWS_EVERY_S = 2.0, 5.0

MOST_ROWS, ROW_PX = 12, 35

METRIC_PX = 164
"""Five side by side on a screen, two on a phone."""

EXACT_HOURS = 10
"""A longer answer is told in whole hours."""

MOST_BARS = 10
"""Values drawn; the table under the chart has them all."""

RULE = "overview.rule"
ANY = "any"
HOURS = "overview.hours"

choose = choices.choose


# How true the numbers are


def state(status: MirrorStatus) -> None:
    """Nothing yet, on its way, old, failed: each with what to do. Nothing where all is well."""
    if status.state == "filling":
        _filling()
    elif status.state == "stale":
        reason = f" {' '.join(error_words(status.reason))}" if status.reason else ""
        st.warning(f"{say('overview-stale', time=moment(status.as_of))}{reason}", icon=":material/history:")
        st.button(say("refresh"), icon=":material/refresh:", key="overview.refresh", on_click=the_desk().mirror.refresh)
    elif status.state == "failed":
        what, remedy = error_words(status.reason or "unknown")
        st.error(
            f"**{say('overview-failed')}** {what}\n\n{remedy} {say('overview-next-try', time=moment(status.next_try))}",
            icon=":material/error:",
        )
    elif status.state == "empty":
        _empty()


@fragment(run_every=FILLING_EVERY_S)
def _filling() -> None:
    """How far the first reading is; the page is drawn anew when it has ended."""
    status = the_desk().mirror.status()
    if status.state != "filling":
        st.rerun()
    st.info(say("overview-filling", count=status.read, time=moment(status.began_at)), icon=":material/downloading:")


@fragment(run_every=FILLING_EVERY_S)
def _empty() -> None:
    """Nothing has been read: because nobody has connected, or because it begins in a moment."""
    if the_desk().mirror.status().state != "empty":
        st.rerun()
    if the_desk().connection.status().connected:
        st.info(say("overview-empty"), icon=":material/hourglass_empty:")
    else:
        st.info(say("overview-not-connected"), icon=":material/link_off:")
        st.page_link("connection.py", label=say("go-connection"), icon=":material/link:")


@fragment(run_every=NEWS_EVERY_S)
def as_of_line(drawn: int) -> None:
    """When the numbers were true; where something has changed since they were drawn, a button that draws them anew."""
    status, version = the_desk().mirror.status(), the_desk().mirror.version()
    with st.container(horizontal=True, vertical_alignment="center"):
        if status.as_of is not None:
            as_of(status.as_of)
        if version != drawn and st.button(say("overview-newer"), icon=":material/update:", key="overview.newer"):
            st.rerun()


# Figures


def headline(figures: Overview) -> None:
    """The five numbers marketing asks for first."""
    speed_ = figures.speed
    with st.container(horizontal=True, gap="small"):
        _metric(
            "overview-leads", _number(figures.leads), _delta(figures.leads, figures.before), say("overview-leads-help")
        )
        _metric("overview-won", _number(figures.won[0]), _delta(*figures.won), say("overview-won-help"))
        _metric("overview-lost", _number(figures.lost[0]), _delta(*figures.lost), say("overview-lost-help"))
        _time_metric("overview-median", speed_.median_min, say("overview-speed-how"))
        never = say("overview-n-of", count=_number(speed_.never), whole=_number(speed_.leads))
        _metric(
            "overview-never",
            _number(speed_.never),
            never if speed_.leads else None,
            say("overview-never-help"),
            arrow="off",
        )
    _unknown_history(figures, "overview-speed-unknown")
    period = figures.question.period
    st.caption(
        say(
            "overview-compared",
            since=_day(period.since),
            until=_day(period.until),
            before_since=_day(period.before_since),
            before_until=_day(period.before_until),
        )
    )


def trend(figures: Overview) -> None:
    """Leads by day, week or month with the period before."""
    _section("overview-trend", say("overview-trend-how"))
    if not figures.leads and not figures.before:
        _none()
        return
    unit, columns = figures.question.unit, figures.columns
    labels = [_part(column, unit) for column in columns]
    names = (say("overview-now"), say("overview-before"))
    spec = charts.columns(
        labels,
        [column.count for column in columns],
        [column.before for column in columns],
        names,
        {place for place, column in enumerate(columns) if not column.is_whole},
    )
    table = pd.DataFrame(
        {
            say(f"overview-unit-{unit}"): labels,
            names[0]: [column.count for column in columns],
            names[1]: ["—" if column.before is None else str(column.before) for column in columns],
        }
    )
    charts.show(spec, table, key="overview.trend", alt=say("overview-trend"), height=300)


def origins(figures: Overview) -> None:
    """By source and by direction, and by campaign marks where there are any."""
    left, right = st.columns(2, gap="large")
    with left:
        _split("source", figures)
    with right:
        _split("direction", figures)
    if any(one.name for one in (*figures.splits["utm_source"], *figures.splits["utm_campaign"])):
        left, right = st.columns(2, gap="large")
        with left:
            _split("utm_source", figures)
        with right:
            _split("utm_campaign", figures)


def _split(name: str, figures: Overview) -> None:
    _section(f"overview-by-{name}", say("overview-split-how"))
    slices = figures.splits[name]
    if not slices:
        _none()
        return
    spec, height = _slices(slices, figures.leads)
    table = pd.DataFrame(
        {
            say(f"overview-by-{name}"): [one.name or say("unknown") for one in slices],
            say("overview-now"): [one.count for one in slices],
            say("overview-share"): [_share(one.count, figures.leads) for one in slices],
            say("overview-before"): [one.before for one in slices],
            say("overview-won-of-them"): [one.won for one in slices],
        }
    )
    charts.show(spec, table, key=f"overview.{name}", alt=say(f"overview-by-{name}"), height=height)


def _slices(slices: Sequence[Slice], whole: int) -> tuple[dict[str, Any], int]:
    """A chart of the greatest, all others in one bar, "not given" always in a bar of its own."""
    given = [one for one in slices if one.name]
    shown, others = given[:MOST_BARS], given[MOST_BARS:]
    told = [(one.name, one) for one in shown]
    if others:
        rest = Slice("", sum(one.count for one in others), sum(one.before for one in others))
        told.append((say("overview-others", count=len(others)), rest))
    told += [(say("unknown"), one) for one in slices if not one.name]
    bars = [
        Bar(name, one.count, f"{_number(one.count)} · {_share(one.count, whole)}", one.before) for name, one in told
    ]
    spec = charts.lying(bars, (say("overview-now"), say("overview-before")))
    return spec, charts.lying_height(len(bars))


def _unknown_history(figures: Overview, words: str) -> None:
    """Since when the stages are known, and how many leads of the period are older than that; nothing where none is."""
    known = figures.question.known_from
    unknown = sum(funnel.unknown for funnel in figures.funnels)
    if known is not None and unknown:
        day = _day(pd.Timestamp(known, unit="s", tz=str(zone())).date())
        st.info(say(words, day=day, count=unknown), icon=":material/history_toggle_off:")


def funnels(figures: Overview) -> None:
    """How far the leads of the period got, for each pipeline they are in."""
    _section("overview-funnel", say("overview-funnel-how"))
    if not figures.funnels:
        _none()
        return
    _unknown_history(figures, "overview-funnel-unknown")
    if not any(funnel.leads for funnel in figures.funnels):
        return
    if len(figures.funnels) == 1:
        _funnel(figures.funnels[0])
        return
    for funnel, tab in zip(
        figures.funnels, st.tabs([formats.plain(funnel.name) for funnel in figures.funnels]), strict=True
    ):
        with tab:
            _funnel(funnel)


def _funnel(funnel: Funnel) -> None:
    if not funnel.leads:
        _none()
        return
    bars, rows = [], []
    for place, step in enumerate(funnel.steps):
        before = funnel.steps[place - 1].reached if place else funnel.leads
        bars.append(Bar(step.name, step.reached, f"{_number(step.reached)} · {_share(step.reached, funnel.leads)}"))
        rows.append(
            (
                step.name,
                step.reached,
                _of(step.reached, funnel.leads),
                _of(step.reached, before) if place else "—",
                step.here,
                step.lost,
            )
        )
    table = pd.DataFrame(
        rows,
        columns=[
            say("leads-column-stage"),
            say("overview-reached"),
            say("overview-of-all", count=_number(funnel.leads)),
            say("overview-of-previous"),
            say("overview-stopped-here"),
            say("overview-lost-here"),
        ],
    )
    st.caption(say("overview-funnel-of", count=funnel.leads))
    charts.show(
        charts.lying(bars, (say("overview-reached"), None)),
        table,
        key=f"overview.funnel.{funnel.pipeline_id}",
        alt=f"{say('overview-funnel')}: {funnel.name}",
        height=charts.lying_height(len(bars)),
    )


def speed(figures: Overview) -> None:
    """How soon leads were answered, in working hours."""
    _section("overview-speed", say("overview-speed-how"))
    told = figures.speed
    if not told.leads:
        st.info(say("overview-speed-none"), icon=":material/inbox:")
    else:
        with st.container(horizontal=True, gap="small"):
            _time_metric("overview-median", told.median_min, say("overview-percentile-help"))
            _time_metric("overview-p90", told.p90_min, say("overview-percentile-help"))
            for minutes, count in zip(WITHIN_MIN, told.within, strict=True):
                _metric(
                    say("overview-within", minutes=minutes),
                    _share(count, told.leads),
                    say("overview-n-of", count=_number(count), whole=_number(told.leads)),
                    say("overview-within-help", minutes=minutes),
                    arrow="off",
                )
    notes = [say("overview-speed-of", count=told.leads), say("overview-speed-never", count=told.never)]
    notes += [say("overview-speed-fresh", count=told.fresh)] if told.fresh else []
    notes += [say("overview-speed-uncounted", count=told.unknown)] if told.unknown else []
    st.caption(" · ".join([*notes, say("overview-hours-are", hours=_hours_told(figures.question.hours))]))


def hours(figures: Overview) -> None:
    """When leads come, beside when somebody is there."""
    _section("overview-hours", say("overview-hours-how"))
    if not figures.leads:
        _none()
        return
    days = [str(get_day_names("abbreviated", locale=language())[day]).capitalize() for day in range(7)]
    off_duty = figures.leads - figures.on_duty
    st.caption(say("overview-off-duty", share=_of(off_duty, figures.leads)))
    spec = charts.week_map(
        figures.hours, days, figures.question.hours.days, (say("overview-leads"), say("overview-duty"))
    )
    table = pd.DataFrame(
        {say("overview-hour"): [f"{hour:02}–{hour + 1:02}" for hour in range(24)]}
        | {name: figures.hours[day] for day, name in enumerate(days)}
    )
    charts.show(spec, table, key="overview.map", alt=say("overview-hours"), height=charts.week_map_height())


def losses(figures: Overview) -> None:
    """Why leads were lost, with those where nobody said."""
    _section("overview-losses", say("overview-losses-how"))
    slices = figures.losses
    if not slices:
        st.info(say("overview-no-losses"), icon=":material/inbox:")
        return
    spec, height = _slices(slices, figures.lost[0])
    table = pd.DataFrame(
        {
            say("overview-reason"): [one.name or say("unknown") for one in slices],
            say("overview-now"): [one.count for one in slices],
            say("overview-share"): [_share(one.count, figures.lost[0]) for one in slices],
            say("overview-before"): [one.before for one in slices],
        }
    )
    charts.show(spec, table, key="overview.losses", alt=say("overview-losses"), height=height)


def attention(figures: Overview, ask: Ask, status: MirrorStatus) -> None:
    """Open leads that somebody should look at, the longest waiting first."""
    _section("overview-attention", say("overview-attention-how", days=UNTOUCHED_DAYS))
    told = figures.attention
    if not told.leads:
        st.success(say("overview-attention-none", count=told.open), icon=":material/check_circle:")
        return
    st.markdown(say("overview-attention-count", count=told.leads, open=told.open))
    counts = {ANY: told.leads} | {rule: told.rules[rule] for rule in KINDS if told.rules[rule]}
    rule = st.pills(
        say("overview-attention"),
        list(counts),
        default=ANY,
        required=True,
        format_func=lambda one: f"{_rule(one)} · {_number(counts.get(one) or 0)}",
        key=RULE,
        label_visibility="collapsed",
    )
    _waiting(the_desk().reports.waiting(ask, status, rule=None if rule == ANY else str(rule)))


def _waiting(found: Sequence[WaitingLead]) -> None:
    account_url = the_desk().connection.status().account_url or ""
    frame = pd.DataFrame(
        {
            "since": [one.since.astimezone(zone()).replace(tzinfo=None) for one in found],
            "name": [one.person or one.name for one in found],
            "stage": [one.stage for one in found],
            "responsible": [one.responsible or "—" for one in found],
            "why": [", ".join(_rule(rule) for rule in one.rules) for one in found],
            "url": [lead_address(account_url, one.id) for one in found],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=(min(len(frame), MOST_ROWS) + 1) * ROW_PX + 3,
        alt=say("overview-attention"),
        key="overview.waiting",
        column_config={
            "since": st.column_config.DatetimeColumn(say("overview-since"), format="DD.MM.YYYY HH:mm", width=130),
            "name": st.column_config.TextColumn(say("leads-name"), width=170),
            "stage": st.column_config.TextColumn(say("leads-column-stage"), width=140),
            "responsible": st.column_config.TextColumn(say("leads-column-responsible"), width=140),
            "why": st.column_config.TextColumn(say("overview-why"), width=260),
            "url": st.column_config.LinkColumn(say("leads-link"), display_text=say("open"), width=80),
        },
    )
    st.caption(say("overview-waiting-shown", count=len(found)))


# Working hours


def club_hours() -> None:
    """When the club answers: shown to everybody, changed here."""
    told = the_desk().reports.hours()
    with st.expander(say("overview-club-hours"), icon=":material/schedule:"):
        st.caption(say("overview-club-hours-intro", zone=str(zone())))
        with st.form(HOURS, border=False):
            left, right = st.columns(2)
            for name, day, column in (("weekdays", 0, left), ("weekend", 5, right)):
                span = told.days[day]
                with column:
                    st.checkbox(say(f"overview-{name}"), value=span is not None, key=f"{HOURS}.{name}")
                    opens, closes = st.columns(2)
                    _time(opens, say("overview-opens"), f"{HOURS}.{name}.opens", span[0] if span else 8 * 60)
                    _time(closes, say("overview-closes"), f"{HOURS}.{name}.closes", span[1] if span else 22 * 60)
            st.form_submit_button(say("overview-hours-keep"), key=f"{HOURS}.keep", on_click=_keep_hours)


def _time(place: Any, label: str, key: str, minute: int) -> None:
    place.time_input(label, value=time(minute % DAY_MIN // 60, minute % 60), step=900, key=key)


def _keep_hours() -> None:
    spans = [_span(name) for name in ("weekdays", "weekend")]
    attempt(lambda: the_desk().reports.set_hours([spans[0]] * 5 + [spans[1]] * 2), "overview-hours-kept")


def _span(name: str) -> Span:
    """Midnight as a closing time is the end of the day."""
    if not st.session_state[f"{HOURS}.{name}"]:
        return None
    opens, closes = (st.session_state[f"{HOURS}.{name}.{end}"] for end in ("opens", "closes"))
    return opens.hour * 60 + opens.minute, (closes.hour * 60 + closes.minute) or DAY_MIN


# Words and numbers


def _section(key: str, how: str) -> None:
    """A heading, and how its numbers are counted one press away."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(say(key), anchor=False, width="content")
        with st.popover(say("overview-how"), type="tertiary", icon=":material/help:", key=f"{key}-how"):
            st.markdown(how)


def _metric(label: str, value: str, beside: str | None, how: str, *, arrow: Any = "auto") -> None:
    """A number with its definition. Neither more nor less is good or bad by itself, so it has no colour."""
    label = say(label) if label.startswith("overview-") else label
    st.metric(label, value, beside, delta_color="off", delta_arrow=arrow, help=how, width=METRIC_PX)


def _time_metric(label: str, minutes: float | None, how: str) -> None:
    """A length of working time; a dash and "no answer" where it never ends."""
    endless = minutes is not None and math.isinf(minutes)
    _metric(label, _minutes(minutes), say("overview-no-answer") if endless else None, how, arrow="off")


def _none() -> None:
    st.info(say("overview-none"), icon=":material/inbox:")


def _number(value: int) -> str:
    return formats.number(value, language())


def _share(count: int, whole: int) -> str:
    """Per cent, with one decimal under ten; a dash of nothing."""
    if not whole:
        return "—"
    share = count / whole
    return str(format_percent(share, "0.#%" if share < 0.1 else "0%", locale=language()))


def _of(count: int, whole: int) -> str:
    """A share together with what it is of."""
    return f"{_share(count, whole)} ({say('overview-n-of', count=_number(count), whole=_number(whole))})"


def _delta(now: int, before: int) -> str:
    """How far from the period before; per cent where there were enough to speak of per cent."""
    text = f"{now - before:+d}"
    return f"{text} ({now / before - 1:+.0%})" if before >= 20 else text


def _minutes(minutes: float | None) -> str:
    """Minutes, hours and minutes, or hours: as exact as such a length is worth."""
    if minutes is None or math.isinf(minutes):
        return "—"
    whole = int(minutes)
    if whole < 60:
        return say("overview-minutes", minutes=whole)
    if whole < EXACT_HOURS * 60:
        return say("overview-hours-minutes", hours=whole // 60, minutes=f"{whole % 60:02}")
    return say("overview-whole-hours", hours=whole // 60)


def _day(day: Any) -> str:
    return str(format_date(day, "d MMM y", locale=language()))


def _part(column: Column, unit: str) -> str:
    """What stands under a bar."""
    if unit == "month":
        return str(format_date(column.since, "LLL yy", locale=language()))
    first = str(format_date(column.since, "d MMM", locale=language()))
    return (
        first if column.since == column.until else f"{first} – {format_date(column.until, 'd MMM', locale=language())}"
    )


def _rule(rule: str) -> str:
    return say(f"overview-rule-{rule}")


def _hours_told(hours_: ClubHours) -> str:
    """Working hours in words: weekdays and weekend, or every day."""
    spans = [_span_told(hours_.days[day]) for day in (0, 5)]
    if hours_.days[0] == hours_.days[5]:
        return say("overview-every-day", hours=spans[0])
    return say("overview-week-hours", weekdays=spans[0], weekend=spans[1])


def _span_told(span: Span) -> str:
    if span is None:
        return say("overview-closed")
    return f"{span[0] // 60}:{span[0] % 60:02}–{span[1] // 60}:{span[1] % 60:02}"

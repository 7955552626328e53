"""Leads of the period: the headline, by time, by origin, by reason of loss; each with its definition beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from desk.reports import Overview, Slice
from ui.frame.words import say
from ui.overview import charts
from ui.overview.charts import Bar
from ui.overview.parts import metric, say_none, say_unknown_history, section, time_metric
from ui.overview.spelled import change, column_name, day_name, number, share

MOST_BARS = 10
"""Values drawn; the table under the chart has the rest."""


def headline(figures: Overview) -> None:
    """The five numbers marketing asks for first."""
    speed_ = figures.speed
    with st.container(horizontal=True, gap="small"):
        metric(
            "overview-leads", number(figures.leads), change(figures.leads, figures.before), say("overview-leads-help")
        )
        metric("overview-won", number(figures.won[0]), change(*figures.won), say("overview-won-help"))
        metric("overview-lost", number(figures.lost[0]), change(*figures.lost), say("overview-lost-help"))
        time_metric("overview-median", speed_.median_min, say("overview-speed-how"))
        never = say("overview-n-of", count=number(speed_.never), whole=number(speed_.leads))
        metric(
            "overview-never",
            number(speed_.never),
            never if speed_.leads else None,
            say("overview-never-help"),
            arrow="off",
        )
    say_unknown_history(figures, "overview-speed-unknown")
    period = figures.question.period
    st.caption(
        say(
            "overview-compared",
            since=day_name(period.since),
            until=day_name(period.until),
            before_since=day_name(period.before_since),
            before_until=day_name(period.before_until),
        )
    )


def trend(figures: Overview) -> None:
    """Leads by day, week or month with the period before."""
    section("overview-trend", say("overview-trend-how"))
    if not figures.leads and not figures.before:
        say_none()
        return
    unit, columns = figures.question.unit, figures.columns
    labels = [column_name(column, unit) for column in columns]
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
    """Leads by source and by direction, and by campaign marks if there are any."""
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
    section(f"overview-by-{name}", say("overview-split-how"))
    slices = figures.splits[name]
    if not slices:
        say_none()
        return
    spec, height = slices_chart(slices, figures.leads)
    table = pd.DataFrame(
        {
            say(f"overview-by-{name}"): [one.name or say("unknown") for one in slices],
            say("overview-now"): [one.count for one in slices],
            say("overview-share"): [share(one.count, figures.leads) for one in slices],
            say("overview-before"): [one.before for one in slices],
            say("overview-won-of-them"): [one.won for one in slices],
        }
    )
    charts.show(spec, table, key=f"overview.{name}", alt=say(f"overview-by-{name}"), height=height)


def losses(figures: Overview) -> None:
    """Reasons of lost leads, with the leads lost without a reason."""
    section("overview-losses", say("overview-losses-how"))
    slices = figures.losses
    if not slices:
        st.info(say("overview-no-losses"), icon=":material/inbox:")
        return
    spec, height = slices_chart(slices, figures.lost[0])
    table = pd.DataFrame(
        {
            say("overview-reason"): [one.name or say("unknown") for one in slices],
            say("overview-now"): [one.count for one in slices],
            say("overview-share"): [share(one.count, figures.lost[0]) for one in slices],
            say("overview-before"): [one.before for one in slices],
        }
    )
    charts.show(spec, table, key="overview.losses", alt=say("overview-losses"), height=height)


def slices_chart(slices: Sequence[Slice], whole: int) -> tuple[dict[str, Any], int]:
    """A chart of the greatest slices, the rest in a single bar, "not given" always in a bar of its own."""
    given = [one for one in slices if one.name]
    shown, others = given[:MOST_BARS], given[MOST_BARS:]
    told = [(one.name, one) for one in shown]
    if others:
        rest = Slice("", sum(one.count for one in others), sum(one.before for one in others))
        told.append((say("overview-others", count=len(others)), rest))
    told += [(say("unknown"), one) for one in slices if not one.name]
    bars = [Bar(name, one.count, f"{number(one.count)} · {share(one.count, whole)}", one.before) for name, one in told]
    spec = charts.horizontal_bars(bars, (say("overview-now"), say("overview-before")))
    return spec, charts.horizontal_bars_height(len(bars))

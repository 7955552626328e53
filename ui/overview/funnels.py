"""How far the leads of the period got: a chart for each pipeline."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from desk.reports import Funnel, Overview
from ui.frame import formats
from ui.frame.words import say
from ui.overview import charts
from ui.overview.charts import Bar
from ui.overview.parts import say_none, say_unknown_history, section
from ui.overview.spelled import number, share, share_of


def funnels(figures: Overview) -> None:
    """The progress of the period's leads, for each pipeline."""
    section("overview-funnel", say("overview-funnel-how"))
    if not figures.funnels:
        say_none()
        return
    say_unknown_history(figures, "overview-funnel-unknown")
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
        say_none()
        return
    bars, rows = [], []
    for place, step in enumerate(funnel.steps):
        before = funnel.steps[place - 1].reached if place else funnel.leads
        bars.append(Bar(step.name, step.reached, f"{number(step.reached)} · {share(step.reached, funnel.leads)}"))
        rows.append(
            (
                step.name,
                step.reached,
                share_of(step.reached, funnel.leads),
                share_of(step.reached, before) if place else "—",
                step.here,
                step.lost,
            )
        )
    table = pd.DataFrame(
        rows,
        columns=[
            say("leads-column-stage"),
            say("overview-reached"),
            say("overview-of-all", count=number(funnel.leads)),
            say("overview-of-previous"),
            say("overview-stopped-here"),
            say("overview-lost-here"),
        ],
    )
    st.caption(say("overview-funnel-of", count=funnel.leads))
    charts.show(
        charts.horizontal_bars(bars, (say("overview-reached"), None)),
        table,
        key=f"overview.funnel.{funnel.pipeline_id}",
        alt=f"{say('overview-funnel')}: {funnel.name}",
        height=charts.horizontal_bars_height(len(bars)),
    )

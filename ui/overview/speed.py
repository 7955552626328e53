"""The speed of answers, and the hours of arriving leads beside the working hours."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from babel.dates import get_day_names

from desk.reports import WITHIN_MIN, Overview
from ui.frame.words import language, say
from ui.overview import charts
from ui.overview.parts import metric, say_none, section, time_metric
from ui.overview.spelled import hours_in_words, number, share, share_of


def speed(figures: Overview) -> None:
    """How soon leads were answered, in working hours."""
    section("overview-speed", say("overview-speed-how"))
    told = figures.speed
    if not told.leads:
        st.info(say("overview-speed-none"), icon=":material/inbox:")
    else:
        with st.container(horizontal=True, gap="small"):
            time_metric("overview-median", told.median_min, say("overview-percentile-help"))
            time_metric("overview-p90", told.p90_min, say("overview-percentile-help"))
            for minutes, count in zip(WITHIN_MIN, told.within, strict=True):
                metric(
                    say("overview-within", minutes=minutes),
                    share(count, told.leads),
                    say("overview-n-of", count=number(count), whole=number(told.leads)),
                    say("overview-within-help", minutes=minutes),
                    arrow="off",
                )
    notes = [say("overview-speed-of", count=told.leads), say("overview-speed-never", count=told.never)]
    notes += [say("overview-speed-fresh", count=told.fresh)] if told.fresh else []
    notes += [say("overview-speed-uncounted", count=told.unknown)] if told.unknown else []
    st.caption(" · ".join([*notes, say("overview-hours-are", hours=hours_in_words(figures.question.hours))]))


def hours(figures: Overview) -> None:
    """The hours of arriving leads, beside the working hours."""
    section("overview-hours", say("overview-hours-how"))
    if not figures.leads:
        say_none()
        return
    days = [str(get_day_names("abbreviated", locale=language())[day]).capitalize() for day in range(7)]
    off_duty = figures.leads - figures.on_duty
    st.caption(say("overview-off-duty", share=share_of(off_duty, figures.leads)))
    spec = charts.week_map(
        figures.hours, days, figures.question.hours.days, (say("overview-leads"), say("overview-duty"))
    )
    table = pd.DataFrame(
        {say("overview-hour"): [f"{hour:02}–{hour + 1:02}" for hour in range(24)]}
        | {name: figures.hours[day] for day, name in enumerate(days)}
    )
    charts.show(spec, table, key="overview.map", alt=say("overview-hours"), height=charts.week_map_height())

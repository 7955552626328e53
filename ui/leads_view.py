"""The parts of the leads page: period, filters, the table with AmoCRM's colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from crm import phones
from crm.amo.pipelines import Stage
from crm.desk import the_desk
from ui.parts import zone
from ui.words import say

PRESETS = {"today": 1, "7": 7, "30": 30, "90": 90, "180": 180}
"""Periods by their days, today included; "own" is the other one."""

DEFAULT_PERIOD = "7"
OWN = "own"

COLUMNS = ("created_at", "name", "phone", "direction", "source", "stage", "responsible", "price_rub", "url")

INK = "#1f2421"
"""Text on AmoCRM's stage colours, which are all light."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the filters say. `stages`: "pipeline:status" keys."""

    search: str
    stages: list[str]
    sources: list[str]


def choose_period() -> tuple[datetime, datetime]:
    """From the first moment of the first day to the last of the last, on the club's clock."""
    left, middle, right = st.columns([4, 2, 1], vertical_alignment="bottom")
    preset = left.segmented_control(
        say("leads-period"),
        [*PRESETS, OWN],
        default=DEFAULT_PERIOD,
        required=True,
        format_func=lambda name: say(f"period-{name}"),
        key="leads.period",
        bind="query-params",
        on_change=_first_page,
    )
    today = datetime.now(zone()).date()
    since = until = today
    if preset == OWN:
        since, until = _own_range(middle, today)
    else:
        since = today - timedelta(days=PRESETS.get(str(preset), PRESETS[DEFAULT_PERIOD]) - 1)
    right.button(
        say("refresh"),
        icon=":material/refresh:",
        key="leads.refresh",
        on_click=the_desk().recent.forget,
        width="stretch",
    )
    return datetime.combine(since, time.min, zone()), datetime.combine(until, time.max, zone())


def choose_filters(table: Any) -> Chosen:
    """Search, stages, sources. None of them asks AmoCRM."""
    left, middle, right = st.columns(3)
    names = stage_names(table.stages)
    present = [key for key in names if key in set(stage_keys(table.frame))]
    sources = sorted(source for source in table.frame["source"].unique() if source)
    search = left.text_input(
        say("leads-search"),
        type="search",
        placeholder=say("leads-search-hint"),
        key="leads.search",
        live=True,
        max_chars=100,
        on_change=_first_page,
    )
    stages = middle.multiselect(
        say("leads-stage"),
        present,
        format_func=lambda key: names.get(key, key),
        key="leads.stage",
        placeholder=say("any"),
        on_change=_first_page,
    )
    picked = right.multiselect(
        say("leads-source"), sources, key="leads.source", placeholder=say("any"), on_change=_first_page
    )
    return Chosen(search or "", stages, picked)


def clear_filters() -> None:
    st.session_state["leads.search"] = ""
    st.session_state["leads.stage"] = []
    st.session_state["leads.source"] = []
    _first_page()


@contextmanager
def reading() -> Iterator[Callable[[int], object]]:
    """What one sees while AmoCRM is read: how many leads have come."""
    place = st.empty()
    with place, st.spinner(say("leads-reading"), show_time=True):
        yield lambda count: place.progress(0.0, text=say("leads-read", count=count)) if count else None
    place.empty()


def warm_up() -> None:
    """Let pandas load what painting a table takes, before the first person waits for it."""
    pd.DataFrame({"stage": ["x"]}).style.apply(lambda column: [""], subset=["stage"])._compute()


def stage_keys(frame: pd.DataFrame) -> pd.Series:
    """A stage is only known together with its pipeline: 142 and 143 are in each of them."""
    return frame["pipeline_id"].astype(str) + ":" + frame["status_id"].astype(str)


def stage_names(stages: Sequence[Stage]) -> dict[str, str]:
    """Names by stage key, in AmoCRM's order; those of further pipelines carry the pipeline's name."""
    return {
        f"{stage.pipeline_id}:{stage.status_id}": stage.name if stage.is_main else f"{stage.name} · {stage.pipeline}"
        for stage in stages
    }


def table(rows: pd.DataFrame, stages: Sequence[Stage]) -> None:
    """One page of leads."""
    keys, names = stage_keys(rows), stage_names(stages)
    colors = {f"{stage.pipeline_id}:{stage.status_id}": stage.color for stage in stages}
    shown = rows.loc[:, list(COLUMNS)].assign(
        created_at=rows["created_at"].dt.tz_convert(zone()).dt.tz_localize(None),
        phone=rows["phone"].map(phones.display),
        stage=[names.get(key, stage) for key, stage in zip(keys, rows["stage"], strict=True)],
        source=rows["source"].replace("", say("unknown")),
        direction=rows["direction"].replace("", "—"),
    )
    painted = shown.style.apply(lambda column: [_paint(colors.get(key, "")) for key in keys], subset=["stage"])
    st.dataframe(
        painted,
        hide_index=True,
        height="content",
        placeholder="—",
        alt=say("leads-title"),
        column_config={
            "created_at": st.column_config.DatetimeColumn(say("leads-created"), format="DD.MM HH:mm", width=100),
            "name": st.column_config.TextColumn(say("leads-name"), width=160),
            "phone": st.column_config.TextColumn(say("leads-phone"), width=140),
            "direction": st.column_config.TextColumn(say("leads-direction"), width=130),
            "source": st.column_config.TextColumn(say("leads-source"), width=115),
            "stage": st.column_config.TextColumn(say("leads-stage"), width=150),
            "responsible": st.column_config.TextColumn(say("leads-responsible"), width=130),
            "price_rub": st.column_config.NumberColumn(say("leads-price"), format="%,d ₽", width=85),
            "url": st.column_config.LinkColumn(say("leads-link"), display_text=say("open"), width=80),
        },
    )


def _paint(color: str) -> str:
    safe = color if len(color) == 7 and color.startswith("#") and color[1:].isalnum() else ""
    return f"background-color: {safe}; color: {INK}" if safe else ""


def _own_range(place: Any, today: date) -> tuple[date, date]:
    picked = place.date_input(
        say("leads-range"),
        value=(today - timedelta(days=13), today),
        max_value=today,
        format="DD.MM.YYYY",
        key="leads.range",
        on_change=_first_page,
    )
    days = list(picked) if isinstance(picked, tuple | list) else [picked]
    return (days[0], days[-1]) if days else (today, today)


def _first_page() -> None:
    """A new filter begins at its first page."""
    st.session_state["leads.page"] = 1

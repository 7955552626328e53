"""Charts of the overview: figures and words in, an ECharts option out. Pure but for `show`, which draws a chart.

Nothing is told by colour alone: series differ by shape or pattern, and values stand beside their marks. Under each chart the
same numbers are a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from ui.frame import formats
from ui.frame.words import say

Spec = dict[str, Any]

BAR_PX, FRAME_PX = 40, 70
"""Height of a horizontal bar, and of the frame around the bars."""

LABEL_PX = 120
"""Width of the names beside horizontal bars: enough for two words, and on a phone half of the chart is left."""

CELL_PX = 21
"""Height of an hour in the map: a number fits in, and a day fits on a screen."""

INK, FRAME = "#1d2724", "#b4410e"
NOW, BEFORE = "#1a8f69", "#8a9a94"
"""Colours of this period and of the former. Both stand out from a light and from a dark page; white is readable on the first."""

PAPER = ("#f2f7f5", "#d3e8df", "#a9d5c2", "#7cc4a8")
"""Cells of the map, from no leads to most. Dark text is readable on all of them, in both themes."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar. `note`: the text at its end; `beside`: the value of the thinner bar under it, for comparison."""

    name: str
    value: int
    note: str
    beside: int | None = None


def show(spec: Spec, table: pd.DataFrame, *, key: str, alt: str, height: int) -> None:
    """A chart and, folded under it, its numbers as a table that a screen reader reads."""
    st.echarts_chart(spec, key=key, alt=alt, height=height)
    with st.expander(say("overview-as-table"), icon=":material/table:"):
        st.table(as_plain(table), hide_index=True)


def as_plain(table: pd.DataFrame) -> pd.DataFrame:
    """The table as `st.table` shows it letter by letter: Streamlit reads cells and heads as Markdown."""
    shown = table.map(lambda cell: formats.plain(cell) if isinstance(cell, str) else cell)
    return shown.rename(columns=lambda name: formats.plain(str(name)))


def columns(
    labels: Sequence[str],
    now: Sequence[int],
    before: Sequence[int | None],
    names: tuple[str, str],
    unfinished: set[int],
) -> Spec:
    """Vertical bars for now, a dashed line with open circles for before. `unfinished`: places of unfinished bars."""
    bars = [
        {"value": value, "itemStyle": {"decal": _HATCHED, "opacity": 0.75}} if place in unfinished else {"value": value}
        for place, value in enumerate(now)
    ]
    return {
        **_frame(top=36),
        "color": [NOW, BEFORE],
        "legend": {"top": 0, "left": 0, "data": list(names)},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": list(labels), "axisLabel": {"hideOverlap": True}},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {
                "type": "bar",
                "name": names[0],
                "data": bars,
                "barMaxWidth": 40,
                "label": {"show": True, "position": "insideBottom", "color": "#ffffff", "fontWeight": "bold"},
                "labelLayout": {"hideOverlap": True},
            },
            {
                "type": "line",
                "name": names[1],
                "data": list(before),
                "symbol": "emptyCircle",
                "symbolSize": 5,
                "lineStyle": {"type": "dashed", "width": 1.5},
            },
        ],
    }


def horizontal_bars(bars: Sequence[Bar], names: tuple[str, str | None]) -> Spec:
    """Horizontal bars, the first on top; with a second name, a thinner hatched bar for comparison under each."""
    series: list[Spec] = [
        {
            "type": "bar",
            "name": names[0],
            "data": [{"value": bar.value, "label": {"formatter": bar.note.replace("{", "(")}} for bar in bars],
            "barMaxWidth": 16,
            "label": {"show": True, "position": "right"},
        }
    ]
    if names[1] is not None:
        series.append(
            {
                "type": "bar",
                "name": names[1],
                "data": [bar.beside for bar in bars],
                "barMaxWidth": 8,
                "itemStyle": {"decal": _HATCHED},
            }
        )
    return {
        **_frame(top=36 if names[1] else 8, right=96),
        "color": [NOW, BEFORE],
        "legend": {"show": names[1] is not None, "top": 0, "left": 0},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [bar.name for bar in bars],
            "axisLabel": {"width": LABEL_PX, "overflow": "truncate", "interval": 0},
        },
        # The numbers stand at the bars: an axis would only repeat them.
        "xAxis": {"type": "value", "axisLabel": {"show": False}, "splitLine": {"show": False}},
        "series": series,
    }


def horizontal_bars_height(bars: int) -> int:
    """Pixels of a chart of so many horizontal bars."""
    return BAR_PX * max(1, bars) + FRAME_PX


def week_map(
    cells: Sequence[Sequence[int]],
    days: Sequence[str],
    duty: Sequence[tuple[int, int] | None],
    names: tuple[str, str],
) -> Spec:
    """Hours downwards, weekdays across, a number in each cell; a frame around the working hours.

    `cells[weekday][hour]`; `duty`: opening and closing of each weekday in minutes.
    """
    top = max(1, max((count for day in cells for count in day), default=1))
    return {
        **_frame(top=32),
        "tooltip": {"position": "top", "formatter": f"{names[0]}: {{@[2]}}"},
        **_week_axes(days),
        "visualMap": {"show": False, "min": 0, "max": top, "seriesIndex": 0, "inRange": {"color": list(PAPER)}},
        "series": [_heat(cells, names[0]), _duty_frames(duty, names[1])],
    }


def _week_axes(days: Sequence[str]) -> Spec:
    """Axes of weekdays and hours; behind each a hidden axis of numbers, on which the frames lie."""
    hidden = {"show": False, "type": "value", "min": 0}
    return {
        "xAxis": [
            {"type": "category", "data": list(days), "position": "top", "axisTick": {"show": False}},
            {**hidden, "max": 7},
        ],
        "yAxis": [
            {
                "type": "category",
                "data": [f"{hour:02}" for hour in range(24)],
                "inverse": True,
                "axisLabel": {"interval": 0},
                "axisTick": {"show": False},
            },
            {**hidden, "max": 24, "inverse": True},
        ],
    }


def _heat(cells: Sequence[Sequence[int]], name: str) -> Spec:
    """The cells of the map, coloured and numbered."""
    return {
        "type": "heatmap",
        "name": name,
        "data": [[day, hour, count] for day, of_day in enumerate(cells) for hour, count in enumerate(of_day)],
        "label": {"show": True, "color": INK, "fontSize": 11},
        "itemStyle": {"borderColor": "#ffffff", "borderWidth": 1},
    }


def _duty_frames(duty: Sequence[tuple[int, int] | None], name: str) -> Spec:
    """Dashed frames around the working hours, above the cells: marked areas of a line of a single point."""
    areas = [
        [{"xAxis": first, "yAxis": span[0] / 60}, {"xAxis": last + 1, "yAxis": span[1] / 60}]
        for first, last, span in _runs(duty)
    ]
    style = {"color": "rgba(0,0,0,0)", "borderColor": FRAME, "borderWidth": 2, "borderType": "dashed"}
    return {
        "type": "line",
        "name": name,
        "xAxisIndex": 1,
        "yAxisIndex": 1,
        "data": [[0, 0]],
        "symbol": "none",
        "silent": True,
        "z": 10,
        "markArea": {"silent": True, "z": 10, "data": areas, "itemStyle": style},
    }


def week_map_height() -> int:
    """Pixels of the map of the week."""
    return 24 * CELL_PX + 48


_HATCHED: Spec = {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": 0.8}


def _frame(*, top: int, right: int = 12) -> Spec:
    """Options shared by all charts; margins in pixels."""
    return {
        "aria": {"enabled": True},
        "animation": False,
        "grid": {"left": 4, "right": right, "top": top, "bottom": 4, "containLabel": True},
    }


def _runs(duty: Sequence[tuple[int, int] | None]) -> list[tuple[int, int, tuple[int, int]]]:
    """Weekdays in a row with the same working hours: first, last, hours."""
    found: list[tuple[int, int, tuple[int, int]]] = []
    for day, span in enumerate(duty):
        if span is None:
            continue
        if found and found[-1][1] == day - 1 and found[-1][2] == span:
            found[-1] = (found[-1][0], day, span)
        else:
            found.append((day, day, span))
    return found

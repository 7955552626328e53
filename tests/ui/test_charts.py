"""Charts: as many marks as rows, and every number of the figures is in the chart."""

from hypothesis import given
from hypothesis import strategies as some

from ui.overview.charts import CELL_PX, Bar, columns, horizontal_bars, horizontal_bars_height, week_map, week_map_height

COUNTS = some.integers(0, 10_000)
BARS = some.lists(
    some.builds(Bar, name=some.text(), value=COUNTS, note=some.text(), beside=some.none() | COUNTS), max_size=20
)
COLUMNS = some.lists(some.tuples(some.text(), COUNTS, some.none() | COUNTS, some.booleans()), max_size=40)
WEEK = some.lists(some.lists(COUNTS, min_size=24, max_size=24), min_size=7, max_size=7)
SPANS = some.none() | some.tuples(some.integers(0, 12 * 60), some.integers(12 * 60 + 1, 24 * 60))
DUTY = some.lists(SPANS, min_size=7, max_size=7)


@given(BARS, some.booleans())
def test_as_many_horizontal_bars_as_rows(bars, compared):
    """Names, values and notes in their order; a bar for comparison under each, if there is something to compare with."""
    spec = horizontal_bars(bars, ("now", "before" if compared else None))
    assert spec["yAxis"]["data"] == [bar.name for bar in bars]
    now, *before = spec["series"]
    assert [mark["value"] for mark in now["data"]] == [bar.value for bar in bars]
    assert [len(mark["label"]["formatter"]) for mark in now["data"]] == [len(bar.note) for bar in bars]
    assert not any("{" in mark["label"]["formatter"] for mark in now["data"])  # a template of ECharts, not a text
    assert [series["data"] for series in before] == ([[bar.beside for bar in bars]] if compared else [])


@given(COLUMNS)
def test_as_many_columns_as_rows(rows):
    """A bar and a point for each label, with the sums kept; unfinished bars look so and no others."""
    unfinished = {place for place, row in enumerate(rows) if row[3]}
    spec = columns(
        [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows], ("now", "before"), unfinished
    )
    now, before = spec["series"]
    assert spec["xAxis"]["data"] == [row[0] for row in rows]
    assert sum(mark["value"] for mark in now["data"]) == sum(row[1] for row in rows)
    assert before["data"] == [row[2] for row in rows]
    assert {place for place, mark in enumerate(now["data"]) if "itemStyle" in mark} == unfinished


@given(WEEK, DUTY)
def test_the_week_has_a_cell_for_every_hour(cells, duty):
    """168 cells with the sum kept, the darkest the greatest; the frames hold exactly the working hours."""
    spec = week_map(cells, list("МВСЧПСВ"), duty, ("leads", "duty"))
    heat, frames = spec["series"]
    assert len(heat["data"]) == 7 * 24
    assert all(cells[day][hour] == count for day, hour, count in heat["data"])
    assert spec["visualMap"]["max"] == max(1, *(count for day in cells for count in day))
    framed = {}
    for left, right in frames["markArea"]["data"]:
        for day in range(left["xAxis"], right["xAxis"]):
            framed[day] = (left["yAxis"] * 60, right["yAxis"] * 60)
    assert framed.keys() == {day for day, span in enumerate(duty) if span is not None}
    assert all(abs(framed[day][end] - duty[day][end]) < 1e-6 for day in framed for end in (0, 1))


def test_charts_are_as_high_as_their_rows():
    """Every bar and every hour has its height; an empty chart has the height of one bar."""
    assert (
        horizontal_bars_height(5) - horizontal_bars_height(4)
        == horizontal_bars_height(2) - horizontal_bars_height(1)
        > 0
    )
    assert horizontal_bars_height(0) == horizontal_bars_height(1)
    assert week_map_height() >= 24 * CELL_PX

"""The overview: numbers with their definitions, periods in the address, and what it says when there is nothing or something old."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from benchmarks import big_mirror
from store.tables import leads, mirror_walks
from tests.pages.conftest import shown


@pytest.fixture
def filled(desk):
    """A desk with a made-up club in its mirror, followed until just now."""
    big_mirror.fill(desk.store, leads=1500, contacts=1000)
    return desk


def walk(desk, name, **values):
    """Let a reading of the mirror stand like this."""
    with desk.store.write() as db:
        db.execute(mirror_walks.delete().where(mirror_walks.c.name == name))
        db.execute(mirror_walks.insert().values(name=name, **{"done": 0, "due_at": 0.0, **values}))


def values(app):
    return {metric.label: metric.value for metric in app.metric}


def address(app, name):
    told = app.query_params.get(name)
    return told[0] if isinstance(told, list) else told


def test_it_shows_the_numbers_and_how_they_are_counted(filled, open_page):
    """Leads of thirty days, sales, losses, speed; each figure has its definition; and when they were true."""
    app = open_page("overview")
    assert not app.exception
    assert not app.error
    with filled.store.read() as db:
        created = db.scalars(sa.select(leads.c.created_at).where(leads.c.is_deleted.is_(False))).all()
    count = sum(moment >= time_s(filled, days=29) for moment in created)
    assert values(app)["Лиды"] == str(count)
    text = shown(app)
    for words in (
        "По состоянию на",
        "От создания лида до первого перехода",
        "«Дошли» — были в этом этапе",
        "«Не указано» — поле пустое",
    ):
        assert words in text
    assert {"Лиды по времени", "По источнику", "По направлению", "Воронка", "Скорость ответа", "Когда приходят лиды",
            "Почему теряем", "Требуют внимания"} <= {part.value for part in app.subheader}  # fmt: skip
    assert all(metric.help for metric in app.metric)


def test_each_chart_has_its_numbers_in_a_table(filled, open_page):
    """What the bars show stands under them as text; its sum is the number at the top."""
    app = open_page("overview")
    tables = [table.value for table in app.table]
    assert len(tables) >= 6
    by_time = tables[0]
    assert by_time["Период"].sum() == int(values(app)["Лиды"])
    sources = next(table for table in tables if "По источнику" in table.columns)
    assert sources["Период"].sum() == int(values(app)["Лиды"])


def test_the_choice_is_in_the_address(filled, open_page):
    """Period, step and pipeline are told by ids; what is the default is not told."""
    app = open_page("overview")
    app.segmented_control(key="overview.period").set_value("90").run()
    app.segmented_control(key="overview.unit").set_value("month").run()
    app.selectbox(key="overview.pipeline").set_value("7249530").run()
    assert [address(app, f"overview.{name}") for name in ("period", "unit", "pipeline")] == ["90", "month", "7249530"]
    app.segmented_control(key="overview.period").set_value("30").run()
    assert address(app, "overview.period") is None


def test_an_address_is_understood_and_nonsense_is_not_believed(filled):
    """A link opens what it says; what says nothing is the default, and nothing breaks."""
    from streamlit.testing.v1 import AppTest

    from desk.settings import PROJECT

    app = AppTest.from_file(str(PROJECT / "pages" / "navigation.py"), default_timeout=60).run()
    app.switch_page("overview.py")
    app.query_params["overview.period"] = "own"
    app.query_params["overview.since"] = "2026-01-05"
    app.query_params["overview.until"] = "2026-02-01"
    app.query_params["overview.pipeline"] = "Продажа; DROP"
    app.run()
    assert not app.exception
    assert app.segmented_control(key="overview.period").value == "own"
    assert [str(day) for day in app.date_input(key="overview.range").value] == ["2026-01-05", "2026-02-01"]
    assert app.selectbox(key="overview.pipeline").value == "all"
    assert address(app, "overview.pipeline") is None


def test_who_needs_attention_by_reason(filled, open_page):
    """Each reason has its number and its list, with a way into AmoCRM."""
    app = open_page("overview")
    app.pills(key="overview.rule").set_value("no_task").run()
    table = app.dataframe[0].value
    assert len(table)
    assert table["why"].str.contains("Нет задачи").all()
    assert table["url"].str.contains("/leads/detail/").all()


def test_working_hours_are_set_by_a_form(filled, open_page):
    """They are kept and told beside the speed; such as cannot be are refused and nothing changes."""
    app = open_page("overview")
    app.time_input(key="overview.hours.weekdays.opens").set_value(time(9))
    app.checkbox(key="overview.hours.weekend").uncheck()
    app.button(key="overview.hours.keep").click().run()
    assert "Рабочие часы сохранены" in shown(app)
    assert "будни 9:00–22:00, выходные закрыто" in shown(app)
    app.time_input(key="overview.hours.weekdays.opens").set_value(time(23))
    app.button(key="overview.hours.keep").click().run()
    assert "Такие рабочие часы не годятся" in app.error[0].value
    assert filled.reports.hours().days[0] == (9 * 60, 22 * 60)


def test_nothing_read_yet(desk, open_page):
    """A connected desk before its first reading says that it is about to begin, and shows no number."""
    app = open_page("overview")
    assert "Чтение начнётся само" in app.info[-1].value
    assert not app.metric


def test_not_connected(unconnected, open_page):
    """Without AmoCRM it says what to do."""
    app = open_page("overview")
    assert "Подключите её" in app.info[-1].value
    assert not app.metric


def test_the_first_reading_is_under_way(filled, open_page):
    """How much has been read, that it grows, and the numbers so far."""
    walk(filled, "fill", done=1500, began_at=datetime.now(UTC), cursor='{"page": 7}')
    app = open_page("overview")
    assert "прочитано 1\xa0500 лидов" in shown(app)
    assert app.metric


def test_old_numbers_say_so(filled, open_page):
    """After rounds that failed: a warning with the time, the reason, and a button."""
    before = datetime.now(UTC) - timedelta(hours=2)
    walk(filled, "leads", as_of=before, cursor='{"since": 1}', reason="unreachable", failures=9)
    app = open_page("overview")
    assert "Числа старые" in app.warning[0].value
    assert "AmoCRM недоступна" in app.warning[0].value
    assert app.metric
    app.button(key="overview.refresh").click().run()
    assert not app.exception


def test_a_failed_first_reading_shows_no_zero(desk, open_page):
    """The reason, the remedy and the next attempt; no number stands for what is not known."""
    walk(desk, "fill", began_at=datetime.now(UTC), cursor='{"page": 1}', reason="unreachable", failures=3)
    app = open_page("overview")
    assert "Чисел пока нет" in app.error[0].value
    assert "AmoCRM недоступна" in app.error[0].value
    assert "Следующая попытка" in app.error[0].value
    assert not app.metric


def test_a_history_that_is_still_read_is_told_beside_the_numbers(filled, open_page):
    """While the stages are known for part of the period only, the speed says what it is counted without."""
    told = "время ответа и «без ответа» пока посчитаны без"
    assert told not in shown(open_page("overview"))
    since = time_s(filled, days=10)
    walk(filled, "events", cursor=f'{{"until": {since}, "back_to": 1, "reaches": {since}}}')
    text = shown(open_page("overview"))
    with filled.store.read() as db:
        older = sa.select(sa.func.count()).where(
            leads.c.is_deleted.is_(False), leads.c.created_at >= time_s(filled, days=29), leads.c.created_at < since
        )
        count = db.scalar(older)
    assert f"{told} {count} лид" in text.replace("\u2068", "").replace("\u2069", "")


def test_newer_numbers_are_offered(filled, open_page):
    """What changed since the page was drawn does not move under the reader's eyes: a button offers it."""
    app = open_page("overview")
    assert "overview.newer" not in {button.key for button in app.button}
    count = int(values(app)["Лиды"])
    with filled.mirror.rows.changing() as db:
        db.execute(leads.update().values(is_deleted=True).where(leads.c.created_at > time_s(filled, days=29)))
    # Streamlit's test runs no fragment by itself; the whole page draws what is new.
    app.run()
    assert int(values(app)["Лиды"]) < count


def time_s(desk, *, days):
    """The moment a day began, so many days ago, on the club's clock."""
    day = datetime.now(desk.settings.zone).date() - timedelta(days=days)
    return int(datetime.combine(day, time.min, desk.settings.zone).timestamp())

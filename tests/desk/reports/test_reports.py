"""Every figure of the overview equals an independent count over what AmoCRM really holds."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, datetime, time, timedelta

import pytest

from desk.reports import Ask, periods
from desk.reports.hours import ClubHours
from tests.desk.mirror.conftest import round_of, truth

WON, LOST = 142, 143
HALF_WEEK = ClubHours(((9 * 60, 18 * 60),) * 5 + (None, (10 * 60, 16 * 60)))


class Truth:
    """AmoCRM's leads and their moves, from the sandbox's own rows; counted lead by lead, in plain Python."""

    def __init__(self, box):
        self.told = truth(box)
        self.reasons = {row["id"]: row["name"] for row in box.entities("loss_reasons")}
        self.everything = {row["id"]: row for row in box.entities("leads") if not row["is_deleted"]}
        self.moves = {id_: [] for id_ in self.everything}
        for event in box.entities("events"):
            if event["type"] == "lead_status_changed" and event["entity_id"] in self.moves:
                before, after = (event[key][0]["lead_status"] for key in ("value_before", "value_after"))
                self.moves[event["entity_id"]].append((event["created_at"], before, after))
        codes = {row["code"]: str(row["id"]) for row in box.entities("custom_fields") if row["entity_type"] == "leads"}
        self.utm = {name: codes[name.upper()] for name in ("utm_source", "utm_campaign")}
        self.stages = {}
        for row in sorted(box.entities("statuses"), key=lambda row: row["sort"]):
            self.stages.setdefault(row["pipeline_id"], []).append((row["id"], row["name"]))

    def of(self, pipeline_id, zone, now):
        """The same, of one pipeline or all, at a moment."""
        self.zone, self.now = zone, now
        self.rows = {id_: row for id_, row in self.everything.items() if pipeline_id in (None, row["pipeline_id"])}
        return self

    def text(self, id_, name):
        """A lead's source, direction or UTM mark; "" for none."""
        return self.told[id_][name] if name in self.told[id_] else self.told[id_]["custom"].get(self.utm[name], [""])[0]

    def day(self, moment):
        return datetime.fromtimestamp(moment, self.zone).date()

    def within(self, since, until, key="created_at", *, before=None):
        """Leads of some days; `before`: only up to a moment."""
        return [
            id_
            for id_, row in self.rows.items()
            if row[key] and since <= self.day(row[key]) <= until and (before is None or row[key] < before)
        ]

    def answered_after_min(self, id_, hours):
        """Working minutes to the first move, walked day by day; None for no answer."""
        row = self.rows[id_]
        moved = min((at for at, _, _ in self.moves[id_]), default=row["closed_at"])
        return None if moved is None else self.worked_s(row["created_at"], moved, hours) / 60

    def worked_s(self, since, until, hours):
        total, day = 0, self.day(since)
        while day <= self.day(until):
            if span := hours.days[day.weekday()]:
                opens, closes = (
                    int((datetime.combine(day, time.min, self.zone) + timedelta(minutes=minute)).timestamp())
                    for minute in span
                )
                total += max(0, min(until, closes) - max(since, opens))
            day += timedelta(days=1)
        return total

    def depth(self, id_, steps):
        """How far along its pipeline's stages a lead has ever been."""
        row, pipeline = self.rows[id_], self.rows[id_]["pipeline_id"]
        been = [row["status_id"]] + [
            stage["id"] for _, *both in self.moves[id_] for stage in both if stage["pipeline_id"] == pipeline
        ]
        return max((steps.index(stage) for stage in been if stage in steps), default=0)

    def waiting(self):
        """Ids of open leads by the reason they need attention."""
        found = {name: set() for name in ("overdue", "no_task", "untouched", "no_phone", "nobody", "no_source")}
        days_ago = self.now - 3 * 24 * 3600
        for id_, row in self.rows.items():
            if row["status_id"] in (WON, LOST):
                continue
            task = row["closest_task_at"]
            holds = {
                "overdue": task is not None and task < self.now,
                "no_task": task is None,
                "untouched": row["updated_at"] < days_ago,
                "no_phone": not self.told[id_]["phones"],
                "nobody": not row["responsible_user_id"],
                "no_source": not self.told[id_]["source"],
            }
            for name, does in holds.items():
                if does:
                    found[name].add(id_)
        return found


def compare(fetched, desk, now, period, unit, pipeline_id):
    """Ask for everything, and count everything again."""
    ask, status = Ask(period, unit, pipeline_id), desk.mirror.status()
    shown = desk.reports.overview(ask, status, now)
    now, zone, hours = shown.question.now, desk.settings.zone, desk.reports.hours()
    true = fetched.of(pipeline_id, zone, now)
    cut = periods.comparable_end(period, zone, now)
    mine = true.within(period.since, period.until)
    former = true.within(period.before_since, period.before_until, before=cut)

    assert (shown.leads, shown.before) == (len(mine), len(former))
    for column, part in zip(shown.columns, periods.parts(period, unit), strict=True):
        assert column.count == len(true.within(part.since, part.until))
        assert part.before is None or column.before == len(true.within(*part.before, before=cut))

    assert set(shown.splits) == {"source", "direction", *true.utm}
    for name in shown.splits:
        counted, before = (Counter(true.text(id_, name) for id_ in ids) for ids in (mine, former))
        won = Counter(true.text(id_, name) for id_ in mine if true.rows[id_]["status_id"] == WON)
        slices = {one.name: (one.count, one.before, one.won) for one in shown.splits[name]}
        assert slices == {value: (counted[value], before[value], won[value]) for value in {*counted, *before}}

    cells = Counter((moment.weekday(), moment.hour) for moment in (
        datetime.fromtimestamp(true.rows[id_]["created_at"], zone) for id_ in mine
    ))  # fmt: skip
    assert {
        (day, hour): count for day, row in enumerate(shown.hours) for hour, count in enumerate(row) if count
    } == cells

    for funnel in shown.funnels:
        steps = [id_ for id_, _ in true.stages[funnel.pipeline_id] if id_ != LOST]
        here = [id_ for id_ in mine if true.rows[id_]["pipeline_id"] == funnel.pipeline_id]
        depths = {id_: true.depth(id_, steps) for id_ in here}
        assert (funnel.leads, funnel.unknown) == (len(here), 0)
        for place, step in enumerate(funnel.steps):
            assert step.reached == sum(depth >= place for depth in depths.values())
            stayed = [true.rows[id_]["status_id"] for id_ in here if depths[id_] == place]
            assert (step.here, step.lost) == (len(stayed) - stayed.count(LOST), stayed.count(LOST))
    assert sum(funnel.leads for funnel in shown.funnels) == len(mine)

    times = {id_: true.answered_after_min(id_, hours) for id_ in mine}
    waited = {id_: true.worked_s(true.rows[id_]["created_at"], now, hours) for id_ in mine if times[id_] is None}
    never = [id_ for id_, waited_s in waited.items() if waited_s >= 3600]
    ordered = sorted([took for took in times.values() if took is not None] + [math.inf] * len(never))
    assert (shown.speed.leads, shown.speed.never) == (len(ordered), len(never))
    assert shown.speed.fresh == len(waited) - len(never)
    assert shown.speed.within == tuple(sum(took <= limit for took in ordered) for limit in (5, 15, 60))
    if ordered:
        assert shown.speed.median_min == pytest.approx(ordered[math.ceil(len(ordered) * 0.5) - 1])
        assert shown.speed.p90_min == pytest.approx(ordered[math.ceil(len(ordered) * 9 / 10) - 1])

    for told, status_id in ((shown.won, WON), (shown.lost, LOST)):
        ended, before = (
            [id_ for id_ in ids if true.rows[id_]["status_id"] == status_id]
            for ids in (
                true.within(period.since, period.until, "closed_at"),
                true.within(period.before_since, period.before_until, "closed_at", before=cut),
            )
        )
        assert told == (len(ended), len(before))
    # `ended` and `before` hold the lost ones now.
    why, why_before = (
        Counter(true.reasons.get(true.rows[id_]["loss_reason_id"], "") for id_ in ids) for ids in (ended, before)
    )
    assert {one.name: (one.count, one.before) for one in shown.losses} == {
        name: (why[name], why_before[name]) for name in {*why, *why_before}
    }

    waiting = true.waiting()
    assert dict(shown.attention.rules) == {name: len(ids) for name, ids in waiting.items()}
    everybody = set().union(*waiting.values())
    assert shown.attention.leads == len(everybody)
    listed = desk.reports.waiting(ask, status, rule=None, limit=10_000, now=now)
    assert {one.id: set(one.rules) for one in listed} == {
        id_: {name for name, ids in waiting.items() if id_ in ids} for id_ in everybody
    }
    return shown


def questions(today: date):
    """Periods, units and pipelines that together take every turn."""
    sales = 7_249_526
    return [
        (periods.ending_today("30", today), "day", None),
        (periods.ending_today("180", today), "week", sales),
        (periods.ending_today("365", today), "month", None),
        (periods.ending_today("month", today), "day", sales),
        (periods.between(today - timedelta(days=95), today - timedelta(days=40)), "week", None),
        (periods.ending_today("today", today), "day", None),
    ]


def test_every_figure_equals_the_truth(box, filled):
    """After the first fill, and after people have worked in AmoCRM for a while, in two kinds of working hours."""
    now = int(datetime.now(filled.settings.zone).timestamp()) // 300 * 300 + 600
    today = datetime.fromtimestamp(now, filled.settings.zone).date()
    fetched = Truth(box)
    for question in questions(today):
        assert compare(fetched, filled, now, *question).question.now == now
    for seed in (11, 12):
        box.edit("random", count=80, seed=seed)
        round_of(filled)
        filled.reports.set_hours(HALF_WEEK.days)
        fetched = Truth(box)
        for question in questions(today)[:3]:
            compare(fetched, filled, now, *question)


def test_the_same_question_is_counted_once(made):
    """While nothing has changed the answer is the same object; a change in the mirror, other hours or a later time ask anew."""
    ask, status = Ask(periods.ending_today("30", date(2026, 3, 10)), "day"), made.mirror.status()
    first = made.reports.overview(ask, status, 1_795_000_000)
    assert made.reports.overview(ask, status, 1_795_000_001) is first
    assert made.reports.overview(ask, status, 1_795_000_600) is not first
    with made.mirror.rows.changing():
        pass
    second = made.reports.overview(ask, status, 1_795_000_000)
    assert second is not first
    made.reports.set_hours(HALF_WEEK.days)
    assert made.reports.overview(ask, status, 1_795_000_000) is not second


def test_an_error_is_not_kept(made, monkeypatch):
    """What failed once is counted again."""
    from desk.reports import overview

    ask, status = Ask(periods.ending_today("30", date(2026, 3, 10)), "day"), made.mirror.status()
    with monkeypatch.context() as broken:
        broken.setattr(overview, "overview", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made.reports.overview(ask, status)
    assert made.reports.overview(ask, status).leads >= 0


def test_an_empty_mirror_has_zeros(store):
    """No lead at all: every figure is there, none is an error."""
    from zoneinfo import ZoneInfo

    from desk.reports.hours import EVERY_DAY
    from desk.reports.overview import Question, overview

    question = Question(
        periods.ending_today("30", date(2026, 3, 10)),
        "day",
        None,
        ZoneInfo("Europe/Moscow"),
        1_773_100_000,
        EVERY_DAY,
        None,
    )
    with store.read() as db:
        told = overview(db, question)
    assert (told.leads, told.before, told.won, told.losses, told.funnels) == (0, 0, (0, 0), (), ())
    assert (told.speed.leads, told.speed.median_min, told.attention.leads) == (0, None, 0)
    assert len(told.columns) == 30

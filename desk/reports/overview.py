"""All figures of `/overview`. `docs/numbers.md` defines each figure in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import sqlalchemy as sa

from crm.pipelines import LOST, WON
from desk.reports import attention, periods, read
from desk.reports.attention import Attention
from desk.reports.funnel import Funnel, Place, funnel
from desk.reports.hours import ClubHours
from desk.reports.periods import Period
from desk.reports.speed import Speed, speed


@dataclass(frozen=True, slots=True)
class Question:
    """A question for the overview: everything that decides the answer besides the mirror.

    `pipeline_id`: None for all. `now`: unix seconds. `known_from`: stage changes are known since then; None: all are.
    """

    period: Period
    unit: str
    pipeline_id: int | None
    zone: ZoneInfo
    now: int
    hours: ClubHours
    known_from: int | None


@dataclass(frozen=True, slots=True)
class Column:
    """Leads created in a part of the period, and in the days beside it. `is_whole`: the part is over."""

    since: date
    until: date
    count: int
    before: int | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """Leads with a value of a field; "" is "not given". `won`: of these leads, by now."""

    name: str
    count: int
    before: int
    won: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """The answer. `hours[weekday][hour]`: leads created then, Monday first. `losses`: reasons, by how often."""

    question: Question
    leads: int
    before: int
    columns: tuple[Column, ...]
    splits: Mapping[str, tuple[Slice, ...]]
    funnels: tuple[Funnel, ...]
    speed: Speed
    hours: tuple[tuple[int, ...], ...]
    on_duty: int
    won: tuple[int, int]
    lost: tuple[int, int]
    losses: tuple[Slice, ...]
    attention: Attention


def overview(db: sa.Connection, question: Question) -> Overview:
    """All figures for one question. Reads the mirror's tables; a hundred thousand leads take half a second."""
    q, span, before = question, span_of(question), span_before(question)
    rows = read.leads_of(db, span, q.pipeline_id)
    created_before = read.created(db, before, q.pipeline_id)
    ended = read.closed(db, span, before, q.pipeline_id)
    hours = by_hour(rows.created_at, q.zone)
    return Overview(
        question=q,
        leads=int(rows.created_at.size),
        before=int(created_before.size),
        columns=columns(q, rows.created_at, created_before),
        splits=splits(read.split(db, span, before, q.pipeline_id)),
        funnels=_funnels(read.pipelines(db), rows, q),
        speed=speed(rows.created_at, answered_at(rows), q.hours, q.zone, q.now, q.known_from),
        hours=hours,
        on_duty=sum(
            count
            for weekday, day in enumerate(hours)
            for hour, count in enumerate(day)
            if q.hours.is_on_duty(weekday, hour)
        ),
        won=_ended(ended, WON),
        lost=_ended(ended, LOST),
        losses=_losses(ended),
        attention=attention.counts(db, q.now, q.pipeline_id),
    )


def span_of(question: Question) -> read.Span:
    """The moments of the period."""
    return periods.start(question.period.since, question.zone), periods.end(question.period.until, question.zone)


def span_before(question: Question) -> read.Span:
    """The moments of the former period, as far as the period itself has come."""
    since = periods.start(question.period.before_since, question.zone)
    return since, periods.comparable_end(question.period, question.zone, question.now)


def columns(question: Question, created: np.ndarray, before: np.ndarray) -> tuple[Column, ...]:
    """The period by days, weeks or months."""
    q = question
    today = datetime.fromtimestamp(q.now, q.zone).date()
    of_day = _by_day(created, q.period.since, q.period.until, q.zone)
    of_day_before = _by_day(before, q.period.before_since, q.period.before_until, q.zone)
    return tuple(
        Column(
            part.since,
            part.until,
            _within(of_day, q.period.since, part.since, part.until),
            _within(of_day_before, q.period.before_since, *part.before) if part.before else None,
            part.until < today,
        )
        for part in periods.parts(q.period, q.unit)
    )


def _by_day(moments: np.ndarray, since: date, until: date, zone: ZoneInfo) -> np.ndarray:
    """How many of the moments lie in each day."""
    days = (until - since).days + 1
    starts = [periods.start(since + timedelta(days=number), zone) for number in range(days)]
    return np.bincount(np.searchsorted(starts, moments, "right") - 1, minlength=days)


def _within(of_day: np.ndarray, first: date, since: date, until: date) -> int:
    return int(of_day[(since - first).days : (until - first).days + 1].sum())


def by_hour(created: np.ndarray, zone: ZoneInfo) -> tuple[tuple[int, ...], ...]:
    """Leads by weekday and hour of the club's clock. An hour that came twice in the night of the change counts both."""
    local = pd.to_datetime(pd.Series(created), unit="s", utc=True).dt.tz_convert(zone)
    places = local.dt.day_of_week.to_numpy() * 24 + local.dt.hour.to_numpy()
    counted = np.bincount(places.astype(np.int64), minlength=7 * 24).reshape(7, 24)
    return tuple(tuple(int(count) for count in day) for day in counted)


def answered_at(rows: read.Leads) -> np.ndarray:
    """The first move of each lead; else its closing; 0 for neither."""
    return np.where(rows.moved_at > 0, rows.moved_at, rows.closed_at)


def splits(found: Sequence[tuple[tuple[str, ...], int, int, int]]) -> dict[str, tuple[Slice, ...]]:
    """Counts by each of `read.SPLITS`, the most leads first, "not given" last."""
    told: dict[str, tuple[Slice, ...]] = {}
    for place, name in enumerate(read.SPLITS):
        sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for values, *counts in found:
            for at, count in enumerate(counts):
                sums[values[place]][at] += count
        told[name] = _sorted(Slice(value, now, then, won) for value, (now, won, then) in sums.items())
    return told


def _sorted(slices: Iterable[Slice]) -> tuple[Slice, ...]:
    """Slices with the most leads first, "not given" last; values without leads in both periods are left out."""
    some = [one for one in slices if one.count or one.before]
    return tuple(sorted(some, key=lambda one: (not one.name, -one.count, -one.before, one.name)))


def _funnels(stages: Sequence[Place], rows: read.Leads, question: Question) -> tuple[Funnel, ...]:
    """Funnels of all pipelines with leads of the period, the main pipeline first."""
    by_pipeline: dict[int, list[Place]] = {}
    for stage in stages:
        by_pipeline.setdefault(stage.pipeline_id, []).append(stage)
    is_unknown = rows.created_at < (question.known_from or 0)
    found = []
    for pipeline_id, places in by_pipeline.items():
        mine = rows.pipeline_id == pipeline_id
        if mine.any():
            known = mine & ~is_unknown
            unknown = int((mine & is_unknown).sum())
            found.append(funnel(places, rows.status_id[known], rows.furthest[known], unknown))
    return tuple(found)


def _ended(ended: Sequence[tuple[int, str | None, int, int]], status_id: int) -> tuple[int, int]:
    mine = [(now, then) for status, _, now, then in ended if status == status_id]
    return sum(now for now, _ in mine), sum(then for _, then in mine)


def _losses(ended: Sequence[tuple[int, str | None, int, int]]) -> tuple[Slice, ...]:
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for status, name, now, then in ended:
        if status == LOST:
            sums[name or ""][0] += now
            sums[name or ""][1] += then
    return _sorted(Slice(name, now, then) for name, (now, then) in sums.items())

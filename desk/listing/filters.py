"""The filter of the leads list, and the filter as an address. Pure.

An address holds ids only: of stages, people and pipelines AmoCRM's own; of texts such as a source a fingerprint, because
in a free text there may stand anybody's name. What was typed into the search is never in an address, nor in a saved view.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from desk import attention as kinds

PRESETS = {"today": 1, "yesterday": 1, "7": 7, "30": 30, "90": 90, "180": 180}
"""Periods by their days, up to and with today; yesterday is the day before."""

ALL, OWN = "all", "own"

PERIODS = (ALL, *PRESETS, OWN)

NOT_GIVEN = "none"
"""The fingerprint of an empty text, and the id of no person, in an address."""

MOST_VALUES = 100
"""Most values of a filter in an address. No person chooses more."""

COLUMNS = (
    "created_at",
    "name",
    "phone",
    "direction",
    "source",
    "stage",
    "responsible",
    "price_rub",
    "updated_at",
    "task",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "id",
)
"""Columns of a list to show and to sort by, in their order."""

TEXTS = ("source", "direction", "utm_source", "utm_medium", "utm_campaign")
"""Filters whose values are fingerprints of texts; named like the columns of `leads`."""

FINGERPRINT = re.compile(r"none|[0-9a-f]{10}")
NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of leads. Any of several values of a kind, and all kinds together. Empty: every lead.

    `period` is one of `PERIODS`; `since` and `until` are the days of an own one, both of them in it. `stage`: (pipeline_id,
    status_id). `responsible`: ids of people, 0 for nobody. The texts hold fingerprints (`fingerprint`).
    """

    period: str = ALL
    since: date | None = None
    until: date | None = None
    pipeline: tuple[int, ...] = ()
    stage: tuple[tuple[int, int], ...] = ()
    responsible: tuple[int, ...] = ()
    source: tuple[str, ...] = ()
    direction: tuple[str, ...] = ()
    utm_source: tuple[str, ...] = ()
    utm_medium: tuple[str, ...] = ()
    utm_campaign: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    search: str = field(default="", repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether the filter lets every lead through."""
        return self == Filter()

    def bounds(self, now: datetime, zone: ZoneInfo) -> tuple[int | None, int | None]:
        """The period as unix seconds, from inclusive, to exclusive; whole days on the club's clock."""
        first, last = self.days(now.astimezone(zone).date())
        return (
            int(datetime.combine(first, time.min, zone).timestamp()) if first else None,
            int(datetime.combine(last + timedelta(days=1), time.min, zone).timestamp()) if last else None,
        )

    def days(self, today: date) -> tuple[date | None, date | None]:
        """First and last day; None for an open end."""
        if self.period == OWN:
            return self.since, self.until
        if self.period not in PRESETS:
            return None, None
        last = today - timedelta(days=1) if self.period == "yesterday" else today
        return last - timedelta(days=PRESETS[self.period] - 1), last


@dataclass(frozen=True, slots=True)
class Sort:
    """An order by a column of `COLUMNS`, over all leads of the filter; equal leads by id, the newest first."""

    column: str = "created_at"
    descending: bool = True

    @classmethod
    def read(cls, text: str) -> Sort | None:
        """Read an order from `-created_at` or `name`; None for any other text."""
        column = text.removeprefix("-")
        return cls(column, text.startswith("-")) if column in COLUMNS else None

    def __str__(self) -> str:
        return f"-{self.column}" if self.descending else self.column


def fingerprint(text: str) -> str:
    """The fingerprint of a text in an address: ten hexadecimal digits, or `none` for an empty text."""
    return hashlib.blake2s(text.encode(), digest_size=5).hexdigest() if text else NOT_GIVEN


def to_query(chosen: Filter) -> dict[str, list[str]]:
    """Write a filter as the parameters of an address, without the searched text."""
    query = {name: list(map(_written, getattr(chosen, name))) for name in _LISTS if getattr(chosen, name)}
    if chosen.period != ALL:
        query["period"] = [chosen.period]
    if chosen.period == OWN:
        query |= {
            name: [day.isoformat()] for name, day in (("from", chosen.since), ("to", chosen.until)) if day is not None
        }
    return query


def from_query(query: Mapping[str, Sequence[str]]) -> tuple[Filter, list[str]]:
    """Read a filter from an address; return the filter, and the names of senseless parameters.

    Each value is taken by itself: what is wrong with one leaves the others as they are.
    """
    faulty: dict[str, None] = {}
    values: dict[str, tuple[object, ...]] = {}
    for name, read in _LISTS.items():
        told = list(query.get(name, ()))
        understood = [read(text) for text in told[:MOST_VALUES]]
        if None in understood or len(told) > MOST_VALUES:
            faulty[name] = None
        values[name] = tuple(dict.fromkeys(value for value in understood if value is not None))
    chosen = Filter(**values)  # type: ignore[arg-type]
    return _with_period(chosen, query, faulty), list(faulty)


def to_json(chosen: Filter) -> str:
    """Serialise a filter as its address."""
    return json.dumps(to_query(chosen), sort_keys=True)


def from_json(text: str) -> Filter:
    """Read a serialised filter. Unknown parameters, of an older desk, are left out."""
    told = json.loads(text)
    query = (
        {name: values for name, values in told.items() if isinstance(values, list)} if isinstance(told, dict) else {}
    )
    return from_query(query)[0]


def _with_period(chosen: Filter, query: Mapping[str, Sequence[str]], faulty: dict[str, None]) -> Filter:
    period = next(iter(query.get("period", ())), None)
    days = {}
    for name in ("from", "to"):
        told = next(iter(query.get(name, ())), None)
        days[name] = _day(told) if told is not None else None
        if told is not None and days[name] is None:
            faulty[name] = None
    since, until = days["from"], days["to"]
    if period is None:
        period = OWN if since or until else ALL
    if period not in PERIODS or (period == OWN and not since and not until):
        faulty["period"] = None
        return chosen
    if period != OWN:
        return replace(chosen, period=period)
    if since and until and since > until:
        since, until = until, since
    return replace(chosen, period=OWN, since=since, until=until)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"(19|20)\d\d-\d\d-\d\d", text) else None
    except ValueError:
        return None


def _id(text: str) -> int | None:
    return int(text) if NUMBER.fullmatch(text) else None


def _person(text: str) -> int | None:
    return 0 if text == NOT_GIVEN else _id(text)


def _stage(text: str) -> tuple[int, int] | None:
    pipeline, _, status = text.partition(":")
    return (int(pipeline), int(status)) if NUMBER.fullmatch(pipeline) and NUMBER.fullmatch(status) else None


def _text(text: str) -> str | None:
    return text if FINGERPRINT.fullmatch(text) else None


def _kind(text: str) -> str | None:
    return text if text in kinds.KINDS else None


_LISTS = {
    "pipeline": _id,
    "stage": _stage,
    "responsible": _person,
    **dict.fromkeys(TEXTS, _text),
    "attention": _kind,
}
"""Filters of several values, with the reader of a value; the reader gives None for nonsense."""

PARAMETERS = frozenset({"period", "from", "to", *_LISTS})
"""All parameters of an address for the filter."""


def _written(value: object) -> str:
    return ":".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)


NAMES = tuple(each.name for each in fields(Filter))

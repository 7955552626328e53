"""A filter and an order as SQL over the mirror's `leads`, alike on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from desk import attention as kinds
from desk.listing.filters import NOT_GIVEN, TEXTS, Filter, Sort
from desk.listing.search import Sought, sought
from store.tables import leads, people, stages

TICK_S = 60
"""Step of the clock, in seconds, for "overdue" and "untouched": an answer may be remembered for so long."""

Condition = sa.ColumnElement[bool]


class Conditions:
    """Turn filters into SQL. `texts`: by column of `TEXTS`, the text of each fingerprint known."""

    def __init__(self, *, is_sqlite: bool, zone: ZoneInfo, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._is_sqlite, self._zone, self._texts = is_sqlite, zone, texts

    def where(self, chosen: Filter, now: datetime, among: Iterable[int] | None = None) -> list[Condition]:
        """Build the conditions of a filter. `among`: ids of leads outside the bin, some thousands, to look at exclusively."""
        since, until = chosen.bounds(now, self._zone)
        # SQLite would rather go through all that are outside the bin than look up some thousands one by one.
        found: list[Condition] = [leads.c.is_deleted.is_(False) if among is None else self._is_one_of(among)]
        if since is not None:
            found.append(leads.c.created_at >= since)
        if until is not None:
            found.append(leads.c.created_at < until)
        if chosen.pipeline:
            found.append(leads.c.pipeline_id.in_(chosen.pipeline))
        if chosen.stage:
            found.append(_in_stages(chosen.stage))
        if chosen.responsible:
            found.append(leads.c.responsible_user_id.in_(chosen.responsible))
        found += [self._has_text(name, getattr(chosen, name)) for name in TEXTS if getattr(chosen, name)]
        if chosen.attention:
            found.append(sa.or_(*(needs_attention(kind, tick(now)) for kind in chosen.attention)))
        if (wanted := sought(chosen.search)) is not None:
            found.append(self._is_sought(wanted))
        return found

    def order(self, sort: Sort) -> list[sa.ColumnElement[Any]]:
        """The order of a list; empty values come last in either direction."""
        if sort.column == "created_at":
            # Both columns one way round, so that an index has them in this order already.
            both = (leads.c.created_at, leads.c.id)
            return [column.desc() if sort.descending else column.asc() for column in both]
        if sort.column == "id":
            return [leads.c.id.desc() if sort.descending else leads.c.id.asc()]
        key = self._key(sort.column)
        return [(key.desc() if sort.descending else key.asc()).nulls_last(), leads.c.id.desc()]

    def holds(self, column: sa.ColumnElement[str], part: str) -> Condition:
        """Whether a text contains a given text, letter by letter."""
        position = sa.func.instr if self._is_sqlite else sa.func.strpos
        return position(column, part) > 0

    def _key(self, column: str) -> sa.ColumnElement[Any]:
        """The sorted expression of a column; null for an empty value."""
        if column == "task":
            return leads.c.closest_task_at
        if column == "price_rub":
            return leads.c.price_kop
        if column == "updated_at":
            return leads.c.updated_at
        if column == "stage":
            here = (stages.c.pipeline_id == leads.c.pipeline_id, stages.c.status_id == leads.c.status_id)
            return sa.select(stages.c.position).where(*here).correlate(leads).scalar_subquery()
        if column == "responsible":
            name = sa.select(people.c.name).where(people.c.id == leads.c.responsible_user_id).correlate(leads)
            return self._text(name.scalar_subquery())
        if column == "name":
            # The first line is the name that is shown; without one the lead's own name is.
            is_named = sa.func.substr(leads.c.contact_search, 1, 1).not_in(("", "\n"))
            return self._text(sa.case((is_named, leads.c.contact_search), else_=leads.c.search))
        return self._text(sa.func.nullif(leads.c[column], ""))

    def _text(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """Compare by code point on both databases: SQLite does, PostgreSQL needs COLLATE "C"."""
        return column if self._is_sqlite else sa.collate(column, "C")

    def _has_text(self, name: str, prints: Sequence[str]) -> Condition:
        """Match fingerprints of a text column. A fingerprint no lead has any more matches no lead."""
        known = {**self._texts.get(name, {}), NOT_GIVEN: ""}
        wanted = [known[one] for one in prints if one in known]
        return leads.c[name].in_(wanted) if wanted else sa.false()

    def _is_one_of(self, ids: Iterable[int]) -> Condition:
        """Match a list of ids, passed as a single parameter."""
        if self._is_sqlite:
            listed = sa.func.json_each(json.dumps(list(ids))).table_valued("value")
            return leads.c.id.in_(sa.select(listed.c.value))
        wanted = sa.bindparam(None, list(ids), type_=postgresql.ARRAY(sa.BigInteger))
        return leads.c.id == sa.any_(wanted)

    def _is_sought(self, wanted: Sought) -> Condition:
        if wanted.phone:
            by_phone = [self.holds(leads.c.phones, part) for part in wanted.phone]
            return sa.or_(*by_phone, self.holds(leads.c.search, wanted.digits))
        return sa.and_(
            *(
                sa.or_(
                    self.holds(leads.c.contact_search, word),
                    self.holds(leads.c.search, word),
                    *(self.holds(leads.c.phones, part) for part in parts),
                )
                for word, parts in wanted.words
            )
        )


def needs_attention(kind: str, now_s: int) -> Condition:
    """Whether an open lead needs attention of a kind; see `desk.attention`."""
    return sa.and_(kinds.is_open(), kinds.reasons(now_s)[kind])


def tick(now: datetime) -> int:
    """Unix seconds, to the minute."""
    return int(now.timestamp()) // TICK_S * TICK_S


def _in_stages(wanted: Sequence[tuple[int, int]]) -> Condition:
    """Match stages together with their pipelines: 142 and 143 are in every pipeline."""
    return sa.or_(
        *(sa.and_(leads.c.pipeline_id == pipeline, leads.c.status_id == status) for pipeline, status in wanted)
    )

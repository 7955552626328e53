"""A club of any size straight in the mirror's tables: what the screens are measured on. No AmoCRM takes part.

Who comes, when and what becomes of them follows the sandbox's club (`sandbox.club.habits`), so the shares are the same
as those of the demo; the same `seed` and `now` make the same rows on both databases.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import sqlalchemy as sa

from crm.pipelines import Stage
from desk.mirror import reference
from desk.mirror import walks as names
from desk.mirror.rows import Rows
from desk.mirror.shape import Person, joined
from desk.reading.texts import fold
from sandbox.club import habits, people, structure
from store import Store
from store.tables import contacts, known_phones, lead_contacts, leads, mirror_walks, stage_changes, tasks

DAY_S = 24 * 3600

SPAN_S = 730 * DAY_S
"""The leads come over two years, so that a year can be compared with the one before."""

HISTORY_S = 400 * DAY_S
"""Stage changes are as far back as the mirror reads them."""

BATCH = 5000

FIRST_LEAD, FIRST_CONTACT = 30_000_001, 50_000_001

LATER_S = 365 * DAY_S
"""The rounds are not due: a desk on this database leaves it as it is."""


def fill(store: Store, leads: int = 100_000, contacts: int = 80_000, seed: int = 1, now: float | None = None) -> None:
    """An upgraded, empty database gets this many leads and contacts and their stage changes; the status is "following".

    `now`: unix seconds, the end of the two years; the clock's by default. 100,000 leads take some ten seconds.
    """
    moment, random = int(time.time() if now is None else now), Random(seed)
    _reference(store)
    persons = [_person(random, number) for number in range(contacts)]
    _write(store, _contact_rows(persons, moment))
    _write(store, _lead_rows(random, leads, persons, moment))
    _say_following(store, leads, moment)


@dataclass(frozen=True, slots=True)
class _Person:
    id: int
    name: str
    folded: str
    phone: str


def _person(random: Random, number: int) -> _Person:
    someone = people.person(random)
    name = f"{someone.first_name} {someone.last_name}".strip()
    return _Person(FIRST_CONTACT + number, name, fold(name), f"+7{people.phone(random)}")


def _contact_rows(persons: Sequence[_Person], now: int) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    for someone in persons:
        yield contacts, {
            "id": someone.id, "name": someone.name, "phones": json.dumps([someone.phone]),
            "responsible_user_id": structure.MANAGERS[someone.id % len(structure.MANAGERS)], "updated_at": now - SPAN_S,
            "is_deleted": False,
        }  # fmt: skip
        yield known_phones, {"phone": someone.phone, "contact_id": someone.id, "updated_at": now - SPAN_S}


def _lead_rows(
    random: Random, count: int, persons: Sequence[_Person], now: int
) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    """Leads in the order of their creation, each with its stage changes."""
    sources = random.choices(list(habits.SOURCES), list(habits.SOURCES.values()), k=count)
    created = sorted(zip(habits.moments(random, sources, now - SPAN_S, now), sources, strict=True))
    directions = random.choices(list(habits.DIRECTIONS), list(habits.DIRECTIONS.values()), k=count)
    for number, ((created_at, source), direction) in enumerate(zip(created, directions, strict=True)):
        # Everybody comes once, in turn, as far as there are leads; the others are of people who come back.
        at = number * len(persons) // count if number % 5 else random.randrange(len(persons)) if persons else 0
        someone = persons[at] if persons and random.random() > 0.03 else None
        pipeline_id = habits.pipeline(random)
        fate = habits.fate(random, pipeline_id, created_at, now)
        lead = _lead(random, FIRST_LEAD + number, created_at, source, direction, pipeline_id, fate, someone, now)
        yield leads, lead
        if lead["closest_task_at"] is not None:
            yield tasks, _task(lead)
        if someone is not None:
            yield lead_contacts, {"lead_id": FIRST_LEAD + number, "contact_id": someone.id, "is_main": True}
        yield from _moves(FIRST_LEAD + number, pipeline_id, fate, now - HISTORY_S)


def _task(lead: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": FIRST_LEAD + lead["id"], "lead_id": lead["id"], "complete_till": lead["closest_task_at"], "is_completed": False,
        "responsible_user_id": lead["responsible_user_id"], "updated_at": lead["updated_at"], "is_deleted": False,
    }  # fmt: skip


def _lead(
    random: Random, lead_id: int, created_at: int, source: str, direction: str, pipeline_id: int, fate: habits.Fate,
    someone: _Person | None, now: int,
) -> dict[str, Any]:  # fmt: skip
    ended = fate.status_id in (structure.WON, structure.LOST)
    told_source = source if random.random() < 0.97 else ""
    marks = habits.UTM.get(source) if random.random() < 0.8 else None
    utm = (
        {"utm_source": marks[0], "utm_medium": marks[1], "utm_campaign": random.choice(marks[2])} if marks else _NO_UTM
    )
    has_task = not ended and random.random() < 0.6
    reason = fate.status_id == structure.LOST and random.random() < 0.7
    name = f"{source}: {direction or 'Абонемент'}"
    phone = someone.phone if someone else f"+7{people.phone(random)}" if random.random() < 0.9 else ""
    own_phone = phone if random.random() < 0.9 or someone is None else ""
    people_of = [Person(someone.name, [someone.phone])] if someone else []
    custom = {
        str(structure.PHONE_FIELD): [own_phone], str(structure.DIRECTION_FIELD): [direction],
        str(structure.SOURCE_FIELD): [told_source],
    }  # fmt: skip
    of_contact = joined(people_of, own_phone)
    return {
        "id": lead_id, "name": name,
        "price_kop": random.choice(habits.PRICES) * 100 if fate.status_id == structure.WON or random.random() < 0.4 else 0,
        "pipeline_id": pipeline_id, "status_id": fate.status_id,
        "responsible_user_id": random.choice(structure.MANAGERS) if random.random() > 0.02 else 0,
        "created_at": created_at, "updated_at": max(created_at, fate.changed_at),
        "closed_at": fate.changed_at if ended else None,
        "closest_task_at": max(created_at, now - 5 * DAY_S) + random.randrange(9 * DAY_S) if has_task else None,
        "loss_reason_id": _reason(random) if reason else None,
        "contact_id": someone.id if someone else None,
        **of_contact, "contact_search": someone.folded if someone else "",
        "own_phone": own_phone, "direction": direction, "source": told_source, **utm,
        "marker": None, "search": fold(f"{name} {lead_id}"),
        "custom": json.dumps({field: texts for field, texts in custom.items() if texts[0]}, ensure_ascii=False),
        "is_deleted": random.random() < 0.01,
    }  # fmt: skip


_NO_UTM = {"utm_source": "", "utm_medium": "", "utm_campaign": ""}


def _reason(random: Random) -> int:
    place = random.choices(range(len(habits.LOSS_SHARES)), habits.LOSS_SHARES)[0]
    return structure.FIRST_LOSS_REASON + 2 * place


def _moves(lead_id: int, pipeline_id: int, fate: habits.Fate, since: int) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    (before, _), *moves = fate.steps
    for place, (after, at) in enumerate(moves):
        if at >= since:
            yield stage_changes, {
                "lead_id": lead_id, "at": at, "from_pipeline_id": pipeline_id, "from_status_id": before,
                "to_pipeline_id": pipeline_id, "to_status_id": after, "event_id": f"made-{lead_id}-{place}",
            }  # fmt: skip
        before = after


def _write(store: Store, rows: Iterator[tuple[sa.Table, dict[str, Any]]]) -> None:
    """Rows as they come, some thousands a statement: memory stays bounded."""
    waiting: dict[sa.Table, list[Mapping[str, Any]]] = {}
    with store.write(durable=False) as db:
        for table, row in rows:
            some = waiting.setdefault(table, [])
            some.append(row)
            if len(some) == BATCH:
                db.execute(table.insert(), some)
                waiting[table] = []
        for table, some in waiting.items():
            if some:
                db.execute(table.insert(), some)


def _reference(store: Store) -> None:
    found = [
        Stage(pipeline_id, status_id, name, color, pipeline, pipeline_id == structure.SALES, 0, type_)
        for pipeline_id, (pipeline, _, working) in structure.PIPELINES.items()
        for status_id, name, color, type_ in (
            (structure.INCOMING[pipeline_id], "Неразобранное", "#c1c1c1", 1),
            *((status_id, name, color, 0) for status_id, name, color in working),
            (structure.WON, "Успешно реализовано", "#CCFF66", 0),
            (structure.LOST, "Закрыто и не реализовано", "#D5D8DB", 0),
        )
    ]
    reasons = {structure.FIRST_LOSS_REASON + 2 * at: name for at, name in enumerate(structure.LOSS_REASONS)}
    reference.keep(store, Rows(store), found, {user[0]: user[1] for user in structure.USERS}, reasons)


def _say_following(store: Store, count: int, now: int) -> None:
    """Every reading has come to its end just now. PostgreSQL's planner knows what is there, as it would a minute later."""
    as_of = datetime.fromtimestamp(now, UTC)
    with Rows(store).changing() as db:
        db.execute(mirror_walks.delete())
        cursor = json.dumps({"since": now, "reaches": now - HISTORY_S})
        walk = {"as_of": as_of, "began_at": as_of, "cursor": cursor, "due_at": now + LATER_S, "done": count}
        db.execute(mirror_walks.insert(), [{"name": name, **walk} for name in names.ALL])
        if not store.is_sqlite:
            db.execute(sa.text("ANALYZE"))

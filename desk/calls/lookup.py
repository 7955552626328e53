"""Look-up of a number's owner in the mirror. No request; a few small reads by index.

Exact is only what has this very number. What merely begins like it while it is being typed, or differs by one slip, is
near: it is shown as that and never taken for the caller.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from crm.pipelines import LOST, WON
from desk import phones
from store import Store
from store.tables import contacts, known_phones, lead_contacts, leads, people, stages

"""Stages in which every pipeline ends."""

MOST_NEAR = 4
MOST_EXACT = 5
"""People of one number: more are no help with a caller on the line."""

MOST_OWN = 300
"""Leads with own numbers read by a look-up; while few digits are typed there may be thousands."""

MOST_LEADS = 8
"""Leads of a person, open leads first."""


@dataclass(frozen=True, slots=True)
class KnownLead:
    """A lead in AmoCRM. Times are unix seconds of AmoCRM's clock."""

    id: int
    name: str = field(repr=False)
    pipeline_id: int
    status_id: int
    stage: str
    owner: str
    direction: str
    created_at: int
    updated_at: int
    closest_task_at: int | None

    @property
    def is_open(self) -> bool:
        return self.status_id not in (WON, LOST)


@dataclass(frozen=True, slots=True)
class Person:
    """A person AmoCRM knows. `contact_id` None: a lead with a number of its own and no contact."""

    contact_id: int | None
    name: str = field(repr=False)
    phone: str = field(repr=False)
    leads: tuple[KnownLead, ...]
    updated_at: int

    @property
    def open_lead(self) -> KnownLead | None:
        """The last changed open lead."""
        return next((lead for lead in self.leads if lead.is_open), None)


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The result of a look-up. `phone`: the whole number (E.164), if any; `others`: more numbers typed along.

    Ordered: open leads first, then newest.
    """

    phone: str | None = field(repr=False)
    exact: tuple[Person, ...] = ()
    near: tuple[Person, ...] = ()
    others: tuple[str, ...] = field(default=(), repr=False)

    @property
    def must_be_shown(self) -> bool:
        """Whether the operator has to see the result before a call is saved: the number is known."""
        return bool(self.exact)


def look(store: Store, text: str) -> LookupResult:
    """Find the people with a number, and with numbers near it. `text`: as typed so far, in any spelling."""
    told = phones.all_of(text)
    phone = told[0] if told else None
    beginnings = () if phone else phones.beginnings(text)
    if phone is None and not beginnings:
        return LookupResult(None)
    with store.read() as db:
        spelled = [spelling for one in told for spelling in phones.same_person(one)]
        exact = _having(db, spelled, MOST_EXACT) if phone else []
        if phone:
            near = _near(db, phone) if not exact else _beginning(db, [f"{phone.partition(';')[0]};"])
        else:
            near = _beginning(db, beginnings)
        near = [one for one in near if one not in exact]
        persons = _persons(db, [*exact, *near])
    return LookupResult(phone, _ordered(exact, persons), _ordered(near, persons), told[1:])


def open_stages(store: Store, pipeline_id: int) -> list[tuple[int, str]]:
    """List the stages a lead of the pipeline may be put in: status ids and names, in AmoCRM's order."""
    wanted = sa.select(stages.c.status_id, stages.c.name).where(stages.c.pipeline_id == pipeline_id, stages.c.type != 1)
    with store.read() as db:
        return [(row.status_id, row.name) for row in db.execute(wanted.order_by(stages.c.position))]


Key = tuple[int | None, int | None, str]
"""Key of a person: the contact, or the lead without a contact, and the number found."""


def _having(db: sa.Connection, spelled: Sequence[str], most: int) -> list[Key]:
    """Contacts and leads with exactly any of the numbers."""
    of_contacts = sa.select(known_phones.c.contact_id, known_phones.c.phone).where(known_phones.c.phone.in_(spelled))
    return _keys(
        db.execute(of_contacts.order_by(known_phones.c.updated_at.desc()).limit(most)).all(),
        _leads_with(db, leads.c.own_phone.in_(spelled))[:most],
        most,
    )


def _near(db: sa.Connection, phone: str) -> list[Key]:
    """People with a number a slip away: a digit, two swapped digits, an extension."""
    bare = phone.partition(";")[0]
    slips = [*phones.near(phone), *([bare] if bare != phone else [])]
    return [*_having(db, slips, MOST_NEAR), *_beginning(db, [f"{bare};"])][:MOST_NEAR]


def _beginning(db: sa.Connection, beginnings: Iterable[str]) -> list[Key]:
    """People with a number of such a beginning: beginning by beginning, contacts, then leads without a contact, the last changed first."""
    found: list[Key] = []
    for text in beginnings:
        of_contacts = sa.select(known_phones.c.contact_id, known_phones.c.phone).where(
            _starts(db, known_phones.c.phone, text)
        )
        alone = [one for one in _leads_with(db, _starts(db, leads.c.own_phone, text)) if one.contact_id is None]
        found += _keys(
            db.execute(of_contacts.order_by(known_phones.c.updated_at.desc()).limit(MOST_NEAR)).all(),
            alone[:MOST_NEAR],
            MOST_NEAR,
        )
    return list(dict.fromkeys(found))[:MOST_NEAR]


def _leads_with(db: sa.Connection, numbers: sa.ColumnElement[bool]) -> list[Any]:
    """Leads with a number of their own, the last changed first: (id, contact_id, own_phone).

    Neither sorted nor sieved by the database: it would walk all leads by their time rather than use the numbers' index.
    """
    wanted = sa.select(leads.c.id, leads.c.contact_id, leads.c.own_phone, leads.c.updated_at, leads.c.is_deleted).where(
        numbers
    )
    found = [row for row in db.execute(wanted.limit(MOST_OWN)).all() if not row.is_deleted]
    return sorted(found, key=lambda row: (-row.updated_at, -row.id))


def _starts(db: sa.Connection, column: sa.Column[str], text: str) -> sa.ColumnElement[bool]:
    """A condition on the beginning of a text, in the form each database has an index for.

    The text is "+", digits and ";".
    """
    if db.dialect.name == "sqlite":
        return sa.and_(column >= text, column < f"{text}\U0010ffff")
    return column.like(f"{text}%")


def _keys(of_contacts: Sequence[Any], of_leads: Sequence[Any], most: int) -> list[Key]:
    keys: list[Key] = [(contact_id, None, phone) for contact_id, phone in of_contacts]
    known = {contact_id for contact_id, _ in of_contacts}
    keys += [
        (row.contact_id, None if row.contact_id else row.id, row.own_phone)
        for row in of_leads
        if row.contact_id is None or row.contact_id not in known
    ]
    return list(dict.fromkeys(keys))[:most]


def _persons(db: sa.Connection, keys: Sequence[Key]) -> dict[Key, Person]:
    """Read people with their leads: four reads for any number of people."""
    if not keys:
        return {}
    contact_ids = [contact_id for contact_id, _, _ in keys if contact_id]
    lead_ids = [lead_id for _, lead_id, _ in keys if lead_id]
    # One question for each index: "one or the other" would be answered by reading all leads.
    linked = sa.select(lead_contacts.c.lead_id, lead_contacts.c.contact_id).where(
        lead_contacts.c.contact_id.in_(contact_ids)
    )
    theirs: dict[int, set[int]] = defaultdict(set)
    if contact_ids:
        for row in db.execute(linked):
            theirs[row.contact_id].add(row.lead_id)
    named_ids = {*lead_ids, *(one for ids in theirs.values() for one in ids)}
    rows = _leads_in(db, leads.c.id.in_(named_ids)) if named_ids else []
    named = {
        row["id"]: row
        for row in db.execute(
            sa.select(contacts).where(contacts.c.id.in_(contact_ids), contacts.c.is_deleted.is_(False))
        ).mappings()
    }
    persons = {}
    for key in keys:
        contact_id, lead_id, phone = key
        own = [row for row in rows if (row["id"] in theirs[contact_id] if contact_id else row["id"] == lead_id)]
        contact = named.get(contact_id or 0)
        if contact is None and not own:
            continue  # somebody we only know a number of
        persons[key] = _person(contact_id, phone, contact, own)
    return persons


def _leads_in(db: sa.Connection, theirs: sa.ColumnElement[bool]) -> list[sa.RowMapping]:
    wanted = (
        sa.select(leads, stages.c.name.label("stage"), people.c.name.label("owner"))
        .outerjoin(
            stages, sa.and_(stages.c.pipeline_id == leads.c.pipeline_id, stages.c.status_id == leads.c.status_id)
        )
        .outerjoin(people, people.c.id == leads.c.responsible_user_id)
        .where(theirs)
    )
    return [row for row in db.execute(wanted).mappings() if not row["is_deleted"]]


def _person(
    contact_id: int | None, phone: str, contact: Mapping[str, Any] | sa.RowMapping | None, rows: Sequence[sa.RowMapping]
) -> Person:
    known = sorted(map(_lead, rows), key=lambda lead: (not lead.is_open, -lead.updated_at, -lead.id))
    name = contact["name"] if contact else next((row["contact_name"] or row["name"] for row in rows), "")
    newest = max([lead.updated_at for lead in known] + [contact["updated_at"] if contact else 0])
    return Person(contact_id, name, phone, tuple(known[:MOST_LEADS]), newest)


def _lead(row: sa.RowMapping) -> KnownLead:
    owner = row["responsible_user_id"]
    return KnownLead(
        id=row["id"],
        name=row["name"],
        pipeline_id=row["pipeline_id"],
        status_id=row["status_id"],
        stage=row["stage"] or "",
        owner=row["owner"] or (f"#{owner}" if owner else ""),
        direction=row["direction"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        closest_task_at=row["closest_task_at"],
    )


def _ordered(keys: Sequence[Key], persons: Mapping[Key, Person]) -> tuple[Person, ...]:
    found = [persons[key] for key in keys if key in persons]
    return tuple(sorted(found, key=lambda one: (one.open_lead is None, -one.updated_at)))

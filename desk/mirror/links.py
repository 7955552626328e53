"""Leads and their contacts in the mirror's tables: links, and the columns of a lead that depend on its contacts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from desk.mirror import shape
from desk.mirror.batches import batches
from desk.mirror.shape import Person
from store.tables import contacts, lead_contacts, leads

LINKED = "linked"
"""The contacts of a lead, beside its columns where a lead is compared."""

SHOWN = ("contact_name", "contact_search", "phone", "phones")
"""Columns of a lead that depend on its contacts."""


def contacts_of(db: sa.Connection, lead_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """Ids of each lead's contacts, the main one first, whether or not the contacts were read."""
    found: dict[int, tuple[int, ...]] = {}
    for some in batches(lead_ids):
        wanted = sa.select(lead_contacts).where(lead_contacts.c.lead_id.in_(some))
        for row in db.execute(wanted.order_by(lead_contacts.c.is_main.desc(), lead_contacts.c.contact_id)):
            found[row.lead_id] = (*found.get(row.lead_id, ()), row.contact_id)
    return found


def write(db: sa.Connection, links: Mapping[int, Sequence[int]]) -> None:
    """Replace the links of some leads. `links`: contacts by lead, the main one first."""
    for some in batches(links):
        db.execute(lead_contacts.delete().where(lead_contacts.c.lead_id.in_(some)))
    rows = [
        {"lead_id": lead_id, "contact_id": contact_id, "is_main": place == 0}
        for lead_id, ids in links.items()
        for place, contact_id in enumerate(ids)
    ]
    if rows:
        db.execute(lead_contacts.insert(), rows)


def persons(db: sa.Connection, links: Mapping[int, Iterable[int]]) -> dict[int, Person]:
    """Linked contacts by id, as far as they are stored and not in the bin."""
    found: dict[int, Person] = {}
    for some in batches({contact_id for ids in links.values() for contact_id in ids}):
        wanted = sa.select(contacts.c.id, contacts.c.name, contacts.c.phones).where(
            contacts.c.id.in_(some), contacts.c.is_deleted.is_(False)
        )
        found |= {row.id: Person(row.name, json.loads(row.phones)) for row in db.execute(wanted)}
    return found


def shown(known: Mapping[int, Person], ids: Iterable[int], own_phone: str) -> dict[str, str]:
    """The columns `SHOWN` of a lead with these contacts; contacts that are not among `known` count as none."""
    return shape.joined([known[contact_id] for contact_id in ids if contact_id in known], own_phone)


def join_again(db: sa.Connection, contact_ids: Iterable[int]) -> None:
    """Compute the columns `SHOWN` anew for all leads with any of the given contacts, in whatever role."""
    touched: set[int] = set()
    for some in batches(contact_ids):
        touched |= set(db.scalars(sa.select(lead_contacts.c.lead_id).where(lead_contacts.c.contact_id.in_(some))))
    updates = []
    for some in batches(touched):
        links = contacts_of(db, some)
        known = persons(db, links)
        for row in db.execute(sa.select(leads.c.id, leads.c.own_phone).where(leads.c.id.in_(some))):
            updates.append({"which": row.id, **shown(known, links[row.id], row.own_phone)})
    if updates:
        statement = leads.update().where(leads.c.id == sa.bindparam("which"))
        db.execute(statement.values({name: sa.bindparam(name) for name in SHOWN}), updates)

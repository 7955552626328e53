"""The phone book: known phones, and the contacts in AmoCRM that have them.

Filled by whatever reads contacts. It saves the one request that asks AmoCRM; where it is wrong, AmoCRM says so when the
contact is used, and the entry is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from crm.answers import whole
from desk import phones
from desk.field_values import texts_of
from desk.fields import PHONE_CODE
from store import Store, clock
from store.tables import known_phones

MOST_ASKED = 3
"""Numbers of a text that AmoCRM is asked about, a request each. A person with more numbers is known by the first
ones."""


class Phonebook:
    """Phones and contacts of one account. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def contact_of(self, phone: str) -> int | None:
        """The contact with exactly this phone (E.164); of several the one changed last. No request."""
        newest = (
            sa.select(known_phones.c.contact_id)
            .where(known_phones.c.phone.in_(phones.same_person(phone)))
            .order_by(known_phones.c.updated_at.desc(), known_phones.c.contact_id.desc())
        )
        with self._store.read() as db:
            return db.scalar(newest.limit(1))

    def learn(self, contacts: Iterable[Mapping[str, Any]], phone_field_id: int) -> None:
        """Store the phones of contacts as AmoCRM just told them, in place of their former phones."""
        seen = {contact["id"]: contact for contact in contacts}
        if not seen:
            return
        rows = [
            {"phone": phone, "contact_id": contact_id, "updated_at": whole(contact.get("updated_at")) or 0}
            for contact_id, contact in seen.items()
            for phone in phones_of(contact, phone_field_id)
        ]
        with self._store.write(durable=False) as db:
            self._store.serialise(db, "phonebook")
            db.execute(known_phones.delete().where(known_phones.c.contact_id.in_(list(seen))))
            if rows:
                db.execute(known_phones.insert(), rows)

    def learn_own(self, contact_id: int, phone: str) -> None:
        """A contact that we have made has this phone (E.164)."""
        field_values = [{"field_code": PHONE_CODE, "values": [{"value": phone}]}]
        self.learn([{"id": contact_id, "custom_fields_values": field_values, "updated_at": int(clock.unix())}], 0)

    def forget(self, contact_id: int) -> None:
        """AmoCRM does not know this contact."""
        with self._store.write(durable=False) as db:
            db.execute(known_phones.delete().where(known_phones.c.contact_id == contact_id))

    def forget_all(self) -> None:
        """Another account has other people."""
        with self._store.write() as db:
            db.execute(known_phones.delete())


def phones_of(contact: Mapping[str, Any], phone_field_id: int) -> set[str]:
    """The phones in a contact's phone field, in E.164; texts without a phone are left out.

    One value may hold several. A mobile phone with an extension is there without it too: it is one person's.
    """
    told = [phone for text in texts_of(contact, phone_field_id, PHONE_CODE) for phone in phones.all_of(text)]
    return {spelling for phone in told for spelling in phones.same_person(phone)}


def has_phone(contact: Mapping[str, Any], phone_field_id: int, phone: str) -> bool:
    """Whether a contact has a phone: E.164, or an impossible number as it was said."""
    if phones.normalise(phone) is None:
        return phone in texts_of(contact, phone_field_id, PHONE_CODE)
    return not phones_of(contact, phone_field_id).isdisjoint(phones.same_person(phone))

"""The mapping of the desk's purposes to fields of the account, and the account's own list of fields.

    settings (ids) ─┐
    choices made on the fields page ─► the mapping ─► how a lead is written, how a lead is read, what the form asks
    AmoCRM's own list, kept in our store ─┘

The list is kept so that a form never waits for AmoCRM. What a value of a field looks like is `desk.field_values`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from crm import custom_fields
from crm.client import Client
from crm.custom_fields import Field
from crm.errors import Declined, NotLetIn, SaidNo, SetupError
from desk.field_values import DAY_TYPES, MOMENT, NUMBER_TYPES, SEVERAL, TEXT_TYPES
from desk.settings import Settings
from store import Store, clock
from store.tables import known_fields, mapped_fields

ENTITIES = ("leads", "contacts")


ENTRY_TYPES = (*TEXT_TYPES, SEVERAL, *NUMBER_TYPES, "checkbox", *DAY_TYPES, MOMENT)
"""Types an added field may have: those a form can ask for in one input."""


TRACKING_TYPE = "tracking_data"
"""AmoCRM's own type for UTM marks and click ids; such a field is named by its code (sheet 5.8)."""

MARKER_CODE, MARKER_NAME, MARKER_TYPE = "LEAD_DESK_ID", "Lead Desk ID", "text"
"""The API-only field for our own id of a lead, by which the lead is found again after a lost answer."""

MARKER_FACT = "marker of leads"
MARKER_ASK_AGAIN = timedelta(hours=1)
"""After the account has refused the field: an admin may have given the rights meanwhile."""

PHONE_CODE = "PHONE"
"""AmoCRM's own code for the contact's phone field; its id differs from account to account (sheet 5.8)."""


LONGEST_LABEL = 60
MOST_FIELDS = 100_000
"""A place in AmoCRM's order behind every other field."""

MOST_ADDED = 20
"""Added fields on one form. AmoCRM itself takes at most 40 in one call (sheet 4.1)."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """A use the desk has for a field. `types`: suitable types of fields; a new field is made as the first."""

    key: str
    entity: str
    setting: str
    types: tuple[str, ...]


PURPOSES = (
    Purpose("phone", "leads", "amocrm_field_phone", ("text", "textarea")),
    Purpose("direction", "leads", "amocrm_field_direction", ("text", "textarea", "select", "radiobutton")),
    Purpose("source", "leads", "amocrm_field_source", ("text", "textarea", "select", "radiobutton")),
    Purpose("contact_phone", "contacts", "amocrm_contact_field_phone", ("multitext",)),
)


@dataclass(frozen=True, slots=True)
class Mapped:
    """One line of the mapping. `label` is set for added fields only; the desk's own have their words in `locales/`."""

    key: str
    entity: str
    field_id: int
    types: tuple[str, ...]
    label: str | None = None
    chosen: bool = False
    field: Field | None = None

    @property
    def is_added(self) -> bool:
        return self.label is not None

    @property
    def verdict(self) -> str:
        """ "ok", or what is wrong: "missing" (or nothing read yet, see `FieldMap.seen_at`), "wrong_type"."""
        if self.field is None:
            return "missing"
        return "ok" if self.field.type in self.types else "wrong_type"


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields a lead is written into, as known now.

    `contact_phone`: how to name the contact's phone field in a request. `tracking`: codes of the account's tracking fields.
    `marker_id`: the field for our own id, None where the account has none.
    """

    mapping: Sequence[Mapped]
    contact_phone: Mapping[str, Any]
    tracking: frozenset[str]
    marker_id: int | None


class FieldMap:
    """The mapping of one desk. Reads are from the store and cost no request."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings

    def refresh(self, client: Client, *, live: bool = True) -> None:
        """Read the account's fields and store the list. One request an entity for each 250 fields."""
        found = {entity: custom_fields.of(client, entity, live=live) for entity in ENTITIES}
        now = clock.now()
        rows = [_row(field, place, now) for fields in found.values() for place, field in enumerate(fields)]
        with self._store.write() as db:
            db.execute(known_fields.delete())
            if rows:
                db.execute(known_fields.insert(), rows)

    def forget_all(self) -> None:
        """Another account has other fields, and may allow a marker where the former did not. Choices of the admin stay."""
        with self._store.write() as db:
            db.execute(known_fields.delete())
        self._store.remember(MARKER_FACT, None)

    def known(self, entity: str | None = None) -> list[Field]:
        """The account's fields as last read; empty before the first time."""
        wanted = sa.select(known_fields).order_by(known_fields.c.entity, known_fields.c.position)
        if entity is not None:
            wanted = wanted.where(known_fields.c.entity == entity)
        with self._store.read() as db:
            return [_field(row) for row in db.execute(wanted).mappings()]

    def seen_at(self) -> datetime | None:
        """When the account's fields were last read."""
        with self._store.read() as db:
            return db.scalar(sa.select(sa.func.max(known_fields.c.seen_at)))

    def mapping(self) -> list[Mapped]:
        """The mapping: the desk's own purposes first, then the added fields, each with the account's field if there
        is such a field."""
        with self._store.read() as db:
            chosen = {row["key"]: row for row in db.execute(_chosen_in_order()).mappings()}
        known = {(field.entity, field.id): field for field in self.known()}
        own = [self._own(purpose, chosen.pop(purpose.key, None), known) for purpose in PURPOSES]
        added = [
            Mapped(
                row["key"],
                row["entity"],
                row["field_id"],
                ENTRY_TYPES,
                label=row["label"],
                chosen=True,
                field=known.get((row["entity"], row["field_id"])),
            )
            for row in chosen.values()
        ]
        return own + added

    def added(self) -> list[Mapped]:
        """The added fields that a form can ask for now."""
        return [mapped for mapped in self.mapping() if mapped.is_added and mapped.verdict == "ok"]

    def choose(self, key: str, field_id: int) -> None:
        """Use another field for a purpose of the desk. Raises `Declined` if the field is unsuitable."""
        purpose = next((purpose for purpose in PURPOSES if purpose.key == key), None)
        if purpose is None:
            raise Declined("field_purpose_unknown")
        self._check(purpose.entity, field_id, purpose.types)
        if any((one.entity, one.field_id) == (purpose.entity, field_id) and one.key != key for one in self.mapping()):
            raise Declined("field_taken")
        self._keep(key, purpose.entity, field_id, None)

    def add(self, entity: str, field_id: int, label: str) -> str:
        """Add a field to every form, and return its key: its name in `POST /api/crm`."""
        self._check(entity, field_id, ENTRY_TYPES)
        label = " ".join(label.split())
        if not label or len(label) > LONGEST_LABEL or not label.isprintable():
            raise SetupError("field_label_wrong")
        mapping = self.mapping()
        if any((mapped.entity, mapped.field_id) == (entity, field_id) for mapped in mapping):
            raise Declined("field_taken")
        if sum(mapped.is_added for mapped in mapping) >= MOST_ADDED:
            raise Declined("too_many_fields")
        key = f"{'lead' if entity == 'leads' else 'contact'}_{field_id}"
        self._keep(key, entity, field_id, label)
        return key

    def remove(self, key: str) -> None:
        """Forget a choice: an added field leaves the forms, a purpose of the desk returns to the settings."""
        with self._store.write() as db:
            db.execute(mapped_fields.delete().where(mapped_fields.c.key == key))

    def create(self, client: Client, key: str, name: str) -> None:
        """Make the missing field of a purpose in AmoCRM and use the new field. Three requests."""
        purpose = next((purpose for purpose in PURPOSES if purpose.key == key), None)
        if purpose is None:
            raise Declined("field_purpose_unknown")
        made = custom_fields.create(client, purpose.entity, name, purpose.types[0])
        self.refresh(client)
        self._keep(key, purpose.entity, made.id, None)

    def layout(self) -> Layout:
        """The fields a lead is written into. No request."""
        mapping, known = self.mapping(), self.known("leads")
        mapped = next(mapped for mapped in mapping if mapped.key == "contact_phone")
        return Layout(
            mapping,
            {"field_id": mapped.field_id} if mapped.verdict == "ok" else {"field_code": PHONE_CODE},
            frozenset(field.code for field in known if field.type == TRACKING_TYPE and field.code),
            self._marker_among(known),
        )

    def ensure_marker(self, client: Client) -> int | None:
        """Return the field for our own id, and make the field if there is none; None if the account forbids it.

        No request once it is there, or within the hour after it was forbidden; else three. Raises what the network does.
        """
        marker_id = self._marker_among(self.known("leads"))
        if marker_id is not None or self._was_refused():
            return marker_id
        self.refresh(client, live=False)
        marker_id = self._marker_among(self.known("leads"))
        if marker_id is not None:
            return marker_id
        try:
            made = custom_fields.create(client, "leads", MARKER_NAME, MARKER_TYPE, code=MARKER_CODE, is_api_only=True)
        except (SaidNo, NotLetIn) as error:
            if isinstance(error, NotLetIn) and error.code != "rights_missing":
                raise
            self.refresh(client, live=False)  # another process may have made it in this moment
            marker_id = self._marker_among(self.known("leads"))
            if marker_id is None:
                self._store.remember(MARKER_FACT, f"refused {clock.now().isoformat()}")
            return marker_id
        self._store.remember(MARKER_FACT, str(made.id))
        with self._store.write() as db:
            db.execute(
                known_fields.delete().where(known_fields.c.entity == "leads", known_fields.c.field_id == made.id)
            )
            db.execute(known_fields.insert(), [_row(made, MOST_FIELDS, clock.now())])
        return made.id

    def marker_state(self) -> str:
        """ "ok", "refused" (leads are then told apart by phone, name and time) or "missing" (not asked yet)."""
        if self._marker_among(self.known("leads")) is not None:
            return "ok"
        return "refused" if self._was_refused() else "missing"

    def _marker_among(self, known: Sequence[Field]) -> int | None:
        told = self._store.recall(MARKER_FACT) or ""
        texts = [field for field in known if field.entity == "leads" and field.type == MARKER_TYPE]
        ours = [field.id for field in texts if field.code == MARKER_CODE or str(field.id) == told]
        return min(ours, default=None)

    def _was_refused(self) -> bool:
        told, _, at = (self._store.recall(MARKER_FACT) or "").partition(" ")
        return told == "refused" and clock.now() - datetime.fromisoformat(at) < MARKER_ASK_AGAIN

    def _own(self, purpose: Purpose, chosen: sa.RowMapping | None, known: Mapping[tuple[str, int], Field]) -> Mapped:
        field_id = chosen["field_id"] if chosen is not None else getattr(self._settings, purpose.setting)
        field = known.get((purpose.entity, field_id))
        return Mapped(purpose.key, purpose.entity, field_id, purpose.types, chosen=chosen is not None, field=field)

    def _check(self, entity: str, field_id: int, types: Sequence[str]) -> None:
        field = next((field for field in self.known(entity) if field.id == field_id), None)
        if field is None:
            raise Declined("field_missing")
        if field.type not in types:
            raise Declined("field_type_wrong")

    def _keep(self, key: str, entity: str, field_id: int, label: str | None) -> None:
        with self._store.write() as db:
            last = db.scalar(sa.select(sa.func.max(mapped_fields.c.position))) or 0
            db.execute(mapped_fields.delete().where(mapped_fields.c.key == key))
            db.execute(
                mapped_fields.insert().values(key=key, entity=entity, field_id=field_id, label=label, position=last + 1)
            )


def _chosen_in_order() -> sa.Select[Any]:
    return sa.select(mapped_fields).order_by(mapped_fields.c.position)


def _row(field: Field, position: int, now: datetime) -> dict[str, Any]:
    return {
        "entity": field.entity,
        "field_id": field.id,
        "position": position,
        "name": field.name,
        "type": field.type[:40],
        "code": field.code and field.code[:100],
        "choices": json.dumps(
            [[choice, *mark] for choice, mark in zip(field.choices, field.marks, strict=True)]
            if field.marks
            else field.choices,
            ensure_ascii=False,
        ),
        "is_api_only": field.is_api_only,
        "seen_at": now,
    }


def _field(row: sa.RowMapping) -> Field:
    known = json.loads(row["choices"])  # texts alone, or [text, id, code] of each
    return Field(
        row["field_id"],
        row["entity"],
        row["name"],
        row["type"],
        row["code"],
        tuple(choice if isinstance(choice, str) else choice[0] for choice in known),
        row["is_api_only"],
        tuple((choice[1], choice[2]) for choice in known if not isinstance(choice, str)),
    )


def by_key(mapping: Iterable[Mapped]) -> dict[str, Mapped]:
    return {mapped.key: mapped for mapped in mapping}

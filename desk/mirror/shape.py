"""AmoCRM's leads, contacts and tasks as rows of the mirror. Pure: an answer and the mapping of fields in, a row out.

AmoCRM leaves out, nulls and renames (sheet 8): whatever is missing is empty here, never a traceback.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crm import answers
from crm.leads import contact_ids, main_contact
from desk import phones
from desk.field_values import filled_in, texts_of
from desk.fields import MARKER_CODE, PHONE_CODE, FieldMap, by_key
from desk.phonebook import phones_of
from desk.reading import numbers, texts

UTM = {"utm_source": "UTM_SOURCE", "utm_medium": "UTM_MEDIUM", "utm_campaign": "UTM_CAMPAIGN"}
"""Columns and the codes of AmoCRM's tracking fields."""

LONGEST_MARKER = 32

LAST_MOMENT = 7_258_118_400
"""The year 2200: a task put off for ever."""


KOPECKS = 100
"""In a rouble."""

GREATEST_KOP = 10**17
"""Greatest budget stored; a greater number would trouble a database."""


@dataclass(frozen=True, slots=True)
class Person:
    """A contact as shown by its leads. `phones` are spelled as in `contacts`."""

    name: str
    phones: Sequence[str]


@dataclass(frozen=True, slots=True)
class FieldIds:
    """Ids of the fields with a meaning to the desk, as chosen now. `utm`: field id by column."""

    phone: int
    direction: int
    source: int
    contact_phone: int
    marker: int | None
    utm: Mapping[str, int]
    reader: int = phones.READER
    """The version of the phone reader: another reader changes rows like another choice of fields."""

    def as_text(self) -> str:
        """All choices as a text, for storing and comparing.

        The name in front is what this class was called when the text was first stored: another one would have every mirror
        compute its columns anew at the next start.
        """
        return repr(self).replace("FieldIds(", "Places(", 1)

    @classmethod
    def of(cls, fields: FieldMap) -> FieldIds:
        """As the fields page says."""
        mapping, known = by_key(fields.mapping()), fields.known("leads")
        codes = {field.code: field.id for field in known if field.code}
        return cls(
            phone=mapping["phone"].field_id,
            direction=mapping["direction"].field_id,
            source=mapping["source"].field_id,
            contact_phone=mapping["contact_phone"].field_id,
            marker=fields.layout().marker_id or codes.get(MARKER_CODE),
            utm={column: codes[code] for column, code in UTM.items() if code in codes},
        )


def lead_row(lead: Mapping[str, Any], field_ids: FieldIds) -> dict[str, Any]:
    """A row of `leads`, without the columns of its contacts and tasks."""
    custom = _custom(lead)
    return {
        "id": lead["id"],
        "name": str(lead.get("name") or ""),
        "price_kop": price_kop(lead),
        "pipeline_id": _whole(lead.get("pipeline_id")),
        "status_id": _whole(lead.get("status_id")),
        "responsible_user_id": _whole(lead.get("responsible_user_id")),
        "created_at": _moment(lead.get("created_at")),
        "updated_at": _moment(lead.get("updated_at")),
        "closed_at": _moment(lead.get("closed_at")) or None,
        "closest_task_at": _moment(lead.get("closest_task_at")) or None,
        "loss_reason_id": _whole(lead.get("loss_reason_id")) or None,
        "contact_id": main_contact(lead),
        "search": texts.fold(f"{lead.get('name') or ''} {lead['id']}"),
        "custom": json.dumps(custom, ensure_ascii=False, separators=(",", ":")),
        "is_deleted": False,
        **mapped_values(custom, field_ids),
    }


def price_kop(lead: Mapping[str, Any]) -> int:
    """The budget in kopecks, rounded half up; 0 for none. AmoCRM tells whole roubles, and in some zones kopecks (sheet 5.2)."""
    told = (numbers.read(lead.get(key)) for key in ("price_with_minor_units", "price"))
    roubles = next((amount for amount in told if amount is not None), Decimal(_whole(lead.get("price"))))
    return min(int((roubles * KOPECKS).quantize(Decimal(1), ROUND_HALF_UP)), GREATEST_KOP)


def linked(lead: Mapping[str, Any]) -> tuple[int, ...]:
    """Ids of a lead's contacts: the main contact, then the others by number, so that AmoCRM's order is no change."""
    ids = list(dict.fromkeys(contact_ids(lead)))
    return (*ids[:1], *sorted(ids[1:]))


def task_row(task: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `tasks`."""
    is_leads = task.get("entity_type") == "leads"
    return {
        "id": task["id"],
        "lead_id": (_whole(task.get("entity_id")) or None) if is_leads else None,
        "complete_till": _moment(task.get("complete_till")) or None,
        "is_completed": bool(task.get("is_completed")),
        "responsible_user_id": _whole(task.get("responsible_user_id")),
        "updated_at": _moment(task.get("updated_at")),
        "is_deleted": False,
    }


def mapped_values(custom: Mapping[str, Sequence[str]], field_ids: FieldIds) -> dict[str, Any]:
    """The columns that depend on the choice of fields; computed anew after another choice."""
    own_phone = _first(custom, field_ids.phone)
    marker = _first(custom, field_ids.marker)
    return {
        "own_phone": phones.normalise(own_phone) or own_phone,
        "direction": _first(custom, field_ids.direction),
        "source": _first(custom, field_ids.source),
        "marker": marker if 0 < len(marker) <= LONGEST_MARKER else None,
        **{column: _first(custom, field_ids.utm.get(column)) for column in UTM},
    }


def contact_row(contact: Mapping[str, Any], field_ids: FieldIds) -> dict[str, Any]:
    """A row of `contacts`."""
    spelled = texts_of(contact, field_ids.contact_phone, PHONE_CODE)
    told = dict.fromkeys(phone for text in spelled for phone in told_phones(text))
    return {
        "id": contact["id"],
        "name": str(contact.get("name") or ""),
        "phones": json.dumps([phone for phone in told if phone], ensure_ascii=False),
        "responsible_user_id": _whole(contact.get("responsible_user_id")),
        "updated_at": _moment(contact.get("updated_at")),
        "is_deleted": False,
    }


def told_phones(text: str) -> tuple[str, ...]:
    """Phones in a value of a phone field, spelled; a value without a possible number is returned unchanged."""
    return phones.all_of(text) or (text.strip(),)


def told_again(told: Sequence[str]) -> list[str]:
    """A contact's stored phones, read again with the present reader."""
    return list(dict.fromkeys(phone for text in told for phone in told_phones(text)))


def joined(people: Sequence[Person], own_phone: str) -> dict[str, str]:
    """The columns of a lead that depend on its contacts: main contact's name and phone, and all names and phones to
    search by.

    `people`: those outside the bin, the main one first; where that one is in the bin, the next stands for the lead.
    """
    first = people[0] if people else Person("", ())
    told = [*first.phones, own_phone, *(phone for other in people[1:] for phone in other.phones)]
    all_phones = list(dict.fromkeys(phone for phone in told if phone))
    return {
        "contact_name": first.name,
        "contact_search": "\n".join(texts.fold(one.name) for one in people).rstrip("\n"),
        "phone": next(iter(all_phones), ""),
        "phones": "".join(f" {phone}" for phone in all_phones) + _digits_of(all_phones),
    }


def _digits_of(told: Iterable[str]) -> str:
    """A line with the digits alone of what is no phone as it stands, so that typing them finds it: "\n 8916100160 7916100160".

    One that begins with 8 or 7 is there with either: who types it has the other one before him.
    """
    digits = ["".join(filter(str.isdecimal, one)) for one in told if not phones.normalise(one)]
    typed = [begin + one[1:] for one in digits for begin in (one[:1], *("87" if one[:1] in ("7", "8") else ""))]
    found = "".join(f" {one}" for one in dict.fromkeys(typed) if len(one) >= phones.LEAST_TYPED)
    return f"\n{found}" if found else ""


def phone_rows(contacts: Iterable[Mapping[str, Any]], field_ids: FieldIds) -> list[dict[str, Any]]:
    """Rows of `known_phones`, of valid phones only."""
    return [
        {"phone": phone, "contact_id": contact["id"], "updated_at": _whole(contact.get("updated_at"))}
        for contact in contacts
        for phone in sorted(phones_of(contact, field_ids.contact_phone))
    ]


def known_of(told: Iterable[str]) -> list[str]:
    """Phones under which a contact is looked up."""
    spelled = [phone for text in told for phone in phones.all_of(text)]
    return sorted({spelling for phone in spelled for spelling in phones.same_person(phone)})


def _custom(lead: Mapping[str, Any]) -> dict[str, list[str]]:
    """The texts of each filled field, by the field's id."""
    return {str(item["field_id"]): texts for item, texts in filled_in(lead) if texts and item.get("field_id")}


def _first(custom: Mapping[str, Sequence[str]], field_id: int | None) -> str:
    return next(iter(custom.get(str(field_id), ())), "") if field_id else ""


def _whole(value: Any) -> int:
    """A number AmoCRM should have sent; prices come with kopecks in some zones (sheet 5.2)."""
    return answers.whole(value) or 0


def _moment(value: Any) -> int:
    """A time no screen and no spreadsheet stumbles over."""
    return min(max(0, _whole(value)), LAST_MOMENT)

"""A lead as AmoCRM wants it: the body of the creating request, the text of the note. Pure.

Which field of AmoCRM holds what is `desk.fields`' mapping; here it is only filled. What finds no field goes into the note,
so that nothing said is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from crm.errors import Refusal
from desk import field_values, phones
from desk.fields import Layout, Mapped, by_key
from desk.lead import OWN_FIELDS, Consent, NewLead
from desk.reading import names
from desk.words import Words

LONGEST_LEAD_NAME = 250
"""AmoCRM's names take 255 characters."""

MOST_VALUES = 40
"""Fields filled at a lead; AmoCRM refuses more (sheet 4.1)."""

LONGEST_TRACKING = 250
"""Characters of a tracking value; AmoCRM's text fields take 256."""


@dataclass(frozen=True, slots=True)
class Creation:
    """A creating request. `body`: an item of `POST /leads/complex`. `places`: position in the body → key of our field."""

    body: dict[str, Any]
    places: Mapping[str, str]


def creation(
    lead: NewLead, *, marker: str, contact_id: int | None, layout: Layout, zone: ZoneInfo, say: Words
) -> Creation:
    """The lead with its contact: a new contact, or contact `contact_id`, whose own fields are left alone."""
    filled = _filled(lead, layout, zone, say)
    on_lead = filled["leads"]
    on_lead += [
        ({"field_code": code, "values": [{"value": lead.tracking[code][:LONGEST_TRACKING]}]}, code)
        for code in _tracked(lead, layout, zone)
    ]
    if layout.marker_id is not None:
        on_lead.append(({"field_id": layout.marker_id, "values": [{"value": marker}]}, "marker"))
    on_contact: list[tuple[dict[str, Any], str]] = []
    contact: dict[str, Any] = {"id": contact_id}
    if contact_id is None:
        told = [{"value": number, "enum_code": "WORK"} for number in _numbers(lead, say)]
        on_contact = [({**layout.contact_phone, "values": told}, "phone"), *filled["contacts"]]
        contact = {"name": lead.name or say("nameless"), "custom_fields_values": [value for value, _ in on_contact]}
    body = {
        "name": lead_name(lead, say),
        "request_id": marker,
        "custom_fields_values": [value for value, _ in on_lead] or None,
        "_embedded": {"contacts": [contact]},
    }
    places = {f"custom_fields_values.{place}": key for place, (_, key) in enumerate(on_lead)}
    inner = "_embedded.contacts.0"
    places |= {f"{inner}.custom_fields_values.{place}": key for place, (_, key) in enumerate(on_contact)}
    return Creation(body, places | {f"{inner}.name": "name", "name": "name"})


def lead_name(lead: NewLead, say: Words) -> str:
    """The lead's name in AmoCRM."""
    name = lead.name or say("nameless")
    return (say("lead-name-direction", direction=lead.direction, name=name) if lead.direction else name)[
        :LONGEST_LEAD_NAME
    ]


def note(
    lead: NewLead, consent: Consent | None, *, contact_was_known: bool, layout: Layout, zone: ZoneInfo, say: Words
) -> str:
    """The message, the consent, and all values without a field of their own. "" if there is nothing to tell.

    A contact that was there before keeps its own fields: what was said about them goes here. So does, as it was said, what
    could not be read or lost something, and what somebody should look at: a number that cannot exist, a name that was
    typed in another keyboard layout.
    """
    known, tracked = by_key(layout.mapping), _tracked(lead, layout, zone)
    phone = phones.written(lead.phone, say("phone-extension"))
    homeless = [
        say("note-value", label=say(f"new-{key}"), value=text)
        for key, text in (("phone", phone), ("direction", lead.direction), ("source", lead.source))
        if text and _fitted(known[key], text, zone) is None and key not in lead.said
    ]
    homeless += [
        say("note-value", label=_label(key, known, say), value=text.replace("\n", ", "))
        for key, text in lead.extra.items()
        if key not in known
        or _fitted(known[key], text, zone) is None
        or (known[key].entity == "contacts" and contact_was_known)
    ]
    homeless += [say("note-value", label=_label(key, known, say), value=text) for key, text in lead.said.items()]
    homeless += [
        say("note-value", label=code.lower(), value=value)
        for code, value in lead.tracking.items()
        if value and (code not in tracked or len(value) > LONGEST_TRACKING)
    ]
    doubts = [*_phone_doubts(lead, say), *_name_doubts(lead, say)]
    spoken = [_spoken(consent, zone, say)] if consent else []
    return "\n".join([*filter(None, [lead.message]), *doubts, *homeless, *spoken])


def named(refusals: Sequence[Refusal], places: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """AmoCRM's refusals as (path, code, key of our field or "")."""
    return [(refusal.path, refusal.code, _key_at(refusal.path, places)) for refusal in refusals]


def _key_at(path: str, places: Mapping[str, str]) -> str:
    return next((key for place, key in places.items() if path == place or path.startswith(f"{place}.")), "")


def _numbers(lead: NewLead, say: Words) -> list[str]:
    """The phone as written, and behind it any further numbers said with the phone."""
    others = phones.all_of(lead.said.get("phone", ""))
    return list(dict.fromkeys(phones.written(one, say("phone-extension")) for one in (lead.phone, *others)))


def _label(key: str, known: Mapping[str, Mapped], say: Words) -> str:
    """A field's name for people: ours, the admin's for an added field, or the sender's own word."""
    if key in OWN_FIELDS:
        return say(f"new-{key}")
    return (known[key].label if key in known else None) or key


def _phone_doubts(lead: NewLead, say: Words) -> list[str]:
    phone = phones.read(lead.phone)
    return [say("note-check-phone", why=say(f"field-{phone.why}", limit=phone.digits))] if phone.is_in_doubt else []


def _name_doubts(lead: NewLead, say: Words) -> list[str]:
    offered = names.offered(lead.name)
    return [say("note-name-layout", name=offered)] if offered else []


def _filled(lead: NewLead, layout: Layout, zone: ZoneInfo, say: Words) -> dict[str, list[tuple[dict[str, Any], str]]]:
    """The filled fields of lead and contact, each with its key, as far as the account has such fields."""
    filled: dict[str, list[tuple[dict[str, Any], str]]] = {"leads": [], "contacts": []}
    for mapped, text in _housed(lead, layout, zone):
        said = phones.written(text, say("phone-extension")) if mapped.key == "phone" else text
        filled[mapped.entity].append((_value(mapped, said, zone), mapped.key))
    return filled


def _housed(lead: NewLead, layout: Layout, zone: ZoneInfo) -> list[tuple[Mapped, str]]:
    """Values with a field of the account, in the field's own spelling; tracking and marker apart."""
    texts = {"phone": lead.phone, "direction": lead.direction, "source": lead.source, **lead.extra}
    said = [(mapped, texts.get(mapped.key, "")) for mapped in layout.mapping]
    return [(mapped, fitted) for mapped, text in said if text and (fitted := _fitted(mapped, text, zone)) is not None]


def _tracked(lead: NewLead, layout: Layout, zone: ZoneInfo) -> list[str]:
    """Codes of the tracking values with a field, as many as find room beside the other values and the marker."""
    room = MOST_VALUES - 1 - sum(mapped.entity == "leads" for mapped, _ in _housed(lead, layout, zone))
    return [code for code, value in lead.tracking.items() if value and code in layout.tracking][:room]


def _fitted(mapped: Mapped, text: str, zone: ZoneInfo) -> str | None:
    """The text in the spelling of the account's field; None if unfit, as AmoCRM would refuse the whole lead."""
    if mapped.field is None or mapped.verdict != "ok":
        return None
    return field_values.fitted(mapped.field, text, zone)


def _value(mapped: Mapped, text: str, zone: ZoneInfo) -> dict[str, Any]:
    kind = mapped.field.type if mapped.field else "text"
    value = field_values.encode(kind, text, zone)
    return {
        "field_id": mapped.field_id,
        "values": [{"value": one} for one in (value if isinstance(value, list) else [value])],
    }


def _spoken(consent: Consent, zone: ZoneInfo, say: Words) -> str:
    if consent.taken_by is not None:
        return say(
            "note-consent-spoken",
            version=consent.text_version,
            time=f"{consent.given_at.astimezone(zone):%d.%m.%Y %H:%M:%S}",
            operator=consent.taken_by or "—",
        )
    return say(
        "note-consent",
        version=consent.text_version or "—",
        time=f"{consent.given_at.astimezone(zone):%d.%m.%Y %H:%M:%S}",
        form=consent.form,
        ip=consent.ip or "—",
    )

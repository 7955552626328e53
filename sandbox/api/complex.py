"""`POST /leads/complex`: a lead with its contact and company in one request (sheet 5.2).

Its answer is like no other: a bare array, `request_id` itself an array. Duplicate control, which an external
integration does not have, is a switch.
"""

from __future__ import annotations

from typing import Any

from sandbox.answers import Answer, hal
from sandbox.api import card_writing, cards, links, unsorted
from sandbox.api.checks import Item, items, pass_or_refuse
from sandbox.call import Call
from sandbox.store import search
from sandbox.store.database import Row

MOST_LEADS = 50
MOST_FIELDS = 40
"""Custom fields of each card (sheet 4.1, D)."""


def create(call: Call) -> Answer:
    """POST /leads/complex."""
    checked = items(call, most=MOST_LEADS)
    known_contacts = call.store.value("SELECT coalesce(max(id), 0) FROM contacts")
    results = [_create_one(call, item, known_contacts) for item in checked]
    pass_or_refuse(checked)
    return hal(results)


def _create_one(call: Call, item: Item, known_contacts: int) -> dict[str, Any]:
    embedded = item.inside("_embedded", item.tree("_embedded"))
    contact = _single(embedded, "contacts")
    company = _single(embedded, "companies")
    for part in (item, contact, company):
        if part and len(part.elements("custom_fields_values")) > MOST_FIELDS:
            part.refuse("NotSupportedChoice", "custom_fields_values")
    answer = {"id": 0, "contact_id": None, "company_id": None, "request_id": [str(item.request_id)], "merged": False}
    if contact and call.work.config.duplicate_control:
        merged = _duplicate(call, contact, known_contacts)
        if merged and not item.errors:
            return answer | merged | {"merged": True}
    contact_id, contact_is_new = _card(call, "contacts", contact)
    company_id, company_is_new = _card(call, "companies", company)
    row = card_writing.create_one(call, "leads", _without_cards(item))
    if row is None or item.errors:
        return answer
    if contact_id:
        links.add(call.work, "leads", row["id"], "contacts", contact_id, main=True)
    if company_id and (company_is_new or call.work.config.complex_links_company_id):
        links.add(call.work, "leads", row["id"], "companies", company_id)
        if contact_id and contact_is_new:
            links.add(call.work, "contacts", contact_id, "companies", company_id)
    if "metadata" in embedded.data:
        new_contact = contact_id if contact_is_new else None
        unsorted.from_complex(call.work, row, new_contact, embedded.inside("metadata", embedded.tree("metadata")))
    return answer | {"id": row["id"], "contact_id": contact_id, "company_id": company_id}


def _single(embedded: Item, key: str) -> Item | None:
    """The one contact or company an item may carry."""
    found = embedded.elements(key)
    if len(found) > 1:
        embedded.refuse("NotSupportedChoice", f"{key}.1")
    return embedded.inside(f"{key}.0", found[0]) if found else None


def _card(call: Call, kind: str, part: Item | None) -> tuple[int | None, bool]:
    """(id, whether it is new) of the card `part` describes; `{"id": N}` names an existing one."""
    if part is None:
        return None, False
    card_id = part.integer("id")
    if card_id is not None:
        if not cards.exists(call.work, kind, card_id):
            part.refuse("NotSupportedChoice", "id")
        return card_id, False
    row = card_writing.create_one(call, kind, part)
    return (row["id"] if row else None), True


def _without_cards(item: Item) -> Item:
    """The lead alone, its errors still the item's."""
    embedded = {key: value for key, value in item.tree("_embedded").items() if key not in ("contacts", "companies")}
    lead = Item({**item.data, "_embedded": embedded}, path=item.path, errors=item.errors)
    lead.request_id = item.request_id
    return lead


def _duplicate(call: Call, contact: Item, known_contacts: int) -> Row | None:
    """The surviving lead and contact, when the phone is known already: across requests, not within one (sheet 5.2)."""
    for phone in _phones(contact):
        sql = "SELECT id FROM contacts_text WHERE instr(digits, ?) > 0 AND id <= ? ORDER BY id"
        search.catch_up(call.store.db, "contacts", call.work.real_moment, cards.texts)
        for found in call.store.rows(sql, [phone[-10:], known_contacts]):
            if not cards.exists(call.work, "contacts", found["id"]):
                continue
            linked = links.of_cards(call.work, "contacts", [found["id"]])[found["id"]]
            open_leads = [link["id"] for link in linked if link["type"] == "leads" and _is_open(call, link["id"])]
            if open_leads:
                return {"id": max(open_leads), "contact_id": found["id"]}
    return None


def _is_open(call: Call, lead_id: int) -> bool:
    lead = cards.find(call.work, "leads", [lead_id]).get(lead_id)
    return lead is not None and lead["closed_at"] is None


def _phones(contact: Item) -> list[str]:
    """Digits of the phones a contact is given; fewer than ten are no phone."""
    found = []
    for entry in contact.elements("custom_fields_values"):
        for value in (entry.get("values") or []) if isinstance(entry, dict) else []:
            text = value.get("value") if isinstance(value, dict) else None
            digits = "".join(letter for letter in str(text or "") if letter.isdecimal())
            if len(digits) >= 10:
                found.append(digits)
    return found

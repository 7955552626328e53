"""The truth for list, card, search and overview, from AmoCRM's rows. Plain Python over the sandbox, without the desk.

    truth = Truth(box)
    assert shown == [lead.id for lead in truth.listed()]

A contact in the bin is nobody: AmoCRM does not bring it, whoever is linked with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.club.structure import CONTACT_PHONE_FIELD, DIRECTION_FIELD, PHONE_FIELD, SOURCE_FIELD
from sandbox.process import Sandbox

WON, LOST = 142, 143
UNTOUCHED_S = 3 * 24 * 3600
DIGITS_OF_A_PHONE = 10


@dataclass(frozen=True)
class Person:
    """A contact outside the bin, its phones as spelled in AmoCRM."""

    id: int
    name: str
    phones: tuple[str, ...]

    @property
    def numbers(self) -> frozenset[str]:
        """The last ten digits of each phone."""
        return frozenset(number for phone in self.phones if (number := ten(phone)))


@dataclass(frozen=True)
class Lead:
    """A lead outside the bin. `people`: contacts, the main contact first; `tasks`: times of open tasks, the next first."""

    id: int
    name: str
    price: Decimal
    pipeline_id: int
    status_id: int
    responsible_user_id: int
    created_at: int
    updated_at: int
    closed_at: int | None
    loss_reason_id: int | None
    direction: str
    source: str
    own_phone: str
    people: tuple[Person, ...]
    tasks: tuple[int, ...]
    notes: int

    @property
    def main(self) -> Person | None:
        """Whose name and phone the lead shows."""
        return self.people[0] if self.people else None

    @property
    def is_open(self) -> bool:
        return self.status_id not in (WON, LOST)

    @property
    def shown_name(self) -> str:
        return (self.main.name if self.main else "") or self.name

    @property
    def roubles(self) -> int:
        """The budget in whole roubles, rounded half up."""
        return int(self.price.quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def kopecks(self) -> int:
        """The budget in whole kopecks, rounded as people round."""
        return int((self.price * 100).quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def numbers(self) -> frozenset[str]:
        """The last ten digits of every phone of every contact, and of the lead's own."""
        own = ten(self.own_phone)
        return frozenset().union(*(one.numbers for one in self.people), {own} if own else ())

    def reasons(self, now: float) -> set[str]:
        """The reasons for attention to an open lead, in the desk's own words."""
        if not self.is_open:
            return set()
        phone = self.own_phone or any(one.phones for one in self.people)
        found = {
            "overdue": bool(self.tasks) and self.tasks[0] < now,
            "no_task": not self.tasks,
            "untouched": self.updated_at < now - UNTOUCHED_S,
            "no_phone": not phone,
            "nobody": self.responsible_user_id == 0,
            "no_source": self.source == "",
        }
        return {reason for reason, holds in found.items() if holds}


class Truth:
    """AmoCRM's rows as of now. Some requests of the sandbox's control, none of the API."""

    def __init__(self, box: Sandbox) -> None:
        self.people = {row["id"]: _person(row) for row in _outside_the_bin(box, "contacts")}
        links = [row for row in box.entities("links") if (row["from_type"], row["to_type"]) == ("leads", "contacts")]
        tasks = [
            row for row in _outside_the_bin(box, "tasks") if row["entity_type"] == "leads" and not row["is_completed"]
        ]
        notes = Counter(row["entity_id"] for row in _outside_the_bin(box, "notes") if row["entity_type"] == "leads")
        self.leads: dict[int, Lead] = {}
        for row in _outside_the_bin(box, "leads"):
            own = sorted(
                (link for link in links if link["from_id"] == row["id"] and link["to_id"] in self.people),
                key=lambda link: (not link["is_main"], link["to_id"]),
            )
            fields = row["custom_fields"] or {}
            self.leads[row["id"]] = Lead(
                **{key: row[key] for key in _SAME},
                price=Decimal(str(row["price"])),
                loss_reason_id=row["loss_reason_id"],
                direction=_text(fields, DIRECTION_FIELD),
                source=_text(fields, SOURCE_FIELD),
                own_phone=_text(fields, PHONE_FIELD),
                people=tuple(self.people[link["to_id"]] for link in own),
                tasks=tuple(sorted(task["complete_till"] for task in tasks if task["entity_id"] == row["id"])),
                notes=notes[row["id"]],
            )

    def listed(self, leads: Iterable[Lead] | None = None) -> list[Lead]:
        """All leads, or the given ones, in the list's usual order: the newest first."""
        return sorted(self.leads.values() if leads is None else leads, key=lambda lead: (-lead.created_at, -lead.id))

    def with_phone(self, phone: str) -> list[Lead]:
        """Leads with a phone among their people's, in any spelling."""
        return self.listed(lead for lead in self.leads.values() if ten(phone) in lead.numbers)

    def with_words(self, text: str) -> list[Lead]:
        """Leads with all given words in a contact's name, in their own name, or in their number."""
        wanted = plain(text).split()
        return self.listed(lead for lead in self.leads.values() if all(word in _searched(lead) for word in wanted))

    def created(self, since: int, until: int, pipeline_id: int | None = None) -> list[Lead]:
        """Leads created from `since` on and before `until`, unix seconds."""
        rows = self.of_pipeline(pipeline_id)
        return self.listed(lead for lead in rows if since <= lead.created_at < until)

    def closed(self, status_id: int, since: int, until: int, pipeline_id: int | None = None) -> list[Lead]:
        """Leads won (142) or lost (143) now and closed within the given time, whenever created."""
        rows = self.of_pipeline(pipeline_id)
        return self.listed(
            lead for lead in rows if lead.status_id == status_id and lead.closed_at and since <= lead.closed_at < until
        )

    def split(self, by: str, leads: Iterable[Lead]) -> dict[str, tuple[int, int]]:
        """Leads by the text of "source" or "direction": how many, and how many of these are won now."""
        told: dict[str, tuple[int, int]] = {}
        for lead in leads:
            count, won = told.get(getattr(lead, by), (0, 0))
            told[getattr(lead, by)] = (count + 1, won + (lead.status_id == WON))
        return told

    def attention(self, now: float, pipeline_id: int | None = None) -> Counter[str]:
        """Open leads by reason, counted; "any": with at least one reason."""
        found: Counter[str] = Counter()
        for lead in self.of_pipeline(pipeline_id):
            reasons = lead.reasons(now)
            found.update(reasons)
            found["any"] += bool(reasons)
        return found

    def stages(self) -> Counter[tuple[int, int]]:
        """How many leads stand in each stage: (pipeline, status)."""
        return Counter((lead.pipeline_id, lead.status_id) for lead in self.leads.values())

    def of_pipeline(self, pipeline_id: int | None) -> list[Lead]:
        return [lead for lead in self.leads.values() if pipeline_id in (None, lead.pipeline_id)]


_SAME = ("id", "name", "pipeline_id", "status_id", "responsible_user_id", "created_at", "updated_at", "closed_at")


def _outside_the_bin(box: Sandbox, table: str) -> list[dict[str, Any]]:
    return [row for row in box.entities(table) if not row["is_deleted"]]


def _person(row: dict[str, Any]) -> Person:
    values = (row["custom_fields"] or {}).get(str(CONTACT_PHONE_FIELD)) or []
    return Person(row["id"], row["name"], tuple(value["value"] for value in values))


def _text(fields: dict[str, Any], field_id: int) -> str:
    values = fields.get(str(field_id)) or [{}]
    return str(values[0].get("value", ""))


def ten(phone: str) -> str:
    """The last ten digits, "" for fewer: how telephones and AmoCRM's own calls know a number (sheet 8, item 33)."""
    digits = "".join(sign for sign in phone if sign in "0123456789")
    return digits[-DIGITS_OF_A_PHONE:] if len(digits) >= DIGITS_OF_A_PHONE else ""


def plain(text: str) -> str:
    """A text without case, and with е for ё."""
    return text.casefold().replace("ё", "е")


def _searched(lead: Lead) -> str:
    return plain("\n".join([lead.name, str(lead.id), *(one.name for one in lead.people)]))

"""Leads with their contacts, links, notes, tasks and events, for any span of time.

Everything is made as tuples and written with `executemany`: 100,000 leads are some 700,000 rows.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from random import Random
from typing import Any

from sandbox.club import habits, people, structure
from sandbox.club.account import midnight
from sandbox.store.database import FIRST_IDS, Store
from sandbox.store.event_ids import event_id

DAY_S = 24 * 3600
MINUTE_S = 60
BATCH = 5000
"""Leads written at a time: more rows in hand would cost more memory than the club itself."""

REMEMBERED = 2000
"""Of so many recent people some come back."""

ROBOT = 0

COLUMNS = {
    "leads": "id name responsible_user_id created_by updated_by created_at updated_at closest_task_at custom_fields tags "
    "price status_id pipeline_id loss_reason_id closed_at",
    "contacts": "id name first_name last_name responsible_user_id created_by updated_by created_at updated_at "
    "custom_fields tags is_unsorted",
    "companies": "id name responsible_user_id created_by updated_by created_at updated_at custom_fields",
    "links": "from_type from_id to_type to_id is_main",
    "notes": "id entity_type entity_id created_by updated_by created_at updated_at responsible_user_id note_type params",
    "tasks": "id created_by updated_by created_at updated_at responsible_user_id entity_id entity_type is_completed "
    "task_type_id text result complete_till",
    "events": "id type entity_id entity_type created_by created_at value_after value_before",
    "unsorted": "uid source_uid source_name category pipeline_id created_at metadata lead_id contact_ids company_ids",
}
MESSAGES = (
    "Хочу записаться на пробную тренировку", "Подскажите расписание на вечер", "Сколько стоит годовой абонемент?",
    "Есть ли парковка?", "Перезвоните после 18:00", "Интересует персональный тренер", "Можно прийти с ребёнком?",
)  # fmt: skip
TASKS = ("Перезвонить клиенту", "Напомнить о пробном занятии", "Отправить прайс", "Подготовить договор")


def compact(data: Any) -> str:
    """JSON in the store's form."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


class Season:
    """The leads of one span of time, being written. Ids go on from what the store has."""

    def __init__(self, store: Store, random: Random, now: int) -> None:
        self.store = store
        self.random = random
        self.now = now
        self.rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._last = {
            table: store.value(f"SELECT max(id) FROM {table}") or FIRST_IDS[table]  # noqa: S608 - our own names
            for table in ("leads", "contacts", "companies", "notes", "tasks")
        }
        self._returning: deque[tuple[int, str, people.Person]] = deque(maxlen=REMEMBERED)

    def write(self, count: int, since: int) -> None:
        """`count` leads created from `since` to now (unix seconds), in the order of their creation."""
        random = self.random
        sources = random.choices(list(habits.SOURCES), list(habits.SOURCES.values()), k=count)
        created = sorted(zip(habits.moments(random, sources, since, self.now), sources, strict=True))
        directions = random.choices(list(habits.DIRECTIONS), list(habits.DIRECTIONS.values()), k=count)
        for number, ((created_at, source), direction) in enumerate(zip(created, directions, strict=True), start=1):
            self._lead(created_at, source, direction)
            if number % BATCH == 0:
                self._flush()
        self._flush()

    def _flush(self) -> None:
        for table, columns in COLUMNS.items():
            names = columns.split()
            places = ", ".join("?" * len(names))
            sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - our own names
            self.store.db.executemany(sql, self.rows.pop(table, []))

    def _next(self, table: str) -> int:
        self._last[table] += 1
        return self._last[table]

    def _lead(self, created_at: int, source: str, direction: str) -> None:
        random, lead_id = self.random, self._next("leads")
        pipeline_id = habits.pipeline(random)
        fate = habits.fate(random, pipeline_id, created_at, self.now)
        manager = random.choice(structure.MANAGERS)
        author = manager if source in habits.IN_PERSON else ROBOT
        incoming = fate.status_id == structure.INCOMING[pipeline_id]
        contact_id, phone, person = self._contact(created_at, manager, author, incoming)
        if contact_id:
            self.rows["links"].append(("leads", lead_id, "contacts", contact_id, 1))
        if pipeline_id == structure.CORPORATE:
            self._company(lead_id, contact_id, created_at, manager)
        status_id, won, lost = fate.status_id, fate.status_id == structure.WON, fate.status_id == structure.LOST
        price = random.choice(habits.PRICES) if won or random.random() < 0.4 else 0
        changed_at = self._notes(lead_id, source, fate, manager)
        task_at = self._tasks(lead_id, created_at, manager, is_open=not (won or lost or incoming))
        reason = None
        if lost and random.random() < 0.7:  # managers do not always say why
            at = random.choices(range(len(habits.LOSS_SHARES)), habits.LOSS_SHARES)[0]
            reason = structure.FIRST_LOSS_REASON + 2 * at
        self.rows["leads"].append(
            (
                lead_id, self._name(source, direction, person), manager, author,
                manager if len(fate.steps) > 1 else author, created_at, changed_at, task_at,
                compact(self._fields(source, direction, phone, created_at, fate)),
                compact(self._tags(pipeline_id)), price, status_id, pipeline_id, reason,
                fate.changed_at if won or lost else None,
            )
        )  # fmt: skip
        self._events(lead_id, contact_id, pipeline_id, fate, author, manager)
        if incoming:
            self._incoming(lead_id, contact_id, pipeline_id, created_at, source)

    def _contact(
        self, created_at: int, manager: int, author: int, incoming: bool
    ) -> tuple[int | None, str, people.Person]:
        """(id, phone as typed, person): a new contact, a contact from before, or, rarely, no card at all."""
        random = self.random
        if self._returning and random.random() < 0.1:
            contact_id, phone, person = random.choice(self._returning)
            return contact_id, phone, person
        person = people.person(random)
        phone = people.spelt(people.phone(random), random)
        if random.random() < 0.03:
            return None, phone, person
        contact_id = self._next("contacts")
        name = f"{person.first_name} {person.last_name}".strip()
        kind = structure.CONTACT_PHONE_KINDS["MOB" if random.random() < 0.7 else "WORK"]
        fields: dict[str, Any] = {str(structure.CONTACT_PHONE_FIELD): [{"value": phone, "enum_id": kind}]}
        if random.random() < 0.35:
            address = people.email(person, random)
            fields[str(structure.CONTACT_EMAIL_FIELD)] = [{"value": address, "enum_id": 566_515}]
        if random.random() < 0.15:
            birthday = midnight(self.now - random.randrange(18 * 365, 65 * 365) * DAY_S)
            fields[str(structure.BIRTHDAY_FIELD)] = [{"value": birthday}]
        self.rows["contacts"].append(
            (contact_id, name, person.first_name, person.last_name, manager, author, author, created_at, created_at,
             compact(fields), "[]", int(incoming))
        )  # fmt: skip
        self._event("contact_added", contact_id, "contact", author, created_at)
        self._returning.append((contact_id, phone, person))
        return contact_id, phone, person

    def _company(self, lead_id: int, contact_id: int | None, created_at: int, manager: int) -> None:
        company_id, digits = self._next("companies"), people.phone(self.random)
        fields = {"264891": [{"value": people.spelt(digits, self.random), "enum_id": 566_521}]}
        name = people.company(self.random)
        stamps = (manager, manager, manager, created_at, created_at)
        self.rows["companies"].append((company_id, name, *stamps, compact(fields)))
        self.rows["links"].append(("leads", lead_id, "companies", company_id, 0))
        if contact_id:
            self.rows["links"].append(("contacts", contact_id, "companies", company_id, 0))

    def _name(self, source: str, direction: str, person: people.Person) -> str:
        wish = direction or "Абонемент"
        if source == "Звонок":
            return f"Звонок: {wish}"
        if source in habits.IN_PERSON:
            return f"{wish} — {person.first_name} {person.last_name}".strip()
        return f"Заявка с сайта: {wish}" if source == "Сайт" else f"{source}: {wish}"

    def _fields(
        self, source: str, direction: str, phone: str, created_at: int, fate: habits.Fate
    ) -> dict[int | str, Any]:
        random = self.random
        values: dict[int | str, Any] = {}
        if random.random() < 0.9:
            values[structure.PHONE_FIELD] = [{"value": phone}]
        if direction:
            values[structure.DIRECTION_FIELD] = [{"value": direction}]
        if random.random() < 0.97:
            values[structure.SOURCE_FIELD] = [{"value": source}]
        luck = random.random()
        if luck < 0.3:
            values[structure.MEMBERSHIP_FIELD] = [{"enum_id": 566_541 + 2 * random.randrange(5)}]
        if luck < 0.15:
            values[structure.DAYTIME_FIELD] = [
                {"enum_id": 566_551 + 2 * at} for at in sorted(random.sample(range(4), 2))
            ]
        if luck > 0.9:
            values[structure.FORMAT_FIELD] = [{"enum_id": 566_561 + 2 * random.randrange(2)}]
        if 0.5 < luck < 0.6:
            values[structure.AGE_FIELD] = [{"value": str(random.randrange(16, 66))}]
        if 0.6 < luck < 0.65:
            values[structure.HEALTH_FIELD] = [{"value": True}]
        if len(fate.steps) > 2:
            values[structure.TRIAL_FIELD] = [{"value": midnight(created_at + random.randrange(1, 6) * DAY_S)}]
        if source in habits.UTM and random.random() < 0.8:
            utm_source, medium, campaigns = habits.UTM[source]
            marks = {"UTM_SOURCE": utm_source, "UTM_MEDIUM": medium, "UTM_CAMPAIGN": random.choice(campaigns)}
            if utm_source == "yandex":
                marks["YCLID"] = str(random.randrange(10**18, 10**19))
            values |= {structure.TRACKING_FIELDS[code]: [{"value": mark}] for code, mark in marks.items()}
        return values

    def _tags(self, pipeline_id: int) -> list[int]:
        if pipeline_id == structure.CORPORATE:
            return [structure.FIRST_TAG + 8]
        return [structure.FIRST_TAG + 2 * self.random.randrange(4)] if self.random.random() < 0.12 else []

    def _notes(self, lead_id: int, source: str, fate: habits.Fate, manager: int) -> int:
        """Writes the notes; when the lead was last touched."""
        random, (_, created_at) = self.random, fate.steps[0]
        if source == "Звонок":
            call = {"uniq": f"call-{lead_id}", "duration": random.randrange(20, 400), "source": "АТС", "link": ""}
            self._note(lead_id, manager, created_at, "call_in", call | {"phone": ""})
        elif random.random() < 0.4:
            self._note(lead_id, ROBOT, created_at, "common", {"text": random.choice(MESSAGES)})
        changed_at = max(created_at, fate.changed_at)
        if len(fate.steps) > 1 and random.random() < 0.2:
            changed_at = min(self.now, changed_at + random.randrange(MINUTE_S, 3 * 60 * MINUTE_S))
        return changed_at

    def _note(self, lead_id: int, author: int, at: int, note_type: str, params: dict[str, Any]) -> None:
        stamps = (author, author, at, at, author or structure.ADMIN_ID)
        self.rows["notes"].append((self._next("notes"), "leads", lead_id, *stamps, note_type, compact(params)))

    def _tasks(self, lead_id: int, created_at: int, manager: int, *, is_open: bool) -> int | None:
        """Writes a task or none; when the open one falls due."""
        random = self.random
        if random.random() > (0.6 if is_open else 0.25):
            return None
        due_at = created_at + random.randrange(2, 72) * 3600
        if is_open:
            due_at = max(due_at, self.now - random.randrange(5 * DAY_S))
        result = None if is_open else compact({"text": "Сделано"})
        stamps = (manager, manager, created_at, created_at if is_open else due_at, manager)
        task = (lead_id, "leads", int(not is_open), random.choice((1, 1, 2)), random.choice(TASKS), result, due_at)
        self.rows["tasks"].append((self._next("tasks"), *stamps, *task))
        return due_at if is_open else None

    def _events(
        self, lead_id: int, contact_id: int | None, pipeline_id: int, fate: habits.Fate, author: int, manager: int
    ) -> None:
        (status_id, created_at), *moves = fate.steps
        self._event("lead_added", lead_id, "lead", author, created_at)
        for new_id, at in moves:
            after, before = (
                f'[{{"lead_status":{{"id":{stage},"pipeline_id":{pipeline_id}}}}}]' for stage in (new_id, status_id)
            )
            self._event("lead_status_changed", lead_id, "lead", manager, at, after, before)
            status_id = new_id

    def _event(
        self, type_: str, entity_id: int, entity: str, author: int, at: int, after: str = "[]", before: str = "[]"
    ) -> None:
        self.rows["events"].append(
            (event_id(at * 1000, self.random.getrandbits(80)), type_, entity_id, entity, author, at, after, before)
        )

    def _incoming(self, lead_id: int, contact_id: int | None, pipeline_id: int, created_at: int, source: str) -> None:
        form = {"form_id": "lead-form", "form_name": "Запись на тренировку", "form_page": "https://fitzone.example/",
                "form_sent_at": created_at, "ip": "192.0.2.10", "referer": ""}  # fmt: skip
        uid = f"{self.random.getrandbits(240):060x}"
        contacts = compact([contact_id] if contact_id else [])
        place = (pipeline_id, created_at, compact(form), lead_id, contacts, "[]")
        self.rows["unsorted"].append((uid, f"form-{lead_id}", source, "forms", *place))

"""Random edits in the sandbox, as made by people and other programs in AmoCRM, with hooks or without.

    edits = Edits(box, seed=7)
    edits.telling("lost")
    edits.run(50)
    print(edits.done)      # in words, for a failure's message

The same seed on the same club does the same. Which edits there are stands in `DEEDS`; `without=` leaves some out.
What AmoCRM then holds is `tests.support.truth`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from random import Random
from typing import Any

import requests

from sandbox.club.structure import DIRECTION_FIELD, MANAGERS, SOURCE_FIELD
from sandbox.process import Sandbox

WON, LOST = 142, 143
DAY_S = 24 * 3600
YEAR_S = 365 * DAY_S

TELLING: dict[str, dict[str, Any]] = {
    "told": {},
    "silent": {"hook_lose": 1.0},
    "lost": {"hook_lose": 0.4},
    "doubled": {"hook_duplicate": 0.6},
    "shuffled": {"hook_shuffle_s": 1.5},
    "all at once": {"hook_lose": 0.2, "hook_duplicate": 0.3, "hook_shuffle_s": 1.0},
}
"""Ways of telling edits: switches of the sandbox besides its usual ones."""

USUAL = {"hook_lose": 0.0, "hook_duplicate": 0.0, "hook_shuffle_s": 0.0}

FIRST_NAMES = ("Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор", "Жанна", "Зоя", "Ёлка", "O'Нил")
LAST_NAMES = ("Первая", "Второй", "Третья", "Сидоров-Петров", "де ла Крус", "")
WORDS = ("Звонок", "Заявка с сайта", "Перезвонить", "VIP", "100 % скидка", "Йога; утро", "=1+1")
TEXTS = {
    DIRECTION_FIELD: ("Йога", "Бассейн", "Бокс", "", "Йога "),
    SOURCE_FIELD: ("Сайт", "Звонок", "2ГИС", "", "сайт"),
}
PRICES = (0, 1, 990, 5500, 24_900, 1999.99, 0.5, 1_000_000, 149.005)
SPELLINGS = ("+7907{0}", "8 907 {0}", "7907{0}", "8(907){0}", "907{0}")


class Edits:
    """Random edits of a sandbox. `done`: the edits so far, a line each."""

    def __init__(self, box: Sandbox, seed: int, *, without: Collection[str] = ()) -> None:
        self.box, self.random = box, Random(seed)
        self.done: list[str] = []
        self._http = box.session()
        self._deeds = [(name, weight, deed) for name, (weight, deed) in DEEDS.items() if name not in without]
        unknown = set(without) - set(DEEDS)
        assert not unknown, f"no such edits: {unknown}"
        self.now = int(box.state()["now"])
        stages = box.entities("statuses")
        self.stages = sorted((row["pipeline_id"], row["id"]) for row in stages if row["type"] != 1)
        self.reasons = sorted(row["id"] for row in box.entities("loss_reasons"))

    def telling(self, how: str) -> None:
        """Change how hooks tell of edits from now on; see `TELLING`. The seed decides which hooks are hit."""
        self.box.config(**USUAL | TELLING[how] | {"hook_seed": self.random.randrange(2**31)})
        self.done.append(f"hooks: {how}")

    def run(self, count: int) -> None:
        """Make `count` edits. An edit without anything to edit is replaced by another kind."""
        left = count
        while left:
            names, weights, deeds = zip(*self._deeds, strict=True)
            place = self.random.choices(range(len(names)), weights)[0]
            told = deeds[place](self)
            if told is not None:
                self.done.append(f"{names[place]}: {told}")
                left -= 1

    def __str__(self) -> str:
        return "\n".join(self.done)

    # What there is

    def some(self, table: str, *, deleted: bool = False) -> int | None:
        """A random row, in or out of the bin."""
        ids = sorted(row["id"] for row in self.box.entities(table) if bool(row["is_deleted"]) == deleted)
        return self.random.choice(ids) if ids else None

    def contacts_of(self, lead: int) -> list[int]:
        """The contacts a lead is linked with."""
        rows = self.box.entities("links")
        return sorted(row["to_id"] for row in rows if (row["from_id"], row["to_type"]) == (lead, "contacts"))

    # What is sent

    def ask(self, method: str, path: str, data: Any) -> Any:
        """Send a request of the API, which has to succeed."""
        answer = self._http.request(method, f"{self.box.url}/api/v4/{path}", json=data, timeout=60)
        assert answer.status_code in (200, 201, 204), (method, path, data, answer.text)
        return answer.json() if answer.content else None

    def made(self, path: str, data: dict[str, Any]) -> int:
        """The number of a new thing."""
        (rows,) = self.ask("POST", path, [data])["_embedded"].values()
        return int(rows[0]["id"])

    def erase_task(self, task: int) -> None:
        """Delete a task as a person's press of "delete" does; the API has no such call."""
        url, data = f"{self.box.url}/private/notes/edit2.php", {"ID": task, "ACTION": "TASK_DELETE"}
        assert requests.post(url, data=data, headers=dict(self._http.headers), timeout=60).status_code == 200

    # What it is filled with

    def person(self) -> dict[str, Any]:
        """A new contact's name and phones: none, one, two, or twice the same."""
        phones = [self.phone() for _ in range(self.random.choice((0, 1, 1, 1, 2)))]
        fields = [{"field_code": "PHONE", "values": [{"value": phone} for phone in phones]}] if phones else []
        return {"name": self.name(), "custom_fields_values": fields}

    def name(self) -> str:
        return f"{self.random.choice(FIRST_NAMES)} {self.random.choice(LAST_NAMES)}".strip()

    def phone(self) -> str:
        return self.random.choice(SPELLINGS).format(f"{self.random.randrange(10**7):07}")

    def moment(self) -> int:
        """Some time of the last three years."""
        return self.now - self.random.randrange(3 * YEAR_S)

    def texts(self) -> list[dict[str, Any]]:
        """Values for direction and source, or for either; an empty value clears its field."""
        chosen = self.random.sample(sorted(TEXTS), self.random.choice((1, 2)))
        values = {field: self.random.choice(TEXTS[field]) for field in chosen}
        return [{"field_id": field, "values": [{"value": text}] if text else None} for field, text in values.items()]

    def stage(self) -> dict[str, Any]:
        pipeline, status = self.random.choice(self.stages)
        reason = (
            {"loss_reason_id": self.random.choice(self.reasons)}
            if status == LOST and self.random.random() < 0.7
            else {}
        )
        return {"pipeline_id": pipeline, "status_id": status} | reason


def _new_lead(edits: Edits) -> str:
    """Add a lead with up to three contacts, the main contact not always the first."""
    people = [edits.made("contacts", edits.person()) for _ in range(edits.random.choice((0, 1, 1, 1, 2, 3)))]
    main = edits.random.choice(people) if people else None
    linked = [{"id": one, "is_main": one == main} for one in people]
    data = edits.stage() | {"name": edits.random.choice(WORDS), "price": edits.random.choice(PRICES)}
    data |= {"custom_fields_values": edits.texts(), "_embedded": {"contacts": linked}}
    return f"{edits.made('leads', data)} with {people}, main {main}"


def _import(edits: Edits) -> str:
    """Add a lead with dates of long ago, like an import."""
    created = edits.moment()
    data = edits.stage() | {"name": "Из старой базы", "price": edits.random.choice(PRICES), "created_at": created}
    data |= {"updated_at": created + edits.random.randrange(30 * DAY_S)}
    return f"{edits.made('leads', data)} of {created}"


def _lead(change: Callable[[Edits], dict[str, Any]]) -> Callable[[Edits], str | None]:
    """An edit of a lead outside the bin."""

    def deed(edits: Edits) -> str | None:
        lead = edits.some("leads")
        if lead is None:
            return None
        data = change(edits)
        edits.ask("PATCH", f"leads/{lead}", data)
        return f"{lead} {data}"

    return deed


def _person(change: Callable[[Edits], dict[str, Any]]) -> Callable[[Edits], str | None]:
    """The same of a contact."""

    def deed(edits: Edits) -> str | None:
        contact = edits.some("contacts")
        if contact is None:
            return None
        data = change(edits)
        edits.ask("PATCH", f"contacts/{contact}", data)
        return f"{contact} {data}"

    return deed


def _link(edits: Edits) -> str | None:
    """Link another contact to a lead: a new contact or a shared one, as the main contact or not."""
    lead = edits.some("leads")
    known = edits.some("contacts") if edits.random.random() < 0.5 else None
    contact = known or edits.made("contacts", edits.person())
    if lead is None or contact in edits.contacts_of(lead):
        return None
    main = edits.random.random() < 0.4
    end = {"to_entity_id": contact, "to_entity_type": "contacts", "metadata": {"is_main": main}}
    edits.ask("POST", f"leads/{lead}/link", [end])
    return f"{lead} → {contact}{', main' if main else ''}"


def _change_main(edits: Edits) -> str | None:
    """Change a lead's main contact: unlink and link again, for a linked pair cannot be linked."""
    lead = edits.some("leads")
    people = edits.contacts_of(lead) if lead else []
    alive = {row["id"] for row in edits.box.entities("contacts") if not row["is_deleted"]}
    people = [one for one in people if one in alive]
    if len(people) < 2:
        return None
    contact = edits.random.choice(people)
    end = {"to_entity_id": contact, "to_entity_type": "contacts"}
    edits.ask("POST", f"leads/{lead}/unlink", [end])
    edits.ask("POST", f"leads/{lead}/link", [end | {"metadata": {"is_main": True}}])
    return f"{lead} → {contact}"


def _unlink(edits: Edits) -> str | None:
    lead = edits.some("leads")
    alive = {row["id"] for row in edits.box.entities("contacts") if not row["is_deleted"]}
    people = [one for one in edits.contacts_of(lead) if one in alive] if lead else []
    if not people:
        return None
    contact = edits.random.choice(people)
    edits.ask("POST", f"leads/{lead}/unlink", [{"to_entity_id": contact, "to_entity_type": "contacts"}])
    return f"{lead} ✕ {contact}"


def _task(edits: Edits) -> str | None:
    lead = edits.some("leads")
    if lead is None:
        return None
    due = edits.now + edits.random.randrange(-10 * DAY_S, 20 * DAY_S)
    task = edits.made("tasks", {"entity_type": "leads", "entity_id": lead, "text": "Позвонить", "complete_till": due})
    return f"{task} for {lead}, due {due}"


def _open_task(edits: Edits) -> int | None:
    rows = edits.box.entities("tasks")
    ids = sorted(row["id"] for row in rows if not row["is_deleted"] and not row["is_completed"])
    return edits.random.choice(ids) if ids else None


def _task_change(change: Callable[[Edits], dict[str, Any]]) -> Callable[[Edits], str | None]:
    def deed(edits: Edits) -> str | None:
        task = _open_task(edits)
        if task is None:
            return None
        data = change(edits)
        edits.ask("PATCH", f"tasks/{task}", data)
        return f"{task} {data}"

    return deed


def _task_erased(edits: Edits) -> str | None:
    task = _open_task(edits)
    if task is None:
        return None
    edits.erase_task(task)
    return str(task)


def _note(edits: Edits) -> str | None:
    lead = edits.some("leads")
    if lead is None:
        return None
    note = edits.made(f"leads/{lead}/notes", {"note_type": "common", "params": {"text": edits.random.choice(WORDS)}})
    return f"{note} at {lead}"


def _bin(kind: str, action: str) -> Callable[[Edits], str | None]:
    """Move a card into the bin, or back out."""

    def deed(edits: Edits) -> str | None:
        card = edits.some(kind, deleted=action == "restore")
        if card is None:
            return None
        edits.box.edit(action, kind, id=card)
        return str(card)

    return deed


def _merge(kind: str) -> Callable[[Edits], str | None]:
    """Merge two cards."""

    def deed(edits: Edits) -> str | None:
        kept, gone = edits.some(kind), edits.some(kind)
        if kept is None or gone is None or kept == gone:
            return None
        edits.box.edit("merge", kind, id=kept, other=gone)
        return f"{gone} into {kept}"

    return deed


DEEDS: dict[str, tuple[int, Callable[[Edits], str | None]]] = {
    "new lead": (6, _new_lead),
    "import": (2, _import),
    "move": (8, _lead(lambda edits: edits.stage())),
    "price": (4, _lead(lambda edits: {"price": edits.random.choice(PRICES)})),
    "responsible": (2, _lead(lambda edits: {"responsible_user_id": edits.random.choice(MANAGERS)})),
    "lead's name": (2, _lead(lambda edits: {"name": edits.random.choice(WORDS)})),
    "fields": (4, _lead(lambda edits: {"custom_fields_values": edits.texts()})),
    "tag": (1, _lead(lambda edits: {"tags_to_add": [{"name": edits.random.choice(WORDS)}]})),
    "dated back": (1, _lead(lambda edits: {"price": edits.random.choice(PRICES), "updated_at": edits.moment()})),
    "contact's name": (3, _person(lambda edits: {"name": edits.name()})),
    "contact's phones": (3, _person(lambda edits: {
        "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": edits.phone()} for _ in range(edits.random.choice((1, 2)))]}]
    })),
    "no phone": (1, _person(lambda edits: {"custom_fields_values": [{"field_code": "PHONE", "values": None}]})),
    "link": (4, _link),
    "another main contact": (3, _change_main),
    "unlink": (2, _unlink),
    "task": (6, _task),
    "task done": (3, _task_change(lambda edits: {"is_completed": True, "result": {"text": "Готово"}})),
    "task put off": (2, _task_change(lambda edits: {"complete_till": edits.now + edits.random.randrange(30 * DAY_S)})),
    "task erased": (1, _task_erased),
    "note": (2, _note),
    "lead into the bin": (3, _bin("leads", "delete")),
    "lead restored": (2, _bin("leads", "restore")),
    "contact into the bin": (1, _bin("contacts", "delete")),
    "contact restored": (1, _bin("contacts", "restore")),
    "leads merged": (1, _merge("leads")),
    "contacts merged": (1, _merge("contacts")),
}  # fmt: skip
"""Edits by name: frequency, and the deed, which returns words, or None without anything to edit."""

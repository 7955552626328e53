"""A person's doings at AmoCRM's own screens: cards typed in, moved, deleted and restored, notes, tasks, people leaving.

It all goes the API's way into the store, so events, hooks and the ledger tell of it; no request stands behind it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from sandbox.api import card_writing, cards, links, notes, tasks
from sandbox.api.card_input import READ, stages_of
from sandbox.api.checks import Item, pass_or_refuse_one
from sandbox.changes import Work
from sandbox.club import habits, people, structure
from sandbox.control.order import BadOrder, Order
from sandbox.store.schema import CARDS

ACTIONS = ("create", "update", "move", "delete", "restore", "note", "task", "merge", "random", "user", "enable_hook")


def edit(order: Order) -> dict[str, Any]:
    """POST /_sandbox/edit {action, entity?, id?, fields?, user_id?, …}; `random` takes {count, seed?}."""
    order.only(
        "action", "entity", "id", "fields", "user_id", "count", "seed", "status_id", "pipeline_id", "text", "other"
    )
    action = order.take("action", str)
    if action not in ACTIONS:
        raise BadOrder(f"action: {action!r} is none of {', '.join(ACTIONS)}")
    kind = order.take("entity", str, "leads")
    if kind not in CARDS:
        raise BadOrder(f"entity: {kind!r} is none of {', '.join(CARDS)}")
    return DO[action](order, kind)


def _actor(order: Order) -> int:
    return order.take("user_id", int, structure.MANAGERS[0])


def _create(order: Order, kind: str) -> dict[str, Any]:
    """`fields` in the API's form."""

    def job(work: Work) -> int:
        item = Item(order.take("fields", dict, {}))
        row = card_writing.create_one(order.call, kind, item)
        pass_or_refuse_one(item)
        return row["id"] if row else 0

    return {"id": order.do(job, _actor(order))}


def _update(order: Order, kind: str) -> dict[str, Any]:
    """`fields` in the API's form; `move` may name status_id and pipeline_id besides."""
    data = dict(order.take("fields", dict, {}))
    data |= {key: order.data[key] for key in ("status_id", "pipeline_id") if key in order.data}

    def job(work: Work) -> int:
        before = _card(order, work, kind)
        item = Item(data)
        values = READ[kind](work, item, before)
        pass_or_refuse_one(item)
        return cards.update(work, kind, before, values)["id"]

    return {"id": order.do(job, _actor(order))}


def _delete(order: Order, kind: str) -> dict[str, Any]:
    def job(work: Work) -> int:
        before = _card(order, work, kind)
        cards.move_to_bin(work, kind, before)
        return before["id"]

    return {"id": order.do(job, _actor(order))}


def _restore(order: Order, kind: str) -> dict[str, Any]:
    def job(work: Work) -> int:
        before = _card(order, work, kind, deleted=True)
        cards.restore(work, kind, before)
        return before["id"]

    return {"id": order.do(job, _actor(order))}


def _note(order: Order, kind: str) -> dict[str, Any]:
    def job(work: Work) -> int:
        card = _card(order, work, kind)
        params = json.dumps({"text": order.take("text", str, "")}, ensure_ascii=False)
        return notes.insert(work, kind, card["id"], {"note_type": "common", "params": params})["id"]

    return {"id": order.do(job, _actor(order))}


def _task(order: Order, kind: str) -> dict[str, Any]:
    def job(work: Work) -> int:
        card = _card(order, work, kind)
        values = {"entity_type": kind, "entity_id": card["id"], "text": order.take("text", str, "Позвонить")}
        return tasks.insert(work, values | {"complete_till": work.now + habits.DAY_S})["id"]

    return {"id": order.do(job, _actor(order))}


def _merge(order: Order, kind: str) -> dict[str, Any]:
    """`id` swallows `other`: what hangs on the other one hangs on it from then on, and the other one is gone (sheet 8, item 21)."""

    def job(work: Work) -> int:
        kept, gone_id = _card(order, work, kind), order.take("other", int)
        gone = cards.find(work, kind, [gone_id]).get(gone_id)
        if gone is None or gone_id == kept["id"]:
            raise BadOrder(f"other: no other {kind} with the number {gone_id} outside the bin")
        for link in links.of_cards(work, kind, [gone_id])[gone_id]:
            links.remove(work, kind, gone_id, link["type"], link["id"])
            if not links.linked(work, kind, kept["id"], link["type"], link["id"]):
                # Of a contact that was swallowed its leads keep their main one; a lead's own main contact stays what it was.
                main = bool(link["is_main"]) if kind == "contacts" else None
                links.add(work, kind, kept["id"], link["type"], link["id"], main=main)
        for table in ("notes", "tasks"):
            work.store.update(table, {"entity_id": kept["id"]}, entity_type=kind, entity_id=gone_id)
        tasks.note_closest(work, kind, kept["id"])
        cards.move_to_bin(work, kind, gone)
        cards.update(work, kind, cards.find(work, kind, [kept["id"]])[kept["id"]], {})
        work.changed("merged", kind, kept["id"], gone, kept)
        return kept["id"]

    return {"id": order.do(job, _actor(order))}


def _user(order: Order, kind: str) -> dict[str, Any]:
    """`id` with `fields` {is_active?, is_admin?}: a person leaves, or is promoted."""
    fields = order.take("fields", dict, {})
    wanted = {key: bool(value) for key, value in fields.items() if key in ("is_active", "is_admin")}
    user_id = order.take("id", int)
    if order.world.store.value("SELECT 1 FROM users WHERE id = ?", [user_id]) is None or not wanted:
        raise BadOrder("user: id of a user, fields with is_active or is_admin")
    order.do(lambda work: work.store.update("users", wanted, id=user_id))
    return {"id": user_id} | wanted


def _enable_hook(order: Order, kind: str) -> dict[str, Any]:
    """Put a webhook that was switched off back on, as an admin does by hand (sheet 7.1)."""
    hook_id = order.take("id", int)
    order.do(lambda work: work.store.update("webhooks", {"disabled": 0}, id=hook_id))
    order.world.courier.bad_at.pop(hook_id, None)
    return {"id": hook_id}


def _random(order: Order, kind: str) -> dict[str, Any]:
    """`count` edits of leads, each edit a piece of work of its own; equal `seed` and club give equal edits."""
    count, random = order.take("count", int, 1), Random(order.take("seed", int, 1))
    done = []
    for _ in range(count):
        user_id = random.choice(structure.MANAGERS)
        done.append(order.do(lambda work: _some_edit(order, work, random), user_id))
    return {"done": done}


def _some_edit(order: Order, work: Work, random: Random) -> dict[str, Any]:
    deed = random.choices(
        ("move", "price", "responsible", "direction", "note", "create", "delete"), (8, 4, 2, 3, 3, 4, 1)
    )[0]
    total = work.store.value("SELECT count(*) FROM leads WHERE is_deleted = 0")
    if deed == "create" or not total:
        return {"action": "create", "id": _some_lead(order, random)}
    sql = "SELECT id FROM leads WHERE is_deleted = 0 ORDER BY id LIMIT 1 OFFSET ?"
    lead_id = work.store.value(sql, [random.randrange(total)])
    lead = cards.find(work, "leads", [lead_id])[lead_id]
    if deed == "delete":
        cards.move_to_bin(work, "leads", lead)
    elif deed == "note":
        params = json.dumps({"text": "Клиент просил перезвонить"}, ensure_ascii=False)
        notes.insert(work, "leads", lead_id, {"note_type": "common", "params": params})
    else:
        changes = _changes(work, lead, deed, random)
        cards.update(work, "leads", lead, READ["leads"](work, Item(changes), lead))
    return {"action": deed, "id": lead_id}


def _changes(work: Work, lead: dict[str, Any], deed: str, random: Random) -> dict[str, Any]:
    if deed == "move":
        stages = [stage for stage in stages_of(work)[lead["pipeline_id"]] if stage != lead["status_id"]]
        return {"status_id": random.choice(stages), "price": lead["price"] or (5500 if random.random() < 0.2 else 0)}
    if deed == "price":
        return {"price": random.choice(habits.PRICES)}
    if deed == "responsible":
        return {"responsible_user_id": random.choice(structure.MANAGERS)}
    value = random.choice([name for name in habits.DIRECTIONS if name])
    return {"custom_fields_values": [{"field_id": structure.DIRECTION_FIELD, "values": [{"value": value}]}]}


def _some_lead(order: Order, random: Random) -> int:
    """A caller typed in by a manager: contact first, then the lead."""
    someone, phone = people.person(random), people.spelt(people.phone(random), random)
    contact = card_writing.create_one(
        order.call,
        "contacts",
        Item(
            {
                "first_name": someone.first_name,
                "last_name": someone.last_name,
                "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": phone}]}],
            }
        ),
    )
    lead = card_writing.create_one(
        order.call,
        "leads",
        Item(
            {
                "name": f"Звонок: {someone.first_name}",
                "custom_fields_values": [
                    {"field_id": structure.PHONE_FIELD, "values": [{"value": phone}]},
                    {"field_id": structure.SOURCE_FIELD, "values": [{"value": "Звонок"}]},
                ],
                "_embedded": {"contacts": [{"id": contact["id"] if contact else 0}]},
            }
        ),
    )
    return lead["id"] if lead else 0


def _card(order: Order, work: Work, kind: str, *, deleted: bool = False) -> dict[str, Any]:
    card_id = order.take("id", int)
    found = cards.find(work, kind, [card_id] if card_id is not None else [], deleted=deleted)
    if not found:
        where = "in the bin" if deleted else "outside the bin"
        raise BadOrder(f"id: no {kind} with the number {card_id} {where}")
    return found[card_id]


DO: dict[str, Callable[[Order, str], dict[str, Any]]] = {
    "create": _create,
    "update": _update,
    "move": _update,
    "delete": _delete,
    "restore": _restore,
    "note": _note,
    "task": _task,
    "merge": _merge,
    "random": _random,
    "user": _user,
    "enable_hook": _enable_hook,
}

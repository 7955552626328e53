"""Changing the sandbox itself: switches, faults, a clean slate, the block, the account's address."""

from __future__ import annotations

import random
from typing import Any

from sandbox import config
from sandbox.control.order import BadOrder, Order
from sandbox.options import MOST_LEADS


def read_config(order: Order) -> dict[str, Any]:
    """GET /_sandbox/config: every switch with its value."""
    return order.world.config.as_json()


def change_config(order: Order) -> dict[str, Any]:
    """PATCH /_sandbox/config {switch: value, …}: all switches or none."""
    world = order.world
    world.config = config.changed(world.config, order.data)
    world.clock.shift_s = world.config.clock_shift_s
    if "hook_seed" in order.data:
        world.courier.random = random.Random(world.config.hook_seed)
    world.courier.wake()
    return world.config.as_json()


def read_faults(order: Order) -> list[dict[str, Any]]:
    """GET /_sandbox/faults: the rules and how often each fired."""
    return [rule.as_json() for rule in order.world.faults.rules]


def add_fault(order: Order) -> dict[str, Any]:
    """POST /_sandbox/faults {action, match?, …}."""
    return order.world.faults.add(order.data).as_json()


def remove_faults(order: Order) -> dict[str, Any]:
    """DELETE /_sandbox/faults, or /_sandbox/faults/{id} for a single fault."""
    if order.rest and not order.rest.isdecimal():
        raise BadOrder(f"faults: {order.rest!r} is not a rule's id")
    return {"removed": order.world.faults.remove(int(order.rest) if order.rest else None)}


def reset(order: Order) -> dict[str, Any]:
    """POST /_sandbox/reset {leads?, seed?, now?}: a new club, as after a start."""
    order.only("leads", "seed", "now")
    leads, seed, now = (order.take(name, int) for name in ("leads", "seed", "now"))
    if leads is not None and not 0 <= leads <= MOST_LEADS:
        raise BadOrder(f"leads: from 0 to {MOST_LEADS}")
    order.world.reset(leads=leads, seed=seed, now=now)
    return {"leads": order.world.store.value("SELECT count(*) FROM leads")}


def unblock(order: Order) -> dict[str, Any]:
    """POST /_sandbox/unblock: the work of AmoCRM's support."""
    was_blocked = order.world.limiter.blocked
    order.world.limiter.lift()
    if was_blocked:
        order.world.ledger.add("block", event="lifted", request_seq=None)
    return {"was_blocked": was_blocked}


def rename(order: Order) -> dict[str, Any]:
    """POST /_sandbox/rename {subdomain, old_host?: 401|404}: the account moves to another port (sheet 3.7).

    Here a domain is host and port, so a new subdomain is a new port. The portal and `api_domain` stay where they are.
    """
    order.only("subdomain", "old_host")
    subdomain, old_host = order.take("subdomain", str), order.take("old_host", int, 404)
    if not subdomain:
        raise BadOrder("subdomain: the account's new name")
    if old_host not in (401, 404):
        raise BadOrder("old_host: 401 or 404")
    world = order.world
    if world.open_port is None:
        raise BadOrder("rename: the server is not listening yet")
    world.account_port = world.open_port()
    world.old_host_answer = old_host
    world.store.remember("subdomain", subdomain)
    return {"account_domain": order.call.account_domain, "api_domain": order.call.api_domain, "subdomain": subdomain}

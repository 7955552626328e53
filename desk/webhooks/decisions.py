"""The decisions about webhooks, without a network or a database: tables for tests."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from crm.webhooks import Subscription
from desk.settings import is_loopback
from desk.webhooks.bodies import HookContent

PATH = "/api/amocrm/webhook/"

CARD_EVENTS = (
    "add_lead", "update_lead", "delete_lead", "restore_lead", "status_lead", "responsible_lead",
    "add_contact", "update_contact", "delete_contact", "restore_contact",
)  # fmt: skip
TASK_EVENTS = ("add_task", "update_task", "delete_task", "responsible_task")

EVENTS = CARD_EVENTS + TASK_EVENTS
"""Changes of the objects that the mirror holds. An account without `update_task` (sheet 5.13) refuses the whole: then
`CARD_EVENTS` are asked for, and tasks are left to their round. `update_lead` is said to be missing where only the stage has changed, and the other way round
(sheet 7.6), so both are asked for."""

NO_ADDRESS = "hooks_no_address"

SAME_SECOND_S = 2.0
"""AmoCRM tells times in whole seconds: an object fetched this much later has seen every change of that second."""

SILENT_MISSES = 3
"""So many changes in an hour that no hook told, and no hook came: AmoCRM's calls do not reach us."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Requests to make of AmoCRM, in order: `drop_first`, subscribe, `drop`. Destinations are whole addresses."""

    subscribe: bool = False
    drop_first: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


def unreachable(base_url: str, amo_url: str) -> str | None:
    """Why AmoCRM cannot call the desk's address; None if AmoCRM can. An AmoCRM on this machine reaches this machine.

    A public address is an https one: the settings take no other.
    """
    host = (urlsplit(base_url).hostname or "").rstrip(".")
    if is_loopback(host):
        return None if is_loopback(urlsplit(amo_url).hostname or "") else NO_ADDRESS
    try:
        public = ipaddress.ip_address(host).is_global
    except ValueError:
        public = "." in host and not host.endswith((".local", ".internal", ".lan", ".localhost", ".test", ".invalid"))
    return None if public else NO_ADDRESS


def plan(listed: Iterable[Subscription], address: str, is_ours: Callable[[str], bool]) -> Plan:
    """Decide what to change in the account's subscriptions. `is_ours`: whether a destination is the desk's.

    One that AmoCRM has switched off comes back only as a new one: a second POST leaves it off (sheet 5.13).
    """
    ours = [one for one in listed if one.destination == address or is_ours(one.destination)]
    present = [one for one in ours if one.destination == address]
    off = tuple(one.destination for one in present if one.disabled)
    whole = any(set(EVENTS) <= set(one.events) and not one.disabled for one in present)
    former = tuple(one.destination for one in ours if one.destination != address)
    return Plan(subscribe=not whole, drop_first=off, drop=former)


def disbelief(told: HookContent, account_id: int | None, subdomain: str | None) -> str | None:
    """Why a hook is not believed: another account sent the hook, or the account is unknown; None for the desk's own account."""
    if account_id is None:
        return "account_unknown"
    if told.account_id is not None:
        return None if told.account_id == account_id else "another_account"
    return None if told.subdomain and told.subdomain == subdomain else "another_account"


def is_again(state: str, *, told_at: int | None, fetched_at: float | None) -> bool:
    """Whether a body that came before needs no fetching this time.

    `state`: of the earlier one; `fetched_at`: when it was dealt with, unix seconds by AmoCRM's clock. Two deletions of one
    lead look alike and name no time, so a body is only spared where the fetch is still to come or has seen that second.
    """
    if state == "new":
        return True
    return told_at is not None and fetched_at is not None and fetched_at >= told_at + SAME_SECOND_S


def word(state: str, *, heard: int, missed: int) -> str:
    """The state in one word: the result of the last check, or "silent" if the check is content and no hook comes."""
    return "silent" if state == "on" and not heard and missed >= SILENT_MISSES else state

"""AmoCRM's webhook bodies: forms with PHP's brackets (sheet 7.2, 7.3), read up to a limit. Pure.

    leads[update][0][id]=1190401&leads[update][0][updated_at]=1672189247&…&account[id]=30739638

Taken from a body: which leads, contacts and tasks it tells of, the newest change it names, whose account it is. Names, phones
and field values are not looked at: the objects are fetched again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

LARGEST_BYTES = 512 * 1024
"""A lead with every field of an account filled takes about 10 KB; AmoCRM puts ten or so into one body at most."""

MOST_PAIRS = 10_000
"""Pairs of a body at most: a lead has some hundred."""

DEEPEST = 12
"""Brackets one inside the other; a value of a field is the eighth."""

LONGEST_KEY = 300
GREATEST_INDEX = 9_999
"""Objects in a body at most. More would not fit."""

GREATEST_ID = 2**53
GREATEST_TIME = 2**40

ACTIONS = frozenset({"add", "update", "delete", "restore", "status", "responsible"})
NOTE = "note"
TIMES = ("last_modified", "updated_at")

ELEMENTS = {"1": "contacts", "2": "leads"}
"""The key of a note's card, by AmoCRM's number of the kind."""

ENTITIES = {"leads": "leads", "contacts": "contacts", "task": "tasks"}
"""The desk's word for the objects under a root."""

KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


class InvalidHook(Exception):
    """A body that cannot be taken for a hook. `reason`: a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class HookContent:
    """The content of a body. `changed_at`: the newest change named, unix seconds by AmoCRM's clock; None without any."""

    ids: dict[str, list[int]] = field(default_factory=dict)
    changed_at: int | None = None
    account_id: int | None = None
    subdomain: str | None = None


def read(body: bytes) -> HookContent:
    """Read a body's news. Raises `InvalidHook` if the body is none of AmoCRM's, or larger than any of AmoCRM's."""
    account: dict[str, str] = {}
    objects: dict[tuple[str, str, str], dict[tuple[str, ...], str]] = defaultdict(dict)
    for path, value in _pairs(body):
        if path[0] == "account" and len(path) == 2:
            account[path[1]] = value
        elif path[0] in ENTITIES and len(path) >= 4:
            if number(path[2], GREATEST_INDEX) is None:
                raise InvalidHook("index")
            objects[path[0], path[1], path[2]][path[3:]] = value
    if not account:
        raise InvalidHook("not_a_hook")
    return HookContent(
        ids=_ids(objects),
        changed_at=_newest(objects),
        account_id=number(account.get("id", ""), GREATEST_ID),
        subdomain=account.get("subdomain") or None,
    )


def number(text: str, greatest: int) -> int | None:
    """A whole number of plain digits, from 0 to `greatest`; None for any other text."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(greatest))):
        return None
    return int(text) if int(text) <= greatest else None


def _pairs(body: bytes) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each value with its path: `leads[update][0][id]` is ("leads", "update", "0", "id"). Other keys are passed over."""
    if len(body) > LARGEST_BYTES:
        raise InvalidHook("too_large")
    try:
        found = parse_qsl(body.decode("latin-1"), keep_blank_values=True, errors="replace", max_num_fields=MOST_PAIRS)
    except ValueError:
        raise InvalidHook("too_many") from None
    for key, value in found:
        if key.count("[") > DEEPEST:
            raise InvalidHook("too_deep")
        match = KEY.fullmatch(key) if len(key) <= LONGEST_KEY else None
        if match is not None:
            inner = match[2][1:-1].split("][") if match[2] else []
            yield (match[1], *inner), value


def _ids(objects: Mapping[tuple[str, str, str], Mapping[tuple[str, ...], str]]) -> dict[str, list[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for (root, action, _), values in objects.items():
        if action in ACTIONS and values.get(("type",)) != "company":  # companies come under "contacts", sheet 7.3
            found[ENTITIES[root]].add(number(values.get(("id",), ""), GREATEST_ID) or 0)
            if action == "restore":
                found["leads"] |= _linked_leads(values)
        elif action == NOTE and (entity := ELEMENTS.get(values.get((NOTE, "element_type"), ""))):
            found[entity].add(number(values.get((NOTE, "element_id"), ""), GREATEST_ID) or 0)
    return {entity: sorted(ids - {0}) for entity, ids in found.items() if ids - {0}}


def _linked_leads(values: Mapping[tuple[str, ...], str]) -> set[int]:
    """Of a contact that came back: they show a contact again, and no hook of their own tells so."""
    linked = [value for path, value in values.items() if path[0] == "linked_leads_id"]
    return {number(value, GREATEST_ID) or 0 for value in linked}


def _newest(objects: Mapping[tuple[str, str, str], Mapping[tuple[str, ...], str]]) -> int | None:
    told = [number(values.get((name,), ""), GREATEST_TIME) for values in objects.values() for name in TIMES]
    return max((time for time in told if time), default=None)

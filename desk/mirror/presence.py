"""Ids missing from AmoCRM's answers, and the proof that they are gone.

An answer in which something is missing is no proof that it is gone: pages are cut, caches answer, a filter is not understood.
So what was asked for by id and did not come is asked for a second time in another way, and only what is missing twice is gone:

    the bin, by id ─► AmoCRM says that it is in it              one request for each 250
    few are left   ─► each by its own address, 204 or 404       one request each
    many are left  ─► by id again, in other and smaller lists   one request for each 10
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from crm import walk
from crm.client import Client
from crm.walk import Kind
from desk.mirror import collections

SINGLES = 10
"""Ids asked for singly, or in a common list."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The fate of some ids: `found`, as AmoCRM has them; `gone`, proved."""

    found: list[dict[str, Any]] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)


def look(client: Client, kind: Kind, ids: Iterable[int], *, hinted_gone: Iterable[int] = ()) -> Seen:
    """Read the present state of ids. A request for each 250, and some more for missing ids.

    `hinted_gone`: of these AmoCRM's list of the bin has told already; that they are missing as well is the second answer.
    Raises what AmoCRM does: then nothing is proved.
    """
    wanted = set(ids)
    found = walk.by_ids(client, kind, wanted) if wanted else []
    missing = wanted - {item["id"] for item in found}
    sure = missing & set(hinted_gone)
    again = confirm(client, kind, missing - sure)
    return Seen(found + again.found, again.gone | sure)


def confirm(client: Client, kind: Kind, missing: Iterable[int]) -> Seen:
    """Prove whether missing ids are gone, or there all the same."""
    left = set(missing)
    if not left:
        return Seen()
    gone = collections.binned(client, kind, left) if kind.has_bin else set()
    left -= gone
    found: list[dict[str, Any]] = []
    if len(left) > SINGLES:
        for some in _lists(left):
            found += walk.by_ids(client, kind, some)
        return Seen(found, gone | (left - {item["id"] for item in found}))
    for one in sorted(left):
        item = walk.one(client, kind, one)
        if item is None:
            gone.add(one)
        else:
            found.append(item)
    return Seen(found, gone)


def _lists(ids: Iterable[int]) -> Iterable[list[int]]:
    """Short lists with ids in another company than in the first question."""
    ordered = sorted(ids, reverse=True)
    count = -(-len(ordered) // SINGLES)
    return [ordered[start::count] for start in range(count)]

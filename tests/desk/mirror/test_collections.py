"""Walks over collections that change while they are read, against a made-up AmoCRM that does as it is told."""

from __future__ import annotations

import pytest

from crm.client import Client
from crm.walk import LEADS
from desk.mirror.collections import changed_since

NOON = 1_790_000_000


class Shifting(Client):
    """Leads by their last change. `meanwhile`: what happens to them before each request, by its number from 1."""

    def __init__(self, times, meanwhile=None):
        self.times, self.meanwhile, self.asked = dict(times), meanwhile or {}, 0

    def page(self, path, operation, params, page, limit, *, live):
        self.asked += 1
        self.meanwhile.get(self.asked, lambda times: None)(self.times)
        told = dict(params)
        since, until = told["filter[updated_at][from]"], told.get("filter[updated_at][to]", NOON * 2)
        rows = sorted((time, one) for one, time in self.times.items() if since <= time <= until)
        some = [{"id": one, "updated_at": time} for time, one in rows[(page - 1) * limit : page * limit]]
        following = {"next": {"href": "…"}} if len(rows) > page * limit else {}
        return {"_embedded": {"leads": some}, "_links": following}, page, limit


def changed(client, since=NOON - 30):
    """The last time told of each lead."""
    return {item["id"]: item["updated_at"] for page in changed_since(client, LEADS, since) for item in page}


@pytest.mark.parametrize("count", [249, 250, 251, 500, 501, 900])
@pytest.mark.parametrize("before", [0, 1, 250, 300])
def test_hundreds_of_leads_changed_in_one_second(count, before):
    """Somebody has edited them all at once: all of them are read, whatever changed before and after."""
    times = dict.fromkeys(range(count), NOON)
    times |= {1000 + one: NOON - 20 + one % 10 for one in range(before)} | {5000: NOON + 5}
    client = Shifting(times)
    assert changed(client) == times


@pytest.mark.parametrize("at", range(1, 7))
def test_what_changes_again_meanwhile_hides_nothing(at):
    """A lead of a full second changes once more while its pages are read: what moves up into its place is read too."""
    client = Shifting(dict.fromkeys(range(700), NOON), {at: lambda times: times.update({3: NOON + 50, 4: NOON + 50})})
    assert changed(client).keys() == set(range(700))


def test_a_quiet_round_is_one_request():
    """Where less than a page has changed, nothing is asked twice."""
    client = Shifting({1: NOON, 2: NOON})
    assert (changed(client), client.asked) == ({1: NOON, 2: NOON}, 1)

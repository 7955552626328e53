"""The control routes: what they show, what they change, and how they refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from sandbox.club.structure import MANAGERS, SALES, WORKING
from sandbox.config import Config
from sandbox.process import Sandbox, SandboxError
from tests.sandbox.conftest import LEADS, Api


def test_state_is_one_look_at_everything(box: Sandbox, api: Api) -> None:
    """Counts, keys, people, pace, and every switch."""
    api.get("leads")
    state = box.state()
    assert state["counts"]["leads"] == LEADS
    assert state["ledger"]["requests"] == 1
    assert state["ledger"]["busiest_second"] == 1
    assert state["config"] == box.config()
    assert len(state["users"]) == 6


def test_every_switch_can_be_set_to_what_it_is(box: Sandbox) -> None:
    """The whole configuration, sent back, is accepted and changes nothing."""
    whole = box.config()
    assert set(whole) == set(Config().as_json())
    assert box.config(**whole) == whole


@pytest.mark.parametrize(
    ("switches", "word"),
    [
        ({"rpss": 1}, "latency_ms"),
        ({"rps": 0}, "rps"),
        ({"rps": "7"}, "whole number"),
        ({"rps": 1.5}, "whole number"),
        ({"html_429": 1}, "true nor false"),
        ({"paid": "maybe"}, "reads_only"),
        ({"refresh_mode": "never"}, "grace"),
        ({"scopes": "crm"}, "list"),
        ({"hook_lose": 2}, "between 0 and 1"),
        ({"latency_ms": -1}, "between"),
        ({"missing_single": 500}, "204"),
        ({"latency_ms": 1, "rps": "x"}, "rps"),
    ],
)
def test_bad_switches_are_refused_and_change_nothing(box: Sandbox, switches: dict[str, Any], word: str) -> None:
    """An unknown one lists those there are; of several none is set."""
    before = box.config()
    with pytest.raises(SandboxError, match=word):
        box.control("PATCH", "config", switches)
    assert box.config() == before


def test_ledger_has_each_request_with_what_came_of_it(box: Sandbox, api: Api) -> None:
    """Method, path, query, body, status, time, duration, client; and the changes with their payload."""
    since = box.last_seq()
    lead = api.post("leads?x=1", [{"name": "Анна", "price": 5}]).json()["_embedded"]["leads"][0]["id"]
    (request,) = box.ledger("request", since=since)
    assert {key: request[key] for key in ("method", "path", "query", "status", "client_id", "fault")} == {
        "method": "POST", "path": "/api/v4/leads", "query": "x=1", "status": 200, "client_id": box.client_id, "fault": None,
    }  # fmt: skip
    assert request["body"] == [{"name": "Анна", "price": 5}]
    assert request["duration_ms"] > 0
    (change,) = box.ledger("change", since=since)
    assert (change["change"], change["entity"], change["id"]) == ("added", "leads", lead)
    assert change["request_seq"] == request["seq"]
    assert change["payload"]["price"] == 5
    assert change["payload"]["tags"] == []
    assert [entry["seq"] for entry in box.ledger(limit=1)] == [box.last_seq()]


def test_ledger_never_holds_a_secret(box: Sandbox) -> None:
    """Codes, tokens and the client secret appear as fingerprints, in JSON as in forms."""
    code = box.code()
    body = {"client_id": box.client_id, "client_secret": box.client_secret, "redirect_uri": box.redirect_uri}
    body |= {"grant_type": "authorization_code", "code": code}
    pair = requests.post(f"{box.url}/oauth2/access_token", json=body, timeout=60).json()
    body |= {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    pair2 = requests.post(f"{box.url}/oauth2/access_token", data=body, timeout=60).json()
    box.session(pair2["access_token"]).get(f"{box.url}/api/v4/account", timeout=60)
    text = json.dumps(box.ledger())
    secrets = [
        box.client_secret,
        code,
        *(each[key] for each in (pair, pair2) for key in ("access_token", "refresh_token")),
    ]
    assert not [secret for secret in secrets if secret in text]
    for broken in (f'{{"client_secret": "{box.client_secret}", ', f"client_secret={box.client_secret}"):
        requests.post(f"{box.url}/oauth2/access_token", data=broken, timeout=60)
    assert box.client_secret not in json.dumps(box.ledger())
    tokens = box.ledger("token")
    assert [entry["event"] for entry in tokens] == ["code issued", "issued", "spent", "refreshed"]
    assert tokens[3]["replaces"] == tokens[1]["refresh"] == tokens[2]["refresh"]
    assert all(len(entry["refresh"]) == 12 for entry in tokens[1:])


def test_entities_show_the_bin_too(box: Sandbox, api: Api) -> None:
    """The truth, by id, newest first, with JSON columns read; and a cheap count."""
    lead = api.lead(name="x", custom_fields_values=[{"field_id": 264913, "values": [{"value": "Йога"}]}])
    box.edit("delete", id=lead)
    (row,) = box.entities("leads", lead)
    assert (row["is_deleted"], row["custom_fields"]) == (1, {"264913": [{"value": "Йога"}]})
    assert [row["id"] for row in box.entities("leads", limit=1)] == [lead]
    assert box.count("leads") == LEADS + 1
    with pytest.raises(SandboxError, match="leads"):
        box.entities("deals")


def test_reset_makes_everything_new(box: Sandbox, api: Api) -> None:
    """Other leads, no tokens, no faults, no hooks, switches as at the start, an empty ledger."""
    api.post("webhooks", {"destination": "http://127.0.0.1:9/x", "settings": ["add_lead"]})
    box.fault("status", status=500)
    box.config(latency_ms=5, paid=False)
    box.reset(leads=5)
    assert (box.count("leads"), box.count("webhooks"), box.ledger()) == (5, 0, [])
    assert box.config()["paid"] == "yes"
    assert box.control("GET", "faults") == []
    assert api.get("account").status_code == 401
    with pytest.raises(SandboxError, match="leads"):
        box.control("POST", "reset", {"leads": -1})


def test_people_edit_as_they_do_at_the_screen(box: Sandbox, api: Api) -> None:
    """Create, update, move, note, task, delete, restore: as a manager, seen by the API at once."""
    made = box.edit("create", fields={"name": "С улицы"}, user_id=MANAGERS[2])["id"]
    assert api.get(f"leads/{made}").json()["created_by"] == MANAGERS[2]
    box.edit("update", id=made, fields={"price": 900})
    box.edit("move", id=made, status_id=WORKING[SALES][3])
    box.edit("note", id=made, text="был на пробном")
    box.edit("task", id=made, text="перезвонить")
    shown = api.get(f"leads/{made}").json()
    assert (shown["price"], shown["status_id"]) == (900, WORKING[SALES][3])
    assert shown["closest_task_at"] is not None
    assert api.items(f"leads/{made}/notes")[0]["params"]["text"] == "был на пробном"
    box.edit("delete", id=made)
    assert api.get(f"leads/{made}").status_code == 204
    box.edit("restore", id=made)
    assert api.get(f"leads/{made}").status_code == 200
    with pytest.raises(SandboxError, match="NotSupportedChoice"):
        box.edit("move", id=made, status_id=1)
    with pytest.raises(SandboxError, match="no leads"):
        box.edit("update", id=1, fields={})


def test_random_edits_are_repeatable(box: Sandbox) -> None:
    """The same seed on the same club does the same things; each is a piece of work of its own."""
    now = 1_760_000_000
    box.reset(leads=30, now=now)
    first = box.edit("random", count=25, seed=4)["done"]
    assert len(first) == 25
    assert len(box.ledger("change")) >= 25
    box.reset(leads=30, now=now)
    assert box.edit("random", count=25, seed=4)["done"] == first


@pytest.mark.parametrize(
    ("method", "path", "data", "word"),
    [
        ("GET", "nowhere", None, "no such control"),
        ("POST", "edit", {"action": "explode"}, "create"),
        ("POST", "edit", {"action": "create", "entity": "deals"}, "contacts"),
        ("POST", "edit", {"action": "create", "feilds": {}}, "fields"),
        ("POST", "grant", {"user_id": 1}, "nobody"),
        ("POST", "grant", {"long_lived_days": 5000}, "1825"),
        ("POST", "rename", {}, "subdomain"),
        ("POST", "rename", {"subdomain": "x", "old_host": 500}, "401 or 404"),
        ("POST", "integration", {"redirect_uri": "x"}, "redirect_uri"),
        ("POST", "tokens/expire", {"acess": True}, "access"),
    ],
)
def test_bad_orders_are_refused_with_a_sentence(box: Sandbox, method: str, path: str, data: Any, word: str) -> None:
    """Whoever misspells learns what there is."""
    with pytest.raises(SandboxError, match=word):
        box.control(method, path, data)


def test_control_takes_only_json_objects(box: Sandbox) -> None:
    """Anything else is 400 with a sentence."""
    for body in ("nonsense", "[1]"):
        answer = requests.patch(f"{box.url}/_sandbox/config", data=body, timeout=60)
        assert answer.status_code == 400
        assert "JSON" in answer.json()["error"]


def test_screens_behind_links_open_in_a_browser(box: Sandbox, api: Api) -> None:
    """A lead's and a contact's card as pages, without a token and outside the limit; an unknown one is not found."""
    box.config(rps=1)
    item = next(item for item in api.items("leads?limit=250&with=contacts") if item["_embedded"]["contacts"])
    page = requests.get(f"{box.url}/leads/detail/{item['id']}", timeout=60)
    assert page.status_code == 200
    assert item["name"] in page.text
    contact = item["_embedded"]["contacts"][0]["id"]
    assert f"/contacts/detail/{contact}" in page.text
    assert requests.get(f"{box.url}/contacts/detail/{contact}", timeout=60).status_code == 200
    assert requests.get(f"{box.url}/leads/detail/1", timeout=60).status_code == 404
    assert "песочница" in requests.get(f"{box.url}/", timeout=60).text


def test_names_on_screens_are_text(box: Sandbox, api: Api) -> None:
    """Markup in a name stays a name."""
    lead = api.lead(name="<script>alert(1)</script>")
    assert "<script>alert" not in requests.get(f"{box.url}/leads/detail/{lead}", timeout=60).text

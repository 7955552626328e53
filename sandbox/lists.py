"""Lists that answer another question: the `garbage` a client should recognise by looking at the rows.

They are whole and well-formed, and of real rows: only reading them shows that they are wrong.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

from sandbox.answers import Answer, dump, hal
from sandbox.brackets import scalars
from sandbox.call import Call

OTHER = {"leads": "contacts", "contacts": "companies", "companies": "leads"}
"""The kind answered instead of a kind; leads instead of any other."""

KEPT = ("page", "limit", "with", "order[")
"""Beginnings of the parameters that the other question keeps: all parameters but filters."""


def limit_of(call: Call) -> int:
    """The `limit` of a request, 0 for a request without a limit."""
    given = call.query.get("limit")
    return int(given) if isinstance(given, str) and given.isdecimal() and len(given) < 10 else 0


def empty(call: Call) -> Answer:
    """An empty list, for which AmoCRM says 204."""
    links = {"self": {"href": call.url(call.path, call.raw_query)}}
    return hal({"_page": 1, "_links": links, "_embedded": {_kind(call): []}})


def other_question(call: Call, kind: str) -> dict[str, Any]:
    """Path and query of the question that is answered instead."""
    base, _, last = call.path.rpartition("/")
    path = base if last.isdecimal() else call.path
    if kind == "other_entity":
        path = f"/api/v4/{OTHER.get(_kind(call), 'leads')}"
    parts = [part for part in call.raw_query.split("&") if unquote_plus(part).startswith(KEPT)]
    return {"path": path, "raw_query": "&".join(parts)}


def without_what_was_asked(call: Call, answer: Answer) -> Answer:
    """The same list without the rows the request named; one of them if it named one by its address."""
    if answer.status != 200:
        return answer
    data = json.loads(answer.body)
    last = call.path.rpartition("/")[2]
    asked = {last, *scalars(call.filter("id"))}
    for key, rows in data.get("_embedded", {}).items():
        rows = [row for row in rows if str(row.get("id")) not in asked]
        if last.isdecimal() and rows:
            return replace(answer, body=dump(rows[0]))
        data["_embedded"][key] = rows
    return replace(answer, body=dump(data))


def _kind(call: Call) -> str:
    """The key under `_embedded` that the address promises."""
    words = [word for word in call.path.split("/") if word and not word.isdecimal()]
    return words[-1]

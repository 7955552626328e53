"""How leads, contacts and companies are shown: `GET /{kind}` and `GET /{kind}/{id}` (sheet 5.2, 5.4).

Filters, sorts and own keys of each kind stand in `leads.py`, `contacts.py` and `companies.py`.
"""

# ruff: noqa: S608 - the names put into SQL are this room's own; values travel as parameters

from __future__ import annotations

import json
from typing import Any

from sandbox.answers import Answer, hal, nothing, problem
from sandbox.api import cards, companies, contacts, field_values, leads, links, tags
from sandbox.api.listing import item_query, paged, select
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_ID
from sandbox.store import search
from sandbox.store.database import Row, marks

COLLECTIONS = {"leads": leads.LEADS, "contacts": contacts.CONTACTS, "companies": companies.COMPANIES}
SHAPES = {"leads": leads.shape, "contacts": contacts.shape, "companies": companies.shape}


def read_list(call: Call) -> Answer:
    """GET /{kind}: filters, `query`, sorts, pages; `with=only_deleted` shows the bin instead (sheet 5.2, L)."""
    kind = call.path_params["kind"]
    in_bin = "only_deleted" in call.extras
    extra: list[tuple[str, list[Any]]] = [(f"is_deleted = {int(in_bin)}", [])]
    query = call.query.get("query")
    if isinstance(query, str) and query.strip():
        search.catch_up(call.store.db, kind, call.work.real_moment, cards.texts)
        extra.append(search.condition(kind, query, digits=call.work.config.search_phone_digits))
    if call.work.config.is_api_filter_enabled:
        extra += _field_conditions(call.filter("custom_fields_values"))
    rows, page, more = select(call, COLLECTIONS[kind], extra)
    query_of_items = item_query(call)
    if in_bin:
        return paged(call, kind, [_in_bin(call, kind, row, query_of_items) for row in rows], page, more)
    return paged(call, kind, show(call, kind, rows, query_of_items), page, more)


def read_one(call: Call) -> Answer:
    """GET /{kind}/{id}: 204 for an unknown card and for a card in the bin (sheet 4.2)."""
    kind = call.path_params["kind"]
    card = cards.find(call.work, kind, [call.path_params["id"]])
    if not card:
        return nothing() if call.work.config.missing_single == 204 else problem(404, "Not Found")
    kept = call.raw_query if call.work.config.item_links_keep_query else ""
    return hal(show(call, kind, list(card.values()), kept)[0])


def _field_conditions(wanted: Any) -> list[tuple[str, list[Any]]]:
    """`filter[custom_fields_values][id][]=text` or `[from]`/`[to]`, where the account has the filters API."""
    conditions: list[tuple[str, list[Any]]] = []
    for field_id, value in wanted.items() if isinstance(wanted, dict) else ():
        if not field_id.isdecimal():
            continue
        inside = f"SELECT 1 FROM json_each(custom_fields, '$.\"{int(field_id)}\"') AS v WHERE "
        shown = "json_extract(v.value, '$.value')"
        if isinstance(value, dict) and value.keys() & {"from", "to"}:
            sides = [(sign, value[side]) for side, sign in (("from", ">="), ("to", "<=")) if side in value]
            tests = " AND ".join(f"CAST({shown} AS REAL) {sign} CAST(? AS REAL)" for sign, _ in sides)
            conditions.append((f"EXISTS ({inside}{tests})", [side for _, side in sides]))
        elif values := [value] if isinstance(value, str) else list(value.values()):
            either = f"CAST({shown} AS TEXT) IN ({marks(values)})"
            by_enum = f"CAST(json_extract(v.value, '$.enum_id') AS TEXT) IN ({marks(values)})"
            conditions.append((f"EXISTS ({inside}{either} OR {by_enum})", values * 2))
    return conditions


def show(call: Call, kind: str, rows: list[Row], query: str) -> list[dict[str, Any]]:
    """Cards in the API's form and recorded key order. A page costs a question for tags and a question for links."""
    fields = call.work.fields[kind]
    tags_of = tags.shown(call.work, kind, rows)
    linked = links.of_cards(call.work, kind, [row["id"] for row in rows])
    shown = []
    for row in rows:
        values = field_values.read(json.loads(row["custom_fields"] or "{}"), fields)
        data = SHAPES[kind](call, row, values)
        data["_links"] = {"self": {"href": call.url(f"/api/v4/{kind}/{row['id']}", query)}}
        embedded: dict[str, Any] = {"tags": tags_of[row["id"]]}
        for other, show_main in links.EMBEDDED[kind].items():
            if other == "companies" or other in call.extras:
                embedded[other] = [
                    links.embedded(call, other, link, query, with_main=show_main)
                    for link in linked.get(row["id"], [])
                    if link["type"] == other
                ]
        for name in ("customers", "catalog_elements"):
            if name in call.extras:
                embedded[name] = []
        data["_embedded"] = embedded
        shown.append(data)
    return shown if kind != "leads" else leads.with_loss_reasons(call, rows, shown)


def _in_bin(call: Call, kind: str, row: Row, query: str) -> dict[str, Any]:
    """A row of the bin: nearly all properties null, and only leads admit to being deleted (sheet 5.2, L)."""
    whole = show(call, kind, [row], query)[0]
    live = {"id", "updated_at", "updated_by", "_links"}
    emptied = {key: value if key in live else None for key, value in whole.items() if key != "_embedded"}
    return emptied | {"is_deleted": kind == "leads", "account_id": ACCOUNT_ID}

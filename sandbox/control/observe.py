"""Looking: the state, the ledger, the rows of the store."""

from __future__ import annotations

from typing import Any

from sandbox.brackets import scalars
from sandbox.club import structure
from sandbox.control.order import BadOrder, Order
from sandbox.oauth import integration
from sandbox.store.database import marks, readable

TABLES = (
    "leads", "contacts", "companies", "links", "notes", "tasks", "events", "unsorted", "users", "pipelines", "statuses",
    "custom_fields", "tags", "loss_reasons", "sources", "webhooks", "deliveries",
)  # fmt: skip
WITHOUT_ID = ("links", "statuses", "unsorted", "deliveries")
MOST_ROWS = 10_000
"""Unless `limit` says otherwise."""


def state(order: Order) -> dict[str, Any]:
    """GET /_sandbox/state: a look at the whole sandbox."""
    world, store = order.world, order.world.store
    known = integration.load(store)
    return {
        "url": order.call.base_url,
        "account_domain": order.call.account_domain,
        "api_domain": order.call.api_domain,
        "subdomain": store.meta("subdomain"),
        "now": world.clock.amocrm(),
        "client_id": known.client_id,
        "redirect_uri": known.redirect_uri,
        "installed": known.installed,
        "blocked": world.limiter.blocked,
        "counts": {table: store.value(f"SELECT count(*) FROM {table}") for table in TABLES},  # noqa: S608 - TABLES
        "live_pairs": store.value("SELECT count(*) FROM pairs WHERE refresh_state = 'live'"),
        "ledger": world.ledger.counts(),
        "faults": len(world.faults.rules),
        "users": [
            {"id": id_, "name": name, "is_admin": admin, "is_active": active}
            for id_, name, _, admin, active in structure.USERS
        ],
        "pipelines": store.rows("SELECT id, name FROM pipelines ORDER BY sort"),
        "config": world.config.as_json(),
    }


def ledger(order: Order) -> dict[str, Any]:
    """GET /_sandbox/ledger?kind=request,hook&since=0&limit=100: entries in order, the newest last."""
    kinds = scalars(order.call.query.get("kind"))
    entries = order.world.ledger.read(
        kinds=kinds, since=order.number_in_query("since") or 0, limit=order.number_in_query("limit")
    )
    return {"entries": entries, "last_seq": order.world.ledger.last_seq}


def entities(order: Order) -> dict[str, Any]:
    """GET /_sandbox/entities/{table}?id=1,2&limit=10&count=1: rows of the store, the bin included."""
    table = order.rest
    if table not in TABLES:
        raise BadOrder(f"entities: {table!r} is none of {', '.join(TABLES)}")
    store = order.world.store
    total = store.value(f"SELECT count(*) FROM {table}")  # noqa: S608 - one of TABLES
    if order.number_in_query("count"):
        return {"count": total}
    key = "rowid" if table in ("events", "unsorted", "deliveries") else "id"
    ids = [int(word) for word in scalars(order.call.query.get("id")) if word.isdecimal()]
    limit = order.number_in_query("limit")
    where = f"WHERE {key} IN ({marks(ids)})" if ids else ""
    last_first = f"ORDER BY {key} DESC" if table not in WITHOUT_ID else ""
    sql = f"SELECT * FROM {table} {where} {last_first} LIMIT ?"  # noqa: S608 - one of TABLES
    rows = store.rows(sql, [*ids, MOST_ROWS if limit is None else limit])
    return {"count": total, "rows": [readable(row) for row in rows]}

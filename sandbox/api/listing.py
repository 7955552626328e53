"""Lists: filters, sorts, pages and the envelope, common to all collections (sheet 4.4).

Whatever a collection does not know it ignores: an unknown filter gives everything, an unknown sort the usual order,
a limit above the cap the cap. What each collection does know stands in that resource's file as a `Collection`.
"""

# ruff: noqa: S608 - the names put into SQL are this room's own; values travel as parameters

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from sandbox.answers import Answer, hal, nothing
from sandbox.brackets import scalars
from sandbox.call import Call
from sandbox.store.database import Row, marks

DEFAULT_LIMIT = 50
MOST_LIMIT = 250
"""A greater `limit` is cut without a word (sheet 4.1, L)."""

MOST_PAGE = 10**9
"""Keeps the offset inside SQLite's integers; AmoCRM's own cap is not known."""

Condition = tuple[str, list[Any]]
Filter = Callable[[Any], Condition | None]
"""From the value of `filter[name]` to SQL; None for an unreadable and therefore ignored value."""


@dataclass(frozen=True)
class Collection:
    """The filters, orders and limits of one list."""

    table: str
    key: str
    """The name under `_embedded`."""
    filters: Mapping[str, Filter] = field(default_factory=dict)
    orders: tuple[str, ...] = ("id",)
    """Columns that `order[column]=asc|desc` may name."""
    default_order: str = "updated_at"
    """The default order, ascending, if `order` names no known column (sheet 4.4, L)."""


def one_of(column: str) -> Filter:
    """`filter[x]=1`, `=1,2`, `[]=1`, `[0]=1`."""

    def build(value: Any) -> Condition | None:
        wanted = [_integer(word) for word in scalars(value)]
        return (f"{column} IN ({marks(wanted)})", [*wanted]) if wanted else None

    return build


def named(column: str) -> Filter:
    """A filter by words; a comma belongs to the word."""

    def build(value: Any) -> Condition | None:
        wanted = [value] if isinstance(value, str) and value else scalars(value) if isinstance(value, dict) else []
        return (f"{column} IN ({marks(wanted)})", [*wanted]) if wanted else None

    return build


def between(column: str) -> Filter:
    """`[from]`, `[to]`, both included; a plain value means equality, not "since" (sheet 4.4, L)."""

    def build(value: Any) -> Condition | None:
        if isinstance(value, str) and value:
            return f"{column} = ?", [_integer(value)]
        if not isinstance(value, dict):
            return None
        sides = [(sign, value.get(side)) for side, sign in (("from", ">="), ("to", "<="))]
        given = [(sign, _integer(side)) for sign, side in sides if isinstance(side, str) and side]
        if not given:
            return None
        return " AND ".join(f"{column} {sign} ?" for sign, _ in given), [side for _, side in given]

    return build


def _integer(word: str) -> int:
    """PHP's `(int)`: leading digits, else 0."""
    word = word.strip()
    sign = -1 if word.startswith("-") else 1
    digits = word.lstrip("+-")
    length = next((at for at, letter in enumerate(digits) if not letter.isdecimal()), len(digits))
    return sign * min(int(digits[:length] or 0), 2**62)


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted."""

    number: int
    limit: int

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.limit


def page_of(call: Call, most: int = MOST_LIMIT) -> Page:
    """`page` and `limit`; a text that is no positive number counts as not given, a number above `most` is cut."""
    number, limit = (_positive(call.query.get(name)) for name in ("page", "limit"))
    return Page(min(number or 1, MOST_PAGE), min(limit or DEFAULT_LIMIT, most))


def _positive(value: Any) -> int | None:
    number = _integer(value) if isinstance(value, str) else 0
    return number if number > 0 else None


def conditions(call: Call, known: Mapping[str, Filter]) -> list[Condition]:
    """The filters of the query this collection knows; unknown filters are ignored."""
    found = (build(call.filter(name)) for name, build in known.items() if call.filter(name) is not None)
    return [condition for condition in found if condition]


def order_of(call: Call, collection: Collection) -> str:
    """ORDER BY: the first sort the collection knows, else its own (sheet 4.4)."""
    wanted = call.query.get("order")
    for column, direction in wanted.items() if isinstance(wanted, dict) else ():
        if column in collection.orders and str(direction).lower() in ("asc", "desc"):
            return _order(column, str(direction).lower())
    return _order(collection.default_order, "asc")


def _order(column: str, direction: str) -> str:
    return f"{column} {direction}" + (f", id {direction}" if column != "id" else "")


def where(parts: list[Condition]) -> Condition:
    """All filters together."""
    return " AND ".join(f"({sql})" for sql, _ in parts) or "1", [value for _, values in parts for value in values]


def select(call: Call, collection: Collection, extra: list[Condition]) -> tuple[list[Row], Page, bool]:
    """One page of rows, and whether another follows."""
    page = page_of(call)
    order = order_of(call, collection)
    if call.filter("id") is not None and "id" in collection.filters:
        order = f"+{order}"  # a plus keeps SQLite from walking a whole index for the sake of the order
    sql, parameters = where(conditions(call, collection.filters) + extra)
    ids = [
        row["id"]
        for row in call.store.rows(
            f"SELECT id FROM {collection.table} WHERE {sql} ORDER BY {order} LIMIT ? OFFSET ?",
            [*parameters, page.limit + 1, page.offset],
        )
    ]
    more, ids = len(ids) > page.limit, ids[: page.limit]
    found = call.store.rows(f"SELECT * FROM {collection.table} WHERE id IN ({marks(ids)})", ids)
    by_id = {row["id"]: row for row in found}
    return [by_id[id_] for id_ in ids], page, more


def paged(call: Call, key: str, shown: list[Any], page: Page, more: bool, *, total: int | None = None) -> Answer:
    """The envelope of a paged list; 204 for an empty page (sheet 4.2)."""
    if not shown:
        return nothing()
    body: dict[str, Any] = {}
    if total is not None:
        body["_total_items"] = total
    body["_page"] = page.number
    if total is not None:
        body["_page_count"] = -(-total // page.limit)
    body["_links"] = _links(call, page, more, last=body.get("_page_count"))
    body["_embedded"] = {key: shown}
    return hal(body)


def whole(call: Call, key: str, shown: list[Any]) -> Answer:
    """The envelope of a list that has no pages: pipelines, links, webhooks …"""
    if not shown:
        return nothing()
    return hal({"_total_items": len(shown), "_links": own_link(call), "_embedded": {key: shown}})


def created(call: Call, key: str, shown: list[Any]) -> Answer:
    """The envelope of a POST's or PATCH's results."""
    return hal({"_links": own_link(call), "_embedded": {key: shown}})


def own_link(call: Call) -> dict[str, Any]:
    """`_links.self` of the request itself."""
    return {"self": {"href": call.url(call.path, call.raw_query)}}


def _links(call: Call, page: Page, more: bool, last: int | None) -> dict[str, Any]:
    """`next` only when there is more, `last` only where pages are counted, `first` and `prev` after page 1 (sheet 4.4)."""
    numbers = {"self": page.number}
    if more:
        numbers["next"] = page.number + 1
        numbers |= {"last": last} if last else {}
    if page.number > 1:
        numbers |= {"first": 1, "prev": page.number - 1}
    return {name: {"href": call.url(call.path, list_query(call, number))} for name, number in numbers.items()}


def list_query(call: Call, page_number: int) -> str:
    """The request's own query string with another page number, every other parameter unchanged."""
    parts = [part for part in call.raw_query.split("&") if part]
    names = [unquote_plus(part.partition("=")[0]) for part in parts]
    kept = [f"page={page_number}" if name == "page" else part for name, part in zip(names, parts, strict=True)]
    if "page" not in names:
        kept.append(f"page={page_number}")
    if "limit" not in names:
        kept.append(f"limit={DEFAULT_LIMIT}")
    return "&".join(kept)


def item_query(call: Call) -> str:
    """The query on links of a list's items, a habit of newer servers: the list's own query (sheet 4.4, L)."""
    if call.method != "GET" or not call.work.config.item_links_keep_query:
        return ""
    return list_query(call, page_of(call).number)

"""The choice of the leads page as a value: filters, order, columns, page; from an address and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from desk.listing import Filter, Sort, from_query, to_query
from desk.listing.filters import COLUMNS

SHOWN = ("created_at", "name", "phone", "direction", "source", "stage", "responsible", "price_rub")
"""Columns before the first choice; with the link they fit 1360 pixels."""

SIZES = (25, 50, 100, 200)

DEFAULT_SIZE = 50


@dataclass(frozen=True, slots=True)
class Chosen:
    """Filters, order, columns and page of the list. `page` begins with 1."""

    filter: Filter = field(default_factory=Filter)
    sort: Sort = field(default_factory=Sort)
    columns: tuple[str, ...] = SHOWN
    size: int = DEFAULT_SIZE
    page: int = 1

    def query(self) -> dict[str, list[str]]:
        """The query of an address, without the page: the part kept by a saved view."""
        query = to_query(self.filter)
        if self.sort != Sort():
            query["sort"] = [str(self.sort)]
        if self.columns != SHOWN:
            query["columns"] = [",".join(self.columns)]
        if self.size != DEFAULT_SIZE:
            query["size"] = [str(self.size)]
        return query


def read_query(query: Mapping[str, Sequence[str]]) -> tuple[Chosen, list[str]]:
    """Read a query; return the choice, and the names of senseless parameters."""
    chosen, faulty = from_query(query)
    told = {name: values[0] for name, values in query.items() if values}
    sort = Sort.read(told["sort"]) if "sort" in told else Sort()
    columns = tuple(dict.fromkeys(told["columns"].split(","))) if "columns" in told else SHOWN
    known = tuple(name for name in columns if name in COLUMNS)
    size, page = _whole(told.get("size"), DEFAULT_SIZE), _whole(told.get("page"), 1)
    faulty += ["sort"] if sort is None else []
    faulty += ["columns"] if known != columns else []
    faulty += ["size"] if size not in SIZES else []
    faulty += ["page"] if page is None else []
    size = size if size in SIZES else DEFAULT_SIZE
    return Chosen(chosen, sort or Sort(), known or SHOWN, size or DEFAULT_SIZE, page or 1), faulty


def on_page(chosen: Chosen, page: int) -> Chosen:
    """The same choice on another page."""
    return replace(chosen, page=page)


def _whole(text: str | None, otherwise: int) -> int | None:
    """Read a whole number of up to six digits; `otherwise` without a text, None for any other text."""
    if text is None:
        return otherwise
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 else None

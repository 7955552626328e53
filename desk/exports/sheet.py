"""A lead as cells, and texts kept from being taken for formulas. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from zoneinfo import ZoneInfo

from desk import phones
from desk.listing import Filter, LeadRow, Reference, Sort, from_json, to_json
from desk.listing.filters import COLUMNS
from desk.plain_text import may_be_formula
from desk.words import Words

CSV, XLSX = "csv", "xlsx"
KINDS = (XLSX, CSV)

UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Letters for which a spreadsheet calls a file damaged."""

LONGEST_TEXT = 32_767
"""Characters in a cell of a spreadsheet."""

Cell = str | int | Decimal | datetime | None
"""A moment is without a zone, on the club's clock. Roubles are whole numbers, or have two digits of kopecks."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The leads and columns on the screen. `search` belongs to the filter and is in no address."""

    filter: Filter = field(repr=False)
    sort: Sort
    columns: tuple[str, ...]
    language: str

    def to_json(self) -> str:
        """Serialise for the `exports` table."""
        return json.dumps(
            {
                "filter": json.loads(to_json(self.filter)),
                "search": self.filter.search,
                "sort": str(self.sort),
                "columns": self.columns,
                "language": self.language,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Wanted:
        told = json.loads(text)
        chosen = replace(from_json(json.dumps(told["filter"])), search=told["search"])
        columns = tuple(name for name in told["columns"] if name in COLUMNS)
        return cls(chosen, Sort.read(told["sort"]) or Sort(), columns, told["language"])


class Sheet:
    """Headings and rows of a file."""

    def __init__(
        self, columns: tuple[str, ...], reference: Reference, say: Words, zone: ZoneInfo, address: Callable[[int], str]
    ) -> None:
        """`address`: a lead's page in AmoCRM."""
        self._columns, self._reference, self._say, self._zone, self._address = columns, reference, say, zone, address
        self._stages = {key: clean(stage.full_name) for key, stage in reference.stages.items()}
        self._unknown, self._nobody = say("unknown"), say("leads-nobody")
        self._makers = [self._maker(name) for name in columns]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self._columns, "url")

    @property
    def headings(self) -> list[str]:
        return [*(self._say(f"leads-column-{name}") for name in self._columns), "AmoCRM"]

    def cells(self, row: LeadRow) -> list[Cell]:
        """The cells of a lead, as on the screen; numbers and times stay numbers and times."""
        return [*[make(row) for make in self._makers], self._address(row.id)]

    def _maker(self, name: str) -> Callable[[LeadRow], Cell]:
        """The maker of a column's cells: chosen once a file and not once a cell."""
        get = attrgetter(name) if name in LeadRow.__slots__ else None
        people = self._reference.people
        makers: dict[str, Callable[[LeadRow], Cell]] = {
            "created_at": lambda row: self._moment(row.created_at),
            "updated_at": lambda row: self._moment(row.updated_at),
            "task": lambda row: self._moment(row.closest_task_at),
            "stage": lambda row: self._stages.get((row.pipeline_id, row.status_id), f"#{row.status_id}"),
            "responsible": lambda row: self._person(row.responsible_user_id, people),
            "name": lambda row: clean(row.shown_name),
            "phone": lambda row: clean(", ".join(dict.fromkeys(map(phones.display, _spelled(row))))),
            "source": lambda row: clean(row.source) or self._unknown,
            "direction": lambda row: clean(row.direction) or self._unknown,
            "price_rub": lambda row: _roubles(row.price_kop),
            "id": lambda row: row.id,
        }
        return makers.get(name) or (lambda row: clean(str(get(row))) if get else None)

    def _moment(self, at: int | None) -> datetime | None:
        return datetime.fromtimestamp(at, UTC).astimezone(self._zone).replace(tzinfo=None) if at else None

    def _person(self, user_id: int, people: Mapping[int, str]) -> str:
        return clean(people.get(user_id, f"#{user_id}")) if user_id else self._nobody


def clean(text: str) -> str:
    """A text without the letters unfit for a spreadsheet, cut to the length of a cell."""
    if text.isprintable() and len(text) <= LONGEST_TEXT:
        return text
    return UNFIT.sub("", text)[:LONGEST_TEXT]


def harmless(cell: Cell) -> str:
    """A cell of a CSV file: a text like a formula gets an apostrophe in front."""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, Decimal):
        return str(cell).replace(".", ",")  # as a spreadsheet reads it that takes semicolons between cells
    text = "" if cell is None else str(cell)
    if isinstance(cell, str) and may_be_formula(text):
        return f"'{text}"
    return text


def _roubles(kopecks: int) -> int | Decimal:
    return Decimal(kopecks).scaleb(-2) if kopecks % 100 else kopecks // 100


def _spelled(row: LeadRow) -> list[str]:
    """All phones of a lead, its main phone first."""
    told = row.phones.partition("\n")[0]
    if told == f" {row.phone}":
        return [row.phone]
    return [phone for phone in (row.phone, *(f"+{rest}" for rest in told.split(" +")[1:])) if phone]

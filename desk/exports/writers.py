"""The two kinds of files. Rows are written as they come and not kept: memory stays the same for any number."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import xlsxwriter  # type: ignore[import-untyped]

from desk.exports.sheet import CSV, Cell, harmless

DAY_ZERO = datetime.fromisoformat("1899-12-30")
"""Where a spreadsheet begins to count days."""

MOST_ROWS = 1_048_575
"""Rows of a spreadsheet under its headings."""

WIDTHS = {
    "created_at": 16, "updated_at": 16, "task": 16, "name": 28, "phone": 20, "direction": 20, "source": 18, "stage": 22,
    "responsible": 22, "price_rub": 12, "url": 44,
}  # fmt: skip
"""Characters of a column."""

OTHER_WIDTH = 14


class Writer(Protocol):
    """An open file."""

    def add(self, cells: Sequence[Cell]) -> None:
        """Add a row."""


@contextmanager
def writing(kind: str, path: Path, columns: Sequence[str], headings: Sequence[str], title: str) -> Iterator[Writer]:
    """A file of the given kind, readable by its owner alone; whole when the block ends."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    if kind == CSV:
        # Excel takes a file for UTF-8 by its mark, and in Russian separates by semicolons.
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            yield _Csv(csv.writer(file, delimiter=";"), headings)
    else:
        with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False}) as book:
            yield _Xlsx(book, columns, headings, title)


class _Csv:
    def __init__(self, out: Any, headings: Iterable[str]) -> None:
        self._out = out
        out.writerow(map(harmless, headings))

    def add(self, cells: Sequence[Cell]) -> None:
        self._out.writerow(map(harmless, cells))


class _Xlsx:
    """A spreadsheet. Texts are written as texts, with any beginning: no text becomes a formula."""

    def __init__(self, book: Any, columns: Sequence[str], headings: Sequence[str], title: str) -> None:
        self._sheet = book.add_worksheet(title)
        bold = book.add_format({"bold": True, "bottom": 1})
        self._moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        money = book.add_format({"num_format": '# ##0" ₽"'})
        self._formats = [money if name == "price_rub" else None for name in columns]
        self._kopecks = book.add_format({"num_format": '# ##0.00" ₽"'})
        self._row = 0
        for place, name in enumerate(columns):
            self._sheet.set_column(place, place, WIDTHS.get(name, OTHER_WIDTH))
            self._sheet.write_string(0, place, headings[place], bold)
        self._sheet.freeze_panes(1, 0)

    def add(self, cells: Sequence[Cell]) -> None:
        self._row += 1
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                if cell:
                    self._sheet.write_string(self._row, place, cell)
            elif isinstance(cell, datetime):
                days = (cell - DAY_ZERO).total_seconds() / 86_400
                self._sheet.write_number(self._row, place, days, self._moment)
            elif isinstance(cell, Decimal):
                self._sheet.write_number(self._row, place, float(cell), self._kopecks)
            elif cell is not None:
                self._sheet.write_number(self._row, place, cell, self._formats[place])

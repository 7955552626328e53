"""Cells: what the screen shows, and nothing a spreadsheet could take for a formula."""

from __future__ import annotations

import csv
from datetime import datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.exports.sheet import Wanted, clean, harmless
from desk.exports.writers import writing
from desk.listing import Filter, Sort
from desk.plain_text import FORMULA_STARTS

EVIL = [
    "=1+1",
    "+7 999 123-45-67",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    '=cmd|"/c calc"!A0',
    "\u00a0=1",
    "\u2003=1",
    "＝1+1",
    "＠SUM(A1)",
]


@pytest.mark.parametrize("text", EVIL)
def test_no_formula_comes_of_a_text(text, tmp_path):
    """In both kinds of files a text stays the text it was; CSV has an apostrophe in front of it."""
    assert harmless(text) == f"'{text}"
    path = tmp_path / "x.xlsx"
    with writing("xlsx", path, ("name",), ["Имя"], "Лиды") as out:
        out.add([text])
    cell = openpyxl.load_workbook(path).active["A2"]
    assert cell.data_type != "f"


ODD = "Анна" + "".join(map(chr, (0, 7, 9, 10, 13, 27, 127, 133, 159, 0xFFFE, 0xFFFF, 0x1F4A5, 0x200B))) + " <&>"


def test_no_letter_spoils_the_file(tmp_path):
    """What a form's field may hold opens in both kinds of files, with everything a person could read of it."""
    told = clean(ODD)
    assert told == "Анна\t\n💥\u200b <&>"
    for kind in ("csv", "xlsx"):
        with writing(kind, tmp_path / f"x.{kind}", ("name",), ["Имя"], "Лиды") as out:
            out.add([told])
    assert openpyxl.load_workbook(tmp_path / "x.xlsx").active["A2"].value == told
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file, delimiter=";"))[1] == [told]


@given(st.text(max_size=40))
def test_whatever_is_typed(text):
    """No cell begins with what begins a formula."""
    cell = harmless(clean(text))
    assert not cell.lstrip(" \u00a0").startswith(FORMULA_STARTS)


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, ""), (0, "0"), (-5, "-5"), ("Анна", "Анна"), (datetime(2026, 11, 24, 9, 5, 7), "2026-11-24 09:05:07")],  # noqa: DTZ001
)
def test_other_cells(cell, text):
    """Numbers stay numbers, nothing stays empty, times can be sorted as texts."""
    assert harmless(cell) == text


def test_files_can_be_read_back(tmp_path):
    """CSV for a Russian Excel: a mark for UTF-8, semicolons, quotes where they are needed. XLSX: real times and sums."""
    row = ["Анна; «Ё»", 'он сказал "да"', "две\nстроки", datetime(2026, 11, 24, 9, 5), 11_900]  # noqa: DTZ001
    columns = ("name", "source", "direction", "created_at", "price_rub")
    for kind in ("csv", "xlsx"):
        with writing(kind, tmp_path / f"x.{kind}", columns, list(columns), "Лиды") as out:
            out.add(row)
        assert (tmp_path / f"x.{kind}").stat().st_mode & 0o777 == 0o600
    raw = (tmp_path / "x.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file, delimiter=";"))[1] == [*row[:3], "2026-11-24 09:05:00", "11900"]
    values = [cell.value for cell in openpyxl.load_workbook(tmp_path / "x.xlsx").active[2]]
    assert values == row


def test_what_was_on_the_screen_is_kept_whole():
    """Filter, order, columns and language come back as they were, the search with them."""
    wanted = Wanted(Filter(period="30", stage=((1, 2),), search="Иван"), Sort("name", False), ("name", "phone"), "ru")
    assert Wanted.from_json(wanted.to_json()) == wanted
    assert "Иван" not in repr(wanted)

"""Files made by a process of its own: the same leads as the list, in its order; cancelled, killed, forgotten."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
import sqlalchemy as sa

from benchmarks.big_mirror import fill
from desk.exports import Exports, Wanted, maker
from desk.exports.exports import KEPT
from desk.journal import Journal
from desk.listing import Filter, Listing, Sort
from desk.settings import PROJECT, load
from store.owners import me
from store.tables import exports as table
from store.tables import leads
from tests.support.programs import until

COLUMNS = ("created_at", "name", "phone", "direction", "source", "stage", "responsible", "price_rub", "id")
URL = "https://fitzone.amocrm.ru"


@pytest.fixture
def desk_of_exports(store, store_url, tmp_path):
    """Exports of a small club, and its list."""
    fill(store, leads=300, contacts=200)
    settings = replace(load({"DATABASE_URL": store_url}, tmp_path), folder=tmp_path)
    listing = Listing(store, settings.zone)
    made = Exports(store, listing, Journal(store), settings, lambda: URL)
    yield made, listing, store
    made.close()


def wanted(**chosen):
    return Wanted(Filter(**chosen), Sort("name", False), COLUMNS, "ru")


def finished(made, export_id):
    until(lambda: not made.get(export_id).is_open, "the file", 60)
    return made.get(export_id)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_file_is_the_list(desk_of_exports, kind):
    """The leads of the filter, all of them and no others, in the order of the screen; each with its address."""
    made, listing, _ = desk_of_exports
    asked = wanted(source=tuple(listing.choices().texts["source"])[:2])
    export = finished(made, made.ask(kind, asked, "Анна"))
    assert (export.state, export.reason) == ("done", None)
    shown = [row for some in listing.rows(asked.filter, asked.sort) for row in some]
    assert 0 < len(shown) < 300
    assert export.done == export.expected == len(shown)
    path = made.path(export)
    assert path is not None
    if kind == "csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, delimiter=";"))
    else:
        rows = [list(row) for row in openpyxl.load_workbook(path, read_only=True).active.values]
    assert rows[0][:3] == ["Когда", "Имя", "Телефон"]
    assert [int(row[8]) for row in rows[1:]] == [row.id for row in shown]
    assert [row[1] for row in rows[1:]] == [row.shown_name for row in shown]
    assert rows[1][9] == f"{URL}/leads/detail/{shown[0].id}"


def test_who_took_what_is_in_the_journal(desk_of_exports):
    """A line with the export's number; who asked, how many leads and by which filter are kept with that number."""
    made, _, store = desk_of_exports
    export_id = made.ask("csv", wanted(period="90", search="иван"), "Анна")
    finished(made, export_id)
    until(lambda: Journal(store).recent(kind="export"), "the line", 10)
    line = Journal(store).recent(kind="export")[0]
    assert (line.operation, line.result, line.subject) == ("leads.export", "ok", export_id)
    told = made.by_ids([export_id])[export_id]
    assert (told.asked_by, told.wanted.filter.period) == ("Анна", "90")
    assert "иван" not in repr(told)


def test_a_killed_process_is_told(desk_of_exports):
    """Killed in the middle: failed with a reason, no half file is left, the next one works."""
    made, _, store = desk_of_exports
    export_id = made.ask("csv", wanted(), "")
    until(lambda: made._running, "the process", 20)
    made._running[export_id].kill()
    export = finished(made, export_id)
    assert (export.state, export.reason) == ("failed", "export_died")
    assert not list(made._folder.glob("*"))
    with store.write() as db:
        db.execute(table.update().values(state="running", owner=_gone()))
    assert made.get(export.id).state == "failed"  # the desk was killed with it, and is told when it is back
    assert finished(made, made.ask("csv", wanted(), "")).state == "done"


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_a_desk_that_was_killed_leaves_nobody_waiting(desk_of_exports, state):
    """Whoever asks after it hears that it failed, also where its turn had not come; one line in the journal, not two."""
    made, _, store = desk_of_exports
    row = {"id": "x", "asked_at": datetime.now(UTC), "kind": "csv", "wanted": wanted().to_json(), "done": 0}
    with store.write() as db:
        db.execute(table.insert().values(**row, state=state, owner=_gone()))
    told = [(made.get("x").state, made.get("x").reason) for _ in range(2)]
    assert told == [("failed", "export_died")] * 2
    assert [line.subject for line in Journal(store).recent(kind="export")] == ["x"]


def test_a_waiting_one_knows_whose_it_is(desk_of_exports, monkeypatch):
    """While its turn has not come, the desk that was asked stands for it."""
    made, _, store = desk_of_exports
    monkeypatch.setattr(made, "_make", lambda order: None)
    export_id = made.ask("csv", wanted(), "")
    with store.read() as db:
        owner = db.scalar(sa.select(table.c.owner).where(table.c.id == export_id))
    assert owner == me()
    assert made.get(export_id).state == "waiting"


def test_a_file_that_outlives_its_desk_is_in_the_journal(desk_of_exports, tmp_path, monkeypatch):
    """The desk is killed while its file is made: the file is finished, and that somebody has it is written down."""
    made, _, store = desk_of_exports
    orders = []
    monkeypatch.setattr(made, "_make", orders.append)
    export_id = made.ask("csv", wanted(), "Анна")
    until(lambda: orders, "the order", 10)
    subprocess.run(
        [sys.executable, "-m", "desk.exports.maker"],
        cwd=PROJECT,
        input=json.dumps(orders[0]) + "\n",
        text=True,
        check=True,
    )
    assert made.get(export_id).state == "done"
    assert [(line.result, line.subject) for line in Journal(store).recent(kind="export")] == [("ok", export_id)]


def _gone() -> str:
    """A process of this machine that has ended."""
    place, _, _ = me().partition("|")
    return f"{place}|{os.getpid()}|1"


def test_what_is_cancelled_is_not_made(desk_of_exports):
    """Cancelled while it waits or runs: no file, no line, and the process goes."""
    made, _, _ = desk_of_exports
    export_id = made.ask("xlsx", wanted(), "")
    made.cancel(export_id)
    assert made.get(export_id).state == "cancelled"
    until(lambda: not made._running, "the process to go", 20)
    assert made.path(made.get(export_id)) is None
    assert finished(made, made.ask("csv", wanted(), "")).state == "done"


def test_a_maker_that_is_not_wanted_any_more_stops(desk_of_exports, tmp_path):
    """It sees at its next report that nobody wants it."""
    _, _, store = desk_of_exports
    with store.write() as db:
        row = {"id": "x", "asked_at": datetime.now(UTC), "kind": "csv", "wanted": wanted().to_json(), "done": 0}
        db.execute(table.insert().values(**row, state="cancelled"))
    order = {
        "id": "x", "kind": "csv", "wanted": wanted().to_json(), "language": "ru", "zone": "Europe/Moscow", "folder": str(tmp_path),
        "now": datetime.now(UTC).isoformat(), "account_url": "",
    }  # fmt: skip
    with pytest.raises(maker.Cancelled):
        maker.make(store, order)
    assert not list(tmp_path.glob("x.*"))


def test_files_go_after_a_day(desk_of_exports):
    """They hold names and phones."""
    made, _, _ = desk_of_exports
    export = finished(made, made.ask("csv", wanted(), ""))
    path = made.path(export)
    made.prune()
    assert path.is_file()
    old = (datetime.now(UTC) - KEPT - timedelta(minutes=1)).timestamp()
    os.utime(path, (old, old))
    made.prune()
    assert made.path(export) is None
    assert made.get(export.id).state == "done"


def test_nothing_is_a_file_too(desk_of_exports):
    """A filter that leaves nothing: headings and no rows."""
    made, _, store = desk_of_exports
    with store.write() as db:
        db.execute(leads.update().values(is_deleted=True))
        db.execute(sa.text("UPDATE mirror_version SET number = number + 1"))
    export = finished(made, made.ask("xlsx", wanted(), ""))
    assert (export.state, export.done) == ("done", 0)
    assert openpyxl.load_workbook(made.path(export)).active.max_row == 1


def test_each_file_is_a_round_that_is_told(desk_of_exports, monkeypatch):
    """A file that was made and one that could not even be begun are told as such; nobody waits for the second for ever."""
    made, _, _ = desk_of_exports
    told = []
    made._on_round = lambda name, error: told.append((name, getattr(error, "code", error and type(error).__name__)))
    assert finished(made, made.ask("csv", wanted(), "Анна")).state == "done"

    def refuse(*_, **__):
        raise MemoryError

    monkeypatch.setattr("desk.exports.exports.subprocess.Popen", refuse)
    export = finished(made, made.ask("csv", wanted(), "Анна"))
    assert (export.state, export.reason) == ("failed", "export_died")
    until(lambda: len(told) == 2, "both to be told")
    assert told == [("exports", None), ("exports", "MemoryError")]


def test_a_maker_that_stands_still_keeps_nobody_waiting(desk_of_exports, monkeypatch):
    """One that writes no row for long is ended and its file has failed; the next one in the line is made."""
    made, _, _ = desk_of_exports
    real, frozen = subprocess.Popen, []

    def freeze(command, **more):
        if frozen:
            return real(command, **more)
        frozen.append(real([sys.executable, "-c", "import signal; signal.pause()"], **more))
        return frozen[0]

    monkeypatch.setattr("desk.exports.exports.subprocess.Popen", freeze)
    made.patience_s = 0.2
    stuck = made.ask("csv", wanted(), "Анна")
    assert (finished(made, stuck).state, made.get(stuck).reason) == ("failed", "export_died")
    made.patience_s = 60.0
    assert finished(made, made.ask("csv", wanted(), "Анна")).state == "done"
    assert frozen[0].poll() is not None

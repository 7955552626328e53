"""Files of leads: asking, waiting, cancelling, fetching, and forgetting after a day."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

from crm.errors import OwnFault, SetupError
from crm.journal import OK, Journal, Line
from desk.exports.sheet import KINDS, Wanted
from desk.health import place_of, reason_of
from desk.listing import Listing
from desk.settings import PROJECT, Settings
from store import Store, clock
from store.owners import is_gone, me
from store.tables import exports

AT_ONCE = 1
"""Files made at the same time: a machine has few cores, and the screens come first."""

STUCK_S = 300.0
"""Time without a further row after which the process making a file is ended."""

NEWS_EVERY = 2000
"""Rows between two reports of progress."""

KEPT = timedelta(hours=24)
"""Life of a file: files hold people's names and phones."""

REMEMBERED = timedelta(days=30)
"""Life of the row about a file: as long as the journal's lines."""

OPEN = ("waiting", "running")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Export:
    """A file asked for. `state`: "waiting", "running", "done", "failed", "cancelled". `done`, `expected`: rows."""

    id: str
    kind: str
    state: str
    done: int
    expected: int
    asked_at: datetime
    asked_by: str
    reason: str | None
    wanted: Wanted = field(repr=False)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class Exports:
    """The files of a desk. Thread-safe."""

    def __init__(
        self,
        store: Store,
        listing: Listing,
        journal: Journal,
        settings: Settings,
        account_url: Callable[[], str | None],
        on_round: Callable[[str, BaseException | None], object] = lambda name, error: None,
    ) -> None:
        """`on_round`: called after each file, as a round of "exports"."""
        self._store, self._listing, self._journal = store, listing, journal
        self._url, self._zone = settings.database_url, settings.zone
        self._folder = settings.data_folder / "exports"
        self._account_url, self._on_round = account_url, on_round
        self._pool = ThreadPoolExecutor(AT_ONCE, "export")
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._lock = threading.Lock()
        self.patience_s = STUCK_S

    def ask(self, kind: str, wanted: Wanted, who: str) -> str:
        """Begin to make a file of the given leads; return its id at once."""
        if kind not in KINDS:
            raise OwnFault("desk_failed")  # our own screens offer no other kind
        export_id, now = uuid4().hex, clock.now()
        kept = wanted.to_json()
        row = {
            "id": export_id, "asked_at": now, "asked_by": who or None, "kind": kind, "wanted": kept,
            "state": "waiting", "done": 0, "expected": self._listing.count(wanted.filter), "owner": me(),
        }  # fmt: skip
        with self._store.write() as db:
            db.execute(exports.insert().values(row))
        order = {
            "id": export_id, "database_url": self._url, "kind": kind, "wanted": kept, "language": wanted.language,
            "zone": str(self._zone), "folder": str(self._folder), "now": now.isoformat(), "account_url": self._account_url() or "",
        }  # fmt: skip
        self._pool.submit(self._make, order)
        return export_id

    def get(self, export_id: str) -> Export | None:
        """The state of a file; None for an unknown id.

        A file whose process is gone has failed, also if that process was the desk in which the file waited.
        """
        with self._store.read() as db:
            row = db.execute(sa.select(exports).where(exports.c.id == export_id)).mappings().first()
        if row is None:
            return None
        if row["state"] in OPEN and row["owner"] and is_gone(row["owner"]):
            end(self._store, self._journal, export_id, row["state"], state="failed", reason="export_died")
            return self.get(export_id)
        return _export(row)

    def by_ids(self, ids: Iterable[str]) -> dict[str, Export]:
        """The states of several files, for the journal's lines."""
        with self._store.read() as db:
            rows = db.execute(sa.select(exports).where(exports.c.id.in_(list(ids)))).mappings().all()
        return {row["id"]: _export(row) for row in rows}

    def path(self, export: Export) -> Path | None:
        """The path of a file; None if the file does not exist (yet, or any more)."""
        path = file_of(self._folder, export.id, export.kind)
        return path if export.state == "done" and path.is_file() else None

    def cancel(self, export_id: str) -> None:
        """Stop making a file."""
        if mark(self._store, export_id, *OPEN, state="cancelled", ended_at=clock.now()):
            with self._lock:
                process = self._running.get(export_id)
            if process is not None:
                process.terminate()

    def prune(self) -> None:
        """Remove files older than a day, also half ones of a killed process, and rows older than a month."""
        with self._store.write(durable=False) as db:
            db.execute(exports.delete().where(exports.c.asked_at < clock.now() - REMEMBERED))
        if not self._folder.is_dir():
            return
        oldest = (clock.now() - KEPT).timestamp()
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process tidies up as well
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def close(self) -> None:
        """Break off all files under way; the people who asked see the failure."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for process in self._running.values():
                process.terminate()
        self._pool.shutdown(wait=True)  # what became of it is written down before the database is closed

    def _make(self, order: dict[str, str]) -> None:
        """Run the process to its end, and write down its result, so that no person waits for a file that never comes."""
        failed: Exception | None = None
        try:
            self._run(order)
        except Exception as error:
            failed = error
            log.error("export %s: %s at %s", order["id"], reason_of(error), place_of(error) or "-")
        try:
            part_of(self._folder, order["id"]).unlink(missing_ok=True)
            end(self._store, self._journal, order["id"], *OPEN, state="failed", reason="export_died")
            made = self.by_ids([order["id"]]).get(order["id"])
            if failed is None and made is not None and made.state == "failed":
                failed = SetupError(made.reason or "export_failed")
        except Exception as error:
            failed = failed or error
        self._on_round("exports", failed)

    def _run(self, order: dict[str, str]) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "desk.exports.maker"], cwd=PROJECT, stdin=subprocess.PIPE, text=True
        )
        with self._lock:
            self._running[order["id"]] = process
        try:
            self._wait(process, order)
        finally:
            process.kill()
            process.wait()
            with self._lock:
                self._running.pop(order["id"], None)

    def _wait(self, process: subprocess.Popen[str], order: dict[str, str]) -> None:
        """Wait for the process to end, or to write down no progress for long: a stuck process would hold up all later files."""
        done = -1
        text: str | None = json.dumps(order) + "\n"
        while True:
            try:
                process.communicate(text, timeout=self.patience_s)
                return
            except subprocess.TimeoutExpired:
                text = None
            export = self.get(order["id"])
            if export is None or not export.is_open or export.done <= done:
                return
            done = export.done


def file_of(folder: Path, export_id: str, kind: str) -> Path:
    """The path of a whole file."""
    return folder / f"{export_id}.{kind}"


def part_of(folder: Path, export_id: str) -> Path:
    """The path of a file in the making."""
    return folder / f"{export_id}.part"


def mark(store: Store, export_id: str, *before: str, **values: object) -> bool:
    """Change the row of an export if its state is in `before`; return whether the state was."""
    with store.write(durable=False) as db:
        mine = (exports.c.id == export_id, exports.c.state.in_(before))
        return bool(db.execute(exports.update().where(*mine).values(**values)).rowcount)


def end(store: Store, journal: Journal, export_id: str, *before: str, state: str, reason: str | None = None) -> None:
    """Write down the end of an export, if not yet written down; in the journal too, once."""
    now = clock.now()
    if mark(store, export_id, *before, state=state, reason=reason, ended_at=now):
        journal.write(Line("export", "leads.export", result=reason or OK, subject=export_id, at=now))


def _export(row: sa.RowMapping) -> Export:
    return Export(
        row["id"],
        row["kind"],
        row["state"],
        row["done"],
        row["expected"] or 0,
        row["asked_at"],
        row["asked_by"] or "",
        row["reason"],
        Wanted.from_json(row["wanted"]),
    )

"""The process making a file: `python -m desk.exports.maker`, ordered by a line of JSON on its input.

Not on its command line, because the database's address may hold a password, and what stands in a command line everybody can read. It
steps back behind the desk's own work (nice), writes how far it is after each chunk, and ends with the state in the database.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from crm.journal import Journal
from crm.leads import lead_address
from desk.exports.exports import NEWS_EVERY, end, file_of, mark, part_of
from desk.exports.sheet import XLSX, Sheet, Wanted
from desk.exports.writers import MOST_ROWS, writing
from desk.listing import Listing
from desk.words import words
from store import Store
from store.owners import me

NICENESS = 5
"""Behind the screens, and yet done in seconds."""


class Cancelled(Exception):
    """The file is not wanted any more."""


def main() -> int:
    """Make the file; return 1 if that failed. The reason stands in the database."""
    order = json.loads(sys.stdin.readline())
    os.nice(NICENESS)
    store = Store(order["database_url"])
    try:
        if not mark(store, order["id"], "waiting", state="running", owner=me()):
            return 0  # cancelled meanwhile
        make(store, order)
        end(store, Journal(store), order["id"], "running", state="done")
    except Cancelled:
        return 0
    except Exception as error:
        reason = "export_no_space" if isinstance(error, OSError) else "export_failed"
        end(store, Journal(store), order["id"], "running", state="failed", reason=reason)
        logging.error("export %s: %s", order["id"], type(error).__name__)
        return 1
    finally:
        store.close()
    return 0


def make(store: Store, order: dict[str, str]) -> None:
    """Make the file: whole, or not at all."""
    wanted, zone, say = Wanted.from_json(order["wanted"]), ZoneInfo(order["zone"]), words(order["language"])
    folder = Path(order["folder"])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    listing = Listing(store, zone, lambda: datetime.fromisoformat(order["now"]))
    account_url = order["account_url"]
    sheet = Sheet(
        wanted.columns, listing.reference(), say, zone, lambda one: lead_address(account_url, one) if account_url else ""
    )  # fmt: skip
    part = part_of(folder, order["id"])
    most = MOST_ROWS if order["kind"] == XLSX else None
    done = 0
    try:
        with writing(order["kind"], part, sheet.columns, sheet.headings, say("leads-title")) as out:
            for some in listing.rows(wanted.filter, wanted.sort, chunk=NEWS_EVERY):
                for row in some[: most - done if most is not None else None]:
                    out.add(sheet.cells(row))
                    done += 1
                if not mark(store, order["id"], "running", done=done):
                    raise Cancelled
        part.rename(file_of(folder, order["id"], order["kind"]))
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())

"""The room for submissions of strangers: each value as long as its field may be, and a daily limit for each form.

    a submission no lead holds ─► kept_of ─► whole │ the phone and the name │ the bare line │ nothing
                                    what the form has used today

The limits are far above what forms bring: whatever a person sends is kept whole. What comes beyond is a flood, of which
somebody can still be called back, and which cannot fill the disk, where accepted leads need their room. `kept_of` and `shortened`
decide, pure; `Room` counts in the memory of one process, which it begins from the database.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa

from desk.intake import names, tracking
from desk.intake.log import ACCEPTED, SHORT
from desk.lead import LONGEST_MESSAGE
from desk.phones import LONGEST_INPUT
from desk.reading import texts
from store.tables import submissions

DAY_BYTES = 20 * 1024 * 1024
"""Bytes of a form and day. A refused submission takes about one KB, its longest message 16."""

DAY_LINES = 10_000
"""Lines of a form and day. The busiest form has some hundreds; nobody makes ten thousand calls."""

LARGEST_BYTES = 2 * 64 * 1024
"""Bytes of a submission, as many as can come: Russian letters of an old encoding are two bytes each here."""

LONGEST_MARK = 500
"""Characters of a campaign's mark: AmoCRM gets 250 of them, so the longer text stays visible here."""

LONGEST_MESSAGE_KEPT = texts.SPARE * LONGEST_MESSAGE
"""Characters of a message: a message refused for its length is there to be shortened."""

LONGEST_VALUE = LONGEST_MESSAGE
"""Characters of a value under any other name, which may be a message not taught to the form yet."""

LONGEST_CONTACT = 120
"""Characters of the phone and of the name, if kept alone."""

CONTACT_BYTES = 1024
"""Bytes of a phone and a name at most, with the line around."""

WHOLE, CONTACT, BARE, NOTHING = "whole", "contact", "bare", "nothing"
"""Degrees of keeping: the whole; phone and name; the line alone, because its id was told; not even the line."""


@dataclass(frozen=True, slots=True)
class Used:
    """A form's used room of today: bytes of submissions, and lines without an accepted lead."""

    size: int = 0
    lines: int = 0

    @property
    def is_up(self) -> bool:
        """Whether submissions are kept in short from now on."""
        return self.size >= DAY_BYTES or self.lines >= DAY_LINES


def kept_of(used: Used, size: int, *, is_told: bool, is_lead: bool = False) -> str:
    """Decide how much of a submission of `size` bytes is kept.

    `is_told`: its id was told as a lead's, and can be asked for. `is_lead`: an accepted lead holds its content, but for unknown names.
    """
    if used.size + size <= DAY_BYTES and (is_lead or used.lines < DAY_LINES):
        return WHOLE
    if is_lead or used.lines >= DAY_LINES:
        return BARE if is_told or is_lead else NOTHING
    return CONTACT


def shortened(said: Mapping[str, Any], taught: Mapping[str, str]) -> dict[str, Any]:
    """Cut a submission's names and values: each to its field's length, all together to `LARGEST_BYTES`."""
    kept: dict[str, Any] = {}
    room = LARGEST_BYTES
    for name, value in said.items():
        cut = _cut(value, name, taught)
        size = len(dumped({name: cut}).encode())
        if size <= room:
            kept[name] = cut
            room -= size
    return kept


def fitting(text: str | None) -> str | None:
    """The beginning of an unreadable body."""
    return text if text is None else text.encode()[:LARGEST_BYTES].decode("utf-8", "ignore")


def contact(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The phone and the name of a submission, with a mark for the missing rest."""
    found = {name: texts.line(asked.get(name), LONGEST_CONTACT)[0] for name in ("phone", "name")}
    return {name: text for name, text in found.items() if text} | {SHORT: True}


def dumped(content: Mapping[str, Any]) -> str:
    """Serialise for the log: letters as letters, so that a text takes no more room than on its way in."""
    return texts.mended(json.dumps(content, ensure_ascii=False))


class Room:
    """The used room of each form today. Thread-safe; another process may use as much again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, tuple[date, Used]] = {}

    def take(
        self, db: sa.Connection, form_id: str, now: datetime, size: int, *, is_told: bool, is_lead: bool = False
    ) -> str:
        """Decide how much of a submission is kept, and count the room."""
        with self._lock:
            used = self._of(db, form_id, now)
            how = kept_of(used, size, is_told=is_told, is_lead=is_lead)
            taken = {WHOLE: size, CONTACT: CONTACT_BYTES}.get(how, 0)
            line = 0 if is_lead or how == NOTHING else 1
            self._used[form_id] = (_day(now), Used(used.size + taken, used.lines + line))
        return how

    def used(self, db: sa.Connection, form_id: str, now: datetime) -> Used:
        """A form's used room of today."""
        with self._lock:
            return self._of(db, form_id, now)

    def _of(self, db: sa.Connection, form_id: str, now: datetime) -> Used:
        known = self._used.get(form_id)
        if known is None or known[0] != _day(now):
            known = self._used[form_id] = (_day(now), _counted(db, form_id, now))
        return known[1]


def _counted(db: sa.Connection, form_id: str, now: datetime) -> Used:
    """The same from the database: once a day for each form, and after a start."""
    said = sum(
        (_bytes(db, column) for column in (submissions.c.body, submissions.c.raw, submissions.c.others)), sa.literal(0)
    )
    lines = sa.func.coalesce(sa.func.sum(sa.case((submissions.c.outcome == ACCEPTED, 0), else_=1)), 0)
    since = datetime.combine(_day(now), time(), UTC)
    mine = (submissions.c.form_id == form_id, submissions.c.at >= since)
    row = db.execute(sa.select(sa.func.coalesce(sa.func.sum(said), 0), lines).where(*mine)).one()
    return Used(int(row[0]), int(row[1]))


def _bytes(db: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[int]:
    """How many bytes a text has; of SQLite's length() as many as characters."""
    measured = (
        sa.func.octet_length(column)
        if db.dialect.name == "postgresql"
        else sa.func.length(sa.cast(column, sa.LargeBinary))
    )
    return sa.func.coalesce(measured, 0)


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _longest(name: str, taught: Mapping[str, str]) -> int:
    """Characters to be kept of a value under a name."""
    meaning = names.meaning_of(name, taught)
    if meaning == "message":
        return LONGEST_MESSAGE_KEPT
    if meaning == "phone":
        return LONGEST_INPUT
    if meaning == tracking.PAGE or name.casefold() == "cookies":
        return tracking.LONGEST_ADDRESS
    return LONGEST_MARK if meaning in tracking.NAMES else LONGEST_VALUE


def _cut(value: Any, name: str, taught: Mapping[str, str]) -> Any:
    """A value cut; of a list its first values, as many as are read."""
    if isinstance(value, list):
        return [_cut(one, name, taught) for one in value[: texts.MOST_PARTS]]
    if not isinstance(value, str) or len(value) <= LONGEST_MARK:  # nothing is cut shorter, whatever it is
        return value
    return value[: _longest(name, taught)]

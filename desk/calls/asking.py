"""Questions to AmoCRM about the owner of a number, asked in the background.

The answers go into the mirror, and the card that reads the mirror shows them.

Two or three requests for a number: its contacts, their leads, the newest note of the one that counts. One more for each other
number that was typed with it. Asked once a minute at the most.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from crm import contacts, notes, walk
from crm.client import Client
from crm.errors import DeskError
from desk import phones
from desk.calls.lookup import look
from desk.fields import FieldMap
from desk.mirror import Mirror
from desk.phonebook import MOST_ASKED, has_phone
from store import Store

FRESH_S = 60.0
"""How long an answer counts."""

AT_ONCE = 2
"""Numbers asked about at the same time."""

KEPT = 200
"""Answers remembered."""

ASKING, ANSWERED, FAILED = "asking", "answered", "failed"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """How far a question is. `note`: text and time (unix seconds) of the newest note; `reason`: why there is no answer."""

    state: str
    at: float
    note: tuple[str, int] | None = field(default=None, repr=False)
    reason: str | None = None


class Inquiries:
    """The inquiries of a desk. Thread-safe."""

    def __init__(self, store: Store, client: Client, fields: FieldMap, mirror: Mirror) -> None:
        self._store, self._client, self._fields, self._mirror = store, client, fields, mirror
        self._lock = threading.Lock()
        self._asked: OrderedDict[tuple[str, ...], Inquiry] = OrderedDict()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="asking")

    def ask(self, *numbers: str) -> Inquiry:
        """Return the state of the inquiry about a person's numbers (E.164); begin an inquiry if need be. Does not wait."""
        numbers = numbers[:MOST_ASKED]
        with self._lock:
            known = self._asked.get(numbers)
            if known is not None and (known.state == ASKING or time.monotonic() - known.at < FRESH_S):
                return known
            asked = self._asked[numbers] = Inquiry(ASKING, time.monotonic())
            self._asked.move_to_end(numbers)
            while len(self._asked) > KEPT:
                self._asked.popitem(last=False)
        try:
            self._pool.submit(self._run, numbers)
        except RuntimeError:  # the desk is closing
            return Inquiry(FAILED, time.monotonic(), reason="cut_off")
        return asked

    def stop(self) -> None:
        """Stop asking AmoCRM."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, numbers: tuple[str, ...]) -> None:
        try:
            answer = Inquiry(ANSWERED, time.monotonic(), self._read(numbers))
        except DeskError as error:
            answer = Inquiry(FAILED, time.monotonic(), reason=error.code)
        except Exception as error:
            log.error("asking for a number stumbled: %s", type(error).__name__)
            answer = Inquiry(FAILED, time.monotonic(), reason="desk_failed")
        with self._lock:
            self._asked[numbers] = answer

    def _read(self, numbers: tuple[str, ...]) -> tuple[str, int] | None:
        phone_field = self._fields.layout().contact_phone.get("field_id", 0)
        asked = self._mirror.version()
        same = [hit for one in numbers for hit in self._having(one, phone_field)]
        linked = {lead["id"] for hit in same for lead in (hit.get("_embedded") or {}).get("leads") or []}
        found = walk.by_ids(self._client, walk.LEADS, linked, live=True) if linked else []
        if same:
            self._mirror.keep(found, same, asked)
        person = next((person for one in numbers for person in look(self._store, one).exact), None)
        lead = person and (person.open_lead or next(iter(person.leads), None))
        return notes.newest(self._client, lead.id, tries=1) if lead else None

    def _having(self, phone: str, phone_field: int) -> list[dict[str, Any]]:
        """Fetch the contacts with exactly the given number, with the ids of their leads. A single request."""
        hits = contacts.matching(self._client, phones.search_digits(phone), with_leads=True, tries=1)
        return [hit for hit in hits if has_phone(hit, phone_field, phone)]

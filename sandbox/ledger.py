"""The ledger: the true events, in order. A test asks the ledger instead of guessing from a client's view.

Kinds of entries: `request` (one per request, however it ended), `change` (one per row written), `token` (codes and
pairs, by fingerprint), `hook` (one per delivery attempt), `block` (the account blocked or lifted). Secrets never get
in: bodies of token requests are masked before they are written down.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

from sandbox.clock import Clock
from sandbox.oauth.tokens import fingerprint

MOST_ENTRIES = 200_000
"""Older entries are dropped beyond this number, and counted: a day of polling must not eat the machine's memory."""

MOST_BODY = 64 * 1024
"""Characters of a request's body that are kept."""

SECRET_KEYS = {"client_secret", "code", "refresh_token", "access_token", "api_key"}
SECRET_IN_TEXT = re.compile(rf"""(["']?({"|".join(sorted(SECRET_KEYS))})["']?\s*[=:]\s*["']?)([^"'&\s,}}]+)""")
"""`client_secret=…` of a form, `"client_secret": "…"` of a text that looks like JSON."""

Entry = dict[str, Any]


class Ledger:
    """Append-only. Requests are written by the event loop, the rest by the store's thread."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._entries: deque[Entry] = deque(maxlen=MOST_ENTRIES)
        self._seq = 0
        self._lock = threading.Lock()

    def add(self, kind: str, **what: Any) -> Entry:
        """Write an entry down, perhaps to be completed later. `at`: unix seconds with fractions."""
        with self._lock:
            self._seq += 1
            entry = {"seq": self._seq, "kind": kind, "at": what.pop("at", None) or self.clock.now(), **what}
            self._entries.append(entry)
            return entry

    def read(
        self, *, kinds: Iterable[str] = (), since: int = 0, limit: int | None = None, seq: int | None = None
    ) -> list[Entry]:
        """Entries after number `since`, oldest first; with `limit` the latest so many."""
        wanted = set(kinds)
        with self._lock:
            entries = list(self._entries)
        found = [
            entry
            for entry in entries
            if entry["seq"] > since and (not wanted or entry["kind"] in wanted) and seq in (None, entry["seq"])
        ]
        return found if limit is None else found[-limit:] if limit else []

    @property
    def last_seq(self) -> int:
        """The newest entry's number; 0 before the first."""
        return self._seq

    def counts(self) -> dict[str, Any]:
        """The number of entries of each kind, and the figures that prove a client's pace."""
        with self._lock:
            entries = list(self._entries)
        requests = [entry for entry in entries if entry["kind"] == "request"]
        return {
            "last_seq": self._seq,
            "dropped": self._seq - len(entries),
            "requests": len(requests),
            "answered_429": sum(entry["status"] == 429 for entry in requests),
            "cut": sum(entry["status"] == "cut" for entry in requests),
            "changes": sum(entry["kind"] == "change" for entry in entries),
            "hooks": sum(entry["kind"] == "hook" for entry in entries),
            "busiest_second": busiest_second([entry["at"] for entry in requests if entry["counted"]]),
        }


def busiest_second(moments: list[float]) -> int:
    """The most requests that arrived within any one second. `moments`: unix seconds."""
    window: deque[float] = deque()
    most = 0
    for moment in sorted(moments):
        window.append(moment)
        while moment - window[0] >= 1.0:
            window.popleft()
        most = max(most, len(window))
    return most


def masked_body(body: bytes, content_type: str) -> Any:
    """A body in the ledger's form: JSON as JSON, a form as text, secrets as fingerprints."""
    if not body:
        return None
    text = body[:MOST_BODY].decode("utf-8", "replace")
    if content_type.startswith("multipart/"):
        return f"{len(body)} bytes of {content_type}"
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _masked(json.loads(body))
        except (ValueError, RecursionError):
            pass  # broken JSON may hold a whole secret: it is masked as text
    return SECRET_IN_TEXT.sub(lambda found: found[1] + _mask(found[2], found[3]), text)


def _masked(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _mask(key, value) if isinstance(value, str) else _masked(value) for key, value in data.items()}
    return [_masked(value) for value in data] if isinstance(data, list) else data


def _mask(key: str, value: str) -> str:
    """Only whole tokens are secret: a field's `code`, such as PHONE, is not."""
    secret = key in SECRET_KEYS and (key != "code" or len(value) > 100)
    return f"sha256:{fingerprint(value)}" if secret and value else value

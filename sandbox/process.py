"""A sandbox for tests and for the demo: the real process on a free port, and its strings in Python's hands.

    with running_sandbox(leads=50) as box:
        callback = box.approve(f"{box.url}/oauth?client_id={box.client_id}&state=s")
        box.fault("cut_after", path="/api/v4/leads/complex", times=1)
        ...
        assert len(box.ledger(kind="change", entity="leads")) == 1

Everything a test learns comes over HTTP from the process; nothing here looks inside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import urljoin

import requests

from sandbox.options import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REDIRECT_URI, SECRET_VARIABLE

T = TypeVar("T")

START_DEADLINE_S = 120.0
"""For the ready line. A club of 100,000 leads takes about 13 s on an idle machine."""

STOP_DEADLINE_S = 5.0
CONTROL_TIMEOUT_S = 120.0
POLL_S = 0.02
ROOT = Path(__file__).resolve().parent.parent


class SandboxError(AssertionError):
    """The sandbox did not start, or refused a control request; the text is its own."""


def start(
    *,
    leads: int = 50,
    latency_ms: float = 0,
    port: int = 0,
    client_id: str = DEFAULT_CLIENT_ID,
    client_secret: str = DEFAULT_CLIENT_SECRET,
    redirect_uri: str = DEFAULT_REDIRECT_URI,
    python: str = sys.executable,
    **options: Any,
) -> Sandbox:
    """Start a sandbox and wait until ready. The sandbox ends with this process, in any way, or with `stop()`.

    `options` are those of the command line: `rps=7`, `seed=1`, `db="club.db"`, `refresh_mode="grace"`, `now=1760000000` …
    """
    given = {"leads": leads, "latency_ms": latency_ms, "port": port, "client_id": client_id}
    given |= {"redirect_uri": redirect_uri, **options}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value is not None]
    errors = tempfile.NamedTemporaryFile()  # noqa: SIM115 - lives as long as the process; stop() closes it
    process = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
        [python, "-m", "sandbox", "--exit-with-parent", *flags],
        cwd=ROOT,
        env={**os.environ, SECRET_VARIABLE: client_secret},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
    )
    ready = _first_line(process, errors)
    return Sandbox(ready["url"], client_id, client_secret, redirect_uri, process, errors)


@contextmanager
def running_sandbox(**options: Any) -> Iterator[Sandbox]:
    """A sandbox for the length of a `with`. Options: as for `start`."""
    box = start(**options)
    try:
        yield box
    finally:
        box.stop()


def _first_line(process: subprocess.Popen[bytes], errors: IO[bytes]) -> dict[str, Any]:
    """The ready line, or `SandboxError` with the process's own words."""
    deadline = threading.Timer(START_DEADLINE_S, process.kill)
    deadline.start()
    try:
        line = process.stdout.readline() if process.stdout else b""
    finally:
        deadline.cancel()
    if not line:
        code = process.wait()
        said = Path(errors.name).read_text().strip()
        raise SandboxError(f"the sandbox ended with {code} instead of starting: {said}")
    return json.loads(line)


def wait_until(question: Callable[[], T], *, deadline_s: float = 60.0, what: str = "it") -> T:
    """The first true answer to `question`; `SandboxError` when there is none in time."""
    end = time.monotonic() + deadline_s
    while not (answer := question()):
        if time.monotonic() > end:
            raise SandboxError(f"{what} did not happen within {deadline_s:g} s; last answer: {answer!r}")
        threading.Event().wait(POLL_S)
    return answer


@dataclass
class Sandbox:
    """A running sandbox."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    process: subprocess.Popen[bytes] = field(repr=False)
    errors: IO[bytes] = field(repr=False)
    _http: requests.Session = field(default_factory=requests.Session, repr=False)
    _heard: int = field(default=0, repr=False)

    def stop(self) -> int:
        """End the sandbox as `--exit-with-parent` does; return its exit code."""
        self._http.close()
        if self.process.stdin:
            self.process.stdin.close()
        try:
            code = self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.errors.close()
        return code

    def complaints(self) -> str:
        """The process's stderr since the last call: empty unless the sandbox broke inside."""
        said = Path(self.errors.name).read_bytes()
        new, self._heard = said[self._heard :], len(said)
        return new.decode()

    # ── Control routes ──────────────────────────────────────────────────────────────────────────────────────────

    def control(self, method: str, path: str, data: Any = None, **query: Any) -> Any:
        """A control request; `SandboxError` with the sandbox's own words on a refusal."""
        given = {key: value for key, value in query.items() if value is not None}
        answer = self._http.request(
            method, f"{self.url}/_sandbox/{path}", json=data, params=given, timeout=CONTROL_TIMEOUT_S
        )
        if answer.status_code != 200:
            raise SandboxError(f"{method} /_sandbox/{path}: {answer.text}")
        return answer.json()

    def state(self) -> dict[str, Any]:
        """A look at the whole sandbox."""
        return self.control("GET", "state")

    def config(self, **switches: Any) -> dict[str, Any]:
        """Set switches; return every switch with its value."""
        return self.control("PATCH", "config", switches) if switches else self.control("GET", "config")

    def fault(
        self,
        action: str,
        *,
        path: str | None = None,
        method: str | None = None,
        body_contains: str | None = None,
        query_contains: str | None = None,
        **options: Any,
    ) -> Fault:
        """Set a rule for faults. `options`: times, probability, seed, skip, status, html, body, delay_ms, how …"""
        match = {"path": path, "method": method, "body_contains": body_contains, "query_contains": query_contains}
        given = {key: value for key, value in match.items() if value is not None}
        rule = self.control("POST", "faults", {"action": action, "match": given, **options})
        return Fault(self, rule["id"], action)

    def clear_faults(self) -> None:
        """Drop every fault."""
        self.control("DELETE", "faults")

    def ledger(
        self, kind: str | None = None, *, since: int | None = None, limit: int | None = None, **wanted: Any
    ) -> list[dict[str, Any]]:
        """Entries, oldest first; of one kind, and with these values: `ledger("request", path="/api/v4/leads")`."""
        entries = self.control("GET", "ledger", kind=kind, since=since, limit=limit)["entries"]
        return [entry for entry in entries if all(entry.get(key) == value for key, value in wanted.items())]

    def last_seq(self) -> int:
        """The ledger's newest number: `since=` for "from here on"."""
        return self.control("GET", "ledger", limit=0)["last_seq"]

    def entities(self, table: str, *ids: int, limit: int | None = None) -> list[dict[str, Any]]:
        """Rows of the store, newest first, the bin included."""
        wanted = ",".join(map(str, ids)) or None
        return self.control("GET", f"entities/{table}", id=wanted, limit=limit)["rows"]

    def count(self, table: str) -> int:
        """How many rows there are, the bin included."""
        return self.control("GET", f"entities/{table}", count=1)["count"]

    def reset(self, *, leads: int | None = None, seed: int | None = None, now: int | None = None) -> None:
        """A new club and a clean slate."""
        given = {"leads": leads, "seed": seed, "now": now}
        self.control("POST", "reset", {key: value for key, value in given.items() if value is not None})

    def grant(self, *, user_id: int | None = None, long_lived_days: float | None = None) -> dict[str, Any]:
        """The token endpoint's answer without the consent page: a pair, or a long-lived token."""
        given = {"user_id": user_id, "long_lived_days": long_lived_days}
        return self.control("POST", "grant", {key: value for key, value in given.items() if value is not None})

    def code(self, **options: Any) -> str:
        """A code as in the "keys" window. `options`: user_id, foreign, deliver."""
        return self.control("POST", "code", options)["code"]

    def expire_tokens(self, *, access: bool = True, refresh: bool = False, codes: bool = False) -> int:
        """Their time is over now."""
        return self.control("POST", "tokens/expire", {"access": access, "refresh": refresh, "codes": codes})["expired"]

    def revoke_tokens(self, user_id: int | None = None) -> int:
        """Revoke the pairs of every user, or of one user."""
        return self.control("POST", "tokens/revoke", {"user_id": user_id} if user_id else {})["revoked"]

    def unblock(self) -> bool:
        """Lift the account's block; return whether the account was blocked."""
        return self.control("POST", "unblock")["was_blocked"]

    def edit(self, action: str, entity: str = "leads", **what: Any) -> dict[str, Any]:
        """Act as a person in AmoCRM: `edit("move", id=1, status_id=142)`, `edit("random", count=20, seed=3)`."""
        return self.control("POST", "edit", {"action": action, "entity": entity, **what})

    def integration(self, **changes: Any) -> dict[str, Any]:
        """Change the integration: client_secret, regenerate_secret, keep_grants, redirect_uri, uninstall, hook_url."""
        return self.control("POST", "integration", changes)

    def rename(self, subdomain: str, *, old_host: int = 404) -> str:
        """Move the account; return the new host and port."""
        return self.control("POST", "rename", {"subdomain": subdomain, "old_host": old_host})["account_domain"]

    # ── As a browser and as a client ────────────────────────────────────────────────────────────────────────────

    def approve(self, auth_url: str) -> str:
        """Open the consent page and press "allow"; where the browser is sent then."""
        return self._decide(auth_url, "allow")

    def deny(self, auth_url: str) -> str:
        """Press "deny" at the consent page."""
        return self._decide(auth_url, "deny")

    def _decide(self, auth_url: str, decision: str) -> str:
        page = self._http.get(auth_url, timeout=CONTROL_TIMEOUT_S)
        form = _Form(page.text)
        if decision not in form.buttons:
            raise SandboxError(f"the consent page has no button {decision!r}: {page.status_code} {page.text}")
        answer = self._http.post(
            urljoin(auth_url, form.action),
            data=form.fields | {"decision": decision},
            allow_redirects=False,
            timeout=CONTROL_TIMEOUT_S,
        )
        return answer.headers["Location"]

    def session(self, access_token: str | None = None) -> requests.Session:
        """A `requests` session with a token, by default a fresh token of the admin."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {access_token or self.grant()['access_token']}"
        return session


@dataclass(frozen=True)
class Fault:
    """A rule in force."""

    box: Sandbox = field(repr=False)
    id: int
    action: str

    @property
    def fired(self) -> int:
        """How often the rule has hit a request so far."""
        return next(rule["fired"] for rule in self.box.control("GET", "faults") if rule["id"] == self.id)

    def remove(self) -> None:
        """Drop the rule."""
        self.box.control("DELETE", f"faults/{self.id}")


class _Form(HTMLParser):
    """The one form of a page: its address, hidden fields, buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the fields a browser would send."""
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes.get("action") or ""
        elif tag == "input":
            self.fields[attributes.get("name") or ""] = attributes.get("value") or ""
        elif tag == "button":
            self.buttons.append(attributes.get("value") or "")
